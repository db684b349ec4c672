"""The programs that change the kernel's rules."""

import asyncio
from collections.abc import Collection

from chatsubo.gate.errors import FirewallError

LIMIT = 30.0
"""Seconds that a program may take; 10,000 pairs take a tenth of one."""

_PACKAGES = {"ip6tables": "iptables", "nft": "nftables"}
_LONGEST_COMPLAINT = 600


class ProgramMissing(FirewallError):
    """The program is not installed."""


async def call(program: str, *arguments: str, feed: str = "", accept: Collection[int] = (0,)) -> tuple[int, str]:
    """Run a program, and return how it ended and what it said.

    Args:
        program: Its name.
        arguments: What it is given.
        feed: What it reads.
        accept: The ways to end that are no fault.

    Raises:
        ProgramMissing: It is not installed.
        FirewallError: It failed, or took longer than :data:`LIMIT`.
    """
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(program, *arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    except FileNotFoundError as error:
        package = _PACKAGES.get(program, program)
        raise ProgramMissing(f"{program} is missing; install the package {package}") from error
    except OSError as error:
        raise FirewallError(f"{program} cannot be run: {error.strerror}") from error
    try:
        async with asyncio.timeout(LIMIT):
            said, complained = await process.communicate(feed.encode())
    except TimeoutError as error:
        raise FirewallError(f"{program} did not end within {LIMIT:g} seconds") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    if process.returncode not in accept:
        raise FirewallError(_complaint(program, process.returncode, complained.decode(errors="replace")))
    return process.returncode, said.decode(errors="replace")


def _complaint(program: str, status: int, text: str) -> str:
    told = " ".join(text.split())[:_LONGEST_COMPLAINT] or f"it ended with {status}"
    denied = "not permitted" in told or "ermission denied" in told or "must be root" in told
    remedy = "; the gate has to run as root, or with the capability CAP_NET_ADMIN" if denied else ""
    return f"{program} refuses: {told}{remedy}"
