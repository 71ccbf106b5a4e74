"""The ways to load that are compared.

A contender says which of its requirements are missing, runs once, and returns its
figures; the rows that it claims are counted in the table. Timing excludes creating
the empty table. A contender with a process of its own is measured as a whole process,
except where a figure's name says otherwise.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cores
import database

HERE = Path(__file__).parent


def claim(found, expected, who):
    if found != expected:
        raise RuntimeError(f"{who}: {found} rows, expected {expected}")


class Sterna:
    """The whole command; its own report has the time of each phase."""

    def __init__(self, name, sterna, source, folder, expected, what=("--all",)):
        self.name = name
        self.expected = expected
        self.sterna = sterna
        self.words = ["load", str(source), *what, "--on-inexact", "widen"]
        self.rejects = str(folder / "rejects.csv")
        shown = " ".join([*self.words[:1], Path(source).name, *self.words[2:]])
        self.command = f"sterna {shown} --format json"

    def missing(self):
        return None

    def run(self):
        database.drop_staging(self.sterna)
        words = [self.sterna, *self.words, "--rejects", self.rejects, "--format", "json",
                 "--progress", "never"]
        done, used = cores.timed(
            lambda: subprocess.run(words, check=True, capture_output=True, text=True))
        report = json.loads(done.stdout)
        if self.expected is not None:
            claim(report["rows_read"], self.expected, self.name)
        claim(database.rows(database.STAGING), report["rows_loaded"], self.name)
        return {
            "load": report["load_seconds"],
            "index": report["index_seconds"],
            "command": report["seconds"],
            "ready": used["seconds"],
            "client": used["client"],
            "server": used["server"],
            "peak_memory_bytes": report["peak_memory_bytes"],
            "rows": report["rows_loaded"],
            "read": report["rows_read"],
            "files": len(report["files"]),
        }

    def about(self):
        """What the input holds, from a run that is not measured."""
        found = self.run()
        return {"files": found["files"], "rows": found["read"], "rows_loaded": found["rows"]}


class PsqlCopy:
    """psql with one connection, from a binary file: nothing to parse and nothing to map."""

    name = "psql \\copy of the ready-made binary file"

    def __init__(self, binary, expected):
        self.binary = binary
        self.expected = expected
        self.command = "psql -c '\\copy TARGET FROM ready.bin (FORMAT binary)'"

    def missing(self):
        return None

    def make_binary(self):
        """Writes the file from the rows that sterna has loaded."""
        database.psql(f"\\copy {database.STAGING} TO '{self.binary}' (FORMAT binary)", "")

    def run(self):
        database.new_target()
        copy = f"\\copy {database.TARGET} FROM '{self.binary}' (FORMAT binary)"
        _, used = cores.timed(lambda: database.psql(copy, ""))
        claim(database.rows(database.TARGET), self.expected, self.name)
        return {"load": used["seconds"], "client": used["client"], "server": used["server"],
                "rows": self.expected}


class PgLoader:
    """pgloader with its own batches and threads: no species, no ids, numbers as double precision."""

    name = "pgloader (no mapping, no ids)"
    command = "pgloader: LOAD CSV FROM ALL FILENAMES MATCHING ~/csv$/ ... INTO postgresql://"

    def __init__(self, source, folder, expected):
        self.source = source
        self.script = folder / "pgloader.load"
        self.expected = expected

    def missing(self):
        return None if shutil.which("pgloader") else "not installed, skipped"

    def run(self):
        columns = database.new_plain_target()
        host, port = os.environ["PGHOST"].replace(":", "::"), os.environ["PGPORT"]
        user, base = os.environ["PGUSER"], os.environ["PGDATABASE"]
        self.script.write_text(f"""
            LOAD CSV FROM ALL FILENAMES MATCHING ~/csv$/ IN DIRECTORY '{self.source}'
            HAVING FIELDS ({', '.join(columns)})
            INTO postgresql://{user}@unix:{host}:{port}/{base}
            TARGET TABLE {database.PLAIN} TARGET COLUMNS ({', '.join(columns)})
            WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote,
                fields terminated by ',', workers = {os.cpu_count()}, concurrency = 1;
        """, encoding="utf-8")
        words = ["pgloader", "--root-dir", str(self.script.parent), str(self.script)]
        done, used = cores.timed(lambda: subprocess.run(words, capture_output=True, text=True))
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {done.stdout}{done.stderr}")
        claim(database.rows(database.PLAIN), self.expected, self.name)
        return {"load": used["seconds"], "client": used["client"], "server": used["server"]}


class Python:
    """A contender that is a Python package, run in a process of its own. Its `load`, and the
    client's core-seconds, exclude the start of the interpreter and the import."""

    packages = ()
    script = ""

    def __init__(self, request, expected):
        self.request = request
        self.expected = expected

    def missing(self):
        absent = [name for name in self.packages if importlib.util.find_spec(name) is None]
        return f"not installed ({', '.join(absent)}), skipped" if absent else None

    def child(self):
        done = subprocess.run([sys.executable, str(HERE / self.script)], text=True,
                              input=json.dumps(self.request), capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def child_and_server(self):
        figures, used = cores.timed(self.child)
        return {**figures, "server": used["server"]}


class DuckDb(Python):
    """DuckDB reads the CSV files, joins species, creates ids, and writes through its
    postgres extension; psql adds keys and indexes."""

    name = "DuckDB"
    packages = ("duckdb", "duckdb_extension_postgres_scanner")
    script = "duckdb_run.py"
    command = "duckdb: INSERT INTO pg.TARGET SELECT uuid(), ... FROM read_csv(...) JOIN pg.species; then psql: keys, indexes, VACUUM"

    def run(self):
        database.new_target()
        figures = self.child_and_server()
        claim(database.rows(database.TARGET), self.expected, self.name)
        _, used = cores.timed(lambda: database.psql(database.FINISH))
        figures["index"] = used["seconds"]
        figures["ready"] = figures["load"] + figures["index"]
        figures["client"] += used["client"]
        figures["server"] += used["server"]
        return figures


class DuckDbFilter(Python):
    """DuckDB reads the CSV files and counts the records of the species; it writes nothing."""

    name = "DuckDB, filtering"
    packages = ("duckdb",)
    script = "duckdb_run.py"
    command = "duckdb: SELECT count(*) FROM read_csv(...) WHERE Taxon IN (the species)"

    def run(self):
        figures = self.child()
        if self.expected is not None:
            claim(figures["rows"], self.expected, self.name)
        return figures


class Adbc(Python):
    """pyarrow reads the CSV files, ADBC writes them by binary COPY into a table that it
    creates itself: no species, no ids, numbers as double precision."""

    name = "ADBC (no mapping, no ids)"
    packages = ("adbc_driver_postgresql", "pyarrow")
    script = "adbc_run.py"
    command = "adbc_driver_postgresql: adbc_ingest(pyarrow.csv.open_csv(...)), file by file"

    def run(self):
        database.new_target()
        figures = self.child_and_server()
        claim(figures["rows"], self.expected, self.name)
        return figures


class Inflate(Python):
    """Inflates the members of a zip on all cores and counts the bytes: no checksums, no records."""

    name = "inflating the zip"
    script = "inflate_run.py"
    command = "python: inflate every member, a process per core (zlib-ng, or else zlib)"

    def run(self):
        return self.child()
