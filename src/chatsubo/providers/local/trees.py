"""Process trees from outside: whether one lives, and how it is ended."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chatsubo.providers.exc import BuildFailed, TimedOut
from chatsubo.providers.local.keeper import kill_below, started_at

MARK = "CHATSUBO_RUN"
"""The variable by which processes of a run are known that got away from its keeper."""

_KEEPER = Path(__file__).with_name("keeper.py")
_PATIENCE = 10.0
"""Seconds that the system may take to end a process. On a busy machine the keeper needs some to end its tree."""

_START_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Keeper:
    """The process that keeps a tree.

    Attributes:
        pid: Its number.
        started_at: When it was started; the number may be another's by now.
    """

    pid: int
    started_at: str

    @classmethod
    def of(cls, run: Path) -> "Keeper | None":
        """Return the keeper of the run in that folder, None if it never had one."""
        try:
            note = json.loads((run / "keeper.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return cls(note["pid"], note["started_at"])

    @property
    def alive(self) -> bool:
        """Whether it still runs, and its tree with it."""
        return started_at(self.pid) == self.started_at

    def end(self) -> None:
        """End the whole tree, and return when it is gone.

        Raises:
            TimedOut: The system does not let go of it.
        """
        if sys.platform == "linux":
            self._end_by_descriptor()
        else:
            self._end_by_number()

    def _end_by_descriptor(self) -> None:
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            # The descriptor holds the process; whether it is the right one must be seen after it was opened.
            if not self.alive:
                return
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
            if _ended(descriptor, _PATIENCE):
                return
            kill_below(self.pid)
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            if not _ended(descriptor, _PATIENCE):
                raise TimedOut(f"the processes below {self.pid} do not end")
        except ProcessLookupError:
            return
        finally:
            os.close(descriptor)

    def _end_by_number(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                if self.alive:
                    os.kill(self.pid, number)
            until = time.monotonic() + _PATIENCE
            while time.monotonic() < until:
                if not self.alive:
                    return
                time.sleep(0.02)
        raise TimedOut(f"the processes below {self.pid} do not end")


def plant(run: Path, log: Path) -> None:
    """Start the keeper of the run in that folder; return when its command is about to start.

    Raises:
        BuildFailed: It could not be started.
        OSError: As the operating system says.
    """
    # A box may well print its flags.
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
        try:
            done = subprocess.run(  # noqa: S603  our own command
                [sys.executable, "-I", "-S", str(_KEEPER), str(run)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
                timeout=_START_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TimedOut("the keeper does not start") from None
    if done.returncode != 0:
        raise BuildFailed("the keeper of the instance could not start; see its output")


def kill_strays(run_name: str) -> None:
    """Kill what got away from a keeper that was itself killed, as a box without bubblewrap might manage.

    They are stopped first, until no new one shows up: what is stopped cannot fork. Returns when they are gone.

    Raises:
        TimedOut: The system does not let go of one.
    """
    strays: set[int] = set()
    while new := _carriers(f"{MARK}={run_name}".encode()) - strays:
        for pid in new:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        strays |= new
    for pid in strays:
        with suppress(ProcessLookupError):
            _kill(pid)


def _carriers(mark: bytes) -> set[int]:
    """Return the processes that have the variable in their environment; none where the system has no /proc."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.add(int(process.name))
    return found


def _kill(pid: int) -> None:
    descriptor = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        if not _ended(descriptor, _PATIENCE):
            raise TimedOut(f"the process {pid} does not end")
    finally:
        os.close(descriptor)


def _ended(descriptor: int, seconds: float) -> bool:
    """Wait until the process of a pidfd has ended; say whether it has."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
