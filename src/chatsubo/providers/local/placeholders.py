"""``$FLAG0`` and its like in the texts of a template."""

import re
from collections.abc import Iterator, Mapping
from string import Template

from chatsubo.domain.text import N_, Text
from chatsubo.domain.values import SLOTS

SECRETS = frozenset(f"{family}{slot}" for family in ("FLAG", "RNG") for slot in range(SLOTS))
"""The values of a start that nobody but the player may learn."""

_PORT_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def is_port_name(name: str) -> bool:
    """Say whether a template may call a port ``name``."""
    return _PORT_NAME.fullmatch(name) is not None


def port_value(name: str) -> str:
    """Return the name of the value that holds the port called ``name``: ``PORT_HTTP`` for ``http``."""
    return f"PORT_{name.upper()}"


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with values for its ``$NAME`` and ``${NAME}``, empty where there is none; ``$$`` is a ``$``."""
    template = Template(text)
    return template.substitute({name: values.get(name, "") for name in template.get_identifiers()})


def mistakes(text: str, known: frozenset[str]) -> Iterator[Text]:
    """Yield what is wrong with the placeholders of ``text``.

    Args:
        text: Where they are.
        known: The names that may be used.
    """
    template = Template(text)
    if not template.is_valid():
        yield Text(N_("a lone $ is written as $$"))
        return
    for name in template.get_identifiers():
        if name in known:
            continue
        if name in SECRETS:
            yield Text(N_("${name} is a secret that everybody on the host would see here"), {"name": name})
        else:
            yield Text(N_("there is no value ${name}"), {"name": name})
