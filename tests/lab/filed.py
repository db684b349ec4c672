"""A provider whose machines are files, so that they outlive the process that made them; it can kill that process."""

# ruff: noqa: ARG002  the contract has more arguments than this needs

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from chatsubo.domain.labels import Flag
from chatsubo.providers.base import (
    BaseInstance,
    BaseProvider,
    BaseTemplate,
    Check,
    Listing,
    Progress,
    Readiness,
    StartOrder,
)


def die() -> None:
    """Kill this process as ``kill -9`` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def nothing(step: str) -> None:
    """Let a step pass."""


class FiledProvider(BaseProvider):
    """Keeps each machine as a JSON file, half made first, and a line in ``made`` for each that it made."""

    kind = "filed"
    is_dynamic = True

    def __init__(self, folder: Path, step: Callable[[str], None] = nothing) -> None:
        super().__init__(["wz01"])
        self.name = "filed"
        self.folder = folder
        self.step = step
        (folder / "machines").mkdir(parents=True, exist_ok=True)

    @classmethod
    def from_config(cls, name: str, raw_conf: Any, vpns: Any) -> Self:
        raise NotImplementedError

    async def check(self) -> Check:
        return Check(reachable=True, is_dynamic=True)

    async def list_templates(self) -> Listing[BaseTemplate]:
        return Listing([BaseTemplate("hello", self.name, dynamic=True)])

    async def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:
        return Listing([self._instance(path.stem) for path in self.machines()])

    async def start_dynamic_instance(
        self, realm: str, template: str, session_id: str, order: StartOrder
    ) -> BaseInstance:
        return await self._make(order, "start")

    async def reset(
        self, realm: str, template: str, session: StartOrder | None = None, *, progress: Progress | None = None
    ) -> BaseInstance:
        assert session is not None
        return await self._make(session, "reset")

    async def stop_dynamic_instance(self, session_id: str) -> None:
        self.step("stop:begin")
        self._path(session_id).unlink(missing_ok=True)
        self.step("stop:end")

    def machines(self) -> list[Path]:
        """Return the files of all machines."""
        return sorted((self.folder / "machines").glob("*.json"))

    def made(self) -> list[str]:
        """Return ``SESSION GENERATION`` of each machine that was made, also of those that are gone."""
        path = self.folder / "made"
        return path.read_text().splitlines() if path.exists() else []

    def read(self, session_id: str) -> dict[str, Any]:
        """Return what is kept of a machine."""
        kept: dict[str, Any] = json.loads(self._path(session_id).read_text())
        return kept

    async def _make(self, order: StartOrder, verb: str) -> BaseInstance:
        self.step(f"{verb}:begin")
        path = self._path(order.id)
        found = self.read(order.id) if path.exists() else None
        if found is None or found["generation"] != order.generation or not found["ready"]:
            self._write(order, ready=False)
            with (self.folder / "made").open("a") as made:
                made.write(f"{order.id} {order.generation}\n")
            self.step(f"{verb}:half")
            self._write(order, ready=True)
        self.step(f"{verb}:end")
        return self._instance(order.id)

    def _write(self, order: StartOrder, *, ready: bool) -> None:
        kept = {"generation": order.generation, "ready": ready, "flag": order.values["FLAG0"]}
        path = self._path(order.id)
        path.with_suffix(".new").write_text(json.dumps(kept))
        path.with_suffix(".new").replace(path)

    def _instance(self, session_id: str) -> BaseInstance:
        kept = self.read(session_id)
        return BaseInstance(
            session_id,
            f"hello-{session_id}",
            "wz01",
            "hello",
            "10.66.0.2",
            flags=[Flag("user", kept["flag"], 100)],
            session=session_id,
            generation=kept["generation"],
            running=kept["ready"],
            readiness=Readiness.STARTED,
        )

    def _path(self, session_id: str) -> Path:
        return self.folder / "machines" / f"{session_id}.json"
