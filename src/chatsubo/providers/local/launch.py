"""The last step into a sandbox: takes on the limits and the account of an instance, then becomes its command.

A program of its own that needs nothing but the standard library, since it runs inside the sandbox, where Chatsubo is
not. Its one argument is a JSON object with ``argv``, ``cwd``, ``limits``, ``nice``, ``uid`` (an account to change to,
or null) and ``shared`` (whether others use the account, so that their processes count too).
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_NO_NEW_PRIVS = 38


def main(order: dict[str, Any]) -> None:
    """Become the command of ``order``."""
    limits = dict(order["limits"])
    if order["shared"] and "NPROC" in limits:
        limits["NPROC"] += _tasks_of(os.getuid())
    for name, value in limits.items():
        _limit(name, value)
    os.nice(order["nice"])
    if (uid := order["uid"]) is not None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    # Only that account may go there.
    os.chdir(order["cwd"])
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        os.execvp(order["argv"][0], order["argv"])  # noqa: S606  no shell on purpose
    except OSError as error:
        sys.exit(f"{order['argv'][0]} cannot be run: {error.strerror}")


def _limit(name: str, value: int) -> None:
    kind = getattr(resource, f"RLIMIT_{name}", None)
    if kind is None:
        return
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    # macOS refuses some of them.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (value, value))


def _tasks_of(uid: int) -> int:
    """Return how many threads run under ``uid`` now."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == uid:
                count += len(os.listdir(process / "task"))  # noqa: PTH208  names are enough
    return count


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
