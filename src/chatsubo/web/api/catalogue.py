"""Tracks, boxes, players and the home page over the API."""

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import FromPath, QueryParameter

from chatsubo.game.views import AccountCard, BoxCard, BoxView, ProfileView, TrackView
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import TheActor, TheGame

Slug = Annotated[str | None, QueryParameter(max_length=64, description="The slug of a track.")]
Search = Annotated[str | None, QueryParameter(max_length=64, description="A part of a name.")]


class HomePage(msgspec.Struct, frozen=True):
    """The home page's Markdown, as organisers wrote it."""

    content: str


class CatalogueController(Controller):
    """What there is to play, and who plays."""

    tags = ("Catalogue",)

    @get("/home", summary="Read the home page", responses=problems(401))
    async def home(self, game: TheGame, actor: TheActor) -> HomePage:  # noqa: ARG002  for those who are logged in
        """Return the organisers' home page."""
        return HomePage(await game.home.content())

    @get("/tracks", summary="List the tracks", responses=problems(401))
    async def tracks(self, game: TheGame, actor: TheActor) -> list[TrackView]:
        """Return the tracks, with how far you are in each."""
        return await game.catalogue.tracks(actor)

    @get("/boxes", summary="List the boxes", responses=problems(401))
    async def boxes(self, game: TheGame, actor: TheActor, track: Slug = None) -> list[BoxCard]:
        """Return the boxes, of one track or of all, with how far you are in each."""
        return await game.catalogue.boxes(actor, track)

    @get("/boxes/{slug:str}", summary="See a box", responses=problems(401, 404, 409))
    async def box(self, slug: FromPath[str], game: TheGame, actor: TheActor) -> BoxView:
        """Return all that you may know of a box: flags without their values, machines, your session."""
        return await game.catalogue.box(actor, slug)

    @get("/users", summary="List the players", responses=problems(401))
    async def users(self, game: TheGame, actor: TheActor, search: Search = None) -> list[AccountCard]:
        """Return the accounts, all or those whose name holds ``search``."""
        return await game.people.accounts(actor, search)

    @get("/users/{username:str}", summary="See a player", responses=problems(401, 404))
    async def profile(self, username: FromPath[str], game: TheGame, actor: TheActor) -> ProfileView:
        """Return what a player has found."""
        return await game.people.profile(actor, username)
