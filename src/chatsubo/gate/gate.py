"""The gate: players' accesses, who is connected, and who may reach what."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from time import time

import structlog
from msgspec import Struct

from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import FirewallError, GateFault, PictureOutdated
from chatsubo.gate.model import Connection, Pair, Peer
from chatsubo.gate.picture import Picture, pairs_of
from chatsubo.gate.roster import Adopted, Roster
from chatsubo.gate.rules import Rules
from chatsubo.gate.state import State
from chatsubo.gate.tunnel import Tunnel

_LOG = structlog.get_logger(__name__)
_TUNNEL, _FIREWALL = "tunnel", "firewall"
_SAW_SECONDS = 60.0
NOBODY = Connection(online=False, handshake=None, received=0, sent=0)


class Health(Struct, frozen=True, kw_only=True):
    """How the gate is.

    Attributes:
        realm: The realm that it leads to.
        kind: Which VPN server it keeps.
        errors: What does not work now; empty if all is well.
        places: How many accesses it can give.
        free: How many are left.
        peers: How many were given.
        online: How many players are connected.
        picture: The version of the picture that holds.
        clock: The gate's time of day, in seconds since 1970.
    """

    realm: str
    kind: str
    errors: tuple[str, ...]
    places: int
    free: int
    peers: int
    online: int
    picture: int
    clock: float


class Gate:
    """Everything that is asked of the gate. One change at a time; what returned holds, whatever happens next.

    A VPN server or a kernel that does not take a change is told in :attr:`Health.errors`, and gets it once it is well
    again: what the gate remembers is what counts.

    Args:
        config: The gate's file.
        state: What it remembers.
        tunnel: The VPN server.
        firewall: The kernel's rules.
        clock: Seconds since 1970.

    Raises:
        StateError: What is remembered cannot be read, or does not fit the file.
    """

    def __init__(
        self, config: GateConfig, state: State, tunnel: Tunnel, firewall: Rules, clock: Callable[[], float] = time
    ) -> None:
        self._config, self._state, self._tunnel, self._firewall, self._clock = config, state, tunnel, firewall, clock
        self._roster = Roster(config, state, tunnel.issue, clock)
        self._picture = state.picture()
        self._turn = asyncio.Lock()
        self._connections: Mapping[str, Connection] = {}
        self._since: dict[str, float] = {}
        self._saw = 0.0
        self._errors: dict[str, str] = {}

    @property
    def picture(self) -> Picture:
        """Who may reach what now."""
        return self._picture

    @property
    def peers(self) -> Sequence[Peer]:
        """The accesses that players have."""
        return self._roster.peers

    def peer(self, name: str) -> Peer:
        """Return a player's access.

        Raises:
            UnknownPeer: There is none.
        """
        return self._roster.of(name)

    async def start(self, adopted: Iterable[Adopted] = ()) -> None:
        """Take up what is remembered: first the rules, then the VPN server with its peers.

        Args:
            adopted: Accesses that were made elsewhere. Those that are known already are no trouble.

        Raises:
            GateFault: It cannot begin.
        """
        async with self._turn:
            await asyncio.to_thread(self._roster.adopt, list(adopted))
            await self._firewall.install(self._pairs(self.peers))
            await self._tunnel.up(self.peers)

    async def access(self, name: str) -> str:
        """Return the client's file of a player: always the same, made at the first call.

        Raises:
            RealmFull: There is no place left.
            StateError: It cannot be remembered.
        """
        peer = self._roster.get(name) or (await self.create([name]))[0]
        return self._tunnel.client_file(peer)

    async def create(self, names: Sequence[str]) -> list[Peer]:
        """Return the accesses of players, and make those that are missing: all of them or none.

        Raises:
            RealmFull: There are not as many places left, even without those that expired.
            StateError: They cannot be remembered.
        """
        async with self._turn:
            missing = [name for name in dict.fromkeys(names) if self._roster.get(name) is None]
            if missing:
                lacking = len(missing) - self._roster.free
                if lacking > 0:
                    await self._remove(self._roster.expired(lacking, self._since))
                made = await asyncio.to_thread(self._roster.add, missing)
                await self._attempt(_TUNNEL, self._tunnel.admit(made))
                await self._attempt(_FIREWALL, self._firewall.change(self._pairs(made), ()))
            return [self._roster.of(name) for name in names]

    async def rename(self, name: str, new: str) -> Peer:
        """Call a player something else; the access stays, and reaches what the picture says for the new name.

        Raises:
            UnknownPeer: Nobody is called so.
            NameTaken: Somebody has the new name.
        """
        async with self._turn:
            before = self._pairs([self._roster.of(name)])
            renamed = await asyncio.to_thread(self._roster.rename, name, new)
            after = self._pairs([renamed])
            await self._attempt(_FIREWALL, self._firewall.change(after - before, before - after))
            return renamed

    async def rotate(self, name: str) -> str:
        """Give a player new keys at the same place, and return the client's file; the old ones end at once.

        Raises:
            UnknownPeer: Nobody is called so.
        """
        async with self._turn:
            old, new = await asyncio.to_thread(self._roster.rotate, name)
            self._since.pop(old.uid, None)
            await self._attempt(_TUNNEL, self._tunnel.expel([old]))
            await self._attempt(_TUNNEL, self._tunnel.admit([new]))
            return self._tunnel.client_file(new)

    async def revoke(self, name: str) -> None:
        """End a player's access at once; the next one that is asked for is new.

        Raises:
            UnknownPeer: Nobody is called so.
        """
        async with self._turn:
            await self._remove([self._roster.of(name)])

    async def show(self, picture: Picture) -> None:
        """Let a picture of who may reach what hold. The one that holds already is no trouble.

        Raises:
            PictureOutdated: A newer one holds, or another one of the same version.
            FirewallError: The kernel does not take it now; it is remembered, and tried again.
        """
        async with self._turn:
            held = self._picture
            if picture.version < held.version or (picture.version == held.version and picture != held):
                raise PictureOutdated(held.version)
            changed = [one for one in self.peers if picture.players.get(one.name) != held.players.get(one.name)]
            before = self._pairs(changed)
            if picture != held:
                await asyncio.to_thread(self._state.keep, picture)
                self._picture = picture
            after = self._pairs(changed)
            if after != before:
                await self._attempt(_FIREWALL, self._firewall.change(after - before, before - after))
            elif _FIREWALL in self._errors:
                await self._attempt(_FIREWALL, self._mended(), heals=True)
            if _FIREWALL in self._errors:
                raise FirewallError(self._errors[_FIREWALL])

    def connection(self, peer: Peer) -> tuple[Connection, float | None]:
        """Return what was last seen of a player's connection, and since when it is up."""
        return self._connections.get(peer.uid, NOBODY), self._since.get(peer.uid)

    def health(self) -> Health:
        """Return how the gate is."""
        return Health(
            realm=self._config.realm,
            kind=self._config.kind,
            errors=tuple(self._errors.values()),
            places=self._roster.places,
            free=self._roster.free,
            peers=len(self._roster),
            online=len(self._since),
            picture=self._picture.version,
            clock=self._clock(),
        )

    async def look(self) -> None:
        """See who is connected; a VPN server that missed a change, or does not answer, is brought up again."""
        async with self._turn:
            if _TUNNEL in self._errors:
                await self._attempt(_TUNNEL, self._tunnel.up(self.peers), heals=True)
            await self._attempt(_TUNNEL, self._notice())

    async def tend(self) -> None:
        """See that the kernel's rules are as they should be, and mend them if not."""
        async with self._turn:
            await self._attempt(_FIREWALL, self._mended(), heals=True)

    async def down(self) -> None:
        """Take everything away: the VPN server first, then the rules."""
        async with self._turn:
            await self._tunnel.down()
            await self._firewall.remove()

    async def _mended(self) -> None:
        pairs = self._pairs(self.peers)
        if not await self._firewall.matches(pairs):
            await self._firewall.install(pairs)
        await self._firewall.tend()

    async def _notice(self) -> None:
        """Note who is connected, and since when; remember who was seen."""
        connections = await self._tunnel.connections()
        now = self._clock()
        online = {uid for uid, one in connections.items() if one.online}
        self._connections = connections
        fresh = {uid: now for uid in online if uid not in self._since}
        gone = self._since.keys() - online
        self._since = {uid: since for uid, since in (self._since | fresh).items() if uid in online}
        if now - self._saw >= _SAW_SECONDS or gone or fresh:
            self._saw = now
            await asyncio.to_thread(self._roster.saw, dict.fromkeys(online | gone, now))

    async def _remove(self, peers: Sequence[Peer]) -> None:
        pairs = self._pairs(peers)
        await asyncio.to_thread(self._roster.remove, peers)
        for one in peers:
            self._since.pop(one.uid, None)
        await self._attempt(_FIREWALL, self._firewall.change((), pairs))
        await self._attempt(_TUNNEL, self._tunnel.expel(peers))

    def _pairs(self, peers: Iterable[Peer]) -> set[Pair]:
        reaches = self._picture.players
        return {pair for one in peers if one.name in reaches for pair in pairs_of(reaches[one.name], one.addresses)}

    async def _attempt(self, what: str, change: Awaitable[None], *, heals: bool = False) -> None:
        """Do what the VPN server or the kernel is needed for; a failure is noted for :meth:`look` and :meth:`tend`.

        Args:
            what: Which of the two.
            change: What is done.
            heals: Whether all is well with it again after this.
        """
        try:
            await change
        except GateFault as error:
            if self._errors.get(what) != str(error):
                _LOG.error("gate.trouble", part=what, reason=str(error))
            self._errors[what] = str(error)
        else:
            if heals and self._errors.pop(what, ""):
                _LOG.info("gate.well-again", part=what)
