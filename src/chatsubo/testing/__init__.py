"""Shipped test support: fakes that misbehave, and the conformance kit for plugins."""

import importlib
from typing import TYPE_CHECKING, Any

from chatsubo.testing.faults import Faults, Latch
from chatsubo.testing.hypervisor import STEPS, Call, FakeHypervisor, FakeMachine, FakeTemplate
from chatsubo.testing.jobs import MemoryJobs
from chatsubo.testing.orders import Recorder, again, make_order
from chatsubo.testing.plugins import load_plugin
from chatsubo.testing.provider import FakeConfig, FakeProvider

if TYPE_CHECKING:
    from chatsubo.testing.kit import ProviderKit, Proxied, Proxy

__all__ = [
    "STEPS",
    "Call",
    "FakeConfig",
    "FakeHypervisor",
    "FakeMachine",
    "FakeProvider",
    "FakeTemplate",
    "Faults",
    "Latch",
    "MemoryJobs",
    "ProviderKit",
    "Proxied",
    "Proxy",
    "Recorder",
    "again",
    "load_plugin",
    "make_order",
]


def __getattr__(name: str) -> Any:
    # The kit needs pytest, which the fakes do without.
    if name in {"Proxied", "ProviderKit", "Proxy"}:
        return getattr(importlib.import_module("chatsubo.testing.kit"), name)
    raise AttributeError(name)
