"""Plugins whose methods are plain functions."""

import asyncio
import threading
from typing import Any, Self

from chatsubo.providers.base import BaseInstance, BaseProvider, BaseTemplate, Check, Listing, Progress, StartOrder
from chatsubo.providers.threads import with_plain_methods


class PlainProvider(BaseProvider):
    """A plugin written without a single ``await``; its check blocks until it is let go."""

    kind = "plain"

    def __init__(self) -> None:
        super().__init__(["wz01"])
        self.name = "one"
        self.go_on = threading.Event()
        self.closed = False

    @classmethod
    def from_config(cls, name: str, raw_conf: Any, vpns: Any) -> Self:  # noqa: ARG003  the contract's signature
        return cls()

    def check(self) -> Check:  # type: ignore[override]
        self.go_on.wait(60)
        return Check(reachable=True, is_dynamic=False)

    def list_templates(self) -> Listing[BaseTemplate]:  # type: ignore[override]
        self.go_on.set()
        return Listing([BaseTemplate("web", self.name)])

    def list_instances(self, realm: str | None = None) -> Listing[BaseInstance]:  # type: ignore[override]  # noqa: ARG002
        return Listing([])

    def reset(  # type: ignore[override]
        self,
        realm: str,
        template: str,
        session: StartOrder | None = None,  # noqa: ARG002
        *,
        progress: Progress | None = None,  # noqa: ARG002
    ) -> BaseInstance:
        return BaseInstance(1, threading.current_thread().name, realm, template, None)

    def aclose(self) -> None:  # type: ignore[override]
        self.closed = True


async def test_plain_methods_are_awaited_and_one_that_blocks_holds_up_no_other() -> None:
    plain = PlainProvider()
    provider = with_plain_methods(plain)
    checking = asyncio.create_task(provider.check())
    templates = await provider.list_templates()
    assert [one.name for one in templates.items] == ["web"]
    assert (await checking).reachable
    assert (await provider.reset("wz01", "web")).name.startswith("provider-one")
    await provider.aclose()
    assert plain.closed
