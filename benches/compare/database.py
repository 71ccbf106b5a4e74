"""The server that `sterna sandbox` has started, and the tables to load."""

import csv
import io
import subprocess

PRODUCTION = "public.cites_trade_records"
# The table that sterna loads, and one of the same structure for the other contenders.
STAGING = "public.cites_trade_records_staging"
TARGET = "public.cites_trade_records_compared"
# The fields of the files as they are, for contenders that map nothing.
PLAIN = "public.cites_trade_records_plain"

# As sql/stage/create.sql creates staging, and as --on-inexact widen changes it.
CREATE_TARGET = f"""
    DROP TABLE IF EXISTS {TARGET};
    CREATE TABLE {TARGET} (LIKE {PRODUCTION}
        INCLUDING COMPRESSION INCLUDING CONSTRAINTS INCLUDING DEFAULTS
        INCLUDING GENERATED INCLUDING IDENTITY INCLUDING STORAGE);
    ALTER TABLE {TARGET} ALTER COLUMN quantity TYPE numeric;
"""

# What sterna builds after the rows, in the natural order for a script, with the memory
# that sterna uses: 256 MB, or more if the server's setting is higher.
FINISH = f"""
    SELECT set_config('maintenance_work_mem', greatest(setting::bigint, 262144) || 'kB', false)
        FROM pg_settings WHERE name = 'maintenance_work_mem';
    ALTER TABLE {TARGET} ADD PRIMARY KEY (id);
    CREATE INDEX ON {TARGET} (species_id);
    CREATE INDEX ON {TARGET} (year);
    ALTER TABLE {TARGET} ADD FOREIGN KEY (species_id)
        REFERENCES public.species (id) ON DELETE CASCADE;
    VACUUM (FREEZE, ANALYZE) {TARGET};
"""


def psql(sql, stdin=None):
    """Runs SQL in psql and returns what it prints."""
    # One -c per statement, because VACUUM refuses to share a transaction.
    statements = [sql] if stdin is not None else [s for s in sql.split(";") if s.strip()]
    words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1"]
    for statement in statements:
        words += ["-c", statement]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"psql failed: {done.stderr.strip()}")
    return done.stdout.strip()


def prepare(columns, rows, memory):
    """Fills the species table, turns autovacuum off, so that it disturbs no contender, and sets
    the server's maintenance_work_mem, if one is given."""
    if memory:
        psql(f"ALTER SYSTEM SET maintenance_work_mem = '{memory}'")
    psql("ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf()")
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    force = ", ".join(columns)
    psql(f"COPY public.species ({force}) FROM STDIN (FORMAT csv, FORCE_NOT_NULL ({force}))",
         text.getvalue())


def new_target():
    """Creates an empty table without indexes; the checkpoint leaves no WAL to write out."""
    psql(CREATE_TARGET + "CHECKPOINT;")


def new_plain_target():
    """Creates an empty table of the files' fields; returns its columns."""
    psql(f"""
        DROP TABLE IF EXISTS {PLAIN};
        CREATE TABLE {PLAIN} AS SELECT * FROM {PRODUCTION} WITH NO DATA;
        ALTER TABLE {PLAIN} DROP COLUMN id, DROP COLUMN species_id,
            ALTER COLUMN quantity TYPE double precision;
        CHECKPOINT
    """)
    return psql(f"""
        SELECT attname FROM pg_attribute
        WHERE attrelid = '{PLAIN}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
    """).splitlines()


def drop_staging(sterna):
    """Drops the loaded tables, so that sterna starts afresh, with no WAL left to write out."""
    if psql(f"SELECT to_regclass('{STAGING}') IS NOT NULL") == "t":
        subprocess.run([sterna, "-q", "stage", "drop"], check=True, stdout=subprocess.DEVNULL)
    psql(f"DROP TABLE IF EXISTS {TARGET}; DROP TABLE IF EXISTS {PLAIN}; CHECKPOINT")


def rows(table):
    """Returns the number of rows in a table."""
    return int(psql(f"SELECT count(*) FROM {table}"))


def species_names():
    """Returns the names that the records are mapped to."""
    return psql("SELECT scientific_name FROM public.species ORDER BY 1").splitlines()
