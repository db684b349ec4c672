"""The gate's HTTP API: the contract that old platforms know, and the versioned one beside it."""

import hmac
import re
from typing import Annotated, Any
from urllib.parse import unquote

from litestar import Litestar, Request, Response, Router, delete, get, patch, post, put
from litestar.connection import ASGIConnection
from litestar.datastructures import State as AppState
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ClientException, HTTPException, NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import FromQuery, JSONBody
from msgspec import Meta, Struct

from chatsubo.config import Secret
from chatsubo.gate.errors import FirewallError, GateFault, NameTaken, PictureOutdated, RealmFull, UnknownPeer
from chatsubo.gate.gate import Gate, Health
from chatsubo.gate.model import Peer
from chatsubo.gate.picture import Name, Picture

TOKEN_HEADER = "X-Chatsubo-Token"  # noqa: S105  the name of a header
MOST_BYTES = 16_000_000
_LONGEST_NAME = 200
_MOST_NAMES = 20_000
_PREFIX = re.compile(rb"/+api/+(vpn/+get|v1/+peers|v1/+configs)/")  # a URL that ends with a slash makes two of one
_STATUS: dict[type[GateFault], int] = {UnknownPeer: 404, NameTaken: 409, PictureOutdated: 409, FirewallError: 503}


Answer = dict[str, Any]
Asked = Request[Any, Any, AppState]


class PeerView(Struct, frozen=True, kw_only=True):
    """A player's access, as the API shows it: never its keys.

    Attributes:
        name: What the platform calls the player.
        addresses: Where the player is in the tunnel.
        made: When the access was made, in seconds since 1970.
        seen: When it was last in use, likewise; None for never.
        online: Whether the player is connected now.
        since: Since when, likewise.
        handshake: When keys were last exchanged, likewise.
        received: Bytes that came from the player.
        sent: Bytes that went to the player.
    """

    name: str
    addresses: tuple[str, ...]
    made: float
    seen: float | None
    online: bool
    since: float | None
    handshake: float | None
    received: int
    sent: int


class Names(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose accesses are wanted."""

    names: Annotated[tuple[Name, ...], Meta(max_length=_MOST_NAMES)]


class NewName(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a player is called from now on."""

    name: Name


def application(gate: Gate, token: Secret) -> Litestar:
    """Return the application.

    Args:
        gate: What it serves.
        token: What callers prove to be the platform with.
    """

    def guard(connection: ASGIConnection[Any, Any, Any, AppState], _: BaseRouteHandler) -> None:
        given = connection.headers.get(TOKEN_HEADER, "").strip(" \t")  # RFC 9110: no part of the value
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.reveal().encode()):
            raise NotAuthorizedException("the token is missing or wrong")

    peers = [list_peers, create_peers, show_peer, rename_peer, revoke_peer, rotate_keys]
    return Litestar(
        [check, config, Router("/api/v1", route_handlers=[health, *peers, access, show_access])],
        guards=[guard],
        dependencies={"gate": Provide(lambda: gate, sync_to_thread=False)},
        exception_handlers={GateFault: _fault, HTTPException: _refused},
        openapi_config=None,
        request_max_body_size=MOST_BYTES,
    )


@get("/api/check")
async def check(gate: NamedDependency[Gate]) -> Answer:
    """Say how the gate is."""
    return {"errors": list(gate.health().errors)}


@get("/api/vpn/get/{name:path}")
async def config(request: Asked, gate: NamedDependency[Gate]) -> Answer:
    """Give a player's client file: always the same for the same player."""
    return {"errors": [], "config": await gate.access(_name(request))}


@get("/health")
async def health(gate: NamedDependency[Gate]) -> Health:
    """Say how the gate is, and how many places are left."""
    return gate.health()


@get("/peers")
async def list_peers(gate: NamedDependency[Gate], online: FromQuery[bool | None] = None) -> list[PeerView]:
    """Give all accesses, or those of players who are connected, or are not."""
    views = [_view(gate, one) for one in gate.peers]
    return [one for one in views if online in (None, one.online)]


@post("/peers")
async def create_peers(gate: NamedDependency[Gate], data: JSONBody[Names]) -> list[PeerView]:
    """Give the accesses of players, and make those that are missing."""
    return [_view(gate, one) for one in await gate.create([_printable(name) for name in data.names])]


@get("/peers/{name:path}")
async def show_peer(request: Asked, gate: NamedDependency[Gate]) -> PeerView:
    """Give one access."""
    return _view(gate, gate.peer(_name(request)))


@patch("/peers/{name:path}")
async def rename_peer(request: Asked, gate: NamedDependency[Gate], data: JSONBody[NewName]) -> PeerView:
    """Call a player something else."""
    return _view(gate, await gate.rename(_name(request), _printable(data.name)))


@delete("/peers/{name:path}")
async def revoke_peer(request: Asked, gate: NamedDependency[Gate]) -> None:
    """End an access at once."""
    await gate.revoke(_name(request))


@post("/configs/{name:path}")
async def rotate_keys(request: Asked, gate: NamedDependency[Gate]) -> Answer:
    """Give a player new keys, and end the old ones at once."""
    return {"errors": [], "config": await gate.rotate(_name(request))}


@get("/access")
async def access(gate: NamedDependency[Gate]) -> Picture:
    """Give the picture of who may reach what."""
    return gate.picture


@put("/access")
async def show_access(gate: NamedDependency[Gate], data: JSONBody[Picture]) -> Answer:
    """Let a picture of who may reach what hold."""
    await gate.show(data)
    return {"errors": [], "version": data.version}


def _name(request: Asked) -> str:
    """Return the player's name: the rest of the path as it was sent, since a name may hold a slash."""
    raw: bytes = request.scope["raw_path"]
    prefix = _PREFIX.match(raw)
    if prefix is None:
        raise ClientException("of the path, only the name may have characters that are escaped")
    try:
        return _printable(unquote(raw[prefix.end() :].decode("ascii"), errors="strict"))
    except UnicodeDecodeError:
        raise ClientException("the name is no UTF-8") from None


def _printable(name: str) -> str:
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise ClientException(f"a name has 1 to {_LONGEST_NAME} characters that can be printed")
    return name


def _view(gate: Gate, peer: Peer) -> PeerView:
    connection, since = gate.connection(peer)
    four, six = peer.addresses.four, peer.addresses.six
    return PeerView(
        name=peer.name,
        addresses=(str(four), str(six)) if six else (str(four),),
        made=peer.made,
        seen=peer.seen,
        online=connection.online,
        since=since,
        handshake=connection.handshake,
        received=connection.received,
        sent=connection.sent,
    )


def _fault(_: Asked, fault: GateFault) -> Response[Answer]:
    """Answer what the contract says where the realm is full, and a status of its own to every other fault."""
    if isinstance(fault, RealmFull):
        return Response({"errors": [str(fault)]}, status_code=200)
    more = {"version": fault.version} if isinstance(fault, PictureOutdated) else {}
    return Response({"errors": [str(fault)], **more}, status_code=_STATUS.get(type(fault), 500))


def _refused(_: Asked, error: HTTPException) -> Response[Answer]:
    extra = error.extra if isinstance(error.extra, list) else []
    details = [f"{one.get('key', '')}: {one.get('message', '')}" for one in extra if isinstance(one, dict)]
    return Response({"errors": [error.detail, *details]}, status_code=error.status_code)
