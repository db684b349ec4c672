"""Each check of the kit has been seen to fail: on a provider that is wrong in just this way."""

import importlib

import pytest

from chatsubo.testing import ProviderKit
from tests.kit.fakes import ClassicFakeKit, FakeKit, KitFake
from tests.kit.wrongs import WRONG, Wrong, failures_of

for theme in ("telling", "acts", "resets", "shared", "weather", "secrecy"):
    importlib.import_module(f"tests.kit.wrong_{theme}")

LEAST = 40


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.provider.__name__)
async def test_a_wrong_provider_fails_this_check_and_no_other(wrong: Wrong) -> None:
    failed = await failures_of(wrong)
    assert set(failed) == {wrong.check} | wrong.besides, failed


@pytest.mark.parametrize("kit", [FakeKit, ClassicFakeKit])
async def test_the_fake_that_is_right_fails_none(kit: type[FakeKit]) -> None:
    assert await failures_of(Wrong(KitFake, "", frozenset(), kit)) == {}


def test_every_check_has_a_wrong_provider() -> None:
    checks = ProviderKit.checks()
    assert {wrong.check for wrong in WRONG} == set(checks)
    assert len(checks) >= LEAST
