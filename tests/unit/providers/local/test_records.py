"""What is known of local instances, in files."""

from pathlib import Path

import msgspec
import pytest

from chatsubo.providers.exc import Cancelled, Misconfigured
from chatsubo.providers.local.addresses import Lease
from chatsubo.providers.local.records import Record, Records

RECORD = Record(
    provider="here",
    session="5e55",
    generation=1,
    realm="wz01",
    template="hello",
    slot=0,
    address="127.77.0.1",
    ports={"http": 8000},
    labels={"chatsubo.flags.user.value": "FLAG{secret}"},
    run="one",
    awaited=True,
)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    records = Records(tmp_path, "here")
    records.open()
    return records


def claim(records: Records, record: Record = RECORD) -> None:
    records.claim(lambda _before, _held: record, record.session)


def test_a_claimed_record_is_there_for_the_next_platform(records: Records, tmp_path: Path) -> None:
    claim(records)
    assert Records(tmp_path, "here").get("5e55") == RECORD
    assert not (tmp_path / "instances" / "5e55.json").stat().st_mode & 0o077


def test_a_claim_sees_what_was_before_and_what_others_hold(records: Records) -> None:
    claim(records)
    claim(records, msgspec.structs.replace(RECORD, session="07e7", slot=1))
    seen: list[tuple[Record | None, list[Lease]]] = []

    def make(before: Record | None, held: list[Lease]) -> Record:
        seen.append((before, held))
        return RECORD

    records.claim(make, "5e55")
    [(before, held)] = seen
    assert before == RECORD
    assert [lease.slot for lease in held] == [1]


def test_a_run_that_lost_its_place_is_not_settled(records: Records) -> None:
    claim(records)
    claim(records, msgspec.structs.replace(RECORD, run="two", generation=2))
    with pytest.raises(Cancelled):
        records.settle(RECORD)
    records.forget("5e55")
    with pytest.raises(Cancelled):
        records.settle(RECORD)


def test_only_its_own_run_is_forgotten(records: Records) -> None:
    claim(records)
    records.forget("5e55", "another")
    assert records.get("5e55")
    records.forget("5e55", "one")
    assert records.get("5e55") is None


def test_records_of_another_provider_are_left_alone(records: Records, tmp_path: Path) -> None:
    claim(records)
    assert Records(tmp_path, "there").all() == ([], [])


def test_only_one_holds_the_right_to_start(records: Records, tmp_path: Path) -> None:
    with records.only_one("5e55") as first:
        assert first
        with Records(tmp_path, "here").only_one("5e55") as second:
            assert not second
        with records.only_one("07e7") as another:
            assert another
        records.tidy()
        with records.only_one("5e55") as still:
            assert not still
    with records.only_one("5e55") as later:
        assert later


def test_locks_of_the_dead_are_tidied_away(records: Records, tmp_path: Path) -> None:
    left = tmp_path / "locks" / "5e55.lock"
    left.touch()
    records.tidy()
    assert not left.exists()


def test_a_damaged_record_is_told_by_its_name(records: Records, tmp_path: Path) -> None:
    (tmp_path / "instances" / "5e55.json").write_text('{"session": "FLAG{secret}"')
    found, rejected = records.all()
    assert not found
    assert [one.name for one in rejected] == ["5e55.json"]
    with pytest.raises(Misconfigured) as raised:
        records.get("5e55")
    assert "secret" not in str(raised.value)
    assert records.knows("5e55", "any"), "what might be its run is not swept away"


def test_a_record_does_not_show_its_flags() -> None:
    assert "secret" not in repr(RECORD)


@pytest.mark.parametrize("session", ["../up", "a/b", "", ".records", "x" * 65])
def test_a_session_that_is_no_file_name_is_refused(records: Records, session: str) -> None:
    with pytest.raises(Misconfigured):
        records.get(session)
