"""Core-seconds beside seconds: what a contender's processes and the server's use."""

import os
import resource
import time
from pathlib import Path

import database

TICK = os.sysconf("SC_CLK_TCK")


def timed(work):
    """Runs `work`; returns its result, and the seconds and core-seconds that it took.

    The client's are those of the processes that `work` has started and waited for. The server's
    are those of all its processes; other work on the same server would count as well.
    """
    server, client, begun = of_server(), of_children(), time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begun
    return result, {"seconds": seconds, "client": of_children() - client, "server": of_server() - server}


def of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def of_server():
    """Of the server's main process, of its children, and of those that it has waited for."""
    first = Path(database.psql("SHOW data_directory")) / "postmaster.pid"
    pid = int(first.read_text(encoding="ascii").splitlines()[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return ticks(pid, 4) + sum(ticks(child, 2) for child in children)


def ticks(pid, count):
    """utime and stime of a process, and with `count` 4 also those of the children it waited for."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    # The name, in parentheses, may contain blanks.
    fields = text.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:11 + count]) / TICK
