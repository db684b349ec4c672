"""``chatsubo check-config``."""

import json
from pathlib import Path

import pytest

from chatsubo.domain.text import Text
from chatsubo.providers.registry import Disabled, Registry

GOOD = """
providers:
  engine:
    wz_docker: {root: /srv, realms: [wz01, wz02], api: {host: docker.example, password: hunter2}}
vpns:
  - {realm: wz09, url: "http://gate.example", token: hunter2}
server: {url: "https://ctf.example"}
database: {url: "postgresql://ctf:hunter2@db.example/ctf"}
"""
BAD = "server: {hosst: x, port: 70000}\nvpns: [{realm: a, url: 'http://a', token: [hunter2]}]\n"


def test_a_good_file_shows_what_is_configured_and_no_secret(run):
    Path("good.yml").write_text(GOOD)
    result = run("check-config", "good.yml")
    assert result.exit_code == 0
    for word in ("good.yml can be used", "wz_docker", "wz01, wz02", "http://gate.example", "https://ctf.example"):
        assert word in result.stdout
    assert "postgresql://db.example/ctf" in result.stdout
    assert str(Path("media").absolute()) in result.stdout.replace("\n", "")
    assert "Warning: vpns.0: no provider serves the realm wz09" in result.stderr
    assert "hunter2" not in result.output


def test_a_bad_file_shows_every_problem_and_ends_with_2(run):
    Path("bad.yml").write_text(BAD)
    result = run("check-config", "bad.yml")
    assert result.exit_code == 2
    assert "bad.yml cannot be used: 3 problems" in result.stdout
    for word in ("server.hosst (line 1)", "Did you mean", "server.port (line 1)", "65535", "vpns.0.token (line 2)"):
        assert word in result.stdout
    assert "hunter2" not in result.output


def test_machines_get_one_line_of_json(run):
    Path("good.yml").write_text(GOOD)
    Path("bad.yml").write_text(BAD)
    good = json.loads(run("check-config", "good.yml", "--json").stdout)
    assert good["valid"] is True
    assert good["media"] == str(Path("media").absolute())
    assert good["providers"] == [{"kind": "engine", "name": "wz_docker", "realms": ["wz01", "wz02"]}]
    assert "hunter2" not in json.dumps(good)
    bad = run("check-config", "bad.yml", "--json")
    assert bad.exit_code == 2
    assert [problem["path"] for problem in json.loads(bad.stdout)["problems"]] == [
        "server.hosst",
        "server.port",
        "vpns.0.token",
    ]


@pytest.mark.parametrize("how", ["default", "variable"])
def test_the_file_may_be_left_out(run, how):
    Path("config").mkdir()
    name = "config/chatsubo.yml" if how == "default" else "other.yml"
    Path(name).write_text("server: {}\n")
    result = run("check-config", env={"CHATSUBO_CONFIG": "other.yml"} if how == "variable" else {})
    assert result.exit_code == 0
    assert f"{name} can be used" in result.stdout


def test_a_missing_file_is_a_problem_not_a_crash(run):
    result = run("check-config", "nowhere.yml")
    assert result.exit_code == 2
    assert "no such file" in result.stdout


@pytest.fixture
def _broken_plugins(monkeypatch):
    broken = [Disabled(kind, f"{kind}.plugin", Text("ImportError: no client")) for kind in ("pve", "homemade")]
    monkeypatch.setattr(Registry, "load", lambda _: Registry({}, broken))


@pytest.mark.usefixtures("_broken_plugins")
def test_a_plugin_that_cannot_be_used_is_noted_unless_it_is_an_extra_that_nobody_asked_for(run):
    Path("good.yml").write_text(GOOD)
    good = run("check-config", "good.yml")
    assert (good.exit_code, good.stdout.count("can be used")) == (0, 1)
    assert "the plugin homemade (homemade.plugin) is disabled: ImportError: no client" in good.stderr
    assert "the plugin pve" not in good.stderr


@pytest.mark.usefixtures("_broken_plugins")
def test_a_plugin_that_was_asked_for_and_cannot_be_used_says_why(run):
    Path("bad.yml").write_text("providers: {pve: {a: {}}}\n")
    bad = run("check-config", "bad.yml")
    assert "pip install 'chatsubo[pve]'" in bad.stdout
    assert "the plugin pve (pve.plugin) is disabled: ImportError: no client" in bad.stderr


def test_a_variable_is_named_where_it_is_wrong(run):
    Path("good.yml").write_text(GOOD)
    result = run("check-config", "good.yml", env={"CHATSUBO__SERVER__PORT": "many"})
    assert "server.port (CHATSUBO__SERVER__PORT)" in result.stdout
