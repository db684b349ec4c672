"""The application on a real game, and browsers that visit it without a network."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from chatsubo.config.secrets import Secret
from chatsubo.web.application import Application
from chatsubo.web.health import Part, Vitals
from chatsubo.web.logins import cookie_name
from chatsubo.web.settings import WebSettings
from tests.game.world import PASSWORD, World

AT_ROOT = "https://ctf.example"
AT_PREFIX = "https://club.example/ctf"
PLAIN = "http://127.0.0.1:8080"


def settings(public_url: str = AT_ROOT, **changes: Any) -> WebSettings:
    """Settings for an address."""
    changes.setdefault("allow_insecure_http", public_url.startswith("http:"))
    return WebSettings(public_url, Secret("signs the tokens of this test"), **changes)


@dataclass
class Lab:
    """What the server says of itself, as the test wants it."""

    vitals: Vitals = field(default_factory=lambda: Vitals({"database": Part(ok=True), "lab": Part(ok=True)}))

    async def health(self) -> Vitals:
        return self.vitals


class Browser:
    """Keeps cookies and sends the CSRF token, as a browser with our pages does."""

    def __init__(self, site: "Site", address: str = "127.0.0.1", **headers: str) -> None:
        transport = httpx.ASGITransport(site.application, client=(address, 50000))
        self.site = site
        self.http = httpx.AsyncClient(transport=transport, base_url=site.settings.public_url, headers=headers)
        self._token: str | None = None

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(self._at(path), **options)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request with the token."""
        if self._token is None:
            self._token = (await self.get("/api/v1/csrf")).json()["token"]
        headers = {"X-CSRF-Token": self._token, **options.pop("headers", {})}
        return await self.http.request(method, self._at(path), headers=headers, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return (
            await self.send("POST", path, json=body, **options)
            if body is not None
            else await self.send("POST", path, **options)
        )

    async def log_in(self, username: str, password: str = PASSWORD) -> httpx.Response:
        return await self.post("/api/v1/login", {"username": username, "password": password})

    @property
    def token(self) -> str:
        """The token of the login."""
        return self.http.cookies[cookie_name(self.site.settings)]

    def _at(self, path: str) -> str:
        return f"{self.site.settings.public_url}{path}"


@dataclass
class Site:
    """The application and the world behind it."""

    application: Application
    settings: WebSettings
    world: World
    lab: Lab

    def browser(self, address: str = "127.0.0.1", **headers: str) -> Browser:
        """Open a browser that is not logged in."""
        return Browser(self, address, **headers)

    async def player(self, name: str = "case") -> Browser:
        """Register a player, in a browser of its own."""
        browser = self.browser()
        answer = await browser.post("/api/v1/register", {"username": name, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return browser

    async def organiser(self) -> Browser:
        """Log the organiser in."""
        await self.world.admin()
        browser = self.browser()
        answer = await browser.log_in("finn")
        assert answer.status_code == 200, answer.text
        return browser
