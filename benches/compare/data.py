"""The files that all contenders read, and the species rows that match them."""

import csv
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def make(options, sterna, folder):
    """Puts `shipments.zip` (if there is one), `shipments/`, `world/` and `download.zip` into
    `folder`, as far as they are wanted."""
    given = options.input
    archive = folder / "shipments.zip"
    unpacked = folder / "shipments"
    if given is None:
        subprocess.run([sterna, "-q", "generate", "--rows", str(options.rows), "--out", archive],
                       check=True, stdout=subprocess.DEVNULL)
    elif zipfile.is_zipfile(given):
        shutil.copyfile(given, archive)
    unpacked.mkdir()
    if archive.exists():
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(unpacked)
    else:
        for path in sorted(given.glob("*.csv")) if given.is_dir() else [given]:
            shutil.copyfile(path, unpacked / path.name)
    if options.world:
        subprocess.run([sterna, "-q", "generate", "--world", "--rows", str(options.world),
                        "--out", folder / "world"], check=True, stdout=subprocess.DEVNULL)
    if options.download:
        subprocess.run([sterna, "-q", "generate", "--world", "--rows", str(options.download),
                        "--out", folder / "download.zip"], check=True, stdout=subprocess.DEVNULL)


def csv_files(folder):
    """Returns the CSV files below `folder`."""
    return sorted(str(path) for path in Path(folder).rglob("*.csv"))


def evict(folder):
    """Removes all files below `folder` from the system's page cache, if they are on a disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as opened:
                os.fsync(opened.fileno())
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def count(folder):
    """Counts the records of all files below `folder`, with a CSV reader that no contender uses."""
    rows = 0
    for path in csv_files(folder):
        with open(path, newline="", encoding="utf-8-sig") as opened:
            rows += sum(1 for _ in csv.reader(opened)) - 1
    return rows


def size(folder):
    """Returns the total bytes of all files below `folder`."""
    return sum(Path(path).stat().st_size for path in csv_files(folder))


def species(path):
    """Returns columns and rows of the species table, from a CSV file with some of the columns."""
    required = ["scientific_name", "common_name", "kingdom", "phylum", "class", "order_name",
                "family", "genus", "species_name"]
    with open(path or ROOT / "data" / "species.csv", newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    columns = required + (["id"] if "id" in rows[0] else [])
    # No contender reads the columns that a file lacks, but they are NOT NULL.
    return columns, [[row.get(column, "") for column in columns] for row in rows]
