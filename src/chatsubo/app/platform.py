"""The composition root: everything put together for one process."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import structlog

from chatsubo.app.storage import csrf_secret, engine_url, open_database
from chatsubo.app.vitals import vitals
from chatsubo.config import Config
from chatsubo.domain.clock import Clock, utc_now
from chatsubo.domain.errors import Conflict
from chatsubo.domain.text import N_
from chatsubo.game import Game
from chatsubo.game.gatekeeping import Gatekeeping
from chatsubo.game.views import DisabledPlugin
from chatsubo.game.vpn import Vpn
from chatsubo.gates import Gates
from chatsubo.jobs.durable import DurableJobs
from chatsubo.lab import Lab
from chatsubo.lab.calls import close_all
from chatsubo.live.bus import Bus
from chatsubo.live.news import News
from chatsubo.providers.base import BaseProvider
from chatsubo.providers.registry import Registry
from chatsubo.store.database import Database
from chatsubo.web.application import create_application
from chatsubo.web.server import Server, make_server
from chatsubo.web.settings import WebSettings

log = structlog.get_logger(__name__)


class UnsafeProvider(Conflict):
    """A provider that only a demo should use is configured on a server that is none."""

    code = "unsafe-provider"
    message = N_(
        "The provider {name} is of the kind {kind}, which isolates nothing to rely on: players could take over this "
        "machine. Set allow_unsafe: true at providers.{kind}.{name} if you mean it."
    )


@dataclass(frozen=True, slots=True)
class Platform:
    """All parts of a running platform."""

    config: Config
    db: Database
    bus: Bus
    lab: Lab
    game: Game
    providers: Mapping[str, BaseProvider]
    server: Server


@contextlib.asynccontextmanager
async def running(
    config: Config, registry: Registry, *, demo: bool = False, clock: Clock = utc_now
) -> AsyncIterator[Platform]:
    """Put a platform together, start its lab, and take it down again afterwards.

    Nothing waits for a hypervisor: a provider that is away, or whose plugin is disabled, is shown as such, and does not
    keep the platform from starting.

    Args:
        config: What is configured.
        registry: The plugins.
        demo: Whether this is the demo, which may do what a server may not.
        clock: The time of day.

    Raises:
        EngineInUse: If another server runs on this database.
        SchemaOutdated: If the database has to be upgraded first.
        UnsafeProvider: If a provider is configured that only a demo should use.
    """
    registry.tell()
    providers = registry.build(config)
    if not demo:
        _refuse_unsafe(config, providers)
    async with contextlib.AsyncExitStack() as stack:
        db = await open_database(config)
        stack.push_async_callback(db.aclose)
        stack.push_async_callback(close_all, providers.values())
        bus = Bus()
        lab = Lab(db, DurableJobs(engine_url(config)), providers, bus, clock)
        game = Game.build(
            db,
            bus,
            clock=clock,
            wake=lab.wake,
            look_again=lab.refresh,
            prefixes={name: provider.flag_prefix for name, provider in providers.items()},
            gated_realms={gate.realm for gate in config.vpns},
            disabled_plugins=[
                DisabledPlugin(kind=one.kind, origin=one.origin, reason=one.reason) for one in registry.troubles()
            ],
        )
        stack.push_async_callback(game.aclose)
        settings = WebSettings.from_server(config.server, await csrf_secret(db), demo=demo, media=config.media)
        gates = await stack.enter_async_context(Gates(config.vpns))
        gatekeeping = Gatekeeping(db, clock, gates, bus)
        vpn = Vpn(db, clock, gates, gatekeeping.wake, News(bus).vpn)
        application = create_application(game, bus, settings, lambda: vitals(db, lab), vpn)
        server = make_server(application, bus, settings, host=config.server.host, port=config.server.port)
        await lab.start()
        stack.push_async_callback(lab.aclose)
        await stack.enter_async_context(gatekeeping.kept())
        stack.callback(bus.close)
        log.info("platform.started", providers=sorted(providers), url=config.server.url)
        yield Platform(config, db, bus, lab, game, providers, server)


def _refuse_unsafe(config: Config, providers: Mapping[str, BaseProvider]) -> None:
    for entry in config.providers:
        if not providers[entry.name].allowed_beyond_demo and not getattr(entry.model, "allow_unsafe", False):
            raise UnsafeProvider(name=entry.name, kind=entry.kind)
