"""What the demo has in it at its first start: accounts, boxes, rivals, a home page."""

import asyncio
import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from msgspec import structs

from chatsubo.app.demo.settings import HERE
from chatsubo.app.platform import Platform
from chatsubo.domain.clock import utc_now
from chatsubo.domain.errors import Unavailable
from chatsubo.game import Actor, Role
from chatsubo.game.names import name_key
from chatsubo.game.views import TemplateView
from chatsubo.live.bus import EVERYONE
from chatsubo.store.accounts import account_by_name
from chatsubo.store.boxes import FlagRow, all_flags
from chatsubo.store.database import Database
from chatsubo.store.listings import get_listing
from chatsubo.store.submissions import Submission, found_by, insert_solve, insert_submission

PROVIDER = "demo_local"
AUTHORS = ("Ratz",)
RIVALS = ("Linda", "Wage", "Zone")
"""Accounts that nobody can log in to. Each has found one flag, so that there is somebody to overtake."""

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody logs in to the demo with."""

    username: str
    password: str = field(repr=False)


async def seed(platform: Platform, folder: Path) -> tuple[Credentials, Credentials]:
    """Fill a new demo, or go on where an earlier start was cut off; one that is full is left as it is.

    Returns:
        The organiser's and the player's credentials. They are kept in the folder, for its owner alone.

    Raises:
        Unavailable: If the demo's own provider does not show its boxes.
    """
    kept = folder / "credentials.json"
    if kept.exists():
        found = json.loads(kept.read_text(encoding="utf-8"))
        return Credentials(**found["admin"]), Credentials(**found["player"])
    admin = Credentials("finn", secrets.token_urlsafe(9))
    player = Credentials("case", secrets.token_urlsafe(9))
    await _wait_for_boxes(platform)
    account_id = await _account(platform, admin, Role.ADMIN)
    await _account(platform, player, Role.PLAYER)
    organiser = Actor(account_id, admin.username, Role.ADMIN)
    for template in await platform.game.desk.templates(organiser):
        if PROVIDER in template.providers:
            await _register(platform, organiser, template, folder / "media")
    await platform.game.home.set_content(organiser, (HERE / "home.md").read_text(encoding="utf-8"))
    await _invite_rivals(platform)
    _keep(kept, {"admin": asdict(admin), "player": asdict(player)})
    return admin, player


async def _wait_for_boxes(platform: Platform) -> None:
    with platform.bus.subscribe([EVERYONE]) as news:
        while True:
            async with platform.db.read() as tx:
                listing = await get_listing(tx, PROVIDER)
            if listing is not None and listing.templates:
                return
            try:
                await news.next(within=SECONDS)
            except TimeoutError:
                raise Unavailable from None


async def _account(platform: Platform, who: Credentials, role: Role) -> int:
    """Make an account, or let one that is there have this password; return its id."""
    accounts = platform.game.accounts
    async with platform.db.read() as tx:
        known = await account_by_name(tx, name_key(who.username))
    if known is None:
        return (await accounts.create(who.username, who.password, role)).id
    await accounts.set_password(who.username, who.password)
    return known.id


async def _register(platform: Platform, organiser: Actor, template: TemplateView, media: Path) -> None:
    boxes = platform.game.box_admin
    form = structs.replace(template.form, authors=AUTHORS)
    slug = template.registered[0] if template.registered else await boxes.register(organiser, form)
    cover = HERE / "boxes" / template.name / "cover.svg"
    if cover.exists():
        await asyncio.to_thread(media.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(shutil.copyfile, cover, media / f"{slug}.svg")
        await boxes.set_picture(organiser, slug, f"{slug}.svg")
    await boxes.release(organiser, slug)


async def _invite_rivals(platform: Platform) -> None:
    """Let each rival have found the first flag of a box some hours ago."""
    async with platform.db.read() as tx:
        flags = await all_flags(tx)
    firsts = [flag for flag in flags if flag.position == 0]
    for number, name in enumerate(RIVALS):
        account_id = await _account(platform, Credentials(name, secrets.token_urlsafe(24)), Role.PLAYER)
        if firsts:
            await _solve(platform.db, account_id, firsts[number % len(firsts)], hours_ago=len(RIVALS) - number)


async def _solve(db: Database, account_id: int, flag: FlagRow, hours_ago: int) -> None:
    at = utc_now() - timedelta(hours=hours_ago)
    submission = Submission(
        account_id=account_id,
        box_id=flag.box_id,
        flag_id=flag.id,
        session_id=None,
        value="-",
        verdict="correct",
        shared_by=None,
        at=at,
    )
    async with db.write() as tx:
        if await found_by(tx, account_id):
            return
        submission_id = await insert_submission(tx, submission)
        await insert_solve(
            tx, flag_id=flag.id, account_id=account_id, session_id=None, submission_id=submission_id, at=at
        )


def _keep(file: Path, content: dict[str, object]) -> None:
    """Write ``content`` for the owner of the folder alone, whole or not at all."""
    part = file.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        json.dump(content, opened)
    part.replace(file)
