"""A Podman of the tests' own: in namespaces of its own, with its storage in a folder of its own."""

import io
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real.base_image import tree

NETWORK = "boxes"
HELLO = r"""FROM localhost/base
LABEL chatsubo.dynamic=true \
      chatsubo.flags.user.value="\$FLAG0" chatsubo.flags.user.points=100 \
      chatsubo.flags.root.value="\$FLAG1" chatsubo.flags.root.points=250 \
      chatsubo.creds.ssh.username=level0 chatsubo.creds.ssh.password="\$RNG0"
HEALTHCHECK CMD test -e /ready
CMD . /etc/chatsubo/values && echo "$FLAG0" >/ready && sleep 1000
"""

# It ends with its standard input, and being the first process of its namespace ends everything in there with it:
# containers, mounts, networks. That holds for a run of tests that is killed, too.
# runc comes first: where control groups of both versions are mounted, crun gives up.
_SERVICE = """
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib/containers
ip link set lo up
podman --root "$1/storage" --runroot "$1/run" --tmpdir "$1/tmp" --network-config-dir "$1/networks" \\
    --network-backend netavark --cgroup-manager cgroupfs --events-backend none \\
    --runtime "$(command -v runc || command -v crun)" \\
    system service --time 0 "unix://$1/podman.sock" &
read -r end
"""
_NAMESPACES = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
_LIMIT = 60.0


class Service:
    """A running Podman.

    Attributes:
        socket: Where it listens.
    """

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "podman.sock"
        self._log = folder / "log"
        command = ["unshare", *_NAMESPACES, "sh", "-c", _SERVICE, "sh", str(folder)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        transport = httpx.HTTPTransport(uds=str(self.socket))
        self._client = httpx.Client(transport=transport, base_url="http://podman/v4.0.0/libpod", timeout=_LIMIT)

    def wait(self) -> None:
        """Return once it answers."""
        end = time.monotonic() + _LIMIT
        while True:
            with socket.socket(socket.AF_UNIX) as door:
                if door.connect_ex(str(self.socket)) == 0:
                    return
            if self._process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"podman did not start: {self._log.read_text()[-3000:]}")
            time.sleep(0.02)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return what it answers."""
        answer = self._client.request(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer

    def build(self, name: str, text: str) -> None:
        """Build an image; with Docker's format, since the other one keeps no health check."""
        buffer, content = io.BytesIO(), text.encode()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            member = tarfile.TarInfo("Dockerfile")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        query = {"t": f"localhost/{name}", "outputformat": "application/vnd.docker.distribution.manifest.v2+json"}
        self.ask("POST", "/build", params=query, content=buffer.getvalue())

    def make(self, name: str, labels: dict[str, str], **spec: Any) -> None:
        """Make a container as an operator would."""
        made = {"image": "localhost/base", "command": ["sleep", "1000"], **spec, "name": name, "labels": labels}
        self.ask("POST", "/containers/create", json=made)

    def containers(self) -> list[str]:
        """Return the names of all containers."""
        return [one["Names"][0] for one in self.ask("GET", "/containers/json", params={"all": "true"}).json()]

    def remove(self, name: str) -> None:
        """Remove a container."""
        self.ask("DELETE", f"/containers/{name}", params={"force": "true", "ignore": "true", "timeout": "0"})

    def run(self, container: str, script: str) -> tuple[int, bytes]:
        """Run a shell script in a container; return its exit code and what it wrote, in Podman's frames."""
        command = {"AttachStdout": True, "Cmd": ["sh", "-c", script]}
        started = self.ask("POST", f"/containers/{container}/exec", json=command).json()["Id"]
        said = self.ask("POST", f"/exec/{started}/start", json={}).content
        return self.ask("GET", f"/exec/{started}/json").json()["ExitCode"], said

    def stop(self) -> None:
        """End it, and all that it made."""
        if self._process.poll() is None:
            with suppress(httpx.TransportError):
                for name in self.containers():
                    self.remove(name)
        self._client.close()
        self._process.communicate()
        # What is left outside of its namespaces are empty control groups.
        for group in sorted(Path("/sys/fs/cgroup").glob("**/libpod_parent/**/"), reverse=True):
            with suppress(OSError):
                group.rmdir()


@pytest.fixture(scope="session")
def podman() -> Iterator[Service]:
    """A Podman with the image ``localhost/hello``, and a network for players' machines."""
    folder = Path(tempfile.mkdtemp(prefix="chatsubo-podman-"))
    service = Service(folder)
    try:
        service.wait()
        service.ask(
            "POST", "/images/import", params={"reference": "localhost/base", "changes": "ENV PATH=/bin"}, content=tree()
        )
        service.build("hello", HELLO)
        service.ask("POST", "/networks/create", json={"name": NETWORK, "subnets": [{"subnet": "10.66.0.0/24"}]})
        yield service
    finally:
        service.stop()
        shutil.rmtree(folder)
