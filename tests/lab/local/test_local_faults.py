"""Bad input and faults: each gets a clear error and leaves nothing."""

import asyncio
import os
import socket
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chatsubo.domain.text import Text
from chatsubo.providers.base import StartOrder
from chatsubo.providers.exc import (
    BuildFailed,
    Cancelled,
    Misconfigured,
    NoCapacity,
    NotReady,
    TemplateNotFound,
    TimedOut,
)
from chatsubo.providers.local import LocalProvider, runs
from chatsubo.testing import Recorder, make_order
from tests.lab.local.conftest import HELLO, PATIENCE, SHELL
from tests.lab.local.looking import ask, fails, files_below, make_template, processes_below, start

MakeProvider = Callable[..., LocalProvider]


async def test_a_service_that_never_listens_is_not_ready(
    make_provider: MakeProvider, templates: Path, data: Path
) -> None:
    make_template(templates, "mute", "command: [sh, -c, 'echo starting on $SESSION; sleep 987']\nports: {tcp: 4000}\n")

    class Held(Recorder):
        def stage(self, text: Text) -> None:
            """Hold the platform up, before it begins to look at the port, until the box has said something."""
            super().stage(text)
            end = time.monotonic() + PATIENCE
            while text.params.get("port") == 4000 and not any(log.stat().st_size for log in data.glob("runs/*/log")):
                assert time.monotonic() < end
                time.sleep(0.02)

    told, order = Held(), make_order()
    with pytest.raises(NotReady):
        await start(make_provider(ready_timeout=0.1), replace(order, progress=told), "mute")
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


async def test_what_cannot_be_removed_is_reported_and_hides_no_instance(
    provider: LocalProvider, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(run: Path) -> None:
        raise TimedOut(f"the processes of {run.name} do not end")

    order = make_order()
    await start(provider, order)
    (data / "runs" / "left.over").mkdir()
    with monkeypatch.context() as during:
        during.setattr(runs, "_destroy", refuses)
        for _ in range(2):
            listing = await provider.list_instances()
            assert [one.session for one in listing.items] == [order.id]
            [stuck] = listing.rejected
            assert stuck.name == "left.over"
            assert "the processes of left.over do not end" in str(stuck.reason)

    assert not (await provider.list_instances()).rejected
    await provider.stop_dynamic_instance(order.id)


async def test_what_a_box_writes_is_for_the_platform_alone(provider: LocalProvider, data: Path) -> None:
    order = make_order()
    await start(provider, order)
    [log] = (data / "runs").glob("*/log")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    await provider.stop_dynamic_instance(order.id)
