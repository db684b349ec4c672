"""``chatsubo inventory``: what each configured provider shows now."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_config
from chatsubo.domain.text import N_

if TYPE_CHECKING:
    from chatsubo.app.stocktaking import Stock


@click.command()
@config_option
@console.json_option
@click.pass_context
def inventory(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Show what each configured provider shows now: templates, instances, and what cannot be used, with the reason.

    The providers are asked, and nothing is changed. Flags and passwords are counted, not shown. The exit code is 1 if
    one of them could not be asked.
    """
    from chatsubo.app.stocktaking import take_stock  # noqa: PLC0415

    stocks = asyncio.run(take_stock(*load_config(file)))
    if as_json:
        console.data([_plain(stock) for stock in stocks])
    elif not stocks:
        console.say(N_("no provider is configured, so no machine can be started"))
    else:
        _show(stocks)
    context.exit(1 if any(stock.problem is not None for stock in stocks) else 0)


def _show(stocks: Sequence["Stock"]) -> None:
    for stock in stocks:
        count = "requests not counted" if stock.requests is None else _requests(stock.requests)
        about = (f"{stock.provider} ({stock.kind})", ", ".join(stock.realms), _duration(stock.seconds), count)
        console.say(" · ".join(about), style="bold")
        if stock.problem is not None:
            console.say(f"  ✗ {stock.problem}", style="red")
            continue
        _show_lists(stock)
        for template in stock.templates:
            for warning in template.warnings:
                console.say(f"  ! {template.name}: {warning}", style="yellow")
        for rejected in stock.rejected:
            console.say(f"  ✗ {rejected.name}: {rejected.reason}", style="red")
        if not (stock.templates or stock.instances or stock.rejected):
            console.say("  It shows nothing.")


def _show_lists(stock: "Stock") -> None:
    if stock.templates:
        console.table(
            ["Template", "Machines", "Flags", "Creds"],
            [
                (one.name, "on demand" if one.dynamic else "shared", len(one.flags), len(one.creds))
                for one in stock.templates
            ],
        )
    if stock.instances:
        columns = ["Instance", "Realm", "Template", "Address", "Session", "State"]
        states = {True: "runs", False: "stands still"}
        rows = [
            (one.name, one.realm, one.template, one.address, one.session, states[one.running])
            for one in stock.instances
        ]
        console.table(columns, rows)


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count:,} requests"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _plain(stock: "Stock") -> dict[str, object]:
    return {
        "provider": stock.provider,
        "kind": stock.kind,
        "realms": list(stock.realms),
        "is_dynamic": stock.is_dynamic,
        "templates": [
            {
                "name": one.name,
                "dynamic": one.dynamic,
                "flags": len(one.flags),
                "creds": len(one.creds),
                "warnings": [str(warning) for warning in one.warnings],
            }
            for one in stock.templates
        ],
        "instances": [
            {
                "id": one.id,
                "name": one.name,
                "realm": one.realm,
                "template": one.template,
                "address": one.address,
                "session": one.session,
                "running": one.running,
            }
            for one in stock.instances
        ],
        "rejected": [{"name": one.name, "reason": str(one.reason)} for one in stock.rejected],
        "seconds": round(stock.seconds, 3),
        "requests": stock.requests,
        "problem": stock.problem,
    }
