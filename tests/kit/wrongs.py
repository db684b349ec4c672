"""The registry of providers that are wrong in one way each, and how to hold one to the kit."""

from collections.abc import Callable
from dataclasses import dataclass

from chatsubo.testing.kit.running import Ground, Outcome, hold
from tests.kit.fakes import ClassicFakeKit, FakeKit, KitFake, KitHypervisor


@dataclass(frozen=True)
class Wrong:
    """A provider made wrong on purpose.

    Attributes:
        provider: Its class.
        check: The check that has to notice.
        besides: Others that cannot but notice too.
        kit: What it is held to.
    """

    provider: type[KitFake]
    check: str
    besides: frozenset[str]
    kit: type[FakeKit]


WRONG: list[Wrong] = []


def fails(
    check: str, *besides: str, kit: type[FakeKit] = FakeKit
) -> Callable[[type[KitFake]], type[KitFake]]:  # fmt: skip
    """Register a provider that has to fail a check, named without its ``test_``."""

    def register(provider: type[KitFake]) -> type[KitFake]:
        names = frozenset(f"test_{name}" for name in besides)
        WRONG.append(Wrong(provider, f"test_{check}", names, kit))
        return provider

    return register


async def failures_of(wrong: Wrong) -> dict[str, str]:
    """Hold a wrong provider to its whole kit; return the checks that it fails, each with what was said."""

    async def make() -> Ground:
        there = KitHypervisor([]) if wrong.kit is ClassicFakeKit else KitHypervisor()
        there.is_dynamic = wrong.kit is FakeKit
        return there, wrong.provider(there), wrong.provider(there)

    results = [result async for result in hold(wrong.kit, make)]
    return {f"test_{one.check}": one.reason for one in results if one.outcome is Outcome.FAILED}
