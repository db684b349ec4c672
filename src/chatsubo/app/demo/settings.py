"""The demo's configuration: a file like any other, to look at and to learn from."""

import socket
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
DOCKER_SOCKET = Path("/var/run/docker.sock")

_HEAD = """\
# The configuration of the demo, written anew at each of its starts. A server of your own has one like it:
# see the guide for operators, and run `chatsubo check-config FILE`.
"""


def write_settings(folder: Path, port: int, *, docker: bool) -> Path:
    """Write the demo's configuration into ``folder`` and return the file.

    Args:
        folder: The demo's data folder.
        port: The port that it listens on.
        docker: Whether the Docker plugin can be used. A local Docker Engine that answers is then used as well.
    """
    folder = folder.absolute()
    providers: dict[str, Any] = {
        "local": {
            "demo_local": {
                "templates_root": str(HERE / "boxes"),
                "data": str(folder / "instances"),
                "realms": ["demo"],
            }
        }
    }
    if docker and _answers(DOCKER_SOCKET):
        providers["docker"] = {
            "demo_docker": {
                "dockerfiles_root": str(HERE / "docker"),
                "api": {"socket": str(DOCKER_SOCKET)},
                "docker_network": "chatsubo-demo",
                "subnet": "10.213.77.0/24",
                "reachable": True,
                "realms": ["demo"],
            }
        }
    settings = {
        "providers": providers,
        "server": {"host": "127.0.0.1", "port": port, "allow_insecure_http": True},
        "database": {"url": f"sqlite:///{folder / 'chatsubo.db'}"},
        "logging": {"format": "console", "level": "warning"},
        "media": str(folder / "media"),
    }
    file = folder / "chatsubo.yml"
    file.write_text(_HEAD + yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return file


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            probe.connect(str(path))
    except OSError:
        return False
    return True
