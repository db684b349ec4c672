"""The standings, made from the snapshot."""

from chatsubo.domain.errors import NotFound
from chatsubo.game.snapshot import Board, Snapshots
from chatsubo.game.views import StandingsView


class Scoreboard:
    """Who found how much, overall and by track."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    async def standings(self, track: str | None = None) -> StandingsView:
        """Return the standings.

        Raises:
            NotFound: If no box of such a track was ever released.
        """
        return (await self._board(track)).view

    async def standings_json(self, track: str | None = None) -> tuple[bytes, str]:
        """Return the standings as ready-made JSON, and their version for an ETag.

        Raises:
            NotFound: If no box of such a track was ever released.
        """
        board = await self._board(track)
        return board.json, board.view.version

    async def _board(self, track: str | None) -> Board:
        boards = (await self._snapshots.current()).boards
        if track not in boards:
            raise NotFound
        return boards[track]
