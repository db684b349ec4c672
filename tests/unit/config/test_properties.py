"""What holds for any configuration, any single mistake in one, and any file at all."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from chatsubo.config import Config, ConfigError, Problem, load
from tests.unit.config.plugins import HINTS, KINDS

SECRET = "hunter2-"  # every secret below begins like this, and nothing else does

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
realms = st.lists(names, min_size=1, max_size=3, unique=True)
ports = st.integers(1, 65535)
secrets = st.from_regex(rf"{SECRET}[a-z0-9 =:#*&!{{}}'\"é]{{0,12}}[a-z]", fullmatch=True)
hosts = names.map("{}.example".format)
paths = names.map("/srv/{}".format)

engines = st.fixed_dictionaries(
    {
        "realms": realms,
        "root": paths,
        "api": st.fixed_dictionaries({"host": hosts}, optional={"port": ports, "password": secrets}),
    },
    optional={
        "network": names,
        "limits": st.fixed_dictionaries(
            {}, optional={"memory": st.just("256m"), "cpus": st.floats(0.1, 64), "processes": st.integers(1, 10**6)}
        ),
        "mode": st.sampled_from(["fast", "careful"]),
        "verify_ssl": st.booleans(),
        "labels": st.dictionaries(names, st.integers(), max_size=2),
    },
)
hypervisors = st.fixed_dictionaries(
    {"realms": realms, "host": hosts, "token": st.fixed_dictionaries({"name": names, "value": secrets})},
    optional={"nodes": st.lists(names, max_size=2), "verify_ssl": st.booleans()},
)
gates = st.fixed_dictionaries(
    {"realm": names, "url": hosts.map("http://{}".format), "token": secrets},
    optional={"header": names, "endpoints": st.fixed_dictionaries({}, optional={"check": paths})},
)
configurations = st.fixed_dictionaries(
    {
        "providers": st.fixed_dictionaries(
            {
                "engine": st.dictionaries(names.map("e_{}".format), engines, max_size=2),
                "hyper": st.dictionaries(names.map("h_{}".format), hypervisors, max_size=2),
            }
        ),
        "vpns": st.lists(gates, max_size=2),
    },
    optional={
        "server": st.fixed_dictionaries({}, optional={"port": ports, "url": hosts.map("https://{}".format)}),
        "database": st.fixed_dictionaries({"url": secrets.map(lambda each: f"postgresql://u:{each}@db/ctf")}),
        "logging": st.fixed_dictionaries({}, optional={"level": st.sampled_from(["info", "debug"])}),
        "plugins": names,
    },
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "chatsubo.yml"


def _load(file: Path, raw: dict[str, Any]) -> Config:
    file.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return load(file, KINDS, hints=HINTS, environ={})


def _written(value: Any) -> Any:
    """Return what was written for a built value: models as dictionaries, secrets revealed."""
    if hasattr(value, "reveal"):
        return value.reveal()
    if hasattr(value, "__struct_fields__"):
        return {name: _written(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    if isinstance(value, dict):
        return {key: _written(item) for key, item in value.items()}
    return value if isinstance(value, bool | int | float) else str(value)


def _assert_kept(raw: Any, built: Any) -> None:
    """Check that everything that was written is there; what was not has its default."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            _assert_kept(value, built[key])
    elif raw == "256m":
        assert built == 256 * 1024**2
    else:
        assert built == raw


@given(configurations)
def test_any_valid_configuration_is_read_as_written(file, raw):
    config = _load(file, raw)
    sections = {key: value for key, value in raw.items() if key not in {"providers", "vpns", "plugins"}}
    _assert_kept(sections, {key: _written(getattr(config, key)) for key in sections})
    built = {(entry.kind, entry.name): _written(entry.model) for entry in config.providers}
    assert len(built) == sum(len(entries) for entries in raw["providers"].values())
    for kind, entries in raw["providers"].items():
        for name, model in entries.items():
            _assert_kept(model, built[kind, name])
    for gate, written in zip(config.vpns, raw["vpns"], strict=True):
        _assert_kept(written, _written(gate))


@given(configurations)
def test_no_configuration_shows_a_secret(file, raw):
    config = _load(file, raw)
    parts = [config, *config.providers, *(entry.model for entry in config.providers), *config.vpns, config.database]
    for part in parts:
        shown = f"{part!r} {part} {[getattr(part, name) for name in part.__struct_fields__]}"
        assert SECRET not in shown
    assert SECRET not in config.database.label
    assert SECRET not in " ".join(str(warning) for warning in config.warnings)


