"""A gate's own process, in the gate's namespace, spoken to over HTTP."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import httpx
import yaml

from chatsubo.gate.api import TOKEN_HEADER
from tests.real.gate.world import GATE, INNER, PUBLIC, World
from tests.real.server import START_LIMIT, STOP_LIMIT

TOKEN = "a-token-of-the-tests"
COMMAND = (sys.executable, "-m", "chatsubo.cli", "gate")


class Service:
    """``chatsubo gate serve`` with a file of its own. The test has to be in the gate's namespace.

    Args:
        world: Where it runs.
        kind: ``wireguard`` or ``openvpn``.
        name: Of its file, its folder and its interface: several gates on one machine have one each.
        settings: What else its file says.
    """

    def __init__(self, world: World, kind: str, name: str = "gate", **settings: Any) -> None:
        self.world, self.file = world, world.folder / f"{name}.yml"
        self.state = world.folder / f"{name}-state"
        self.settings = {
            "realm": "wz01",
            "kind": kind,
            "auth_token": TOKEN,
            "endpoint": PUBLIC[GATE],
            "interface": world.device(name),
            "subnet": "10.66.0.0/16",
            "routes": [f"{INNER[GATE].rpartition('.')[0]}.0/24"],
            "state": str(self.state),
            "listen": {"port": 7474},
            **settings,
        }
        scheme = "https" if "cert" in self.settings["listen"] else "http"
        url = f"{scheme}://127.0.0.1:{self.settings['listen']['port']}"
        self.http = httpx.Client(
            base_url=url, headers={TOKEN_HEADER: TOKEN}, trust_env=False, verify=False, timeout=START_LIMIT
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it, and wait until it answers."""
        self.file.write_text(yaml.safe_dump(self.settings))
        self.process = self.world.spawn(GATE, *COMMAND, "serve", "--config", str(self.file))
        limit = time.monotonic() + START_LIMIT
        while not self._answers():
            assert self.process.poll() is None, "the gate ended"
            assert time.monotonic() < limit, "the gate does not answer"
            time.sleep(0.02)

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another of the gate's commands, with its file."""
        self.file.write_text(yaml.safe_dump(self.settings))
        return self.world.run(GATE, *COMMAND, *words, "--config", str(self.file), check=check)

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(STOP_LIMIT)

    def access(self, name: str) -> str:
        """Return a player's client file, by the contract that old platforms know."""
        answer = self.ask("GET", f"/api/vpn/get/{name}")
        assert answer["errors"] == []
        text: str = answer["config"]
        return text

    def let(self, version: int, **players: Mapping[str, list[str]]) -> None:
        """Put a picture of who may reach what."""
        self.ask("PUT", "/api/v1/access", {"version": version, "players": players})

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what it answers."""
        content = None if body is None else json.dumps(body)
        answer = self.http.request(method, path, content=content)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def _answers(self) -> bool:
        try:
            return self.http.get("/api/check").is_success
        except httpx.TransportError:
            return False
