"""The ways to load that are compared.

A contender says which of its requirements are missing, runs once, and returns its
figures; the rows that it claims are counted in the table. Timing excludes creating
the empty table. A contender with a process of its own is measured as a whole process,
except where a figure's name says otherwise.
"""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import database

HERE = Path(__file__).parent


def timed(work):
    """Returns the seconds that `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def claim(found, expected, who):
    if found != expected:
        raise RuntimeError(f"{who}: {found} rows, expected {expected}")


class Sterna:
    """The whole command; its own report has the time of each phase."""

    def __init__(self, name, sterna, source, folder, expected):
        self.name = name
        self.expected = expected
        self.sterna = sterna
        self.words = ["load", str(source), "--all", "--on-inexact", "widen"]
        self.rejects = str(folder / "rejects.csv")
        shown = " ".join([*self.words[:1], Path(source).name, *self.words[2:]])
        self.command = f"sterna {shown} --format json"

    def missing(self):
        return None

    def run(self):
        database.drop_staging(self.sterna)
        words = [self.sterna, *self.words, "--rejects", self.rejects, "--format", "json",
                 "--progress", "never"]
        begun = time.perf_counter()
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        wall = time.perf_counter() - begun
        report = json.loads(done.stdout)
        if self.expected is not None:
            claim(report["rows_read"], self.expected, self.name)
        claim(database.rows(database.STAGING), report["rows_loaded"], self.name)
        return {
            "load": report["load_seconds"],
            "index": report["index_seconds"],
            "command": report["seconds"],
            "ready": wall,
            "peak_memory_bytes": report["peak_memory_bytes"],
            "rows": report["rows_loaded"],
        }


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
        seconds = timed(lambda: database.psql(copy, ""))
        claim(database.rows(database.TARGET), self.expected, self.name)
        return {"load": seconds, "rows": self.expected}


class Python:
    """A contender that is a Python package, run in a process of its own. Its `load`
    excludes the start of the interpreter and the import."""

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


class DuckDb(Python):
    """DuckDB reads the CSV files, joins species, creates ids, and writes through its
    postgres extension; psql adds keys and indexes."""

    name = "DuckDB"
    packages = ("duckdb", "duckdb_extension_postgres_scanner")
    script = "duckdb_run.py"
    command = "duckdb: INSERT INTO pg.TARGET SELECT uuid(), ... FROM read_csv(...) JOIN pg.species; then psql: keys, indexes, VACUUM"

    def run(self):
        database.new_target()
        figures = self.child()
        claim(database.rows(database.TARGET), self.expected, self.name)
        figures["index"] = timed(lambda: database.psql(database.FINISH))
        figures["ready"] = figures["load"] + figures["index"]
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
        figures = self.child()
        claim(figures["rows"], self.expected, self.name)
        return figures
