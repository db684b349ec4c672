"""The engine that the other tests stand on."""

from tests.real.dockerd import Dockerd


def test_the_engine_reaches_containers_from_here_and_finds_them_after_a_kill(fragile_dockerd: Dockerd):
    engine = fragile_dockerd
    engine.docker("network", "create", "--subnet", engine.subnets[0], "gate")
    address = engine.subnets[0].replace("0/24", "10")
    script = "echo ready; exec nc -ll -p 80 -e echo hello"
    engine.docker("run", "-d", "--name", "box", "--net", "gate", "--ip", address, "alpine", "sh", "-c", script)
    engine.docker("exec", "box", "sh", "-c", "until netstat -ltn | grep -q :80; do usleep 10000; done")

    assert engine.read_from(address, 80) == b"hello\n"
    with engine.namespace.connect(address, 80) as connection:
        assert connection.recv(10) == b"hello\n"

    engine.restart()

    assert [container["Names"] for container in engine.containers()] == [["/box"]]
