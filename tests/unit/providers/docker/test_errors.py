"""What the engine's errors mean, and that no secret is told."""

import asyncio
import ssl

import aiohttp
import pytest
from aiodocker.exceptions import DockerError

from chatsubo.config import Host, InvalidValue
from chatsubo.domain.text import Text
from chatsubo.domain.values import make_values
from chatsubo.providers.docker.config import Api, capability, subnet
from chatsubo.providers.docker.errors import AddressTaken, ImageMissing, NameTaken, NetworkMissing, PortTaken, translate
from chatsubo.providers.docker.flights import Broadcast, Flights
from chatsubo.providers.docker.progress import RedactedProgress
from chatsubo.providers.exc import (
    AccessRefused,
    BackendConnectionException,
    InstanceNotFound,
    Locked,
    Misconfigured,
    NoCapacity,
    ProviderError,
    TimedOut,
)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (900, "Cannot connect", BackendConnectionException),
        (403, "Address already in use", AddressTaken),
        (500, "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated", PortTaken),
        (500, "Error starting proxy: listen tcp4 0.0.0.0:80: bind: address already in use", PortTaken),
        (409, 'Conflict. The container name "/x" is already in use by container "1"', NameTaken),
        (404, "No such image: alpine", ImageMissing),
        (404, "network chatsubo-gate not found", NetworkMissing),
        (404, "No such container: x", InstanceNotFound),
        (409, "removal of container x is already in progress", Locked),
        (500, "write /x: no space left on device", NoCapacity),
        (401, "who are you", AccessRefused),
        (403, "not you", AccessRefused),
        (400, "Minimum memory limit allowed is 6MB", Misconfigured),
        (500, "Pool overlaps with other one on this address space", Misconfigured),
        (500, "something else", ProviderError),
        (503, "This node is not a swarm manager", BackendConnectionException),
    ],
)
def test_answers_of_the_engine_mean_what_the_contract_knows(status: int, message: str, kind: type[ProviderError]):
    found = translate(DockerError(status, message), "docker/x")

    assert type(found) is kind
    assert "docker/x" in found.detail


def test_failures_of_the_connection_are_told_apart():
    assert type(translate(TimeoutError(), "docker/x")) is TimedOut
    assert type(translate(aiohttp.ClientPayloadError("cut"), "docker/x")) is BackendConnectionException
    assert type(translate(ConnectionResetError(), "docker/x")) is BackendConnectionException
    refused = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required")
    assert type(translate(aiohttp.ClientOSError(1, str(refused)), "docker/x")) is AccessRefused


class Heard:
    def __init__(self) -> None:
        self.stages: list[Text] = []
        self.output = ""

    def stage(self, text: Text) -> None:
        self.stages.append(text)

    def log(self, output: str) -> None:
        self.output += output


def test_no_value_of_a_session_is_told_however_it_is_cut():
    values = make_values("session", "FLAG")
    told = f"a {values['FLAG0']} b\n{values['RNG3']}\n{values['SESSION']} c"
    heard = Heard()
    progress = RedactedProgress(heard, values)
    for character in told:
        progress.log(character)
    progress.flush()

    assert heard.output == "a [FLAG0] b\n[RNG3]\nsession c"


async def test_work_that_many_want_is_done_once_and_all_are_told():
    flights: Flights[int] = Flights()
    begun, go = asyncio.Event(), asyncio.Event()
    times = 0

    async def work(told: Broadcast) -> int:
        nonlocal times
        times += 1
        told.stage(Text("building"))
        begun.set()
        await go.wait()
        told.log("output")
        return 7

    heard = [Heard() for _ in range(5)]
    tasks = [asyncio.ensure_future(flights.join("key", work, one)) for one in heard]
    await begun.wait()
    await asyncio.sleep(0)
    tasks[0].cancel()
    go.set()

    assert await asyncio.gather(*tasks[1:]) == [7] * 4
    assert tasks[0].cancelled()
    assert times == 1
    assert all(one.output == "output" and len(one.stages) == 1 for one in heard[1:])


async def test_work_that_nobody_waits_for_any_more_is_called_off():
    flights: Flights[None] = Flights()
    begun = asyncio.Event()
    ended = False

    async def work(_: Broadcast) -> None:
        nonlocal ended
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended = True

    task = asyncio.ensure_future(flights.join("key", work, Heard()))
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert ended


def test_the_engine_is_a_host_with_certificates_or_a_socket():
    assert Api(host=Host("docker.example"), tls=False).url == "http://docker.example:2376"
    assert Api(host=Host.from_text("unix:///run/docker.sock")).url == "unix:///run/docker.sock"
    with pytest.raises(InvalidValue) as raised:
        Api(host=Host("docker.example"))
    assert (raised.value.at, str(raised.value)) == ("client", "the certificates for mutual TLS")
    with pytest.raises(InvalidValue):
        Api()


def test_subnets_and_capabilities_are_checked():
    assert subnet("172.30.0.0/16") == "172.30.0.0/16"
    assert capability("cap_net_raw") == "NET_RAW"
    for wrong in ("172.30.0.1/16", "fd00::/64", "10.0.0.0/31", "x"):
        with pytest.raises(InvalidValue):
            subnet(wrong)
