"""Existing folders of client files are taken over; what is wrong in them is said, and stops nobody else."""

import os
import re
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from chatsubo.gate.errors import TunnelError
from chatsubo.gate.wireguard.adopt import Folder, read_folder
from chatsubo.gate.wireguard.keys import Material, new_private_key, public_key

# Fixed, as they are part of the tests' names.
PRIVATE = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
PRESHARED = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SERVER = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="


def conf(address: str = "10.13.13.2", private: str | None = None, server: str = SERVER, extra: str = "") -> str:
    return (
        "[Interface]\n"
        f"Address = {address}\n"
        f"PrivateKey = {private or new_private_key().reveal()}\n"
        "ListenPort = 51820\n"
        "DNS = 10.13.13.1\n"
        f"{extra}"
        "\n"
        "[Peer]\n"
        f"PublicKey = {server}\n"
        f"PresharedKey = {PRESHARED}\n"
        "Endpoint = vpn.example:51820\n"
        "AllowedIPs = 0.0.0.0/0, ::/0\n"
    )


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name / f"{name}.conf"
    path.parent.mkdir()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def names(found: Folder) -> list[str]:
    return [peer.name for peer in found.peers]


def test_a_folder_as_the_linuxserver_image_leaves_it(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        put(tmp_path, f"peer{number}", conf(f"10.13.13.{number + 1}"))
    put(tmp_path, "peer_laptop", conf("10.13.13.100"))
    for other in ("coredns", "server", "templates", "wg_confs"):
        (tmp_path / other).mkdir()
    (tmp_path / "wg_confs" / "wg0.conf").write_text("[Interface]\n")
    (tmp_path / ".donoteditthisfile").touch()
    (tmp_path / "peer1" / "peer1.png").touch()
    found = read_folder(tmp_path)
    assert found.faults == ()
    assert names(found) == ["peer1", "peer2", "peer10", "peer_laptop"]
    found.check_server(SERVER)


def test_what_a_file_says(tmp_path: Path) -> None:
    private = new_private_key()
    text = conf("10.13.13.2", private.reveal())
    put(tmp_path, "peer1", text)
    (peer,) = read_folder(tmp_path).peers
    assert peer.addresses.four == IPv4Address("10.13.13.2")
    assert peer.addresses.six is None
    assert peer.keys.public == public_key(private)
    assert (peer.server, peer.endpoint) == (SERVER, "vpn.example:51820")
    material = Material.of(peer.keys)
    assert material.private is None
    assert material.text is not None
    assert material.text.reveal() == text
    assert material.preshared is not None
    assert material.preshared.reveal() == PRESHARED


def test_case_spaces_comments_line_ends_and_ipv6_are_taken_as_wg_quick_takes_them(tmp_path: Path) -> None:
    private = new_private_key().reveal()
    raw = (
        "\ufeff# Peer of José\r\n"
        "  [ INTERFACE ]  # here\r\n"
        "address=10.13.13.2/24 , fd00::2/64\r\n"
        f"PRIVATEKEY\t=   {private}   \r\n"
        "PostUp = iptables -A FORWARD -i %i -j ACCEPT\r\n"
        "PostUp = echo two\r\n"
        "\r\n"
        "[peer]\r\n"
        f"publickey = {SERVER}# his\r\n"
        "endpoint = [2001:db8::1]:51820\r\n"
        "allowedips = 0.0.0.0/0\r\n"
        "allowedips = ::/0\r\n"
        "persistentkeepalive = 25"
    ).encode()
    put(tmp_path, "José", raw)
    found = read_folder(tmp_path)
    assert found.faults == ()
    (peer,) = found.peers
    assert peer.addresses.six == IPv6Address("fd00::2")
    assert peer.endpoint == "[2001:db8::1]:51820"
    material = Material.of(peer.keys)
    assert material.preshared is None
    assert material.text is not None
    # All but the mark of the encoding, which WireGuard's tools do not take.
    assert material.text.reveal().encode() == raw.removeprefix(b"\xef\xbb\xbf")


SOUND = conf(private=PRIVATE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", r"no section \[Interface\]"),
        (SOUND.partition("\n\n")[0], r"no section \[Peer\]"),
        (SOUND + SOUND, r"second section \[Interface\]"),
        (SOUND + "[Peer]\n", r"second section \[Peer\]"),
        (SOUND + "[Other]\n", "line 12 begins a section that is neither"),
        (SOUND + "[Peer\n", "line 12 begins a section that is neither"),
        (SOUND.replace("Address", "Adress"), "line 2 is not understood"),
        (SOUND.replace("Address = ", "Address "), "line 2 is not understood"),
        (SOUND.replace("10.13.13.2", ""), "line 2 is not understood"),
        ("Address = 10.0.0.2\n" + SOUND, "line 1 is not understood"),
        (SOUND.replace("PrivateKey", "PublicKey"), "line 3 is not understood"),
        (SOUND + "Endpoint = other.example:1\n", "line 12 says a second time"),
        (SOUND.replace("10.13.13.2", "10.13.13.256"), "no list of IP addresses"),
        (SOUND.replace("10.13.13.2", "10.13.13.2,"), "no list of IP addresses"),
        (SOUND.replace("10.13.13.2", "10.13.13.2, 10.13.13.3"), "not one of IPv4"),
        (SOUND.replace("10.13.13.2", "fd00::2"), "not one of IPv4"),
        (SOUND.replace("Address = 10.13.13.2\n", ""), "no list of IP addresses"),
        (SOUND.replace("PrivateKey = ", "PrivateKey = x"), "its PrivateKey is no key"),
        (SOUND.replace("PublicKey = ", "PublicKey = x"), "its PublicKey is no key"),
        (SOUND.replace("PresharedKey = ", "PresharedKey = x"), "its PresharedKey is no key"),
        (SOUND.replace("Endpoint = vpn.example:51820\n", ""), "it has no Endpoint"),
        (b"\xff\xfe" + SOUND.encode("utf-16-le"), "not text"),
        (SOUND + "#" * 70_000, "larger than"),
    ],
)
def test_a_faulty_file_is_reported_without_its_content_and_stops_nobody(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    path = put(tmp_path, "peer1", text)
    put(tmp_path, "peer2", conf("10.13.13.3"))
    found = read_folder(tmp_path)
    assert names(found) == ["peer2"]
    (fault,) = found.faults
    assert fault.path == path
    assert re.search(reason, fault.reason)
    assert "10.13.13" not in fault.reason
    assert not any(key in fault.reason for key in (SERVER, PRIVATE, PRESHARED))


def test_a_peer_without_its_file_and_one_that_may_not_be_read_are_reported(tmp_path: Path) -> None:
    (tmp_path / "peer1").mkdir()
    (tmp_path / "peer2" / "peer2.conf").mkdir(parents=True)
    reasons = [fault.reason for fault in read_folder(tmp_path).faults]
    assert reasons == [f"it cannot be read: {os.strerror(2)}", f"it cannot be read: {os.strerror(21)}"]


def test_the_second_of_two_with_one_address_or_one_key_is_reported(tmp_path: Path) -> None:
    private = new_private_key().reveal()
    first = put(tmp_path, "peer1", conf("10.13.13.2, fd00::2", private))
    put(tmp_path, "peer2", conf("10.13.13.3", private))
    put(tmp_path, "peer3", conf("10.13.13.2"))
    put(tmp_path, "peer4", conf("10.13.13.4, fd00::2"))
    put(tmp_path, "peer5", conf("10.13.13.3"))
    found = read_folder(tmp_path)
    assert names(found) == ["peer1", "peer5"]
    assert [fault.reason for fault in found.faults] == [
        f"it has the key of {first}",
        f"it has the address of {first}",
        f"it has the IPv6 address of {first}",
    ]


def test_files_made_for_another_server_are_an_error(tmp_path: Path) -> None:
    put(tmp_path, "peer1", conf("10.13.13.2"))
    other = put(tmp_path, "peer2", conf("10.13.13.3", server=public_key(new_private_key())))
    with pytest.raises(TunnelError, match=r"1 of 2 adopted files.*set private_key") as caught:
        read_folder(tmp_path).check_server(SERVER)
    assert str(other) in str(caught.value)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TunnelError, match="cannot be read"):
        read_folder(tmp_path / "missing")
