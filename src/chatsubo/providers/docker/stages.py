"""The stages of a Dockerfile, followed from line to line: which labels it ends with, and where each value goes.

A value is *baked* when an instruction that writes files sees it: then each session needs an image of its own. What only
labels and the environment hold can be given to a container when it is created, whatever session it is for.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chatsubo.providers.docker.dockerfile import Dockerfile, Instruction
from chatsubo.providers.docker.expansion import expand, split_pairs, split_words
from chatsubo.providers.docker.slots import NAMES

_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_PATTERN = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)[#%/]")
_FAMILY = re.compile(r"(?<![A-Za-z0-9_])(FLAG|RNG)(?![A-Za-z0-9_])")
_ENVIRONMENT = re.compile(
    r"(?<![\w.-])(?:printenv|environ)(?![\w.-])"
    r"|(?<![\w.-])(?:env|set|export|declare)\s*(?:$|[|>;&)\n])"
    r"|(?<![\w.-])(?:export\s+-p|declare\s+-[px])"
)
_AT_RUN_TIME = frozenset({"CMD", "ENTRYPOINT", "HEALTHCHECK"})
_WORK = frozenset({"RUN", "COPY", "ADD"})
_HARMLESS = frozenset({"MAINTAINER"})
_ALIAS = re.compile(r"(.*?)\s+as\s+(\S+)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a Dockerfile says, and does with the values of a session.

    Attributes:
        labels: The labels of its last stage, keys as written, defaults filled in, unknown values empty.
        declared: The slots that it declares with ``ARG``.
        baked: Those that end up in files.
        at_run_time: Those that a ``CMD``, ``ENTRYPOINT`` or ``HEALTHCHECK`` names: they belong into the environment.
        secret_from: The line of the first instruction whose result may differ between sessions; 0 when there is none.
        work_before: Whether anything before that line takes time to build.
    """

    labels: Mapping[str, str]
    declared: frozenset[str]
    baked: frozenset[str]
    at_run_time: frozenset[str]
    secret_from: int = 0
    work_before: bool = False


@dataclass(slots=True)
class _Stage:
    """What is known at one line of one stage."""

    labels: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    taints: dict[str, frozenset[str]] = field(default_factory=dict)

    def lookup(self, name: str) -> str | None:
        return self.environment.get(name, self.arguments.get(name))

    def taint_of(self, text: str) -> frozenset[str]:
        return _union(self.taints.get(name, frozenset()) for name in _REFERENCE.findall(text))

    def inherit(self, base: "_Stage") -> None:
        self.labels = dict(base.labels)
        self.environment = dict(base.environment)
        self.taints = {name: base.taints[name] for name in base.environment if name in base.taints}


def examine(dockerfile: Dockerfile, files: Iterable[str] = (), *, bake_all: bool = False) -> Usage:
    """Return what a Dockerfile says and does.

    Args:
        dockerfile: The Dockerfile.
        files: The slots, or ``FLAG`` and ``RNG`` for all of them, that files beside it name: a script that a ``RUN``
            runs sees the build arguments as its environment.
        bake_all: Whether to take every declared value for baked.

    Raises:
        DockerfileError: A label, a variable or an argument cannot be read.
    """
    walk = _Walk(dockerfile, frozenset(files))
    for instruction in dockerfile.instructions:
        walk.step(instruction)
    baked = walk.declared if bake_all else walk.baked
    first = _first_line(dockerfile, baked)
    return Usage(
        labels=walk.stage.labels,
        declared=walk.declared,
        baked=baked,
        at_run_time=frozenset(walk.at_run_time),
        secret_from=first,
        work_before=any(one.keyword in _WORK and one.line < first for one in dockerfile.instructions),
    )


