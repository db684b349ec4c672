"""The lives of local instances."""

from pathlib import Path

from chatsubo.providers.local.records import Record
from chatsubo.providers.local.runs import _MAX_LOG, Runs

RECORD = Record(
    provider="here",
    session="s",
    generation=1,
    realm="wz01",
    template="hello",
    slot=0,
    address="127.77.0.1",
    ports={},
    labels={},
    run="r",
    awaited=False,
)


def test_of_much_output_the_last_whole_lines_are_told(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    runs.open()
    runs.path(RECORD).mkdir()
    log = runs.path(RECORD) / "log"

    assert runs.output(RECORD) == ""
    log.write_text("all of it\n")
    assert runs.output(RECORD) == "all of it\n"
    log.write_text("the flag is FLAG{secret}\n" + "x" * (_MAX_LOG - 9) + "\n")
    assert runs.output(RECORD) == "x" * (_MAX_LOG - 9) + "\n"
