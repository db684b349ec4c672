"""What a provider tells while it works, written down."""

import asyncio
import threading

from chatsubo.domain.errors import Unavailable
from chatsubo.domain.text import Text
from chatsubo.lab.output import KEPT
from chatsubo.lab.pace import Pace
from chatsubo.lab.progress import WrittenProgress

QUICK = Pace(stage=0.001, log=0.001)


class Page:
    """Where it is written."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.output = ""
        self.written = asyncio.Event()

    async def write(self, stage: Text | None, output: str | None) -> None:
        if stage is not None:
            self.stages.append(str(stage))
        if output is not None:
            self.output = output
        self.written.set()


async def test_of_stages_that_come_together_the_last_is_written() -> None:
    page = Page()
    progress = WrittenProgress(page.write, {}, "", QUICK)

    async with progress.written():
        progress.stage(Text("First"))
        progress.stage(Text("Second"))
        await page.written.wait()

    assert page.stages == ["Second"]


async def test_output_comes_in_any_pieces_and_after_what_was_there() -> None:
    page = Page()
    progress = WrittenProgress(page.write, {"FLAG0": "WZ{secret}"}, "earlier\n", QUICK)

    async with progress.written():
        progress.log("WZ{sec")
        progress.log("ret}\n")
        await page.written.wait()
    progress.log("the end\n")

    assert page.output == "earlier\n[FLAG0]\n"
    assert progress.output() == "earlier\n[FLAG0]\nthe end\n"
    assert progress.output() is None


async def test_only_the_last_of_much_output_is_kept() -> None:
    progress = WrittenProgress(Page().write, {}, "", QUICK)

    for number in range(20_000):
        progress.log(f"line {number} {'x' * 60}\n")

    kept = progress.output()
    assert kept is not None
    assert KEPT - 100 < len(kept) <= KEPT
    assert kept.endswith(f"line 19999 {'x' * 60}\n")
    assert sum(len(piece) for piece in progress._pieces) <= KEPT


async def test_no_half_of_a_value_is_left_where_old_output_was_cut_off() -> None:
    progress = WrittenProgress(Page().write, {"FLAG0": "WZ{secret}"}, "", QUICK)

    progress.log("WZ{sec")
    progress.log("ret}\n")
    progress.log("x" * (KEPT - 6) + "\n")

    assert set(progress.output() or "") == {"x", "\n"}


async def test_it_may_be_told_from_another_thread() -> None:
    page = Page()
    progress = WrittenProgress(page.write, {}, "", QUICK)

    async with progress.written():
        thread = threading.Thread(target=progress.stage, args=(Text("From a thread"),))
        thread.start()
        async with asyncio.timeout(60):
            await page.written.wait()
        thread.join()

    assert page.stages == ["From a thread"]


async def test_a_database_that_is_away_stops_nobody() -> None:
    tried = asyncio.Event()

    async def away(stage: Text | None, output: str | None) -> None:
        tried.set()
        raise Unavailable

    progress = WrittenProgress(away, {}, "", QUICK)
    async with progress.written():
        progress.stage(Text("First"))
        await tried.wait()
        tried.clear()
        progress.stage(Text("Second"))
        async with asyncio.timeout(60):
            await tried.wait()


async def test_output_that_could_not_be_written_is_written_later() -> None:
    page, tried = Page(), asyncio.Event()

    async def away_once(stage: Text | None, output: str | None) -> None:
        if not tried.is_set():
            tried.set()
            raise Unavailable
        await page.write(stage, output)

    progress = WrittenProgress(away_once, {}, "", QUICK)
    async with progress.written():
        progress.log("told once\n")
        async with asyncio.timeout(60):
            await page.written.wait()

    assert page.output == "told once\n"
