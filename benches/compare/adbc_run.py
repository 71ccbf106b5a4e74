"""One run of ADBC; reads the request as JSON from stdin and prints the figures to stdout."""

import json
import resource
import sys
import time

import adbc_driver_postgresql.dbapi
from pyarrow import csv


def main():
    request = json.load(sys.stdin)
    rows = 0
    before, begun = used(), time.perf_counter()
    # An empty URI: libpq's environment variables name the server.
    with adbc_driver_postgresql.dbapi.connect("postgresql://") as connection:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS public.adbc_compared")
            mode = "create"
            for path in request["files"]:
                # Without types, a column that is empty in one file would get the type null.
                types = {name: "string" for name in header(path)} | {"Year": "int32", "Quantity": "float64"}
                options = csv.ConvertOptions(column_types=types, strings_can_be_null=True)
                table = csv.read_csv(path, convert_options=options)
                cursor.adbc_ingest("adbc_compared", table, mode=mode)
                rows += table.num_rows
                mode = "append"
        connection.commit()
    seconds = time.perf_counter() - begun
    print(json.dumps({"load": seconds, "client": used() - before, "rows": rows}))


def used():
    """The core-seconds of this process."""
    now = resource.getrusage(resource.RUSAGE_SELF)
    return now.ru_utime + now.ru_stime


def header(path):
    with open(path, encoding="utf-8-sig") as opened:
        return opened.readline().rstrip("\r\n").split(",")


main()
