"""The lives of instances: a folder and a process tree each.

A run is ended by moving its folder away first. A keeper that has not written its note by then never will, and starts
nothing; one that has, is found through it. So nothing slips through, whoever is killed at whatever point.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Rejected
from chatsubo.providers.exc import BuildFailed, TimedOut
from chatsubo.providers.local.placeholders import filled
from chatsubo.providers.local.records import Record
from chatsubo.providers.local.sandbox import Sandbox
from chatsubo.providers.local.template import HOME, LocalTemplate
from chatsubo.providers.local.trees import MARK, Keeper, kill_strays, plant

_MAX_LOG = 64 * 1024
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Budget:
    """What the processes of a run may use.

    Attributes:
        limits: By the names of :mod:`resource`, without ``RLIMIT_``.
        nice: How far they stand back for others.
    """

    limits: Mapping[str, int]
    nice: int


class Runs:
    """The runs of a provider.

    Args:
        folder: The folder to keep them in; :meth:`open` makes it.
    """

    def __init__(self, folder: Path) -> None:
        self.data = folder
        self.folder = folder / "runs"
        self.trash = folder / "trash"

    def open(self) -> None:
        """Make the folders. Accounts of instances may pass through, and look at nothing."""
        for folder, mode in ((self.data, 0o711), (self.folder, 0o711), (self.trash, 0o700)):
            folder.mkdir(mode=mode, parents=True, exist_ok=True)

    def path(self, record: Record) -> Path:
        """Return the folder of the record's run."""
        return self.folder / _name(record.session, record.run)

    def build(self, record: Record, template: LocalTemplate, values: Mapping[str, str], sandbox: Sandbox) -> None:
        """Make the folder of the record's run: the template's home, and the files with the values.

        Raises:
            BuildFailed: The template's folder cannot be copied.
            OSError: As the operating system says.
        """
        run = self.path(record)
        run.mkdir(mode=0o711)
        home = run / "home"
        try:
            if (source := template.folder / HOME).is_dir():
                shutil.copytree(source, home, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                home.mkdir()
            home.chmod(0o700)
            for path, text in template.spec.files.items():
                target = home / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(filled(text, values))
        except shutil.Error as error:
            raise BuildFailed("; ".join(str(reason) for *_, reason in error.args[0])) from None
        sandbox.prepare(run, record.slot)

    def start(
        self, record: Record, template: LocalTemplate, values: Mapping[str, str], sandbox: Sandbox, budget: Budget
    ) -> None:
        """Start the processes of a run that was built.

        Raises:
            BuildFailed: They cannot be started.
            OSError: As the operating system says.
        """
        run = self.path(record)
        command = [filled(part, values).replace("{python}", sandbox.python) for part in template.spec.command]
        environment = {
            "PATH": os.defpath,
            "HOME": sandbox.home(run),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            # Each arena of the C library takes 64 MiB of address space, which is what is limited.
            "MALLOC_ARENA_MAX": "2",
            **{name: filled(text, values) for name, text in template.spec.environment.items()},
            MARK: run.name,
        }
        argv = sandbox.argv(command, run, record.slot, budget.limits, budget.nice)
        _write_private(run / "spec.json", {"argv": argv, "env": environment, "cwd": str(run / "home")})
        plant(run, self._log(run))

    def alive(self, record: Record) -> bool:
        """Say whether the processes of the record's run live."""
        keeper = Keeper.of(self.path(record))
        return keeper is not None and keeper.alive

    def output(self, record: Record) -> str:
        """Return the end of what the run's command has written; empty when the run is gone."""
        try:
            with self._log(self.path(record)).open("rb") as log:
                start = log.seek(max(0, log.seek(0, os.SEEK_END) - _MAX_LOG))
                text = log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        # Half a value that nobody would recognise may be where it was cut.
        return text.partition("\n")[2] if start else text

    def end(self, session: str, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """End the runs of ``session`` and remove all that is left of them.

        Args:
            session: Whose.
            wanted: Says of a run's name whether it is one of those to end.

        Raises:
            TimedOut: Processes do not end.
        """
        for run in list(self.folder.glob(_name(session, "*"))):
            if wanted(run.name.partition(".")[2]):
                self._move_away(run)
        for run in list(self.trash.glob(_name(session, "*"))):
            _destroy(run)

    def sweep(self, known: Callable[[str, str], bool]) -> list[Rejected]:
        """End the runs that nobody knows, left behind by a platform that was killed.

        Args:
            known: Says of a session and a run's name whether a record tells of it.

        Returns:
            Those that cannot be removed just now, for organisers to see; the next sweep tries again.
        """
        for run in self._all(self.folder):
            session, _, name = run.name.partition(".")
            if not known(session, name):
                self._move_away(run)
        stuck = []
        for run in self._all(self.trash):
            try:
                _destroy(run)
            except (OSError, TimedOut) as error:
                said = {"reason": str(error)}
                stuck.append(Rejected(run.name, Text(N_("what is left of it cannot be removed: {reason}"), said)))
        return stuck

    def _move_away(self, run: Path) -> None:
        with suppress(FileNotFoundError):
            run.rename(self.trash / run.name)

    @staticmethod
    def _all(folder: Path) -> Iterator[Path]:
        yield from list(folder.iterdir())

    @staticmethod
    def _log(run: Path) -> Path:
        return run / "log"


def _name(session: str, run: str) -> str:
    return f"{session}.{run}"


def _write_private(path: Path, content: Any) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(content))


def _destroy(run: Path) -> None:
    """End the processes of a run whose folder was moved away, then remove that."""
    if keeper := Keeper.of(run):
        keeper.end()
    kill_strays(run.name)
    _remove(run)


def _remove(folder: Path) -> None:
    """Remove ``folder``, though a box took the rights from its own files, or somebody else is removing it too."""
    for _ in range(_TRIES):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            if not folder.exists():
                return
        except PermissionError:
            _unlock(folder)
        else:
            return
    shutil.rmtree(folder)


def _unlock(folder: Path) -> None:
    with suppress(OSError):
        folder.chmod(0o700)
    for path, folders, _ in os.walk(folder):
        for name in folders:
            if not (inner := Path(path, name)).is_symlink():
                with suppress(OSError):
                    inner.chmod(0o700)
