"""What a box may do, and what it is told."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from chatsubo.config import ByteSize
from chatsubo.providers.base import Limits, StartOrder
from chatsubo.providers.exc import (
    NotReady,
)
from chatsubo.providers.local import LocalLimits, LocalProvider
from chatsubo.testing import make_order
from tests.lab.local.conftest import HELLO, SHELL
from tests.lab.local.looking import ask, command_lines, fails, make_template, processes_below, start
from tests.needs import need

MakeProvider = Callable[..., LocalProvider]


BOMB = """
import os, time
n = 0
try:
    while n < 500:
        if not os.fork():
            time.sleep(600)
        n += 1
except OSError:
    print(n)
"""


async def test_a_fork_bomb_reaches_its_limit_and_dies_with_the_box(
    provider: LocalProvider, templates: Path, data: Path
) -> None:
    make_template(templates, "bomb", HELLO, {"shell.py": SHELL, "bomb.py": BOMB})
    order = make_order()
    asked = StartOrder(order.id, order.values, 1, order.deadline, limits=Limits(processes=24))
    instance = await start(provider, asked, "bomb")
    count = await asyncio.to_thread(ask, instance, "/usr/bin/python3 bomb.py > count 2>&1; cat count")
    assert 0 < int(count) < 24
    await provider.stop_dynamic_instance(order.id)
    assert not processes_below(data)


async def test_memory_and_files_are_limited(make_provider: MakeProvider) -> None:
    provider = make_provider(limits=LocalLimits(memory=ByteSize(200 << 20), file_size=ByteSize(1 << 20)))
    order = make_order()
    instance = await start(provider, order)
    memory = await asyncio.to_thread(ask, instance, "/usr/bin/python3 -c 'b = bytearray(300 << 20)'")
    assert "MemoryError" in memory
    await asyncio.to_thread(ask, instance, "head -c 3000000 /dev/zero > large")
    assert await asyncio.to_thread(ask, instance, "stat -c %s large") == f"{1 << 20}\n"
    await provider.stop_dynamic_instance(order.id)


@need.root
async def test_a_box_is_never_root(provider: LocalProvider) -> None:
    order = make_order()
    instance = await start(provider, order)
    uid, no_new_privileges, inside = (
        await asyncio.to_thread(ask, instance, "id -u; grep -h NoNewPrivs /proc/self/status; cat /etc/shadow 2>&1")
    ).split("\n", 2)
    assert int(uid) > 1_000_000
    assert no_new_privileges.split() == ["NoNewPrivs:", "1"]
    assert "root:" not in inside
    await provider.stop_dynamic_instance(order.id)


@need.bubblewrap
@pytest.mark.parametrize("sandbox", ["bubblewrap"])
async def test_in_bubblewrap_a_box_sees_neither_the_others_nor_the_host(provider: LocalProvider, data: Path) -> None:
    one, two = make_order(), make_order()
    instance, _ = await asyncio.gather(start(provider, one), start(provider, two))
    seen = await asyncio.to_thread(
        ask, instance, f"ls {data} /root/ /home; ls /proc | grep -c '^[0-9]'; touch /usr/x /x"
    )
    assert "No such file or directory" in seen
    assert "box" in seen.splitlines()
    assert seen.count("Read-only file system") == 2
    assert len(await asyncio.to_thread(ask, instance, "ls /proc | grep '^[0-9]'")) < 60
    await asyncio.gather(*(provider.stop_dynamic_instance(order.id) for order in (one, two)))


async def test_what_a_box_prints_of_its_secrets_is_blotted_out(provider: LocalProvider, templates: Path) -> None:
    text = "command: [sh, -c, 'echo the flag is $$F']\nports: {tcp: 4000}\nenvironment: {F: $FLAG0}\n"
    make_template(templates, "chatty", text)
    assert "the flag is [FLAG0]" in (await fails(provider, "chatty", NotReady)).logged


async def test_only_declared_values_are_in_the_environment(provider: LocalProvider, templates: Path) -> None:
    text = HELLO + "environment: {FIRST: $FLAG0, WHERE: '$ADDRESS:$PORT_TCP', PRICE: '5 $$'}\n"
    make_template(templates, "env", text, {"shell.py": SHELL})
    order = make_order()
    instance = await start(provider, order, "env")
    seen = (await asyncio.to_thread(ask, instance, "env")).splitlines()
    assert f"FIRST={order.values['FLAG0']}" in seen
    assert f"WHERE={instance.address}:4000" in seen
    assert "PRICE=5 $" in seen
    assert order.values["FLAG1"] not in str(seen)
    await provider.stop_dynamic_instance(order.id)


async def test_no_secret_is_on_a_command_line(provider: LocalProvider) -> None:
    order = make_order()
    await start(provider, order)
    secrets = [value for name, value in order.values.items() if name != "SESSION"]
    assert not [line for line in command_lines() if any(secret in line for secret in secrets)]
    await provider.stop_dynamic_instance(order.id)
