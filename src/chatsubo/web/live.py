"""``GET /live``: what happens, as it happens, to the browsers of those whom it concerns."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Stream
from litestar.response.sse import ServerSentEventMessage
from litestar.types import Receive, Scope, Send

from chatsubo.domain.errors import Unavailable
from chatsubo.game import Game
from chatsubo.game.actor import Actor
from chatsubo.live.bus import ADMINS, EVERYONE, RESYNC, Bus, Event, account_topic
from chatsubo.live.news import LOGIN
from chatsubo.web.dependencies import AnyRequest, TheBus, TheGame, TheReader, TheSettings
from chatsubo.web.metrics import Metrics
from chatsubo.web.reader import Reader
from chatsubo.web.refusals import TooManyStreams

MOST_STREAMS = 32
"""Streams that one account may have open: browsers open one each, whatever the number of their tabs."""

_RETRY = 2000
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Listeners:
    """Who listens now."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._streams: Counter[int] = Counter()

    @contextmanager
    def listening(self, actor: Actor) -> Iterator[None]:
        """Give the account a place for one more stream for as long as the context lasts.

        Raises:
            TooManyStreams: If it has too many.
        """
        if self._streams[actor.account_id] >= MOST_STREAMS:
            raise TooManyStreams
        self._streams[actor.account_id] += 1
        try:
            with self._metrics.listening():
                yield
        finally:
            self._streams[actor.account_id] -= 1
            if not self._streams[actor.account_id]:
                del self._streams[actor.account_id]


class PlacedStream(Stream):
    """A stream that gives its place back when it ends, which may be before its first byte: its browser may be gone.

    Args:
        chunks: What is sent.
        place: Closed at the end.
    """

    def __init__(self, chunks: AsyncIterator[bytes], place: ExitStack) -> None:
        super().__init__(chunks, media_type="text/event-stream", headers=_HEADERS)
        self._place = place

    def to_asgi_response(self, *args: Any, **options: Any) -> Any:
        """Do as Litestar does, and close the place afterwards."""
        answer = super().to_asgi_response(*args, **options)

        async def placed(scope: Scope, receive: Receive, send: Send) -> None:
            with self._place:
                await answer(scope, receive, send)

        return placed


@get("/live", include_in_schema=False)
async def live(
    *,
    request: AnyRequest,
    game: TheGame,
    bus: TheBus,
    settings: TheSettings,
    listeners: NamedDependency[Any],
    reader: TheReader,
    since: FromQuery[str | None] = None,
) -> Stream:
    """Send events until the browser leaves, the login ends, or the server stops.

    The page says ``since`` which position of the bus it was made; what happened from then until its stream was open, it
    has to look up.

    Raises:
        NotLoggedIn: If nobody is logged in.
        TooManyStreams: If the account listens in too many places.
    """
    if "last-event-id" in request.headers:
        since = ""  # it was here before, and we do not know what it heard
    place = ExitStack()
    place.enter_context(listeners.listening(reader.actor))
    return PlacedStream(_events(game, bus, reader, settings.keep_alive, since), place)


async def _events(game: Game, bus: Bus, reader: Reader, every: float, since: str | None) -> AsyncIterator[bytes]:
    """Yield events and signs of life; look at each sign of life, and when told to, whether the login still holds.

    Args:
        game: Knows the logins.
        bus: Carries the events.
        reader: Whose stream this is.
        every: Seconds between two signs of life.
        since: The position of the bus up to which the browser knows everything; None where it does not matter.
    """
    topics = topics_of(reader.actor)
    clock = asyncio.get_running_loop().time
    with bus.subscribe(topics) as subscription:
        if not await _still_logged_in(game, reader):  # it may have ended before we heard of it
            return
        # The id makes the browser say at its next try that it was here before.
        yield ServerSentEventMessage(data=None, id="1", retry=_RETRY, comment="chatsubo").encode()
        if since is not None and bus.missed(topics, since):
            yield encode(RESYNC)
        check_at = clock() + every
        while True:
            try:
                event = await subscription.next(max(check_at - clock(), 0))
            except TimeoutError:
                event = LOGIN
            if event is None:
                return
            if event in (LOGIN, RESYNC):
                if not await _still_logged_in(game, reader):
                    return
                check_at = clock() + every
            yield b": alive\n\n" if event == LOGIN else encode(event)


def topics_of(actor: Actor) -> tuple[str, ...]:
    """Return what the account may hear of."""
    own = (EVERYONE, account_topic(actor.account_id))
    return (*own, ADMINS) if actor.is_admin else own


def encode(event: Event) -> bytes:
    """Return ``event`` as it goes over the wire, its data as JSON."""
    return ServerSentEventMessage(data=msgspec.json.encode(event.data), event=event.name).encode()


async def _still_logged_in(game: Game, reader: Reader) -> bool:
    """Return whether the login is there and may hear of the same things; while the database is away, it is believed."""
    try:
        now = await game.accounts.authenticate(reader.token or "")
    except Unavailable:
        return True
    return now is not None and topics_of(now) == topics_of(reader.actor)
