"""The gate as a process: made of its parts, looked after, and served over HTTP."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import structlog
import uvicorn

from chatsubo.gate.api import application
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import GateFault, StateError
from chatsubo.gate.examination import refuse_taken_subnet
from chatsubo.gate.firewall import Firewall, Watch
from chatsubo.gate.gate import Gate
from chatsubo.gate.roster import Adopted
from chatsubo.gate.state import State
from chatsubo.gate.tunnel import Tunnel

LOOK_SECONDS = 2.0
TEND_SECONDS = 10.0
_STOP_SECONDS = 3
_LOCK = "gate.lock"
_LOG = structlog.get_logger(__name__)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only gate that uses a state folder, for as long as the process or the block lasts.

    Raises:
        StateError: Another one uses it, or it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"{folder}: {error.strerror}; the gate has to run as root") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise StateError(
            f"another gate uses {folder}: stop it first, or give this one a state folder and an interface of its own"
        ) from None
    finally:
        os.close(handle)


@asynccontextmanager
async def kept(gate: Gate, watch: Watch) -> AsyncIterator[Gate]:
    """Look after a gate that has started: see who is connected, and that the rules are as they should be.

    At the end the VPN server and the rules stay: players go on, and the next process takes them up.

    Args:
        gate: Which.
        watch: Tells when somebody changes the rules.
    """

    async def disturbed() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TEND_SECONDS):
                await watch.disturbed()

    keepers = [
        asyncio.create_task(_again_and_again(gate.look, partial(asyncio.sleep, LOOK_SECONDS))),
        asyncio.create_task(_again_and_again(gate.tend, disturbed)),
    ]
    try:
        yield gate
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def serve(config: GateConfig) -> None:
    """Run the gate until the process is told to end.

    Raises:
        GateFault: It cannot begin.
    """
    async with _made(config) as (gate, rules, adopted):
        await refuse_taken_subnet(config)
        await gate.start(adopted)
        _LOG.info("gate.started", realm=config.realm, kind=config.kind, peers=len(gate.peers))
        with rules.watch() as watch:
            async with kept(gate, watch):
                await _http(gate, config)


async def take_down(config: GateConfig) -> None:
    """Take the interface and the rules away, and end the VPN server. What the gate remembers stays.

    Raises:
        GateFault: The gate runs, or they cannot be taken away.
    """
    async with _made(config) as (gate, _, _):
        await gate.down()


def make_keys(config: GateConfig) -> None:
    """Make the keys of a gate that has none yet. Blocks.

    Raises:
        GateFault: They cannot be kept.
    """
    with alone(config.state):
        _tunnel(config)


@asynccontextmanager
async def _made(config: GateConfig) -> AsyncIterator[tuple[Gate, Firewall, Sequence[Adopted]]]:
    """Make the gate out of its parts, and find the accesses that were made elsewhere."""
    with alone(config.state):
        state = await asyncio.to_thread(State, config.state)
        try:
            tunnel, adopted = await asyncio.to_thread(_tunnel, config)
            protected = [ip_network(text) for text in config.protected]
            rules = Firewall(config.interface, config.network4, config.network6, protected)
            yield Gate(config, state, tunnel, rules), rules, adopted
        finally:
            state.close()


def _tunnel(config: GateConfig) -> tuple[Tunnel, Sequence[Adopted]]:
    """Return the VPN server that the file asks for, and the accesses that were made elsewhere."""
    return _openvpn(config) if config.kind == "openvpn" else _wireguard(config)


def _wireguard(config: GateConfig) -> tuple[Tunnel, Sequence[Adopted]]:
    from chatsubo.gate.wireguard import WireGuardTunnel, read_folder  # noqa: PLC0415  each kind has packages of its own

    tunnel = WireGuardTunnel.open(config)
    place = config.clients or config.clients_dir
    if place is None:
        return tunnel, ()
    folder = read_folder(place)
    folder.check_server(tunnel.public_key)
    for fault in folder.faults:
        _LOG.warning("gate.not-adopted", path=str(fault.path), reason=fault.reason)
    return tunnel, [Adopted(addresses=one.addresses, keys=one.keys) for one in folder.peers]


def _openvpn(config: GateConfig) -> tuple[Tunnel, Sequence[Adopted]]:
    from chatsubo.gate.openvpn import OpenVPNTunnel  # noqa: PLC0415

    tunnel = OpenVPNTunnel(config)
    for file, reason in tunnel.not_adopted():
        _LOG.warning("gate.not-adopted", path=str(file), reason=reason)
    return tunnel, [Adopted(name=name, keys=keys) for name, keys in tunnel.adopted().items()]


async def _http(gate: Gate, config: GateConfig) -> None:
    listen = config.listen
    settings = uvicorn.Config(
        application(gate, config.auth_token),
        host=listen.host,
        port=listen.port,
        ssl_certfile=listen.cert,
        ssl_keyfile=listen.key,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    await uvicorn.Server(settings).serve()


async def _again_and_again(work: Callable[[], Awaitable[None]], pause: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except GateFault as fault:
            _LOG.error("gate.trouble", reason=str(fault))
        except Exception:  # noqa: BLE001  whatever it was, the next time may go well
            _LOG.exception("gate.unexpected")
        await pause()
