"""``chatsubo plugin`` and ``chatsubo inventory``."""

import json
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatsubo.cli import main

WORKS = """
    from app.providers.base.provider import BaseProvider

    class Provider(BaseProvider):
        kind = "yard"

        @classmethod
        def from_config(cls, name, raw_conf, vpns):
            print("a plugin that talks", raw_conf["token"])
            return cls(raw_conf["realms"], vpns)

        def list_templates(self):
            return [{"name": "hello", "labels": {"chatsubo.flags.a.value": "FLAG{x}", "chatsubo.flags.a.points": "3"}}]

        def list_instances(self, realm=None):
            machine = {"id": 1, "name": "grey", "realm": "wz01", "template": "hello", "address": "10.0.0.7"}
            return [machine, {"name": "half"}]

        def reset(self, realm, template, session=None):
            raise ConnectionError("no")
"""
FILE = """
server: {allow_insecure_http: true}
providers:
  yard: {lab: {realms: [wz01], token: hunter2-hunter2}}
  broken: {gone: {realms: [wz02], token: hunter2-hunter2}}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run ``chatsubo`` beside a configuration with a plugin that works, and one that does not."""
    for kind, code in (("yard", WORKS), ("broken", "raise RuntimeError('not today')")):
        (tmp_path / "plugins" / kind).mkdir(parents=True)
        (tmp_path / "plugins" / kind / "provider.py").write_text(textwrap.dedent(code))
    (tmp_path / "plugins").chmod(0o777)
    (tmp_path / "chatsubo.yml").write_text(FILE)
    monkeypatch.setenv("CHATSUBO_CONFIG", str(tmp_path / "chatsubo.yml"))
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_the_list_shows_what_each_plugin_can_and_where_it_comes_from(run, tmp_path):
    shown: Result = run("plugin", "list")
    assert shown.exit_code == 0
    line = next(one for one in shown.stdout.splitlines() if one.split()[:1] == ["yard"])
    assert "templates, instances, reset " in line
    assert f"folder: {tmp_path / 'plugins' / 'yard'}" in line
    assert "built in: chatsubo.providers.local:LocalProvider" in shown.stdout
    assert "✗ broken is disabled: RuntimeError: not today (provider.py, line 1)" in shown.stdout
    assert f"yard: {tmp_path / 'plugins'} can be changed by others" in shown.stdout
    assert f"chmod go-w {tmp_path / 'plugins'}" in shown.stdout


@pytest.mark.parametrize("arguments", [("plugin", "list"), ("plugin", "new", "rack"), ("inventory",)], ids=" ".join)
def test_what_plugins_print_when_they_are_imported_does_not_spoil_what_programs_read(
    run, tmp_path, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins" / "broken" / "provider.py").write_text("import sys\nprint('told')\nsys.stdout.write('noise')")
    assert json.loads(run(*arguments, "--json").stdout)


def test_the_list_is_there_for_programs_and_needs_no_configuration(run, tmp_path):
    told = json.loads(run("plugin", "list", "--json").stdout)
    plugins = {one["kind"]: one for one in told["plugins"]}
    assert plugins["yard"]["abilities"] == ["templates", "instances", "reset"]
    assert plugins["yard"]["way"] == "folder"
    assert "start" in plugins["local"]["abilities"]
    assert [(one["kind"], one["way"]) for one in told["disabled"]] == [("broken", "folder")]
    elsewhere = run("plugin", "list", "--config", str(tmp_path / "elsewhere" / "chatsubo.yml"))
    assert elsewhere.exit_code == 0
    assert "Folders of plugins can be dropped into" in elsewhere.stdout


def test_the_inventory_shows_what_each_provider_lists_and_no_secret(run):
    shown: Result = run("inventory")
    assert shown.exit_code == 1, "one of them could not be asked"
    assert "lab (yard) · wz01 · " in shown.stdout
    assert "requests not counted" in shown.stdout
    for words in (["hello", "shared", "1", "0"], ["grey", "wz01", "hello", "10.0.0.7", "-", "runs"]):
        assert any(one.split() == words for one in shown.stdout.splitlines())
    assert "✗ half: it does not say its realm, template, address" in shown.stdout
    assert "✗ broken/gone: RuntimeError: not today" in shown.stdout
    for secret in ("hunter2", "FLAG{x}"):
        assert secret not in shown.output
    assert "a plugin that talks" not in shown.stdout


def test_the_inventory_is_there_for_programs(run):
    lab, gone = json.loads(run("inventory", "--json").stdout)
    assert (lab["provider"], lab["problem"], lab["requests"]) == ("lab", None, None)
    assert lab["templates"] == [{"name": "hello", "dynamic": False, "flags": 1, "creds": 0, "warnings": []}]
    assert lab["instances"][0]["address"] == "10.0.0.7"
    assert lab["rejected"] == [{"name": "half", "reason": "it does not say its realm, template, address"}]
    assert gone["problem"].startswith("broken/gone: RuntimeError")


def test_a_file_that_can_be_used_says_which_provider_is_disabled(run):
    checked: Result = run("check-config", "--json")
    assert checked.exit_code == 0
    assert "providers.broken.gone is disabled, since its plugin is" in checked.stdout
    assert "hunter2" not in checked.output


def test_the_doctor_says_what_is_wrong_with_plugins(run, tmp_path):
    told = {one["part"]: one["findings"] for one in json.loads(run("doctor", "--json").stdout)}
    texts = [one["text"] for one in told["plugins"]]
    assert texts[0].startswith("broken: RuntimeError: not today")
    assert "can be changed by others" in texts[1]
    assert "chmod go-w" in told["plugins"][1]["remedy"]
    assert told["provider lab"][0]["ok"]
    assert "RuntimeError" in told["provider gone"][0]["text"]
