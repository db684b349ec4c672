"""Every link leads somewhere, and every page can be reached."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import ALL, DOCS, LANGUAGES, ROOT, Page, pages_of

every_page = pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)


def _target(page: Page, link: str) -> tuple[Path, str]:
    path, _, anchor = unquote(link).partition("#")
    return (page.path.parent / path).resolve() if path else page.path, anchor


@every_page
def test_links_lead_to_files_that_are_there(page):
    for link in page.links:
        assert not link.startswith("/"), f"{link} would lead out of the repository"
        if "://" not in link:
            path, _ = _target(page, link)
            assert path.exists(), f"{page.name} links to {link}"
            assert path.is_relative_to(ROOT)


@every_page
def test_links_into_a_page_lead_to_a_heading_of_it(page):
    for link in page.links:
        path, anchor = _target(page, link)
        if "://" not in link and anchor:
            assert anchor in Page(path).anchors, f"{page.name} links to {link}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_index_of_a_language_leads_to_all_of_its_pages(language):
    index = Page(DOCS / language / "README.md")
    linked = {_target(index, link)[0] for link in index.links if "://" not in link}
    assert {page.path for page in pages_of(language)} - {index.path} <= linked


def test_the_index_of_decisions_lists_all_of_them_in_order():
    index = Page(DOCS / "decisions" / "README.md")
    assert index.links == sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
