"""A player's way into a realm: the VPN configuration that a gate gives."""

import structlog

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import NotFound
from chatsubo.game.actor import Actor
from chatsubo.gates import Access, GateError, Gates
from chatsubo.store.accounts import account_by_id
from chatsubo.store.database import Database
from chatsubo.store.gates import bind_gate, gate_binding, note_key

_log = structlog.get_logger("chatsubo.game.vpn")


class Vpn:
    """Gives players the access that is theirs."""

    def __init__(self, db: Database, clock: Clock, gates: Gates) -> None:
        self._db = db
        self._clock = clock
        self._gates = gates

    async def access(self, actor: Actor, realm: str) -> Access:
        """Return the acting account's access to a realm, from the gate that it is bound to there.

        An old gate may hand one key to two accounts; that is logged as a warning with both names.

        Raises:
            GateError: If no gate gives one now.
            NoGate: If no gate serves the realm.
        """
        async with self._db.read() as tx:
            account = await account_by_id(tx, actor.account_id)
            binding = await gate_binding(tx, actor.account_id, realm)
        if account is None:
            raise NotFound
        memory = _Memory(self._db, self._clock, actor.account_id, realm)
        try:
            access = await self._gates.access(realm, account.gate_name, memory)
        except GateError as error:
            _log.warning("gate error", realm=realm, detail=error.detail)
            raise
        if binding is None or binding.key_digest != access.key_digest:
            await self._note_key(actor, realm, access)
        return access

    async def _note_key(self, actor: Actor, realm: str, access: Access) -> None:
        async with self._db.write() as tx:
            others = await note_key(tx, actor.account_id, realm, access.key_digest)
        if others:
            _log.warning("accounts share one VPN key", realm=realm, gate=access.url, accounts=[actor.username, *others])


class _Memory:
    """What the database remembers of one account in one realm."""

    def __init__(self, db: Database, clock: Clock, account_id: int, realm: str) -> None:
        self._db = db
        self._clock = clock
        self._account_id = account_id
        self._realm = realm

    async def recall(self) -> str | None:
        async with self._db.read() as tx:
            binding = await gate_binding(tx, self._account_id, self._realm)
        return binding.url if binding else None

    async def remember(self, url: str, instead_of: str | None) -> str:
        async with self._db.write() as tx:
            return await bind_gate(tx, self._account_id, self._realm, url=url, instead_of=instead_of, now=self._clock())
