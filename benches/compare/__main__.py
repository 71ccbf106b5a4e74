"""Compares sterna with other ways to load CITES files into PostgreSQL.

Called by script/compare, which has built sterna. The first pass makes the data
and starts `sterna sandbox`; inside it, with a server to talk to, the second
pass measures.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import data
import measure
import record

DEFAULT_ROWS = 489_107
# A fifth of the public download.
DEFAULT_WORLD_ROWS = 5_600_000


def arguments():
    parser = argparse.ArgumentParser(
        prog="script/compare",
        description="Compare sterna with psql, pgloader, DuckDB and ADBC on the same data, server "
        "and table. DuckDB needs the Python packages duckdb and duckdb-extension-postgres-scanner "
        "of one version, ADBC needs adbc_driver_postgresql and pyarrow; what is not installed "
        "is skipped. Inflating uses zlib_ng if it is installed.",
    )
    parser.add_argument("--input", type=Path, help="a zip, folder or CSV file of shipments [default: generated]")
    parser.add_argument("--species", type=Path, help="CSV file of the species rows [default: data/species.csv]")
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="records to generate [default: %(default)s]")
    parser.add_argument("--world", type=int, default=DEFAULT_WORLD_ROWS, metavar="ROWS",
                        help="records of the whole world to filter, 0 for none [default: %(default)s]")
    parser.add_argument("--download", type=int, default=0, metavar="ROWS",
                        help="records of the whole world in a zip, to read, to load and to inflate "
                        "[default: none; the public download has 28000000]")
    parser.add_argument("--cold", action="store_true",
                        help="remove the files from the page cache before each run")
    parser.add_argument("--maintenance-work-mem", metavar="SIZE", dest="memory",
                        help="the server's setting [default: the server's own]")
    parser.add_argument("--rounds", type=int, default=7, help="rounds after one warm-up round [default: %(default)s]")
    parser.add_argument("--distance", metavar="MS,...",
                        help="only compare with psql, over lines with these round trips, such as 0,50,100")
    parser.add_argument("--mbps", type=float, default=0,
                        help="with --distance: Mbit/s per connection, 0 for no limit [default: no limit]")
    parser.add_argument("--save", metavar="NAME", help="write benches/runs/<date>-NAME.json and .md")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.distance:
        options.world = options.download = 0
    return options


def main():
    options = arguments()
    sterna = os.environ.get("STERNA")
    if not sterna:
        sys.exit("compare: run script/compare, which builds sterna first")
    if options.inside:
        runs = measure.run(options, sterna, options.inside)
        record.show(runs)
        if options.save:
            record.save(runs, options.save)
        return 0
    with tempfile.TemporaryDirectory(prefix="sterna-compare-") as folder:
        data.make(options, sterna, Path(folder))
        again = [sys.executable, str(Path(__file__).parent), *sys.argv[1:], "--inside", folder]
        return subprocess.run([sterna, "sandbox", "--durable", "--", *again]).returncode


if __name__ == "__main__":
    sys.exit(main())
