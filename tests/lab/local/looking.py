"""Looks at what local instances are and leave, with other eyes than the provider's."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from chatsubo.providers.base import BaseInstance, BaseProvider, StartOrder
from chatsubo.providers.exc import ProviderError
from chatsubo.testing import Recorder, make_order


def make_template(root: Path, name: str, text: str, home: dict[str, str] | None = None) -> Path:
    """Write a template, and return its folder."""
    folder = root / name
    (folder / "home").mkdir(parents=True)
    (folder / "template.yml").write_text(text)
    for path, content in (home or {}).items():
        (folder / "home" / path).write_text(content)
    return folder


def processes_below(folder: Path, word: str = "") -> list[str]:
    """Return the processes that have to do with a folder of instances, found without the provider's own records.

    Args:
        folder: The folder; its name is a unique one.
        word: Only those that carry this word too, such as a session.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            # A process in a namespace of its own shows where it came from in its mounts.
            seen = [
                (process / name).read_bytes().decode(errors="replace") for name in ("cmdline", "environ", "mountinfo")
            ]
            seen += [str((process / "cwd").readlink())]
        except OSError:
            continue
        text = "\n".join(seen)
        if int(process.name) != os.getpid() and folder.name in text and word in text:
            found.append(f"{process.name} {seen[0]}")
    return found


def command_lines() -> list[str]:
    """Return what everybody on this machine sees of everybody's command lines."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            lines.append((process / "cmdline").read_bytes().decode(errors="replace"))
    return lines


def files_below(folder: Path) -> list[str]:
    """Return the files that instances have left."""
    return [str(path) for path in folder.rglob("*") if stat.S_ISREG(path.lstat().st_mode) and path.name != ".records"]


def ask(instance: BaseInstance, command: str) -> str:
    """Run a command in the shell of a ``hello`` instance, and return what it says."""
    [endpoint] = instance.endpoints
    with socket.create_connection((endpoint.host, endpoint.port), timeout=120) as connection:
        connection.sendall(command.encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\0"):
            part = connection.recv(65536)
            assert part, "the instance hung up"
            answer += part
    return answer[:-1].decode()


async def start(provider: BaseProvider, order: StartOrder, template: str = "hello") -> BaseInstance:
    """Start a template for the session of ``order``."""
    return await provider.start_dynamic_instance("wz01", template, order.id, order)


async def fails(provider: BaseProvider, template: str, error: type[ProviderError]) -> Recorder:
    """Start a template that fails, and return what was told meanwhile."""
    recorder = Recorder()
    with pytest.raises(error):
        await start(provider, make_order(progress=recorder), template)
    return recorder
