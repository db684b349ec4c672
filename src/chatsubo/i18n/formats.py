"""How numbers, moments and durations are written in each language."""

from datetime import datetime, timedelta, tzinfo
from typing import Literal

from babel.dates import format_date, format_datetime, format_timedelta, get_timezone_name
from babel.numbers import format_decimal

_Unit = Literal["day", "hour", "minute"]
_UNITS: tuple[tuple[timedelta, _Unit], ...] = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def number(value: float, language: str) -> str:
    """Return ``value`` with its digits grouped."""
    return format_decimal(value, locale=language)


def date(moment: datetime, language: str, zone: tzinfo | None = None) -> str:
    """Return the day of ``moment`` in ``zone`` (its own where none is given), as in ``23 Nov 2026``."""
    return format_date(_in_zone(moment, zone), format="medium", locale=language)


def moment(moment: datetime, language: str, zone: tzinfo | None = None) -> str:
    """Return day, time and zone of ``moment`` in ``zone`` (its own where none is given)."""
    local = _in_zone(moment, zone)
    written = format_datetime(local, format="medium", tzinfo=local.tzinfo, locale=language)
    return f"{written} {get_timezone_name(local, width='short', locale=language)}"


def ago(moment: datetime, now: datetime, language: str) -> str:
    """Return how far ``moment`` is from ``now``, as in ``3 hours ago`` or ``in 2 days``."""
    return format_timedelta(moment - now, add_direction=True, threshold=1, locale=language)


def duration(length: timedelta, language: str) -> str:
    """Return ``length`` in its two largest units, as in ``1 hour, 20 minutes``; below a minute in seconds."""
    rest = max(length, timedelta())
    parts = []
    for unit, name in _UNITS:
        count, rest = divmod(rest, unit)
        if count:
            parts.append(format_timedelta(unit * count, granularity=name, threshold=10**9, locale=language))
        elif parts:
            break
        if len(parts) == 2:  # noqa: PLR2004  a third unit says nothing more
            break
    if not parts:
        parts.append(format_timedelta(rest, granularity="second", threshold=10**9, locale=language))
    return ", ".join(parts)


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment.astimezone(zone) if zone is not None else moment
