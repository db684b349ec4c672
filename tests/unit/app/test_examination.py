"""What ``chatsubo doctor`` finds."""

import os
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chatsubo.app import examination
from chatsubo.app.examination import examine
from chatsubo.app.storage import engine_url
from chatsubo.config import Config, ProviderEntry
from chatsubo.domain.text import Text
from chatsubo.gates import Gates
from chatsubo.jobs.lock import FileLock
from chatsubo.providers.base import Check
from chatsubo.providers.registry import Disabled, Registry
from chatsubo.testing import FakeConfig, FakeProvider
from tests.unit.gates.gate import FakeGate, Network, gate


async def test_a_gate_that_cannot_be_asked_says_why_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network = Network({"well.example": FakeGate(), "strict.example": FakeGate(header="x-other")})
    monkeypatch.setattr(examination, "Gates", partial(Gates, http=network.client()))
    vpns = tuple(gate(f"{host}.example", host) for host in ("strict", "gone"))

    reports = {one.part: one.findings for one in await examine(Config(vpns=vpns), Registry({}, []))}

    for host, reason, words in (
        ("strict", "refuses our token", ("auth_token", "header", "vpns")),
        ("gone", "nobody there", ("runs", "url", "vpns")),
    ):
        (finding,) = reports[f"gate {host} (http://{host}.example:7474)"]
        assert not finding.ok
        assert reason in str(finding.text)
        assert finding.remedy is not None
        assert all(word in str(finding.remedy) for word in words)


WELL, FREE, CLOCK = (
    (True, "it is well"),
    (True, "free places: 100 of 100"),
    (True, "its clock agrees with this machine's"),
)


@pytest.mark.parametrize(
    ("fake", "expected"),
    [
        (FakeGate(versioned=True), [WELL, FREE, CLOCK]),
        (FakeGate(), [WELL, (False, "it is an old gate, without access control")]),
        (FakeGate(errors=["wg0 is down"]), [(False, "http://well.example:7474: wg0 is down")]),
        (FakeGate(versioned=True, errors=["wg0 is down"]), [(False, "wg0 is down"), FREE, CLOCK]),
        (FakeGate(versioned=True, places=0), [WELL, (False, "it is full"), CLOCK]),
        (FakeGate(versioned=True, ahead=3700), [WELL, FREE, (False, "its clock is 3")]),
        (FakeGate(versioned=True, ahead=-3700), [WELL, FREE, (False, "its clock is 3")]),
    ],
    ids=["well", "old", "old and not well", "not well", "full", "fast", "slow"],
)
async def test_a_gate_that_answers_is_told_of_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeGate, expected: list[tuple[bool, str]]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(examination, "Gates", partial(Gates, http=Network({"well.example": fake}).client()))
    vpns = gate("well.example", "wz01"), gate("well.example", "wz02")

    reports = {one.part: one.findings for one in await examine(Config(vpns=vpns), Registry({}, []))}

    findings = reports["gate wz01, wz02 (http://well.example:7474)"]
    assert [(one.ok, str(one.text)[: len(text)]) for one, (_, text) in zip(findings, expected, strict=True)] == expected
    assert all(one.ok or one.remedy is not None for one in findings)


async def test_a_gate_that_hangs_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = Network({"well.example": FakeGate(versioned=True), "hung.example": FakeGate(hangs=True)})
    monkeypatch.setattr(examination, "Gates", partial(Gates, http=network.client(), limit=2.0))
    vpns = gate("hung.example", "wz01"), gate("well.example", "wz02")

    reports = {one.part: one.findings for one in await examine(Config(vpns=vpns), Registry({}, []))}

    (hung,) = reports["gate wz01 (http://hung.example:7474)"]
    assert "no answer within 2 seconds" in str(hung.text)
    assert all(one.ok for one in reports["gate wz02 (http://well.example:7474)"])


async def test_an_extra_of_ours_that_nobody_asked_for_is_nothing_to_see_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    disabled = [Disabled(kind, f"{kind}:Provider", Text("No module named 'that'")) for kind in ("pve", "rack")]

    reports = {one.part: one.findings for one in await examine(Config(), Registry({}, disabled))}

    assert [str(one.text) for one in reports["plugins"]] == ["rack: No module named 'that'"]


class Odd(FakeProvider):
    """A plugin with a mistake in it."""

    kind = "odd"

    async def check(self) -> Check:
        raise KeyError("version")


async def test_a_plugin_with_a_mistake_in_it_is_told_of_and_keeps_nothing_else_from_being_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = FakeConfig(realms=("wz01",))
    entries = tuple(ProviderEntry(kind=kind, name=kind, model=model) for kind in ("odd", "fake"))

    with capture_logs():
        found = await examine(Config(providers=entries), Registry({"odd": Odd, "fake": FakeProvider}, []))

    reports = {one.part: one.findings for one in found}
    assert [(one.ok, str(one.text)) for one in reports["provider odd"]] == [(False, "KeyError: 'version'")]
    assert [one.ok for one in reports["provider fake"]] == [True]


async def test_a_server_that_runs_on_the_database_is_told_of_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config()

    async def said() -> list[str]:
        (report,) = [one for one in await examine(config, Registry({}, [])) if one.part == "database"]
        return [str(one.text).partition(" on ")[0] for one in report.findings if one.ok]

    assert "no server runs" in await said()
    assert os.listdir(tmp_path) == []  # noqa: PTH208  names are enough
    lock = FileLock(Path(f"{engine_url(config).removeprefix('sqlite:///')}.lock"))
    assert "a server runs" in await said()
    lock.release()
    assert "no server runs" in await said()
