"""The download of a player's VPN configuration."""

import re

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from chatsubo.game.vpn import Vpn
from chatsubo.web.api.description import problems
from chatsubo.web.dependencies import TheActor


@get(
    "/realms/{realm:str}/vpn",
    tags=["Play"],
    summary="Download your VPN configuration",
    responses=problems(401, 404, 503),
    media_type="application/octet-stream",
)
async def download(realm: FromPath[str], actor: TheActor, vpn: NamedDependency[Vpn]) -> Response[bytes]:
    """Return the file that your VPN client needs to reach the realm; it is yours alone, and always the same."""
    access = await vpn.access(actor, realm)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", realm)[:48]
    headers = {
        "Content-Disposition": f'attachment; filename="chatsubo-{name}.{access.suffix}"',
        "Cache-Control": "no-store",
    }
    return Response(access.config.encode(), media_type="application/octet-stream", headers=headers)
