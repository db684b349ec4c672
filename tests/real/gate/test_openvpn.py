"""OpenVPN as the gate's tunnel: the real server, and players with the plain client."""

import os
import re
import signal
import socket
from datetime import timedelta

import pytest
from msgspec.structs import replace

from chatsubo.config import Secret
from chatsubo.domain.clock import utc_now
from chatsubo.gate.errors import TunnelError
from chatsubo.gate.openvpn import OpenVPNTunnel
from chatsubo.gate.openvpn.keyring import material_of
from tests.easyrsa import PASSPHRASE, EasyRsa
from tests.needs import need
from tests.real.gate.openvpn import GATEWAY, GATEWAY6, Bench, until
from tests.real.gate.world import DK, GATE, INNER, INNER6, PA, PB, PUBLIC, PUBLIC6, World
from tests.unit.gate.openvpn.bench import new_peer

pytestmark = need.openvpn


@pytest.fixture
async def bench(in_the_gate: World) -> Bench:
    """A server that lets A and B in; it ends with its namespace."""
    made = Bench(in_the_gate)
    await made.tunnel.up([made.a, made.b])
    return made


def _addresses(world: World, host: str) -> str:
    return world.run(host, "ip", "-o", "address", "show", "dev", "tun0").stdout


async def test_a_player_gets_through_with_the_file_and_has_the_address_that_was_given(bench: Bench) -> None:
    bench.join(PB, bench.b)
    bench.join(PA, bench.a)
    for address in (GATEWAY6, INNER[DK], INNER6[DK]):
        assert bench.world.reaches(PA, address)
    for host, peer in ((PA, bench.a), (PB, bench.b)):
        assert f" {peer.addresses.four}/16 " in _addresses(bench.world, host)
        assert f" {peer.addresses.six}/64 " in _addresses(bench.world, host)


async def test_only_the_realms_routes_go_through_the_tunnel(bench: Bench) -> None:
    bench.join(PA, bench.a)
    routes = bench.world.run(PA, "ip", "route").stdout + bench.world.run(PA, "ip", "-6", "route").stdout
    through = {line.split()[0] for line in routes.splitlines() if "tun0" in line and not line.startswith("fe80")}
    assert through == {"10.66.0.0/16", "172.30.0.0/24", "fd00:66::/64", "fd00:30::/64"}


async def test_who_is_connected_is_seen_and_who_left_too(bench: Bench) -> None:
    assert await bench.tunnel.connections() == {}
    client = bench.join(PA, bench.a)
    seen = (await bench.tunnel.connections())[bench.a.uid]
    assert seen.online
    assert seen.endpoint.startswith(f"{PUBLIC[PA]}:")
    assert seen.handshake is not None
    assert abs(seen.handshake - utc_now().timestamp()) < 120
    assert min(seen.received, seen.sent) > 0
    client.leave()
    left = await bench.offline(bench.a)
    assert left.handshake == seen.handshake


async def test_the_way_to_the_gate_may_be_ipv6_and_a_name_may_lead_to_both(in_the_gate: World) -> None:
    bench = Bench(in_the_gate, endpoint=f"[{PUBLIC6[GATE]}]:1194")
    await bench.tunnel.up([bench.a, bench.b])
    bench.join(PA, bench.a)
    other = bench.connect(
        PB, bench.tunnel.client_file(bench.b).replace("proto udp6", "proto udp").replace(PUBLIC6[GATE], PUBLIC[GATE])
    )
    assert in_the_gate.reaches(PB, GATEWAY), other.log
    seen = await bench.tunnel.connections()
    assert seen[bench.a.uid].endpoint.startswith(PUBLIC6[PA])
    assert seen[bench.b.uid].endpoint.startswith(f"{PUBLIC[PB]}:")


async def test_a_gate_with_several_addresses_answers_from_the_one_that_was_asked(in_the_gate: World) -> None:
    in_the_gate.run(GATE, "ip", "address", "add", "198.51.100.2/24", "dev", "wan")
    bench = Bench(in_the_gate, endpoint="198.51.100.2")
    await bench.tunnel.up([bench.a])
    bench.join(PA, bench.a)


async def test_a_certificate_of_another_authority_is_refused(bench: Bench) -> None:
    stranger = OpenVPNTunnel(replace(bench.config, state=bench.world.folder / "elsewhere"))
    foreign = material_of(stranger.issue(bench.a.uid, bench.a.addresses))
    own = material_of(bench.a.keys)
    text = bench.tunnel.client_file(bench.a)
    text = text.replace(own.certificate.strip(), foreign.certificate.strip())
    bench.connect(PA, text.replace(str(own.key).strip(), str(foreign.key).strip()))
    await bench.server_says("VERIFY ERROR")
    assert await bench.tunnel.connections() == {}


