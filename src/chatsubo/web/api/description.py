"""What ``/api/openapi.json`` says about the API."""

from importlib.metadata import version

from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from chatsubo.domain.text import Text
from chatsubo.web.errors import TITLES, Problem

ABOUT = """\
The same game as on the pages, with the same rules.

**Logging in.** `POST /login` sets a cookie; send it back with each request. Every request acts as the account that is
logged in.

**CSRF.** Every request but GET needs the header `X-CSRF-Token`. Get the token once from `GET /csrf`, before logging in,
and keep the cookie that comes with it.

**Errors** are problem details (RFC 9457): `code` is for programs, `title`, `detail` and `errors` (per field) are in the
reader's language (`Accept-Language`, or the account's choice).
"""


class SpokenText(OpenAPISchemaPlugin):
    """Texts are sent as sentences."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """Say whether this is such a text."""
        return field_definition.annotation is Text

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: object) -> Schema:  # noqa: ARG002
        """Return how it is described."""
        return Schema(type=OpenAPIType.STRING, description="A sentence in the reader's language.")


def openapi() -> OpenAPIConfig:
    """Return the settings: JSON alone, no page that loads scripts from elsewhere."""
    return OpenAPIConfig(
        title="Chatsubo",
        version=version("chatsubo"),
        description=ABOUT,
        path="/api/openapi.json",  # Litestar serves an index and pages of its own below this path
        render_plugins=[JsonRenderPlugin(path="/")],
        use_handler_docstrings=True,
    )


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the description of the errors that a handler may answer with."""
    return {
        status: ResponseSpec(
            Problem, description=TITLES[status], media_type="application/problem+json", generate_examples=False
        )
        for status in statuses
    }
