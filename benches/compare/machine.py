"""The machine and the versions measured with. No names of machines, users or folders."""

import importlib.metadata
import os
import platform
import subprocess

import data
import database


def said(*words):
    """The first line that a program prints, or an empty string if the program is missing."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, cwd=data.ROOT)
    except FileNotFoundError:
        return ""
    return (done.stdout.splitlines() or [""])[0].strip()


def proc(path, key):
    """A value from a file of the form `key : value`."""
    try:
        with open(path, encoding="utf-8") as opened:
            lines = (line.partition(":") for line in opened)
            return next((value.strip() for name, _, value in lines if name.strip() == key), "")
    except OSError:
        return ""


def describe(sterna):
    kib = proc("/proc/meminfo", "MemTotal").split(" ")[0]
    versions = {
        "sterna": f"{said(sterna, '--version').removeprefix('sterna ')} ({commit()})",
        "rustc": said("rustc", "--version").removeprefix("rustc "),
        "PostgreSQL": database.psql("SHOW server_version"),
        "Python": platform.python_version(),
    }
    pgloader = said("pgloader", "--version")
    versions["pgloader"] = pgloader.partition('"')[2].rstrip('"') if pgloader else "not installed"
    for package in ["duckdb", "duckdb-extension-postgres-scanner", "adbc-driver-postgresql", "pyarrow",
                    "zlib-ng"]:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    settings = ["shared_buffers", "max_wal_size", "wal_level", "fsync", "synchronous_commit",
                "full_page_writes", "autovacuum", "maintenance_work_mem"]
    return {
        "machine": {
            "cpu": proc("/proc/cpuinfo", "model name") or platform.processor(),
            "cores": os.cpu_count(),
            "memory_gib": round(int(kib) / 2**20, 1) if kib else None,
            "system": f"{platform.system()} {platform.machine()}",
        },
        "load_average_before": round(os.getloadavg()[0], 2),
        "versions": versions,
        "server_settings": {name: database.psql(f"SHOW {name}") for name in settings},
    }


def commit():
    changed = said("git", "status", "--porcelain", "--untracked-files=no")
    return said("git", "rev-parse", "--short", "HEAD") + (" and uncommitted changes" if changed else "")