async def test_a_client_without_a_key_of_the_gates_does_not_even_get_an_answer(bench: Bench) -> None:
    stranger = OpenVPNTunnel(replace(bench.config, state=bench.world.folder / "elsewhere"))
    client = bench.connect(PA, stranger.client_file(new_peer(stranger, 1)))
    await bench.server_says("Can not unwrap tls-crypt-v2 client key")
    assert "UDPv4 link remote" in client.log
    assert "Initial packet from" not in client.log
    assert await bench.tunnel.connections() == {}


async def test_a_certificate_that_was_issued_but_not_admitted_is_refused(bench: Bench) -> None:
    client = bench.connect(PA, bench.tunnel.client_file(new_peer(bench.tunnel, 3)))
    client.ended()
    assert "AUTH_FAILED" in client.log
    assert await bench.tunnel.connections() == {}


async def test_who_is_admitted_later_gets_in(bench: Bench) -> None:
    late = new_peer(bench.tunnel, 3)
    await bench.tunnel.admit([late, bench.a])
    bench.join(PA, late)
    assert set(await bench.tunnel.connections()) == {late.uid}


async def test_who_is_expelled_is_cut_at_once_and_cannot_come_back(bench: Bench) -> None:
    client = bench.join(PA, bench.a)
    bench.join(PB, bench.b)
    await bench.tunnel.expel([bench.a])
    assert not bench.world.reaches(PA, GATEWAY, within=1)
    assert set(await bench.tunnel.connections()) == {bench.b.uid}
    client.ended()
    assert "Halt command was pushed by server" in client.log
    bench.connect(PA, bench.tunnel.client_file(bench.a))
    await bench.server_says("certificate revoked")
    assert set(await bench.tunnel.connections()) == {bench.b.uid}
    assert bench.world.reaches(PB, GATEWAY)


async def test_who_is_admitted_again_comes_back(bench: Bench) -> None:
    bench.join(PA, bench.a)
    await bench.tunnel.expel([bench.a])
    await bench.tunnel.admit([bench.a])
    bench.join(PA, bench.a)


async def test_the_next_gate_takes_the_server_up_while_a_connection_goes_on(bench: Bench) -> None:
    bench.join(PA, bench.a)
    bench.join(PB, bench.b)
    pid, before = bench.pid, await bench.tunnel.connections()
    ping = bench.world.folder / "ping"
    with ping.open("wb") as output:
        flow = bench.world.spawn(PA, "ping", "-n", "-i", "0.05", "-c", "60", "-w", "60", GATEWAY, stdout=output)
    later = OpenVPNTunnel(bench.config)
    await later.up([bench.a])
    assert flow.wait(90) == 0
    assert " 0% packet loss" in ping.read_text()
    after = await later.connections()
    assert bench.pid == pid
    assert set(after) == {bench.a.uid}
    assert after[bench.a.uid].handshake == before[bench.a.uid].handshake


async def test_a_configuration_that_changed_starts_the_server_anew_and_clients_follow(bench: Bench) -> None:
    client = bench.join(PA, bench.a)
    pid = bench.pid
    later = OpenVPNTunnel(replace(bench.config, mtu=1400))
    await later.up([bench.a])
    assert bench.pid != pid
    await until(lambda: client.log.count("Initialization Sequence Completed") == 2, "the client comes back")
    assert bench.world.reaches(PA, GATEWAY)
    assert len(list(bench.files.glob("*.conf"))) == 1


@pytest.mark.slow
async def test_a_server_that_was_killed_is_brought_back_and_clients_follow(bench: Bench) -> None:
    client = bench.join(PA, bench.a)
    os.kill(bench.pid, signal.SIGKILL)
    await until(lambda: bench.config.interface not in {name for _, name in socket.if_nameindex()}, "it is gone")
    with pytest.raises(TunnelError, match="OpenVPN does not run"):
        await bench.tunnel.connections()
    await bench.tunnel.up([bench.a, bench.b])
    await until(lambda: client.log.count("Initialization Sequence Completed") == 2, "the client comes back")
    assert bench.world.reaches(PA, GATEWAY)
    assert (await bench.tunnel.connections())[bench.a.uid].online


@pytest.mark.slow
async def test_a_server_that_hangs_is_replaced(bench: Bench) -> None:
    pid = bench.pid
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(TunnelError, match="does not answer"):
        await bench.tunnel.connections()
    await bench.tunnel.up([bench.a])
    assert bench.pid != pid
    bench.join(PA, bench.a)


