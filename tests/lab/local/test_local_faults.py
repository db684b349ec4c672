"""Bad input and faults: each gets a clear error and leaves nothing."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from chatsubo.providers.base import StartOrder
from chatsubo.providers.exc import (
    BuildFailed,
    Cancelled,
    Misconfigured,
    NoCapacity,
    NotReady,
    TemplateNotFound,
)
from chatsubo.providers.local import LocalProvider
from chatsubo.testing import Recorder, make_order
from tests.lab.local.conftest import HELLO, SHELL
from tests.lab.local.looking import ask, fails, files_below, make_template, processes_below, start

MakeProvider = Callable[..., LocalProvider]


async def test_a_service_that_never_listens_is_not_ready(
    make_provider: MakeProvider, templates: Path, data: Path
) -> None:
    make_template(templates, "mute", "command: [sh, -c, 'echo starting on $SESSION; sleep 987']\nports: {tcp: 4000}\n")
    told = await fails(make_provider(ready_timeout=0.5), "mute", NotReady)
    assert "starting on" in told.logged
    assert not processes_below(data)
    assert not files_below(data)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("[sh, -c, 'echo out of order; exit 3']", "out of order\n[the command ended with status 3]"),
        ("[no-such-program]", "no-such-program cannot be run"),
        ('["{python}", nowhere.py]', "nowhere.py"),
    ],
)
async def test_a_command_that_ends_is_told_with_its_output(
    provider: LocalProvider, templates: Path, data: Path, command: str, said: str
) -> None:
    make_template(templates, "ends", f"command: {command}\nports: {{tcp: 4000}}\n")
    assert said in (await fails(provider, "ends", NotReady)).logged
    assert not processes_below(data)
    assert not files_below(data)


async def test_a_used_up_range_is_no_capacity_until_one_is_free(make_provider: MakeProvider, data: Path) -> None:
    provider = make_provider(address_range="127.78.3.0/30")
    orders = [make_order() for _ in range(2)]
    addresses = {(await start(provider, order)).address for order in orders}
    assert addresses == {"127.78.3.1", "127.78.3.2"}
    await fails(provider, "hello", NoCapacity)
    assert len(list((data / "runs").iterdir())) == 2
    await provider.stop_dynamic_instance(orders[0].id)
    again = make_order()
    assert (await start(provider, again)).address in addresses
    await asyncio.gather(*(provider.stop_dynamic_instance(order.id) for order in (orders[1], again)))


async def test_a_port_that_is_taken_is_replaced_by_a_free_one(make_provider: MakeProvider, templates: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        taken = everywhere.getsockname()[1]
        make_template(templates, "crowded", HELLO.replace("4000", str(taken)), {"shell.py": SHELL})
        provider = make_provider()
        order = make_order()
        instance = await start(provider, order, "crowded")
        assert instance.endpoints[0].port != taken
        assert await asyncio.to_thread(ask, instance, "cat flags/user.txt") == order.values["FLAG0"]
        await provider.stop_dynamic_instance(order.id)


async def test_a_stop_calls_off_a_start_that_waits(provider: LocalProvider, templates: Path, data: Path) -> None:
    make_template(templates, "mute", "command: [sleep, '987']\nports: {tcp: 4000}\n")
    recorder = Recorder(stop_at=3)
    order = make_order(progress=recorder)
    starting = asyncio.create_task(start(provider, order, "mute"))
    await recorder.reached.wait()
    await provider.stop_dynamic_instance(order.id)
    with pytest.raises(Cancelled):
        await starting
    assert not processes_below(data)
    assert not files_below(data)


async def test_a_reset_that_fails_leaves_nothing(provider: LocalProvider, templates: Path, data: Path) -> None:
    order = make_order()
    await start(provider, order)
    (templates / "hello" / "home" / "shell.py").write_text("raise SystemExit('out of order')")
    with pytest.raises(NotReady):
        await provider.reset("wz01", "hello", StartOrder(order.id, order.values, 2, order.deadline))
    assert not processes_below(data)
    assert not files_below(data)


async def test_a_home_folder_that_cannot_be_copied_is_a_failed_build(
    provider: LocalProvider, templates: Path, data: Path
) -> None:
    os.mkfifo(make_template(templates, "pipe", HELLO, {"shell.py": SHELL}) / "home" / "fifo")
    await fails(provider, "pipe", BuildFailed)
    assert not files_below(data)


async def test_a_broken_template_starts_nothing_and_says_what_is_wrong(
    provider: LocalProvider, templates: Path
) -> None:
    make_template(templates, "broken", "command: []\nport: {http: 80}\n")
    listing = await provider.list_templates()
    assert [template.name for template in listing.items] == ["hello"]
    assert {one.name for one in listing.rejected} == {"broken"}
    with pytest.raises(TemplateNotFound, match="ports"):
        await start(provider, make_order(), "broken")


async def test_folders_out_of_reach_are_told(make_provider: MakeProvider, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for changes in ({"templates_root": tmp_path / "nowhere"}, {"data": tmp_path / "file"}):
        provider = make_provider(**changes)
        check = await provider.check()
        assert not check.reachable
        assert not check.is_dynamic
        [bad] = [finding for finding in check.findings if not finding.ok]
        assert bad.remedy
        with pytest.raises(Misconfigured):
            await start(provider, make_order())


async def test_a_check_says_what_it_is_not(provider: LocalProvider, sandbox: str) -> None:
    check = await provider.check()
    texts = [str(finding.text) for finding in check.findings]
    assert any("isolates nothing to rely on" in text for text in texts)
    assert any("bubblewrap" in text for text in texts)
    assert sum(not finding.ok for finding in check.findings) == (1 if sandbox == "bubblewrap" else 2)
    assert not provider.allowed_beyond_demo


async def test_a_damaged_record_is_reported_and_can_be_stopped(provider: LocalProvider, data: Path) -> None:
    damaged, sound = make_order(), make_order()
    await asyncio.gather(start(provider, damaged), start(provider, sound))
    (data / "instances" / f"{damaged.id}.json").write_text("{")
    listing = await provider.list_instances()
    assert [one.session for one in listing.items] == [sound.id]
    assert [one.name for one in listing.rejected] == [f"{damaged.id}.json"]
    assert processes_below(data, damaged.id)
    await provider.stop_dynamic_instance(damaged.id)
    assert not processes_below(data, damaged.id)
    await provider.stop_dynamic_instance(sound.id)


async def test_a_session_that_is_no_file_name_goes_nowhere(provider: LocalProvider) -> None:
    with pytest.raises(Misconfigured):
        await provider.stop_dynamic_instance("../../etc")
