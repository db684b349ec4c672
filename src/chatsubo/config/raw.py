"""Configurations of plugins without a model: everything as it was written, references to secrets followed."""

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


class RawConfig(ProviderConfig, frozen=True, kw_only=True):
    """The configuration of a plugin without a model. It holds secrets as plain text, so it does not show itself.

    Attributes:
        raw: Dictionaries, lists and plain values, the realms among them.
        secrets: Those of its values that may be secret.
    """

    raw: Mapping[str, Any]
    secrets: tuple[Secret, ...] = ()

    def __repr__(self) -> str:
        return f"RawConfig({Secret.MASK})"

    __str__ = __repr__


def build_raw(builder: Builder, node: Node, path: str) -> Any:
    """Return the :class:`RawConfig` of what is written at ``path``; INVALID where that fails."""
    if not isinstance(node.value, dict):
        return builder.model(ProviderConfig, node, path)
    realms = Node({key: child for key, child in node.value.items() if key == REALMS}, line=node.line)
    model = builder.model(ProviderConfig, realms, path)
    before = len(builder.problems)
    secrets: list[Secret] = []
    raw = _plain(builder, node, path, secrets, secret=False)
    if model is INVALID or len(builder.problems) > before:
        return INVALID
    return RawConfig(realms=model.realms, raw=raw, secrets=tuple(secrets))


def _plain(builder: Builder, node: Node, path: str, secrets: list[Secret], *, secret: bool) -> Any:
    """Return the plain value of ``node``, and note what in it may be a secret."""
    if is_reference(node):
        value: Any = _followed(builder, node, path)
        secret = True
    elif isinstance(node.value, dict):
        return {
            key: _plain(builder, child, join(path, key), secrets, secret=key.lower() not in PLAIN)
            for key, child in node.value.items()
        }
    elif isinstance(node.value, list):
        return [_plain(builder, one, join(path, at), secrets, secret=secret) for at, one in enumerate(node.value)]
    else:
        value = node.value
    if secret and isinstance(value, str | int | float) and not isinstance(value, bool):
        secrets += [Secret(text) for text in dict.fromkeys([str(value), node.text]) if text]
    return value


def _followed(builder: Builder, node: Node, path: str) -> str:
    try:
        text, oddities = secret_text(node, builder.folder, builder.environ)
    except InvalidValue as error:
        builder.refuse(error, node, path)
        return ""
    builder.odd(oddities, path)
    return text
