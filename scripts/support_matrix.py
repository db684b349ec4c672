"""Writes into the manual what each plugin can do: from its class, and from what the conformance kit asks of it.

What a column says of the kit is proven: a check that is asked and fails, or is skipped, fails the tests.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the kits of our plugins are tests of ours

from chatsubo.providers.abilities import Ability, abilities  # noqa: E402
from chatsubo.providers.registry import Registry  # noqa: E402
from chatsubo.testing import ProviderKit  # noqa: E402
from chatsubo.testing.kit import asking  # noqa: E402
from tests.lab.local.test_local_kit import TestLocalProvider  # noqa: E402
from tests.pve.test_pve_kit import TestClassicPve, TestDynamicPve  # noqa: E402
from tests.real.docker.test_docker_kit import TestClassicDocker, TestDynamicDocker  # noqa: E402

KITS: Mapping[str, tuple[type[ProviderKit], ...]] = {
    "docker": (TestDynamicDocker, TestClassicDocker),
    "local": (TestLocalProvider,),
    "pve": (TestDynamicPve, TestClassicPve),
}
PAGES = {language: ROOT / "docs" / language / "plugin-kit.md" for language in ("en", "fr")}
BEGIN, END = "<!-- support matrix: begin, written by scripts/support_matrix.py -->", "<!-- support matrix: end -->"

WORDS: Mapping[str, tuple[str, str]] = {
    "ability": ("ability", "capacité"),
    Ability.TEMPLATES: ("lists templates", "liste les templates"),
    Ability.INSTANCES: ("lists instances", "liste les instances"),
    Ability.RESET: ("resets", "réinitialise"),
    Ability.START: ("starts on demand", "démarre à la demande"),
    "dynamic": ("a machine for each player", "une machine par joueur"),
    "classic": ("machines that all share", "des machines partagées par tous"),
    "telling": ("kit: what it tells", "kit : ce qu'il dit"),
    "metadata": ("kit: labels", "kit : labels"),
    "starting": ("kit: starts", "kit : démarrages"),
    "stopping": ("kit: stops", "kit : arrêts"),
    "resetting": ("kit: resets", "kit : réinitialisations"),
    "shared": ("kit: shared machines", "kit : machines partagées"),
    "leaving": ("kit: nothing left behind", "kit : rien ne reste"),
    "crowds": ("kit: many at once", "kit : beaucoup à la fois"),
    "weather": ("kit: a hypervisor in trouble", "kit : un hyperviseur en difficulté"),
    "secrecy": ("kit: secrets", "kit : secrets"),
    "clocks": ("kit: clocks that jump", "kit : horloges qui sautent"),
    "known": ("kit: known failures", "kit : échecs connus"),
}
"""What each row is called, in English and in French."""


def matrix(language: str) -> str:
    """Return the table: plugins by ability, and how many of the kit's checks each is held to."""
    kinds = sorted(KITS)
    rows = [*_of_classes(kinds), *_of_kits(kinds)]
    number = 0 if language == "en" else 1
    lines = [f"| {WORDS['ability'][number]} | {' | '.join(f'`{kind}`' for kind in kinds)} |", "|---" * 4 + "|"]
    lines += [f"| {WORDS[name][number]} | {' | '.join(cells)} |" for name, cells in rows]
    return "\n".join(lines)


def _of_classes(kinds: Iterable[str]) -> Iterable[tuple[str, list[str]]]:
    plugins = Registry.load().plugins
    for ability in Ability:
        yield ability, [_mark(ability in abilities(plugins[kind])) for kind in kinds]
    for way in asking.ABILITIES:
        yield way, [_mark(any(way in kit.abilities for kit in KITS[kind])) for kind in kinds]


def _of_kits(kinds: Iterable[str]) -> Iterable[tuple[str, list[str]]]:
    themes: dict[str, list[str]] = {}
    for name, check in ProviderKit.checks().items():
        themes.setdefault(check.__module__.rpartition(".")[2], []).append(name)
    for theme, names in themes.items():
        asked = {kind: sum(any(not kit.asked(one).missing for kit in KITS[kind]) for one in names) for kind in kinds}
        yield theme, [f"{asked[kind]} / {len(names)}" if asked[kind] else "–" for kind in kinds]  # noqa: RUF001
    yield "known", [str(sum(len(kit.known_failures) for kit in KITS[kind])) for kind in kinds]


def _mark(there: bool) -> str:
    return "✓" if there else "–"  # noqa: RUF001


def with_matrix(text: str, language: str) -> str:
    """Return the text of a page with the table of today."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{matrix(language)}\n\n{END}{after}"


def main() -> None:
    """Write the table into both languages' pages."""
    for language, page in PAGES.items():
        page.write_text(with_matrix(page.read_text("utf-8"), language), "utf-8")


if __name__ == "__main__":
    main()
