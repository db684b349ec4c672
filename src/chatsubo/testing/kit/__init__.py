"""The conformance kit. It needs pytest and pytest-asyncio: ``pip install 'chatsubo[testing]'``."""

from chatsubo.testing.kit.ground import HOOKS
from chatsubo.testing.kit.provider import ProviderKit
from chatsubo.testing.kit.proxy import Mood, Proxied, Proxy

__all__ = ["HOOKS", "Mood", "ProviderKit", "Proxied", "Proxy"]
