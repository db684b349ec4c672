"""The configuration of a Proxmox provider, as operators write it."""

from pathlib import Path

import pytest

from chatsubo.config import ConfigError, load
from chatsubo.providers.pve import PveProvider
from tests.docs.pages import pages_of
from tests.pve.fake import SECRET

OLD = """
providers:
  pve:
    wz_pve:
      api: {{user: "api@pve", host: "{host}", port: 8006, token: {{name: "t", value: "{secret}"}}}}
      nodes: ["pve"]
      verify_ssl: false
      sep: "--"
      realms: ["wz01", "wz02"]
"""
DYNAMIC = """
providers:
  pve:
    wz_pve:
      api: {{user: "api@pve", host: "pve.example", token: {{name: "t", value: "{secret}"}}}}
      tag: CTF
      realms: ["wz01"]
      dynamic:
        vmids: {vmids}
        networks:
          {realm}: {{bridge: vmbr1, addresses: "{addresses}", players: ["{players}"]}}
"""
GOOD = {
    "vmids": "9000-9009",
    "realm": "wz01",
    "addresses": "10.66.1.10-10.66.1.19/24",
    "players": "10.8.0.0/24",
    "secret": SECRET,
}


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        file = Path(tmp_path) / "chatsubo.yml"
        file.write_text(text, encoding="utf-8")
        return load(file, {"pve": PveProvider.Config}, environ={})

    return read


@pytest.mark.parametrize("host", ["pve.example", "https://pve.example", "https://pve.example:8006"])
def test_the_documented_file_is_valid_with_and_without_a_scheme(read, host):
    config = read(OLD.format(host=host, secret=SECRET))
    model = config.providers[0].model
    assert model.api.url == "https://pve.example:8006/api2/json"
    assert model.api.token_id == "api@pve!t"
    assert [str(one) for one in config.warnings if "sep" in str(one)]
    assert SECRET not in repr(config)


@pytest.mark.parametrize("page", pages_of("en") + pages_of("fr"), ids=lambda page: page.name)
def test_the_files_of_the_guide_are_valid(page, read, tmp_path):
    blocks = [block for block in page.blocks if block.language == "yaml" and "  pve:\n" in block.code]
    for name in ("pve.token", "pve-root-ca.pem"):
        (tmp_path / name).write_text("x\n")
    for block in blocks:
        assert read(block.code).providers[0].kind == "pve"
    assert len(blocks) == (2 if page.path.name == "proxmox.md" else 0)


def test_a_host_without_tls_is_refused(read):
    with pytest.raises(ConfigError) as raised:
        read(OLD.format(host="http://pve.example", secret=SECRET))
    assert "providers.pve.wz_pve.api.host" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_dynamic_section_is_read(read):
    model = read(DYNAMIC.format(**GOOD)).providers[0].model
    assert (model.dynamic.vmids.first, model.dynamic.vmids.last, model.dynamic.vmids.size) == (9000, 9009, 10)
    assert str(model.dynamic.networks["wz01"].addresses.at(9)) == "10.66.1.19"
    assert (model.tag, model.verify_ssl) == ("ctf", True)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"vmids": "9009-9000"}, "dynamic.vmids"),
        ({"vmids": "50-60"}, "dynamic.vmids"),
        ({"addresses": "10.66.1.10-10.66.1.12/24"}, "dynamic.networks.wz01.addresses"),
        ({"addresses": "10.66.1.10-10.66.1.19"}, "dynamic.networks.wz01.addresses"),
        ({"addresses": "10.66.2.10-10.66.1.19/24"}, "dynamic.networks.wz01.addresses"),
        ({"players": "10.66.1.0/24"}, "dynamic.networks.wz01.players"),
        ({"players": "10.66.1.15"}, "dynamic.networks.wz01.players"),
        ({"realm": "wz09"}, "dynamic.networks.wz09"),
    ],
)
def test_a_mistake_is_told_with_its_place(read, change, place):
    with pytest.raises(ConfigError) as raised:
        read(DYNAMIC.format(**{**GOOD, **change}))
    assert place in str(raised.value)


def test_a_ca_beside_no_verification_is_a_mistake(read, tmp_path):
    (tmp_path / "ca.pem").write_text("x")
    with pytest.raises(ConfigError) as raised:
        read(OLD.format(host="pve.example", secret=SECRET).replace('sep: "--"', 'ca: "ca.pem"'))
    assert "providers.pve.wz_pve.ca" in str(raised.value)
