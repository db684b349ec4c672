"""A server as an operator runs it: ``chatsubo serve`` in a process of its own, and visitors over HTTP."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import yaml

START_LIMIT = 120.0
STOP_LIMIT = 60.0
WAIT_LIMIT = 120.0
PASSWORD = "correct horse"


def reserve_port() -> socket.socket:
    """Return a socket that keeps a port of 127.0.0.1 for a server that is not up yet, or is down for a moment.

    The system gives the port to nobody who asks for any, nor to an outgoing connection; who asks for this very one
    with SO_REUSEADDR, as servers do, may listen there, since the socket itself never does (Linux, tcp(7) and ip(7)).
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


def chatsubo(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "chatsubo.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=START_LIMIT, **options)


class Visitor:
    """A program that is logged in over the JSON API."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=WAIT_LIMIT)
        self.username = ""

    def register(self, username: str) -> "Visitor":
        return self._enter("register", username, PASSWORD, 201)

    def log_in(self, username: str, password: str = PASSWORD) -> "Visitor":
        return self._enter("login", username, password, 200)

    def get(self, path: str) -> Any:
        answer = self.http.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """Send a body, and return the answer; any good status will do, unless one is named."""
        answer = self.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code == status if status else answer.is_success, answer.text
        return answer.json() if answer.content else None

    def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Ask again until ``holds`` of the answer, and return it."""
        limit = time.monotonic() + WAIT_LIMIT
        while not holds(answer := self.get(path)):
            assert time.monotonic() < limit, answer
            time.sleep(0.02)
        return answer

    def wait(self, slug: str, *states: str) -> Any:
        """Wait until the own session of a box is in one of ``states`` (``gone``: there is none), and return it."""
        return self.until(f"/boxes/{slug}", lambda box: _state(box) in states)["session"]

    def start(self, slug: str) -> Any:
        """Start a machine of a box, wait until it runs, and return its session."""
        self.post(f"/boxes/{slug}/session")
        session = self.wait(slug, "running", "failed")
        assert session["state"] == "running", session["failure"]
        return session

    def close(self) -> None:
        self.http.close()

    def _enter(self, verb: str, username: str, password: str, status: int) -> "Visitor":
        token = self.http.get("/api/v1/csrf").json()
        self.http.headers[token["header"]] = token["token"]
        self.post(f"/{verb}", {"username": username, "password": password}, status=status)
        self.username = username
        return self


def _state(box: Any) -> str:
    state: str = box["session"]["state"] if box["session"] else "gone"
    return state


class Server:
    """``chatsubo serve`` with a configuration of the test's.

    Attributes:
        folder: Where its configuration, database and log are.
        url: Where it answers.
    """

    def __init__(self, folder: Path, providers: dict[str, Any], **settings: Any) -> None:
        self.folder = folder
        self._reserved = reserve_port()
        self.port: int = self._reserved.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.file = folder / "chatsubo.yml"
        self._process: subprocess.Popen[bytes] | None = None
        self._visitors: list[Visitor] = []
        content = {
            "providers": providers,
            "server": {"host": "127.0.0.1", "port": self.port, "allow_insecure_http": True},
            "database": {"url": f"sqlite:///{folder / 'chatsubo.db'}"},
            **settings,
        }
        self.file.write_text(yaml.safe_dump(content))

    def start(self) -> "Server":
        """Start, and return once it is ready."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "chatsubo.cli", "serve", "--config", str(self.file)], stdout=log, stderr=log
            )
        limit = time.monotonic() + START_LIMIT
        while not self._is_ready():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < limit, self.log
            time.sleep(0.05)
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """Tell it to stop, and return once it has; one that does not is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(STOP_LIMIT) in (0, -signal.SIGTERM), self.log
        finally:
            process.kill()

    def close(self) -> None:
        """Stop, and forget the visitors."""
        for visitor in self._visitors:
            visitor.close()
        try:
            self.stop()
        finally:
            self._reserved.close()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-5000:]

    def visitor(self) -> Visitor:
        """A new program that is not logged in yet."""
        visitor = Visitor(self.url)
        self._visitors.append(visitor)
        return visitor

    def organiser(self, username: str = "finn") -> Visitor:
        """Make an organiser on the command line, and log in."""
        done = chatsubo("user", "create", username, "--role", "admin", "--config", str(self.file), "--json")
        return self.visitor().log_in(username, json.loads(done.stdout)["password"])

    def release(self, organiser: Visitor, template: str, **changes: Any) -> str:
        """Register a template as a box, with its prefilled form, and release it; return its slug."""
        organiser.until("/admin/templates", lambda found: template in {one["name"] for one in found})
        form = {**organiser.get(f"/admin/templates/{template}")["form"], **changes}
        if not form["track"] and not form["new_track"]:
            form["new_track"] = "Basics"
        slug: str = organiser.post("/admin/boxes", form)["slug"]
        organiser.post(f"/admin/boxes/{slug}/release")
        return slug

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False
