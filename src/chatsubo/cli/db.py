"""``chatsubo db``: looks after the database."""

from pathlib import Path

import click

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_config
from chatsubo.domain.text import N_, Text
from chatsubo.store.migrations import upgrade as migrate


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@config_option
@console.json_option
def upgrade(file: Path, *, as_json: bool) -> None:
    """Bring the tables up to date.

    A database that is not there yet is made. All of it happens or nothing, and a second time does no harm.
    """
    database = load_config(file)[0].database
    before, now = migrate(database.url.reveal())
    if as_json:
        console.data({"database": database.label, "before": before, "now": now})
    elif before == now:
        console.say(Text(N_("{database} is up to date ({now})."), {"database": database.label, "now": now}))
    elif before is None:
        console.say(Text(N_("{database} is ready ({now})."), {"database": database.label, "now": now}))
    else:
        params = {"database": database.label, "before": before, "now": now}
        console.say(Text(N_("{database} was upgraded from {before} to {now}."), params))
