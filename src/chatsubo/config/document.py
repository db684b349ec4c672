"""The YAML file as a tree that remembers its lines."""

from dataclasses import dataclass, field

import yaml

from chatsubo.config.errors import Problem
from chatsubo.config.syntax import syntax_problem
from chatsubo.domain.text import N_, Text

MAX_CHARACTERS = 1_000_000
MAX_NODES = 100_000

Scalar = bool | int | float | str | None


@dataclass(slots=True)
class Node:
    """One value of the file. It may be a secret, so it does not show itself.

    Attributes:
        value: A scalar, a list of nodes, or nodes by their keys.
        text: A scalar as it was written.
        line: The line of the file, from 1, that it or its key begins at.
        variable: The environment variable that it was read from.
    """

    value: "Scalar | list[Node] | dict[str, Node]" = field(repr=False)
    text: str = field(default="", repr=False)
    line: int | None = None
    variable: str | None = None


def parse(text: str) -> tuple[Node, list[Problem]]:
    """Parse one YAML document.

    Args:
        text: The text of the file.

    Returns:
        The tree, and what is wrong with the file; what could not be understood is missing from the tree.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        converter = _Converter()
        return (Node(None) if root is None else converter.convert(root, "", 1)), converter.problems
    except yaml.YAMLError as error:
        return Node({}), [syntax_problem(error, text)]
    except (RecursionError, _Endless):
        expected = Text(N_("a configuration of a sensible size"))
        return Node({}), [Problem("", expected, Text(N_("a value that is nested too deep or contains itself")))]


def join(path: str, key: str | int) -> str:
    """Return the path of what is at ``key`` below ``path``; odd characters in a key are made visible."""
    name = str(key)
    if not name.isprintable():
        name = ascii(name)[1:-1]
    name = name if len(name) <= _LONGEST_KEY else f"{name[:_LONGEST_KEY]}..."
    return f"{path}.{name}" if path else name


_LONGEST_KEY = 60
_TAG = "tag:yaml.org,2002:"
_COLLECTIONS = {f"{_TAG}map", f"{_TAG}seq"}
_SCALARS = {"str", "int", "float", "bool", "null", "timestamp", "value", "merge"}
_TRUE = {"yes", "true", "on"}


class _Endless(Exception):
    """The document unfolds to more nodes than any configuration has."""


class _Converter:
    """Turns the parser's nodes into ours and collects what it cannot accept."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._count = 0

    def convert(self, node: yaml.Node, path: str, line: int) -> Node:
        self._tick()
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path, line)
        if node.tag not in _COLLECTIONS:
            self._refuse_tag(path, line)
        if isinstance(node, yaml.SequenceNode):
            items = [
                self.convert(item, join(path, index), item.start_mark.line + 1) for index, item in enumerate(node.value)
            ]
            return Node(items, line=line)
        return Node(self._mapping(node, path), line=line)

    def _tick(self) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise _Endless

    def _mapping(self, node: yaml.Node, path: str) -> dict[str, Node]:
        self._tick()
        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem(path, Text(N_("a name before the colon")), line=line))
                continue
            if key_node.tag == f"{_TAG}merge":
                merged = self._merged(value_node, path, line) | merged
                continue
            key = self._readable(key_node.value, path, line)
            value = self.convert(value_node, join(path, key), line)
            if key in own:
                found = Text(N_("the same key as on line {line}"), {"line": own[key].line})
                self.problems.append(Problem(join(path, key), Text(N_("each key once")), found, line=line))
                continue
            own[key] = value
        return merged | own

    def _merged(self, node: yaml.Node, path: str, line: int) -> dict[str, Node]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Node] = {}
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self.problems.append(Problem(join(path, "<<"), Text(N_("a group of keys to merge")), line=line))
                continue
            merged = self._mapping(source, path) | merged
        return merged

    def _scalar(self, node: yaml.ScalarNode, path: str, line: int) -> Node:
        text = self._readable(node.value, path, line)
        kind = node.tag.removeprefix(_TAG)
        if kind not in _SCALARS:
            self._refuse_tag(path, line)
        return Node(_value(kind, text), text, line)

    def _readable(self, text: str, path: str, line: int) -> str:
        """Return ``text`` without halves of surrogate pairs, which an escape can smuggle in."""
        try:
            text.encode()
        except UnicodeEncodeError:
            self.problems.append(Problem(path, Text(N_("valid Unicode")), line=line))
            return text.encode(errors="replace").decode()
        return text

    def _refuse_tag(self, path: str, line: int) -> None:
        expected = Text(N_("a plain value; put quotes around a text that begins with an exclamation mark"))
        self.problems.append(Problem(path, expected, line=line))


def _value(kind: str, text: str) -> Scalar:
    """Return the value of a scalar; dates and base-60 numbers stay text, nobody means them in a configuration."""
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in _TRUE
    if kind in {"int", "float"} and ":" not in text:
        try:
            return _integer(text) if kind == "int" else float(text.replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            return text
    return text


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    unsigned = digits.lstrip("+-")
    if unsigned.startswith("0") and unsigned.isdigit():
        return int(digits, 8)
    return int(digits, 0)
