"""The ways to an engine: mutual TLS, a socket, and what goes wrong with certificates."""

from pathlib import Path

import pytest

from chatsubo.config import Host
from chatsubo.providers.docker.config import Api, Client
from chatsubo.providers.exc import AccessRefused, BackendConnectionException, Misconfigured
from tests.real.certificates import Authority
from tests.real.docker.bench import SHARED, SLEEPS, Bench
from tests.real.dockerd import Dockerd


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the engine does not know."""
    return Authority(tmp_path_factory.mktemp("stranger"), "Stranger")


def api(engine: Dockerd, *, host: str = "", **files: Path) -> Api:
    certificates = {**{key: Path(path) for key, path in engine.client_certs.items()}, **files}
    return Api(host=Host(host or engine.host), client=Client(**certificates))


async def test_the_socket_does_as_well_as_tls(bench: Bench):
    bench.template("box", SHARED + SLEEPS)
    provider = bench.make(api=Api(socket=bench.engine.socket), reachable=False)
    instance = await bench.start("box", bench.order(), provider)

    assert instance.running
    by_tls = {one.id for one in (await bench.provider.list_instances()).items}
    assert instance.id in by_tls


async def test_what_is_sent_is_counted(bench: Bench):
    bench.template("box", SHARED + SLEEPS)
    assert bench.provider.requests_sent == 0
    await bench.provider.list_templates()
    await bench.provider.list_instances()
    once = bench.provider.requests_sent
    assert 1 <= once <= 4
    await bench.provider.list_instances()
    assert once < bench.provider.requests_sent <= 2 * once


async def test_an_engine_that_another_authority_signed_is_not_trusted(bench: Bench, stranger: Authority):
    provider = bench.make(api=api(bench.engine, ca=stranger.ca))

    with pytest.raises(Misconfigured, match=r"cannot be trusted.*api\.client\.ca"):
        await provider.list_instances()
    assert not (await provider.check()).reachable


async def test_an_engine_that_refuses_our_certificate_is_told_so(bench: Bench, stranger: Authority):
    cert, key = stranger.issue("unknown")
    provider = bench.make(api=api(bench.engine, cert=cert, key=key))

    with pytest.raises(AccessRefused, match="refuses our certificate"):
        await provider.list_instances()


async def test_our_own_certificate_that_expired_is_told_so_and_a_renewed_one_is_read(bench: Bench, tmp_path: Path):
    expired = bench.engine.authority.issue("expired", begins=-10, ends=-1)
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(expired[0].read_bytes())
    key.write_bytes(expired[1].read_bytes())
    provider = bench.make(api=api(bench.engine, cert=cert, key=key))

    with pytest.raises(AccessRefused, match="refuses our certificate"):
        await provider.list_instances()
    renewed = bench.engine.authority.issue("renewed")
    cert.write_bytes(renewed[0].read_bytes())
    key.write_bytes(renewed[1].read_bytes())
    await provider.list_instances()


async def test_an_engine_is_only_known_by_a_name_in_its_certificate(bench: Bench):
    # The fixture's engine listens on an address whose certificate names it; its bridge's address is another one.
    other = f"10.201.{bench.engine.namespace.number}.1"
    rule = (
        "PREROUTING",
        "-d",
        other,
        "-p",
        "tcp",
        "--dport",
        "2376",
        "-j",
        "DNAT",
        "--to",
        f"{bench.engine.host}:2376",
    )
    bench.engine.run_in_namespace("iptables", "--wait", "-t", "nat", "-A", *rule)
    provider = bench.make(api=api(bench.engine, host=other))
    try:
        with pytest.raises(Misconfigured, match=r"api\.host must be a name"):
            await provider.list_instances()
    finally:
        bench.engine.run_in_namespace("iptables", "--wait", "-t", "nat", "-D", *rule)


async def test_an_engine_whose_certificate_expired_is_not_trusted(fragile: Bench):
    good = fragile.engine._server
    fragile.engine.use_server_certificate(
        *fragile.engine.authority.issue("old", hosts=[fragile.engine.host], server=True, begins=-9, ends=-1)
    )
    fragile.engine.restart()
    try:
        with pytest.raises(Misconfigured, match="renew the engine's certificate"):
            await fragile.provider.list_instances()
    finally:
        fragile.engine.use_server_certificate(*good)
        fragile.engine.restart()


async def test_certificates_that_cannot_be_used_are_told(bench: Bench, tmp_path: Path):
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")

    for provider in (bench.make(api=api(bench.engine, cert=broken)), bench.make(api=api(bench.engine, ca=broken))):
        with pytest.raises(Misconfigured, match=r"api\.client cannot be used"):
            await provider.list_instances()


async def test_what_is_no_engine_is_unreachable(bench: Bench, tmp_path: Path):
    plain = bench.make(api=Api(host=Host(bench.engine.host), tls=False))
    absent = bench.make(api=Api(socket=tmp_path / "absent.sock"))
    closed = bench.make(api=Api(host=Host("127.0.0.1"), port=9, tls=False))

    for provider in (absent, closed):
        with pytest.raises(BackendConnectionException):
            await provider.list_instances()
    with pytest.raises((BackendConnectionException, Misconfigured)):
        await plain.list_instances()
    findings = (await plain.check()).findings
    assert "without TLS" in str(findings[0].text)
