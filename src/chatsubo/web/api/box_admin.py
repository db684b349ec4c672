"""Boxes and templates over the API, for organisers."""

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT

from chatsubo.game.views import BoxCard, BoxForm, TemplateView
from chatsubo.web.api.bodies import BoxBody
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import TheActor, TheGame


class Registered(msgspec.Struct, frozen=True):
    """A new box's slug."""

    slug: str


class BoxAdminController(Controller):
    """Boxes: registered from a template, edited, released, retired, deleted and restored."""

    path = "/admin"
    tags = ("Organisers",)

    @get("/templates", summary="List the templates", responses=problems(401, 403))
    async def templates(self, game: TheGame, admin: TheActor) -> list[TemplateView]:
        """Return what providers offer, each with a form prefilled from its labels."""
        return await game.desk.templates(admin)

    @get("/templates/{name:str}", summary="See a template", responses=problems(401, 403, 404))
    async def template(self, name: FromPath[str], game: TheGame, admin: TheActor) -> TemplateView:
        """Return one template."""
        return await game.desk.template(admin, name)

    @get("/boxes", summary="List all boxes", responses=problems(401, 403))
    async def boxes(self, game: TheGame, admin: TheActor) -> list[BoxCard]:
        """Return all boxes, unreleased and retired ones too."""
        return await game.catalogue.boxes(admin, everything=True)

    @post("/boxes", summary="Register a box", responses=problems(401, 403, 422))
    async def register(self, data: JSONBody[BoxBody], game: TheGame, admin: TheActor) -> Registered:
        """Make a box from a template. Players see it once it is released."""
        return Registered(await game.box_admin.register(admin, data.form()))

    @get("/boxes/{slug:str}", summary="Get a box to edit", responses=problems(401, 403, 404))
    async def form(self, slug: FromPath[str], game: TheGame, admin: TheActor) -> BoxForm:
        """Return a box with the values of its flags, in the shape that ``PUT`` takes."""
        return await game.box_admin.form(admin, slug)

    @put(
        "/boxes/{slug:str}",
        status_code=HTTP_204_NO_CONTENT,
        summary="Edit a box",
        responses=problems(401, 403, 404, 422),
    )
    async def edit(self, slug: FromPath[str], data: JSONBody[BoxBody], game: TheGame, admin: TheActor) -> None:
        """Replace a box's values. A flag that is left out is deleted; one that keeps its id keeps its points."""
        await game.box_admin.edit(admin, slug, data.form())

    @post(
        "/boxes/{slug:str}/release",
        status_code=HTTP_204_NO_CONTENT,
        summary="Release a box",
        responses=problems(401, 403, 404),
    )
    async def release(self, slug: FromPath[str], game: TheGame, admin: TheActor) -> None:
        """Let players see and play the box, or bring a retired one back."""
        await game.box_admin.release(admin, slug)

    @post(
        "/boxes/{slug:str}/retire",
        status_code=HTTP_204_NO_CONTENT,
        summary="Retire a box",
        responses=problems(401, 403, 404),
    )
    async def retire(self, slug: FromPath[str], game: TheGame, admin: TheActor) -> None:
        """Take the box out of play; its points stay."""
        await game.box_admin.retire(admin, slug)

    @delete("/boxes/{slug:str}", summary="Delete a box", responses=problems(401, 403, 404))
    async def delete_box(self, slug: FromPath[str], game: TheGame, admin: TheActor) -> None:
        """Take the box away with its points; it can be restored."""
        await game.box_admin.delete(admin, slug)

    @post(
        "/boxes/{slug:str}/restore",
        status_code=HTTP_204_NO_CONTENT,
        summary="Restore a deleted box",
        responses=problems(401, 403, 404),
    )
    async def restore(self, slug: FromPath[str], game: TheGame, admin: TheActor) -> None:
        """Bring a deleted box back, with its points."""
        await game.box_admin.restore(admin, slug)
