"""Tracks, their boxes, and a box's page."""

import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from litestar import Controller, Response, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from chatsubo.domain.errors import NotFound
from chatsubo.game.views import BoxCard
from chatsubo.web.assets import Asset
from chatsubo.web.dependencies import AnyRequest, TheActor, TheGame
from chatsubo.web.pages.cover import draw
from chatsubo.web.pages.rendering import TheShow
from chatsubo.web.pages.static import respond

_A_WEEK = "public, max-age=604800"
_LONGEST_SLUG = 80


class BoxPages(Controller):
    """What there is to attack."""

    @get("/tracks")
    async def all_boxes(self, game: TheGame, actor: TheActor, show: TheShow) -> Template:
        """Show all boxes, track by track."""
        boxes = _by_track(await game.catalogue.boxes(actor))
        return await show.page("tracks.html", track=None, boxes=boxes, event=await game.event.view())

    @get("/tracks/{slug:str}")
    async def track(self, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]) -> Template:
        """Show the boxes of one track.

        Raises:
            NotFound: If no track of that name has boxes.
        """
        known = {track.slug: track for track in await game.catalogue.tracks(actor)}
        if slug not in known:
            raise NotFound
        boxes = _by_track(await game.catalogue.boxes(actor, slug))
        return await show.page("tracks.html", track=known[slug], boxes=boxes, event=await game.event.view())

    @get("/boxes/cards")
    async def cards(
        self, game: TheGame, actor: TheActor, show: TheShow, track: FromQuery[str | None] = None
    ) -> Template:
        """Show the cards of the boxes, of one track or all."""
        tracks = await game.catalogue.tracks(actor)
        boxes = _by_track(await game.catalogue.boxes(actor, track))
        chosen = next((one for one in tracks if one.slug == track), None)
        event = await game.event.view()
        return show.fragment("cards.html", tracks=tracks, track=chosen, boxes=boxes, event=event)

    @get("/boxes/{slug:str}")
    async def box(self, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]) -> Template:
        """Show a box."""
        return await show.page("box.html", box=await game.catalogue.box(actor, slug), problem=None)

    @get("/boxes/{slug:str}/machine")
    async def machine(self, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]) -> Template:
        """Show how to get into a box."""
        box = await game.catalogue.box(actor, slug)
        return show.fragment("machine.html", box=box, ways=await show.ways(), problem=None)

    @get("/boxes/{slug:str}/flags")
    async def flags(self, game: TheGame, actor: TheActor, show: TheShow, slug: FromPath[str]) -> Template:
        """Show the flags of a box."""
        return show.fragment("flags.html", box=await game.catalogue.box(actor, slug))

    @get("/boxes/{slug:str}/cover.svg")
    async def cover(self, request: AnyRequest, slug: FromPath[str]) -> Response[bytes]:
        """Draw the picture of a box that has none. It tells nothing but the name, so it is drawn for any name."""
        return respond(request, _drawn(slug[:_LONGEST_SLUG]), _A_WEEK)


def _by_track(boxes: Iterable[BoxCard]) -> Mapping[str, list[BoxCard]]:
    groups: defaultdict[str, list[BoxCard]] = defaultdict(list)
    for box in boxes:
        groups[box.track].append(box)
    return groups


@lru_cache(maxsize=256)
def _drawn(slug: str) -> Asset:
    plain = draw(slug).encode()
    return Asset("image/svg+xml", {"identity": plain, "gzip": gzip.compress(plain, mtime=0)})
