"""Ways into realms over the API: for players their own, for organisers the gates."""

from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from chatsubo.game.vpn_views import GateView, RealmAccess
from chatsubo.gates import Access, file_name
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import TheActor, TheVpn

NEVER_KEPT = {"Cache-Control": "no-store"}
"""For what holds a private key: neither the caller nor anything on the way may keep it."""


@get(
    "/realms/{realm:str}/vpn",
    tags=["Play"],
    summary="Download your VPN configuration",
    responses=problems(401, 403, 404, 503),
    media_type="application/octet-stream",
)
async def download(realm: FromPath[str], actor: TheActor, vpn: TheVpn) -> Response[bytes]:
    """Return the file that your VPN client needs to reach the realm; it is yours alone, and always the same."""
    return _file(realm, await vpn.access(actor, realm))


@post(
    "/realms/{realm:str}/vpn",
    status_code=HTTP_200_OK,
    tags=["Play"],
    summary="Get a new VPN configuration",
    responses=problems(401, 403, 404, 409, 429, 503),
    media_type="application/octet-stream",
)
async def renew(realm: FromPath[str], actor: TheActor, vpn: TheVpn) -> Response[bytes]:
    """Return a new file for your VPN client; the old one ends at once."""
    return _file(realm, await vpn.renew(actor, realm))


@get(
    "/realms/{realm:str}/vpn/qr",
    tags=["Play"],
    summary="Get your VPN configuration as a QR code",
    responses=problems(401, 403, 404, 409, 503),
    media_type="image/svg+xml",
)
async def code(realm: FromPath[str], actor: TheActor, vpn: TheVpn) -> Response[bytes]:
    """Return a picture that the WireGuard app of a phone reads; it holds your private key."""
    drawn = (await vpn.qr(actor, realm)).encode()
    return Response(drawn, media_type="image/svg+xml", headers=NEVER_KEPT)


@get("/realms", tags=["Play"], summary="See your ways into realms", responses=problems(401))
async def realms(actor: TheActor, vpn: TheVpn) -> list[RealmAccess]:
    """Return, for each realm that has a gate, whether you are connected; the event ``vpn`` tells when that changes."""
    return list(await vpn.status(actor))


class GateController(Controller):
    """The gates, and who is let in."""

    path = "/admin"
    tags = ("Organisers",)

    @get("/gates", summary="List the gates", responses=problems(401, 403))
    async def gates(self, admin: TheActor, vpn: TheVpn) -> list[GateView]:
        """Return how each gate is and who is bound to it; the event ``gates`` tells when that changes."""
        return list(await vpn.gates(admin))

    @post(
        "/realms/{realm:str}/players/{account_id:int}/cut-off",
        status_code=HTTP_204_NO_CONTENT,
        summary="Cut a player off",
        responses=problems(401, 403, 404),
    )
    async def cut_off(self, realm: FromPath[str], account_id: FromPath[int], admin: TheActor, vpn: TheVpn) -> None:
        """End a player's access to a realm at once, and give no other until the player is let in again."""
        await vpn.cut_off(admin, account_id, realm)

    @delete(
        "/realms/{realm:str}/players/{account_id:int}/cut-off",
        status_code=HTTP_204_NO_CONTENT,
        summary="Let a player in again",
        responses=problems(401, 403, 404),
    )
    async def let_in(self, realm: FromPath[str], account_id: FromPath[int], admin: TheActor, vpn: TheVpn) -> None:
        """Let a player who was cut off get a new configuration."""
        await vpn.let_in(admin, account_id, realm)


def _file(realm: str, access: Access) -> Response[bytes]:
    disposition = f'attachment; filename="{file_name(realm, access.kind)}"'
    return Response(
        access.config.encode(),
        media_type="application/octet-stream",
        headers={"Content-Disposition": disposition, **NEVER_KEPT},
    )
