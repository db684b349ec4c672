"""``chatsubo doctor``: looks at everything that is configured, and says what to do."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_config
from chatsubo.domain.text import N_, Text

if TYPE_CHECKING:
    from chatsubo.app.examination import Report


@click.command()
@config_option
@console.json_option
@click.pass_context
def doctor(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Say what is reachable, what is not, and what to do about it.

    Changes nothing. The exit code is 1 if anything is not as it should be.
    """
    from chatsubo.app.examination import examine  # noqa: PLC0415

    reports = asyncio.run(examine(*load_config(file)))
    if as_json:
        console.data([_plain(report) for report in reports])
    else:
        _show(reports)
    context.exit(0 if all(finding.ok for report in reports for finding in report.findings) else 1)


def _show(reports: Sequence["Report"]) -> None:
    bad = 0
    for report in reports:
        console.say(report.part, style="bold")
        for finding in report.findings:
            console.say(f"  {'✓' if finding.ok else '✗'} {finding.text}", style="green" if finding.ok else "red")
            if not finding.ok:
                bad += 1
                if finding.remedy is not None:
                    console.say(f"    → {finding.remedy}")
    console.say("")
    console.say(Text(N_("Needs attention: {count}"), {"count": bad}) if bad else N_("All is well."), style="bold")


def _plain(report: "Report") -> dict[str, object]:
    return {
        "part": report.part,
        "findings": [
            {"ok": one.ok, "text": str(one.text), "remedy": str(one.remedy) if one.remedy and not one.ok else None}
            for one in report.findings
        ],
    }
