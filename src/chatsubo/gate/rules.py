"""What a gate asks of the kernel: to let pairs of players and machines through, and nothing else."""

from collections.abc import Collection
from typing import Protocol

from chatsubo.gate.model import Pair


class Rules(Protocol):
    """The kernel's rules about one VPN interface.

    Every method may be called again after it failed or was killed half way, has a time limit of its own, and raises
    FirewallError where the kernel does not take it.
    """

    async def install(self, pairs: Collection[Pair]) -> None:
        """Have all rules there, with just these pairs, in one step: nothing slips through before, while or after."""

    async def change(self, add: Collection[Pair], remove: Collection[Pair]) -> None:
        """Let pairs through from now on, and others no more; their live connections are cut."""

    async def matches(self, pairs: Collection[Pair]) -> bool:
        """Return whether the kernel has all rules, with just these pairs."""

    async def tend(self) -> None:
        """See to what others may have changed since: the rule that lets our packets pass Docker's."""

    async def remove(self) -> None:
        """Take the rules away."""
