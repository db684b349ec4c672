"""The ``providers`` section: kinds, below them names, below them each plugin's own model."""

from collections.abc import Mapping

from chatsubo.config.builder import INVALID, Builder
from chatsubo.config.document import Node, join
from chatsubo.config.errors import Problem
from chatsubo.config.models import DisabledEntry, ProviderConfig, ProviderEntry
from chatsubo.config.raw import REALMS, RawConfig, build_raw
from chatsubo.config.references import plain_text
from chatsubo.config.wording import did_you_mean, found_kind, nearest
from chatsubo.domain.text import N_, Text

SECTION = "providers"
_LONGEST_NAME = 64
_WITHOUT_EFFECT = "sep"


def build_providers(
    builder: Builder,
    root: Node,
    kinds: Mapping[str, type[ProviderConfig]],
    hints: Mapping[str, str],
    disabled: Mapping[str, Text],
) -> tuple[tuple[ProviderEntry, ...], tuple[DisabledEntry, ...]]:
    """Build the providers below the key ``providers`` of ``root``; the problems go to ``builder``.

    Args:
        builder: Builds the models.
        root: The whole tree.
        kinds: The model of each installed kind.
        hints: For known kinds that are not installed, the extra that brings them.
        disabled: Why each kind is disabled whose plugin is there but cannot be used.

    Returns:
        The providers that could be built, and those whose plugin is disabled, in the order of the file.
    """
    section = Node({}) if not isinstance(root.value, dict) else root.value.get(SECTION, Node({}))
    entries: list[ProviderEntry] = []
    put_aside: list[DisabledEntry] = []
    taken: dict[str, str] = {}
    for kind, names in _group(builder, section, SECTION).items():
        path = join(SECTION, kind)
        named = _group(builder, names, path)
        if kind not in kinds and kind in disabled and kind not in hints:
            for name, node in named.items():
                builder.problems += _name_problems(name, node, path, taken)
                put_aside.append(DisabledEntry(kind=kind, name=name, realms=_realms(node), reason=disabled[kind]))
            continue
        if kind not in kinds and named:
            builder.problems.append(_unknown_kind(kind, names, kinds, hints))
            continue
        for name, node in named.items():
            builder.problems += _name_problems(name, node, path, taken)
            entry = _build(builder, kinds[kind], kind, name, node)
            entries += [entry] if entry else []
    return tuple(entries), tuple(put_aside)


def _group(builder: Builder, node: Node, path: str) -> Mapping[str, Node]:
    """Return the keys of ``node``; none where nothing was written."""
    if isinstance(node.value, dict):
        return node.value
    if node.value is not None:
        expected = Text(N_("a group of keys with values"))
        builder.problems.append(Problem(path, expected, found_kind(node), None, node.line, node.variable))
    return {}


def _realms(node: Node) -> tuple[str, ...]:
    """Return the realms of a provider whose model is not known."""
    listed = node.value.get(REALMS) if isinstance(node.value, dict) else None
    items = listed.value if listed is not None and isinstance(listed.value, list) else []
    return tuple(dict.fromkeys(text for one in items if (text := plain_text(one))))


def _build(builder: Builder, model: type[ProviderConfig], kind: str, name: str, node: Node) -> ProviderEntry | None:
    path = join(join(SECTION, kind), name)
    if issubclass(model, RawConfig):
        raw = build_raw(builder, node, path)
        return None if raw is INVALID else ProviderEntry(kind=kind, name=name, model=raw)
    if isinstance(node.value, dict) and _WITHOUT_EFFECT in node.value:
        node = Node({key: child for key, child in node.value.items() if key != _WITHOUT_EFFECT}, line=node.line)
        builder.warnings.append(Text(N_("{path}.sep has no effect any more and may be removed"), {"path": path}))
    built = builder.model(model, node, path)
    return None if built is INVALID else ProviderEntry(kind=kind, name=name, model=built)


def _name_problems(name: str, node: Node, path: str, taken: dict[str, str]) -> list[Problem]:
    """Say what is wrong with a provider's name, and take it."""
    here = join(path, name)
    if name in taken:
        found = Text(N_("the name of {other} again"), {"other": taken[name]})
        return [Problem(here, Text(N_("a name that no other provider has")), found, None, node.line, node.variable)]
    taken[name] = here
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        expected = Text(N_("a name of 1 to 64 printable characters"))
        return [Problem(here, expected, None, None, node.line, node.variable)]
    return []


def _unknown_kind(kind: str, node: Node, kinds: Mapping[str, object], hints: Mapping[str, str]) -> Problem:
    expected = Text(N_("an installed kind of provider: {kinds}"), {"kinds": ", ".join(sorted(kinds)) or "-"})
    near = nearest(kind, {**kinds, **hints})
    suggestion = did_you_mean(near) if near else None
    if kind in hints:
        suggestion = Text(N_("Install it: pip install 'chatsubo[{extra}]'"), {"extra": hints[kind]})
    found = Text(N_("a kind that is not installed"))
    return Problem(join(SECTION, kind), expected, found, suggestion, node.line, node.variable)
