"""A Docker Engine of one's own: in its own network namespace, with its own data, reached over TLS or a socket."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.real.base_image import tree
from tests.real.certificates import Authority
from tests.real.namespace import Namespace, run

PORT = 2376
START_LIMIT = 120.0
STOP_LIMIT = 60.0
LIMIT = 120.0
"""Seconds that a request, a command or a service may take: far more than they do, even where the machine is busy."""


class Dockerd:
    """A Docker Engine. Its networks are private to it; this process reaches them through the namespace.

    Attributes:
        folder: Where its data, socket, certificates and log are.
        namespace: The network namespace that it runs in.
        authority: Who signed its certificate, and signs clients'.
        subnets: Five networks of 254 addresses that this process has routes to, free for tests to use.
    """

    def __init__(self, *, forwarding: bool = True) -> None:
        """Make nothing yet.

        Args:
            forwarding: Whether the host forwarded already when the engine came: then the engine leaves the policy of
                forwarding alone, and this process can open connections to containers. Otherwise the engine sets that
                policy to drop, and only published ports are reached.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="chatsubo-dockerd-", dir="/tmp"))
        self.namespace = Namespace()
        self.forwarding = forwarding
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """The address that the engine listens on."""
        return self.namespace.address

    @property
    def port(self) -> int:
        """The port that the engine listens on with TLS."""
        return PORT

    @property
    def url(self) -> str:
        """The engine's URL."""
        return f"https://{self.host}:{PORT}"

    @property
    def socket(self) -> Path:
        """The engine's unix socket."""
        return self.folder / "docker.sock"

    @property
    def client_certs(self) -> dict[str, str]:
        """The files for ``api.client`` of a configuration: ``cert``, ``key``, ``ca``."""
        return {"cert": str(self._client[0]), "key": str(self._client[1]), "ca": str(self.authority.ca)}

    @property
    def log(self) -> str:
        """What the engine has written."""
        return (self.folder / "dockerd.log").read_text(errors="replace")

    def start(self) -> None:
        """Start the engine, and return once it answers. After :meth:`kill` it finds its containers and images again.

        Raises:
            RuntimeError: It did not start; the error holds the end of its log.
        """
        if not self.namespace.name:
            self._prepare()
        with (self.folder / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.namespace.enter(*self._command()),
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")},
                start_new_session=True,
            )
        limit = time.monotonic() + START_LIMIT
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"dockerd did not start: {self.log[-3000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the engine as an operator would; its data stays."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """Kill the engine at once, as a power cut would; its data stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            (self.folder / "dockerd.pid").unlink(missing_ok=True)
        # Its own containerd and the shims of its containers would outlive it.
        for pid in self._leftovers():
            _kill(pid)
        (self.folder / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """Make the engine answer nothing, while its connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the engine go on after :meth:`pause`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kill the engine and start it again."""
        self.kill()
        self.start()

    def remove(self) -> None:
        """Stop the engine and remove all that was made for it."""
        if self._process is not None:
            self.remove_containers()
        self.stop()
        self.kill()
        for mount in reversed(_mounts_below(self.folder)):
            run("umount", "--lazy", mount, check=False)
        self.namespace.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self) -> bool:
        """Return whether the engine answers on its socket."""
        try:
            return bool(self.request("GET", "/_ping", timeout=2) == b"OK")
        except (OSError, http.client.HTTPException, RuntimeError):
            return False

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        timeout: float = LIMIT,
    ) -> Any:
        """Ask the engine's API on its socket, and return the answer: JSON read, anything else as bytes.

        Raises:
            RuntimeError: The engine refused.
        """
        connection = _UnixConnection(self.socket, timeout)
        payload = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(method, path, payload, {"Content-Type": content_type, "Host": "docker"})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content.decode(errors='replace')}")
        return json.loads(content) if answer.headers.get_content_type() == "application/json" and content else content

    def docker(self, *arguments: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the engine's own client, as in ``dockerd.docker("ps", "-a")``."""
        return run("docker", "--host", f"unix://{self.socket}", *arguments, check=check, **options)

    def execute(self, container: str, script: str, *, user: str = "root", timeout: float = LIMIT) -> str:
        """Run a shell script in a container, and return what it wrote to its standard output, whatever its end was."""
        return self.docker("exec", "--user", user, container, "sh", "-c", script, check=False, timeout=timeout).stdout

    def make_base_image(self, tag: str, changes: Sequence[str] = ('CMD ["/bin/sh"]',)) -> None:
        """Make an image with a shell and the usual commands, as ``alpine:3`` would be.

        Args:
            tag: Its name and tag.
            changes: Dockerfile instructions that are applied to it.
        """
        repository, _, version = tag.partition(":")
        query = "".join(
            f"&changes={_quoted(change)}" for change in ("ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin", *changes)
        )
        self.request(
            "POST",
            f"/images/create?fromSrc=-&repo={repository}&tag={version or 'latest'}{query}",
            tree(),
            content_type="application/x-tar",
        )

    def run_in_namespace(self, *command: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command on the engine's host, as far as its network is concerned."""
        return self.namespace.run(*command, check=check, **options)

    def read_from(self, address: str, port: int, *, send: bytes = b"", timeout: float = LIMIT) -> bytes:
        """Return all that a service in a container says over the network, asked from this process."""
        with socket.create_connection((address, port), timeout) as connection:
            if send:
                connection.sendall(send)
            pieces = []
            while piece := connection.recv(65536):
                pieces.append(piece)
        return b"".join(pieces)

    def wait_for_service(self, address: str, port: int, *, limit: float = LIMIT) -> None:
        """Return once a service of a container accepts connections: for a container that nobody else waited for."""
        end = time.monotonic() + limit
        while True:
            try:
                socket.create_connection((address, port), 1).close()
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
            else:
                return

    def containers(self, label: str = "") -> list[dict[str, Any]]:
        """Return all containers, running or not; with a label only those that carry it."""
        filters = _quoted(json.dumps({"label": [label]} if label else {}))
        found: list[dict[str, Any]] = self.request("GET", f"/containers/json?all=1&filters={filters}")
        return found

    def images(self, label: str = "") -> list[dict[str, Any]]:
        """Return all images, intermediate ones too; with a label only those that carry it."""
        filters = _quoted(json.dumps({"label": [label]} if label else {}))
        found: list[dict[str, Any]] = self.request("GET", f"/images/json?all=1&filters={filters}")
        return found

    def remove_containers(self) -> None:
        """Remove every container and every network that is not the engine's own."""
        with contextlib.suppress(OSError, RuntimeError, http.client.HTTPException):
            for container in self.containers():
                with contextlib.suppress(RuntimeError):  # somebody else may be removing it already
                    self.request("DELETE", f"/containers/{container['Id']}?force=1&v=1")
            self.request("POST", "/networks/prune")

    def _prepare(self) -> None:
        self._settings.write_text("{}")
        number = "{number}"
        networks = [f"10.{second}.{number}.0/24" for second in range(201, 208)]
        self.namespace.create(networks)
        self.subnets = tuple(f"10.{second}.{self.namespace.number}.0/24" for second in range(203, 208))
        if self.forwarding:
            self.namespace.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.namespace.run("ip", "route", "add", "default", "via", self.namespace.outside)
        self.authority = Authority(self.folder / "certificates")
        self._client = self.authority.issue("client")
        self._server = self.authority.issue("server", hosts=[self.host, "docker.test"], server=True)

    def use_server_certificate(self, certificate: Path, key: Path) -> None:
        """Show another certificate from the next start on."""
        self._server = certificate, key

    @property
    def _settings(self) -> Path:
        return self.folder / "daemon.json"

    def _command(self) -> list[str]:
        number = self.namespace.number
        return [
            "dockerd",
            *("--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec")),
            *("--pidfile", str(self.folder / "dockerd.pid"), "--config-file", str(self._settings)),
            *("--host", f"unix://{self.socket}", "--host", f"tcp://{self.host}:{PORT}"),
            *("--tlsverify", "--tlscacert", str(self.authority.ca)),
            *("--tlscert", str(self._server[0]), "--tlskey", str(self._server[1])),
            *("--bip", f"10.201.{number}.1/24"),
            *("--default-address-pool", f"base=10.202.{number}.0/24,size=27"),
        ]

    def _leftovers(self) -> list[int]:
        mine = str(self.folder / "exec")
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                # The shims carry the folder in their own command line; no process of anybody else's does.
                if any(argument.decode(errors="replace").startswith(mine) for argument in command):
                    found.append(int(entry.name))
        return found


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    return [point for point in (line.split()[1] for line in lines) if point.startswith(f"{folder}/")]


def _quoted(text: str) -> str:
    return quote(text, safe="")
