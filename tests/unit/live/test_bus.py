"""What a bus knows of the news that somebody missed."""

import pytest

from chatsubo.live.bus import Bus, Event

TOPICS = ("everyone", "account:7")


def test_who_heard_everything_missed_nothing() -> None:
    bus = Bus()
    bus.publish("everyone", Event("boxes"))
    assert not bus.missed(TOPICS, bus.position)


def test_what_was_published_since_was_missed_by_those_whom_it_concerns() -> None:
    bus = Bus()
    since = bus.position
    bus.publish("account:7", Event("session"))
    assert bus.missed(TOPICS, since)
    assert not bus.missed(("everyone", "account:8"), since)


@pytest.mark.parametrize("since", ["", "1", "-", "x-1", "{name}-", "{name}-x", "{name}-²", "another"])
def test_a_position_that_says_nothing_may_have_missed_everything(since: str) -> None:
    bus = Bus()
    assert bus.missed(TOPICS, since.format(name=bus.position.partition("-")[0]))


def test_a_position_of_another_bus_says_nothing() -> None:
    assert Bus().missed(TOPICS, Bus().position)


def test_a_count_beyond_all_numbers_is_survived() -> None:
    bus = Bus()
    assert not bus.missed(TOPICS, f"{bus.position.partition('-')[0]}-{'9' * 10_000}")
