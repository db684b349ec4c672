"""What a plugin subclasses and is given."""

from chatsubo.providers.base.instance import BaseInstance, Endpoint, Machine, Readiness
from chatsubo.providers.base.order import Limits, NoProgress, Progress, StartOrder
from chatsubo.providers.base.provider import BaseProvider, Check, Finding, Listing, Rejected
from chatsubo.providers.base.template import BaseTemplate

__all__ = [
    "BaseInstance",
    "BaseProvider",
    "BaseTemplate",
    "Check",
    "Endpoint",
    "Finding",
    "Limits",
    "Listing",
    "Machine",
    "NoProgress",
    "Progress",
    "Readiness",
    "Rejected",
    "StartOrder",
]
