"""Waiting until a box is ready."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Progress, Readiness
from chatsubo.providers.docker.containers import Containers
from chatsubo.providers.exc import NotReady

STEP = 0.02
GROWTH = 1.5
LONGEST_STEP = 1.0
CONNECT = 2.0
SETTLING = 0.4
"""Seconds for which a box that tells nothing of itself must stay up to count as started."""


async def wait_until_ready(
    containers: Containers, raw: Mapping[str, Any], *, port: int | None, address: str, limit: float, progress: Progress
) -> Readiness:
    """Return how a container that was started is known to be ready.

    Args:
        containers: To ask the engine.
        raw: The container, as inspected after its start.
        port: The port to connect to, where it can be reached and tells nothing by itself.
        address: Its own address. At a port that the engine publishes for it, the engine's proxy may take connections
            before anything listens in the container.
        limit: Seconds to wait.
        progress: Where to say what is waited for.

    Raises:
        NotReady: It stopped, or did not become ready in time.
        ProviderError: As the engine answers.
    """
    end = time.monotonic() + limit
    container = str(raw["Id"])
    _must_run(raw)
    if raw["State"].get("Health"):
        progress.stage(Text(N_("Waiting for the machine's own health check")))
        await _healthy(containers, container, raw, end)
        return Readiness.HEALTHY
    if port is not None:
        progress.stage(Text(N_("Waiting for port {port}"), {"port": port}))
        await _listening(containers, container, address, port, end)
        return Readiness.LISTENING
    await _staying(containers, container)
    return Readiness.STARTED


async def _staying(containers: Containers, container: str) -> None:
    """See that the container stays up for a moment: a program that is missing ends just after its start."""
    if await containers.ends(container, within=SETTLING):
        _must_run(await containers.inspect(container))


async def _healthy(containers: Containers, container: str, raw: Mapping[str, Any], end: float) -> None:
    step = STEP
    while raw["State"]["Health"]["Status"] != "healthy":
        if time.monotonic() > end:
            raise NotReady(f"its health check still says {raw['State']['Health']['Status']}: {_last_check(raw)}")
        await asyncio.sleep(step)
        step = min(step * GROWTH, LONGEST_STEP)
        raw = await containers.inspect(container)
        _must_run(raw)


async def _listening(containers: Containers, container: str, address: str, port: int, end: float) -> None:
    step, looked = STEP, time.monotonic()
    while not await _answers(address, port):
        if time.monotonic() > end:
            raise NotReady(f"nothing listens on port {port}")
        await asyncio.sleep(step)
        step = min(step * GROWTH, LONGEST_STEP)
        if time.monotonic() - looked > LONGEST_STEP:
            _must_run(await containers.inspect(container))
            looked = time.monotonic()


async def _answers(address: str, port: int) -> bool:
    try:
        async with asyncio.timeout(CONNECT):
            _, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


def _must_run(raw: Mapping[str, Any]) -> None:
    state = raw["State"]
    if not state.get("Running"):
        reason = "it ran out of memory" if state.get("OOMKilled") else f"exit code {state.get('ExitCode')}"
        raise NotReady(f"its main process ended ({reason}) {state.get('Error') or ''}".rstrip())


def _last_check(raw: Mapping[str, Any]) -> str:
    log = raw["State"]["Health"].get("Log") or [{}]
    return str(log[-1].get("Output", "")).strip()[-500:] or "it said nothing"
