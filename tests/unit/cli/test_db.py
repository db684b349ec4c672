"""``chatsubo db upgrade``."""

import json
import sqlite3
from pathlib import Path

import pytest

from chatsubo.store.migrations import newest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "chatsubo.yml"
    file.write_text("database: {url: 'sqlite:///data.db'}\n")
    return file


def test_a_database_that_is_not_there_is_made_beside_the_configuration(run, file):
    result = run("db", "upgrade", "--config", str(file))
    assert (result.exit_code, "is ready" in result.stdout) == (0, True), result.output
    with sqlite3.connect(file.parent / "data.db") as connection:
        assert connection.execute("select version_num from alembic_version").fetchone() == (newest(),)
    connection.close()


def test_a_second_time_changes_nothing(run, file):
    run("db", "upgrade", "--config", str(file))
    result = run("db", "upgrade", "--config", str(file))
    assert (result.exit_code, "is up to date" in result.stdout) == (0, True)


def test_machines_are_told_the_revisions(run, file):
    told = json.loads(run("db", "upgrade", "--config", str(file), "--json").stdout)
    assert told == {"database": f"sqlite:///{file.parent}/data.db", "before": None, "now": newest()}


def test_a_database_that_cannot_be_opened_is_a_sentence(run, file):
    file.write_text("database: {url: 'sqlite:///nowhere/data.db'}\n")
    result = run("db", "upgrade", "--config", str(file))
    assert result.exit_code == 1
    assert "Error: the database refused: unable to open database file" in result.stderr
    assert "database.url" in result.stderr


def test_a_configuration_that_cannot_be_used_ends_with_2(run, file):
    file.write_text("database: {url: 'mysql://ctf:hunter2@x/y'}\n")
    result = run("db", "upgrade", "--config", str(file))
    assert result.exit_code == 2
    assert "database.url (line 1)" in result.stderr
    assert "hunter2" not in result.output
