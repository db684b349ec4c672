"""What ``chatsubo doctor`` looks at: what is reachable, what is not, what to do about it."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from chatsubo.app.gate_findings import gate_findings
from chatsubo.app.storage import engine_url
from chatsubo.config import Config
from chatsubo.domain.text import N_, Text
from chatsubo.gates import GateClient, GateError, Gates, TokenRefused
from chatsubo.jobs.lock import is_held
from chatsubo.lab.calls import bounded, close_all
from chatsubo.providers.base import BaseProvider, Finding
from chatsubo.providers.exc import ProviderError
from chatsubo.providers.registry import Registry
from chatsubo.store.migrations import newest, revision

SECONDS = 15.0
CALLING_OFF = 1.0
LEAST_FREE = 1 << 30


@dataclass(frozen=True, slots=True)
class Report:
    """What was found of one part.

    Attributes:
        part: Which part: ``database``, ``provider lab``, ``gate wz01 (http://...)``, ...
        findings: What was looked at.
    """

    part: str
    findings: Sequence[Finding]


async def examine(config: Config, registry: Registry) -> list[Report]:
    """Look at every part of what is configured, all at once, each for some seconds at most. Nothing is changed."""
    providers = registry.build(config)
    try:
        checks = [_provider(provider) for provider in providers.values()]
        async with Gates(config.vpns) as gates:
            asked = [_gate(client, gates.realms_of(url)) for url, client in gates.by_url.items()]
            found = await asyncio.gather(asyncio.to_thread(_database, config), *checks, *asked)
    finally:
        await close_all(providers.values())
    reports = [*found, Report("configuration", _configuration(config, providers))]
    plugins = _plugins(registry)
    return [*reports, Report("plugins", plugins)] if plugins else reports


def _plugins(registry: Registry) -> list[Finding]:
    said = N_("{kind}: {reason}")
    findings = [
        Finding(ok=False, text=Text(said, {"kind": one.kind, "reason": one.reason})) for one in registry.troubles()
    ]
    for kind, source in registry.sources.items():
        for notice in source.notices:
            text = Text(said, {"kind": kind, "reason": notice.text})
            findings.append(Finding(ok=notice.remedy is None, text=text, remedy=notice.remedy))
    return findings


def _configuration(config: Config, providers: Mapping[str, BaseProvider]) -> list[Finding]:
    findings = [Finding(ok=False, text=warning) for warning in config.warnings]
    if not providers:
        text = Text(N_("no provider is configured, so no machine can be started"))
        findings.append(Finding(ok=False, text=text, remedy=Text(N_("Add one below providers: in the configuration."))))
    findings.append(
        Finding(
            ok=config.server.secure,
            text=Text(N_("players come to {url}"), {"url": config.server.url}),
            remedy=Text(N_("Put a reverse proxy with TLS in front, and set server.url to its https address.")),
        )
    )
    return findings


def _database(config: Config) -> Report:
    label = config.database.label
    try:
        found = revision(config.database.url.reveal())
    except Exception as error:  # noqa: BLE001  whatever the driver says is the finding
        text = Text(
            N_("{database} does not answer: {reason}"), {"database": label, "reason": str(error).split("\n")[0]}
        )
        remedy = Text(N_("Check database.url in the configuration, and that the database runs."))
        return Report("database", [Finding(ok=False, text=text, remedy=remedy)])
    version = Finding(
        ok=found == newest(),
        text=Text(
            N_("{database} is at version {found} of {needed}"),
            {"database": label, "found": found or "-", "needed": newest()},
        ),
        remedy=Text(N_("Run: chatsubo db upgrade")),
    )
    return Report("database", [version, _server(config), *_disk(config)])


def _server(config: Config) -> Finding:
    """Say whether a server runs: where none should, it is one that was forgotten, and keeps another from starting."""
    label = {"database": config.database.label}
    try:
        said = N_("a server runs on {database}") if is_held(engine_url(config)) else N_("no server runs on {database}")
    except (SQLAlchemyError, OSError) as error:
        text = Text(
            N_("whether a server runs on {database} cannot be seen: {reason}"),
            {**label, "reason": str(error).split("\n")[0]},
        )
        return Finding(ok=False, text=text)
    return Finding(ok=True, text=Text(said, label))


def _disk(config: Config) -> list[Finding]:
    if config.database.engine != "sqlite":
        return []
    folder = Path(config.database.url.reveal().removeprefix("sqlite:///")).absolute().parent
    if not folder.is_dir():
        return []
    free = shutil.disk_usage(folder).free
    text = Text(N_("free in {folder}: {megabytes} MB"), {"megabytes": free >> 20, "folder": str(folder)})
    return [Finding(ok=free >= LEAST_FREE, text=text, remedy=Text(N_("Make room: a full disk stops the game.")))]


async def _provider(provider: BaseProvider) -> Report:
    part = f"provider {provider.name}"
    try:
        return Report(part, (await bounded(provider.check(), SECONDS, CALLING_OFF)).findings)
    except ProviderError as error:
        return Report(part, [Finding(ok=False, text=_technical(error.detail) or error.text)])


async def _gate(client: GateClient, realms: Sequence[str]) -> Report:
    try:
        findings = await gate_findings(client)
    except GateError as error:
        wrong_token = N_(
            "Put the auth_token of the gate's file at token of its entry below vpns, or look at header there."
        )
        away = N_("Check that the gate runs, that this machine reaches it, and url of its entry below vpns.")
        remedy = Text(wrong_token if isinstance(error, TokenRefused) else away)
        findings = [Finding(ok=False, text=_technical(error.detail) or error.text, remedy=remedy)]
    return Report(f"gate {', '.join(realms)} ({client.gate.url})", findings)


def _technical(detail: str) -> Text | None:
    """Return a reason that only organisers read, and that nobody translates; ``None`` if there is none."""
    return Text("{detail}", {"detail": detail}) if detail else None
