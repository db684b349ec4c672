"""The guide to the API names what there is, in both languages."""

import re
from pathlib import Path

import pytest

from chatsubo.domain.errors import ChatsuboError
from chatsubo.web.errors import STATUSES
from tests.web.site import Site

DOCS = Path(__file__).parents[2] / "docs"


def _guide(language: str) -> str:
    return (DOCS / language / "api.md").read_text()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_guide_names_every_status_with_its_code(language: str) -> None:
    rows = dict(re.findall(r"^\| (\d{3}) \| (.*?) \|", _guide(language), re.MULTILINE))

    for cls, status in STATUSES.items():
        if cls is not ChatsuboError:
            assert f"`{cls.code}`" in rows[str(status)], cls


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_guide_names_every_address(site: Site, language: str) -> None:
    guide = _guide(language)
    paths = (await site.browser().get("/api/openapi.json")).json()["paths"]

    for path in paths:
        if "/admin/" in path:
            continue
        named = re.sub(r"\{(\w+)\}", "\0", path.removeprefix("/api/v1"))
        named = named.replace("/session/extend", ".../extend")
        pattern = re.escape(named.removeprefix("/boxes/\0") if named.endswith("/extend") else named)
        assert re.search("`" + pattern.replace("\0", "[A-Z]+") + "`", guide), path


@pytest.mark.parametrize("page", ["api.md", "reverse-proxy.md"])
def test_both_languages_show_the_same_examples(page: str) -> None:
    def examples(language: str) -> list[str]:
        blocks = re.findall(r"```\w+\n(.*?)```", (DOCS / language / page).read_text(), re.DOTALL)
        return [re.sub(r"#.*", "", block) for block in blocks]

    assert examples("en") == examples("fr") != []
