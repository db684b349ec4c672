"""Values from environment variables, laid over those of the file."""

import re
from collections.abc import Mapping

from chatsubo.config.document import MAX_CHARACTERS, Node, join, parse
from chatsubo.config.errors import Problem
from chatsubo.domain.text import N_, Text

PREFIX = "CHATSUBO__"
_INDEX = re.compile(r"[0-9]{1,4}")


def overlay(root: Node, environ: Mapping[str, str]) -> list[Problem]:
    """Lay the variables named ``CHATSUBO__SECTION__KEY`` over the tree of the file.

    Names compare with the keys of the file without case, and dashes are underscores there; a number stands for an
    item of a list, and the number after the last adds one. The value is YAML; where it is none, or where text is
    wanted, it is text as it is.

    Args:
        root: The tree, which is changed.
        environ: The environment.

    Returns:
        The variables that fit nowhere.
    """
    problems = []
    for variable in sorted(name for name in environ if name.upper().startswith(PREFIX)):
        keys = variable[len(PREFIX) :].split("__")
        problem = _place(root, keys, _node(environ[variable], variable), variable)
        if problem is not None:
            problems.append(problem)
    return problems


def _place(root: Node, keys: list[str], leaf: Node, variable: str) -> Problem | None:
    node, path = root, ""
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        container = {} if node.value is None else node.value
        if isinstance(container, dict):
            name = _match(container, key)
        elif isinstance(container, list) and _INDEX.fullmatch(key) and int(key) <= len(container):
            name = key
        else:
            return _unplaced(path, container, variable)
        if not name:
            expected = Text(N_("names between double underscores, as in CHATSUBO__SERVER__PORT"))
            return Problem(path, expected, variable=variable)
        node.value = container
        node = _set(container, name, leaf if last else None, variable)
        path = join(path, name)
    return None


def _set(container: dict[str, Node] | list[Node], name: str, leaf: Node | None, variable: str) -> Node:
    """Put ``leaf`` at ``name``, or make sure that there is a node to go on from; return what is there then."""
    if isinstance(container, list):
        index = int(name)
        if index == len(container):
            container.append(leaf or Node(None, variable=variable))
        elif leaf:
            container[index] = leaf
        return container[index]
    if leaf:
        container[name] = leaf
    return container.setdefault(name, Node(None, variable=variable))


def _unplaced(path: str, container: object, variable: str) -> Problem:
    if isinstance(container, list):
        expected = Text(N_("a number from 0 to {last} to choose an item of the list"), {"last": len(container)})
    else:
        expected = Text(N_("a single value, so the name of the variable ends here"))
    return Problem(path, expected, variable=variable)


def _match(container: Mapping[str, Node], key: str) -> str:
    """Return the key of ``container`` that ``key`` means; variables hold neither small letters nor dashes."""
    plain = key.lower().replace("-", "_")
    return next((name for name in container if name.lower().replace("-", "_") == plain), key.lower())


def _node(text: str, variable: str) -> Node:
    readable = text.encode(errors="replace").decode()
    node, problems = parse(readable) if len(readable) <= MAX_CHARACTERS else (Node(readable), [])
    if problems:
        node = Node(readable)
    _attribute(node, variable)
    node.text = readable
    return node


def _attribute(node: Node, variable: str) -> None:
    node.line, node.variable = None, variable
    if isinstance(node.value, dict):
        for child in node.value.values():
            _attribute(child, variable)
    elif isinstance(node.value, list):
        for child in node.value:
            _attribute(child, variable)
