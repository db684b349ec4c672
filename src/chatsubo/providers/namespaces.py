"""The names that a dropped plugin's code lives among: its own folder, and the founding document's ``app.providers``.

Each plugin is a package of its own, :data:`PACKAGE` and its kind, so the ``instance.py`` of one never meets that of
another. Where its code imports ``app.providers``, its own ``import`` answers; there is no module called ``app`` for
anybody else, and one that is installed is neither seen nor hidden.
"""

import builtins
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import structlog

PACKAGE = "chatsubo_plugins"
"""What the packages of dropped plugins are below."""

APP = "app"
PROVIDERS = "app.providers"
GIVEN = {
    f"{PROVIDERS}.base": "chatsubo.providers.seedstyle.base",
    f"{PROVIDERS}.exc": "chatsubo.providers.exc",
    f"{PROVIDERS}.labels": "chatsubo.providers.seedstyle.labels",
}
"""What the founding document's names stand for."""

log = structlog.get_logger(__name__)


class Namespace:
    """What one plugin's code sees.

    Args:
        kind: The plugin's kind.
        folder: Its folder.

    Attributes:
        package: The name of its package in :data:`sys.modules`.
        builtins: The built-in names of its modules: Python's own, but for the two that are made here.
    """

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.package = _FINDER.add(self)
        self.builtins: dict[str, Any] = {**vars(builtins), "__import__": self._import, "print": self._print}
        self._given = {**GIVEN, f"{PROVIDERS}.{kind.replace('-', '_')}": self.package}
        self._app, self._providers = ModuleType(APP), ModuleType(PROVIDERS)
        self._app.__dict__["providers"] = self._providers

    def load(self, module: str) -> ModuleType:
        """Import a module of the plugin, and return it.

        Args:
            module: Its name within the plugin's package; empty for the package itself.

        Raises:
            BaseException: Whatever its code raises.
        """
        return importlib.import_module(f"{self.package}.{module}" if module else self.package)

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002  the names are Python's own
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import as ``import`` does, with ``app.providers`` among the names."""
        if level or name.partition(".")[0] != APP:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        module = self._app_module(name)
        if not fromlist:
            return self._app
        if module not in {self._app, self._providers}:
            # Python sees to the names of fromlist that are modules themselves.
            return builtins.__import__(module.__name__, None, None, fromlist, 0)
        for wanted in fromlist:
            if not hasattr(module, wanted):
                self._app_module(f"{name}.{wanted}")
        return module

    def _app_module(self, name: str) -> ModuleType:
        if name in {APP, PROVIDERS}:
            return self._app if name == APP else self._providers
        parts = name.split(".")
        base = ".".join(parts[:3])
        if base not in self._given:
            given = ", ".join(sorted(self._given))
            raise ModuleNotFoundError(f"No module named {name!r}; what a plugin is given is {given}", name=name)
        module = importlib.import_module(self._given[base])
        setattr(self._providers, parts[2], module)
        return importlib.import_module(".".join([self._given[base], *parts[3:]])) if parts[3:] else module

    def _print(self, *values: object, sep: str | None = None, file: Any = None, **options: Any) -> None:
        """Write to the log: what a command prints is for whoever typed it, and may be read by a program."""
        if file is not None:
            builtins.print(*values, sep=sep, file=file, **options)
        else:
            said = (" " if sep is None else sep).join(str(value) for value in values)
            log.info("plugin.said", kind=self.kind, output=said)


class _Source(SourceFileLoader):
    """Loads a module of a plugin. Nothing is written beside it, and nothing old is read from there."""

    def __init__(self, fullname: str, path: str, namespace: Namespace) -> None:
        super().__init__(fullname, path)
        self._namespace = namespace

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source. Its style is its author's business, so Python's warnings about it are not heard."""
        path = self.get_filename(fullname)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code: CodeType = self.source_to_code(self.get_data(path), path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Run the module with the built-in names of its plugin."""
        module.__dict__["__builtins__"] = self._namespace.builtins
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the modules below :data:`PACKAGE`, and no others."""

    def __init__(self) -> None:
        self._namespaces: dict[str, Namespace] = {}

    def add(self, namespace: Namespace) -> str:
        """Return the name of a plugin's package. One that is loaded again has a new name: its first import may hang."""
        name, number = namespace.kind, 1
        while name in self._namespaces:
            number += 1
            name = f"{namespace.kind}-{number}"
        self._namespaces[name] = namespace
        return f"{PACKAGE}.{name}"

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Find a module of a plugin."""
        top, _, rest = fullname.partition(".")
        if top != PACKAGE:
            return None
        name, _, inner = rest.partition(".")
        namespace = self._namespaces.get(name)
        if not rest:
            return _package(PACKAGE)
        if namespace is None:
            return None
        if inner:
            return _within(namespace, fullname, path or ())
        main = namespace.folder / "__init__.py"
        if not main.is_file():
            return _package(fullname, namespace.folder)
        return importlib.util.spec_from_file_location(
            fullname,
            main,
            loader=_Source(fullname, str(main), namespace),
            submodule_search_locations=[str(namespace.folder)],
        )


def _package(name: str, *folders: Path) -> ModuleSpec:
    """Return a package without code of its own."""
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder) for folder in folders]
    return spec


def _within(namespace: Namespace, fullname: str, path: Sequence[str]) -> ModuleSpec | None:
    def source(name: str, file: str) -> _Source:
        return _Source(name, file, namespace)

    for folder in path:
        finder = FileFinder(folder, (ExtensionFileLoader, EXTENSION_SUFFIXES), (source, SOURCE_SUFFIXES))  # type: ignore[arg-type]
        spec = finder.find_spec(fullname)
        if spec is not None:
            return spec
    return None


_FINDER = _Finder()
# First, since Python's own finder would take the files of a plugin's folder for those of any package.
sys.meta_path.insert(0, _FINDER)
