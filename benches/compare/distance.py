"""The same work at several distances: with the server near, and 50 or 100 ms away.

A round loads the same records with sterna and with psql, exchanges the tables and rolls
back, over a line of each length. Ratios are within a round, as for other contenders.
"""

import json
import statistics
import subprocess
import time

import data
import database
from contenders import PsqlCopy, Sterna
from line import Line

FIGURES = [
    ("load", "rows into staging"),
    ("copy", "psql \\copy of the ready-made binary file"),
    ("ready", "whole load: rows, primary key, indexes, foreign key, statistics"),
    ("switchover", "switchover"),
    ("locked", "... readers locked out"),
    ("rollback", "rollback"),
    ("locked_back", "... readers locked out"),
]


class Far:
    """One round over a line."""

    def __init__(self, sterna, source, binary, rows, line):
        self.sterna, self.source, self.binary, self.rows, self.line = sterna, source, binary, rows, line

    def ask(self, *words):
        begun = time.perf_counter()
        words = [self.sterna, *words, "--format", "json", "--progress", "never"]
        done = subprocess.run(words, capture_output=True, text=True, env=self.line.env())
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words[1:]))}: {done.stderr.strip()}")
        return json.loads(done.stdout), time.perf_counter() - begun

    def run(self):
        database.drop_staging(self.sterna)
        load, ready = self.ask("load", str(self.source), "--all", "--on-inexact", "widen")
        found = {"load": load["load_seconds"], "ready": ready, "writers": load["writers"],
                 "peak_memory_bytes": load["peak_memory_bytes"]}
        there, found["switchover"] = self.ask("switchover", "--accept-failed-validation")
        found["locked"] = there["locked_ms"] / 1000
        back, found["rollback"] = self.ask("rollback", "switchover")
        found["locked_back"] = locked_of(back) / 1000
        database.new_target()
        begun = time.perf_counter()
        copy = f"\\copy {database.TARGET} FROM '{self.binary}' (FORMAT binary)"
        subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", copy], check=True,
                       env=self.line.env())
        found["copy"] = time.perf_counter() - begun
        return found


def locked_of(back):
    """Returns how long a rollback locked readers out, wherever its report has that."""
    if isinstance(back, dict):
        if "locked_ms" in back:
            return back["locked_ms"]
        back = list(back.values())
    found = [locked_of(part) for part in back] if isinstance(back, list) else []
    return max([ms for ms in found if ms is not None], default=None)


def run(options, sterna, folder, say):
    """Measures each distance in alternating rounds and returns the figures."""
    source = folder / "shipments"
    rows = data.count(source)
    say("making the binary file that psql copies")
    loaded = Sterna("sterna", sterna, source, folder, rows).run()["rows"]
    psql = PsqlCopy(folder / "ready.bin", loaded)
    psql.make_binary()
    distances = [float(ms) for ms in options.distance.split(",")]
    figures = {ms: [] for ms in distances}
    for number in range(options.rounds + 1):
        for ms in distances:
            with Line(ms, options.mbps) as line:
                found = Far(sterna, source, psql.binary, loaded, line).run()
            say(f"round {number or 'to warm up'} at {ms:g} ms: rows {found['load']:.2f} s")
            if number:
                figures[ms].append(found)
    about = {"files": len(data.csv_files(source)), "rows": rows, "bytes": data.size(source),
             "rows_loaded": loaded, "binary_bytes": psql.binary.stat().st_size}
    return {"inputs": {"shipments": about}, "mbps": options.mbps,
            "distances": {f"{ms:g}": rounds for ms, rounds in figures.items()}}


def table(runs):
    """Medians and ratios within each round, as lines of a Markdown table."""
    distances = runs["distances"]
    lines = ["| seconds | " + " | ".join(f"{ms} ms" for ms in distances) + " |",
             "|---|" + "---|" * len(distances)]
    for figure, title in FIGURES:
        digits = 3 if figure.startswith("locked") else 2
        cells = [f"{statistics.median(r[figure] for r in rounds):.{digits}f}"
                 for rounds in distances.values()]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    ratio = [f"{statistics.median(r['load'] / r['copy'] for r in rounds):.2f}"
             for rounds in distances.values()]
    lines.append("| **rows: sterna / psql** | " + " | ".join(ratio) + " |")
    writers = [str(rounds[0]["writers"]) for rounds in distances.values()]
    lines.append("| connections that wrote | " + " | ".join(writers) + " |")
    memory = [f"{max(r['peak_memory_bytes'] for r in rounds) >> 20} MiB" for rounds in distances.values()]
    lines.append("| peak memory | " + " | ".join(memory) + " |")
    return lines
