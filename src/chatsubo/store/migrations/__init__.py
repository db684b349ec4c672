"""Migrations of the schema, run by Alembic from the installed package: no file of its own is needed."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url

from chatsubo.store.sqlite import configure, make_private
from chatsubo.store.tables import metadata

HERE = Path(__file__).parent


def upgrade(url: str) -> tuple[str | None, str]:
    """Bring the schema of the database at ``url`` up to date, all migrations in one transaction.

    Returns:
        The revision that it was at, ``None`` for an empty database, and the one that it is at now.
    """
    engine = create_engine(_synchronous(url), hide_parameters=True)
    if engine.dialect.name == "sqlite":
        make_private(engine.url.database)
        configure(engine, writing=True)
    try:
        with engine.begin() as connection:
            before = MigrationContext.configure(connection).get_current_revision()
            command.upgrade(_config(connection), "head")
            return before, newest()
    finally:
        engine.dispose()


def revision(url: str) -> str | None:
    """Return the revision that the database at ``url`` is at; ``None`` if it is empty or not there. Makes nothing."""
    if (file := _file(url)) is not None and not file.exists():
        return None
    engine = create_engine(_synchronous(url))
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def newest() -> str:
    """Return the revision that this version of the program expects."""
    head = ScriptDirectory(str(HERE)).get_current_head()
    assert head is not None
    return head


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


def _file(url: str) -> Path | None:
    """Return the file of an SQLite database."""
    target = make_url(url)
    return Path(target.database or "") if target.get_backend_name() == "sqlite" else None


def _synchronous(url: str) -> str:
    target = make_url(url)
    driver = "sqlite" if target.get_backend_name() == "sqlite" else "postgresql+psycopg"
    return target.set(drivername=driver).render_as_string(hide_password=False)
