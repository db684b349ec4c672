"""The demo: a platform with everything embedded, two boxes to break, an organiser and a player."""

from chatsubo.app.demo.content import Credentials
from chatsubo.app.demo.platform import Demo, demo

__all__ = ["Credentials", "Demo", "demo"]
