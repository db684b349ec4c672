"""Starting, resetting, extending and stopping machines, and submitting flags."""

from collections.abc import Awaitable
from typing import Any

import msgspec
from litestar import Controller, Response, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from chatsubo.domain.errors import Conflict, Invalid, RateLimited
from chatsubo.game import Actor, Game
from chatsubo.web.dependencies import AnyRequest, TheActor, TheGame
from chatsubo.web.pages.forms import fields_of
from chatsubo.web.pages.rendering import Show, TheShow


class PlayPages(Controller):
    """What a player does."""

    @post("/boxes/{slug:str}/start", status_code=200)
    async def start(
        self, request: AnyRequest, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]
    ) -> Response[Any]:
        """Start a machine of the box, in the realm that was chosen."""
        realm = (await fields_of(request)).get("realm") or None
        return await _do(game.play.start(actor, slug, realm), game, actor, show, slug)

    @post("/boxes/{slug:str}/stop", status_code=200)
    async def stop(self, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]) -> Response[Any]:
        """Stop the player's machine."""
        return await _do(game.play.stop(actor, slug), game, actor, show, slug)

    @post("/boxes/{slug:str}/reset", status_code=200)
    async def reset(self, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]) -> Response[Any]:
        """Bring the player's machine back to how it was at first."""
        return await _do(game.play.reset(actor, slug), game, actor, show, slug)

    @post("/boxes/{slug:str}/extend", status_code=200)
    async def extend(self, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]) -> Response[Any]:
        """Give the player's machine more time."""
        return await _do(game.play.extend(actor, slug), game, actor, show, slug)

    @post("/boxes/{slug:str}/shared/reset", status_code=200)
    async def reset_shared(
        self, request: AnyRequest, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]
    ) -> Response[Any]:
        """Ask for a reset of a machine that all players share."""
        fields = await fields_of(request)
        act = game.shared.ask_reset(actor, slug, fields.get("realm") or None, at_once="at_once" in fields)
        return await _do(act, game, actor, show, slug)

    @post("/boxes/{slug:str}/shared/keep", status_code=200)
    async def call_off_shared_reset(
        self, request: AnyRequest, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]
    ) -> Response[Any]:
        """Call off a reset that is announced."""
        realm = (await fields_of(request)).get("realm") or None
        return await _do(game.shared.call_off_reset(actor, slug, realm), game, actor, show, slug)

    @post("/flags", status_code=200)
    async def submit(self, request: AnyRequest, game: TheGame, actor: TheActor, show: TheShow) -> Template:
        """Check a flag, of any box or of the one that it is said to be of."""
        fields = await fields_of(request)
        slug = fields.get("box") or None
        verdict, refusal = None, None
        try:
            verdict = await game.submissions.submit(actor, fields.get("flag", ""), slug)
        except (Invalid, RateLimited) as error:
            refusal = error
        problem = show.reason(refusal) if refusal else None
        if not show.in_page:
            return await show.page("verdict.html", refusal, verdict=verdict, problem=problem, slug=slug)
        answer = show.fragment("verdict.html", refusal, verdict=verdict, problem=problem)
        if verdict is not None and verdict.verdict == "correct":
            answer.headers["HX-Trigger"] = msgspec.json.encode({"flagfound": {"flag": verdict.flag_id}}).decode()
        return answer


async def _do(act: Awaitable[object], game: Game, actor: Actor, show: Show, slug: str) -> Redirect | Template:
    """Do something with a machine and show what became of it, or why it was refused."""
    refusal = None
    try:
        await act
    except (Conflict, RateLimited, Invalid) as error:
        refusal = error
    if refusal is None and not show.in_page:
        return show.redirect(f"/boxes/{slug}")
    box, problem = await game.catalogue.box(actor, slug), show.reason(refusal) if refusal else None
    if show.in_page:
        return show.fragment("machine.html", refusal, box=box, ways=await show.ways(), problem=problem)
    return await show.page("box.html", refusal, box=box, problem=problem)
