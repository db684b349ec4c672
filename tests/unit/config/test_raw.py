"""Configurations of plugins without a model, and of plugins that are disabled."""

import pytest
from rich.pretty import pretty_repr

from chatsubo.config import ConfigError, RawConfig, load
from chatsubo.domain.text import Text

RAW = """
server: {{allow_insecure_http: true}}
providers:
  yard:
    lab:
      realms: [wz01, wz02]
      sep: "--"
      nodes: [a, b]
      verify_ssl: true
      api: {{host: h.example, port: 8006, token: {{name: chatsubo, value: {value}}}}}
      pin: 1234
"""


def read(tmp_path, text, **options):
    file = tmp_path / "chatsubo.yml"
    file.write_text(text)
    return load(file, {"yard": RawConfig}, environ=options.pop("environ", {}), **options)


@pytest.mark.parametrize("value", ["hunter2", "{file: token}", "{env: TOKEN}"])
def test_everything_is_given_as_it_was_written_with_references_followed(tmp_path, value):
    (tmp_path / "token").write_text("hunter2\n")
    (tmp_path / "token").chmod(0o600)
    config = read(tmp_path, RAW.format(value=value), environ={"TOKEN": "hunter2"})
    [entry] = config.providers
    assert entry.realms == ("wz01", "wz02")
    assert entry.model.raw == {
        "realms": ["wz01", "wz02"],
        "sep": "--",
        "nodes": ["a", "b"],
        "verify_ssl": True,
        "api": {"host": "h.example", "port": 8006, "token": {"name": "chatsubo", "value": "hunter2"}},
        "pin": 1234,
    }
    assert {one.reveal() for one in entry.model.secrets} == {"hunter2", "1234"}
    assert [one.reveal() for one in entry.model.certain] == ["hunter2"]
    assert "hunter2" not in repr(config) + str(entry.model) + pretty_repr(config) + pretty_repr(entry.model)
    assert "1234" not in pretty_repr(config)
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("providers: {yard: {lab: {token: {file: nowhere}, realms: [wz01]}}}", "providers.yard.lab.token.file"),
        ("providers: {yard: {lab: {token: x}}}", "providers.yard.lab.realms"),
        ("providers: {yard: {lab: [x]}}", "providers.yard.lab"),
    ],
)
def test_what_cannot_be_used_is_a_problem_with_its_path(tmp_path, text, path):
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert raised.value.problems[0].path.startswith(path.removesuffix(".file"))


def test_a_provider_whose_plugin_is_disabled_is_put_aside_and_its_realm_still_counts(tmp_path):
    text = """
    server: {allow_insecure_http: true}
    providers:
      broken: {gone: {realms: [wz07, wz07], token: hunter2, odd: [1]}}
      yard: {lab: {realms: [wz01]}}
    vpns: [{realm: wz07, url: "http://gate.example", token: x}]
    """
    config = read(tmp_path, text, disabled={"broken": Text("it does not work")})
    assert [one.name for one in config.providers] == ["lab"]
    [gone] = config.disabled
    assert (gone.kind, gone.name, gone.realms) == ("broken", "gone", ("wz07",))
    [warning] = config.warnings
    assert str(warning) == "providers.broken.gone is disabled, since its plugin is: it does not work"
    assert "hunter2" not in repr(config)


def test_an_unknown_kind_is_still_a_mistake_and_so_is_an_extra_that_is_not_installed(tmp_path):
    text = "providers: {unknown: {a: {realms: [x]}}, docker: {b: {realms: [x]}}}"
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text, hints={"docker": "docker"}, disabled={"docker": Text("no module")})
    assert [one.path for one in raised.value.problems] == ["providers.unknown", "providers.docker"]


def test_two_providers_of_one_name_are_a_mistake_even_if_one_is_disabled(tmp_path):
    text = "providers: {broken: {lab: {realms: [x]}}, yard: {lab: {realms: [x]}}}"
    with pytest.raises(ConfigError):
        read(tmp_path, text, disabled={"broken": Text("it does not work")})
