"""A platform to be killed: it goes about its business until a point, says so, and stands still there."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatsubo.providers.base import StartOrder
from chatsubo.providers.local import LocalConfig, LocalProvider, runs, starting
from chatsubo.providers.local.records import Records
from chatsubo.providers.local.runs import Runs

POINTS: dict[str, tuple[Any, str, bool]] = {
    "before the record": (Records, "claim", False),
    "after the record": (Records, "claim", True),
    "before the folder": (Runs, "build", False),
    "after the folder": (Runs, "build", True),
    "before the processes": (runs, "plant", False),
    "after the processes": (runs, "plant", True),
    "while it waits": (starting, "answers", False),
    "before it is settled": (Records, "settle", False),
    "after it is settled": (Records, "settle", True),
    "after it is forgotten": (Records, "forget", True),
    "after its folder was moved": (runs, "_destroy", False),
}
"""What to stand still at: where, which function, and whether after it."""


def say_and_wait(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
    time.sleep(600)


def stand_still(point: str) -> None:
    """Make the function of ``point`` say that it was reached, and never go on."""
    owner, name, after = POINTS[point]
    original: Callable[..., Any] = getattr(owner, name)

    def still(*arguments: Any, **named: Any) -> Any:
        if after:
            original(*arguments, **named)
        say_and_wait("reached")

    setattr(owner, name, still)


async def main(task: dict[str, Any]) -> None:
    config = LocalConfig(
        realms=("wz01",), templates_root=Path(task["templates"]), data=Path(task["data"]), sandbox=task["sandbox"]
    )
    provider = LocalProvider("here", config)
    order = StartOrder(task["session"], task["values"], task["generation"], time.monotonic() + 600)
    if task["point"]:
        stand_still(task["point"])
    match task["verb"]:
        case "start":
            await provider.start_dynamic_instance("wz01", "hello", order.id, order)
        case "reset":
            await provider.reset("wz01", "hello", order)
        case "stop":
            await provider.stop_dynamic_instance(order.id)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
    say_and_wait("done")
