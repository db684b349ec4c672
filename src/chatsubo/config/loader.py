"""Reads the configuration file and the environment into a :class:`Config`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, field

from chatsubo.config.builder import INVALID, Builder
from chatsubo.config.document import MAX_CHARACTERS, Node, parse
from chatsubo.config.environment import overlay
from chatsubo.config.errors import ConfigError, Problem
from chatsubo.config.models import Config, Database, Gate, Logging, ProviderConfig, Server
from chatsubo.config.providers import SECTION, build_providers
from chatsubo.config.review import review
from chatsubo.config.secrets import Secret
from chatsubo.config.wording import found_kind
from chatsubo.domain.text import N_, Text

_SQLITE = "sqlite:///"
_DEFAULT_PLUGINS = "plugins"
_DEFAULT_MEDIA = "media"

Loaded = TypeVar("Loaded", bound=Struct)


class _Sections(Struct, frozen=True, kw_only=True):
    """Everything in the file but the providers, whose models depend on their kind."""

    vpns: tuple[Gate, ...] = ()
    server: Server = field(default_factory=Server)
    database: Database = field(default_factory=Database)
    plugins: str = _DEFAULT_PLUGINS
    media: str = _DEFAULT_MEDIA
    logging: Logging = field(default_factory=Logging)


def load(
    path: str | Path,
    kinds: Mapping[str, type[ProviderConfig]],
    *,
    hints: Mapping[str, str] | None = None,
    disabled: Mapping[str, Text] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Read and check a configuration.

    Args:
        path: The YAML file.
        kinds: The model of each installed kind of provider.
        hints: For kinds that are known but not installed, the extra of ``chatsubo`` that brings them.
        disabled: Why each kind is disabled whose plugin is there but cannot be used.
        environ: The environment; the process's own where it is not given.

    Raises:
        ConfigError: The configuration cannot be used; it holds all the mistakes.
    """
    environ = os.environ if environ is None else environ
    file = Path(path).absolute()
    root, problems = _read(file, environ)
    builder = Builder(file.parent, environ)
    builder.problems += problems
    sections = _sections(builder, root)
    providers, put_aside = build_providers(builder, root, kinds, hints or {}, disabled or {})
    if builder.problems or sections is INVALID:
        raise ConfigError(str(path), sorted(builder.problems, key=_place))
    return Config(
        providers=providers,
        disabled=put_aside,
        vpns=sections.vpns,
        server=sections.server,
        database=_located(sections.database, file.parent),
        plugins=file.parent / sections.plugins,
        media=file.parent / sections.media,
        logging=sections.logging,
        warnings=(*builder.warnings, *review(providers, put_aside, sections.vpns, sections.server)),
        source=file,
    )


def load_model(path: str | Path, model: type[Loaded], environ: Mapping[str, str]) -> Loaded:
    """Read and check a file that is one model, such as a gate's.

    Args:
        path: The YAML file.
        model: What it has to be.
        environ: The environment.

    Raises:
        ConfigError: The file cannot be used; it holds all the mistakes.
    """
    file = Path(path).absolute()
    root, problems = _read(file, environ)
    builder = Builder(file.parent, environ)
    builder.problems += problems
    built: Loaded = builder.model(model, root, "")
    if builder.problems:
        raise ConfigError(str(path), sorted(builder.problems, key=_place))
    return built


def locate_plugins(path: str | Path, environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of drop-in plugins, which must be looked at before the file can be checked.

    Args:
        path: The YAML file. Where it cannot be read, the answer is the default; :func:`load` will say why.
        environ: The environment; the process's own where it is not given.
    """
    file = Path(path).absolute()
    try:
        root, _ = _read(file, os.environ if environ is None else environ)
    except ConfigError:
        return file.parent / _DEFAULT_PLUGINS
    node = root.value.get("plugins") if isinstance(root.value, dict) else None
    return file.parent / (node.value if node and isinstance(node.value, str) else _DEFAULT_PLUGINS)


def _read(file: Path, environ: Mapping[str, str]) -> tuple[Node, list[Problem]]:
    """Return the tree with the environment laid over it, and what is wrong but leaves a tree to check."""
    text = _text(file)
    root, problems = parse(text)
    if any(not problem.path for problem in problems):
        raise ConfigError(str(file), problems)
    if not isinstance(root.value, dict):
        found = Text(N_("an empty file")) if root.value is None else found_kind(root)
        expected = Text(N_("keys such as providers, vpns and server"))
        raise ConfigError(str(file), [Problem("", expected, found, line=root.line)])
    return root, problems + overlay(root, environ)


def _text(file: Path) -> str:
    """Return the text of ``file``.

    Raises:
        ConfigError: It cannot be read, is far too large, or is not UTF-8.
    """
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        found = Text(N_("no such file")) if missing else Text(N_("one that cannot be opened"))
        raise ConfigError(str(file), [Problem("", Text(N_("a configuration file")), found)]) from None
    if len(raw) > MAX_CHARACTERS:
        problem = Problem("", Text(N_("a file of at most 1 MB")), Text(N_("a larger one")))
        raise ConfigError(str(file), [problem])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = Problem("", Text(N_("text in UTF-8")), Text(N_("another encoding")), line=line)
        raise ConfigError(str(file), [problem]) from None


def _sections(builder: Builder, root: Node) -> Any:
    """Build everything but the providers; INVALID where that fails."""
    assert isinstance(root.value, dict)
    known = _Sections.__struct_fields__
    builder.unknown_keys(root, (SECTION, *known), "")
    return builder.model(_Sections, Node({key: root.value[key] for key in known if key in root.value}), "")


def _located(database: Database, folder: Path) -> Database:
    """Return ``database`` with the path of a SQLite file made absolute."""
    url = database.url.reveal()
    if database.engine != "sqlite":
        return database
    return Database(url=Secret(f"{_SQLITE}{folder / url.removeprefix(_SQLITE)}"))


def _place(problem: Problem) -> tuple[bool, int]:
    return problem.line is None, problem.line or 0
