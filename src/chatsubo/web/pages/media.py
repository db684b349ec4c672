"""``/media/NAME``: the pictures of boxes, from the media folder."""

import asyncio
import re
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from chatsubo.domain.errors import NotFound
from chatsubo.web.dependencies import TheActor, TheGame, TheSettings

_TYPES = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}
_NAME = re.compile(rf"[a-z0-9-]{{1,80}}\.({'|'.join(_TYPES)})")
_AN_HOUR = "private, max-age=3600"
_NOTHING_RUNS = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A picture that is opened by itself may hold scripts and links; as part of a page it runs none."""


@get("/media/{name:str}", include_in_schema=False)
async def media(game: TheGame, settings: TheSettings, actor: TheActor, name: FromPath[str]) -> Response[bytes]:
    """Return a picture.

    Raises:
        NotFound: If there is none of that name, or it is of a box that the reader may not know of.
    """
    found = _NAME.fullmatch(name)
    if found is None or settings.media is None or not await game.catalogue.shows_picture(actor, name):
        raise NotFound
    body = await asyncio.to_thread(_read, settings.media / name)
    headers = {"Cache-Control": _AN_HOUR, "Content-Security-Policy": _NOTHING_RUNS}
    return Response(body, media_type=_TYPES[found[1]], headers=headers)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NotFound from None
