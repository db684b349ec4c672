"""How pages are made from templates, with what every page shows around its own content."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.di import NamedDependency
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Template
from litestar.template import TemplateConfig
from markupsafe import Markup

from chatsubo.domain.errors import ChatsuboError
from chatsubo.game import Game
from chatsubo.game.views import BoxCard, FlagForm
from chatsubo.game.vpn import Vpn
from chatsubo.game.vpn_views import RealmAccess
from chatsubo.gates import file_name
from chatsubo.i18n import languages, translator
from chatsubo.live.bus import Bus
from chatsubo.web.assets import bundled
from chatsubo.web.dependencies import AnyRequest, TheBus, TheGame, TheSettings, TheVpn
from chatsubo.web.errors import Problem, headers_of, problem_of, status_of
from chatsubo.web.markdown import markdown
from chatsubo.web.pages.browsers import browser_name
from chatsubo.web.pages.speech import speech, stamp
from chatsubo.web.reader import Reader, reader_of
from chatsubo.web.settings import WebSettings

FRAGMENT = {"X-Fragment": "1"}
"""Marks an answer as a part of a page: the script puts nothing else into one, whatever its status."""

LANGUAGE_NAMES = {"en": "English", "fr": "Français"}
_TONES = 8
_CARDS = 8192
_SYMBOL = re.compile(r'<symbol id="([^"]+)"')


@lru_cache(maxsize=8)
def templates(prefix: str) -> TemplateConfig[JinjaTemplateEngine]:
    """Return how templates are found and what all of them know; they are compiled once for all applications.

    Args:
        prefix: The path below which everything is, as in ``/ctf``.
    """
    environment = Environment(
        loader=PackageLoader("chatsubo.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    assets = bundled()
    environment.globals.update(
        url=lambda path: f"{prefix}{path}",
        asset=lambda name: f"{prefix}/static/{assets.names[name]}",
        markdown=markdown,
        stamp=stamp,
        browser_name=browser_name,
        tone=lambda name: sum(name.encode()) % _TONES,
        known_icons=frozenset(_SYMBOL.findall(assets.files[assets.names["icons.svg"]].bodies["identity"].decode())),
        blank_flag=FlagForm(),
        file_name=file_name,
        languages={code: LANGUAGE_NAMES.get(code, code) for code in languages()},
    )
    environment.globals["card"] = _cards(environment)
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


def _cards(environment: Environment) -> Callable[[BoxCard, str], Markup]:
    """Return what draws a box's card. Most players see a box alike, so each look of it is drawn once and kept."""
    template = environment.get_template("fragments/card.html")

    @lru_cache(maxsize=_CARDS)
    def card(box: BoxCard, language: str) -> Markup:
        return Markup(template.render(box=box, **speech(translator(language))))  # noqa: S704  escaped by the template

    return card


def surroundings(request: AnyRequest) -> dict[str, Any]:
    """Return what every template may ask of the ``request``: who reads, in which language, where, and when."""
    reader = reader_of(request)
    return {
        **speech(reader.translator),
        "language": reader.translator.language,
        "actor": reader.found,
        "theme": (reader.found.theme if reader.found else None) or "dark",
        "path": request.scope["path"],
        "address": _address(request),
        "now": datetime.now(UTC),
        "heard": "",
        "me": None,
        "tracks": (),
        "ways": None,
    }


def _address(request: AnyRequest) -> str:
    """Return the address of the page on this host, to come back to; none of an answer to a form."""
    if request.method != "GET":
        return ""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


class Show:
    """Shows things to one reader.

    Args:
        request: What was asked.
        game: The use cases.
        settings: Where the pages are.
        bus: Carries the events that pages follow.
        vpn: Knows whether the reader is connected.
    """

    def __init__(self, request: AnyRequest, game: Game, settings: WebSettings, bus: Bus, vpn: Vpn) -> None:
        # Before anything is read: what is published from now on, the page may not show yet.
        self._heard = bus.position
        self._request = request
        self._game = game
        self._settings = settings
        self._vpn = vpn
        self.reader: Reader = reader_of(request)

    @property
    def in_page(self) -> bool:
        """Whether the page's script asks, for a part of the page, rather than the browser for a whole one."""
        return self._request.headers.get("hx-request") == "true"

    async def page(self, name: str, error: ChatsuboError | None = None, **context: Any) -> Template:
        """Return a whole page; one that tells about an ``error`` has its status."""
        frame = {**surroundings(self._request), "heard": self._heard}
        viewer = self.reader.viewer
        if viewer is not None:
            frame["me"], frame["tracks"] = await self._game.catalogue.frame(viewer)
            frame["ways"] = await self.ways() if "ways" not in context else ()
        return _template(name, {**frame, **context}, error)

    async def ways(self) -> tuple[RealmAccess, ...]:
        """Return the reader's way into each realm that has a gate."""
        return await self._vpn.status(self.reader.actor)

    def fragment(self, name: str, error: ChatsuboError | None = None, **context: Any) -> Template:
        """Return a part of a page, likewise."""
        part = _template(f"fragments/{name}", {**surroundings(self._request), **context}, error)
        part.headers.update(FRAGMENT)
        return part

    def redirect(self, path: str) -> Redirect:
        """Send the browser to ``path``, below the prefix, after a form."""
        return Redirect(self._settings.url(path), status_code=303)

    def reason(self, error: ChatsuboError) -> str:
        """Return in one sentence why something was refused, in the reader's words."""
        problem = problem_of(error, self.reader.translator)
        return problem.errors[0].detail if problem.errors else problem.detail

    def reasons(self, error: ChatsuboError | None) -> dict[str, str]:
        """Return what is wrong with a form by the name of the field; what concerns all of it stands under ``""``."""
        if error is None:
            return {}
        problem = problem_of(error, self.reader.translator)
        return {one.field: one.detail for one in problem.errors} or {"": problem.detail}


TheShow = NamedDependency[Show]
"""How a handler asks for it, as ``show``."""


def provide_show(request: AnyRequest, game: TheGame, settings: TheSettings, bus: TheBus, vpn: TheVpn) -> Show:
    """``show``: shows things to whoever reads."""
    return Show(request, game, settings, bus, vpn)


def _template(name: str, context: dict[str, Any], error: ChatsuboError | None) -> Template:
    if error is None:
        return Template(name, context=context)
    return Template(name, context=context, status_code=status_of(error), headers=headers_of(error))


def error_page(request: AnyRequest, problem: Problem) -> Response[Any]:
    """Return the page, or the toast within one, that tells about ``problem``."""
    context = {**surroundings(request), "problem": problem}
    if request.headers.get("hx-request") != "true":
        return Template("error.html", context=context, status_code=problem.status)
    headers = {} if request.method == "GET" else {**FRAGMENT, "HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
    return Template("fragments/problem.html", context=context, status_code=problem.status, headers=headers)
