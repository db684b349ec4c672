"""What labels ask of the engine, and what they get."""

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsubo.config import ByteSize
from chatsubo.domain.values import make_values
from chatsubo.providers.base import Limits, StartOrder
from chatsubo.providers.docker.blueprint import Blueprint
from chatsubo.providers.docker.checks import refused
from chatsubo.providers.docker.config import DEFAULT_CAPABILITIES, Allow, Api, BoxLimits, DockerConfig
from chatsubo.providers.docker.dockerfile import parse
from chatsubo.providers.docker.images import Image
from chatsubo.providers.docker.network import Network
from chatsubo.providers.docker.options import Delivery, SecretFile, read_options
from chatsubo.providers.docker.slots import placeholder
from chatsubo.providers.docker.stages import examine
from chatsubo.providers.docker.template import DockerTemplate, Recipe

MEBIBYTE = 1024 * 1024
SESSION = "8c2f1c1e-6a58-4d1c-9a5e-0d1f2a3b4c5d"


def config(**fields: object) -> DockerConfig:
    return DockerConfig(realms=("wz01",), api=Api(socket=Path("/x")), **fields)  # type: ignore[arg-type]


def template(*labels: str, extra: str = "") -> DockerTemplate:
    text = f"FROM alpine\nARG FLAG0\nARG RNG0\nLABEL {' '.join(labels) or 'a=b'}\n{extra}"
    usage = examine(parse(text))
    recipe = Recipe(Path("/x"), text, usage=usage)
    return DockerTemplate("hello", "docker", usage.labels, dynamic=True, recipe=recipe)


def container(
    box: DockerTemplate, settings: DockerConfig, order_limits: Limits | None = None, image: Image | None = None
):
    order = StartOrder(SESSION, make_values(SESSION, "FLAG"), 3, 0.0, order_limits or Limits())
    network = Network("gate", IPv4Network("10.1.0.0/24"), frozenset())
    image = image or Image("sha256:1", {}, {})
    made = Blueprint("docker", settings, "wz01", box, image, network, order)
    return made.container(IPv4Address("10.1.0.9"), {80: 8080, 22: None}), order


def test_a_box_has_few_rights_and_limits_unless_it_says_otherwise():
    body, _ = container(template(), config(limits=BoxLimits(memory=ByteSize(64 * MEBIBYTE), cpus=0.5, processes=100)))
    host = body["HostConfig"]

    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == sorted(DEFAULT_CAPABILITIES)
    assert "NET_RAW" not in host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (
        64 * MEBIBYTE,
        64 * MEBIBYTE,
        500_000_000,
        100,
    )
    assert host["Init"] is True
    assert host["RestartPolicy"] == {"Name": "no"}
    assert host["Dns"] == ["127.0.0.1"]


def test_labels_get_only_what_the_configuration_allows():
    asked = template(
        "chatsubo.capabilities=net_raw,CAP_SYS_PTRACE",
        "chatsubo.privileges=true",
        "chatsubo.internet=true",
        "chatsubo.limits.memory=2g",
        "chatsubo.limits.processes=500",
    )
    strict = config()
    generous = config(
        allow=Allow(
            capabilities=("NET_RAW",),
            new_privileges=True,
            internet=True,
            memory=ByteSize(1024 * MEBIBYTE),
            processes=1000,
        )
    )

    refused_body = container(asked, strict)[0]["HostConfig"]
    assert "NET_RAW" not in refused_body["CapAdd"]
    assert refused_body["SecurityOpt"] == ["no-new-privileges"]
    assert refused_body["Memory"] == 256 * MEBIBYTE
    assert len(refused(asked, strict)) == 5

    granted = container(asked, generous)[0]["HostConfig"]
    assert "NET_RAW" in granted["CapAdd"]
    assert "SYS_PTRACE" not in granted["CapAdd"]
    assert granted["SecurityOpt"] == []
    assert granted["Memory"] == 1024 * MEBIBYTE
    assert granted["PidsLimit"] == 500
    assert granted["Dns"] == []
    assert [str(one) for one in refused(asked, generous)] == [
        "it asks for the capabilities SYS_PTRACE, which allow.capabilities does not name",
        "it asks for more memory than allow.memory permits",
    ]


