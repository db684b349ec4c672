"""What goes wrong with an engine or a template is told to people, slows nobody down, and loses nothing."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.dockerd import Dockerd
from tests.real.game.conftest import DOCUMENTED, LISTENING, PORT, docker_provider, write_templates
from tests.real.server import WAIT_LIMIT, Server

REQUEST_TIMEOUT = 30.0
BROKEN = {
    "unparsable": 'FROM alpine\nLABEL chatsubo.session="$SESSION\nRUN',
    "sessionless": 'FROM alpine\nARG FLAG0\nLABEL chatsubo.flags.a.value="$FLAG0" chatsubo.flags.a.points="5"\n',
    "unbuildable": 'FROM alpine\nARG SESSION\nLABEL chatsubo.session="$SESSION"\nRUN echo the reason; exit 3\n',
    "endless": 'FROM alpine\nARG SESSION\nLABEL chatsubo.session="$SESSION"\nRUN sleep 1000\n',
    "deaf": 'FROM alpine\nARG SESSION\nLABEL chatsubo.session="$SESSION"\nEXPOSE 9\nCMD ["sleep", "1000"]\n',
}


@pytest.fixture
def fragile_server(request: pytest.FixtureRequest, fragile_dockerd: Dockerd, tmp_path: Path) -> Iterator[Server]:
    """A server that is not started yet, in front of an engine that may be killed; its parameter is settings."""
    fragile_dockerd.make_base_image("listening", LISTENING)
    root = write_templates(tmp_path / "templates")
    for name, text in BROKEN.items():
        (root / name).mkdir()
        (root / name / "Dockerfile").write_text(text)
    server = Server(tmp_path, docker_provider(fragile_dockerd, root, 1, **getattr(request, "param", {})))
    try:
        yield server
    finally:
        server.close()
        if not fragile_dockerd.answers():
            fragile_dockerd.restart()
        fragile_dockerd.remove_containers()


@pytest.mark.parametrize("fragile_server", [{"request_timeout": REQUEST_TIMEOUT}], indirect=True, ids=["patient"])
def test_an_engine_that_is_away_is_told_and_its_return_is_seen(
    fragile_server: Server, fragile_dockerd: Dockerd
) -> None:
    fragile_dockerd.kill()
    organiser = fragile_server.start().organiser()
    (provider,) = organiser.until("/admin/desk", lambda desk: desk["providers"][0]["problem"])["providers"]
    assert provider["problem"] == "The machine's host does not answer at the moment."
    fragile_dockerd.start()
    slug = fragile_server.release(organiser, "plain")
    case = fragile_server.visitor().register("case")
    case.start(slug)

    fragile_dockerd.pause()
    began = time.monotonic()
    for path in ("/boxes", f"/boxes/{slug}", "/standings"):
        case.get(path)
    assert time.monotonic() - began < REQUEST_TIMEOUT, "a page waited for the engine"
    fragile_dockerd.resume()
    fragile_dockerd.kill()
    box = case.until(f"/boxes/{slug}", lambda box: box["problem"])
    assert box["problem_since"]
    case.http.delete(f"/api/v1/boxes/{slug}/session")
    assert case.get(f"/boxes/{slug}")["session"]["state"] == "stopping"
    fragile_dockerd.start()
    case.wait(slug, "gone")
    assert fragile_dockerd.containers("chatsubo.session") == []


@pytest.fixture
def held(fragile_server: Server, fragile_dockerd: Dockerd) -> Iterator[socket.socket]:
    """The template ``held``, whose build waits for this socket to listen."""
    with socket.socket() as door:
        door.bind((fragile_dockerd.namespace.outside, 0))
        host, port = door.getsockname()
        folder = fragile_server.folder / "templates" / "held"
        folder.mkdir()
        wait = f"RUN until nc -w 60 {host} {port} -e true; do sleep 0.1; done\n"
        (folder / "Dockerfile").write_text(DOCUMENTED.replace("hello", "held") + wait)
        yield door


def test_an_engine_that_dies_in_the_middle_of_a_start_leaves_one_machine_or_a_reason(
    fragile_server: Server, fragile_dockerd: Dockerd, held: socket.socket
) -> None:
    organiser = fragile_server.start().organiser()
    slug = fragile_server.release(organiser, "held")
    case = fragile_server.visitor().register("case")
    case.post(f"/boxes/{slug}/session")
    case.wait(slug, "provisioning")
    fragile_dockerd.restart()
    held.listen()
    session = case.wait(slug, "running", "failed")
    if session["state"] == "running":
        assert len(fragile_dockerd.containers("chatsubo.session")) == 1
        assert fragile_dockerd.read_from(session["address"], PORT)
        case.http.delete(f"/api/v1/boxes/{slug}/session")
        case.wait(slug, "gone")
    else:
        assert session["failure"]
    organiser.until("/admin/sessions", lambda _: fragile_dockerd.containers("chatsubo.session") == [])
    assert case.start(slug)["address"]


@pytest.mark.parametrize(
    ("fragile_server", "template", "told", "detail"),
    [
        ({}, "unbuildable", "could not be built", "3"),
        ({"build_timeout": 4}, "endless", "could not be built", "longer than 4 s"),
        ({"ready_timeout": 2}, "deaf", "its service never answered", ""),
    ],
    indirect=["fragile_server"],
    ids=["unbuildable", "endless", "deaf"],
)
def test_a_template_that_does_not_work_tells_the_player_that_and_the_organiser_why(
    fragile_server: Server, fragile_dockerd: Dockerd, template: str, told: str, detail: str
) -> None:
    organiser = fragile_server.start().organiser()
    slug = fragile_server.release(organiser, template)
    case = fragile_server.visitor().register("case")
    case.post(f"/boxes/{slug}/session")
    session = case.wait(slug, "failed")
    assert told in session["failure"]
    (desk,) = organiser.get("/admin/sessions")
    assert detail in desk["failure_detail"]
    organiser.until("/admin/sessions", lambda _: fragile_dockerd.containers("chatsubo.session") == [])
    if template == "unbuildable":
        assert "the reason" in organiser.http.get(f"/api/v1/admin/sessions/{desk['id']}/log").text


def test_templates_that_cannot_be_used_are_listed_with_the_reason_and_take_no_other_down(
    fragile_server: Server, fragile_dockerd: Dockerd
) -> None:
    organiser = fragile_server.start().organiser()
    organiser.until("/admin/templates", lambda found: "hello" in {one["name"] for one in found})
    rejected = {one["name"]: one["reason"] for one in organiser.get("/admin/desk")["rejected"]}
    assert {"unparsable", "sessionless"} <= set(rejected)
    assert "chatsubo.session" in rejected["sessionless"]


def test_a_stop_during_a_start_leaves_nothing(fragile_server: Server, fragile_dockerd: Dockerd) -> None:
    slug = fragile_server.start().release(fragile_server.organiser(), "endless")
    case = fragile_server.visitor().register("case")
    case.post(f"/boxes/{slug}/session")
    case.wait(slug, "provisioning")
    case.http.delete(f"/api/v1/boxes/{slug}/session")
    case.wait(slug, "gone")
    limit = time.monotonic() + WAIT_LIMIT
    while left := fragile_dockerd.containers():
        # Of a build that is called off the engine itself removes the step that runs, once it has ended it.
        assert time.monotonic() < limit, left
        time.sleep(0.02)
