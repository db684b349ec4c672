"""Shipped test support: fakes that misbehave."""

from chatsubo.testing.faults import Faults, Latch
from chatsubo.testing.hypervisor import STEPS, Call, FakeHypervisor, FakeMachine, FakeTemplate
from chatsubo.testing.jobs import MemoryJobs
from chatsubo.testing.provider import FakeConfig, FakeProvider

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
]
