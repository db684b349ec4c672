"""Numbers, moments, durations and sentences in each language."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chatsubo.domain.text import Text
from chatsubo.i18n import languages, negotiate, translator

NOW = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)


def _plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\xa0", " ")


def test_english_and_french_are_spoken() -> None:
    assert languages()[:2] == ("en", "fr")
    assert translator("de").language == "en"


@pytest.mark.parametrize(
    ("wanted", "language"), [([], "en"), (["de"], "en"), (["de", "fr-CA"], "fr"), (["fr_FR"], "fr"), (["../fr"], "en")]
)
def test_the_first_language_that_there_is_is_spoken(wanted: list[str], language: str) -> None:
    assert negotiate(wanted) == language


@pytest.mark.parametrize(
    ("length", "english", "french"),
    [
        (timedelta(hours=1, minutes=20, seconds=5), "1 hour, 20 minutes", "1 heure, 20 minutes"),
        (timedelta(days=2), "2 days", "2 jours"),
        (timedelta(days=1, minutes=5), "1 day", "1 jour"),
        (timedelta(seconds=59), "59 seconds", "59 secondes"),
        (timedelta(0), "0 seconds", "0 seconde"),
        (timedelta(seconds=-5), "0 seconds", "0 seconde"),
    ],
)
def test_a_duration_has_its_two_largest_units(length: timedelta, english: str, french: str) -> None:
    assert translator("en").duration(length) == english
    assert _plain(translator("fr").duration(length)) == french


def test_numbers_are_grouped() -> None:
    assert translator("en").number(12345) == "12,345"
    assert _plain(translator("fr").number(12345)) == "12 345"


def test_a_moment_says_its_zone() -> None:
    assert _plain(translator("en").moment(NOW)) == "Nov 23, 2026, 12:05:00 PM UTC"
    assert "13:05:00" in translator("fr").moment(NOW, ZoneInfo("Europe/Paris"))


def test_a_moment_is_told_from_now() -> None:
    assert translator("en").ago(NOW - timedelta(hours=3), NOW) == "3 hours ago"
    assert _plain(translator("fr").ago(NOW + timedelta(days=2), NOW)) == "dans 2 jours"


def test_a_text_may_hold_another() -> None:
    inner = Text("step {n}", {"n": 3})

    assert translator("en").text(Text("Building: {what}", {"what": inner})) == "Building: step 3"


def test_values_are_never_taken_for_placeholders() -> None:
    assert translator("en").text(Text("{message}", {"message": "{0} {x} {"})) == "{0} {x} {"
    assert translator("en").text(Text("", {})) == ""
