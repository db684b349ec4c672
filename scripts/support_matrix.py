"""Writes into the manual what each plugin can do: from its class, and from what came of the conformance kit's checks.

The results are those of the last run with ``--run``, which takes some minutes and needs a Docker Engine. They cannot
grow old unseen: tests fail where a check that is asked has no result, and a check that fails now fails the tests.
"""

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the kits of our plugins are tests of ours

from chatsubo.providers.abilities import Ability, abilities  # noqa: E402
from chatsubo.providers.registry import Registry  # noqa: E402
from chatsubo.testing import ProviderKit  # noqa: E402
from chatsubo.testing.kit import asking  # noqa: E402
from chatsubo.testing.kit.results import read_results  # noqa: E402
from tests.lab.local.test_local_kit import TestLocalProvider  # noqa: E402
from tests.pve.test_pve_kit import TestClassicPve, TestDynamicPve  # noqa: E402
from tests.real.docker.test_docker_kit import TestClassicDocker, TestDynamicDocker  # noqa: E402

KITS: Mapping[str, tuple[type[ProviderKit], ...]] = {
    "docker": (TestDynamicDocker, TestClassicDocker),
    "local": (TestLocalProvider,),
    "pve": (TestDynamicPve, TestClassicPve),
}
TESTS = ("tests/real/docker/test_docker_kit.py", "tests/lab/local/test_local_kit.py", "tests/pve/test_pve_kit.py")
RESULTS = ROOT / "tests" / "kit" / "results.txt"
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
    """Return the table: plugins by ability, and how many of the kit's checks each has passed."""
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
    results = read_results(RESULTS)
    themes: dict[str, list[str]] = {}
    for name, check in ProviderKit.checks().items():
        themes.setdefault(check.__module__.rpartition(".")[2], []).append(name)
    for theme, names in themes.items():
        passed = {kind: len(_ended(results, kind, "passed").intersection(names)) for kind in kinds}
        yield theme, [f"{passed[kind]} / {len(names)}" if passed[kind] else "–" for kind in kinds]  # noqa: RUF001
    yield "known", [str(len(_ended(results, kind, "known"))) for kind in kinds]


def _ended(results: Mapping[tuple[str, str], str], kind: str, outcome: str) -> set[str]:
    """Return the checks that ended so for a plugin, in whatever way it was configured, and in no other way worse."""
    kits = {kit.__name__ for kit in KITS[kind]}
    of_kind = {(f"test_{check}", result) for (kit, check), result in results.items() if kit in kits}
    if outcome != "passed":
        return {check for check, result in of_kind if result == outcome}
    return {check for check, _ in of_kind} - {check for check, result in of_kind if result != "passed"}


def _mark(there: bool) -> str:
    return "✓" if there else "–"  # noqa: RUF001


def with_matrix(text: str, language: str) -> str:
    """Return the text of a page with the table of today."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{matrix(language)}\n\n{END}{after}"


def main() -> None:
    """Write the table into both languages' pages; with ``--run``, hold our plugins to the kit before."""
    if "--run" in sys.argv[1:]:
        options = ("-q", "-n", "2", "-p", "chatsubo.testing.kit.results", "--kit-results", str(RESULTS))
        subprocess.run([sys.executable, "-m", "pytest", *options, *TESTS], cwd=ROOT, check=True)  # noqa: S603  ours
    for language, page in PAGES.items():
        page.write_text(with_matrix(page.read_text("utf-8"), language), "utf-8")


if __name__ == "__main__":
    main()
