"""What local instances are made from: folders with a ``template.yml``."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from chatsubo.config import ByteSize
from chatsubo.config.builder import INVALID, Builder
from chatsubo.config.document import parse
from chatsubo.config.errors import Problem
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseTemplate
from chatsubo.providers.local.placeholders import SECRETS, filled, is_port_name, mistakes, port_value

FILE = "template.yml"
HOME = "home"
COVER = "cover.svg"

_MAX_BYTES = 256 * 1024
_GIVEN = frozenset({"chatsubo.realm", "chatsubo.address"})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = frozenset({"SESSION", "ADDRESS"})


class TemplateLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an instance of this template may use, where the provider's configuration does not suit it.

    Attributes:
        memory: Bytes of address space of each process.
        processes: Processes and threads at once.
    """

    memory: ByteSize | None = None
    processes: Annotated[int, Meta(ge=2)] | None = None


class TemplateFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a ``template.yml`` says.

    Attributes:
        command: The program and its arguments; ``{python}`` stands for the interpreter.
        ports: The ports it listens on, by the name of the service.
        ready: The ports that must answer before the instance is ready; all where nothing is said.
        labels: As a Dockerfile's.
        files: Texts to write into the home folder, by path.
        environment: Variables of the command, by name.
        limits: What it may use.
    """

    command: Annotated[tuple[str, ...], Meta(min_length=1)]
    ports: dict[str, Annotated[int, Meta(ge=1024, le=65535)]] = field(default_factory=dict)
    ready: tuple[str, ...] | None = None
    labels: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    limits: TemplateLimits = field(default_factory=TemplateLimits)


class LocalTemplate(BaseTemplate):
    """A template of a local provider.

    Attributes:
        folder: Its folder.
        spec: What its file says.
        cover: Its picture, if it has one.
    """

    def __init__(self, folder: Path, provider: str, spec: TemplateFile) -> None:
        self.folder = folder
        self.spec = spec
        self.cover = cover if (cover := folder / COVER).is_file() else None
        declared = {key.lower(): value for key, value in spec.labels.items()}.get("chatsubo.template", folder.name)
        warnings: tuple[Text, ...] = ()
        if declared != folder.name:
            said = {"label": declared, "folder": folder.name}
            warnings = (Text(N_("The label chatsubo.template says {label}; the folder's name {folder} counts."), said),)
        super().__init__(folder.name, provider, self.labels_with({}), dynamic=True, warnings=warnings)

    def labels_with(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the labels of an instance that was given ``values``; a value that is missing is empty."""
        labels = {key.lower(): filled(text, values) for key, text in self.spec.labels.items()}
        session = {"chatsubo.session": values["SESSION"]} if "SESSION" in values else {}
        return {**labels, "chatsubo.template": self.folder.name, **session}

    @property
    def awaited(self) -> tuple[str, ...]:
        """The names of the ports that must answer before an instance is ready."""
        return tuple(self.spec.ports) if self.spec.ready is None else self.spec.ready

    def to_json(self) -> dict[str, Any]:
        """Return the template as plain values, with its folder and ports."""
        return {**self._to_json(), "folder": str(self.folder), "ports": dict(self.spec.ports)}


def read_template(folder: Path, provider: str) -> tuple[LocalTemplate | None, list[Text]]:
    """Read one template.

    Args:
        folder: Its folder.
        provider: The provider's name.

    Returns:
        The template, or None where it cannot be used; and everything that is wrong with it.
    """
    text, problem = _text_of(folder / FILE)
    if problem:
        return None, [problem]
    root, problems = parse(text)
    builder = Builder(folder, {})
    spec = builder.model(TemplateFile, root, "")
    wrong = [_told(one) for one in (*problems, *builder.problems)]
    if spec is not INVALID:
        wrong += _mistakes(spec)
    if wrong:
        return None, wrong
    template = LocalTemplate(folder, provider, spec)
    return template, [_at(label.key, label.reason) for label in template.metadata.rejected]


def _text_of(path: Path) -> tuple[str, Text | None]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            return "", Text(N_("{file} is larger than {limit} KiB"), {"file": FILE, "limit": _MAX_BYTES // 1024})
        return path.read_text(encoding="utf-8"), None
    except FileNotFoundError:
        return "", Text(N_("there is no {file}"), {"file": FILE})
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        return "", Text(N_("{file} cannot be read: {reason}"), {"file": FILE, "reason": reason})


def _told(problem: Problem) -> Text:
    return Text(N_("{file}: {problem}"), {"file": FILE, "problem": problem.text})


def _at(path: str, reason: Text) -> Text:
    return Text(N_("{path}: {reason}"), {"path": path, "reason": reason})


def _mistakes(spec: TemplateFile) -> Iterator[Text]:
    public = _PLAIN | {port_value(name) for name in spec.ports}
    every = public | SECRETS
    for index, text in enumerate(spec.command):
        yield from (_at(f"command.{index}", wrong) for wrong in mistakes(text, public))
    for section, texts, known in (
        ("labels", spec.labels, _PLAIN | SECRETS),
        ("files", spec.files, every),
        ("environment", spec.environment, every),
    ):
        for key, text in texts.items():
            yield from (_at(f"{section}.{key}", wrong) for wrong in mistakes(text, known))
    yield from _misnamed(spec)
    yield from _mislabelled(spec)


def _misnamed(spec: TemplateFile) -> Iterator[Text]:
    for name in spec.ports:
        if not is_port_name(name):
            yield _at(f"ports.{name}", Text(N_("expected a name of lower-case letters, digits and underscores")))
    for name in spec.ready or ():
        if name not in spec.ports:
            yield _at("ready", Text(N_("there is no port {name}"), {"name": name}))
    for path in spec.files:
        if not _stays_inside(path):
            yield _at(f"files.{path}", Text(N_("expected a path below the home folder, without ..")))
    for name in spec.environment:
        if not _VARIABLE.fullmatch(name):
            yield _at(f"environment.{name}", Text(N_("expected the name of a variable")))


def _mislabelled(spec: TemplateFile) -> Iterator[Text]:
    for key in map(str.lower, spec.labels):
        if not key.startswith("chatsubo."):
            yield _at(f"labels.{key}", Text(N_("expected a label that begins with chatsubo.")))
        elif key in _GIVEN:
            yield _at(f"labels.{key}", Text(N_("the platform sets this one")))


def _stays_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool(pure.parts) and not pure.is_absolute() and ".." not in pure.parts and "\0" not in path
