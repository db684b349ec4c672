"""Builds models out of the tree, leaf by leaf, and collects every problem on the way.

``msgspec`` describes the models (fields, types, constraints); its own conversion is not used, since it stops at the
first mistake.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from chatsubo.config import scalars
from chatsubo.config.document import Node, join
from chatsubo.config.errors import InvalidValue, Problem
from chatsubo.config.references import existing_file, plain_text, resolve_path, secret_text
from chatsubo.config.secrets import Secret
from chatsubo.config.values import CHECK, MUST_BE_FILE
from chatsubo.config.wording import describe, did_you_mean, found, found_hidden, found_kind, nearest, one_of
from chatsubo.domain.text import N_, Text

INVALID: Any = object()
"""Returned where there is a problem instead of a value."""

Collected = inspect.ListType | inspect.VarTupleType | inspect.SetType | inspect.FrozenSetType

_MAKERS: dict[type, type] = {
    inspect.ListType: list,
    inspect.VarTupleType: tuple,
    inspect.SetType: set,
    inspect.FrozenSetType: frozenset,
}


class Builder:
    """Builds values, and remembers what is wrong and what is odd.

    Args:
        folder: The folder of the configuration file, for relative paths.
        environ: The environment, for secrets that are kept there.

    Attributes:
        problems: What is wrong.
        warnings: What is allowed but probably not meant.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = environ
        self.problems: list[Problem] = []
        self.warnings: list[Text] = []
        self._revealed: set[str] = set()

    def model(self, model: type[msgspec.Struct], node: Node, path: str) -> Any:
        """Build ``model`` from a group of keys; where that fails, note the problems and return INVALID."""
        return self._build(inspect.type_info(model), node, path, {})

    def unknown_keys(self, node: Node, known: Collection[str], path: str) -> set[str]:
        """Note the keys of ``node`` that are not ``known``.

        Returns:
            The known keys that they were probably meant to be.
        """
        assert isinstance(node.value, dict)
        meant = set()
        free = [name for name in known if name not in node.value]
        for key, child in node.value.items():
            if key in known:
                continue
            near = nearest(key, free)
            if near is not None:
                meant.add(near)
            self.problems.append(
                Problem(
                    join(path, key),
                    Text(N_("a key that is known here")) if near else one_of(known),
                    Text(N_("an unknown key")),
                    did_you_mean(near) if near else None,
                    child.line,
                    child.variable,
                )
            )
        return meant

    def refuse(self, error: InvalidValue, node: Node, path: str) -> None:
        """Note that ``node`` is not what ``error`` says it should be."""
        at = node
        for key in error.at.split(".") if error.at else ():
            path = join(path, key)
            if isinstance(at.value, dict):
                at = at.value.get(key, at)
        seen = None
        if not error.at:
            seen = found(node) if error.reveal else found_hidden(node)
        self.problems.append(Problem(path, error.expected, seen, error.suggestion, at.line, at.variable))

    def odd(self, oddities: Iterable[Text], path: str) -> None:
        """Note what is odd about the secret at ``path``."""
        self.warnings += [Text(odd.message, {**odd.params, "path": path}) for odd in oddities]

    def _build(self, kind: inspect.Type, node: Node, path: str, extra: Mapping[str, Any]) -> Any:
        match kind:
            case inspect.Metadata():
                return self._build(kind.type, node, path, {**(kind.extra or {}), **extra})
            case inspect.UnionType():
                return self._union(kind, node, path, extra)
            case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
                return self._collection(kind, node, path)
            case inspect.DictType():
                return self._dictionary(kind, node, path)
            case inspect.StructType():
                return self._struct(kind, node, path)
            case _:
                return self._leaf(kind, node, path, extra)

    def _leaf(self, kind: inspect.Type, node: Node, path: str, extra: Mapping[str, Any]) -> Any:
        cls = getattr(kind, "cls", None)
        try:
            if cls is Secret:
                return self._secret(node, path, extra)
            if cls is Path:
                resolved = resolve_path(self.folder, plain_text(node) or "")
                return existing_file(resolved) if extra.get(MUST_BE_FILE) else resolved
            return scalars.convert(kind, node, extra.get(CHECK))
        except InvalidValue as error:
            self.refuse(error, node, path)
            return INVALID

    def _secret(self, node: Node, path: str, extra: Mapping[str, Any]) -> Secret:
        text, oddities = secret_text(node, self.folder, self.environ)
        self.odd(oddities, path)
        self._revealed.add(text)
        if check := extra.get(CHECK):
            try:
                text = check(text)
            except InvalidValue as error:
                raise InvalidValue(error.expected, suggestion=error.suggestion, reveal=False) from None
            self._revealed.add(text)
        return Secret(text)

    def _struct(self, kind: inspect.StructType, node: Node, path: str) -> Any:
        if not isinstance(node.value, dict):
            return self._mismatch(kind, node, path)
        before = len(self.problems)
        fields = {field.encode_name: field for field in kind.fields}
        meant = self.unknown_keys(node, fields, path)
        values: dict[str, Any] = {}
        for name, field in fields.items():
            child = node.value.get(name)
            if child is None and field.required and name not in meant:
                self._missing(field.type, node, join(path, name))
            elif child is not None and (field.required or plain_text(child) is not None or child.value is not None):
                values[field.name] = self._build(field.type, child, join(path, name), {})
        return INVALID if len(self.problems) > before else self._construct(kind.cls, values, node, path)

    def _construct(self, cls: type, values: Mapping[str, Any], node: Node, path: str) -> Any:
        try:
            return cls(**values)
        except InvalidValue as error:
            self.refuse(error, node, path)
        except ValueError as error:
            reason = str(error)
            if any(secret in reason for secret in self._revealed):
                reason = "***"
            expected = Text(N_("values that fit together: {reason}"), {"reason": reason})
            self.problems.append(Problem(path, expected, line=node.line, variable=node.variable))
        return INVALID

    def _union(self, kind: inspect.UnionType, node: Node, path: str, extra: Mapping[str, Any]) -> Any:
        """Build the alternative that fits what was written; complain about it, or about all where none comes close."""
        choices = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        if kind.includes_none and node.value is None and plain_text(node) is None:
            return None
        if len(choices) == 1:
            return self._build(choices[0], node, path, extra)
        fitting = [each for each in choices if _same_shape(each, node)]
        for choice in fitting:
            problems, warnings = len(self.problems), len(self.warnings)
            built = self._build(choice, node, path, extra)
            if built is not INVALID or len(fitting) == 1:
                return built
            del self.problems[problems:], self.warnings[warnings:]
        return self._mismatch(kind, node, path)

    def _collection(self, kind: Collected, node: Node, path: str) -> Any:
        if not isinstance(node.value, list):
            return self._mismatch(kind, node, path)
        count = len(node.value)
        if count < (kind.min_length or 0) or (kind.max_length is not None and count > kind.max_length):
            return self._mismatch(kind, node, path)
        items = [self._build(kind.item_type, item, join(path, index), {}) for index, item in enumerate(node.value)]
        return INVALID if any(item is INVALID for item in items) else _MAKERS[type(kind)](items)

    def _dictionary(self, kind: inspect.DictType, node: Node, path: str) -> Any:
        if not isinstance(node.value, dict):
            return self._mismatch(kind, node, path)
        items = {key: self._build(kind.value_type, child, join(path, key), {}) for key, child in node.value.items()}
        return INVALID if any(item is INVALID for item in items.values()) else items

    def _mismatch(self, kind: inspect.Type, node: Node, path: str) -> Any:
        """Note that the shape is wrong. What is there is not shown: a part of it could have been a secret."""
        self.problems.append(Problem(path, describe(kind), found_kind(node), None, node.line, node.variable))
        return INVALID

    def _missing(self, kind: inspect.Type, parent: Node, path: str) -> None:
        problem = Problem(path, describe(kind), Text(N_("nothing")), None, parent.line, parent.variable)
        self.problems.append(problem)


def _same_shape(kind: inspect.Type, node: Node) -> bool:
    match kind:
        case inspect.Metadata():
            return _same_shape(kind.type, node)
        case inspect.StructType() | inspect.DictType():
            return isinstance(node.value, dict)
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return isinstance(node.value, list)
        case _:
            is_reference = getattr(kind, "cls", None) is Secret and isinstance(node.value, dict)
            return is_reference or plain_text(node) is not None