async def test_an_interface_that_somebody_removed_is_made_again(bench: Bench) -> None:
    bench.world.run(GATE, "ip", "link", "delete", bench.config.interface)
    with pytest.raises(TunnelError, match="is gone"):
        await bench.tunnel.connections()
    await bench.tunnel.up([bench.a])
    bench.join(PA, bench.a)


async def test_a_packet_from_another_players_address_does_not_pass(bench: Bench) -> None:
    bench.join(PA, bench.a)
    sends = "echo {0} | nc -u -w 1 -s {0} " + GATEWAY + " 9999"
    for address, device in ((bench.b.addresses.four, "tun0"), ("172.30.0.77", "lo")):
        bench.world.run(PA, "ip", "address", "add", f"{address}/32", "dev", device)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((GATEWAY, 9999))
        listener.settimeout(60)
        # The last one is honest: packets come in the order in which they were sent.
        for address in (bench.b.addresses.four, "172.30.0.77", bench.a.addresses.four):
            bench.world.run(PA, "sh", "-c", sends.format(address))
        text, (source, _) = listener.recvfrom(100)
    assert (text.decode().strip(), source) == (str(bench.a.addresses.four),) * 2


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_gate_whose_clock_is_one_hour_off_serves_all_the_same(in_the_gate: World, hours: int) -> None:
    bench = Bench(in_the_gate, lambda: utc_now() + timedelta(hours=hours))
    await bench.tunnel.up([bench.a])
    bench.join(PA, bench.a)
    await bench.tunnel.expel([bench.a])
    bench.connect(PA, bench.tunnel.client_file(bench.a))
    await bench.server_says("certificate revoked")


async def test_taking_it_down_leaves_neither_a_process_nor_an_interface(bench: Bench) -> None:
    pid = bench.pid
    await bench.tunnel.down()
    assert bench.config.interface not in {name for _, name in socket.if_nameindex()}
    assert pid not in bench.world.pids(GATE)
    await bench.tunnel.up([bench.a])
    bench.join(PA, bench.a)


async def test_an_interface_name_that_is_taken_is_told(in_the_gate: World) -> None:
    bench = Bench(in_the_gate)
    in_the_gate.run(GATE, "ip", "link", "add", bench.config.interface, "type", "bridge")
    with pytest.raises(TunnelError, match=f"an interface {bench.config.interface} is there already"):
        await bench.tunnel.up([])
    in_the_gate.run(GATE, "ip", "link", "delete", bench.config.interface)
    await bench.tunnel.up([])


async def test_a_port_that_is_taken_is_told(in_the_gate: World) -> None:
    bench = Bench(in_the_gate)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 1194))
        with pytest.raises(TunnelError, match="UDP port 1194 is taken"):
            await bench.tunnel.up([])
    await bench.tunnel.up([])


async def test_a_device_that_openvpn_cannot_open_is_told(in_the_gate: World) -> None:
    bench = Bench(in_the_gate, interface="lo")
    with pytest.raises(TunnelError, match="an interface lo is there already"):
        await bench.tunnel.up([])


async def test_clients_of_an_adopted_authority_go_on_with_their_old_files(in_the_gate: World) -> None:
    pki = EasyRsa(in_the_gate.folder / "pki")
    static = pki.static_key("ta.key")
    pki.issue("vpn.example", server=True)
    mine = pki.issue("alice")
    gone = pki.issue("bob")
    pki.revoke(["bob"])
    bench = Bench(in_the_gate, pki=pki.folder, ca_pass=Secret(PASSPHRASE))
    alice = replace(bench.a, keys=bench.tunnel.adopted()["alice"])
    await bench.tunnel.up([alice, bench.b])
    old = bench.connect(PA, _file_of_old(pki, mine, static))
    assert in_the_gate.reaches(PA, GATEWAY), old.log
    assert in_the_gate.reaches(PA, INNER[DK])
    assert set(await bench.tunnel.connections()) == {alice.uid}
    old.leave()
    bench.join(PA, alice)
    bench.join(PB, bench.b)
    bench.connect(PA, _file_of_old(pki, gone, static))
    await bench.server_says("certificate revoked")


def _file_of_old(pki: EasyRsa, credential: str, static: str) -> str:
    certificate, key = re.findall(r"-----BEGIN .*?-----END [A-Z ]+-----", credential, re.DOTALL)
    inline = {"ca": (pki.folder / "ca.crt").read_text(), "cert": certificate, "key": key, "tls-auth": static}
    lines = ["client", "dev tun", "proto udp", f"remote {PUBLIC[GATE]} 1194", "nobind", "remote-cert-tls server"]
    lines += ["verify-x509-name vpn.example name", "key-direction 1", "comp-lzo no", "verb 3"]
    return "\n".join([*lines, *(f"<{tag}>\n{text}\n</{tag}>" for tag, text in inline.items())]) + "\n"
