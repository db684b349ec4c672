"""Processes that got away from their keeper."""

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import NoReturn

import pytest

from chatsubo.providers.local.keeper import descendants
from chatsubo.providers.local.trees import MARK, kill_strays

ALL_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT


def test_what_got_away_is_gone_when_it_was_killed() -> None:
    run = f"run.{uuid.uuid4().hex}"
    # It takes the system a while to give so much memory back.
    script = "import time; memory = b'x' * (192 << 20); print('here', flush=True); time.sleep(60)"
    command = [sys.executable, "-S", "-c", script]
    strays = [subprocess.Popen(command, env={MARK: run}, stdout=subprocess.PIPE) for _ in range(2)]
    other = subprocess.Popen(["sleep", "60"], env={MARK: f"{run}0"})
    for stray in strays:
        assert stray.stdout
        with stray.stdout as told:
            assert told.readline() == b"here\n"

    kill_strays(run)

    assert all(os.waitid(os.P_PID, one.pid, ALL_ENDED) for one in strays)
    assert os.waitid(os.P_PID, other.pid, ALL_ENDED) is None
    other.kill()
    for process in (*strays, other):
        process.wait()


def test_processes_that_end_while_they_are_looked_at_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(path: Path, *_: object, **__: object) -> NoReturn:
        raise ProcessLookupError(f"No such process: {path}")

    stat = Path.stat

    def stat_above(path: Path, **options: bool) -> os.stat_result:
        return ended(path) if path.parts[3:] else stat(path, **options)

    monkeypatch.setattr(Path, "stat", stat_above)
    monkeypatch.setattr(Path, "open", ended)

    kill_strays(f"run.{uuid.uuid4().hex}")
    assert descendants(os.getpid()) == set()
