"""OpenVPN's server as a process, which goes on when the gate ends, and is taken up by the next one."""

import asyncio
import hashlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from chatsubo.gate.errors import TunnelError
from chatsubo.gate.openvpn import files
from chatsubo.gate.openvpn.management import Management
from chatsubo.gate.openvpn.settings import Places

TUN = Path("/dev/net/tun")
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_PAUSE_SECONDS = 0.02
_LONGEST_SOCKET_PATH = 107  # bytes, the most that the kernel takes
_LARGEST_LOG = 16 * 2**20
_GAVE_UP = "Exiting due to fatal error"  # what OpenVPN says last, whatever it was
_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


class Server:
    """The process. What it runs with is in the name of its configuration file, by which the next gate knows it.

    Args:
        places: Where its files are.
        interface: The name of its interface.
        port: Its UDP port.
        management: Talks to it.
    """

    def __init__(self, places: Places, interface: str, port: int, management: Management) -> None:
        self._places, self._interface, self._port, self._management = places, interface, port, management

    @property
    def pid(self) -> int | None:
        """The process's number, while it runs."""
        return self._running()[0]

    @property
    def fault(self) -> str:
        """What is wrong with the server, as far as can be seen from here; empty if nothing is."""
        if self.pid is None:
            return f"OpenVPN does not run; its log is {self._places.log}"
        return "" if self._has_interface() else f"the interface {self._interface} is gone"

    async def ensure(self, text: str) -> bool:
        """See that the server runs with a configuration: one that does already goes on, another one is replaced.

        Args:
            text: The configuration file.

        Returns:
            Whether it was started.

        Raises:
            TunnelError: It cannot be started; the text says what to do.
            OSError: A file cannot be written.
        """
        settings = self._places.folder / f"server-{hashlib.sha256(text.encode()).hexdigest()[:16]}.conf"
        pid, running = await asyncio.to_thread(self._running)
        if pid is not None and running == settings.name and self._has_interface() and await self._answers():
            await asyncio.to_thread(self._shorten_log)
            return False
        if pid is not None:
            await self.stop()
        await asyncio.to_thread(self._prepare, settings, text)
        await self._start(settings)
        return True

    async def stop(self) -> None:
        """End the server, if it runs, and with it the interface.

        Raises:
            TunnelError: It cannot be ended.
        """
        pid = self.pid
        if pid is not None and not await asyncio.to_thread(_ended, pid):
            raise TunnelError(f"OpenVPN (process {pid}) does not end; see what it waits for, or restart the machine")

    def _running(self) -> tuple[int | None, str]:
        """Return the process, and the name of the configuration file that it runs with."""
        try:
            pid = int(self._places.pid.read_text("ascii"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None, ""
        for argument in command:
            path = Path(os.fsdecode(argument))
            if path.parent == self._places.folder and path.suffix == ".conf":
                return pid, path.name
        return None, ""

    def _has_interface(self) -> bool:
        return self._interface in {name for _, name in socket.if_nameindex()}

    async def _answers(self) -> bool:
        try:
            return await self._management.is_up()
        except TunnelError:
            return False

    def _prepare(self, settings: Path, text: str) -> None:
        if len(os.fsencode(self._places.management)) > _LONGEST_SOCKET_PATH:
            raise TunnelError(f"{self._places.folder} is too long for a Unix socket: set `state` to a shorter folder")
        if not TUN.exists():
            raise TunnelError(_no_tun())
        if self._has_interface():
            raise TunnelError(_interface_taken(self._interface))
        for old in (*self._places.folder.glob("server-*.conf"), self._places.pid, self._places.management):
            if old != settings:
                old.unlink(missing_ok=True)
        files.write(settings, text)
        self._shorten_log()

    async def _start(self, settings: Path) -> None:
        log = self._places.log
        before = log.stat().st_size if log.exists() else 0
        said = await asyncio.to_thread(_launch, settings)
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while said is None and asyncio.get_running_loop().time() < deadline:
            if self.pid is not None and self._places.management.exists() and await self._answers():
                return
            if _GAVE_UP in await asyncio.to_thread(_read_from, log, before):
                said = ""
            await asyncio.sleep(_PAUSE_SECONDS)
        with suppress(TunnelError):
            await self.stop()
        raise TunnelError(self._reason((said or "") + _read_from(log, before)))

    def _reason(self, log: str) -> str:
        known = {
            r"Cannot open TUN/TAP dev": _no_tun(),
            r"TUNSETIFF.*(?:busy|Invalid argument)": _interface_taken(self._interface),
            r"Address already in use": f"UDP port {self._port} is taken: `ss -ulnp` shows by whom; set another `port`",
            r"Operation not permitted|must be root": "OpenVPN may not make its interface: the gate has to run as root",
        }
        for pattern, remedy in known.items():
            if re.search(pattern, log):
                return remedy
        last = " | ".join(line for line in log.splitlines() if line.strip())[-600:] or "it said nothing"
        return f"OpenVPN does not start: {last}; its log is {self._places.log}"

    def _shorten_log(self) -> None:
        log = self._places.log
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            os.truncate(log, 0)


def _launch(settings: Path) -> str | None:
    """Start the server; return what it said if it would not even begin."""
    program = shutil.which("openvpn") or shutil.which("openvpn", path=_SYSTEM_PATH)
    if program is None:
        raise TunnelError("there is no openvpn on this machine: install it (Debian: `apt-get install openvpn`)")
    command = [program, "--config", str(settings), "--daemon", "chatsubo-gate"]
    try:
        done = subprocess.run(  # noqa: S603  a program of the system, with files of our own
            command, capture_output=True, text=True, check=False, timeout=_START_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return "it hangs"
    return None if done.returncode == 0 else done.stdout + done.stderr


def _ended(pid: int) -> bool:
    """Tell a process to end, make it end if it does not, and return whether it did."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], _STOP_SECONDS)[0]:
                return True
        return False
    finally:
        os.close(handle)


def _read_from(path: Path, start: int) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace")


def _no_tun() -> str:
    remedy = f"`modprobe tun` makes it; a container needs `--device {TUN} --cap-add NET_ADMIN`"
    return f"there is no TUN device of use ({TUN}): {remedy}"


def _interface_taken(name: str) -> str:
    remedy = f"remove it (`ip link delete {name}`), or set another `interface`"
    return f"an interface {name} is there already, and is not this gate's: {remedy}"
