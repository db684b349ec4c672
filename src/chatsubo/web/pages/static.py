"""``/static/NAME``: the bundled front end."""

from litestar import Response, get
from litestar.params import FromPath

from chatsubo.domain.errors import NotFound
from chatsubo.web.assets import Asset, bundled
from chatsubo.web.dependencies import AnyRequest

_FOR_EVER = "public, max-age=31536000, immutable"


@get("/static/{name:str}", include_in_schema=False)
async def static(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """Return a file.

    Raises:
        NotFound: If there is no such file, which is also so for one of an older version.
    """
    asset = bundled().files.get(name)
    if asset is None:
        raise NotFound
    return respond(request, asset, _FOR_EVER)


def respond(request: AnyRequest, asset: Asset, caching: str) -> Response[bytes]:
    """Return ``asset``, compressed as the browser likes it, with ``caching`` as its ``Cache-Control``."""
    encoding, body = asset.encoded_for(request.headers.get("accept-encoding", ""))
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(body, media_type=asset.media_type, headers=headers)
