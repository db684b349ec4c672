"""The founding document's own plugin for Proxmox VE, byte for byte, against a fake of it and the real client library.

What it gets wrong is not ours to mend; the platform survives it and says so.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator

import pytest
import requests
from fakepve import FakePve
from structlog.testing import capture_logs

from chatsubo.providers.base import BaseProvider
from chatsubo.providers.exc import AccessRefused, BackendConnectionException, ProviderError

TOKEN = "5f2b1c9e-not-a-real-token"
NOTES = """A box of the first evening.
---
chatsubo.template=straylight
chatsubo.realm=wz01
chatsubo.address=10.0.0.7
chatsubo.flags.root.value=FLAG{Villa}
chatsubo.flags.root.points=400
chatsubo.creds.ssh.username=molly
chatsubo.creds.ssh.password=Mirror
"""


@pytest.fixture(autouse=True)
def _connections_closed(fakepve: FakePve, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what the plugin leaves open: it never closes anything."""
    opened: list[requests.Session] = []
    make = requests.Session.__init__

    def noted(session: requests.Session) -> None:
        make(session)
        opened.append(session)

    monkeypatch.setattr(requests.Session, "__init__", noted)
    yield
    for session in opened:
        session.close()
    # An answer that was refused holds its connection for as long as anybody remembers the error.
    server = fakepve.runner.server
    for connection in list(server.connections):
        if connection.transport is not None:
            connection._loop.call_soon_threadsafe(connection.transport.abort)
    until = time.monotonic() + 5
    while server.connections and time.monotonic() < until:
        time.sleep(0.01)


@pytest.fixture
def pve(fakepve: FakePve) -> FakePve:
    """A Proxmox VE with one box, of a version whose list of guests has the key that newer ones leave out."""
    fakepve.apitokens["api@pve!chatsubo"] = TOKEN
    fakepve.nodes = {"pve": {"online": True}}
    box = fakepve.add_vm(100, "villa", node="pve", status="running", config={"description": NOTES})
    box.snapshots["clean"] = {"snaptime": 1_700_000_000, "cores": 1}
    box.config["cores"] = 4
    box.config["parent"] = "clean"
    other = fakepve.add_vm(101, "mail", node="pve", status="running", config={"description": "nobody's game"})
    for vm in (box, other):
        vm.stats["template"] = ""
    return fakepve


@pytest.fixture
def lab(provider: Callable[..., BaseProvider], pve: FakePve, fakepve_url: str, fakepve_cafile: str) -> BaseProvider:
    """The plugin's provider, as operators of old have configured it, but for the certificate that it verifies."""
    host, port = fakepve_url.removeprefix("https://").split(":")
    token = {"name": "chatsubo", "value": TOKEN}
    return provider(
        "seed_pve/pve",
        api={"host": host, "port": int(port), "user": "api@pve", "token": token},
        nodes=["pve"],
        verify_ssl=fakepve_cafile,
        sep="--",
    )


async def test_it_lists_its_templates(lab: BaseProvider) -> None:
    check = await lab.check()
    assert check.reachable
    assert not check.is_dynamic
    [template] = (await lab.list_templates()).items
    assert (template.name, template.dynamic) == ("straylight", False)
    assert [(one.name, one.value, one.points) for one in template.flags] == [("root", "FLAG{Villa}", 400)]
    assert [(one.type, one.username, one.password) for one in template.creds] == [("ssh", "molly", "Mirror")]


async def test_it_lists_its_instances(lab: BaseProvider) -> None:
    listing = await lab.list_instances()
    [machine] = listing.items
    assert (machine.id, machine.name, machine.realm, machine.template) == ("100", "villa", "wz01", "straylight")
    assert (machine.address, machine.session) == ("10.0.0.7", None)
    assert machine.flags[0].value == "flag{villa}", "the listing lower-cases what it reads"
    assert not listing.rejected
    assert not (await lab.list_instances("elsewhere")).items


async def test_it_rolls_back(lab: BaseProvider, pve: FakePve) -> None:
    machine = await lab.reset("wz01", "straylight")
    assert machine.name == "villa"
    assert pve.vm(100).config["cores"] == 1


