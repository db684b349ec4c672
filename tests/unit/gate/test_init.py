"""``chatsubo gate init``."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from chatsubo.cli import main
from chatsubo.gate.config import load_gate

ANSWERS = "wz01\nwireguard\nvpn.example\n10.66.0.0/33\n10.67.0.0/16\n10.99.0.0/16, fd00::/64\n127.0.0.1\n"


def init(folder: Path, *more: str, answers: str = ANSWERS) -> Result:
    places = ["--config", f"{folder}/gate.yml", "--unit", f"{folder}/gate.service", "--state", f"{folder}/state"]
    return CliRunner().invoke(main, ["gate", "init", *places, *more], input=answers)


def test_the_answers_become_a_file_that_a_gate_takes(tmp_path: Path) -> None:
    done = init(tmp_path)
    assert done.exit_code == 0, done.output
    assert "10.66.0.0/33" in done.output
    config = load_gate(tmp_path / "gate.yml")
    assert (config.realm, config.subnet, config.routes) == ("wz01", "10.67.0.0/16", ("10.99.0.0/16", "fd00::/64"))
    assert len(config.auth_token.reveal()) > 40
    assert config.auth_token.reveal() not in done.output


def test_what_is_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    init(tmp_path)
    for name in ("gate.yml", "gate.token", "state/wireguard.key"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0, name


def test_the_unit_starts_this_very_program_with_this_very_file(tmp_path: Path) -> None:
    init(tmp_path)
    lines = (tmp_path / "gate.service").read_text().splitlines()
    command = next(line for line in lines if line.startswith("ExecStart=")).partition("=")[2]
    assert command.startswith("/")
    assert command.endswith(f"gate serve --config {tmp_path}/gate.yml")
    assert "KillMode=process" in lines


def test_what_it_says_of_the_platforms_file_is_right(tmp_path: Path) -> None:
    said = init(tmp_path).output
    vpns = yaml.safe_load(said[said.index("vpns:") :])["vpns"]
    assert vpns == [{"realm": "wz01", "url": "http://127.0.0.1:7474", "token": {"file": "..."}}]


@pytest.mark.parametrize("name", ["gate.yml", "gate.service"])
def test_what_is_there_is_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    done = init(tmp_path)
    assert (done.exit_code, "not overwritten" in done.output) == (1, True)
    assert [(tmp_path / name).read_text(), *(one.name for one in tmp_path.iterdir())] == ["mine", name]


def test_it_needs_no_terminal(tmp_path: Path) -> None:
    given = {"realm": "wz01", "kind": "openvpn", "endpoint": "vpn.example", "subnet": "10.67.0.0/16"}
    options = [word for name, value in given.items() for word in (f"--{name}", value)]
    done = init(tmp_path, *options, "--routes", "10.99.0.0/16", "--listen", "10.1.1.1", answers="")
    assert done.exit_code == 0, done.output
    assert load_gate(tmp_path / "gate.yml").listen.host == "10.1.1.1"


QUESTIONS = ("realm", "kind", "endpoint", "subnet", "routes", "listen")
GIVEN = ("wz01", "wireguard", "vpn.example", "10.67.0.0/16", "10.99.0.0/16", "127.0.0.1")


def given(**other: str) -> list[str]:
    """Return options that answer every question."""
    answers = dict(zip(QUESTIONS, GIVEN, strict=True)) | other
    return [word for name, value in answers.items() for word in (f"--{name}", value)]


@pytest.mark.parametrize(
    ("question", "answer", "wanted"),
    [
        ("realm", "two words", "a name of 1 to 64 characters without spaces"),
        ("endpoint", "vpn.example:99999", "a host name or an address, with or without a port"),
        ("subnet", "fd00::/64", "an IPv4 network of /30 or larger"),
        ("subnet", "10.66.0.0/32", "an IPv4 network of /30 or larger"),
        ("subnet", "10.66.0.1/16", "has host bits set"),
        ("routes", "10.99.0.0/16 elsewhere", "a network, as in 10.66.0.0/16"),
        ("listen", "here, please", "an address of this machine"),
    ],
)
def test_an_answer_that_cannot_be_is_asked_for_again(tmp_path: Path, question: str, answer: str, wanted: str) -> None:
    answers = [
        line for name, right in zip(QUESTIONS, GIVEN, strict=True) for line in [answer, right][name != question :]
    ]
    done = init(tmp_path, answers="\n".join([*answers, ""]))
    assert done.exit_code == 0, done.output
    assert (wanted in done.output, f"{answer!r} is not" in done.output) == (True, True)


def test_answers_that_do_not_fit_together_leave_nothing_behind(tmp_path: Path) -> None:
    for wrong in ({"routes": "10.67.1.0/24"}, {"kind": "openvpn", "subnet": "10.0.0.0/8"}):
        done = init(tmp_path, *given(**wrong), answers="")
        assert (done.exit_code, "do not fit together" in done.output) == (2, True)
        assert list(tmp_path.iterdir()) == []
    assert init(tmp_path, *given(), answers="").exit_code == 0


def test_where_it_listens_everywhere_the_platform_is_not_sent_there(tmp_path: Path) -> None:
    assert "http://ADDRESS-OF-THIS-MACHINE:7474" in init(tmp_path, *given(listen="0.0.0.0"), answers="").output
