"""Templates of containers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatsubo.domain.labels import ours
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import BaseTemplate
from chatsubo.providers.docker.context import Context
from chatsubo.providers.docker.options import Delivery, Options, SecretFile, read_options
from chatsubo.providers.docker.slots import without_placeholders
from chatsubo.providers.docker.stages import Usage


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a template's image comes to be.

    Attributes:
        folder: The folder that describes it.
        dockerfile: The text of its Dockerfile; empty where a ready image is named.
        context: The folder's files, for a build; None for a ready image.
        usage: What the Dockerfile does with values; None for a ready image.
        image: The ready image.
        labels: For a ready image, the labels that its containers get, with placeholders.
        environment: Likewise.
        slots: For a ready image, the values that it gets.
    """

    folder: Path
    dockerfile: str = ""
    context: Context | None = None
    usage: Usage | None = None
    image: str = ""
    labels: Mapping[str, str] | None = None
    environment: Mapping[str, str] | None = None
    slots: frozenset[str] = frozenset()

    @property
    def declared(self) -> frozenset[str]:
        """The values that it asks for."""
        return self.usage.declared if self.usage else self.slots

    @property
    def baked(self) -> frozenset[str]:
        """The values that are part of the image, which then is one session's own."""
        return self.usage.baked if self.usage else frozenset()


class DockerTemplate(BaseTemplate):
    """What a container is made from: a folder with a Dockerfile or the name of a ready image, or a classic container.

    Attributes:
        dockerfile: The path of its Dockerfile; empty where there is none.
        recipe: How its image comes to be; None for a classic container.
        options: What its labels ask of the engine.
    """

    def __init__(
        self,
        name: str,
        provider: Any,
        labels: Mapping[str, str] | None = None,
        dockerfile: str = "",
        dynamic: bool = False,
        *,
        recipe: Recipe | None = None,
        warnings: tuple[Text, ...] = (),
    ) -> None:
        shown = {key: without_placeholders(value) for key, value in ours(labels or {}).items()}
        self.dockerfile = dockerfile
        self.recipe = recipe
        self.options: Options = read_options(shown) if dynamic else Options()
        super().__init__(name, provider, shown, dynamic, (*warnings, *self.options.warnings, *_differs(name, shown)))

    @property
    def slots(self) -> frozenset[str]:
        """The values that its containers are given, however."""
        declared = self.recipe.declared if self.recipe else frozenset()
        return declared | {file.slot for file in self.options.files}

    def environment_slots(self) -> frozenset[str]:
        """Return the values that its containers get in their environment under their own names."""
        if self.recipe is None or self.options.delivery is Delivery.BUILD:
            return frozenset()
        if self.options.delivery is Delivery.ENVIRONMENT:
            return self.recipe.declared
        usage = self.recipe.usage
        return usage.at_run_time if usage and self.options.delivery is Delivery.AUTO else frozenset()

    def files(self, folder: str) -> tuple[SecretFile, ...]:
        """Return the files that its containers get, those in ``folder`` where it asks for all values as files."""
        asked = self.options.files
        if self.recipe is None or self.options.delivery is not Delivery.FILES:
            return asked
        own = {file.slot for file in asked}
        return (*asked, *(SecretFile(slot, f"{folder}/{slot}") for slot in sorted(self.recipe.declared - own)))

    def to_json(self) -> dict[str, Any]:
        """Return the template as plain values; flags and passwords are in it."""
        data = self._to_json()
        data.update({"dockerfile": self.dockerfile})
        return data


def _differs(name: str, labels: Mapping[str, str]) -> tuple[Text, ...]:
    told = labels.get("chatsubo.template", "")
    if not told or told == name:
        return ()
    return (Text(N_("the label chatsubo.template says {label}; the name is the folder's"), {"label": told}),)
