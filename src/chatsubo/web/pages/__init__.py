"""The pages that people see: thin controllers over the game, and their templates."""

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from chatsubo.web.pages.account import AccountPages
from chatsubo.web.pages.admin.accounts import AccountDesk
from chatsubo.web.pages.admin.boxes import BoxDesk
from chatsubo.web.pages.admin.desk import DeskPages
from chatsubo.web.pages.admin.event import EventDesk
from chatsubo.web.pages.admin.gates import GateDesk
from chatsubo.web.pages.admin.words import WordsPages
from chatsubo.web.pages.boxes import BoxPages
from chatsubo.web.pages.entrance import Entrance
from chatsubo.web.pages.home import HomePages
from chatsubo.web.pages.media import media
from chatsubo.web.pages.people import PeoplePages
from chatsubo.web.pages.play import PlayPages
from chatsubo.web.pages.rendering import error_page, provide_show, templates
from chatsubo.web.pages.standings import StandingsPages
from chatsubo.web.pages.static import static
from chatsubo.web.pages.vpn import VpnPages

__all__ = ["error_page", "routes", "templates"]

routes: list[ControllerRouterHandler] = [
    static,
    media,
    Router(
        path="/",
        route_handlers=[
            HomePages,
            Entrance,
            BoxPages,
            PlayPages,
            VpnPages,
            StandingsPages,
            PeoplePages,
            AccountPages,
            DeskPages,
            BoxDesk,
            GateDesk,
            AccountDesk,
            EventDesk,
            WordsPages,
        ],
        dependencies={"show": Provide(provide_show, sync_to_thread=False)},
        include_in_schema=False,
    ),
]
"""What the application mounts at its prefix."""
