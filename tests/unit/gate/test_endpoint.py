"""Where players' clients connect to, as the gate's file names it."""

import pytest

from chatsubo.gate.endpoint import Endpoint, endpoint


@pytest.mark.parametrize(
    ("text", "host", "port", "is_six"),
    [
        ("gate.example", "gate.example", 51820, False),
        ("gate.example:1194", "gate.example", 1194, False),
        ("198.51.100.1", "198.51.100.1", 51820, False),
        ("198.51.100.1:1194", "198.51.100.1", 1194, False),
        ("2001:db8::1", "2001:db8::1", 51820, True),
        ("[2001:db8::1]", "2001:db8::1", 51820, True),
        ("[2001:db8::1]:1194", "2001:db8::1", 1194, True),
    ],
)
def test_an_endpoint_is_a_host_and_perhaps_a_port(text: str, host: str, port: int, is_six: bool) -> None:
    assert endpoint(text, 51820) == Endpoint(host=host, port=port)
    assert endpoint(text, 51820).is_six is is_six


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ":1194",
            "gate.example:",
            "gate.example:0",
            "gate.example:65536",
            "gate.example:1194x",
            "a b",
            "gate\nup x",
        ),
        *("[]", "[2001:db8::1", "2001:db8::1]", "[gate]:1:2", "a:b:c", '"gate"', "gate#"),
    ],
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no host name or address"):
        endpoint(text, 51820)
