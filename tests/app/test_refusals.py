"""When the platform refuses to start, and says what to do."""

from pathlib import Path

import pytest
import yaml

from chatsubo.app.platform import UnsafeProvider, running
from chatsubo.app.storage import SchemaOutdated
from chatsubo.config import Config, load
from chatsubo.providers.registry import Registry
from tests.databases import PostgreSQL
from tests.needs import need


def configured(folder: Path, registry: Registry, database: str = "", **local: object) -> Config:
    """Return a configuration with one local provider."""
    provider = {"templates_root": str(folder), "data": str(folder / "data"), "realms": ["lo"], **local}
    content = {
        "providers": {"local": {"lab": provider}},
        "server": {"allow_insecure_http": True},
        "database": {"url": database or f"sqlite:///{folder / 'chatsubo.db'}"},
    }
    file = folder / "chatsubo.yml"
    file.write_text(yaml.safe_dump(content))
    return load(file, registry.config_models())


@pytest.fixture
def registry() -> Registry:
    return Registry.load()


async def test_a_provider_that_isolates_nothing_is_refused_beyond_the_demo(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(UnsafeProvider, match=r"Set allow_unsafe: true at providers\.local\.lab"):
        async with running(configured(tmp_path, registry), registry):
            pass


async def test_it_is_let_in_when_the_configuration_insists_and_in_a_demo(tmp_path: Path, registry: Registry) -> None:
    async with running(configured(tmp_path, registry, allow_unsafe=True), registry) as platform:
        assert list(platform.providers) == ["lab"]
    async with running(configured(tmp_path, registry), registry, demo=True) as platform:
        assert list(platform.providers) == ["lab"]


@need.postgresql
async def test_a_postgresql_database_is_left_to_its_administrator(
    tmp_path: Path, registry: Registry, postgresql: PostgreSQL
) -> None:
    config = configured(tmp_path, registry, postgresql.new_database(), allow_unsafe=True)
    with pytest.raises(SchemaOutdated, match="chatsubo db upgrade"):
        async with running(config, registry):
            pass
