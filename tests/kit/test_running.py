"""What is asked, what is not, and how a run of the kit without pytest goes."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from chatsubo.testing import FakeTemplate, ProviderKit
from chatsubo.testing.hypervisor import LABELS
from chatsubo.testing.kit.results import read_results
from chatsubo.testing.kit.running import Ground, Outcome, Result, hold
from tests.kit.fakes import FakeKit, KitFake, KitHypervisor
from tests.kit.wrong_acts import LeavesTheDisk

NAME = "test_a_stop_leaves_nothing"
SECRETS = "test_no_configured_secret_is_shown"
HALT = "test_a_classic_machine_that_is_off_is_listed_and_a_reset_brings_it_up"


async def results_of(kit: type[FakeKit], there: KitHypervisor | None = None) -> dict[str, Result]:
    async def make() -> Ground:
        found = there or KitHypervisor()
        return found, kit.made(found), kit.made(found)

    return {one.check: one async for one in hold(kit, make)}


def marks(kit: type, name: str) -> dict[str, pytest.Mark]:
    return {one.name: one for one in getattr(getattr(kit, name), "pytestmark", ())}


def test_a_check_whose_hook_is_missing_is_skipped_with_the_name_of_the_hook() -> None:
    class Bare(ProviderKit):
        abilities = frozenset({"dynamic", "classic"})

    assert "give secrets() in Bare" in marks(Bare, SECRETS)["skip"].kwargs["reason"]
    assert "plant_machine" in Bare.asked(HALT).reason or "classic_machine" in Bare.asked(HALT).reason


def test_a_check_that_is_waived_or_needs_another_ability_is_not_collected() -> None:
    class Waived(ProviderKit):
        waived: ClassVar[Mapping[str, str]] = {"secrets": "it has none"}

    assert getattr(Waived, SECRETS) is None
    assert getattr(Waived, HALT) is None
    assert Waived.asked(SECRETS).reason == "it has none"
    assert getattr(ProviderKit, SECRETS) is not None


def test_a_known_failure_is_expected_and_strict() -> None:
    class Known(FakeKit):
        known_failures: ClassVar[Mapping[str, str]] = {NAME: "the disk stays until tomorrow"}

    mark = marks(Known, NAME)["xfail"]
    assert mark.kwargs == {"reason": "the disk stays until tomorrow", "strict": True}
    assert not marks(FakeKit, NAME)


def test_a_known_failure_of_a_check_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="test_nothing"):
        type("Wrong", (ProviderKit,), {"known_failures": {"test_nothing": "x"}})


async def test_a_known_failure_is_known_and_one_that_passes_now_fails() -> None:
    class Known(FakeKit):
        made = LeavesTheDisk
        known_failures: ClassVar[Mapping[str, str]] = {
            NAME: "the disk stays until tomorrow",
            "test_stopping_twice_is_a_success": "it was one, once",
        }

    results = await results_of(Known)
    assert results["a_stop_leaves_nothing"].outcome is Outcome.KNOWN
    assert results["stopping_twice_is_a_success"].outcome is Outcome.FAILED
    assert "it passes now" in results["stopping_twice_is_a_success"].reason


async def test_flags_of_a_template_that_are_the_same_for_all_are_nobody_elses() -> None:
    class Live(FakeKit):
        """Knows nothing of the template, as a live check does."""

        flags = None
        creds = None

    there = KitHypervisor()
    there.templates["hello"] = FakeTemplate(labels={**LABELS, "chatsubo.flags.root.value": "FLAG{for all}"})
    results = await results_of(Live, there)
    assert results["a_crowd_of_sessions_starts_at_once"].outcome is Outcome.PASSED


async def test_a_run_that_is_interrupted_leaves_nothing() -> None:
    class Held(FakeKit):
        async def back(self) -> None:
            pass  # what it holds at the gate it goes on holding

    there = KitHypervisor()
    gate = there.hold("start:ready")
    running = asyncio.ensure_future(results_of(Held, there))
    await gate.reached()
    assert there.machines
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not there.machines


async def test_a_check_that_never_ends_is_given_up() -> None:
    class Hasty(FakeKit):
        limit = 0.2

    class Endless(KitFake):
        async def check(self):
            await asyncio.sleep(60)

    Hasty.made = Endless
    assert "not done within" in (await results_of(Hasty))["it_says_that_it_can_be_reached"].reason


def test_python_without_assertions_proves_nothing_and_says_so() -> None:
    program = (
        "import asyncio; from chatsubo.testing.kit.running import hold; from tests.kit.fakes import FakeKit;"
        "asyncio.run(anext(hold(FakeKit, None)))"
    )
    done = subprocess.run([sys.executable, "-O", "-c", program], capture_output=True, text=True, check=False)
    assert "run Python without -O" in done.stderr


def test_the_fakes_need_no_pytest() -> None:
    program = "import chatsubo.testing, sys; assert 'pytest' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


SUITE = """
import pytest

from tests.kit.fakes import FakeKit, KitFake
from tests.kit.wrong_acts import LeavesTheDisk


class TestOne(FakeKit):
    made = LeavesTheDisk
    known_failures = {"test_a_stop_leaves_nothing": "until tomorrow"}

    async def test_of_its_own(self) -> None:
        pass


class TestTwo(FakeKit):
    made = LeavesTheDisk


class TestTwoWays(FakeKit):
    @pytest.fixture(params=[KitFake, LeavesTheDisk, KitFake])
    def provider(self, request, hypervisor):
        return request.param(hypervisor)
"""


def test_results_are_written_to_a_file_beside_those_of_other_kits(tmp_path: Path) -> None:
    (tmp_path / "test_kits.py").write_text(SUITE, encoding="utf-8")
    file = tmp_path / "results.txt"
    file.write_text("TestOther a_stop_leaves_nothing passed\nTestTwo gone passed\n", encoding="utf-8")
    options = ("-q", "-c", str(tmp_path / "none.ini"), "-p", "chatsubo.testing.kit.results", "--kit-results", str(file))
    (tmp_path / "none.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", *options, "-k", "stop_leaves or stopping or of_its_own", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert read_results(file) == {
        ("TestOne", "a_stop_leaves_nothing"): "known",
        ("TestOne", "stopping_twice_is_a_success"): "passed",
        ("TestOne", "stopping_what_never_was_is_a_success"): "passed",
        ("TestOther", "a_stop_leaves_nothing"): "passed",
        ("TestTwo", "a_stop_leaves_nothing"): "failed",
        ("TestTwo", "stopping_twice_is_a_success"): "passed",
        ("TestTwo", "stopping_what_never_was_is_a_success"): "passed",
        ("TestTwoWays", "a_stop_leaves_nothing"): "failed",
        ("TestTwoWays", "stopping_twice_is_a_success"): "passed",
        ("TestTwoWays", "stopping_what_never_was_is_a_success"): "passed",
    }


async def test_a_plugin_that_would_end_the_process_fails_a_check() -> None:
    class Quits(KitFake):
        async def stop_dynamic_instance(self, session_id: str) -> None:
            sys.exit(f"no more of {session_id}")

    class Quitting(FakeKit):
        made = Quits

    async def make() -> Ground:
        there = KitHypervisor()
        return there, Quitting.made(there), Quitting.made(there)

    [result] = [one async for one in hold(Quitting, make, only="stopping_twice")]
    assert result.outcome is Outcome.FAILED
    assert result.reason.startswith("it raised RuntimeError: SystemExit: no more of ")
