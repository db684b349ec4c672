"""The keeper of one instance: starts its command, and ends with the whole tree of its processes.

A program of its own that needs nothing but the standard library. It is nobody's child, so that an instance outlives
the platform; it takes over the orphans below it, so that none of them outlives the instance. Its one argument is the
folder of the run, with ``spec.json``: ``argv``, ``env`` and ``cwd``. It writes ``keeper.json`` there before it starts
anything: a folder that was moved away before that starts nothing any more, one moved away later holds whom to end.

The process that was called returns with 0 as soon as that file is written and the command about to start.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_LOOK_AROUND = 2.0
"""Seconds after which a keeper looks whether its folder is still there."""

_ENDED = frozenset("ZX")


def started_at(pid: int) -> str | None:
    """Return when the process was started, in a form that tells it from others of the same number; None if it is gone.

    Args:
        pid: Its number. A zombie counts as gone.
    """
    if sys.platform != "linux":
        shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
        return shown.stdout.strip() or None
    try:
        # The name in the second field may hold anything, brackets and spaces too: proc(5).
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in _ENDED else fields[19]


def descendants(pid: int) -> set[int]:
    """Return the living processes below ``pid``; none where the system has no /proc."""
    children: dict[int, set[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] not in _ENDED:
                children.setdefault(int(fields[1]), set()).add(int(process.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        new = children.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def kill_below(pid: int) -> None:
    """Send SIGKILL to every process below ``pid``.

    They are stopped first, until no new one shows up: what is stopped cannot fork.
    """
    seen: set[int] = set()
    while new := descendants(pid) - seen:
        _signal(new, signal.SIGSTOP)
        seen |= new
    _signal(seen, signal.SIGKILL)


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


class _Keeper:
    def __init__(self, run: Path) -> None:
        self.run = run
        self.note = run / "keeper.json"
        self.spec = json.loads((run / "spec.json").read_text())
        self.command: int | None = None
        self.asked_to_end = False
        self.wake, wake_end = os.pipe()
        for end in (self.wake, wake_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._end_asked)
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, lambda *_: None)

    def keep(self, report: int) -> None:
        """Start the command, wait until it ends or shall end, and leave nothing of it."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._write_note()
        self._start()
        os.write(report, b"1")
        os.close(report)
        while not self.asked_to_end and self.note.exists():
            select.select([self.wake], [], [], _LOOK_AROUND)
            self._drain()
            if self._reap():
                break
        self._end()

    def _end_asked(self, *_: object) -> None:
        self.asked_to_end = True

    def _write_note(self) -> None:
        pid = os.getpid()
        draft = self.run / "keeper.json.new"
        draft.write_text(json.dumps({"pid": pid, "started_at": started_at(pid)}))
        draft.replace(self.note)

    def _start(self) -> None:
        process = subprocess.Popen(  # noqa: S603  what the platform wrote
            self.spec["argv"],
            env=self.spec["env"],
            cwd=self.spec["cwd"],
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        self.command = process.pid
        # From here on the reaping below sees to it.
        process.returncode = 0

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self.wake, 512):
                pass

    def _reap(self) -> bool:
        """Collect what has ended; say whether the command is among it."""
        over = False
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self.command:
                    over = True
                    print(f"[the command ended with status {os.waitstatus_to_exitcode(status)}]", flush=True)  # noqa: T201
        return over

    def _end(self) -> None:
        assert self.command is not None
        while True:
            if sys.platform != "linux":
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.command, signal.SIGKILL)
            kill_below(os.getpid())
            self._reap()
            if not self._has_children():
                return
            select.select([self.wake], [], [], 0.05)
            self._drain()

    def _has_children(self) -> bool:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True


def main(run: Path) -> None:
    """Leave a keeper for the folder ``run``, and return once it has written its note."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        os._exit(0 if os.read(reading, 1) else 1)
    os.close(reading)
    _Keeper(run).keep(writing)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
