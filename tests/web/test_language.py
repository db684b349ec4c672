"""Which language a reader is spoken to in."""

import pytest

from chatsubo.game.actor import Actor, Role
from chatsubo.web.language import choose


def _actor(language: str | None) -> Actor:
    return Actor(1, "case", Role.PLAYER, language)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("FR-ca", "fr"),
        ("fr_FR", "fr"),
        ("de, fr", "fr"),
        ("en;q=0.5, fr;q=0.9", "fr"),
        ("fr;q=0.5, en;q=0.9", "en"),
        ("fr;q=0, en", "en"),
        ("fr;q=0", "en"),
        ("fr ; q = 0.3", "fr"),
        ("fr;q=1e9", "en"),
        ("fr;q=nan, de", "en"),
        ("fr;q=x", "en"),
        ("*", "en"),
        (",;=,;q=1,", "en"),
        ("../../etc/passwd", "en"),
        ("fr," * 1000, "en"),
    ],
)
def test_the_browser_is_asked(header: str, language: str) -> None:
    assert choose(None, header).language == language


def test_the_account_decides_before_its_browser() -> None:
    assert choose(_actor("fr"), "en").language == "fr"
    assert choose(_actor("en"), "fr").language == "en"
    assert choose(_actor(None), "fr").language == "fr"


def test_a_language_that_is_gone_leaves_it_to_the_browser() -> None:
    assert choose(_actor("xx"), "fr").language == "fr"
