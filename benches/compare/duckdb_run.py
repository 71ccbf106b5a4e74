"""One run of DuckDB; reads the request as JSON from stdin and prints the figures to stdout."""

import json
import resource
import sys
import time
from pathlib import Path

import duckdb

# The fields in the order of the table's columns, as shipment files name them.
FIELDS = ["Id", "Year", "Appendix", "Taxon", "Class", "Order", "Family", "Genus", "Term",
          "Quantity", "Unit", "Importer", "Exporter", "Origin", "Purpose", "Source",
          "Reporter.type", "Import.permit.RandomID", "Export.permit.RandomID",
          "Origin.permit.RandomID"]


def columns(files):
    """The header with types, so that DuckDB need not detect them."""
    with open(files[0], encoding="utf-8-sig") as opened:
        header = opened.readline().rstrip("\r\n").split(",")
    types = {name: "VARCHAR" for name in header}
    return types | {"Year": "INTEGER"}


def load(connection, request, source):
    import duckdb_extension_postgres_scanner as package

    found = list(Path(package.__file__).parent.rglob("postgres_scanner.duckdb_extension"))
    connection.execute(f"LOAD '{found[0]}'")
    # An empty string: libpq's environment variables name the server.
    connection.execute("ATTACH '' AS pg (TYPE postgres)")
    fields = ", ".join(f'f."{name}"' for name in FIELDS)
    connection.execute(f"""
        INSERT INTO pg.{request['target']}
        SELECT uuid(), s.id, {fields}
        FROM {source} f JOIN pg.public.species s ON s.scientific_name = f."Taxon"
    """)
    return None


def count(connection, request, source):
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in request["names"])
    return connection.execute(f'SELECT count(*) FROM {source} WHERE "Taxon" IN ({names})').fetchone()[0]


def main():
    request = json.load(sys.stdin)
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"SET threads = {request['threads']}")
    # The order of rows does not matter.
    connection.execute("SET preserve_insertion_order = false")
    files = request["files"]
    source = f"read_csv({files!r}, header = true, auto_detect = false, delim = ',', " \
             f"quote = '\"', escape = '\"', columns = {columns(files)!r})"
    before, begun = used(), time.perf_counter()
    rows = (load if request["target"] else count)(connection, request, source)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"load": seconds, "client": used() - before, "rows": rows,
                      "peak_memory_bytes": peak}))


def used():
    """The core-seconds of this process."""
    now = resource.getrusage(resource.RUSAGE_SELF)
    return now.ru_utime + now.ru_stime


main()
