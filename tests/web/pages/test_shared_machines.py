"""The page of a machine that all players share, as players and organisers see it."""

from chatsubo.domain.text import Text
from chatsubo.store.shared_resets import begin_reset, live_resets, write_reset_stage

VILLA = "/boxes/villa"
RESET = "/boxes/villa/shared/reset"
KEEP = "/boxes/villa/shared/keep"


async def test_what_a_player_asks_for_is_announced_and_an_organiser_may_call_it_off(player, organiser):
    assert (await player.send(VILLA, RESET)).status_code == 303
    page = await player.page(VILLA)
    assert "case asked for it." in page.text
    assert not {RESET, KEEP} & page.addresses
    assert (await organiser.send(VILLA, KEEP)).status_code == 303
    page = await player.page(VILLA)
    assert "About to be reset" not in page.text
    assert "You may ask for a reset again from" in page.text


async def test_only_an_organiser_may_have_it_at_once_and_is_told_what_it_does(player, organiser):
    assert "Reset now" not in (await player.page(VILLA)).text
    assert (await player.send(VILLA, RESET, at_once="1")).status_code == 403
    page = await organiser.page(VILLA)
    assert "at once, for everyone who is on it." in page.text
    assert [one.fields.get("at_once") for one in page.forms if one.action == RESET] == [None, "1"]
    await player.send(VILLA, RESET)
    page = await organiser.page(VILLA)
    assert "at once, for everyone who is on it." in page.text
    assert [one.fields.get("at_once") for one in page.forms if one.action == RESET] == ["1"]


async def test_a_machine_that_is_being_reset_does_not_claim_to_be_as_usual(player, organiser, world):
    await player.send(VILLA, RESET)
    async with world.db.write() as tx:
        (reset,) = await live_resets(tx, "villa")
        await begin_reset(tx, reset.id)
        await write_reset_stage(tx, reset.id, Text("Turning back time"))
    for visitor in (player, organiser):
        machine = (await visitor.page(f"{VILLA}/machine")).text
        assert "Turning back time" in machine
        assert "Resetting" in machine
        assert "Running" not in machine
