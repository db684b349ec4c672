"""The JSON API: the same game, rules and errors as on the pages, for programs."""

from litestar import Router

from chatsubo.web.api.account_admin import AccountAdminController
from chatsubo.web.api.accounts import AccountController, own_account
from chatsubo.web.api.answers import Answer
from chatsubo.web.api.box_admin import BoxAdminController
from chatsubo.web.api.catalogue import CatalogueController
from chatsubo.web.api.desk import DeskController
from chatsubo.web.api.event import EventController
from chatsubo.web.api.notices import NoticeController
from chatsubo.web.api.play import PlayController
from chatsubo.web.api.scoreboard import ScoreboardController
from chatsubo.web.api.vpn import GateController, code, download, realms, renew

__all__ = ["api", "own_account"]

api = Router(
    "/api/v1",
    route_handlers=[
        AccountController,
        CatalogueController,
        PlayController,
        ScoreboardController,
        NoticeController,
        EventController,
        realms,
        download,
        renew,
        code,
        AccountAdminController,
        BoxAdminController,
        DeskController,
        GateController,
    ],
    response_class=Answer,
)
"""Everything below ``/api/v1``."""
