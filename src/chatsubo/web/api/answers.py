"""How answers of the API are written: JSON, with every text in the reader's language."""

from typing import Any

import msgspec
from litestar import Response
from litestar.response.base import ASGIResponse

from chatsubo.domain.text import Text
from chatsubo.i18n import Translator
from chatsubo.web.dependencies import AnyRequest
from chatsubo.web.reader import reader_of


class Answer(Response[Any]):
    """A response whose texts are put into the reader's language."""

    def to_asgi_response(self, app: Any, request: AnyRequest, **options: Any) -> ASGIResponse:
        """Translate, then do as Litestar does."""
        translator = reader_of(request).translator
        self.content = translated(self.content, translator)
        self.headers["Content-Language"] = translator.language
        return super().to_asgi_response(app, request, **options)


def translated(value: Any, translator: Translator) -> Any:
    """Return ``value`` as plain values in which each :class:`Text` is a sentence."""
    match value:
        case Text():
            return translator.text(value)
        case msgspec.Struct():
            return {name: translated(getattr(value, name), translator) for name in value.__struct_fields__}
        case list() | tuple():
            return [translated(item, translator) for item in value]
    return value
