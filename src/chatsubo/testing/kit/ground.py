"""What every check stands on: the providers, the hypervisor behind them, and the hooks that a subclass gives."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from chatsubo.providers.base import BaseInstance, BaseProvider, BaseTemplate, StartOrder
from chatsubo.testing.orders import Recorder, again, make_order

HOOKS = (
    *("spoil", "is_spoiled", "plant_template", "plant_machine", "classic_machine", "plant_unusable", "plant_broken"),
    *("away", "refuse", "hang", "slow", "halve", "garble", "halt", "secrets"),
)
"""What a subclass may give, by name; checks that need one which is not given are skipped with a reason."""

STRANGE = "kit-no-such-realm"
"""A realm that no provider serves."""

ADDRESS = "10.66.0.7"
"""The address that a planted machine's labels tell."""


class Ground:
    """What a kit's subclass says and gives, and what the checks work with.

    Attributes:
        abilities: What the provider can do: ``dynamic``, ``classic``, or both.
        waived: The hooks and abilities that make no sense here, each with the reason; their checks are not run.
        known_failures: The checks that fail as things stand, each with the reason. One that passes all the same fails.
        realm: A realm that the provider serves.
        template: For a dynamic provider, the template that the checks start.
        flags: The names of its flags, each with the value that it is made from: ``{"user": "FLAG0"}``; ``None``
            where nobody knows: then each must have a value.
        creds: Likewise the types of its creds, and the values that their passwords are made from.
        machine: For a classic provider, the name of the template that the checks plant.
        may_reset: Whether that machine may be reset.
        crowd: How many sessions the check of a crowd starts.
        patience: Seconds that one start or reset may take.
        grace: Seconds that a call which was cancelled may take to end.
        limit: Seconds that one check may take.
        hurry: Seconds until the deadline of a start whose hypervisor hangs.
        secrets: What the provider's configuration keeps secret: tokens, passwords.
        backend: What the fixture ``hypervisor`` gives, for the hooks.
        first: The provider, with methods that can all be awaited.
        second: Another object of the same provider.
        sessions: The sessions that the check ordered; they are stopped at its end.
    """

    abilities: ClassVar[frozenset[str]] = frozenset({"dynamic"})
    waived: ClassVar[Mapping[str, str]] = {}
    known_failures: ClassVar[Mapping[str, str]] = {}

    realm: str = "wz01"
    template: str = "hello"
    flags: Mapping[str, str] | None = {"user": "FLAG0", "root": "FLAG1"}
    creds: Mapping[str, str] | None = {"ssh": "RNG0"}
    machine: str = "mail"
    may_reset: bool = True
    crowd: int = 20
    patience: float = 60.0
    grace: float = 15.0
    limit: float = 300.0
    hurry: float = 1.0
    secrets: Sequence[str] = ()

    backend: Any
    first: BaseProvider
    second: BaseProvider
    sessions: list[str]

    # Hooks: a subclass gives those that its hypervisor allows.

    async def traces(self, session: str) -> list[str]:
        """Return whatever is left of a session on the hypervisor: machines, disks, images, folders, networks.

        Look with other eyes than the provider's where that can be done. Without this hook its listing is believed.
        """
        return [str(one.id) for one in await self.listed(session)]

    async def spoil(self, instance: BaseInstance) -> None:
        """Change something inside a running machine that a reset has to bring back."""
        raise NotImplementedError

    async def is_spoiled(self, instance: BaseInstance) -> bool:
        """Return whether what :meth:`spoil` changed is still changed."""
        raise NotImplementedError

    async def plant_template(self, name: str, labels: Mapping[str, str]) -> None:
        """Put a dynamic template there, with these labels and what else it needs to be listed."""
        raise NotImplementedError

    async def plant_machine(self, name: str, labels: Mapping[str, str]) -> None:
        """Put a running machine there as an operator would, with these labels and an initial state to go back to."""
        raise NotImplementedError

    async def plant_unusable(self) -> str:
        """Put something there that is meant as a template or a machine and cannot be used; return its name."""
        raise NotImplementedError

    async def plant_broken(self) -> str:
        """Put a template there whose machines do not come up, and return its name."""
        raise NotImplementedError

    async def away(self) -> None:
        """Take the hypervisor out of reach."""
        raise NotImplementedError

    async def refuse(self) -> None:
        """Make the hypervisor turn our credentials down."""
        raise NotImplementedError

    async def hang(self) -> None:
        """Make the hypervisor take requests and answer none."""
        raise NotImplementedError

    async def slow(self) -> None:
        """Make the hypervisor take about half a second for each answer."""
        raise NotImplementedError

    async def halve(self) -> None:
        """Make the hypervisor break off in the middle of each answer."""
        raise NotImplementedError

    async def garble(self) -> None:
        """Make the hypervisor answer what it never would: somebody else's page, with a status of success."""
        raise NotImplementedError

    async def back(self) -> None:
        """Undo :meth:`away`, :meth:`refuse`, :meth:`hang`, :meth:`slow`, :meth:`halve` and :meth:`garble`."""

    async def halt(self, instance: BaseInstance) -> None:
        """Switch a classic machine off, as somebody else would."""
        raise NotImplementedError

    async def classic_machine(self) -> BaseInstance:
        """Return the classic machine of the template :attr:`machine`; it is planted here."""
        await self.plant_machine(self.machine, self.machine_labels(self.machine))
        return await self.found_machine()

    # What the checks work with.

    def order(self, generation: int = 1, seconds: float | None = None, progress: Recorder | None = None) -> StartOrder:
        """Return the order of a new session, which is stopped at the end of the check."""
        order = make_order(generation, self.patience if seconds is None else seconds, progress)
        self.sessions.append(order.id)
        return order

    def again(self, order: StartOrder, generation: int | None = None, progress: Recorder | None = None) -> StartOrder:
        """Return the order for the same session, of the same or another generation."""
        return again(order, generation, progress, self.patience)

    def hurried(self, order: StartOrder, generation: int, seconds: float) -> StartOrder:
        """Return the order for the same session, of another generation, with little time."""
        return again(order, generation, seconds=seconds)

    async def start(self, order: StartOrder, provider: BaseProvider | None = None) -> BaseInstance:
        """Start the template for the session of ``order``."""
        return await (provider or self.first).start_dynamic_instance(self.realm, self.template, order.id, order)

    async def reset(self, order: StartOrder, provider: BaseProvider | None = None) -> BaseInstance:
        """Reset the session of ``order``."""
        return await (provider or self.first).reset(self.realm, self.template, order)

    async def listed(self, session: str) -> list[BaseInstance]:
        """Return the instances of a session that are listed."""
        return [one for one in (await self.second.list_instances()).items if one.session == session]

    def told_wrongly(self, instance: BaseInstance, order: StartOrder) -> str:
        """Return what an instance of ``order`` tells wrongly of its flags and creds; nothing if all is right."""
        flags = {flag.name: flag.value for flag in instance.flags}
        creds = {one.type: one.password for one in instance.creds}
        if self.flags is None or self.creds is None:
            empty = [name for name, value in flags.items() if not value]
            return f"the flag {empty[0]} has no value" if empty else ""
        if flags != {name: order.values[key] for name, key in self.flags.items()}:
            return "its flags are not those of the order"
        right = creds == {kind: order.values[key] for kind, key in self.creds.items()}
        return "" if right else "its creds are not those of the order"

    async def nothing_left(self, session: str, after: str) -> None:
        """Make sure that nothing is left of a session.

        Raises:
            AssertionError: Something is.
        """
        left = [f"instance {one.id}" for one in await self.listed(session)] or await self.traces(session)
        assert not left, f"after {after} there is still {', '.join(left)}"

    async def template_named(self, name: str) -> BaseTemplate:
        """Return the template called ``name`` that is listed.

        Raises:
            AssertionError: It is not.
        """
        listing = await self.first.list_templates()
        found = [one for one in listing.items if one.name == name]
        why = "; ".join(f"{one.name}: {one.reason}" for one in listing.rejected)
        assert found, f"the template {name} is not listed ({why or 'nothing was rejected'})"
        return found[0]

    async def found_machine(self) -> BaseInstance:
        """Return the classic machine as it is listed.

        Raises:
            AssertionError: It is not.
        """
        listing = await self.first.list_instances(self.realm)
        found = [one for one in listing.items if one.template == self.machine and one.session is None]
        why = "; ".join(f"{one.name}: {one.reason}" for one in listing.rejected)
        assert found, f"the classic machine of {self.machine} is not listed ({why or 'nothing was rejected'})"
        return found[0]

    def machine_labels(self, template: str) -> dict[str, str]:
        """Return the labels of a classic machine that can be used."""
        return {
            "chatsubo.template": template,
            "chatsubo.realm": self.realm,
            "chatsubo.address": ADDRESS,
            "chatsubo.flags.root.value": "FLAG{planted}",
            "chatsubo.flags.root.points": "400",
            "chatsubo.creds.ssh.username": "level0",
            "chatsubo.creds.ssh.password": "planted password",
        }

    async def clean(self) -> None:
        """Bring the hypervisor back, and stop the sessions that the check ordered."""
        await self.back()
        results = await asyncio.gather(
            *(self.second.stop_dynamic_instance(session) for session in self.sessions), return_exceptions=True
        )
        errors = [one for one in results if isinstance(one, BaseException)]
        left = (
            {one.session for one in (await self.second.list_instances()).items} & set(self.sessions) if errors else ()
        )
        await self.first.aclose()
        await self.second.aclose()
        if left:
            raise AssertionError(f"{len(left)} sessions could not be stopped at the end of the check: {errors[0]!r}")
