"""The kernel's rules about a VPN interface: which players reach which machines, and that nothing else is reached."""

from chatsubo.gate.firewall.firewall import Firewall
from chatsubo.gate.firewall.forwarding import forwards, start_forwarding
from chatsubo.gate.firewall.listing import Dropped
from chatsubo.gate.firewall.obstacles import Obstacle, obstacles
from chatsubo.gate.firewall.watch import Watch

__all__ = ["Dropped", "Firewall", "Obstacle", "Watch", "forwards", "obstacles", "start_forwarding"]