def _places(raw: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in ``raw``."""
    items = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    return [place for key, value in items for place in ((*path, key), *_places(value, (*path, key)))]


def _parent(raw: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        raw = raw[key]
    return raw


def _refused(file: Path, raw: dict[str, Any]) -> str:
    """Return the path of the one problem that ``raw`` has, and check that it tells no secret."""
    with pytest.raises(ConfigError) as caught:
        _load(file, raw)
    assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.args} {vars(caught.value)}"
    assert SECRET not in json.dumps([problem.to_json() for problem in caught.value.problems])
    (problem,) = caught.value.problems
    assert problem.line is not None
    return problem.path


@given(st.data())
def test_a_typo_in_any_key_is_told_with_its_path(file, data):
    raw = data.draw(configurations)
    fixed = [path for path in _places(raw) if isinstance(path[-1], str) and _is_fixed(path)]
    empty = [("providers", kind) for kind, entries in raw["providers"].items() if not entries]
    fixed = [path for path in fixed if path not in empty]  # an empty kind may be any
    path = data.draw(st.sampled_from(fixed))
    typo = data.draw(st.sampled_from([f"{path[-1]}x", f"x{path[-1]}", path[-1][:1] + path[-1], path[-1].upper()]))
    parent = _parent(raw, path)
    parent[typo] = parent.pop(path[-1])
    assert _refused(file, raw) == ".".join(map(str, (*path[:-1], typo)))


def _is_fixed(path: tuple[Any, ...]) -> bool:
    """Whether the key is one of a model's, not a name that somebody chose."""
    return len(path) != 3 if path[0] == "providers" and len(path) < 4 else "labels" not in path[:-1]


@given(st.data())
def test_a_value_of_the_wrong_shape_is_told_with_its_path(file, data):
    raw = data.draw(configurations)
    path = data.draw(st.sampled_from(_places(raw)))
    parent = _parent(raw, path)
    old = parent[path[-1]]
    parent[path[-1]] = {"zzz": copy.deepcopy(old)} if isinstance(old, list) else [copy.deepcopy(old)]
    assert _refused(file, raw) == ".".join(map(str, path))


@given(st.data())
def test_a_number_out_of_range_is_told_with_its_path(file, data):
    raw = data.draw(configurations)
    limited = [path for path in _places(raw) if path[-1] in {"port", "processes", "cpus"} and "labels" not in path]
    if not limited:
        raw["server"] = {"port": 1}
        limited = [("server", "port")]
    path = data.draw(st.sampled_from(limited))
    wrong = [0, -1, "many", True, float("inf"), "0x"]
    _parent(raw, path)[path[-1]] = data.draw(st.sampled_from(wrong))
    assert _refused(file, raw) == ".".join(map(str, path))


KNOWN = [
    "providers",
    "engine",
    "hyper",
    "pve",
    "vpns",
    "server",
    "database",
    "plugins",
    "logging",
    "api",
    "host",
    "port",
]
KNOWN += [
    "realms",
    "root",
    "token",
    "url",
    "limits",
    "labels",
    "file",
    "env",
    "sep",
    "client",
    "cert",
    "mode",
    "<<",
    "a",
]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates()
variables = st.lists(st.sampled_from(KNOWN).map(str.upper) | st.sampled_from("019"), max_size=5).map(tuple)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KNOWN) | scalars, inner, max_size=5),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(KNOWN), trees, max_size=5))
def test_any_tree_is_read_or_refused(file, raw):
    _read_or_refuse(file, yaml.dump(raw, allow_unicode=True).encode(errors="replace"))


@given(st.text(alphabet=st.sampled_from("ab:-?[]{}#&*!|>'\"%@`, \n\t<0123.\\~="), max_size=60))
def test_any_text_is_read_or_refused(file, text):
    _read_or_refuse(file, text.encode())


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(file, raw):
    _read_or_refuse(file, raw)


@given(st.dictionaries(variables, st.text(max_size=30), max_size=4))
def test_any_environment_is_read_or_refused(file, values):
    environ = {"__".join(["CHATSUBO", *keys]): value for keys, value in values.items()}
    _read_or_refuse(file, b"vpns: [{realm: a, url: 'http://a', token: t}]\n", environ)


def _read_or_refuse(file: Path, raw: bytes, environ: dict[str, str] | None = None) -> None:
    file.write_bytes(raw)
    problems: tuple[Problem, ...] = ()
    try:
        load(file, KINDS, hints=HINTS, environ=environ or {})
    except ConfigError as error:
        problems = error.problems
        str(error).encode()
        event("refused")
    else:
        event("read")
    assert all(problem.sentence for problem in problems)
    json.dumps([problem.to_json() for problem in problems], ensure_ascii=False).encode()
