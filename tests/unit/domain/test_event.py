"""When the event is."""

from datetime import UTC, datetime, timedelta

import pytest

from chatsubo.domain.errors import EventOver, NotOpenYet
from chatsubo.domain.event import Phase, Window

START = datetime(2026, 11, 28, 18, tzinfo=UTC)
END = START + timedelta(hours=24)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("window", "now", "phase"),
    [
        (Window(), START, Phase.OPEN),
        (Window(START, END), START - MOMENT, Phase.BEFORE),
        (Window(START, END), START, Phase.OPEN),
        (Window(START, END), END - MOMENT, Phase.OPEN),
        (Window(START, END), END, Phase.OVER),
        (Window(opens_at=START), END, Phase.OPEN),
        (Window(closes_at=END), START - timedelta(days=900), Phase.OPEN),
    ],
)
def test_the_first_moment_belongs_to_the_event_and_the_last_does_not(
    window: Window, now: datetime, phase: Phase
) -> None:
    assert window.phase(now) is phase


def test_before_it_nothing_is_known_and_after_it_nothing_is_played() -> None:
    window = Window(START, END)
    for check in (window.must_have_begun, window.must_be_open):
        with pytest.raises(NotOpenYet):
            check(START - MOMENT)
        check(START)
    window.must_have_begun(END)
    with pytest.raises(EventOver):
        window.must_be_open(END)
