"""Pictures of boxes, from the media folder."""

import pytest

from chatsubo.store.tables import boxes


@pytest.fixture
async def with_media(make_site, tmp_path, world):
    (tmp_path / "vault.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    async with world.db.write() as tx:
        await tx.execute(boxes.update().where(boxes.c.slug == "straylight").values(picture="vault.svg"))
    return make_site(media=tmp_path)


async def test_a_picture_of_an_unreleased_box_is_for_organisers_alone(with_media, visit, world, evening):
    player, organiser = await visit(with_media, "case"), await visit(with_media, "finn")
    assert (await player.get("/media/vault.svg")).status_code == 200

    async with world.db.write() as tx:
        await tx.execute(boxes.update().where(boxes.c.slug == "straylight").values(released_at=None))
    await world.game.box_admin.set_picture(evening.admin, "straylight", "vault.svg")

    assert (await player.get("/media/vault.svg")).status_code == 404
    assert (await organiser.get("/media/vault.svg")).status_code == 200


@pytest.mark.parametrize("name", ["..%2fchatsubo.db", "%2e%2e", "vault.svg%00.png", "VAULT.SVG", "none.svg", ".svg"])
async def test_nothing_else_comes_out_of_the_folder(with_media, visit, name):
    assert (await (await visit(with_media, "case")).get(f"/media/{name}")).status_code in {400, 404}


async def test_a_picture_runs_nothing_when_it_is_opened_by_itself(with_media, visit):
    answer = await (await visit(with_media, "case")).get("/media/vault.svg")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
