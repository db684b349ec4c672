"""What organisers do on their desk."""

import pytest

from chatsubo.domain.errors import Forbidden, NotFound
from chatsubo.game import Game
from chatsubo.store.database import Database
from tests.game.world import World


async def test_an_organiser_alone_has_a_provider_looked_at_and_only_one_that_there_is(
    world: World, db: Database
) -> None:
    looked_at: list[str] = []
    desk = Game.build(db, world.bus, clock=world.clock, look_again=looked_at.append).desk
    with pytest.raises(Forbidden):
        await desk.look_again(await world.player("case"), "lab")
    admin = await world.admin()
    with pytest.raises(NotFound):
        await desk.look_again(admin, "elsewhere")
    assert looked_at == []
    await desk.look_again(admin, "lab")
    assert looked_at == ["lab"]
