"""The database as a process finds it at its start."""

import asyncio
import secrets

from chatsubo.config import Config, Secret
from chatsubo.domain.errors import Conflict
from chatsubo.domain.text import N_
from chatsubo.store.database import Database
from chatsubo.store.migrations import newest, revision, upgrade
from chatsubo.store.settings import read_setting, write_setting

CSRF_SECRET = "csrf_secret"  # noqa: S105  the name of a setting


class SchemaOutdated(Conflict):
    """The tables are of another version than the program."""

    code = "schema-outdated"
    message = N_("The database {database} is at version {found}, the program needs {needed}. Run: chatsubo db upgrade")


async def open_database(config: Config) -> Database:
    """Open the configured database. An embedded one is brought up to date; PostgreSQL is left to its administrator.

    Raises:
        SchemaOutdated: If the tables of a PostgreSQL database are of another version.
    """
    url = config.database.url.reveal()
    if config.database.engine == "sqlite":
        await asyncio.to_thread(upgrade, url)
    else:
        found = await asyncio.to_thread(revision, url)
        if found != newest():
            raise SchemaOutdated(database=config.database.label, found=found or "-", needed=newest())
    return Database.open(url)


async def csrf_secret(db: Database) -> Secret:
    """Return the secret that signs forms; made once and kept, so that open pages outlive a restart."""
    async with db.write() as tx:
        kept = await read_setting(tx, CSRF_SECRET)
        if not isinstance(kept, str):
            kept = secrets.token_urlsafe(32)
            await write_setting(tx, CSRF_SECRET, kept)
    return Secret(kept)


def engine_url(config: Config) -> str:
    """Return where the durable engine keeps its own tables: a file beside ours, or the same PostgreSQL database."""
    url = config.database.url.reveal()
    return f"{url}.engine" if config.database.engine == "sqlite" else url
