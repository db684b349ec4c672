"""Messages to the kernel's WireGuard are read, and its answers written, by another implementation: pyroute2's."""

from base64 import b64encode
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

import pytest
from pyroute2.netlink.generic.wireguard import wgmsg

from chatsubo.config import Secret
from chatsubo.gate.wireguard.device import PeerSetting
from chatsubo.gate.wireguard.kernel import configuration, parse_state, put_messages, take_messages

NETLINK_HEADERS = 20


def key(number: int) -> str:
    return b64encode(bytes([number] * 32)).decode()


def decoded(body: bytes) -> Any:
    message = wgmsg((len(body) + NETLINK_HEADERS).to_bytes(4, "little") + bytes(NETLINK_HEADERS - 4) + body)
    message.decode()
    return message


def peers_of(body: bytes) -> list[Any]:
    return list(decoded(body).get_attr("WGDEVICE_A_PEERS"))


def encoded(*attributes: list[Any]) -> bytes:
    message = wgmsg()
    message["attrs"] += attributes
    message.encode()
    return bytes(message.data[NETLINK_HEADERS:])


def test_the_private_key_and_the_port_are_set_where_they_are_given() -> None:
    message = decoded(configuration("wg0", Secret(key(7)), 51820))
    assert message.get_attr("WGDEVICE_A_IFNAME") == "wg0"
    assert message.get_attr("WGDEVICE_A_PRIVATE_KEY") == key(7).encode()
    assert message.get_attr("WGDEVICE_A_LISTEN_PORT") == 51820
    assert [name for name, _ in decoded(configuration("wg0", None, None))["attrs"]] == ["WGDEVICE_A_IFNAME"]


def test_a_peer_is_set_with_its_addresses_in_the_place_of_those_it_had() -> None:
    setting = PeerSetting(public=key(1), preshared=Secret(key(2)), allowed=frozenset({"10.66.0.2/32", "fd66::2/128"}))
    (message,) = put_messages("wg0", [setting])
    assert decoded(message).get_attr("WGDEVICE_A_IFNAME") == "wg0"
    # Without flags of the device: the others stay.
    assert decoded(message).get_attr("WGDEVICE_A_FLAGS") is None
    (peer,) = peers_of(message)
    assert peer.get_attr("WGPEER_A_PUBLIC_KEY") == key(1).encode()
    assert peer.get_attr("WGPEER_A_PRESHARED_KEY") == key(2).encode()
    assert peer.get_attr("WGPEER_A_FLAGS") == 2
    assert {one["addr"] for one in peer.get_attr("WGPEER_A_ALLOWEDIPS")} == setting.allowed


def test_a_peer_without_a_preshared_key_loses_one_that_it_had() -> None:
    (message,) = put_messages("wg0", [PeerSetting(public=key(1), preshared=None, allowed=frozenset())])
    assert peers_of(message)[0].get_attr("WGPEER_A_PRESHARED_KEY") == key(0).encode()


def test_a_peer_is_removed_and_not_made_for_it() -> None:
    (message,) = take_messages("wg0", [key(1)])
    (peer,) = peers_of(message)
    assert peer.get_attr("WGPEER_A_PUBLIC_KEY") == key(1).encode()
    assert peer.get_attr("WGPEER_A_FLAGS") == 1 | 4


def test_no_message_is_longer_than_netlink_takes_and_nobody_is_lost() -> None:
    settings = [
        PeerSetting(
            public=b64encode(number.to_bytes(32, "big")).decode(),
            preshared=Secret(key(2)),
            allowed=frozenset({f"10.66.{number // 256}.{number % 256}/32", f"fd66::{number:x}/128"}),
        )
        for number in range(1, 1002)
    ]
    messages = put_messages("a-long-name-15c", settings)
    assert all(len(message) < 0xFFFF for message in messages)
    assert sum(len(peers_of(message)) for message in messages) == 1001
    assert put_messages("wg0", []) == take_messages("wg0", []) == []
    # A device answers with the same attributes that it is set by.
    assert {peer.setting for peer in parse_state(messages).peers.values()} == set(settings)


def allowed(address: str, bits: int) -> dict[str, Any]:
    family = AF_INET6 if ":" in address else AF_INET
    return {
        "attrs": [
            ["WGALLOWEDIP_A_FAMILY", family],
            ["WGALLOWEDIP_A_IPADDR", inet_pton(family, address)],
            ["WGALLOWEDIP_A_CIDR_MASK", bits],
        ]
    }


def peer_attributes(number: int, endpoint: dict[str, Any], *more: list[Any]) -> dict[str, Any]:
    return {
        "attrs": [
            ["WGPEER_A_PUBLIC_KEY", key(number)],
            ["WGPEER_A_PRESHARED_KEY", key(0)],
            ["WGPEER_A_ENDPOINT", endpoint],
            ["WGPEER_A_LAST_HANDSHAKE_TIME", {"tv_sec": 1_700_000_000, "tv_nsec": 500_000_000}],
            ["WGPEER_A_RX_BYTES", 1 << 40],
            ["WGPEER_A_TX_BYTES", 12],
            *more,
        ]
    }


def test_what_a_device_says_over_two_messages() -> None:
    first = encoded(
        ["WGDEVICE_A_IFNAME", "wg0"],
        ["WGDEVICE_A_PRIVATE_KEY", key(7)],
        ["WGDEVICE_A_LISTEN_PORT", 51820],
        [
            "WGDEVICE_A_PEERS",
            [
                peer_attributes(1, {"addr": "192.0.2.1", "port": 1234}),
                peer_attributes(
                    2,
                    {"addr": "2001:db8::1", "port": 1234, "flowinfo": 0, "scope_id": 0},
                    ["WGPEER_A_ALLOWEDIPS", [allowed("10.66.0.2", 32)]],
                ),
            ],
        ],
    )
    second = encoded(
        ["WGDEVICE_A_IFNAME", "wg0"],
        [
            "WGDEVICE_A_PEERS",
            [
                {
                    "attrs": [
                        ["WGPEER_A_PUBLIC_KEY", key(2)],
                        ["WGPEER_A_ALLOWEDIPS", [allowed("fd66::2", 128)]],
                    ]
                },
                {"attrs": [["WGPEER_A_PUBLIC_KEY", key(3)], ["WGPEER_A_PRESHARED_KEY", key(4)]]},
            ],
        ],
    )
    state = parse_state([first, second])
    assert (state.private, state.port) == (Secret(key(7)), 51820)
    one, two, three = state.peers[key(1)], state.peers[key(2)], state.peers[key(3)]
    assert one.endpoint == "192.0.2.1:1234"
    assert two.endpoint == "[2001:db8::1]:1234"
    assert two.setting.allowed == {"10.66.0.2/32", "fd66::2/128"}
    assert (two.handshake, two.received, two.sent) == (1_700_000_000.5, 1 << 40, 12)
    assert two.setting.preshared is None
    assert three.setting.preshared == Secret(key(4))
    assert (three.handshake, three.received, three.endpoint) == (None, 0, "")


def test_a_device_without_keys_has_none() -> None:
    state = parse_state([encoded(["WGDEVICE_A_IFNAME", "wg0"], ["WGDEVICE_A_PRIVATE_KEY", key(0)])])
    assert (state.private, state.port, state.peers) == (None, 0, {})


def test_a_message_that_is_cut_short_is_an_error() -> None:
    with pytest.raises(ValueError, match="cut short"):
        parse_state([encoded(["WGDEVICE_A_PRIVATE_KEY", key(7)])[:-4]])
