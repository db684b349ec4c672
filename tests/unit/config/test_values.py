import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsubo.config import ByteSize, Host, InvalidValue, http_url, network


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("docker.example", Host("docker.example")),
        ("docker.example:2376", Host("docker.example", port=2376)),
        ("https://pve.example", Host("pve.example", "https")),
        ("HTTPS://pve.example:8006/", Host("pve.example", "https", 8006)),
        ("tcp://10.0.0.1", Host("10.0.0.1", "tcp")),
        ("::1", Host("::1")),
        ("[::1]:8006", Host("::1", port=8006)),
        ("https://[fe80::1]/", Host("fe80::1", "https")),
        ("unix:///var/run/docker.sock", Host("", "unix", None, "/var/run/docker.sock")),
        (" docker_1.example. ", Host("docker_1.example.")),
    ],
)
def test_a_host_is_read_with_and_without_a_scheme(text, host):
    assert Host.from_text(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "https://",
        "a b",
        "user:pw@host",
        "host/path",
        "host?x",
        "host#x",
        "host:99999",
        "host:x",
        "-host",
        "ho\0st",
        "unix://relative.sock",
        "[::1",
        "://host",
        "a://b://c",
        "été.example",
    ],
)
def test_what_is_no_host_is_refused(text):
    with pytest.raises(InvalidValue):
        Host.from_text(text)


@given(st.text(max_size=60))
def test_any_text_is_a_host_or_refused(text):
    try:
        host = Host.from_text(text)
    except InvalidValue:
        return
    assert Host.from_text(str(host)) == host


def test_the_authority_of_a_host_has_its_own_port_or_the_given_one():
    assert Host.from_text("pve.example").authority(8006) == "pve.example:8006"
    assert Host.from_text("pve.example:443").authority(8006) == "pve.example:443"
    assert Host.from_text("::1").authority(8006) == "[::1]:8006"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", 512),
        ("1k", 1024),
        ("256m", 256 * 1024**2),
        ("256MiB", 256 * 1024**2),
        ("1.5 g", 1536 * 1024**2),
        ("2TB", 2 * 1024**4),
    ],
)
def test_a_size_has_units_of_1024(text, size):
    assert ByteSize.from_text(text) == size


@pytest.mark.parametrize("text", ["", "m", "-1", "0", "0.1", "1x", "1 m m", "inf", "\u0661"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(InvalidValue):
        ByteSize.from_text(text)


def test_a_url_loses_the_slash_at_its_end():
    assert http_url("https://ctf.example/play/") == "https://ctf.example/play"


@pytest.mark.parametrize(
    "text",
    ["", "ctf.example", "ftp://x", "http://", "http://u:p@x", "http://x/?q", "http://x#f", "http://a b", "http://x:y"],
)
def test_what_is_no_plain_url_is_refused(text):
    with pytest.raises(InvalidValue):
        http_url(text)


def test_a_refused_url_with_a_user_may_not_be_shown():
    with pytest.raises(InvalidValue) as caught:
        http_url("http://user:password@x")
    assert not caught.value.reveal


@pytest.mark.parametrize(
    ("text", "normal"),
    [("10.0.0.1", "10.0.0.1"), ("10.0.0.1/8", "10.0.0.0/8"), ("::1", "::1"), ("fd00::/8", "fd00::/8")],
)
def test_a_network_is_an_address_or_a_range(text, normal):
    assert network(text) == normal


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.1/33", "proxy.example", "*"])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(InvalidValue):
        network(text)