async def test_a_machine_with_one_label_of_three_is_rejected_with_the_reason(lab: BaseProvider, pve: FakePve) -> None:
    half = pve.add_vm(102, "half", node="pve", status="running", config={"description": "chatsubo.realm=wz01"})
    half.stats["template"] = ""
    listing = await lab.list_instances()
    assert [one.name for one in listing.items] == ["villa"]
    [rejected] = listing.rejected
    assert (rejected.name, str(rejected.reason)) == ("half", "it does not say its template, address")


async def test_a_bad_credential_spoils_nothing(lab: BaseProvider, pve: FakePve) -> None:
    pve.vm(100).config["description"] = NOTES + "chatsubo.creds.smtp.password=alone\nchatsubo.flags.x.points=ten\n"
    [machine] = (await lab.list_instances()).items
    assert [one.type for one in machine.creds] == ["ssh"]
    assert [one.name for one in (await lab.list_templates()).items] == ["straylight"]


async def test_a_pve_since_7_makes_it_fail_and_the_error_says_where(lab: BaseProvider, pve: FakePve) -> None:
    del pve.vm(100).stats["template"]
    with capture_logs() as logs, pytest.raises(ProviderError) as raised:
        await lab.list_instances()
    assert raised.value.detail == "pve/lab: list_instances raised KeyError: 'template'"
    [told] = [one for one in logs if one["event"] == "plugin.raised"]
    assert "provider.py" in told["traceback"]
    assert 'vm["template"]' in told["traceback"]
    assert [one.name for one in (await lab.list_templates()).items] == ["straylight"]


@pytest.mark.parametrize("case", ["stopped", "no such box", "no snapshot"])
async def test_a_reset_that_it_cannot_do_is_an_error(lab: BaseProvider, pve: FakePve, case: str) -> None:
    if case == "stopped":
        pve.vm(100).status = "stopped"
    if case == "no snapshot":
        pve.vm(100).snapshots.clear()
        del pve.vm(100).config["parent"]
    with pytest.raises(ProviderError, match="reset"):
        await lab.reset("wz01", "freeside" if case == "no such box" else "straylight")
    assert (await lab.list_templates()).items


async def test_a_wrong_token_is_refused_and_never_shown(
    provider: Callable[..., BaseProvider], pve: FakePve, fakepve_url: str, fakepve_cafile: str
) -> None:
    host, port = fakepve_url.removeprefix("https://").split(":")
    wrong = provider(
        "seed_pve/pve",
        api={"host": host, "port": int(port), "user": "api@pve", "token": {"name": "chatsubo", "value": "hunter2-22"}},
        verify_ssl=fakepve_cafile,
    )
    with pytest.raises(AccessRefused, match="pve/lab: from_config raised ResourceException: 401") as raised:
        await wrong.check()
    assert "hunter2-22" not in str(raised.value) + repr(wrong) + json.dumps(wrong.to_json())


async def test_a_pve_that_is_away_is_away_and_comes_back(lab: BaseProvider, pve: FakePve) -> None:
    assert (await lab.check()).reachable
    pve.nodes["pve"]["online"] = False
    with pytest.raises(BackendConnectionException, match="595"):
        await lab.list_instances()
    pve.nodes["pve"]["online"] = True
    assert (await lab.list_instances()).items


async def test_one_that_nobody_listens_at_is_away(provider: Callable[..., BaseProvider]) -> None:
    away = provider(
        "seed_pve/pve",
        api={"host": "127.0.0.1", "port": 9, "user": "api@pve", "token": {"name": "chatsubo", "value": TOKEN}},
    )
    check = await asyncio.wait_for(away.check(), 20)
    assert not check.reachable
    assert "pve/lab: from_config raised ConnectionError" in str(check.findings[0].text)
    assert TOKEN not in str(check.findings[0].text)


async def test_a_node_that_is_not_there_says_so(
    provider: Callable[..., BaseProvider], pve: FakePve, fakepve_url: str, fakepve_cafile: str
) -> None:
    host, port = fakepve_url.removeprefix("https://").split(":")
    lost = provider(
        "seed_pve/pve",
        api={"host": host, "port": int(port), "user": "api@pve", "token": {"name": "chatsubo", "value": TOKEN}},
        verify_ssl=fakepve_cafile,
        nodes=["freeside"],
    )
    check = await lost.check()
    assert str(check.findings[0].text) == "pve/lab: Node 'freeside' not found"
