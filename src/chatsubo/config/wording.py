"""What a value should have been and what it is, in plain words."""

import difflib
from collections.abc import Iterable
from enum import Enum

from msgspec import inspect

from chatsubo.config.document import Node
from chatsubo.domain.text import N_, Text

_LONGEST_VALUE = 60
_PLAIN_KINDS: dict[type, str] = {
    inspect.BoolType: N_("true or false"),
    inspect.StructType: N_("a group of keys with values"),
    inspect.DictType: N_("a group of keys with values"),
}


def describe(kind: inspect.Type) -> Text:
    """Say what a value of ``kind`` is, as in "a whole number from 1 to 65535"."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    match kind:
        case inspect.IntType() | inspect.FloatType():
            return _number(kind)
        case inspect.StrType():
            return _string(kind)
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return Text(N_("a list with at least one item") if kind.min_length else N_("a list"))
        case inspect.LiteralType() | inspect.EnumType():
            return one_of(plain_values(kind))
        case inspect.UnionType(types=types):
            return one_of(describe(each) for each in types)
        case _:
            return Text(_PLAIN_KINDS.get(type(kind), N_("text")))


def one_of(values: Iterable[object]) -> Text:
    """Say that one of ``values`` is expected."""
    return Text(N_("one of: {choices}"), {"choices": ", ".join(str(value) for value in values)})


def found(node: Node) -> Text:
    """Say what ``node`` is, with its value where it is a single one. Not for what could be a secret."""
    if node.value is None or isinstance(node.value, list | dict):
        return found_kind(node)
    text = node.text if len(node.text) <= _LONGEST_VALUE else f"{node.text[:_LONGEST_VALUE]}..."
    return Text("{value}", {"value": ascii(text) if not text.isprintable() else f"'{text}'"})


def found_kind(node: Node) -> Text:
    """Say what kind of value ``node`` is, never its value."""
    if node.value is None:
        return Text(N_("nothing"))
    if isinstance(node.value, list):
        return Text(N_("a list"))
    if isinstance(node.value, dict):
        return Text(N_("a group of keys"))
    return Text(N_("a single value"))


def found_hidden(node: Node) -> Text | None:
    """Say what ``node`` is where it could be a secret: nothing about a single value."""
    return found_kind(node) if node.value is None or isinstance(node.value, list | dict) else None


def nearest(key: str, known: Iterable[str]) -> str | None:
    """Return the one of ``known`` that ``key`` was probably meant to be."""
    plain = {name.lower().replace("-", "_"): name for name in known}
    matches = difflib.get_close_matches(key.lower().replace("-", "_"), plain, n=1, cutoff=0.6)
    return plain[matches[0]] if matches else None


def did_you_mean(name: str) -> Text:
    """Suggest ``name``."""
    return Text(N_("Did you mean {name}?"), {"name": name})


def plain_values(kind: inspect.LiteralType | inspect.EnumType) -> dict[str, object]:
    """Return what may be written for ``kind``, and the value that each stands for."""
    if isinstance(kind, inspect.LiteralType):
        return {str(value): value for value in kind.values}
    members: list[Enum] = list(kind.cls)
    return {str(member.value): member for member in members}


def _number(kind: inspect.IntType | inspect.FloatType) -> Text:
    whole = isinstance(kind, inspect.IntType)
    limits = {"low": kind.ge if kind.gt is None else kind.gt, "high": kind.le if kind.lt is None else kind.lt}
    if limits["low"] is not None and limits["high"] is not None:
        return Text(N_("a whole number from {low} to {high}") if whole else N_("a number from {low} to {high}"), limits)
    if limits["low"] is not None:
        above = kind.gt is not None
        if whole:
            return Text(N_("a whole number above {low}") if above else N_("a whole number of at least {low}"), limits)
        return Text(N_("a number above {low}") if above else N_("a number of at least {low}"), limits)
    if limits["high"] is not None:
        return Text(N_("a whole number of at most {high}") if whole else N_("a number of at most {high}"), limits)
    return Text(N_("a whole number") if whole else N_("a number"))


def _string(kind: inspect.StrType) -> Text:
    if kind.max_length is not None and kind.pattern is not None:
        return Text(N_("text of at most {length} characters without odd characters"), {"length": kind.max_length})
    if kind.max_length is not None:
        return Text(N_("text of at most {length} characters"), {"length": kind.max_length})
    if kind.pattern is not None:
        return Text(N_("text of the form {pattern}"), {"pattern": kind.pattern})
    return Text(N_("text that is not empty") if kind.min_length else N_("text"))