class _Walk:
    """The walk through a Dockerfile's instructions."""

    def __init__(self, dockerfile: Dockerfile, files: frozenset[str]) -> None:
        self.escape = dockerfile.escape
        self.files = files
        self.stage = _Stage()
        self.before = self.stage
        self.named: dict[str, _Stage] = {}
        self.declared: frozenset[str] = frozenset()
        self.baked: frozenset[str] = frozenset()
        self.at_run_time: set[str] = set()

    def step(self, one: Instruction) -> None:
        match one.keyword:
            case "FROM":
                self.begin(one)
            case "ARG":
                self.argument(one)
            case "ENV" | "LABEL":
                self.assign(one)
            case "RUN":
                self.bake(self.seen_by_run(one.text))
            case keyword if keyword in _AT_RUN_TIME:
                self.at_run_time |= {name for name in self.named_in(one.text) if name not in self.stage.environment}
            case keyword if keyword not in _HARMLESS:
                self.bake(self.seen_in(one.text))

    def begin(self, one: Instruction) -> None:
        rest = " ".join(word for word in split_words(one.rest, self.escape) if not word.startswith("--"))
        alias = _ALIAS.fullmatch(rest)
        base = expand(alias[1] if alias else rest, self.before.lookup, self.escape, one.line)
        self.bake(self.before.taint_of(one.rest))
        stage = _Stage()
        if parent := self.named.get(base.lower()):
            stage.inherit(parent)
        self.stage = stage
        self.named[str(len(self.named))] = stage
        if alias:
            self.named[alias[2].lower()] = stage

    def argument(self, one: Instruction) -> None:
        for word in split_words(one.rest, self.escape):
            name, equals, default = word.partition("=")
            taint = self.stage.taint_of(default)
            if equals:
                value = expand(default, self.stage.lookup, self.escape, one.line)
            else:
                value = self.before.arguments.get(name, "")
                taint |= self.before.taints.get(name, frozenset())
            if name in NAMES:
                self.declared |= {name}
                taint |= {name}
            self.stage.arguments[name] = value
            if name not in self.stage.environment:
                self.stage.taints[name] = taint

    def assign(self, one: Instruction) -> None:
        for raw_name, raw_value in split_pairs(one.rest, self.escape, one.line):
            name = expand(raw_name, self.stage.lookup, self.escape, one.line)
            value = expand(raw_value, self.stage.lookup, self.escape, one.line)
            # What cuts a value up, or chooses by it, does not work on what stands for the value.
            self.bake(_union(self.stage.taints.get(found, frozenset()) for found in _PATTERN.findall(raw_value)))
            if one.keyword == "LABEL":
                self.stage.labels[name] = value
                continue
            taint = self.stage.taint_of(raw_value)
            self.stage.environment[name] = value
            self.stage.taints[name] = taint

    def seen_in(self, text: str) -> frozenset[str]:
        return _union(
            taint for name, taint in self.stage.taints.items() if taint and re.search(rf"\b{re.escape(name)}\b", text)
        )

    def seen_by_run(self, text: str) -> frozenset[str]:
        """Return the values that a ``RUN`` sees: it names them, or shows its whole environment to something."""
        if _ENVIRONMENT.search(text):
            return _union(self.stage.taints.values())
        families = {*_FAMILY.findall(text), *self.files}
        reached = {name for name in self.stage.taints if name in families or name.rstrip("0123456789") in families}
        return self.seen_in(text) | _union(self.stage.taints[name] for name in reached)

    def named_in(self, text: str) -> set[str]:
        return {name for name in self.stage.arguments if name in NAMES and re.search(rf"\b{name}\b", text)}

    def bake(self, names: frozenset[str]) -> None:
        self.baked |= names


def _first_line(dockerfile: Dockerfile, baked: frozenset[str]) -> int:
    """Return the line from which on results differ between sessions, 0 where none does.

    A build argument is part of what every later instruction of its stage is cached by, though not the ``ARG`` itself.
    """
    before_any_stage, in_sight = True, False
    for one in dockerfile.instructions:
        if one.keyword == "FROM":
            before_any_stage = False
            if any(name in baked for name in _REFERENCE.findall(one.rest)):
                return one.line
            in_sight = False
        elif one.keyword == "ARG" and not before_any_stage:
            in_sight |= bool(names_of(one, dockerfile.escape) & baked)
        if in_sight and (one.keyword != "ARG" or "$" in one.rest):
            return one.line
    return 0


def names_of(argument: Instruction, escape: str) -> set[str]:
    """Return the names that an ``ARG`` declares."""
    return {word.partition("=")[0] for word in split_words(argument.rest, escape)}


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)
