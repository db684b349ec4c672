"""The gates as organisers see them, and who is let in."""

from ipaddress import ip_address
from typing import Any

from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from chatsubo.game import Actor
from chatsubo.game.vpn import Vpn
from chatsubo.game.vpn_views import GatePlayer, GateView
from chatsubo.web.dependencies import TheActor, TheVpn
from chatsubo.web.pages.rendering import Show, TheShow

MOST_ROWS = 200


class GateDesk(Controller):
    """What organisers see and do at gates."""

    path = "/admin/gates"

    @get("/")
    async def gates(self, vpn: TheVpn, admin: TheActor, show: TheShow, q: FromQuery[str] = "") -> Template:
        """Show each gate with who is connected or cut off; with ``q`` who has that name or address."""
        context = await _context(vpn, admin, q)
        if show.in_page:
            return show.fragment("gates.html", **context)
        return await show.page("admin/gates.html", **context)

    @post("/{realm:str}/players/{account_id:int}/cut-off", status_code=200)
    async def cut_off(
        self, vpn: TheVpn, admin: TheActor, show: TheShow, realm: FromPath[str], account_id: FromPath[int]
    ) -> Redirect | Template:
        """Keep a player out of a realm, from now on."""
        await vpn.cut_off(admin, account_id, realm)
        return await _done(vpn, admin, show)

    @post("/{realm:str}/players/{account_id:int}/let-in", status_code=200)
    async def let_in(
        self, vpn: TheVpn, admin: TheActor, show: TheShow, realm: FromPath[str], account_id: FromPath[int]
    ) -> Redirect | Template:
        """Let a player into a realm again."""
        await vpn.let_in(admin, account_id, realm)
        return await _done(vpn, admin, show)


async def _done(vpn: Vpn, admin: Actor, show: Show) -> Redirect | Template:
    if show.in_page:
        return show.fragment("gates.html", **await _context(vpn, admin, ""))
    return show.redirect("/admin/gates")


async def _context(vpn: Vpn, admin: Actor, search: str) -> dict[str, Any]:
    gates = await vpn.gates(admin)
    return {"gates": [(gate, *_shown(gate, search)) for gate in gates], "search": search}


def _shown(gate: GateView, search: str) -> tuple[list[GatePlayer], int]:
    """Return the players of a gate that are shown, and how many others there are."""
    wanted = search.casefold().strip()
    found = [
        one
        for one in gate.players
        if (_matches(one, wanted) if wanted else one.connected or one.cut_off_at is not None)
    ][:MOST_ROWS]
    return found, len(gate.players) - len(found)


def _matches(player: GatePlayer, wanted: str) -> bool:
    """Say whether a player is looked for: by an address in the tunnel, or by a part of a name."""
    try:
        return str(ip_address(wanted)) in player.addresses
    except ValueError:
        return wanted in player.username.casefold() or wanted in player.gate_name.casefold()
