"""Which gate gives a player access to a realm: the one that gave it before, else the first that has a place."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import httpx

from chatsubo.config.models import Gate
from chatsubo.gates.client import LIMIT_SECONDS, GateClient
from chatsubo.gates.errors import GateError, NoGate, RealmFull

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)
"""No call waits for another to end: those to a gate that hangs would hold up those to the other gates."""
_KEYS = (
    re.compile(r"^\s*PrivateKey\s*=\s*(\S+)", re.MULTILINE | re.IGNORECASE),  # WireGuard
    re.compile(r"<key>(.*?)</key>", re.DOTALL),  # OpenVPN
)


class Memory(Protocol):
    """What is remembered of one player in one realm."""

    async def recall(self) -> str | None:
        """Return the URL of the gate that the player is bound to."""

    async def remember(self, url: str, instead_of: str | None) -> str:
        """Bind the player to the gate at ``url``, and return the URL that it is bound to now.

        Args:
            url: The gate that gave access.
            instead_of: What was recalled. If it is no longer so, somebody was faster, and the player stays there.
        """


@dataclass(frozen=True, slots=True)
class Access:
    """A player's access to a realm.

    Attributes:
        config: The VPN client's configuration file. It holds the player's private key.
        url: The gate that gave it.
    """

    config: str
    url: str

    def __repr__(self) -> str:
        """Return what holds no key."""
        return f"<Access by {self.url}>"

    @property
    def kind(self) -> str:
        """Which VPN client it is for: ``wireguard`` or ``openvpn``."""
        return "wireguard" if "[interface]" in self.config.lower() else "openvpn"

    @property
    def key_digest(self) -> str:
        """SHA-256 of the private key: two accounts with one digest hold the same key."""
        keys = (found[1].strip() for pattern in _KEYS if (found := pattern.search(self.config)))
        return hashlib.sha256(next(keys, self.config).encode()).hexdigest()


class Gates:
    """All configured gates.

    Args:
        gates: In the order of the configuration: the first one with a place takes a new player.
        http: Makes the requests; made here where none is given.
        limit: Seconds that a call may take.
    """

    def __init__(
        self, gates: Iterable[Gate], http: httpx.AsyncClient | None = None, limit: float = LIMIT_SECONDS
    ) -> None:
        # Proxies and netrc files of the environment are not ours: the token goes to the gate alone.
        self._http = http or httpx.AsyncClient(trust_env=False, timeout=limit, limits=_LIMITS)
        self._by_realm: dict[str, list[GateClient]] = {}
        for gate in gates:
            self._by_realm.setdefault(gate.realm, []).append(GateClient(gate, self._http, limit))

    @property
    def by_realm(self) -> Mapping[str, Sequence[GateClient]]:
        """The gates of each realm that has any."""
        return self._by_realm

    @property
    def by_url(self) -> Mapping[str, GateClient]:
        """Each gate once, however many realms it serves."""
        found: dict[str, GateClient] = {}
        for client in (client for group in self._by_realm.values() for client in group):
            found.setdefault(client.gate.url, client)
        return found

    def realms_of(self, url: str) -> tuple[str, ...]:
        """Return the realms that a gate serves."""
        return tuple(realm for realm, group in self._by_realm.items() if any(one.gate.url == url for one in group))

    def connecting_back(self, url: str) -> frozenset[str]:
        """Return those of a gate's realms whose shared machines may open connections to players."""
        return frozenset(
            one.gate.realm
            for group in self._by_realm.values()
            for one in group
            if one.gate.url == url and one.gate.shared_connects_back
        )

    async def access(self, realm: str, gate_name: str, memory: Memory) -> Access:
        """Return a player's access to a realm.

        Args:
            realm: The realm.
            gate_name: What gates call the player.
            memory: What is remembered of the player in this realm.

        Raises:
            GateError: If the player's gate, or for a new player every gate, does not give one.
            NoGate: If no gate serves the realm.
        """
        gates = {client.gate.url: client for client in self._by_realm.get(realm, ())}
        if not gates:
            raise NoGate
        bound = await memory.recall()
        if bound in gates:
            return Access(await gates[bound].config(gate_name), bound)
        found = await self._first_with_a_place(list(gates.values()), gate_name)
        chosen = await memory.remember(found.url, instead_of=bound)
        if chosen != found.url and chosen in gates:
            return Access(await gates[chosen].config(gate_name), chosen)
        return found

    async def renew(self, realm: str, gate_name: str, memory: Memory) -> Access:
        """Return a new access of a player to a realm; the old one ends at once. Arguments as for :meth:`access`.

        Raises:
            GateError: If the player's gate, or for a new player every gate, does not give one.
            NoGate: If no gate serves the realm.
            OldGate: If the player's gate cannot do that.
        """
        bound = await memory.recall()
        for client in self._by_realm.get(realm, ()):
            if client.gate.url == bound:
                return Access(await client.renew(gate_name), bound)
        return await self.access(realm, gate_name, memory)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.aclose()

    async def _first_with_a_place(self, gates: Sequence[GateClient], gate_name: str) -> Access:
        """Return the access that the first gate gives; of the errors of all, one that is not about a full gate."""
        errors: list[GateError] = []
        for client in gates:
            try:
                return Access(await client.config(gate_name), client.gate.url)
            except GateError as error:
                errors.append(error)
        raise next((error for error in errors if not isinstance(error, RealmFull)), errors[-1])
