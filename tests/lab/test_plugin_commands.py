"""``chatsubo plugin new`` and ``chatsubo plugin check``, on a plugin that works and on one that does not."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatsubo.cli import main
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.exc import Locked
from chatsubo.testing import load_plugin, make_order

HELLO = {"chatsubo.flags.user.value": "$FLAG0", "chatsubo.flags.user.points": "100"}
MAIL = {"chatsubo.template": "mail", "chatsubo.realm": "wz01", "chatsubo.address": "10.0.0.7"}
KIND = "my-lab"
LEAKING = """
from chatsubo.config import ProviderConfig, Secret
from chatsubo.providers.base import BaseProvider

class Settings(ProviderConfig, frozen=True, kw_only=True):
    token: Secret

class Provider(BaseProvider):
    kind, Config = "leak", Settings

    @classmethod
    def from_config(cls, name, raw_conf, vpns):
        made = cls(raw_conf.realms, vpns)
        made.name, made.token = name, raw_conf.token.reveal()
        return made

    async def check(self):
        raise RuntimeError(f"refused: {self.token}")

    list_templates = list_instances = reset = check
"""


def chatsubo(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plugin", *arguments])


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A plugin as it is written, dropped into the folder of plugins."""
    done = chatsubo("new", KIND, "--dir", str(tmp_path / "plugins"))
    assert done.exit_code == 0, done.output
    return tmp_path / "plugins" / KIND


@pytest.fixture
def config(plugin: Path, tmp_path: Path) -> Path:
    """A configuration with a provider of it, whose hypervisor has a template and a machine that players share."""
    for part in ("templates", "machines"):
        (tmp_path / "there" / part).mkdir(parents=True)
    (tmp_path / "there" / "templates" / "hello.json").write_text(json.dumps(HELLO))
    machine = {"id": "7", "name": "mail", "labels": MAIL, "address": None, "running": True, "disk": "played"}
    (tmp_path / "there" / "machines" / "mail.json").write_text(json.dumps(machine))
    file = tmp_path / "chatsubo.yml"
    file.write_text(f"providers: {{{KIND}: {{here: {{realms: [wz01], folder: {tmp_path}/there}}}}}}\n")
    return file


def provider_of(plugin: Path, tmp_path: Path) -> BaseProvider:
    made = load_plugin(plugin)
    config = made.Config(realms=("wz01",), folder=tmp_path / "there")  # type: ignore[call-arg]
    return made.from_config("here", config, ())


def machines(tmp_path: Path) -> dict[str, str]:
    files = (tmp_path / "there" / "machines").iterdir()
    return {file.stem: json.loads(file.read_text())["disk"] for file in files}


