"""``chatsubo plugin check``: holds the configured providers of a kind to the conformance kit, live."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_config
from chatsubo.config import Config
from chatsubo.domain.text import N_, Text
from chatsubo.providers.exc import ProviderError

if TYPE_CHECKING:
    from chatsubo.providers.base import BaseProvider
    from chatsubo.providers.registry import Registry
    from chatsubo.testing.kit.live import Live, Wishes
    from chatsubo.testing.kit.running import Result


SECONDS, CALLING_OFF = 300.0, 1.0
"""How long a provider may take to say what there is to check, and then to be called off."""
MOST = 3
"""How many checks are named again that failed for one reason."""

Say = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the kit says of one provider.

    Attributes:
        provider: Which, as ``kind/name``.
        results: What came of each check.
        trouble: Why no check could be made; empty else.
    """

    provider: str
    results: "Sequence[Result]" = ()
    trouble: str = ""

    def of(self, outcome: str) -> "list[Result]":
        """Return the checks that ended so."""
        return [one for one in self.results if one.outcome == outcome]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong, and something was asked."""
        return not self.trouble and not self.of("failed") and bool(self.of("passed"))


@click.command()
@click.argument("kind")
@click.option("--name", help="Only the provider of this name; without it all of the kind.")
@click.option("--template", default="", help="The dynamic template to start; the first there is, without.")
@click.option("--realm", default="", help="The realm to start it in; the provider's first, without.")
@click.option("--reset", "machine", default="", help="A classic machine's template, to be reset. Players notice it.")
@click.option("--crowd", type=click.IntRange(1, 50), default=3, show_default=True, help="Sessions to start at once.")
@click.option("--only", default="", help="Only the checks with this in their name, as in: --only stop.")
@config_option
@console.json_option
@click.pass_context
def check(
    context: click.Context,
    kind: str,
    name: str | None,
    file: Path,
    *,
    template: str,
    realm: str,
    machine: str,
    crowd: int,
    only: str,
    as_json: bool,
) -> None:
    """Hold the configured providers of KIND to the conformance kit, against their live hypervisors.

    Starts, resets and stops sessions of its own, and leaves nothing behind. Other people's machines are not touched,
    but for the one that --reset names. The exit code is 1 if a check fails.
    """
    try:
        from chatsubo.testing.kit.live import Wishes  # noqa: PLC0415  it needs pytest, which is an extra
    except ModuleNotFoundError as error:
        if error.name not in {"pytest", "pytest_asyncio"}:
            raise
        install = Text(N_("Install it: pip install 'chatsubo[{extra}]'"), {"extra": "testing"})
        raise console.Failure(N_("the conformance kit needs pytest, which is not installed"), install) from None
    wishes = Wishes(template, realm, machine, crowd, only.replace(" ", "_").lower())
    verdicts = asyncio.run(_hold_all(kind, name, file, wishes, _ignore if as_json else console.say))
    if as_json:
        console.data([_plain(verdict) for verdict in verdicts])
    context.exit(0 if all(verdict.passed for verdict in verdicts) else 1)


async def _hold_all(kind: str, name: str | None, file: Path, wishes: "Wishes", say: Say) -> list[Verdict]:
    config, registry = load_config(file)
    entries = [(one.kind, one.name) for one in config.providers] + [(one.kind, one.name) for one in config.disabled]
    names = [own for its, own in entries if its == kind and name in {None, own}]
    if not names:
        raise console.Misconfigured(
            Text(N_("no provider {kind} is configured"), {"kind": f"{kind}/{name}" if name else kind}),
            Text(N_("Add it below providers: in {file}."), {"file": str(file)}),
        )
    verdicts = []
    for one in names:
        say(f"{kind}/{one}", style="bold")
        verdicts.append(await _hold(f"{kind}/{one}", partial(_made, registry, config, one), wishes, say))
        _sum_up(verdicts[-1], say)
    return verdicts


async def _hold(name: str, make: "Callable[[], BaseProvider]", wishes: "Wishes", say: Say) -> Verdict:
    from chatsubo.lab.calls import bounded, close_all  # noqa: PLC0415
    from chatsubo.testing.kit.live import kit_for  # noqa: PLC0415
    from chatsubo.testing.kit.running import Ground, hold  # noqa: PLC0415

    asked = make()
    try:
        kit = await bounded(kit_for(asked, wishes), SECONDS, CALLING_OFF)
    except ProviderError as error:
        return Verdict(name, trouble=error.detail or str(error.text))
    finally:
        await close_all([asked])

    async def ground() -> Ground:
        return None, make(), make()

    _introduce(kit, say)
    results = []
    async for result in hold(kit, ground, wishes.only):
        _tell(result, say)
        results.append(result)
    return Verdict(name, results)


def _introduce(kit: "type[Live]", say: Say) -> None:
    from chatsubo.testing.kit.live import said  # noqa: PLC0415

    for finding in kit.findings:
        if not finding.ok:
            say(f"  ! {said(finding)}", style="yellow")
    if not kit.lacks("dynamic"):
        params = {"template": kit.template, "realm": kit.realm, "crowd": kit.crowd}
        say(Text(N_("It starts the template {template} in the realm {realm}, up to {crowd} at once."), params))
    if not kit.lacks("classic") and "may_reset" not in kit.waived:
        say(Text(N_("It resets the machine of {machine}, which players share."), {"machine": kit.machine}))


def _made(registry: "Registry", config: Config, name: str) -> "BaseProvider":
    """Return the provider of that name, and make no other: nobody would close it."""
    providers, disabled = ([one for one in some if one.name == name] for some in (config.providers, config.disabled))
    [made] = registry.build(msgspec.structs.replace(config, providers=providers, disabled=disabled)).values()
    return made


def _ignore(line: Text | str, *, style: str = "") -> None:
    """Say nothing: the JSON at the end tells all."""


def _tell(result: "Result", say: Say) -> None:
    if result.outcome == "passed":
        say(f"  ✓ {result.sentence} ({result.seconds:.1f} s)", style="green")
    elif result.outcome == "failed":
        say(f"  ✗ {result.sentence} ({result.seconds:.1f} s)", style="red")
        say(f"    → {result.reason}")


def _sum_up(verdict: Verdict, say: Say) -> None:
    if verdict.trouble:
        say(f"  ✗ {verdict.trouble}", style="red")
        return
    spared = Counter(one.reason for one in verdict.of("not-asked"))
    if spared:
        say(N_("Not asked for:"))
    for reason, count in spared.most_common():
        say(f"    {count:>3}  {reason}")
    failed = verdict.of("failed")
    if failed:
        say(N_("Failed:"))
    for reason, count in Counter(one.reason for one in failed).most_common():
        say(f"    {count:>3}  {reason}", style="red")
        for one in [one for one in failed if one.reason == reason][:MOST]:
            say(f"         ✗ {one.sentence}")
        if count > MOST:
            say(f"         … {count - MOST}")
    seconds = sum(one.seconds for one in verdict.results)
    text = N_("{passed} passed, {failed} failed, {spared} not asked for, in {seconds} s.")
    params = {
        "passed": len(verdict.of("passed")),
        "failed": len(failed),
        "spared": sum(spared.values()),
        "seconds": f"{seconds:.1f}",
    }
    say(Text(text, params), style="bold red" if failed else "bold green")


def _plain(verdict: Verdict) -> dict[str, object]:
    return {
        "provider": verdict.provider,
        "passed": verdict.passed,
        "trouble": verdict.trouble or None,
        "checks": [
            {
                "check": one.check,
                "outcome": str(one.outcome),
                "reason": one.reason or None,
                "seconds": round(one.seconds, 3),
            }
            for one in verdict.results
        ],
    }
