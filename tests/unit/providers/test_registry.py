"""Which plugins there are."""

from importlib.metadata import EntryPoint

import pytest

from chatsubo.providers import registry
from chatsubo.providers.registry import Registry
from chatsubo.testing import FakeProvider


class Impostor(FakeProvider):
    """A stranger's plugin of a kind that is taken."""


class Misnamed(FakeProvider):
    """A plugin whose kind is not its entry point's name."""

    kind = "other"


def load(monkeypatch: pytest.MonkeyPatch, **entries: list[str]) -> Registry:
    """Return what is loaded where there are these entry points."""
    found = [EntryPoint(name, value, registry.GROUP) for name, values in entries.items() for value in values]
    monkeypatch.setattr(registry, "entry_points", lambda *, group: found if group == registry.GROUP else [])
    return Registry.load()


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("no_such_module:Provider", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("chatsubo.testing:FakeHypervisor", "it is not a subclass of BaseProvider"),
        (f"{__name__}:Misnamed", "its kind is 'other', its entry point's name 'broken'"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_disabled_and_no_other_suffers(
    monkeypatch: pytest.MonkeyPatch, entry: str, reason: str
) -> None:
    found = load(monkeypatch, broken=[entry], fake=["chatsubo.testing:FakeProvider"])

    assert found.plugins == {"fake": FakeProvider}
    [disabled] = found.disabled
    assert (disabled.kind, disabled.origin, disabled.reason) == ("broken", entry, reason)


@pytest.mark.parametrize("ours_first", [True, False])
def test_of_two_plugins_of_one_kind_ours_is_taken_and_the_other_told(
    monkeypatch: pytest.MonkeyPatch, *, ours_first: bool
) -> None:
    ours, theirs = "chatsubo.testing:FakeProvider", f"{__name__}:Impostor"
    found = load(monkeypatch, fake=[ours, theirs] if ours_first else [theirs, ours])

    assert found.plugins == {"fake": FakeProvider}
    assert [(one.kind, one.origin, one.reason) for one in found.disabled] == [("fake", theirs, registry.TAKEN)]
