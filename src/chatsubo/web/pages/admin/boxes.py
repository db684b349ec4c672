"""Boxes as organisers keep them, and the templates they are made from."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from chatsubo.domain.errors import Invalid
from chatsubo.domain.labels import SYSTEMS
from chatsubo.game.views import BoxForm, TemplateView
from chatsubo.web.dependencies import AnyRequest, TheActor, TheGame
from chatsubo.web.pages.forms import box_form, fields_of
from chatsubo.web.pages.rendering import Show, TheShow


class BoxDesk(Controller):
    """What organisers do with boxes."""

    path = "/admin"

    @get("/templates")
    async def templates(self, game: TheGame, admin: TheActor, show: TheShow) -> Template:
        """Show what providers offer to make boxes of, what no box is made of yet first."""
        templates = sorted(await game.desk.templates(admin), key=lambda one: bool(one.registered))
        return await show.page("admin/templates.html", templates=templates)

    @get("/boxes")
    async def boxes(self, game: TheGame, admin: TheActor, show: TheShow, deleted: FromQuery[str] = "") -> Template:
        """Show all boxes; ``deleted`` is the one that has just been deleted, and can be brought back."""
        boxes = sorted(await game.catalogue.boxes(admin, everything=True), key=lambda box: box.deleted)
        gone = next((box for box in boxes if box.deleted and box.slug == deleted), None)
        return await show.page("admin/boxes.html", boxes=boxes, gone=gone)

    @get("/boxes/new")
    async def registration_form(
        self, game: TheGame, admin: TheActor, show: TheShow, template: FromQuery[str] = ""
    ) -> Response[Any]:
        """Show the form for a new box, prefilled from its template's labels; without a template, let one be chosen."""
        if not template:
            return show.redirect("/admin/templates")
        offered = await game.desk.template(admin, template)
        return await _form(show, offered.form, template=offered)

    @post("/boxes/new")
    async def register(self, request: AnyRequest, game: TheGame, admin: TheActor, show: TheShow) -> Response[Any]:
        """Register a box."""
        form = box_form(await fields_of(request))
        try:
            slug = await game.box_admin.register(admin, form)
        except Invalid as error:
            offered = {one.name: one for one in await game.desk.templates(admin)}
            return await _form(show, form, template=offered.get(form.template), error=error)
        return show.redirect(f"/boxes/{slug}")

    @get("/boxes/{slug:str}")
    async def edit_form(self, game: TheGame, admin: TheActor, show: TheShow, slug: FromPath[str]) -> Template:
        """Show the form for a box."""
        return await _form(show, await game.box_admin.form(admin, slug), slug=slug)

    @post("/boxes/{slug:str}")
    async def edit(
        self, request: AnyRequest, game: TheGame, admin: TheActor, show: TheShow, slug: FromPath[str]
    ) -> Response[Any]:
        """Change a box."""
        form = box_form(await fields_of(request))
        try:
            await game.box_admin.edit(admin, slug, form)
        except Invalid as error:
            return await _form(show, form, slug=slug, error=error)
        return show.redirect(f"/boxes/{slug}")

    @post("/boxes/{slug:str}/release")
    async def release(self, game: TheGame, admin: TheActor, show: TheShow, slug: FromPath[str]) -> Redirect:
        """Let players have the box."""
        await game.box_admin.release(admin, slug)
        return show.redirect("/admin/boxes")

    @post("/boxes/{slug:str}/retire")
    async def retire(self, game: TheGame, admin: TheActor, show: TheShow, slug: FromPath[str]) -> Redirect:
        """Take the box out of play."""
        await game.box_admin.retire(admin, slug)
        return show.redirect("/admin/boxes")

    @post("/boxes/{slug:str}/delete")
    async def delete(self, game: TheGame, admin: TheActor, show: TheShow, slug: FromPath[str]) -> Redirect:
        """Take the box away; the page that follows offers to bring it back."""
        await game.box_admin.delete(admin, slug)
        return show.redirect(f"/admin/boxes?deleted={slug}")

    @post("/boxes/{slug:str}/restore")
    async def restore(self, game: TheGame, admin: TheActor, show: TheShow, slug: FromPath[str]) -> Redirect:
        """Bring a deleted box back."""
        await game.box_admin.restore(admin, slug)
        return show.redirect("/admin/boxes")


async def _form(
    show: Show,
    form: BoxForm,
    *,
    slug: str | None = None,
    template: TemplateView | None = None,
    error: Invalid | None = None,
) -> Template:
    return await show.page(
        "admin/box_form.html",
        error,
        form=form,
        slug=slug,
        template=template,
        systems=SYSTEMS,
        missing=template.missing if template and not error else (),
        problems=show.reasons(error),
    )
