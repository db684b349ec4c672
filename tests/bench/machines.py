"""From the click to a running machine, against the bare Docker Engine driven by its own client."""

import contextlib
import socket
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests.bench.report import Report
from tests.real.dockerd import Dockerd
from tests.real.game.conftest import LISTENING, PORT, docker_provider, write_templates
from tests.real.server import Server, Visitor

PROGRAMS = ("dockerd",)
SINGLE = 10
CROWD = 50
AT_ONCE = 8
ROUNDS = 3
LIMIT = 120.0


def measure(report: Report) -> None:
    """Measure starts one by one, fifty at once, and with values that are baked into the image."""
    with engine() as dockerd, tempfile.TemporaryDirectory() as folder:
        root = write_templates(Path(folder) / "templates")
        server = Server(Path(folder), docker_provider(dockerd, root, max_concurrent_starts=AT_ONCE)).start()
        try:
            bench = _Bench(dockerd, server, root)
            report.compare("click to running", *bench.alternate(SINGLE, bench.click("plain"), bench.bare_start), 1.3)
            report.compare(f"{CROWD} starts at once", *bench.alternate(ROUNDS, bench.crowd, bench.bare_crowd), 1.2)
            report.compare("baked values", *bench.alternate(SINGLE, bench.click("hello"), bench.bare_build))
        finally:
            server.close()


@contextlib.contextmanager
def engine() -> Iterator[Dockerd]:
    """A Docker Engine with the images that the templates are made from."""
    made = Dockerd()
    try:
        made.start()
        made.make_base_image("alpine:latest")
        made.make_base_image("listening", LISTENING)
        yield made
    finally:
        made.remove()


class _Bench:
    """Does each thing our way and the bare way, in turn, on one engine."""

    def __init__(self, dockerd: Dockerd, server: Server, root: Path) -> None:
        self.dockerd = dockerd
        self.server = server
        self.root = root
        self.database = server.folder / "chatsubo.db"
        organiser = server.organiser()
        self.slugs = {name: server.release(organiser, name) for name in ("plain", "hello")}
        with ThreadPoolExecutor(AT_ONCE) as threads:
            self.players = list(threads.map(lambda number: server.visitor().register(f"p{number}"), range(CROWD)))
        self._started = 0
        self._warm_up()

    def alternate(
        self, rounds: int, ours: Callable[[], float], bare: Callable[[], float]
    ) -> tuple[list[float], list[float]]:
        """Measure both in turn, so that a machine whose speed drifts is fair to both."""
        pairs = [(ours(), bare()) for _ in range(rounds)]
        return [one for one, _ in pairs], [other for _, other in pairs]

    def click(self, template: str) -> Callable[[], float]:
        """Measure one start as a player clicks it, each by another player."""
        slug = self.slugs[template]

        def one() -> float:
            self._started += 1
            player = self.players[self._started % CROWD]
            began = time.perf_counter()
            player.post(f"/boxes/{slug}/session")
            self._until_running(1)
            took = time.perf_counter() - began
            self._stop([player], slug)
            return took

        return one

    def crowd(self) -> float:
        """Measure fifty players who click at once, until the last one's machine runs."""
        slug = self.slugs["plain"]
        with ThreadPoolExecutor(CROWD) as threads:
            began = time.perf_counter()
            list(threads.map(lambda player: player.post(f"/boxes/{slug}/session"), self.players))
            self._until_running(CROWD)
            took = time.perf_counter() - began
        self._stop(self.players, slug)
        return took

    def bare_start(self) -> float:
        """Measure create and start of the same image with the engine's own client, until its port answers."""
        began = time.perf_counter()
        name = self._bare("alpine-plain")
        took = time.perf_counter() - began
        self.dockerd.docker("rm", "-f", name)
        return took

    def bare_crowd(self) -> float:
        """Measure the same fifty times, eight at a time."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            began = time.perf_counter()
            names = list(threads.map(lambda _: self._bare("alpine-plain"), range(CROWD)))
            took = time.perf_counter() - began
            list(threads.map(lambda name: self.dockerd.docker("rm", "-f", name), names))
        return took

    def bare_build(self) -> float:
        """Measure build, create and start of the documented Dockerfile."""
        tag = f"bare-{uuid.uuid4().hex[:8]}"
        arguments = [f"--build-arg={name}={uuid.uuid4().hex}" for name in ("FLAG0", "RNG0", "SESSION")]
        began = time.perf_counter()
        self.dockerd.docker("build", "-q", "-t", tag, *arguments, str(self.root / "hello"))
        name = self._bare(tag)
        took = time.perf_counter() - began
        self.dockerd.docker("rm", "-f", name)
        self.dockerd.docker("rmi", tag)
        return took

    def _warm_up(self) -> None:
        self.dockerd.docker("build", "-q", "-t", "alpine-plain", str(self.root / "plain"))
        for template in self.slugs:
            self.click(template)()
        self.bare_start()

    def _bare(self, image: str) -> str:
        name = f"bare-{uuid.uuid4().hex}"
        network = "chatsubo-game-0"
        limits = ("--memory", "256m", "--pids-limit", "256", "--cpus", "1", "--init")
        self.dockerd.docker("create", "--name", name, "--network", network, *limits, "-e", f"FLAG={name}", image)
        self.dockerd.docker("start", name)
        address = self.dockerd.docker(
            "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name
        ).stdout.strip()
        _until_answers(address)
        return name

    def _until_running(self, wanted: int) -> None:
        self._until("SELECT count(*) FROM sessions WHERE state = 'running'", wanted)

    def _stop(self, players: list[Visitor], slug: str) -> None:
        for player in players:
            player.http.delete(f"/api/v1/boxes/{slug}/session")
        self._until("SELECT count(*) FROM sessions WHERE ended_at IS NULL", 0)

    def _until(self, query: str, wanted: int) -> None:
        """Wait until a count is as wanted; asked of the database file itself, which costs the server nothing."""
        limit = time.monotonic() + LIMIT
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            while connection.execute(query).fetchone()[0] != wanted:
                if time.monotonic() > limit:
                    raise TimeoutError(query)
                time.sleep(0.002)


def _until_answers(address: str) -> None:
    limit = time.monotonic() + LIMIT
    while True:
        try:
            socket.create_connection((address, PORT), 1).close()
        except OSError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.005)
        else:
            return
