"""A worker process that carries out what there is to do, and dies where it is told to."""

import asyncio
import contextlib
import multiprocessing
import os
from collections.abc import AsyncIterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from chatsubo.jobs.durable import DurableJobs
from chatsubo.jobs.port import Started
from chatsubo.lab import Lab
from chatsubo.live.bus import Bus
from chatsubo.store.database import Database
from chatsubo.store.queue import pending_intents
from tests.lab.filed import FiledProvider, die
from tests.lab.world import QUICK

STAY = "stay"


class DyingDatabase(Database):
    """Kills the process before or after the commit of one of the lab's writes."""

    death = ""
    writes = 0

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        self.writes += 1
        number = self.writes
        async with super().write() as tx:
            yield tx
            if self.death == f"before write {number}":
                die()
        if self.death == f"after write {number}":
            die()


class DyingJobs(DurableJobs):
    """Kills the process as soon as a workflow is written down."""

    death = ""

    async def start(self, session_id: str, generation: int, verb: str) -> Started:
        started = await super().start(session_id, generation, verb)
        if self.death == "workflow":
            die()
        return started


async def work(folder: Path, death: str) -> None:
    """Run a lab until nothing is left to do, and leave at once; but who is to die waits for that.

    It stays for as long as the folder holds a file :data:`STAY`.
    """
    db = DyingDatabase.open(f"sqlite:///{folder / 'chatsubo.db'}")
    jobs = DyingJobs(f"sqlite:///{folder / 'jobs.db'}")
    provider = FiledProvider(folder, lambda step: die() if step == death else None)
    lab = Lab(db, jobs, {"filed": provider}, Bus(), pace=QUICK)
    await lab.start()
    db.death = jobs.death = death
    db.writes = 0
    while True:
        async with db.read() as tx:
            if not await pending_intents(tx) and not death and not (folder / STAY).exists():
                os._exit(0)
        await asyncio.sleep(0.01)  # the end of a workflow is no event for an outsider


def main(folder: str, death: str) -> None:
    """Be a worker process."""
    asyncio.run(work(Path(folder), death))


def spawn(folder: Path, death: str = "") -> ForkServerProcess:
    """Start a worker in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=main, args=(str(folder), death))
    process.start()
    return process
