"""The rules of one gate, in the kernel."""

import asyncio
from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, IPv6Network

from chatsubo.gate.errors import FirewallError
from chatsubo.gate.firewall import docker_user
from chatsubo.gate.firewall.generation import current_generation
from chatsubo.gate.firewall.listing import Dropped, Listing, read_counters, read_table
from chatsubo.gate.firewall.process import call
from chatsubo.gate.firewall.ruleset import Ruleset
from chatsubo.gate.firewall.watch import Watch
from chatsubo.gate.model import Pair


class Firewall:
    """The rules about one VPN interface: :class:`chatsubo.gate.rules.Rules`.

    They are in a table of their own, and stay when the process ends. Outside of it there is one rule in Docker's
    DOCKER-USER, where there is such a chain. One call at a time.

    Args:
        interface: The name of the VPN interface. It need not be there yet.
        subnet4: The players' addresses. The first is the gate's own.
        subnet6: Likewise for IPv6; without it players have no IPv6.
        protected: Networks that no player ever reaches, whatever the pairs say.
    """

    def __init__(
        self,
        interface: str,
        subnet4: IPv4Network,
        subnet6: IPv6Network | None = None,
        protected: Iterable[IPv4Network | IPv6Network] = (),
    ) -> None:
        self._interface = interface
        self._ruleset = Ruleset(interface, subnet4, subnet6, protected)
        self._frame = b""
        self._sure: tuple[int, frozenset[Pair]] | None = None

    async def install(self, pairs: Collection[Pair]) -> None:
        """Have all rules there, with just these pairs, in one step, whatever was there before.

        Raises:
            FirewallError: The kernel does not take them.
        """
        text = await asyncio.to_thread(self._ruleset.whole, pairs)
        try:
            await _load(text)
        except FirewallError:
            # Another release's table may have a chain or a set of another kind, which cannot be changed.
            await _load(self._ruleset.none() + text)
        self._frame = (await self._listing("--terse")).frame
        await self.tend()

    async def change(self, add: Collection[Pair], remove: Collection[Pair]) -> None:
        """Let pairs through from now on, and others no more, in one step; the live connections of those are cut.

        A pair that is in both is let through. Of a pair that was there with another :attr:`Pair.back` the new one
        holds. Pairs that are there, or not there, already are no trouble.

        Raises:
            FirewallError: The kernel does not take it; nothing was changed.
        """
        if add or remove:
            await _load(await asyncio.to_thread(self._ruleset.change, add, remove))

    async def pairs(self) -> frozenset[Pair]:
        """Return the pairs that the kernel lets through.

        Raises:
            FirewallError: There is no table, or it cannot be read.
        """
        return (await self._listing()).pairs

    async def matches(self, pairs: Collection[Pair]) -> bool:
        """Return whether the kernel has all rules as :meth:`install` made them, with just these pairs.

        Raises:
            FirewallError: The kernel does not answer.
        """
        # To list 10,000 pairs takes a third of a second, and nothing is different while nobody changed any rule.
        expected, generation = frozenset(pairs), await asyncio.to_thread(current_generation)
        if self._sure == (generation, expected):
            return True
        if not self._frame or not await self._is_there():
            return False
        found = await self._listing()
        if found.frame != self._frame or found.pairs != expected:
            return False
        self._sure = generation, expected
        return True

    async def tend(self) -> None:
        """Have the rule in DOCKER-USER, which comes when Docker does.

        Raises:
            FirewallError: The kernel does not take it.
        """
        await docker_user.let_through(self._interface)

    def watch(self) -> Watch:
        """Return what sees others change these rules, or Docker come: then :meth:`matches` and :meth:`tend` are due.

        Raises:
            FirewallError: The kernel does not tell.
        """
        return Watch(self._ruleset.table)

    async def counters(self) -> Dropped:
        """Return how many packets were dropped.

        Raises:
            FirewallError: There is no table, or it cannot be read.
        """
        return read_counters((await call("nft", "--json", "list", "counters", "table", "inet", self._ruleset.table))[1])

    async def remove(self) -> None:
        """Take the rules away, the one in DOCKER-USER too. Bring the interface down first: then nothing slips through.

        Raises:
            FirewallError: The kernel does not let them go.
        """
        await docker_user.withdraw(self._interface)
        await _load(self._ruleset.none())

    async def _is_there(self) -> bool:
        tables = (await call("nft", "list", "tables", "inet"))[1].splitlines()
        return f"table inet {self._ruleset.table}" in tables

    async def _listing(self, *options: str) -> Listing:
        answer = (await call("nft", "--json", "--stateless", *options, "list", "table", "inet", self._ruleset.table))[1]
        return await asyncio.to_thread(read_table, answer)


async def _load(text: str) -> None:
    await call("nft", "-f", "-", feed=text)