def test_the_tests_of_a_new_plugin_pass_as_written(plugin: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(plugin)]
    done = subprocess.run(command, cwd=plugin.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


def test_a_plugin_that_raises_its_secret_shows_it_in_no_output(tmp_path: Path) -> None:
    folder = tmp_path / "plugins" / "leak"
    folder.mkdir(parents=True)
    (folder / "provider.py").write_text(LEAKING)
    file = tmp_path / "chatsubo.yml"
    file.write_text("providers: {leak: {here: {realms: [wz01], token: hunter2-hunter2}}}\n")
    for words in (["plugin", "check", "leak"], ["inventory"], ["doctor"]):
        command = [sys.executable, "-m", "chatsubo.cli", *words, "--config", str(file)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert "RuntimeError: refused" in done.stdout, done.stderr
        assert "hunter2-hunter2" not in done.stdout + done.stderr
        assert "something unexpected" not in done.stderr


async def test_a_stop_of_a_new_plugin_removes_what_a_write_that_failed_left(
    plugin: Path, tmp_path: Path, config: Path
) -> None:
    order = make_order()
    left = tmp_path / "there" / "machines" / f"chatsubo-{order.id}.14144.140675257411264"
    left.write_text("{}")
    await provider_of(plugin, tmp_path).stop_dynamic_instance(order.id)
    assert list(machines(tmp_path)) == ["mail"]


async def test_a_new_plugin_rejects_a_generation_that_is_no_number(plugin: Path, tmp_path: Path, config: Path) -> None:
    odd = {"id": "8", "name": "odd", "labels": {**MAIL, "chatsubo.generation": "second"}, "address": None}
    (tmp_path / "there" / "machines" / "odd.json").write_text(json.dumps({**odd, "running": True}))
    listing = await provider_of(plugin, tmp_path).list_instances()
    assert ([one.name for one in listing.items], [one.name for one in listing.rejected]) == (["mail"], ["odd"])


async def test_a_new_plugin_leaves_a_machine_that_another_platform_is_making(
    plugin: Path, tmp_path: Path, config: Path
) -> None:
    order = make_order()
    made = tmp_path / "there" / "machines" / f"chatsubo-{order.id}.json"
    made.write_text(json.dumps({"id": "9", "name": made.stem, "labels": {}, "address": None, "running": False}))
    with pytest.raises(Locked):
        await provider_of(plugin, tmp_path).start_dynamic_instance("wz01", "hello", order.id, order)
    assert made.exists()


@pytest.mark.parametrize("kind", ["My Lab", "../x", "docker", "base", "1st", "a" * 40, ""])
def test_a_bad_kind_is_refused(tmp_path: Path, kind: str) -> None:
    done = chatsubo("new", kind, "--dir", str(tmp_path))
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_left_alone(plugin: Path) -> None:
    (plugin / "provider.py").write_text("mine")
    assert chatsubo("new", KIND, "--dir", str(plugin.parent)).exit_code == 1
    assert (plugin / "provider.py").read_text() == "mine"


def test_what_was_written_is_there_for_programs(tmp_path: Path) -> None:
    file = tmp_path / "here" / "chatsubo.yml"
    done = chatsubo("new", KIND, "--dir", str(tmp_path), "--config", str(file), "--json")
    told = json.loads(done.output)
    assert (told["kind"], told["folder"]) == (KIND, str(tmp_path / KIND))
    assert told["plugins"] == str(tmp_path / "here" / "plugins")
    assert sorted(told["files"]) == sorted(str(path) for path in (tmp_path / KIND).rglob("*") if path.is_file())


def test_where_a_plugin_goes_once_it_works_is_told(tmp_path: Path) -> None:
    file = tmp_path / "here" / "chatsubo.yml"
    done = chatsubo("new", KIND, "--dir", str(tmp_path), "--config", str(file))
    assert f"move it to {tmp_path / 'here' / 'plugins'}" in done.output
    shutil.move(tmp_path / KIND, tmp_path / "here" / "plugins" / KIND)
    again = chatsubo("new", KIND, "--dir", str(tmp_path), "--config", str(file))
    assert (again.exit_code, "there is a plugin of the kind my-lab already" in again.output) == (2, True)


def test_a_check_of_a_plugin_that_is_disabled_says_why(config: Path, plugin: Path) -> None:
    (plugin / "provider.py").write_text("import nothing_of_the_kind")
    done = chatsubo("check", KIND, "--config", str(config))
    assert done.exit_code == 1
    assert f"✗ {KIND}/here: ModuleNotFoundError: No module named 'nothing_of_the_kind'" in done.output


def test_failures_of_one_reason_are_told_together(config: Path, plugin: Path) -> None:
    provider = plugin / "provider.py"
    text = provider.read_text()
    provider.write_text(text.replace('order.progress.stage(Text("Making the machine"))', 'raise KeyError("address")'))
    assert provider.read_text() != text
    done = chatsubo("check", KIND, "--config", str(config), "--only", "a start")
    assert done.exit_code == 1
    before, _, after = done.output.partition("Failed:")
    assert before.count("it raised KeyError: 'address'\n") > 3
    assert after.count("it raised KeyError: 'address'\n") == 1
    assert "never retrieved" not in done.output


def test_a_check_says_what_passed_and_what_was_not_asked_for_and_leaves_nothing(config: Path, tmp_path: Path) -> None:
    done = chatsubo("check", KIND, "--config", str(config))
    assert done.exit_code == 0, done.output
    assert f"{KIND}/here" in done.output
    assert "✓ A stop leaves nothing" in done.output
    assert "it would reset a machine that players share" in done.output
    assert "0 failed" in done.output
    assert machines(tmp_path) == {"mail": "played"}


def test_a_machine_that_players_share_is_reset_only_when_it_is_named(config: Path, tmp_path: Path) -> None:
    done = chatsubo("check", KIND, "--config", str(config), "--reset", "mail", "--json")
    assert done.exit_code == 0, done.output
    [verdict] = json.loads(done.output)
    outcomes = {one["check"]: one["outcome"] for one in verdict["checks"]}
    assert outcomes["a_classic_reset_returns_the_machine_where_it_was"] == "passed"
    assert outcomes["a_classic_reset_brings_the_initial_state_back"] == "not-asked"
    assert machines(tmp_path) == {"mail": ""}


def test_a_check_of_a_wrong_plugin_says_what_is_wrong(config: Path, plugin: Path) -> None:
    provider = plugin / "provider.py"
    text = provider.read_text()
    provider.write_text(text.replace("await self._change(self._hypervisor.remove, _name(session_id))", "pass"))
    assert provider.read_text() != text
    done = chatsubo("check", KIND, "--config", str(config), "--json")
    assert done.exit_code == 1
    [verdict] = json.loads(done.output)
    failed = {one["check"]: one["reason"] for one in verdict["checks"] if one["outcome"] == "failed"}
    assert "after a stop there is still instance" in failed["a_stop_leaves_nothing"]


def test_a_check_of_a_hypervisor_that_is_away_says_so(config: Path, tmp_path: Path) -> None:
    (tmp_path / "there").rename(tmp_path / "away")
    done = chatsubo("check", KIND, "--config", str(config))
    assert done.exit_code == 1
    assert "No such file" in done.output
    assert "→ Check `folder` in the configuration." in done.output
    assert "passed" not in done.output


@pytest.mark.parametrize("arguments", [("nothing",), (KIND, "--name", "elsewhere")])
def test_a_kind_that_is_not_configured_cannot_be_checked(config: Path, arguments: tuple[str, ...]) -> None:
    done = chatsubo("check", *arguments, "--config", str(config))
    assert done.exit_code == 2
    assert "is configured" in done.output
