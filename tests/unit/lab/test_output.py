"""Technical output made fit to be kept and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsubo.lab.output import clean


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("plain\n\ttext\n", "plain\n\ttext\n"),
        ("Step 1/2\r\nStep 2/2\r\n", "Step 1/2\nStep 2/2\n"),
        ("10%\r50%\r100%\n", "10%\n50%\n100%\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("a\x00b\x07c\x7f\x9b", "abc"),
        ("half \ud83d of a pair", "half  of a pair"),
        ("é è — ok ✓", "é è — ok ✓"),
    ],
)
def test_only_what_can_be_read_is_kept(raw: str, kept: str) -> None:
    assert clean(raw) == kept


@given(st.text())
def test_what_is_kept_fits_every_database(raw: str) -> None:
    kept = clean(raw)

    kept.encode()
    assert "\x00" not in kept
