"""The inventory of a large Proxmox cluster, against one request after the other: a fake with 20 ms for each request."""

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp
from fakepve.certs import make_cert

from chatsubo.providers.pve import PveProvider
from tests.bench.report import Report
from tests.pve import cluster
from tests.pve.fake import SECRET, TOKEN_ID, RealisticPve

GUESTS = 1_000
BOXES = 100
DELAY = 0.02
MOST_REQUESTS = 105
ROUNDS = 3
GOAL = 1 / 20


def measure(report: Report) -> None:
    """Measure an inventory from nothing, and the one after it."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(report, Path(folder)))


async def _measure(report: Report, folder: Path) -> None:
    certfile, keyfile, _ = make_cert(str(folder), hosts=("127.0.0.1",))
    pve = RealisticPve()
    for number in range(GUESTS):
        boxed = number % (GUESTS // BOXES) == 0
        told = cluster.labels(f"box-{number}") if boxed else {}
        cluster.add_vm(pve, 100 + number, told, config={"tags": "ctf"} if boxed else {})
    pve.delay = DELAY
    await pve.start(certfile, keyfile)
    try:
        ours, bare, requests, later = [], [], 0, 0
        for _ in range(ROUNDS):
            provider = cluster.make(pve, certfile, tag="ctf")
            ours.append(await _inventory(provider))
            requests = provider.requests_sent
            again = await _inventory(provider)
            later = provider.requests_sent - requests
            bare.append(await _one_after_the_other(pve, certfile))
            await provider.aclose()
        most = pve.most_in_flight
        note = (
            f"{requests} requests (at most {MOST_REQUESTS}), {most} in flight; "
            f"the next one took {later} (1) and {again * 1000:.0f} ms"
        )
        report.add(f"{GUESTS} guests, {BOXES} boxes", note, f"{DELAY * 1000:.0f} ms a request")
        report.compare("inventory of a cluster", ours, bare, GOAL)
        if requests > MOST_REQUESTS or most > provider.config.max_in_flight or later > 1:
            raise SystemExit(f"Too many requests: {requests}, {most} in flight, {later} for the next inventory")
    finally:
        await pve.stop()


async def _inventory(provider: PveProvider) -> float:
    began = time.perf_counter()
    templates, instances = await provider.list_templates(), await provider.list_instances()
    took = time.perf_counter() - began
    assert len(templates.items) == len(instances.items) == BOXES
    return took


async def _one_after_the_other(pve: RealisticPve, certfile: str) -> float:
    """Measure what plugins of old did: the configuration of each guest in turn, over one kept connection."""
    headers = {"Authorization": f"PVEAPIToken={TOKEN_ID}={SECRET}"}
    began = time.perf_counter()
    connector = aiohttp.TCPConnector(ssl=False, limit=1)
    async with aiohttp.ClientSession(pve.url, headers=headers, connector=connector) as session:
        async with session.get("/api2/json/nodes/pve1/qemu") as answer:
            guests = (await answer.json())["data"]
        for guest in guests:
            async with session.get(f"/api2/json/nodes/pve1/qemu/{guest['vmid']}/config") as answer:
                await answer.json()
    assert len(guests) == GUESTS
    return time.perf_counter() - began
