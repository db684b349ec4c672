"""``chatsubo plugin check``: holds the configured providers of a kind to the conformance kit, live."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatsubo.cli import console
from chatsubo.cli.configuration import config_option, load_config
from chatsubo.domain.text import N_, Text
from chatsubo.providers.exc import ProviderError

if TYPE_CHECKING:
    from chatsubo.providers.base import BaseProvider
    from chatsubo.testing.kit.live import Wishes
    from chatsubo.testing.kit.running import Result


SECONDS, CALLING_OFF = 300.0, 1.0
"""How long a provider may take to say what there is to check, and then to be called off."""


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
    wishes = Wishes(template=template, realm=realm, machine=machine, crowd=crowd)
    verdicts = asyncio.run(_hold_all(kind, name, file, wishes, quiet=as_json))
    if as_json:
        console.data([_plain(verdict) for verdict in verdicts])
    context.exit(0 if all(verdict.passed for verdict in verdicts) else 1)


async def _hold_all(kind: str, name: str | None, file: Path, wishes: "Wishes", *, quiet: bool) -> list[Verdict]:
    config, registry = load_config(file)
    names = [one.name for one in config.providers if one.kind == kind and name in {None, one.name}]
    if not names:
        raise console.Misconfigured(
            Text(N_("no provider {kind} is configured"), {"kind": f"{kind}/{name}" if name else kind}),
            Text(N_("Add it below providers: in {file}."), {"file": str(file)}),
        )
    verdicts = []
    for one in names:
        tell: Callable[[Result], None] = _ignore if quiet else _tell
        if not quiet:
            console.say(f"{kind}/{one}", style="bold")

        def make(one: str = one) -> "BaseProvider":
            return registry.build(config)[one]

        verdict = await _hold(f"{kind}/{one}", make, wishes, tell)
        if not quiet:
            _sum_up(verdict)
        verdicts.append(verdict)
    return verdicts


async def _hold(
    name: str, make: "Callable[[], BaseProvider]", wishes: "Wishes", tell: "Callable[[Result], None]"
) -> Verdict:
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

    results = []
    async for result in hold(kit, ground):
        tell(result)
        results.append(result)
    return Verdict(name, results)


def _ignore(result: "Result") -> None:
    """Say nothing: the JSON at the end tells all."""


def _tell(result: "Result") -> None:
    if result.outcome == "passed":
        console.say(f"  ✓ {result.sentence} ({result.seconds:.1f} s)", style="green")
    elif result.outcome == "failed":
        console.say(f"  ✗ {result.sentence} ({result.seconds:.1f} s)", style="red")
        console.say(f"    → {result.reason}")


def _sum_up(verdict: Verdict) -> None:
    if verdict.trouble:
        console.say(f"  ✗ {verdict.trouble}", style="red")
        return
    spared = Counter(one.reason for one in verdict.of("not-asked"))
    if spared:
        console.say(N_("Not asked for:"))
    for reason, count in spared.most_common():
        console.say(f"    {count:>3}  {reason}")
    if verdict.of("failed"):
        console.say(N_("Failed:"))
    for one in verdict.of("failed"):
        console.say(f"  ✗ {one.sentence}: {one.reason}", style="red")
    passed, failed = len(verdict.of("passed")), len(verdict.of("failed"))
    seconds = sum(one.seconds for one in verdict.results)
    text = N_("{passed} passed, {failed} failed, {spared} not asked for, in {seconds} s.")
    params = {"passed": passed, "failed": failed, "spared": sum(spared.values()), "seconds": f"{seconds:.1f}"}
    console.say(Text(text, params), style="bold red" if failed else "bold green")


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
