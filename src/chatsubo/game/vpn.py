"""A player's way into a realm: the VPN configuration that a gate gives, and how the gates are."""

import io
from collections.abc import Callable

import segno
import structlog

from chatsubo.domain.clock import Clock
from chatsubo.domain.errors import Banned, Conflict, Forbidden, NotFound
from chatsubo.domain.text import N_
from chatsubo.game import vpn_reading as reading
from chatsubo.game.actor import Actor
from chatsubo.game.rate_limits import VPN_RENEWAL, RateLimiter
from chatsubo.game.vpn_views import GateTrouble, GateView, RealmAccess
from chatsubo.gates import Access, GateError, Gates
from chatsubo.store.accounts import account_by_id
from chatsubo.store.database import Database
from chatsubo.store.gates import bind_gate, cut_off, gate_binding, note_key

_log = structlog.get_logger("chatsubo.game.vpn")


class CutOff(Forbidden):
    """An organiser has cut the player off from the realm."""

    code = "cut-off"
    message = N_("An organiser has cut you off from this realm.")


class NoCode(Conflict):
    """The configuration cannot be shown as a QR code."""

    code = "no-qr-code"
    message = N_("Only a WireGuard configuration can be shown as a QR code. Download the file instead.")


def _nobody(*_: int) -> None:
    """Tell nobody: no gates are kept in this process; whoever keeps them sees the change in the database."""


class Vpn:
    """Gives players the access that is theirs, and shows organisers how the gates are.

    Args:
        db: Where it is written who is bound to which gate, and how the gates are.
        clock: The time of day.
        gates: The configured gates.
        wake: Tells whoever keeps the gates that somebody may reach something else now.
        tell: Tells an account that its way into a realm is another one now.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        gates: Gates,
        wake: Callable[[], None] = _nobody,
        tell: Callable[[int], None] = _nobody,
    ) -> None:
        self._db = db
        self._clock = clock
        self._gates = gates
        self._wake = wake
        self._tell = tell
        self._limiter = RateLimiter(db, clock)

    async def status(self, actor: Actor) -> tuple[RealmAccess, ...]:
        """Return the acting account's way into each realm that has a gate. It waits for no gate.

        Raises:
            NotFound: If there is no such account any more.
        """
        if not self._gates.by_realm:
            return ()  # every page asks
        async with self._db.read() as tx:
            return await reading.realm_accesses(tx, self._gates, actor.account_id)

    async def access(self, actor: Actor, realm: str) -> Access:
        """Return the acting account's access to a realm, from the gate that it is bound to there.

        An old gate may hand one key to two accounts; that is logged as a warning with both names.

        Raises:
            CutOff: If an organiser has cut the account off.
            GateError: If no gate gives one now.
            NoGate: If no gate serves the realm.
        """
        return await self._given(actor, realm, new=False)

    async def renew(self, actor: Actor, realm: str) -> Access:
        """Return a new access of the acting account to a realm; the old one ends at once.

        Raises:
            CutOff: If an organiser has cut the account off.
            GateError: If the gate does not give one now; the old one may have ended or not.
            NoGate: If no gate serves the realm.
            OldGate: If the gate is an old one, which always gives the same.
            RateLimited: If the account has asked for too many.
        """
        await self._limiter.spend(VPN_RENEWAL, actor.account_id)
        return await self._given(actor, realm, new=True)

    async def qr(self, actor: Actor, realm: str) -> str:
        """Return the acting account's access to a realm as a QR code for phones, an SVG document.

        Raises:
            CutOff: If an organiser has cut the account off.
            GateError: If no gate gives one now.
            NoCode: If it is not for WireGuard, or too long for a code.
            NoGate: If no gate serves the realm.
        """
        access = await self.access(actor, realm)
        if access.kind != "wireguard":
            raise NoCode
        try:
            code = segno.make_qr(access.config, error="l")
        except segno.DataOverflowError:
            raise NoCode from None
        drawn = io.BytesIO()
        code.save(drawn, kind="svg", omitsize=True, xmldecl=False, light="#fff")
        return drawn.getvalue().decode()

    async def gates(self, actor: Actor) -> tuple[GateView, ...]:
        """Return how each gate is and who is bound to it, for organisers. It waits for no gate.

        Raises:
            Forbidden: If the actor is no organiser.
        """
        actor.must_be_admin()
        async with self._db.read() as tx:
            return await reading.gate_views(tx, self._gates, self._clock)

    async def troubles(self, actor: Actor) -> tuple[GateTrouble, ...]:
        """Return the gates that organisers have to see to. It waits for no gate.

        Raises:
            Forbidden: If the actor is no organiser.
        """
        actor.must_be_admin()
        async with self._db.read() as tx:
            return await reading.gate_troubles(tx, self._gates)

    async def cut_off(self, actor: Actor, account_id: int, realm: str) -> None:
        """Cut a player off from a realm, as an organiser: until :meth:`let_in` it reaches nothing there.

        What the gate gave the player is revoked as soon as the gate answers. An old gate cannot do that; the player
        is given no configuration any more, but the one at hand goes on working there.

        Raises:
            Forbidden: If the actor is no organiser.
            NotFound: If the account is bound to no gate of the realm.
        """
        await self._set_cut_off(actor, account_id, realm, off=True)

    async def let_in(self, actor: Actor, account_id: int, realm: str) -> None:
        """Let a player who was cut off from a realm come back, with a new configuration.

        Raises:
            Forbidden: If the actor is no organiser.
            NotFound: If the account is bound to no gate of the realm.
        """
        await self._set_cut_off(actor, account_id, realm, off=False)

    async def _set_cut_off(self, actor: Actor, account_id: int, realm: str, *, off: bool) -> None:
        actor.must_be_admin()
        async with self._db.write() as tx:
            if await cut_off(tx, account_id, realm, self._clock() if off else None) is None:
                raise NotFound
        _log.info("player cut off" if off else "player let in", account=account_id, realm=realm, by=actor.username)
        self._wake()
        self._tell(account_id)

    async def _given(self, actor: Actor, realm: str, *, new: bool) -> Access:
        async with self._db.read() as tx:
            account = await account_by_id(tx, actor.account_id)
            binding = await gate_binding(tx, actor.account_id, realm)
        if account is None:
            raise NotFound
        if account.banned_at is not None:
            raise Banned(reason=account.ban_reason or "")
        if binding is not None and binding.cut_off_at is not None:
            raise CutOff
        memory = _Memory(self._db, self._clock, actor.account_id, realm)
        try:
            give = self._gates.renew if new else self._gates.access
            access = await give(realm, account.gate_name, memory)
        except GateError as error:
            _log.warning("gate error", realm=realm, detail=error.detail)
            raise
        if binding is None or binding.key_digest != access.key_digest:
            await self._note_key(actor, realm, access)
            if not new:  # who asks for a new one is told by the answer
                self._tell(actor.account_id)
        return access

    async def _note_key(self, actor: Actor, realm: str, access: Access) -> None:
        async with self._db.write() as tx:
            others = await note_key(tx, actor.account_id, realm, access.key_digest)
            binding = await gate_binding(tx, actor.account_id, realm)
        self._wake()
        if others:
            _log.warning("accounts share one VPN key", realm=realm, gate=access.url, accounts=[actor.username, *others])
        if binding is not None and binding.cut_off_at is not None:  # meanwhile: whoever keeps the gate revokes it again
            raise CutOff


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
