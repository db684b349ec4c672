"""Who may connect."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

import pytest

from chatsubo.gate.model import Addresses
from chatsubo.gate.openvpn.admission import Admissions, client_settings

FOUR, SIX = IPv4Network("10.66.0.0/16"), IPv6Network("fd00:66::/64")


@pytest.fixture
def admissions(tmp_path: Path) -> Admissions:
    made = Admissions(tmp_path / "ccd", tmp_path / "drafts")
    made.hold({})
    return made


def _files(admissions: Admissions) -> dict[str, str]:
    return {path.name: path.read_text() for path in admissions.folder.iterdir()}


def test_a_clients_file_gives_it_its_addresses() -> None:
    where = Addresses(four=IPv4Address("10.66.0.5"), six=IPv6Address("fd00:66::5"))
    assert client_settings("ab1", where, FOUR, SIX) == (
        "# certificate ab1\nifconfig-push 10.66.0.5 255.255.0.0\nifconfig-ipv6-push fd00:66::5/64 fd00:66::1\n"
    )
    assert "ipv6" not in client_settings("ab1", where, FOUR, None)


def test_just_those_who_are_held_have_a_file(admissions: Admissions) -> None:
    admissions.add({"a": "# certificate 1\nx\n", "b": "# certificate 2\nx\n"})
    admissions.hold({"b": "# certificate 2\nx\n", "c": "# certificate 3\nx\n"})
    assert _files(admissions) == {"b": "# certificate 2\nx\n", "c": "# certificate 3\nx\n"}


def test_the_serial_numbers_of_those_who_go_are_told(admissions: Admissions) -> None:
    admissions.add({"a": "# certificate a1\nx\n", "b": "# certificate 2\nx\n", "c": "# certificate 3\nx\n"})
    assert admissions.hold({"b": "# certificate 2\ny\n", "c": "# certificate 4\nx\n"}) in ([0xA1, 3], [3, 0xA1])


def test_a_file_that_a_loss_of_power_left_empty_is_written_again(admissions: Admissions) -> None:
    wanted = {"a": "# certificate 1\nx\n"}
    admissions.add(wanted)
    (admissions.folder / "a").write_text("")
    assert admissions.hold(wanted) == []
    assert _files(admissions) == wanted


def test_a_file_that_is_right_is_left_alone(admissions: Admissions) -> None:
    wanted = {"a": "# certificate 1\nx\n"}
    admissions.add(wanted)
    before = (admissions.folder / "a").stat().st_ino
    admissions.hold(wanted)
    assert (admissions.folder / "a").stat().st_ino == before


def test_one_who_has_no_file_can_be_removed(admissions: Admissions) -> None:
    admissions.remove(["nobody"])
