"""The whole game against a real Docker Engine, over the JSON API."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.real.dockerd import Dockerd
from tests.real.game.conftest import PORT
from tests.real.server import Server, Visitor


def read_flag(dockerd: Dockerd, session: dict[str, object]) -> str:
    """Take the flag out of a machine, over the network."""
    return dockerd.read_from(str(session["address"]), PORT).decode().strip()


@pytest.mark.parametrize("template", ["hello", "plain"])
def test_from_a_start_to_the_scoreboard(server: Server, dockerd: Dockerd, template: str) -> None:
    slug = server.release(server.organiser(), template)
    case = server.visitor().register("case")
    session = case.start(slug)
    assert session["readiness"] == "listening"
    flag = read_flag(dockerd, session)
    verdict = case.post("/submissions", {"value": flag})
    assert (verdict["verdict"], verdict["first_blood"]) == ("correct", True)
    (row,) = case.until("/standings", lambda found: found["rows"])["rows"]
    assert (row["rank"], row["username"]) == (1, "case")
    case.http.delete(f"/api/v1/boxes/{slug}/session")
    case.wait(slug, "gone")
    assert dockerd.containers("chatsubo.session") == []


def test_a_reset_brings_back_the_state_the_flag_and_the_address(server: Server, dockerd: Dockerd) -> None:
    slug = server.release(server.organiser(), "hello")
    case = server.visitor().register("case")
    before = case.start(slug)
    flag = read_flag(dockerd, before)
    (container,) = dockerd.containers("chatsubo.session")
    dockerd.execute(container["Id"], "echo gone > /root/flag")
    assert read_flag(dockerd, before) == "gone"
    case.post(f"/boxes/{slug}/session/reset")
    after = case.wait(slug, "running", "failed")
    assert after["address"] == before["address"]
    assert after["creds"] == before["creds"]
    assert read_flag(dockerd, after) == flag


def test_fifty_players_start_at_once_and_each_has_a_flag_of_their_own(server: Server, dockerd: Dockerd) -> None:
    slug = server.release(server.organiser(), "plain")
    with ThreadPoolExecutor(8) as threads:
        players = list(threads.map(lambda number: server.visitor().register(f"player{number}"), range(50)))
    with ThreadPoolExecutor(50) as threads:

        def play(player: Visitor) -> tuple[str, str]:
            flag = read_flag(dockerd, player.start(slug))
            return flag, player.post("/submissions", {"value": flag})["verdict"]

        outcomes = list(threads.map(play, players))
    assert len({flag for flag, _ in outcomes}) == 50
    assert {verdict for _, verdict in outcomes} == {"correct"}
    stranger = players[0].post("/submissions", {"value": outcomes[1][0]})
    assert stranger["verdict"] == "wrong"
