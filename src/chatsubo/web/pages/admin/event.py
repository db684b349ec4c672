"""When the event is, as organisers set it."""

from datetime import UTC, datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromQuery
from litestar.response import Template

from chatsubo.domain.errors import FieldProblem, Invalid
from chatsubo.domain.text import N_, Text
from chatsubo.web.dependencies import AnyRequest, TheActor, TheGame
from chatsubo.web.pages.forms import fields_of
from chatsubo.web.pages.rendering import TheShow

FIELDS = ("opens_at", "closes_at")
_NO_MOMENT = N_("Write a day and a time, such as 2026-11-28 18:00.")


class EventDesk(Controller):
    """What organisers set for everyone."""

    path = "/admin/settings"

    @get("/")
    async def form(self, game: TheGame, admin: TheActor, show: TheShow, done: FromQuery[str] = "") -> Template:  # noqa: ARG002  bars players
        """Show when the event is."""
        event = await game.event.view()
        moments = {"opens_at": event.opens_at, "closes_at": event.closes_at}
        return await show.page("admin/settings.html", event=event, moments=moments, problems={}, done=bool(done))

    @post("/")
    async def save(self, request: AnyRequest, game: TheGame, admin: TheActor, show: TheShow) -> Response[Any]:
        """Set when the event is. The page's script sends moments in UTC; without it, they were written in UTC."""
        fields = await fields_of(request)
        moments: dict[str, datetime | None] = dict.fromkeys(FIELDS)
        try:
            moments = read_moments(fields)
            await game.event.set_window(admin, moments["opens_at"], moments["closes_at"])
        except Invalid as error:
            context: dict[str, Any] = {"event": await game.event.view(), "moments": moments, "done": False}
            return await show.page("admin/settings.html", error, problems=show.reasons(error), **context)
        return show.redirect("/admin/settings?done=true")


def read_moments(fields: dict[str, str]) -> dict[str, datetime | None]:
    """Return the moments that a form holds, by field.

    Raises:
        Invalid: If something else was written.
    """
    found: dict[str, datetime | None] = {}
    problems = []
    for name in FIELDS:
        text = fields.get(name, "").strip()
        try:
            at = datetime.fromisoformat(text) if text else None
            found[name] = at and (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))
        except (ValueError, OverflowError):
            problems.append(FieldProblem(name, Text(_NO_MOMENT)))
    if problems:
        raise Invalid(*problems)
    return found
