"""What a process costs, as the kernel counts it: memory, and time on a processor (proc(5))."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def one_of(pids: Iterable[int], program: str) -> int:
    """Return the process that runs a program; some of the others may have ended meanwhile."""
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == program:
                return pid
    raise LookupError(program)


def memory(pid: int) -> tuple[float, float]:
    """Return how much memory a process has, and the most that it ever had, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    said = dict(line.split(":", 1) for line in lines)
    now, most = (int(said[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


def busy(pid: int) -> float:
    """Return how long a process, with those that it started and that ended, was on a processor, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS


def shares(pids: dict[str, int], seconds: float) -> dict[str, float]:
    """Return which share of one processor each process takes while so many seconds pass, by name."""
    before = {name: busy(pid) for name, pid in pids.items()}
    began = time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - began
    return {name: (busy(pid) - before[name]) / took for name, pid in pids.items()}
