"""Plugins that are dropped into a folder: each a folder whose name is the kind."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.loading import LIMIT, adapted, examined, find_class, within
from chatsubo.providers.namespaces import Namespace
from chatsubo.providers.sources import Disabled, Notice, Plugin, Source, Unusable, Way

_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = frozenset({"base", "exc", "labels"})
_OTHERS_WRITE = N_("{path} can be changed by others, and what is in it runs with the rights of the server")
_KEEP = N_("Let it belong to root or to the server's account, and run: chmod go-w {path}")


def dropped(folder: Path, limit: float = LIMIT) -> Iterator[Plugin | Disabled]:
    """Import the plugins below a folder, and yield each, or why it cannot be used.

    Args:
        folder: It need not exist. What begins with a dot or an underscore in it is left alone, and so are files.
        limit: Seconds that each import may take.
    """
    try:
        # A plugin's own paths, and those in its stack traces, should not depend on where the server was started.
        found = sorted(one for one in folder.resolve().iterdir() if one.is_dir() and one.name[0] not in "._")
    except FileNotFoundError:
        return
    except (OSError, RuntimeError) as error:  # the latter: links that lead to themselves
        said = getattr(error, "strerror", None) or str(error)
        reason = Text(N_("the folder of plugins cannot be read: {reason}"), {"reason": said})
        yield Disabled(folder.name, str(folder), reason, Way.FOLDER)
        return
    for one in found:
        try:
            provider = within(limit, lambda one=one: _imported(one), one)  # type: ignore[misc]
        except Unusable as error:
            yield Disabled(one.name, str(one), error.reason, Way.FOLDER)
        else:
            source = Source(Way.FOLDER, str(one), tuple(open_to_others(one)))
            yield Plugin(one.name, provider, source)


def _imported(folder: Path) -> type[BaseProvider]:
    kind = folder.name
    if not _KIND.fullmatch(kind) or kind in _RESERVED:
        raise Unusable(Text(N_("a plugin cannot be called {name}"), {"name": ascii(kind)}))
    if not (folder / "provider.py").is_file():
        raise Unusable(Text(N_("there is no provider.py in it")))
    module = Namespace(kind, folder).load("provider")
    return adapted(kind, examined(find_class(vars(module).values(), kind), kind))


def open_to_others(folder: Path) -> Iterator[Notice]:
    """Yield a notice for each path that lets others than root and ourselves change a plugin.

    Looked at are its files, and the folders that lead to it, or to what it is a link to: who can rename one of them
    can put another in its place.

    Args:
        folder: The plugin's folder, absolute.
    """
    files = sorted(one for one in folder.rglob("*") if "__pycache__" not in one.parts)
    leading = dict.fromkeys((*reversed(folder.parents), *reversed(folder.resolve().parents)))
    for path in (*leading, folder, *files):
        try:
            status = path.stat()
        except OSError:
            continue
        shared = status.st_mode & stat.S_ISVTX and path in leading
        writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not shared
        if writable or status.st_uid not in {0, os.geteuid()}:
            yield Notice(Text(_OTHERS_WRITE, {"path": str(path)}), Text(_KEEP, {"path": str(path)}))
