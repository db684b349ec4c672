"""``chatsubo gate``: the service beside a VPN server, which keeps players and machines apart."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chatsubo.cli import console
from chatsubo.cli.console import Failure, Misconfigured
from chatsubo.cli.gate_init import init
from chatsubo.config import ConfigError, Logging
from chatsubo.domain.text import N_, Text

if TYPE_CHECKING:
    from chatsubo.gate.config import GateConfig

DEFAULT_FILE = Path("/etc/chatsubo/gate.yml")
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000
_LONGEST_ANSWER = 200

gate_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_FILE,
    envvar="CHATSUBO_GATE_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The gate's file.",
)
"""The option ``--config`` of every command about a gate, as the argument ``file``."""


@click.group()
def gate() -> None:
    """Run and look after a VPN gate, on the machine that players' tunnels end at."""


gate.add_command(init)


@gate.command()
@gate_option
def serve(file: Path) -> None:
    """Run the gate until it is told to stop.

    The VPN server and the rules stay when it ends: players go on, and the next start takes them up. `gate down` takes
    them away.
    """
    from chatsubo.app.logs import configure_logs  # noqa: PLC0415  the web server takes half a second
    from chatsubo.gate.service import serve as run  # noqa: PLC0415

    config = _loaded(file)
    configure_logs(Logging())
    asyncio.run(run(config))


@gate.command()
@gate_option
def down(file: Path) -> None:
    """Take the interface and the rules away, and end the VPN server. What the gate remembers stays."""
    from chatsubo.gate.service import take_down  # noqa: PLC0415

    config = _loaded(file)
    asyncio.run(take_down(config))
    console.say(Text(N_("The gate {interface} is down."), {"interface": config.interface}))


@gate.command()
@gate_option
@console.json_option
@click.pass_context
def doctor(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Find what usually keeps a gate from working, and say what to do. Changes nothing.

    The exit code is 1 if anything is not as it should be.
    """
    from chatsubo.gate.examination import Finding, examine  # noqa: PLC0415

    try:
        health, _, machines = asyncio.run(_asked(file))
    except Failure as failure:
        found = [Finding(ok=False, text=Text(failure.message), remedy=Text(str(failure.next_step or "")))]
        machines = []
    else:
        found = [Finding(ok=False, text=Text(error)) for error in health["errors"]]
        found = found or [Finding(ok=True, text=Text(N_("The gate answers, and is well.")))]
    found += asyncio.run(examine(_loaded(file), machines))
    if as_json:
        console.data([{"ok": one.ok, "text": str(one.text), "remedy": str(one.remedy or "")} for one in found])
    else:
        for one in found:
            console.say(f"{'✓' if one.ok else '✗'} {one.text}", style="green" if one.ok else "red")
            if one.remedy is not None and not one.ok:
                console.say(f"  → {one.remedy}")
    context.exit(0 if all(one.ok for one in found) else 1)


@gate.command()
@gate_option
@console.json_option
@click.option("--all", "everyone", is_flag=True, help="Show those too who are not connected.")
def status(file: Path, *, as_json: bool, everyone: bool) -> None:
    """Show how the gate is, who is connected, and how much was sent."""
    health, peers, _ = asyncio.run(_asked(file))
    shown = [one for one in peers if everyone or one["online"]]
    if as_json:
        console.data({**health, "players": shown})
        return
    for error in health["errors"]:
        console.say(f"✗ {error}", style="red")
    if not health["errors"]:
        console.say(N_("✓ The gate is well."), style="green")
    summary = N_("Realm {realm}, {kind}: {online} connected, {peers} of {places} accesses given.")
    console.say(Text(summary, health))
    if shown:
        headings = ["Player", "Address", "Connected since", "From player", "To player"]
        console.table(headings, [_row(one) for one in shown])


def _loaded(file: Path) -> "GateConfig":
    from chatsubo.gate.config import load_gate  # noqa: PLC0415

    try:
        return load_gate(file)
    except ConfigError as error:
        raise Misconfigured(str(error), None if file.exists() else Text(N_("Make one: chatsubo gate init"))) from None


async def _asked(file: Path) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
    """Return what the gate that runs says of itself, of its players, and of the machines that they may reach."""
    import httpx  # noqa: PLC0415  for this command alone

    from chatsubo.gate.api import TOKEN_HEADER  # noqa: PLC0415

    listen = (config := _loaded(file)).listen
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104  not bound, replaced
    url = httpx.URL(scheme="https" if listen.cert else "http", host=host, port=listen.port)
    headers = {TOKEN_HEADER: config.auth_token.reveal()}
    try:
        # It is this machine's own gate: its certificate names what the platform calls it.
        async with httpx.AsyncClient(
            base_url=url,
            headers=headers,
            trust_env=False,
            verify=False,  # noqa: S501
        ) as client:
            answers = [await client.get(f"/api/v1/{what}") for what in ("health", "peers", "access")]
    except httpx.HTTPError as error:
        what = Text(N_("no gate answers at {url}: {reason}"), {"url": str(url), "reason": str(error)})
        raise Failure(what, Text(N_("Start it: chatsubo gate serve --config {file}"), {"file": str(file)})) from None
    for answer in answers:
        if answer.status_code != httpx.codes.OK:
            raise Failure(
                Text(
                    N_("the gate answers {status}: {text}"),
                    {"status": answer.status_code, "text": answer.text[:_LONGEST_ANSWER]},
                )
            )
    health, peers, picture = (answer.json() for answer in answers)
    reaches = picture["players"].values()
    return health, peers, sorted({one for reach in reaches for way in reach.values() for one in way})


def _row(peer: dict[str, Any]) -> tuple[object, ...]:
    since = datetime.fromtimestamp(peer["since"], UTC).astimezone() if peer["since"] else None
    when = since.strftime("%Y-%m-%d %H:%M:%S") if since else None
    return (peer["name"], ", ".join(peer["addresses"]), when, _size(peer["received"]), _size(peer["sent"]))


def _size(count: float) -> str:
    unit = 0
    while count >= _THOUSAND and unit < len(_UNITS) - 1:
        count, unit = count / _THOUSAND, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"
