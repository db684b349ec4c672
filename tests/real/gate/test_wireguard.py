"""A gate's WireGuard, and players who connect to it with WireGuard's own tools and the gate's files."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatsubo.gate.errors import TunnelError
from chatsubo.gate.wireguard import WireGuardTunnel
from chatsubo.gate.wireguard.adopt import read_folder
from chatsubo.gate.wireguard.keys import Material, issue_keys, new_private_key, public_key
from tests.needs import need
from tests.real.gate.wireguard_bench import OWN, OWN6, WireGuardBench
from tests.real.gate.wireguard_player import WireGuardPlayer
from tests.real.gate.world import DK, GATE, INNER, INNER6, PA, PB, PUBLIC, World

pytestmark = [need.wireguard]


@pytest.fixture
def bench(in_the_gate: World) -> WireGuardBench:
    return WireGuardBench(in_the_gate)


class Line:
    """A TCP connection from a player to the gate, through the tunnel."""

    def __init__(self, bench: WireGuardBench, host: str) -> None:
        with bench.world.listen(GATE, OWN) as listening:
            self.near = bench.world.connect(host, OWN, listening.getsockname()[1])
            self.far, _ = listening.accept()
        for end in (self.near, self.far):
            end.settimeout(60)

    def works(self) -> bool:
        """Whether a word goes there and another comes back."""
        for one, other in ((self.near, self.far), (self.far, self.near)):
            one.sendall(b"word")
            if other.recv(4, socket.MSG_WAITALL) != b"word":
                return False
        return True

    def close(self) -> None:
        self.near.close()
        self.far.close()


@pytest.fixture
def line_of(bench: WireGuardBench) -> Iterator[Callable[[str], Line]]:
    made: list[Line] = []

    def make(host: str) -> Line:
        made.append(Line(bench, host))
        return made[-1]

    yield make
    for one in made:
        one.close()


def player(bench: WireGuardBench, host: str, text: str) -> WireGuardPlayer:
    made = WireGuardPlayer(bench.world, host, text)
    made.connect()
    return made


async def test_a_player_reaches_the_gate_and_what_is_behind_it(bench: WireGuardBench) -> None:
    tunnel, alice, bob = bench.tunnel(), bench.peer(), bench.peer()
    await tunnel.up([alice, bob])
    assert await tunnel.connections() == {}
    a = player(bench, PA, tunnel.client_file(alice))
    for address in (OWN, OWN6, INNER[DK], INNER6[DK]):
        assert a.reaches(address)
    connections = await tunnel.connections()
    assert set(connections) == {alice.uid}
    connection = connections[alice.uid]
    assert connection.online
    assert connection.handshake is not None
    assert connection.received > 0
    assert connection.sent > 0
    assert connection.endpoint.startswith(f"{PUBLIC[PA]}:")


async def test_only_the_realm_goes_through_the_tunnel(bench: WireGuardBench) -> None:
    tunnel, alice = bench.tunnel(), bench.peer()
    await tunnel.up([alice])
    a = player(bench, PA, tunnel.client_file(alice))
    assert f"dev {a.device}" in a.run("ip", "route", "get", INNER[DK])
    assert "dev wan" in a.run("ip", "route", "get", "8.8.8.8")
    assert "dev wan" in a.run("ip", "route", "get", PUBLIC[PB])


async def test_a_player_who_is_admitted_later_connects_while_others_go_on(bench: WireGuardBench, line_of) -> None:
    tunnel, alice, bob = bench.tunnel(), bench.peer(), bench.peer()
    await tunnel.up([alice])
    player(bench, PA, tunnel.client_file(alice))
    line = line_of(PA)
    await tunnel.admit([bob])
    b = player(bench, PB, tunnel.client_file(bob))
    assert b.reaches(OWN)
    await tunnel.admit([alice, bob])
    assert line.works()
    assert set(await tunnel.connections()) == {alice.uid, bob.uid}


async def test_an_expelled_player_is_cut_off_and_nobody_else(bench: WireGuardBench, line_of) -> None:
    tunnel, alice, bob = bench.tunnel(), bench.peer(), bench.peer()
    await tunnel.up([alice, bob])
    a = player(bench, PA, tunnel.client_file(alice))
    assert a.reaches(OWN)
    player(bench, PB, tunnel.client_file(bob))
    line = line_of(PB)
    await tunnel.expel([alice])
    assert not a.reaches(OWN, within=1)
    assert line.works()
    assert set(await tunnel.connections()) == {bob.uid}
    await tunnel.expel([alice, bench.peer()])
    assert set(bench.wg("allowed-ips")) == {bob.keys.public}


async def test_a_gate_that_starts_again_takes_up_what_runs(bench: WireGuardBench, line_of) -> None:
    alice = bench.peer()
    before = bench.tunnel()
    await before.up([alice])
    player(bench, PA, before.client_file(alice))
    line, pids = line_of(PA), bench.server_pids()
    assert line.works()
    assert len(pids) == 1

    after = bench.tunnel()
    await after.up([alice])
    assert line.works()
    assert bench.server_pids() == pids
    assert set(await after.connections()) == {alice.uid}


async def test_a_killed_server_is_brought_back_and_players_recover(bench: WireGuardBench) -> None:
    tunnel, alice = bench.tunnel(), bench.peer()
    await tunnel.up([alice])
    a = player(bench, PA, tunnel.client_file(alice))
    assert a.reaches(OWN)
    bench.kill_the_server()
    with pytest.raises(TunnelError, match="does not answer"):
        await tunnel.connections()
    await tunnel.up([alice])
    assert a.reaches(OWN, within=60)


async def test_an_interface_that_was_removed_is_brought_back(bench: WireGuardBench) -> None:
    tunnel = bench.tunnel()
    await tunnel.up([])
    bench.world.run(GATE, "ip", "link", "delete", bench.interface)
    await tunnel.up([bench.peer()])
    assert len(bench.wg("allowed-ips")) == 1


async def test_an_interface_that_was_bent_is_put_right(bench: WireGuardBench, line_of) -> None:
    tunnel, alice = bench.tunnel(), bench.peer()
    await tunnel.up([alice])
    player(bench, PA, tunnel.client_file(alice))
    line = line_of(PA)
    for change in (
        f"address add 10.99.0.1/24 dev {bench.interface}",
        f"address del {OWN6}/64 dev {bench.interface}",
        f"link set {bench.interface} mtu 1300",
    ):
        bench.world.run(GATE, "ip", *change.split())
    bench.world.run(GATE, "wg", "set", bench.interface, "listen-port", "51999")
    await tunnel.up([alice])
    shown = bench.world.run(GATE, "ip", "address", "show", "dev", bench.interface).stdout
    assert "10.99.0.1" not in shown
    assert f"inet {OWN}/16" in shown
    assert f"inet6 {OWN6}/64" in shown
    assert "mtu 1420" in shown
    assert bench.world.run(GATE, "wg", "show", bench.interface, "listen-port").stdout == "51820\n"
    assert line.works()


async def test_an_interface_that_was_taken_down_is_brought_up(bench: WireGuardBench) -> None:
    tunnel, alice = bench.tunnel(), bench.peer()
    await tunnel.up([alice])
    bench.world.run(GATE, "ip", "link", "set", bench.interface, "down")
    await tunnel.up([alice])
    assert player(bench, PA, tunnel.client_file(alice)).reaches(OWN6)


async def test_an_interface_that_a_killed_gate_left_half_made_is_finished(bench: WireGuardBench) -> None:
    bench.world.run(GATE, "wireguard-go", bench.interface)
    tunnel, alice = bench.tunnel(), bench.peer()
    await tunnel.up([alice])
    assert player(bench, PA, tunnel.client_file(alice)).reaches(OWN)


async def test_only_what_differs_is_told_of_a_thousand_peers(
    bench: WireGuardBench, line_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = bench.peer()
    others = [bench.peer() for _ in range(1000)]
    await bench.tunnel().up([alice, *others])
    player(bench, PA, bench.tunnel().client_file(alice))
    line = line_of(PA)

    # The access of each of the first ten was made anew, at its old address; ten more are gone, and ten are new.
    anew = [bench.peer(addresses=other.addresses) for other in others[:10]]
    wanted = [alice, *others[20:], *anew, *(bench.peer() for _ in range(10))]
    after = bench.tunnel()
    told: list[str] = []
    exchange = after._process._exchange

    async def listened_in(request: str) -> str:
        told.append(request)
        return await exchange(request)

    monkeypatch.setattr(after._process, "_exchange", listened_in)
    await after.up(wanted)
    assert "".join(told).count("public_key=") == 20 + 20
    assert "replace_peers" not in "".join(told)
    shown = bench.wg("allowed-ips")
    assert {public: set(text.split()) for public, text in shown.items()} == {
        one.keys.public: {f"{one.addresses.four}/32", f"{one.addresses.six}/128"} for one in wanted
    }
    assert bench.wg("preshared-keys") == {one.keys.public: _preshared(one.keys) for one in wanted}
    assert line.works()


def _preshared(keys) -> str:
    found = Material.of(keys).preshared
    assert found is not None
    return found.reveal()


async def test_an_address_goes_to_its_next_player(bench: WireGuardBench) -> None:
    tunnel, alice = bench.tunnel(), bench.peer()
    await tunnel.up([alice])
    heir = bench.peer(addresses=alice.addresses)
    await tunnel.admit([heir])
    await tunnel.expel([alice])
    assert player(bench, PA, tunnel.client_file(heir)).reaches(OWN)


async def test_keys_that_somebody_else_has_now_are_not_taken_from_them(bench: WireGuardBench) -> None:
    keys = issue_keys()
    before, now = bench.peer(keys), bench.peer(keys)
    tunnel = bench.tunnel()
    await tunnel.up([before])
    await tunnel.admit([now])
    await tunnel.expel([before])
    assert set(bench.wg("allowed-ips")) == {keys.public}


async def test_an_adopted_file_connects_as_it_is(bench: WireGuardBench, tmp_path: Path) -> None:
    private, preshared = new_private_key().reveal(), new_private_key().reveal()
    (tmp_path / "peer_alice").mkdir()
    text = (
        f"[Interface]\r\nAddress = 10.66.77.2\r\nPrivateKey = {private}\r\nListenPort = 51820\r\n\r\n"
        f"[Peer]\r\nPublicKey = {public_key(bench.private)}\r\nPresharedKey = {preshared}\r\n"
        f"Endpoint = {PUBLIC[GATE]}:51820\r\nAllowedIPs = 10.66.0.0/16\r\n"
    )
    (tmp_path / "peer_alice" / "peer_alice.conf").write_text(text, newline="")
    found = read_folder(tmp_path)
    tunnel = bench.tunnel()
    found.check_server(tunnel.public_key)
    peer = bench.peer(found.peers[0].keys, found.peers[0].addresses)
    await tunnel.up([peer])
    assert tunnel.client_file(peer) == text
    assert player(bench, PA, text).reaches(OWN)


async def test_down_ends_the_server_and_up_starts_it_again(bench: WireGuardBench) -> None:
    tunnel = bench.tunnel()
    await tunnel.down()
    await tunnel.up([])
    await tunnel.down()
    assert bench.server_pids() == []
    assert bench.world.run(GATE, "ip", "link", "show", bench.interface, check=False).returncode != 0
    await tunnel.down()
    await tunnel.up([bench.peer()])
    assert len(bench.wg("allowed-ips")) == 1


async def test_the_server_outlives_the_gate(bench: WireGuardBench) -> None:
    tunnel = bench.tunnel()
    await tunnel.up([])
    (pid,) = bench.server_pids()
    own_parent, own_session = _parent_and_session(os.getpid())
    parent, session = _parent_and_session(pid)
    assert parent not in {os.getpid(), own_parent}
    assert session != own_session


def _parent_and_session(pid: int) -> tuple[int, int]:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(words[1]), int(words[3])


def _as_it_is(bench: WireGuardBench) -> str:
    return bench.world.run(GATE, "ip", "-details", "address", "show", "dev", bench.interface).stdout


async def _refused(bench: WireGuardBench, tunnel: WireGuardTunnel, message: str) -> None:
    before = _as_it_is(bench)
    for method in (tunnel.up([bench.peer()]), tunnel.down()):
        with pytest.raises(TunnelError, match=message) as caught:
            await method
        assert bench.interface in str(caught.value)
    assert _as_it_is(bench) == before


@pytest.mark.parametrize("command", ["ip link add {} type bridge", "ip tuntap add {} mode tun"])
async def test_an_interface_of_another_kind_is_left_alone(bench: WireGuardBench, command: str) -> None:
    bench.world.run(GATE, *command.format(bench.interface).split())
    await _refused(bench, bench.tunnel(), "which is not WireGuard's: set another name")


async def test_an_interface_of_another_gate_is_left_alone(bench: WireGuardBench, line_of) -> None:
    alice, other = bench.peer(), bench.tunnel()
    await other.up([alice])
    player(bench, PA, other.client_file(alice))
    line = line_of(PA)
    await _refused(bench, bench.tunnel(new_private_key()), "with another private key")
    assert line.works()
    assert set(bench.wg("allowed-ips")) == {alice.keys.public}


async def test_a_socket_of_a_gate_in_another_namespace_is_left_alone(
    bench: WireGuardBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatsubo.gate.wireguard.tunnel._LIMIT", 0.5)
    bench.world.run(DK, "wireguard-go", bench.interface)
    pids = bench.server_pids()
    with pytest.raises(TunnelError, match="another program holds"):
        await bench.tunnel().up([])
    assert bench.server_pids() == pids


async def test_a_port_that_is_taken_is_named(bench: WireGuardBench) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        tunnel = bench.tunnel(port=port)
        with pytest.raises(TunnelError, match=f"UDP port {port} is taken"):
            await tunnel.up([])
    alice = bench.peer()
    await tunnel.up([alice])
    assert player(bench, PA, tunnel.client_file(alice)).reaches(OWN)


@pytest.mark.parametrize("tun", ["missing", "."])
async def test_without_a_tun_device_it_is_said_what_to_do(bench: WireGuardBench, tun: str) -> None:
    tunnel = WireGuardTunnel(bench.config(), bench.private, tun=bench.world.folder / tun)
    with pytest.raises(TunnelError, match=r"cannot be opened.*--device /dev/net/tun"):
        await tunnel.up([])
    assert bench.server_pids() == []


async def test_without_wireguard_it_is_said_what_to_install(bench: WireGuardBench) -> None:
    tunnel = WireGuardTunnel(bench.config(), bench.private, program="wireguard-went")
    with pytest.raises(TunnelError, match=r"modprobe wireguard.*apt-get install wireguard-go"):
        await tunnel.up([])


async def test_where_ipv6_is_off_it_is_said_and_ipv4_alone_works(bench: WireGuardBench) -> None:
    bench.world.run(GATE, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
    with pytest.raises(TunnelError, match=r"cannot be given fd66::1/64, as IPv6 is off.*subnet6"):
        await bench.tunnel().up([])
    await bench.tunnel(subnet6=None).up([bench.peer()])
    assert f"inet {OWN}/16" in _as_it_is(bench)


async def test_without_the_right_to_it_it_is_said_who_has_it(bench: WireGuardBench) -> None:
    work = (
        "import asyncio; from chatsubo.gate.wireguard.link import Link; "
        f"asyncio.run(Link({bench.interface!r}).create())"
    )
    done = bench.world.run(GATE, "setpriv", "--bounding-set=-net_admin", sys.executable, "-c", work, check=False)
    assert f"interface {bench.interface} cannot be made: " in done.stderr
    assert "run the gate as root" in done.stderr


async def test_a_program_that_gives_up_is_quoted(bench: WireGuardBench) -> None:
    program = bench.world.folder / "wireguard-go"
    program.write_text("#!/bin/sh\necho '+---+' >&2\necho 'ERROR: (x) 2026/01/02 03:04:05 no luck today' >&2\nexit 1\n")
    program.chmod(0o755)
    tunnel = WireGuardTunnel(bench.config(), bench.private, program=str(program))
    with pytest.raises(TunnelError, match=r"did not make the interface .*: no luck today$"):
        await tunnel.up([])
