"""What holds for every test: with ``CHATSUBO_NO_SKIP=1`` a skip is a failure, wherever it comes from."""

import os
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from chatsubo.store.database import Database
from chatsubo.store.migrations import upgrade
from tests.databases import PostgreSQL, cluster
from tests.needs import need

# How long an example takes tells of the machine, which may be busy with something else.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

NO_SKIP = os.environ.get("CHATSUBO_NO_SKIP") == "1"


WAITING = ("tests/real/game", "tests/real", "tests/pve", "examples", "tests/lab", "tests/web/pages")
"""Folders with the files that take longest: most of them wait, for engines, clusters and browsers."""
BY_THEN = 0.75
"""The part of the run in which the last of them is begun: none keeps one process busy while the others have ended."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread files that wait among those that compute, so that there is something to do meanwhile."""
    root = Path(__file__).parents[1]
    files = list(dict.fromkeys(item.path for item in items))
    waiting = [[one for one in files if one.is_relative_to(root / folder)] for folder in WAITING]
    first = list(dict.fromkeys(one for group in waiting for one in group))
    others = [one for one in files if one not in set(first)]
    place = {one: BY_THEN * number / len(first) for number, one in enumerate(first)}
    place |= {one: number / len(others) for number, one in enumerate(others)}
    items.sort(key=lambda item: place[item.path])


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    # An expected failure is reported as skipped too, and is none.
    if NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"CHATSUBO_NO_SKIP=1 allows no skip. {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns the skip of a test into its failure."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turns the skip of a whole file, such as an importorskip at its top, into an error."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Take back what a test, or a command that it ran in this process, did to logging."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL cluster for the whole run."""
    with cluster() as started:
        yield started


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, to be copied: migrations take longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(empty_database: Path, tmp_path: Path) -> str:
    """The URL of a new, migrated SQLite database."""
    return f"sqlite:///{shutil.copy(empty_database, tmp_path / 'chatsubo.db')}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=need.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new, migrated database, of either kind in turn."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
    else:
        url = request.getfixturevalue("postgresql").migrated_database()
    return url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A new, migrated database, of either kind in turn."""
    database = Database.open(database_url)
    yield database
    await database.aclose()
