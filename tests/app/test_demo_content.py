"""What the demo has in it at its first start."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.app.demo.content import PROVIDER, RIVALS, seed
from chatsubo.app.platform import Platform
from chatsubo.domain.labels import Flag
from chatsubo.game import Client, Game, Role
from chatsubo.live.bus import Bus
from chatsubo.store.database import Database
from chatsubo.store.listings import ListedTemplate, ProviderListing, save_listing
from chatsubo.store.submissions import totals

TEMPLATES = tuple(
    ListedTemplate(name=name, dynamic=True, os="Linux", category="Basics", flags=(Flag("user", "", 100),))
    for name in ("chiba", "ledger")
)


class Cut(BaseException):
    """The process ends here."""


class CutOff(Database):
    """A database at whose ``left``-th transaction from now the process ends."""

    left = 1_000_000

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        self.left -= 1
        if self.left < 0:
            raise Cut
        async with super().write() as tx:
            yield tx


@pytest.fixture
async def platform(sqlite_url: str) -> AsyncIterator[Platform]:
    """As much of a platform as is needed to fill it."""
    db, bus = CutOff.open(sqlite_url), Bus()
    game = Game.build(db, bus)
    listing = ProviderListing(provider=PROVIDER, kind="local", is_dynamic=True, realms=("demo",), templates=TEMPLATES)
    async with db.write() as tx:
        await save_listing(tx, listing)
    yield cast("Platform", SimpleNamespace(db=db, bus=bus, game=game))
    await game.aclose()
    await db.aclose()


async def test_a_first_start_that_was_cut_off_anywhere_is_made_good_by_the_next(
    platform: Platform, tmp_path: Path
) -> None:
    db = cast("CutOff", platform.db)
    starts = 0
    while not (tmp_path / "credentials.json").exists():
        db.left, starts = starts, starts + 1
        with contextlib.suppress(Cut):
            await seed(platform, tmp_path)
    db.left = 1_000_000
    assert starts > 10

    admin, player = await seed(platform, tmp_path)
    client = Client("127.0.0.1")
    organiser, _ = await platform.game.accounts.login(admin.username, admin.password, client=client)
    case, _ = await platform.game.accounts.login(player.username, player.password, client=client)
    assert (organiser.role, case.role) == (Role.ADMIN, Role.PLAYER)
    assert [card.slug for card in await platform.game.catalogue.boxes(case)] == ["chiba", "ledger"]
    async with db.read() as tx:
        assert await totals(tx) == (2 + len(RIVALS), 2, len(RIVALS), len(RIVALS))
