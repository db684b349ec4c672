"""A game behind gates: a box with an open shell, the platform, and players who come in through the tunnel."""

import contextlib
import json
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.real.dockerd import Dockerd
from tests.real.game.conftest import docker_provider
from tests.real.gate.openvpn import Client
from tests.real.gate.service import TOKEN, Service
from tests.real.gate.wireguard_player import WireGuardPlayer
from tests.real.gate.world import World
from tests.real.server import Server, Visitor

BOX = "open-shell"
PORT = 8000
_DOCKERFILE = f"""\
FROM alpine
ARG FLAG0
ARG SESSION
LABEL chatsubo.session="$SESSION" chatsubo.flags.root.value="$FLAG0" chatsubo.flags.root.points="100"
ENV FLAG=$FLAG0
EXPOSE {PORT}
CMD ["sh", "-c", "echo $FLAG > /flag; exec nc -ll -p {PORT} -e sh"]
"""
REALM = "wz01"
PLAYERS, MORE_PLAYERS = "10.66.0.0/16", "10.67.0.0/16"
ALL_PLAYERS = "10.66.0.0/15"
GATEWAY, OTHER_GATEWAY = "10.66.0.1", "10.67.0.1"
LONG, SHORT = 60.0, 1.0
"""Seconds: within which what works has to, and after which what is barred has not."""


@contextlib.contextmanager
def platform(behind: Dockerd, folder: Path, *gates: Service) -> Iterator[Server]:
    """Give a platform that runs on the gates' host, with the box; the engine is as it was before afterwards."""
    (folder / "templates" / BOX).mkdir(parents=True)
    (folder / "templates" / BOX / "Dockerfile").write_text(_DOCKERFILE)
    vpns = [{"realm": REALM, "url": str(gate.http.base_url), "token": TOKEN} for gate in gates]
    server = Server(folder, docker_provider(behind, folder / "templates"), vpns=vpns)
    try:
        yield server.start()
    finally:
        server.close()
        behind.remove_containers()


def connect(world: World, host: str, player: Visitor, gateway: str = GATEWAY) -> None:
    """Connect a player with the file that the platform gives."""
    text = player.http.get(f"/api/v1/realms/{REALM}/vpn").text
    if "[Interface]" in text:
        WireGuardPlayer(world, host, text).connect()
    else:
        Client(world, host, text)
    assert world.reaches(host, gateway, within=LONG), "the tunnel does not come up"


def join(world: World, host: str, player: Visitor, gateway: str = GATEWAY) -> None:
    """Likewise, and wait until the platform knows."""
    connect(world, host, player, gateway)
    player.until("/realms", lambda realms: realms[0]["connected"])


def tunnel_address(world: World, host: str, gateway: str = GATEWAY) -> str:
    """Return the address that a player has in the tunnel."""
    (route,) = json.loads(world.run(host, "ip", "-j", "route", "get", gateway).stdout)
    address: str = route["prefsrc"]
    return address


def dial(world: World, host: str, address: str, port: int = PORT, *, within: float = LONG) -> socket.socket:
    """Return a connection to a machine."""
    return world.connect(host, address, port, timeout=within)


def are_barred(world: World, ways: Iterable[tuple[str, str, int]]) -> bool:
    """Say whether none of the hosts gets through to its address and port."""

    def is_barred(way: tuple[str, str, int]) -> bool:
        try:
            dial(world, *way, within=SHORT).close()
        except OSError:
            return True
        return False

    with ThreadPoolExecutor() as threads:
        return all(list(threads.map(is_barred, ways)))


def is_barred(world: World, host: str, address: str) -> bool:
    """Say whether a host gets through to no machine at an address."""
    return are_barred(world, [(host, address, PORT)])


def says(shell: socket.socket, command: str, *, within: float = LONG) -> str:
    """Return the line that a command writes in the shell at the other end; none where that does not answer."""
    shell.settimeout(within)
    heard = b""
    with contextlib.suppress(OSError):
        shell.sendall(f"{command}\n".encode())
        while not heard.endswith(b"\n") and (piece := shell.recv(4096)):
            heard += piece
    return heard.decode().rstrip("\n")


def lives(shell: socket.socket) -> bool:
    """Say whether the shell at the other end answers."""
    return says(shell, "echo word") == "word"


def are_dead(*shells: socket.socket) -> bool:
    """Say whether none of the shells answers any more."""
    with ThreadPoolExecutor() as threads:
        return not any(list(threads.map(lambda shell: says(shell, "echo word", within=SHORT), shells)))
