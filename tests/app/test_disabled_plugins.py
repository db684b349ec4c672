"""A plugin that does not work stops nothing but itself, and says why where somebody looks."""

import asyncio
import logging
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
import yaml

from chatsubo.app.logs import configure_logs
from chatsubo.app.platform import Platform, running
from chatsubo.config import Logging, load
from chatsubo.domain.text import Text
from chatsubo.game.actor import Actor, Role
from chatsubo.providers.registry import Registry
from chatsubo.store.listings import ProviderListing, get_listing

YARD = """
    import logging
    from app.providers.base.provider import BaseProvider

    class Provider(BaseProvider):
        kind = "yard"

        @classmethod
        def from_config(cls, name, raw_conf, vpns):
            logging.getLogger("yard").warning("connecting with %s", raw_conf["token"])
            if "wrong" in raw_conf:
                raise ValueError("what is " + raw_conf["token"])
            return cls(raw_conf["realms"], vpns)

        def list_templates(self):
            return [{"name": "hello"}]

        def list_instances(self, realm=None):
            return []

        def reset(self, realm, template, session=None):
            return True
"""
SECRET = "hunter2-and-then-some"
REASON = "RuntimeError: not today (provider.py, line 1)"


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    """A platform with a plugin that works, one that does not import, and one that cannot make its provider."""
    for kind, code in (("yard", YARD), ("broken", "raise RuntimeError('not today')")):
        (tmp_path / "plugins" / kind).mkdir(parents=True)
        (tmp_path / "plugins" / kind / "provider.py").write_text(textwrap.dedent(code))
    conf = {"realms": ["wz01"], "token": SECRET}
    content = {
        "providers": {"yard": {"grass": conf, "weeds": {**conf, "wrong": True}}, "broken": {"gone": conf}},
        "server": {"allow_insecure_http": True},
        "database": {"url": f"sqlite:///{tmp_path / 'chatsubo.db'}"},
    }
    file = tmp_path / "chatsubo.yml"
    file.write_text(yaml.safe_dump(content))
    registry = Registry.load(tmp_path / "plugins")
    config = load(file, registry.config_models(), hints=registry.hints(), disabled=registry.reasons(), environ={})
    async with running(config, registry) as started:
        yield started


async def listing(platform: Platform, name: str) -> ProviderListing:
    """What is known of a provider once it was looked at."""
    async with asyncio.timeout(60):
        while True:
            async with platform.db.read() as tx:
                found = await get_listing(tx, name)
            if found is not None and (found.seen_at is not None or found.problem is not None):
                return found
            await asyncio.sleep(0.02)


async def test_the_others_are_served_and_the_disabled_ones_say_why(platform: Platform) -> None:
    assert list(platform.providers) == ["grass", "weeds", "gone"]
    assert [one.name for one in (await listing(platform, "grass")).templates] == ["hello"]
    gone, weeds = await listing(platform, "gone"), await listing(platform, "weeds")
    assert (gone.kind, gone.realms) == ("broken", ("wz01",))
    assert str(gone.problem) == "The machine's host cannot be used: its plugin is disabled. Tell an organiser."
    assert gone.problem_detail == f"broken/gone: {REASON}"
    assert weeds.problem_detail == "yard/weeds: from_config raised ValueError: what is ***"


async def test_the_organisers_see_the_plugin_and_the_provider(platform: Platform) -> None:
    await listing(platform, "gone")
    desk = await platform.game.desk.overview(Actor(1, "armitage", Role.ADMIN))
    [plugin] = desk.disabled_plugins
    assert (plugin.kind, str(plugin.reason)) == ("broken", REASON)
    assert plugin.origin.endswith("/plugins/broken")
    shown = {one.name: one.problem for one in desk.providers}
    assert isinstance(shown["gone"], Text)


async def test_what_a_plugin_writes_to_the_log_is_without_its_secrets(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], platform: Platform
) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        configure_logs(Logging())
        logging.getLogger("yard").warning("connecting with %s", SECRET)
        structlog.get_logger("chatsubo").warning("plugin.said", output=SECRET)
    finally:
        root.handlers[:], root.level = before
    written = capfd.readouterr().err
    assert "connecting with ***" in written
    assert '"output": "***"' in written
    assert SECRET not in written
