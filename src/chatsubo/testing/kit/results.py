"""A plugin of pytest that writes to a file what came of each check: what a table of abilities is made from.

    pytest -p chatsubo.testing.kit.results --kit-results results.txt

Each line is a kit's class, a check without its ``test_``, and ``passed``, ``failed``, or ``known`` for a known failure.
Lines of other classes that are in the file already stay there.
"""

from pathlib import Path

import pytest

KIT = "chatsubo-kit"
"""The property of a test's report that names its kit's class."""

_WORSE = ("passed", "known", "skipped", "failed")
_BEST = _WORSE[0]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--kit-results", type=Path, help="Write what came of each check of the conformance kit to a file.")


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the reports, where they all come together."""
    file = config.getoption("--kit-results")
    if file is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Results(file))


class _Results:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._found: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of what came of a check."""
        kit = dict(report.user_properties).get(KIT)
        if report.when != "call" or not isinstance(kit, str):
            return
        check = report.nodeid.rpartition("::")[2].partition("[")[0].removeprefix("test_")
        expected = report.skipped and hasattr(report, "wasxfail")
        # A check may be made in several ways: the worst that came of it counts.
        outcomes = ("known" if expected else str(report.outcome), self._found.get((kit, check), _BEST))
        self._found[kit, check] = max(outcomes, key=_WORSE.index)

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        ran = {kit for kit, _ in self._found}
        there = read_results(self._file) if self._file.exists() else {}
        kept = {key: outcome for key, outcome in there.items() if key[0] not in ran}
        lines = [f"{kit} {check} {outcome}\n" for (kit, check), outcome in sorted({**kept, **self._found}.items())]
        self._file.write_text("".join(lines), "utf-8")


def read_results(file: Path) -> dict[tuple[str, str], str]:
    """Return what is in a file of results: the outcome by the kit's class and the check."""
    rows = (line.split() for line in file.read_text("utf-8").splitlines())
    return {(kit, check): outcome for kit, check, outcome in rows}
