"""Single values: numbers, texts, switches, choices, and classes that are made from a text."""

import math
import re
from collections.abc import Callable
from typing import Any

from msgspec import inspect

from chatsubo.config.document import Node
from chatsubo.config.errors import InvalidValue
from chatsubo.config.references import plain_text
from chatsubo.config.wording import describe, did_you_mean, nearest, plain_values

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")

Check = Callable[[str], str]


def convert(kind: inspect.Type, node: Node, check: Check | None = None) -> Any:
    """Return the value of ``node`` as ``kind``.

    Args:
        kind: The type of a single value.
        node: What was written.
        check: Looks at a text, for a field annotated with :func:`chatsubo.config.checked`.

    Raises:
        InvalidValue: It is not of that kind.
        TypeError: The model uses a type that configurations cannot hold; the mistake is in the model.
    """
    match kind:
        case inspect.BoolType():
            return _boolean(kind, node)
        case inspect.IntType():
            return _within(kind, _integer(kind, node))
        case inspect.FloatType():
            return _within(kind, _float(kind, node))
        case inspect.StrType():
            text = _string(kind, node)
            return check(text) if check else text
        case inspect.LiteralType() | inspect.EnumType():
            return _choice(kind, node)
        case _ if hasattr(getattr(kind, "cls", None), "from_text"):
            made_from: Any = kind
            return made_from.cls.from_text(_single(kind, node))
        case _:
            raise TypeError(f"a configuration cannot hold {kind}")


def _single(kind: inspect.Type, node: Node) -> str:
    text = plain_text(node)
    if text is None:
        raise InvalidValue(describe(kind))
    return text


def _boolean(kind: inspect.BoolType, node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise InvalidValue(describe(kind))
    return node.value


def _integer(kind: inspect.IntType, node: Node) -> int:
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node.value, str) and _WHOLE.fullmatch(node.value):
        return int(node.value)
    raise InvalidValue(describe(kind))


def _float(kind: inspect.FloatType, node: Node) -> float:
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        try:
            value = float(node.value)
        except OverflowError:
            value = math.inf
        if math.isfinite(value):
            return value
    raise InvalidValue(describe(kind))


def _within(kind: inspect.IntType | inspect.FloatType, value: float) -> float:
    limits = (
        kind.ge is None or value >= kind.ge,
        kind.gt is None or value > kind.gt,
        kind.le is None or value <= kind.le,
        kind.lt is None or value < kind.lt,
        kind.multiple_of is None or value % kind.multiple_of == 0,
    )
    if not all(limits):
        raise InvalidValue(describe(kind))
    return value


def _string(kind: inspect.StrType, node: Node) -> str:
    text = _single(kind, node)
    fits = (
        len(text) >= (kind.min_length or 0),
        kind.max_length is None or len(text) <= kind.max_length,
        kind.pattern is None or re.search(kind.pattern, text) is not None,
    )
    if not all(fits):
        raise InvalidValue(describe(kind))
    return text


def _choice(kind: inspect.LiteralType | inspect.EnumType, node: Node) -> Any:
    choices = plain_values(kind)
    text = _single(kind, node)
    if text not in choices:
        near = nearest(text, choices)
        raise InvalidValue(describe(kind), suggestion=did_you_mean(near) if near else None)
    return choices[text]
