"""A plugin that hangs is shown as unwell with the reason, and comes back by itself."""

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chatsubo.lab import Lab
from chatsubo.live.bus import Bus
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.seedstyle import SeedStyleProvider
from chatsubo.store.database import Database
from chatsubo.store.listings import ProviderListing, get_listing
from chatsubo.store.migrations import upgrade
from chatsubo.testing import MemoryJobs
from tests.lab.world import QUICK


async def seen(db: Database, what: Callable[[ProviderListing], bool]) -> ProviderListing:
    """What is known of the provider, once it is so."""
    async with asyncio.timeout(60):
        while True:
            async with db.read() as tx:
                found = await get_listing(tx, "lab")
            if found is not None and what(found):
                return found
            await asyncio.sleep(0.02)


async def test_it_is_shown_with_how_many_calls_hang_and_comes_back(
    provider: Callable[..., BaseProvider], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "machines").mkdir()
    (tmp_path / "files").mkdir()
    yard = provider("seed_dynamic/yard", dockerfiles_root=str(tmp_path / "files"), machines=str(tmp_path / "machines"))
    assert isinstance(yard, SeedStyleProvider)
    works, go_on = yard.plugin.list_templates, threading.Event()

    def hangs(plugin):
        go_on.wait(60)
        return works(plugin)

    monkeypatch.setattr(yard.plugin, "list_templates", hangs)
    upgrade(url := f"sqlite:///{tmp_path / 'chatsubo.db'}")
    db = Database.open(url)
    lab = Lab(db, MemoryJobs(), {"lab": yard}, Bus(), pace=replace(QUICK, listing_limit=0.1))
    await lab.start()
    try:
        unwell = await seen(db, lambda one: "hang" in (one.problem_detail or ""))
        assert str(unwell.problem) == "The machine's host took too long."
        assert re.search(r"2 calls of list_templates hang, the first for \d+ s", unwell.problem_detail or "")
        go_on.set()
        await seen(db, lambda one: one.problem is None and one.seen_at is not None)
    finally:
        go_on.set()
        await lab.aclose()
        await db.aclose()
