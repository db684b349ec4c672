"""The ASGI application: pages, the JSON API and live events below one prefix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import Litestar, get
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from chatsubo.domain.errors import NotFound
from chatsubo.game import Game
from chatsubo.game.vpn import Vpn
from chatsubo.live.bus import Bus
from chatsubo.web import pages
from chatsubo.web.api import api
from chatsubo.web.api.description import SpokenText, openapi
from chatsubo.web.dependencies import dependencies
from chatsubo.web.errors import exception_handlers
from chatsubo.web.headers import SafeHeaders
from chatsubo.web.health import Health, HealthController
from chatsubo.web.live import Listeners, live
from chatsubo.web.metrics import Metrics
from chatsubo.web.observation import Observation
from chatsubo.web.reader import Readers
from chatsubo.web.screening import Screening, csrf_config
from chatsubo.web.settings import WebSettings


@dataclass(frozen=True, slots=True)
class Services:
    """What requests are answered from.

    Attributes:
        game: The use cases.
        bus: Carries live events. Close it before the server stops, so that open streams end.
        health: Tells how the server's parts are.
        vpn: Gives players their VPN configuration.
        metrics: Counts.
        listeners: Who listens to live events.
    """

    game: Game
    bus: Bus
    health: Health
    vpn: Vpn
    metrics: Metrics
    listeners: Listeners


class Application(Litestar):
    """Litestar, with what holds for every request around it, even for those that meet no route."""

    services: Services
    _outermost: ASGIApp | None = None

    def answer_from(self, game: Game, bus: Bus, health: Health, vpn: Vpn, settings: WebSettings) -> None:
        """Answer requests from these services from now on: see :class:`Services`."""
        metrics = Metrics()
        self.services = Services(game, bus, health, vpn, metrics, Listeners(metrics))
        self._outermost = Observation(SafeHeaders(Readers(self.route, game, settings), settings), metrics)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request; HEAD as GET, whose body the server leaves out, but for the stream, which has no end."""
        if scope["type"] == "http" and self._outermost is not None:
            if scope["method"] == "HEAD" and not scope["path"].endswith("/live"):
                scope = {**scope, "method": "GET"}
            await self._outermost(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def route(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to its route."""
        await super().__call__(scope, receive, send)


def create_application(game: Game, bus: Bus, settings: WebSettings, health: Health, vpn: Vpn) -> Application:
    """Return the application: its routes, answered from these services."""
    application = create_routes(settings)
    application.answer_from(game, bus, health, vpn, settings)
    return application


def create_routes(settings: WebSettings) -> Application:
    """Return the application without the services that it needs to answer anything.

    Registering the routes takes most of the time that an application takes to make.
    """
    csrf = csrf_config(settings)
    application = Application(
        route_handlers=[*pages.routes, api, live, HealthController, nowhere],
        path=settings.prefix or None,
        dependencies={
            **dependencies(settings),
            **{name: _service(name, lambda: application.services) for name in Services.__slots__},
        },
        middleware=[DefineMiddleware(Screening, settings=settings, csrf=csrf)],
        plugins=[SpokenText()],
        csrf_config=csrf,
        exception_handlers=exception_handlers(settings, pages.error_page),
        template_config=pages.templates(settings.prefix),
        openapi_config=openapi(),
        request_max_body_size=settings.max_body,
        logging_config=None,
    )
    return application


def _service(name: str, services: Callable[[], Services]) -> Provide:
    return Provide(lambda: getattr(services(), name), sync_to_thread=False)


@get("/{path:path}", include_in_schema=False)
async def nowhere() -> None:
    """Stand at every address where nothing is, so that its error page is made like any other page.

    Raises:
        NotFound: Always.
    """
    raise NotFound
