"""A machine that all players share: found on the engine, played, and reset by an organiser."""

from tests.real.dockerd import Dockerd
from tests.real.game.conftest import PORT
from tests.real.server import Server

LABELS = {
    "chatsubo.dynamic": "false",
    "chatsubo.realm": "wz01",
    "chatsubo.template": "vault",
    "chatsubo.flags.root.value": "FLAG{the old vault}",
    "chatsubo.flags.root.points": "300",
}


def test_a_shared_container_is_played_spoiled_and_made_anew(server: Server, dockerd: Dockerd) -> None:
    serve = f"echo ready > /greeting; exec nc -ll -p {PORT} -e cat /greeting"
    labels = [f"--label={key}={value}" for key, value in LABELS.items()]
    dockerd.docker("run", "-d", "--name", "vault", *labels, "alpine", "sh", "-c", serve)
    organiser = server.organiser()
    slug = server.release(organiser, "vault")
    case = server.visitor().register("case")
    # The engine may have been looked at between the container's creation and its start.
    (machine,) = case.until(f"/boxes/{slug}", lambda box: any(one["address"] for one in box["shared"]))["shared"]
    assert case.post("/submissions", {"value": "FLAG{the old vault}"})["verdict"] == "correct"

    dockerd.wait_for_service(machine["address"], PORT)
    dockerd.execute("vault", "echo spoiled > /greeting")
    assert dockerd.read_from(machine["address"], PORT) == b"spoiled\n"
    (before,) = dockerd.containers("chatsubo.template=vault")
    organiser.post(f"/boxes/{slug}/shared/reset", {"at_once": True})
    told = case.until("/notices", lambda found: any("initial state" in one["text"] for one in found))
    assert told[0]["text"] == "vault in wz01 was brought back to its initial state."
    (after,) = dockerd.containers("chatsubo.template=vault")
    assert after["Id"] != before["Id"]
    address = after["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    case.until(
        f"/boxes/{slug}", lambda box: [(one["address"], one["running"]) for one in box["shared"]] == [(address, True)]
    )
    dockerd.wait_for_service(address, PORT)
    assert dockerd.read_from(address, PORT) == b"ready\n"
