"""What ``chatsubo inventory`` shows."""

from typing import Any

from structlog.testing import capture_logs

from chatsubo.app.stocktaking import take_stock
from chatsubo.config import Config, ProviderEntry
from chatsubo.providers.registry import Registry
from chatsubo.testing import FakeConfig, FakeProvider


class Odd(FakeProvider):
    """A plugin with a mistake in its listing, and another one in its end."""

    kind = "odd"

    async def list_templates(self) -> Any:
        return ["web"]

    async def aclose(self) -> None:
        raise RuntimeError("nothing is open")


async def test_a_plugin_that_lists_nonsense_keeps_nothing_of_the_others_from_being_shown() -> None:
    model = FakeConfig(realms=("wz01",))
    entries = tuple(ProviderEntry(kind=kind, name=kind, model=model) for kind in ("odd", "fake"))
    with capture_logs():
        odd, fake = await take_stock(Config(providers=entries), Registry({"odd": Odd, "fake": FakeProvider}))
    assert "AttributeError" in (odd.problem or "")
    assert fake.problem is None
