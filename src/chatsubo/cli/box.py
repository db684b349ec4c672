"""``chatsubo box``: boxes, from the server's own command line."""

import asyncio
from pathlib import Path

import click

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_config
from chatsubo.domain.text import N_


@click.group()
def box() -> None:
    """Look after boxes."""


@box.command("list")
@config_option
@console.json_option
def list_(file: Path, *, as_json: bool) -> None:
    """Show all boxes."""
    rows = asyncio.run(_rows(file))
    if as_json:
        console.data(rows)
    elif not rows:
        console.say(N_("There are no boxes yet. Log in as an organiser and register a template."))
    else:
        console.table(list(rows[0]), [list(row.values()) for row in rows])


async def _rows(file: Path) -> list[dict[str, object]]:
    from chatsubo.app.storage import open_database  # noqa: PLC0415
    from chatsubo.store.boxes import all_boxes, all_flags  # noqa: PLC0415

    db = await open_database(load_config(file)[0])
    try:
        async with db.read() as tx:
            flags = await all_flags(tx)
            return [
                {
                    "slug": one.slug,
                    "name": one.name,
                    "track": one.track_name,
                    "template": one.template,
                    "difficulty": one.difficulty,
                    "flags": sum(flag.box_id == one.id for flag in flags),
                    "points": sum(flag.points for flag in flags if flag.box_id == one.id),
                    "state": one.standing,
                }
                for one in await all_boxes(tx)
            ]
    finally:
        await db.aclose()
