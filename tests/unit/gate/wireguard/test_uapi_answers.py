"""What a device in user space says of itself is understood."""

from base64 import b64encode

import pytest

from chatsubo.config import Secret
from chatsubo.gate.wireguard.uapi import parse_state


def key(number: int) -> str:
    return b64encode(bytes([number] * 32)).decode()


ANSWER = f"""private_key={"07" * 32}
listen_port=51820
fwmark=1
public_key={"01" * 32}
preshared_key={"00" * 32}
protocol_version=1
endpoint=[2001:db8::1]:1234
last_handshake_time_sec=1700000000
last_handshake_time_nsec=500000000
tx_bytes=12
rx_bytes=1099511627776
persistent_keepalive_interval=0
allowed_ip=10.66.0.2/32
allowed_ip=fd66::2/128
something_new=1
public_key={"02" * 32}
preshared_key={"03" * 32}
protocol_version=1
last_handshake_time_sec=0
last_handshake_time_nsec=0
tx_bytes=0
rx_bytes=0
persistent_keepalive_interval=0
"""


def test_a_device_with_two_peers() -> None:
    state = parse_state(ANSWER)
    assert (state.private, state.port) == (Secret(key(7)), 51820)
    assert list(state.peers) == [key(1), key(2)]
    one, two = state.peers.values()
    assert one.setting.preshared is None
    assert one.setting.allowed == {"10.66.0.2/32", "fd66::2/128"}
    assert (one.endpoint, one.handshake) == ("[2001:db8::1]:1234", 1_700_000_000.5)
    assert (one.received, one.sent) == (1 << 40, 12)
    assert two.setting.preshared == Secret(key(3))
    assert (two.setting.allowed, two.endpoint, two.handshake) == (frozenset(), "", None)


def test_peers_that_nobody_uses_are_left_out_where_they_are_not_asked_for() -> None:
    assert list(parse_state(ANSWER, used=True).peers) == [key(1)]


@pytest.mark.parametrize("answer", ["", "listen_port=0\n", f"private_key={'00' * 32}\n"])
def test_a_device_that_was_just_made_has_nothing(answer: str) -> None:
    state = parse_state(answer)
    assert (state.private, state.port, state.peers) == (None, 0, {})


def test_peers_of_a_device_without_a_key_are_found() -> None:
    assert list(parse_state(f"public_key={'01' * 32}\n").peers) == [key(1)]


@pytest.mark.parametrize("answer", ["listen_port=x\n", "public_key=xyz\n"])
def test_nonsense_is_an_error(answer: str) -> None:
    with pytest.raises(ValueError, match=r"invalid|non-hexadecimal"):
        parse_state(answer)
