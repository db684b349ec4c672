"""The inside of a guest: its address, files and programs, through the guest agent or the container's host."""

import ipaddress
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from chatsubo.providers.exc import BuildFailed, Locked, Misconfigured, NotReady, ProviderError
from chatsubo.providers.pve.checks import major
from chatsubo.providers.pve.errors import AgentAway
from chatsubo.providers.pve.guests import Guest, Guests
from chatsubo.providers.pve.options import SecretFile
from chatsubo.providers.pve.tasks import Pause, patiently

ARRAYS_SINCE = 8
"""The version from which a program and its arguments are sent as a list."""
PROGRAM_LIMIT = 60.0
"""Seconds that a program in the guest may run."""
AWAY: tuple[type[ProviderError], ...] = (AgentAway, Locked)


class Agent:
    """The agents in the clones of one provider."""

    def __init__(self, guests: Guests) -> None:
        self._guests = guests
        self._major: int | None = None

    async def ready(self, guest: Guest, deadline: float) -> None:
        """Wait until the agent of a guest answers.

        Raises:
            NotReady: It did not in time.
            Misconfigured: The guest has none.
        """
        try:
            await patiently(lambda: self._guests.post(guest, "agent/ping"), deadline, passing=AWAY)
        except AWAY as error:
            raise NotReady(f"the guest agent does not answer: {error.detail}") from None

    async def write(self, guest: Guest, file: SecretFile, value: str, deadline: float) -> None:
        """Write a value and a line end into a file that only its owner can read."""
        await self._guests.post(guest, "agent/file-write", {"file": file.path, "content": f"{value}\n"})
        await self.run(guest, ["chmod", file.mode, file.path], deadline)
        if file.owner:
            await self.run(guest, ["chown", file.owner, file.path], deadline)

    async def run(self, guest: Guest, command: Sequence[str], deadline: float, stdin: str = "") -> None:
        """Run a program in a guest and wait for its end.

        Args:
            guest: Which.
            command: The program and its arguments, none with spaces.
            deadline: When to give up, in seconds of :func:`time.monotonic`.
            stdin: What it reads.

        Raises:
            BuildFailed: It ended badly.
            NotReady: It did not end.
        """
        asked: dict[str, Any] = {"command": list(command) if await self._takes_lists() else " ".join(command)}
        if stdin:
            asked["input-data"] = stdin
        begun = await self._guests.post(guest, "agent/exec", asked)
        if not (isinstance(begun, dict) and isinstance(pid := begun.get("pid"), int)):
            raise NotReady(f"{command[0]} was begun in the guest, but not told as what")
        pause = Pause(min(deadline, time.monotonic() + PROGRAM_LIMIT))
        while True:
            status = await self._guests.client.get_object(f"{guest.path}/agent/exec-status", {"pid": pid})
            if status.get("exited"):
                break
            if pause.over:
                raise NotReady(f"{command[0]} does not end in the guest")
            await pause.wait()
        if status.get("exitcode") or status.get("signal"):
            raise BuildFailed(f"{command[0]} failed in the guest: exit code {status.get('exitcode')}")

    async def address(self, guest: Guest, card: str, deadline: float) -> str:
        """Wait until a guest has an address, and return it.

        Args:
            guest: Which.
            card: The hardware address of the card to take it from: programs in the guest may make networks of their
                own. Any where it is empty, or where the guest shows no such card.
            deadline: When to give up, in seconds of :func:`time.monotonic`.

        Raises:
            NotReady: It got none in time.
            Misconfigured: It cannot be asked.
        """
        pause = Pause(deadline)
        while True:
            try:
                shown = await self._interfaces(guest)
                found = next(_addresses([one for one in shown if _mac(one) == card.lower()] or shown), None)
            except AWAY:
                found = None
            if found is not None:
                return found
            if pause.over:
                raise NotReady("the guest has no address: does its network have a DHCP server?")
            await pause.wait()

    async def _interfaces(self, guest: Guest) -> Sequence[Mapping[str, Any]]:
        if guest.kind == "qemu":
            answer = await self._guests.client.get_object(f"{guest.path}/agent/network-get-interfaces")
            return list(answer.get("result") or ())
        try:
            return await self._guests.client.get_rows(f"{guest.path}/interfaces", "name", maybe=True)
        except Misconfigured:
            raise Misconfigured("this version does not tell a container's address: configure addresses") from None

    async def _takes_lists(self) -> bool:
        if self._major is None:
            self._major = major(await self._guests.client.get_object("/version")) or ARRAYS_SINCE
        return self._major >= ARRAYS_SINCE


def _mac(interface: Mapping[str, Any]) -> str:
    return str(interface.get("hardware-address") or interface.get("hwaddr") or "").lower()


def _addresses(interfaces: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the IPv4 addresses that others could reach a guest at."""
    for interface in interfaces:
        told = [str(one.get("ip-address") or "") for one in interface.get("ip-addresses") or ()]
        told.append(str(interface.get("inet") or "").partition("/")[0])
        for text in told:
            try:
                address = ipaddress.IPv4Address(text)
            except ValueError:
                continue
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                yield str(address)
