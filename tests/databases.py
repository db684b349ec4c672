"""Databases for tests: a new SQLite file, or a new database on a PostgreSQL cluster that lives as long as the run."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from chatsubo.store.migrations import upgrade
from tests.needs import postgresql_binaries

WITHIN = "240"
"""Seconds within which a cluster has to be up, or down: far more than it takes, even where the machine is busy."""

_MIGRATED = "migrated"


class PostgreSQL:
    """A cluster of its own, on a unix socket only."""

    def __init__(self, folder: Path, user: str) -> None:
        self.folder = folder
        self.user = user
        self._migrated = False

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        return self._made(f"test_{uuid.uuid4().hex}")

    def migrated_database(self) -> str:
        """Make a migrated database and return its URL: a copy, as migrations take longer than most tests."""
        if not self._migrated:
            upgrade(self._made(_MIGRATED))
            self._migrated = True
        return self._made(f"test_{uuid.uuid4().hex}", _MIGRATED)

    def _made(self, name: str, template: str = "template1") -> str:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(host=str(self.folder), user=self.user, dbname="postgres", autocommit=True) as connection:
            connection.execute(command)
        return f"postgresql://{self.user}@/{name}?host={self.folder}"


@contextmanager
def cluster() -> Iterator[PostgreSQL]:
    """Start a PostgreSQL cluster and stop it afterwards. PostgreSQL refuses to run as root, so root steps down."""
    binaries = postgresql_binaries()
    assert binaries is not None
    folder = Path(tempfile.mkdtemp(prefix="chatsubo-pg-"))
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    as_user = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, capture_output=True, cwd=folder)

    run(str(binaries / "initdb"), "-D", str(folder / "data"), "-U", user, "-A", "trust", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
    run(
        str(binaries / "pg_ctl"),
        "-D",
        str(folder / "data"),
        "-w",
        "-t",
        WITHIN,
        "-l",
        str(folder / "log"),
        "-o",
        options,
        "start",
    )
    try:
        yield PostgreSQL(folder, user)
    finally:
        run(str(binaries / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "-t", WITHIN, "stop")
        shutil.rmtree(folder)
