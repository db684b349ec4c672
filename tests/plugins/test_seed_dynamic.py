"""A dynamic plugin in the founding document's style: what it starts is read back, whatever it returns."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from chatsubo.providers.base import BaseProvider, StartOrder
from chatsubo.providers.exc import (
    BackendConnectionException,
    Cancelled,
    InstanceNotFound,
    Misconfigured,
    ProviderError,
    TemplateNotFound,
    TimedOut,
)
from chatsubo.providers.seedstyle import SeedStyleProvider

DOCKERFILE = """FROM scratch
ARG FLAG0
ARG RNG0=toor
ARG SESSION
LABEL chatsubo.template="hello" chatsubo.session="$SESSION" \\
      chatsubo.flags.first.value="$FLAG0" chatsubo.flags.first.points="250" \\
      chatsubo.creds.ssh.username="level0" chatsubo.creds.ssh.password="$RNG0"
"""


@pytest.fixture
def yard(tmp_path: Path, provider: Callable[..., BaseProvider]) -> BaseProvider:
    """A provider with the templates ``hello`` and ``cursed``."""
    for name in ("hello", "cursed"):
        folder = tmp_path / "dockerfiles" / name
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text(DOCKERFILE.replace("hello", name))
    (tmp_path / "machines").mkdir()
    settings = {"dockerfiles_root": str(tmp_path / "dockerfiles"), "machines": str(tmp_path / "machines")}
    return provider("seed_dynamic/yard", **settings, flag_prefix="CTF", password="hunter2-long-one")


def order(session: str, seconds: float = 10.0) -> StartOrder:
    values = {"SESSION": session, "FLAG0": "CTF{ours}", "RNG0": "ours"}
    return StartOrder(session, values, 1, time.monotonic() + seconds)


async def start(yard: BaseProvider, session: str, template: str = "hello", **options: float):
    return await yard.start_dynamic_instance("wz01", template, session, order(session, **options))


async def test_its_templates_are_dynamic_and_their_labels_are_read(yard: BaseProvider) -> None:
    assert (await yard.check()).is_dynamic
    templates = {one.name: one for one in (await yard.list_templates()).items}
    assert set(templates) == {"hello", "cursed"}
    assert templates["hello"].dynamic
    assert templates["hello"].flags[0].points == 250


async def test_a_start_that_returns_none_gives_the_instance_with_the_flags_that_the_plugin_made(
    yard: BaseProvider,
) -> None:
    session = str(uuid4())
    machine = await start(yard, session)
    assert (machine.session, machine.realm, machine.template) == (session, "wz01", "hello")
    assert machine.address
    [flag], [creds] = machine.flags, machine.creds
    assert flag.value.startswith("CTF{")
    assert flag.value != "CTF{ours}"
    assert (creds.username, len(creds.password)) == ("level0", 8)
    assert (await yard.list_instances("wz01")).items[0].flags == machine.flags


async def test_a_second_start_of_a_session_adopts_what_is_there(yard: BaseProvider) -> None:
    session = str(uuid4())
    assert (await start(yard, session)).flags == (await start(yard, session)).flags
    assert len((await yard.list_instances()).items) == 1


async def test_two_starts_of_a_session_at_once_make_one_machine(yard: BaseProvider) -> None:
    session = str(uuid4())
    first, second = await asyncio.gather(start(yard, session), start(yard, session))
    assert first.flags == second.flags


async def test_a_newer_generation_takes_the_place_of_an_older_and_an_older_one_disturbs_nothing(
    yard: BaseProvider,
) -> None:
    session = str(uuid4())
    first = await start(yard, session)
    newer = replace(order(session), generation=3)
    second = await yard.start_dynamic_instance("wz01", "hello", session, newer)
    assert (first.generation, second.generation) == (1, 3)
    assert second.flags != first.flags
    for late in (start(yard, session), yard.reset("wz01", "hello", order(session))):
        with pytest.raises(Cancelled):
            await late
    assert (await yard.list_instances()).items[0].flags == second.flags


async def test_a_reset_of_what_is_gone_makes_it_anew(yard: BaseProvider) -> None:
    session = str(uuid4())
    assert (await yard.reset("wz01", "hello", order(session))).session == session
    with pytest.raises(InstanceNotFound):
        await yard.reset("wz01", "hello")


@pytest.mark.parametrize(
    ("template", "reason"),
    [("nothing", "start_dynamic_instance: no template is called nothing"), ("cursed", "it returned False")],
)
async def test_an_error_text_and_false_are_failures(yard: BaseProvider, template: str, reason: str) -> None:
    with pytest.raises(ProviderError, match=reason) as raised:
        await start(yard, str(uuid4()), template)
    assert isinstance(raised.value, TemplateNotFound) == (template == "nothing")
    assert not (await yard.list_instances()).items


async def test_a_reset_gives_new_flags_and_the_same_session(yard: BaseProvider) -> None:
    session = str(uuid4())
    before = await start(yard, session)
    second = replace(order(session), generation=2)
    after = await yard.reset("wz01", "hello", second)
    assert after.session == before.session
    assert after.flags != before.flags
    assert (await yard.reset("wz01", "hello", second)).flags == after.flags, "an order that is repeated resets once"


async def test_what_is_gone_is_stopped_whatever_the_plugin_says(yard: BaseProvider) -> None:
    session = str(uuid4())
    await start(yard, session)
    await yard.stop_dynamic_instance(session)
    await yard.stop_dynamic_instance(session)
    assert not (await yard.list_instances()).items


async def test_twenty_starts_at_once_are_twenty_machines(yard: BaseProvider) -> None:
    sessions = [str(uuid4()) for _ in range(20)]
    machines = await asyncio.gather(*(start(yard, session) for session in sessions))
    assert [one.session for one in machines] == sessions
    assert len({one.flags[0].value for one in machines}) == 20


def plugin_of(yard: BaseProvider) -> type:
    assert isinstance(yard, SeedStyleProvider)
    return yard.plugin


async def test_a_start_that_raises_leaves_nothing_behind(yard: BaseProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = plugin_of(yard).start_dynamic_instance  # type: ignore[attr-defined]

    def half(plugin, realm, template, session_id):
        begin(plugin, realm, template, session_id)
        raise ConnectionResetError("the yard's gate fell shut: hunter2-long-one")

    monkeypatch.setattr(plugin_of(yard), "start_dynamic_instance", half)
    with pytest.raises(BackendConnectionException, match=r"ConnectionResetError: the yard's gate fell shut: \*\*\*"):
        await start(yard, str(uuid4()))
    assert not (await yard.list_instances()).items


@pytest.mark.parametrize("how", ["deadline", "cancelled"])
async def test_a_start_that_takes_too_long_or_is_called_off_leaves_nothing_behind(
    yard: BaseProvider, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    begin = plugin_of(yard).start_dynamic_instance  # type: ignore[attr-defined]
    begun, go_on = threading.Event(), threading.Event()

    def slow(plugin, realm, template, session_id):
        begun.set()
        go_on.wait(10)
        begin(plugin, realm, template, session_id)

    monkeypatch.setattr(plugin_of(yard), "start_dynamic_instance", slow)
    starting = asyncio.create_task(start(yard, str(uuid4()), seconds=0.2 if how == "deadline" else 10))
    await asyncio.to_thread(begun.wait, 10)
    asyncio.get_running_loop().call_later(0.4, go_on.set)
    if how == "cancelled":
        starting.cancel()
    with pytest.raises(TimedOut if how == "deadline" else asyncio.CancelledError):
        await starting
    assert not (await yard.list_instances()).items


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "it returned None instead of a list"),
        ("the yard burns: hunter2-long-one", r"the yard burns: \*\*\*"),
        (False, "it returned a bool instead of a list"),
        ({"name": "hello"}, "it returned a dict instead of a list"),
    ],
)
async def test_a_listing_that_is_none_is_an_error(
    yard: BaseProvider, monkeypatch: pytest.MonkeyPatch, answer: object, reason: str
) -> None:
    monkeypatch.setattr(plugin_of(yard), "list_instances", lambda *_: answer)
    with pytest.raises(ProviderError, match=reason):
        await yard.list_instances()


async def test_what_is_odd_in_a_listing_is_rejected_and_the_rest_is_used(
    yard: BaseProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {"id": 7, "name": "good", "realm": "wz01", "template": "hello", "address": "10.0.0.7"}
    odd = {**good, "id": 8, "name": "odd", "flags": [{"name": "a", "value": "b", "points": "many"}], "labels": 3}
    elsewhere = {**good, "realm": "other"}
    listed = [good, None, "text", odd, {"name": "bare"}, object(), elsewhere]
    monkeypatch.setattr(plugin_of(yard), "list_instances", lambda *_: iter(listed))
    listing = await yard.list_instances()
    assert [one.name for one in listing.items] == ["good", "odd"]
    assert [(one.name, str(one.reason)) for one in listing.rejected] == [
        ("?", "None was listed instead of a dictionary"),
        ("?", "a str was listed instead of a dictionary"),
        ("odd", "a flag needs a name, a value and points"),
        ("bare", "it does not say its realm, template, address"),
        ("?", "an object was listed instead of a dictionary"),
    ]


async def test_a_configuration_that_the_plugin_cannot_use_names_what_it_missed(
    provider: Callable[..., BaseProvider],
) -> None:
    with pytest.raises(Misconfigured, match="yard/lab: from_config raised KeyError: 'dockerfiles_root'"):
        await provider("seed_dynamic/yard").check()


async def test_a_provider_that_is_away_is_made_again_when_it_is_asked_next(yard: BaseProvider, tmp_path: Path) -> None:
    (tmp_path / "dockerfiles").rename(tmp_path / "away")
    check = await yard.check()
    assert (check.reachable, str(check.findings[0].text)) == (False, "yard/lab: the yard is closed")
    (tmp_path / "away").rename(tmp_path / "dockerfiles")
    assert (await yard.check()).reachable
