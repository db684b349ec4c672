"""A player's ways into realms: connected or not, the configuration as a file and as a QR code, and a new one."""

from typing import Any
from urllib.parse import quote

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from markupsafe import Markup

from chatsubo.domain.errors import ChatsuboError, Conflict, RateLimited
from chatsubo.game import Actor
from chatsubo.game.vpn import CutOff, Vpn
from chatsubo.gates import GateError
from chatsubo.web.api.vpn import NEVER_KEPT, download
from chatsubo.web.dependencies import TheActor, TheVpn
from chatsubo.web.pages.rendering import Show, TheShow


class VpnPages(Controller):
    """How a player gets in."""

    @get("/vpn")
    async def ways(self, vpn: TheVpn, actor: TheActor, show: TheShow, renewed: FromQuery[str] = "") -> Template:
        """Show the player's way into each realm; ``renewed`` is the realm whose configuration has just been made."""
        return await _ways(vpn, actor, show, renewed=renewed)

    @get("/vpn/dot")
    async def dot(self, vpn: TheVpn, actor: TheActor, show: TheShow) -> Template:
        """Show in the navigation whether the player is connected."""
        return show.fragment("vpn_dot.html", ways=await vpn.status(actor))

    @get("/realms/{realm:str}/vpn")
    async def file(self, actor: TheActor, vpn: TheVpn, realm: FromPath[str]) -> Response[bytes]:
        """Give the player's VPN configuration, as the API does; what goes wrong is told on a page."""
        given: Response[bytes] = await download.fn(realm, actor, vpn)
        return given

    @get("/realms/{realm:str}/vpn/qr")
    async def code(self, actor: TheActor, vpn: TheVpn, show: TheShow, realm: FromPath[str]) -> Template:
        """Show the player's configuration as a QR code, or why there is none."""
        refusal, drawn = None, ""
        try:
            drawn = await vpn.qr(actor, realm)
        except (Conflict, CutOff, GateError) as error:
            refusal = error
        context = {"realm": realm, "code": Markup(drawn), "problem": show.reason(refusal) if refusal else None}  # noqa: S704  drawn by segno
        name = "qr.html"
        answer = show.fragment(name, refusal, **context) if show.in_page else await show.page(name, refusal, **context)
        answer.headers.update(NEVER_KEPT)
        return answer

    @post("/realms/{realm:str}/vpn/renew", status_code=200)
    async def renew(self, actor: TheActor, vpn: TheVpn, show: TheShow, realm: FromPath[str]) -> Redirect | Template:
        """Make a new configuration, which ends the old one."""
        try:
            await vpn.renew(actor, realm)
        except (Conflict, CutOff, GateError, RateLimited) as error:
            return await _ways(vpn, actor, show, refused=realm, refusal=error)
        if show.in_page:
            return await _ways(vpn, actor, show, renewed=realm)
        return show.redirect("/vpn?renewed=" + quote(realm))


async def _ways(
    vpn: Vpn, actor: Actor, show: Show, *, renewed: str = "", refused: str = "", refusal: ChatsuboError | None = None
) -> Template:
    """Show the ways, with what became of one: its configuration was ``renewed``, or that was ``refused``."""
    context: dict[str, Any] = {
        "ways": await vpn.status(actor),
        "renewed": renewed,
        "refused": refused,
        "problem": show.reason(refusal) if refusal else None,
    }
    if show.in_page:
        return show.fragment("ways.html", refusal, **context)
    return await show.page("vpn.html", refusal, **context)
