"""A server in front of a real Docker Engine, reached over mutual TLS."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.dockerd import Dockerd
from tests.real.server import Server

DOCUMENTED = """\
FROM listening
ARG FLAG0
ARG RNG0=toor
ARG SESSION
LABEL chatsubo.template="hello" chatsubo.session="$SESSION" \\
      chatsubo.flags.first.value="$FLAG0" chatsubo.flags.first.points="250" \\
      chatsubo.creds.ssh.username="level0" chatsubo.creds.ssh.password="$RNG0"
RUN echo "$FLAG0" > /root/flag
"""
"""The Dockerfile of the documentation, unchanged but for the image that it is made from."""

PORT = 8000
LISTENING = [f'CMD ["nc", "-ll", "-p", "{PORT}", "-e", "cat", "/root/flag"]', f"EXPOSE {PORT}"]

UNBAKED = f"""\
FROM alpine
ARG FLAG0
ARG SESSION
LABEL chatsubo.session="$SESSION" chatsubo.flags.root.value="$FLAG0" chatsubo.flags.root.points="100"
ENV FLAG=$FLAG0
EXPOSE {PORT}
CMD ["sh", "-c", "echo $FLAG > /flag; exec nc -ll -p {PORT} -e cat /flag"]
"""
"""A Dockerfile whose values are not baked in by a RUN: one image serves all players."""


def write_templates(root: Path) -> Path:
    """Write the folders of the templates below ``root``."""
    for name, text in (("hello", DOCUMENTED), ("plain", UNBAKED)):
        (root / name).mkdir(parents=True)
        (root / name / "Dockerfile").write_text(text)
    return root


def docker_provider(dockerd: Dockerd, root: Path, network: int = 0, **settings: Any) -> dict[str, Any]:
    """The configuration of one provider in front of the engine."""
    provider = {
        "dockerfiles_root": str(root),
        "docker_network": f"chatsubo-game-{network}",
        "subnet": dockerd.subnets[network],
        "reachable": True,
        "api": {"host": dockerd.host, "port": dockerd.port, "client": dockerd.client_certs},
        "realms": ["wz01"],
        **settings,
    }
    return {"docker": {"wz_docker": provider}}


@pytest.fixture
def server(dockerd: Dockerd, tmp_path: Path) -> Iterator[Server]:
    """A server in front of the engine, started; the engine is as it was before afterwards."""
    dockerd.make_base_image("listening", LISTENING)
    started = Server(tmp_path, docker_provider(dockerd, write_templates(tmp_path / "templates")))
    try:
        yield started.start()
    finally:
        started.close()
        dockerd.remove_containers()
