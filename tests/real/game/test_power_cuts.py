"""The server is killed in the middle of something and started again: nothing is lost, nothing is left over."""

import time
from collections.abc import Callable

import pytest

from tests.real.dockerd import Dockerd
from tests.real.game.conftest import PORT
from tests.real.server import Server, Visitor

LIMIT = 120.0

Moment = Callable[[Dockerd, Visitor, str], bool]


def _asked_for(_dockerd: Dockerd, _player: Visitor, _slug: str) -> bool:
    return True


def _provisioning(_dockerd: Dockerd, player: Visitor, slug: str) -> bool:
    # A machine that runs was so too, a moment ago.
    return player.get(f"/boxes/{slug}")["session"]["state"] in ("provisioning", "running")


def _created(dockerd: Dockerd, _player: Visitor, _slug: str) -> bool:
    return bool(dockerd.containers("chatsubo.session"))


def _up(dockerd: Dockerd, _player: Visitor, _slug: str) -> bool:
    return any(one["State"] == "running" for one in dockerd.containers("chatsubo.session"))


def wait_for(moment: Moment, dockerd: Dockerd, player: Visitor, slug: str) -> None:
    limit = time.monotonic() + LIMIT
    while not moment(dockerd, player, slug):
        assert time.monotonic() < limit
        time.sleep(0.002)


def cut_power(server: Server) -> None:
    server.kill()
    server.start()


def take_flag(dockerd: Dockerd, player: Visitor, slug: str) -> str:
    """Wait for the machine, and win its flag."""
    session = player.wait(slug, "running", "failed")
    assert session["state"] == "running", session["failure"]
    flag = dockerd.read_from(session["address"], PORT).decode().strip()
    assert player.post("/submissions", {"value": flag})["verdict"] in ("correct", "repeated")
    return flag


@pytest.mark.parametrize("moment", [_asked_for, _provisioning, _created, _up], ids=lambda one: one.__name__[1:])
def test_a_start_goes_on_after_the_power_was_cut(server: Server, dockerd: Dockerd, moment: Moment) -> None:
    slug = server.release(server.organiser(), "hello")
    case = server.visitor().register("case")
    case.post(f"/boxes/{slug}/session")
    wait_for(moment, dockerd, case, slug)
    cut_power(server)
    take_flag(dockerd, case, slug)
    (container,) = dockerd.containers("chatsubo.session")
    assert container["State"] == "running"
    case.http.delete(f"/api/v1/boxes/{slug}/session")
    case.wait(slug, "gone")
    assert dockerd.containers("chatsubo.session") == []


def test_a_reset_goes_on_after_the_power_was_cut(server: Server, dockerd: Dockerd) -> None:
    slug = server.release(server.organiser(), "hello")
    case = server.visitor().register("case")
    before = case.start(slug)
    flag = take_flag(dockerd, case, slug)
    (old,) = dockerd.containers("chatsubo.session")
    dockerd.execute(old["Id"], "echo spoiled > /root/flag")
    case.post(f"/boxes/{slug}/session/reset")
    cut_power(server)
    after = case.until(f"/boxes/{slug}", lambda box: box["session"]["state"] in ("running", "failed"))["session"]
    assert (after["state"], after["address"]) == ("running", before["address"])
    assert take_flag(dockerd, case, slug) == flag
    (new,) = dockerd.containers("chatsubo.session")
    assert new["Id"] != old["Id"]


def test_a_stop_goes_on_after_the_power_was_cut(server: Server, dockerd: Dockerd) -> None:
    slug = server.release(server.organiser(), "hello")
    case = server.visitor().register("case")
    case.start(slug)
    case.http.delete(f"/api/v1/boxes/{slug}/session")
    cut_power(server)
    case.wait(slug, "gone")
    assert dockerd.containers("chatsubo.session") == []


def test_a_machine_outlives_a_restart_of_the_server(server: Server, dockerd: Dockerd) -> None:
    slug = server.release(server.organiser(), "hello")
    case = server.visitor().register("case")
    case.start(slug)
    (before,) = dockerd.containers("chatsubo.session")
    server.stop()
    server.start()
    take_flag(dockerd, case, slug)
    (after,) = dockerd.containers("chatsubo.session")
    assert after["Id"] == before["Id"]
