"""Configurations of plugins without a model: everything as it was written, references to secrets followed."""

import re
from collections.abc import Mapping
from typing import Any

from chatsubo.config.builder import INVALID, Builder
from chatsubo.config.document import Node, join
from chatsubo.config.errors import InvalidValue
from chatsubo.config.models import ProviderConfig
from chatsubo.config.references import is_reference, secret_text
from chatsubo.config.secrets import Secret

REALMS = "realms"
PLAIN = frozenset({
    "host", "port", "user", "username", "name", "realm", "realms", "node", "nodes", "pool", "storage", "network",
    "scheme", "region", "zone", "cert", "ca", "verify_ssl", "timeout", "memory", "dockerfiles_root", "docker_network",
    "flag_prefix", "sep",
})  # fmt: skip
"""Keys whose values are no secrets, whoever wrote the plugin. What is below any other key is taken for one."""
_CERTAIN = re.compile(r"pass|pwd|secret|token|key|credential|auth", re.IGNORECASE)


class RawConfig(ProviderConfig, frozen=True, kw_only=True):
    """The configuration of a plugin without a model. It holds secrets as plain text, so it does not show itself.

    Attributes:
        raw: Dictionaries, lists and plain values, the realms among them.
        secrets: Those of its values that may be secret.
        certain: Those that are: references, and what is below keys that say so.
    """

    raw: Mapping[str, Any]
    secrets: tuple[Secret, ...] = ()
    certain: tuple[Secret, ...] = ()

    def __repr__(self) -> str:
        return f"RawConfig({Secret.MASK})"

    __str__ = __repr__

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show as little where Rich prints it, which asks no ``__repr__``."""
        return [("raw", Secret.MASK)]


def build_raw(builder: Builder, node: Node, path: str) -> Any:
    """Return the :class:`RawConfig` of what is written at ``path``; INVALID where that fails."""
    if not isinstance(node.value, dict):
        return builder.model(ProviderConfig, node, path)
    realms = Node({key: child for key, child in node.value.items() if key == REALMS}, line=node.line)
    model = builder.model(ProviderConfig, realms, path)
    before = len(builder.problems)
    reader = _Reader(builder)
    raw = reader.plain(node, path)
    if model is INVALID or len(builder.problems) > before:
        return INVALID
    return RawConfig(realms=model.realms, raw=raw, secrets=tuple(reader.secrets), certain=tuple(reader.certain))


class _Reader:
    """Turns nodes into plain values, and notes those that are secrets or may be."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.secrets: list[Secret] = []
        self.certain: list[Secret] = []

    def plain(self, node: Node, path: str, *, secret: bool = False, certain: bool = False) -> Any:
        """Return the plain value of ``node``."""
        if is_reference(node):
            return self._noted(self._followed(node, path), node, certain=True)
        if isinstance(node.value, dict):
            return {
                key: self.plain(
                    child,
                    join(path, key),
                    secret=key.lower() not in PLAIN,
                    certain=key.lower() not in PLAIN and (certain or bool(_CERTAIN.search(key))),
                )
                for key, child in node.value.items()
            }
        if isinstance(node.value, list):
            items = enumerate(node.value)
            return [self.plain(one, join(path, at), secret=secret, certain=certain) for at, one in items]
        return self._noted(node.value, node, certain=certain) if secret else node.value

    def _noted(self, value: Any, node: Node, *, certain: bool) -> Any:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            texts = [Secret(text) for text in dict.fromkeys([str(value), node.text]) if text]
            self.secrets += texts
            self.certain += texts if certain else []
        return value

    def _followed(self, node: Node, path: str) -> str:
        try:
            text, oddities = secret_text(node, self.builder.folder, self.builder.environ)
        except InvalidValue as error:
            self.builder.refuse(error, node, path)
            return ""
        self.builder.odd(oddities, path)
        return text
