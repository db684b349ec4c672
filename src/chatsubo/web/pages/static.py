"""``/static/NAME``: the bundled front end."""

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath

from chatsubo.domain.errors import NotFound
from chatsubo.web.assets import bundled

_FOR_EVER = "public, max-age=31536000, immutable"


@get("/static/{name:str}", include_in_schema=False)
async def static(request: Request[object, object, State], name: FromPath[str]) -> Response[bytes]:
    """Return a file, compressed as the browser likes it.

    Raises:
        NotFound: If there is no such file, which is also so for one of an older version.
    """
    asset = bundled().files.get(name)
    if asset is None:
        raise NotFound
    encoding, body = asset.encoded_for(request.headers.get("accept-encoding", ""))
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(body, media_type=asset.media_type, headers=headers)