def test_a_label_may_ask_for_less_and_the_order_has_the_last_word():
    asked = template("chatsubo.limits.memory=32m")

    assert container(asked, config())[0]["HostConfig"]["Memory"] == 32 * MEBIBYTE
    assert container(asked, config(), Limits(memory=48 * MEBIBYTE))[0]["HostConfig"]["Memory"] == 48 * MEBIBYTE


def test_placeholders_of_a_shared_image_become_the_sessions_values():
    labels = {"chatsubo.flags.first.value": placeholder("FLAG0"), "other": "kept"}
    environment = {"CONFIG": f"flag={placeholder('FLAG0')};x={placeholder('FLAG1')}", "PATH": "/bin"}
    image = Image("sha256:1", labels, environment)
    body, order = container(template(), config(), image=image)

    assert body["Labels"]["chatsubo.flags.first.value"] == order.values["FLAG0"]
    assert "other" not in body["Labels"]
    assert body["Env"] == [f"CONFIG=flag={order.values['FLAG0']};x={order.values['FLAG1']}"]
    assert body["Labels"]["chatsubo.session"] == SESSION
    assert body["Labels"]["chatsubo.generation"] == "3"
    assert body["NetworkingConfig"]["EndpointsConfig"]["gate"]["IPAMConfig"]["IPv4Address"] == "10.1.0.9"
    assert body["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostPort": "8080"}], "22/tcp": [{"HostPort": ""}]}


def test_values_come_as_environment_or_files_where_a_label_says_so():
    by_environment = template("chatsubo.secrets=env")
    by_files = template("chatsubo.secrets=files", "chatsubo.file.FLAG0=/root/flag", "chatsubo.file.FLAG0.mode=0440")
    by_files_owned = template("chatsubo.file.RNG0=/srv/p", "chatsubo.file.RNG0.owner=1000:50")

    assert by_environment.environment_slots() == {"FLAG0", "RNG0"}
    assert by_environment.files("/run/x") == ()
    assert by_files.environment_slots() == frozenset()
    assert by_files.files("/run/x") == (SecretFile("FLAG0", "/root/flag", 0o440), SecretFile("RNG0", "/run/x/RNG0"))
    assert by_files_owned.files("/run/x") == (SecretFile("RNG0", "/srv/p", 0o400, 1000, 50),)
    assert template(extra="CMD echo $RNG0").environment_slots() == {"RNG0"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chatsubo.secrets", "somewhere"),
        ("chatsubo.privileges", "maybe"),
        ("chatsubo.limits.memory", "much"),
        ("chatsubo.limits.cpus", "0"),
        ("chatsubo.limits.processes", "-1"),
        ("chatsubo.capabilities", "A;B"),
        ("chatsubo.file.flag0", "relative"),
        ("chatsubo.file.flag0", "/root/../etc/shadow"),
        ("chatsubo.file.flag99", "/x"),
        ("chatsubo.init", "2"),
    ],
)
def test_a_label_that_cannot_be_read_is_ignored_with_a_warning(key: str, value: str):
    found = read_options({key: value})

    assert len(found.warnings) == 1
    assert key in str(found.warnings[0])
    assert found.delivery is Delivery.AUTO
    assert not found.files
    assert found.limits == Limits()


keys = st.sampled_from(
    ["secrets", "limits.memory", "limits.cpus", "capabilities", "file.flag0", "file.flag0.mode", "init"]
)


@given(st.dictionaries(keys.map("chatsubo.{}".format), st.text(max_size=20), max_size=7))
def test_no_label_breaks_the_reading(labels: dict[str, str]):
    read_options(labels)
