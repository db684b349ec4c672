"""The scoreboard."""

from collections.abc import Sequence
from typing import Any

from litestar import Controller, get
from litestar.params import FromQuery
from litestar.response import Template

from chatsubo.game import Actor, Game
from chatsubo.game.names import name_key
from chatsubo.game.views import StandingRow, StandingsView
from chatsubo.web.dependencies import TheActor, TheGame
from chatsubo.web.pages.rendering import TheShow

MOST_ROWS = 200
"""Rows that the page shows; the reader's own comes besides, and a search finds every other."""


class StandingsPages(Controller):
    """Who found how much."""

    @get("/scoreboard")
    async def scoreboard(
        self, game: TheGame, actor: TheActor, show: TheShow, track: FromQuery[str | None] = None, q: FromQuery[str] = ""
    ) -> Template:
        """Show the podium and the standings, overall or of one track."""
        context = await _table(game, actor, track or None, q)
        if show.in_page:
            return show.fragment("standings.html", **context)
        return await show.page("scoreboard.html", **context)


async def _table(game: Game, actor: Actor, track: str | None, search: str) -> dict[str, Any]:
    standings: StandingsView = await game.scoreboard.standings(track)
    wanted = name_key(search)
    matching = [row for row in standings.rows if wanted in name_key(row.username)] if wanted else standings.rows
    rows = with_own(matching, actor.account_id)
    return {
        "standings": standings,
        "rows": rows,
        "left_out": len(matching) - len(rows),
        "search": search,
        "track": track,
    }


def with_own(rows: Sequence[StandingRow], account_id: int) -> list[StandingRow]:
    """Return the first rows, and the account's own even if it comes later."""
    first, rest = list(rows[:MOST_ROWS]), rows[MOST_ROWS:]
    return first + [row for row in rest if row.account_id == account_id]
