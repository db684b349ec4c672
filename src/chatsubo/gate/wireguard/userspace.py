"""WireGuard as a process, for kernels without it: ``wireguard-go``, which goes on when the gate ends."""

import asyncio
import errno
import os
import re
from pathlib import Path
from shutil import which

from chatsubo.gate.errors import TunnelError

TUN_DEVICE = Path("/dev/net/tun")
"""What a process makes network interfaces with."""

PROGRAM = "wireguard-go"

_LIMIT = 20.0
_UDP_TABLES = (Path("/proc/thread-self/net/udp"), Path("/proc/thread-self/net/udp6"))
_PAUSE = 0.005
_NO_DRIVER = "load its module (modprobe tun); a container needs --device /dev/net/tun"
_NO_RIGHT = "run the gate as root; a container needs --device /dev/net/tun --cap-add NET_ADMIN"
_COMPLAINT = re.compile(rb"^ERROR: \(.*?\) \S+ \S+ (.*)$", re.MULTILINE)


async def start_process(interface: str, *, program: str = PROGRAM, tun: Path = TUN_DEVICE) -> None:
    """Start the process that makes an interface; when this returns, its socket is there.

    Args:
        interface: The name.
        program: The program's name, or its path.
        tun: The TUN device.

    Raises:
        TunnelError: Something is missing, or the process does not start; the text says what to do.
    """
    path = which(program)
    if path is None:
        raise TunnelError(
            f"the kernel has no WireGuard, and {program} is missing: load the module (modprobe wireguard), or install "
            "wireguard-go (apt-get install wireguard-go)"
        )
    await asyncio.to_thread(_check_tun, tun)
    # It goes on in the background by itself. Its own session keeps it from the signals of the gate's terminal.
    process = await asyncio.create_subprocess_exec(
        path,
        interface,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={"PATH": os.environ.get("PATH", os.defpath)},
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), _LIMIT)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise TunnelError(f"{program} did not make the interface {interface} within {_LIMIT:g} s") from None
    if process.returncode != 0:
        raise TunnelError(f"{program} did not make the interface {interface}: {_complaint(said)}")


def _check_tun(tun: Path) -> None:
    try:
        os.close(os.open(tun, os.O_RDWR))
    except OSError as error:
        remedy = _NO_DRIVER if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO} else _NO_RIGHT
        raise TunnelError(
            f"the kernel has no WireGuard, and {tun} cannot be opened ({error.strerror}): {remedy}"
        ) from error


def _complaint(said: bytes) -> str:
    """Return why the process gave up, without the frame that it draws and the time."""
    found = _COMPLAINT.findall(said)
    return b"; ".join(found).decode(errors="replace") or "it does not say why"


def udp_port_taken(port: int) -> bool:
    """Return whether a program in this thread's network listens on a UDP port."""
    wanted = f":{port:04X}"
    for table in _UDP_TABLES:
        if table.exists():
            rows = (line.split() for line in table.read_text().splitlines()[1:])
            if any(row[1].endswith(wanted) for row in rows):
                return True
    return False


async def wait_until_listening(port: int, limit: float = _LIMIT) -> None:
    """Wait until somebody listens on a UDP port; the process opens it when it sees that its interface is up.

    Raises:
        TunnelError: Nobody does within ``limit`` seconds.
    """
    try:
        async with asyncio.timeout(limit):
            while not await asyncio.to_thread(udp_port_taken, port):  # noqa: ASYNC110  the kernel tells nobody
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise TunnelError(f"{PROGRAM} does not listen on the UDP port {port} after {limit:g} s") from None
