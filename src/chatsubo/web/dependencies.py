"""What handlers may ask for, by the name of a parameter and one of these types."""

from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.di import NamedDependency, Provide

from chatsubo.game import Game
from chatsubo.game.actor import Actor
from chatsubo.game.vpn import Vpn
from chatsubo.live.bus import Bus
from chatsubo.web.reader import Reader, reader_of
from chatsubo.web.settings import WebSettings

AnyRequest = Request[Any, Any, Any]

TheGame = NamedDependency[Game]
TheBus = NamedDependency[Bus]
TheSettings = NamedDependency[WebSettings]
TheReader = NamedDependency[Reader]
TheViewer = NamedDependency[Actor | None]
TheActor = NamedDependency[Actor]
TheVpn = NamedDependency[Vpn]


def provide_reader(request: AnyRequest) -> Reader:
    """``reader``: who reads, and in which language."""
    return reader_of(request)


def provide_viewer(request: AnyRequest) -> Actor | None:
    """``viewer``: the account that is logged in, or ``None``."""
    return reader_of(request).viewer


def provide_actor(request: AnyRequest) -> Actor:
    """``actor``: the account that is logged in.

    Raises:
        NotLoggedIn: If nobody is.
    """
    return reader_of(request).actor


def provide_admin(request: AnyRequest) -> Actor:
    """``admin``: the organiser that is logged in.

    Raises:
        NotLoggedIn: If nobody is.
        Forbidden: If it is no organiser.
    """
    actor = reader_of(request).actor
    actor.must_be_admin()
    return actor


def dependencies(settings: WebSettings) -> Mapping[str, Provide]:
    """Return those that are not services."""
    return {
        "settings": Provide(lambda: settings, sync_to_thread=False),
        "reader": Provide(provide_reader, sync_to_thread=False),
        "viewer": Provide(provide_viewer, sync_to_thread=False),
        "actor": Provide(provide_actor, sync_to_thread=False),
        "admin": Provide(provide_admin, sync_to_thread=False),
    }
