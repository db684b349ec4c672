"""The embedded provider: boxes are process trees of this very machine, for the demo and for writing boxes."""

from chatsubo.providers.local.config import LocalConfig, LocalLimits
from chatsubo.providers.local.provider import LocalProvider

__all__ = ["LocalConfig", "LocalLimits", "LocalProvider"]
