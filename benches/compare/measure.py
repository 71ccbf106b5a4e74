"""The rounds: every contender once per round, each round starting with a different one."""

import datetime
import os
import shlex
import statistics
import sys

import data
import database
import distance
import machine
from contenders import Adbc, DuckDb, DuckDbFilter, Inflate, PgLoader, PsqlCopy, Sterna

# Goals: a figure of sterna, the figure of another contender, and the greatest ratio allowed.
TARGETS = [
    ("rows: sterna / psql", ("sterna, CSV files", "load"), (PsqlCopy.name, "load"), 0.65),
    ("rows, from the zip: sterna / psql", ("sterna, zip", "load"), (PsqlCopy.name, "load"), 0.65),
    ("rows: sterna / DuckDB", ("sterna, CSV files", "load"), (DuckDb.name, "load"), None),
    ("rows: sterna / ADBC", ("sterna, CSV files", "load"), (Adbc.name, "load"), None),
    ("rows: sterna / pgloader", ("sterna, CSV files", "load"), (PgLoader.name, "load"), None),
    ("staging ready: sterna / DuckDB", ("sterna, CSV files", "ready"), (DuckDb.name, "ready"), 0.45),
    ("world: sterna / DuckDB", ("sterna, filtering", "load"), (DuckDbFilter.name, "load"), 0.5),
    ("world, whole command: sterna / DuckDB", ("sterna, filtering", "command"),
     (DuckDbFilter.name, "load"), 0.9),
    ("download, read: sterna / inflating", ("sterna, download, one year", "load"),
     (Inflate.name, "load"), 1.2),
    ("download, loaded: sterna / inflating", ("sterna, download", "load"), (Inflate.name, "load"), 1.6),
]
MEMORY_LIMIT_BYTES = 64 << 20


def run(options, sterna, folder):
    """Measures, and returns everything to report."""
    columns, species = data.species(options.species)
    database.prepare(columns, species, options.memory)
    description = machine.describe(sterna)
    about = {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "command": command(options),
        **description,
        "rounds": options.rounds,
    }
    if options.distance:
        return {**about, **distance.run(options, sterna, folder, say)}
    contenders, figures, inputs = [], {}, {}
    groups = [load_contenders(sterna, folder, inputs)]
    if options.world:
        groups.append(filter_contenders(sterna, folder, inputs))
    if options.download:
        groups.append(download_contenders(sterna, folder, inputs))
    skipped = {}
    for group in groups:
        present = []
        for contender in group:
            reason = contender.missing()
            if reason:
                skipped[contender.name] = reason
                say(f"{contender.name}: {reason}")
            else:
                present.append(contender)
        contenders += present
        before = (lambda: data.evict(folder)) if options.cold else (lambda: None)
        rounds(present, options.rounds, figures, before)
    return {
        **about,
        "inputs": inputs,
        "contenders": {c.name: {"command": c.command, "rounds": figures[c.name]} for c in contenders},
        "skipped": skipped,
        "ratios": ratios(figures),
        "memory_limit_bytes": MEMORY_LIMIT_BYTES,
    }


def load_contenders(sterna, folder, inputs):
    source = folder / "shipments"
    rows = data.count(source)
    files = data.csv_files(source)
    inputs["shipments"] = {"files": len(files), "rows": rows, "bytes": data.size(source)}
    first = Sterna("sterna, CSV files", sterna, source, folder, rows)
    say("making the binary file that psql copies")
    loaded = first.run()["rows"]
    psql = PsqlCopy(folder / "ready.bin", loaded)
    psql.make_binary()
    inputs["shipments"]["rows_loaded"] = loaded
    inputs["shipments"]["binary_bytes"] = psql.binary.stat().st_size
    group = [first, psql]
    if (folder / "shipments.zip").exists():
        group.insert(1, Sterna("sterna, zip", sterna, folder / "shipments.zip", folder, rows))
    request = {"files": files, "threads": os.cpu_count(), "target": database.TARGET}
    return [*group, DuckDb(request, loaded), Adbc(request, rows), PgLoader(source, folder, rows)]


def filter_contenders(sterna, folder, inputs):
    source = folder / "world"
    rows = data.count(source)
    files = data.csv_files(source)
    inputs["world"] = {"files": len(files), "rows": rows, "bytes": data.size(source)}
    ours = Sterna("sterna, filtering", sterna, source, folder, rows)
    say("counting the records to be left after filtering")
    loaded = ours.run()["rows"]
    inputs["world"]["rows_loaded"] = loaded
    request = {"files": files, "threads": os.cpu_count(), "target": None,
               "names": database.species_names()}
    return [ours, DuckDbFilter(request, loaded)]


def download_contenders(sterna, folder, inputs):
    source = folder / "download.zip"
    ours = Sterna("sterna, download", sterna, source, folder, None)
    # Reads every record and loads next to none.
    read = Sterna("sterna, download, one year", sterna, source, folder, None, ("--year", "1975"))
    say("counting the records of the download to be loaded")
    inputs["download"] = {"bytes": source.stat().st_size, **ours.about()}
    return [ours, read, Inflate({"archive": str(source), "threads": os.cpu_count()}, None)]


def rounds(contenders, count, figures, before):
    for number in range(count + 1):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            before()
            result = contender.run()
            say(f"round {number or 'to warm up'}: {contender.name}: {result['load']:.3f} s")
            if number:
                figures.setdefault(contender.name, []).append(result)


def ratios(figures):
    """Median, minimum and maximum of the ratios within each round."""
    found = []
    for name, ours, theirs, most in TARGETS:
        if ours[0] in figures and theirs[0] in figures:
            pairs = zip(figures[ours[0]], figures[theirs[0]])
            each = [a[ours[1]] / b[theirs[1]] for a, b in pairs]
            found.append({"name": name, "median": statistics.median(each), "min": min(each),
                          "max": max(each), "target": most, "each": each})
    return found


def command(options):
    """The command to repeat the run, without the folders of the files."""
    words = ["script/compare"]
    if options.input:
        words += ["--input", options.input.name]
    if options.species:
        words += ["--species", options.species.name]
    if not options.input:
        words += ["--rows", str(options.rows)]
    if options.distance:
        words += ["--distance", options.distance]
        words += ["--mbps", f"{options.mbps:g}"] if options.mbps else []
    else:
        words += ["--world", str(options.world)]
        words += ["--download", str(options.download)] if options.download else []
        words += ["--cold"] if options.cold else []
        words += ["--maintenance-work-mem", options.memory] if options.memory else []
    words += ["--rounds", str(options.rounds)]
    if options.save:
        words += ["--save", options.save]
    return shlex.join(words)


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)
