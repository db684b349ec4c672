"""What boxes are made from: images."""

from collections.abc import Mapping
from string import Template

from chatsubo.providers.base import BaseTemplate
from chatsubo.providers.labels import read_metadata

from .hypervisor import Image


class PodmanTemplate(BaseTemplate):
    """An image: its labels may hold ``$FLAG0``, ``$RNG0`` and their like, which each start fills in.

    Attributes:
        image: The image's id.
        source: Its labels, as they are.
    """

    def __init__(self, provider: str, image: Image) -> None:
        self.image = image.id
        self.source = image.labels or {}
        called = (image.names or [image.id])[0].rpartition("/")[2].partition(":")[0]
        super().__init__(read_metadata(self.source).template or called, provider, self.filled({}), dynamic=True)

    def asked(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return those of the values that the labels name."""
        named = {name for text in self.source.values() for name in Template(text).get_identifiers()}
        return {name: value for name, value in values.items() if name in named}

    def filled(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the labels of a container that is given ``values``; a value that is missing is empty."""
        found = {}
        for key, text in self.source.items():
            known = {name: values.get(name, "") for name in Template(text).get_identifiers()}
            found[key] = Template(text).safe_substitute(known)
        return found
