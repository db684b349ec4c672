"""Collects the texts that people see from the sources, and brings the catalogues up to date: `make messages`.

They are compiled too, so that tests and a server that starts next speak from them.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hatch_build import compile_catalogues  # noqa: E402  it lies beside the package

SOURCES = ROOT / "src" / "chatsubo"
LOCALE = SOURCES / "i18n" / "locale"
DOMAIN = "chatsubo"
KEYWORDS = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}
"""What marks a text, and which of its arguments it is: as in ``N_("Log in first.")``."""


class Found(NamedTuple):
    """A text in the sources: one sentence, or the singular and the plural of one."""

    message: str | tuple[str, ...]
    file: str


def found_in_sources() -> Iterator[Found]:
    """Yield the texts of all Python files and templates."""
    for pattern, method in (("*.py", "python"), ("*.html", "jinja2"), ("*.jinja", "jinja2")):
        for path in sorted(SOURCES.rglob(pattern)):
            if "demo/boxes" in path.as_posix():
                continue
            options = {"extensions": "jinja2.ext.i18n", "silent": "false", "trimmed": "true"}
            for _line, message, _comments, _context in extract_from_file(method, path, KEYWORDS, options=options):
                yield Found(message, str(path.relative_to(ROOT)))


def collect() -> Catalog:
    """Return the catalogue of all texts, without translations."""
    catalog = Catalog(domain=DOMAIN, project="Chatsubo", charset="utf-8", fuzzy=False)
    for one in found_in_sources():
        catalog.add(one.message, locations=[(one.file, 0)])
    return catalog


def update(file: Path) -> int:
    """Bring one language's catalogue up to date, and return how many of its texts are not translated."""
    with file.open("rb") as opened:
        catalog = read_po(opened, locale=file.parent.parent.name, domain=DOMAIN)
    catalog.update(collect(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    written = BytesIO()
    write_po(written, catalog, width=110, sort_output=True, include_lineno=False, ignore_obsolete=True)
    lines = written.getvalue().decode().splitlines()
    moving = ('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By')
    file.write_text("\n".join(line for line in lines if not line.startswith(moving)) + "\n", encoding="utf-8")
    return sum(bool(message.id) and not message.string for message in catalog)


def main() -> int:
    """Update and compile every catalogue, and say what is left to translate."""
    missing = {file.parent.parent.name: update(file) for file in sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))}
    compile_catalogues(LOCALE)
    for language, count in missing.items():
        print(f"{language}: {count} texts to translate" if count else f"{language}: complete")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
