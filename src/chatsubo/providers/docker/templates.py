"""The folder of templates: what is in it, read again only where it changed."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from chatsubo.domain.labels import ours
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Listing, Rejected
from chatsubo.providers.docker import context
from chatsubo.providers.docker.dockerfile import DockerfileError, parse
from chatsubo.providers.docker.options import Delivery, read_options
from chatsubo.providers.docker.slots import mentioned, with_placeholders
from chatsubo.providers.docker.stages import examine
from chatsubo.providers.docker.template import DockerTemplate, Recipe
from chatsubo.providers.exc import Misconfigured, TemplateNotFound

READY_IMAGE = ("image.yml", "image.yaml")
MAX_TEMPLATES = 2000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,99}")


class Unusable(Exception):
    """A template cannot be used.

    Attributes:
        reason: Why, for organisers.
    """

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Templates:
    """The templates below one folder. Its methods read the disk and block: call them in a thread.

    Args:
        root: The folder whose folders are templates.
        provider: The provider's name, for the templates.
    """

    def __init__(self, root: Path, provider: str) -> None:
        self.root = root
        self.provider = provider
        self._seen: dict[str, tuple[object, DockerTemplate | Unusable]] = {}

    def listing(self) -> Listing[DockerTemplate]:
        """Return the templates, and the folders that are none with the reason.

        Raises:
            Misconfigured: The root cannot be read.
        """
        try:
            folders = sorted(one for one in self.root.iterdir() if one.is_dir() and not one.name.startswith("."))
        except OSError as error:
            raise Misconfigured(f"dockerfiles_root {self.root} cannot be read: {error.strerror}") from None
        items: list[DockerTemplate] = []
        rejected: list[Rejected] = []
        for folder in folders[:MAX_TEMPLATES]:
            if _described(folder) is None:
                continue
            try:
                items.append(self._read(folder))
            except Unusable as error:
                rejected.append(Rejected(folder.name, error.reason))
        return Listing(items, rejected)

    def find(self, name: str) -> DockerTemplate:
        """Return the template of that name, as it is on the disk now.

        Raises:
            TemplateNotFound: There is none, or it cannot be used.
        """
        folder = self.root / name
        if not _NAME.fullmatch(name) or _described(folder) is None:
            raise TemplateNotFound(f"there is no template {name!r} in {self.root}")
        try:
            return self._read(folder)
        except Unusable as error:
            raise TemplateNotFound(f"the template {name!r} cannot be used: {error.reason}") from None

    def _read(self, folder: Path) -> DockerTemplate:
        try:
            found = context.entries(folder)
            signature = context.signature(found)
            seen = self._seen.get(folder.name)
            if seen is None or seen[0] != signature:
                seen = signature, self._examine(folder, found)
                self._seen[folder.name] = seen
        except OSError as error:
            raise Unusable(Text(N_("it cannot be read: {error}"), {"error": error.strerror or ""})) from None
        if isinstance(seen[1], Unusable):
            raise seen[1]
        return seen[1]

    def _examine(self, folder: Path, found: tuple[context.Entry, ...]) -> DockerTemplate | Unusable:
        if not _NAME.fullmatch(folder.name):
            return Unusable(
                Text(N_("the folder's name may hold letters, digits, spaces, hyphens, dots and underscores"))
            )
        try:
            if (folder / context.DOCKERFILE).is_file():
                return self._from_dockerfile(folder, context.read(found))
            return self._from_image(folder)
        except DockerfileError as error:
            return Unusable(error.text)
        except Unusable as error:
            return error

    def _from_dockerfile(self, folder: Path, read: context.Context) -> DockerTemplate:
        path = folder / context.DOCKERFILE
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            raise Unusable(Text(N_("the Dockerfile is not UTF-8 text"))) from None
        dockerfile = parse(text)
        usage = examine(dockerfile, read.mentions)
        labels = ours(usage.labels)
        delivery = read_options(labels).delivery
        if "chatsubo.session" not in labels:
            raise Unusable(Text(N_('the Dockerfile exposes no session: add LABEL chatsubo.session="$SESSION"')))
        _refuse_classic(labels)
        warnings: tuple[Text, ...] = ()
        if delivery is Delivery.BUILD:
            usage = examine(dockerfile, bake_all=True)
        elif delivery is not Delivery.AUTO and usage.baked:
            names = ", ".join(sorted(usage.baked))
            warnings = (Text(N_("chatsubo.secrets={how}, but the build uses {names}"), _how(delivery, names)),)
            usage = replace(usage, baked=frozenset(), secret_from=0, work_before=False)
        recipe = Recipe(folder=folder, dockerfile=text, context=read, usage=usage)
        return DockerTemplate(
            folder.name, self.provider, labels, str(path), dynamic=True, recipe=recipe, warnings=warnings
        )

    def _from_image(self, folder: Path) -> DockerTemplate:
        path = next(folder / name for name in READY_IMAGE if (folder / name).is_file())
        try:
            raw = yaml.safe_load(path.read_text())
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            raise Unusable(Text(N_("{file} is not valid YAML"), {"file": path.name})) from None
        image, labels, environment = _ready_image(raw, path.name)
        _refuse_classic(ours(labels))
        delivery = read_options(ours(labels)).delivery
        if delivery is Delivery.BUILD:
            raise Unusable(Text(N_("a ready image is not built: chatsubo.secrets cannot be build")))
        slots = mentioned([*labels.values(), *environment.values()])
        recipe = Recipe(folder=folder, image=image, labels=labels, environment=environment, slots=slots)
        return DockerTemplate(folder.name, self.provider, labels, dynamic=True, recipe=recipe)


def _described(folder: Path) -> Path | None:
    for name in (context.DOCKERFILE, *READY_IMAGE):
        if (folder / name).is_file():
            return folder / name
    return None


def _refuse_classic(labels: Mapping[str, str]) -> None:
    if labels.get("chatsubo.dynamic", "").strip().lower() == "false":
        raise Unusable(Text(N_("chatsubo.dynamic=false marks a container that the platform does not start")))


def _how(delivery: Delivery, names: str) -> dict[str, str]:
    return {"how": delivery.value, "names": names}


def _ready_image(raw: Any, file: str) -> tuple[str, dict[str, str], dict[str, str]]:
    if not isinstance(raw, dict) or not isinstance(raw.get("image"), str) or not raw["image"].strip():
        raise Unusable(Text(N_("{file} names no image: expected a line image: NAME"), {"file": file}))
    if unknown := sorted(str(key) for key in raw if key not in ("image", "labels", "env")):
        raise Unusable(Text(N_("{file} has unknown keys: {keys}"), {"file": file, "keys": ", ".join(unknown)}))
    texts = []
    for key in ("labels", "env"):
        section = raw.get(key) or {}
        plain = isinstance(section, dict) and all(isinstance(one, str | int | float | None) for one in section.values())
        if not plain:
            raise Unusable(Text(N_("{file}: expected names and values below {key}"), {"file": file, "key": key}))
        texts.append({str(name): with_placeholders(_plain(value)) for name, value in section.items()})
    return raw["image"].strip(), texts[0], texts[1]


def _plain(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
