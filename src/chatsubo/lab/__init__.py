"""The running machines: the inventory, the life cycle of sessions, reconciliation."""

from chatsubo.lab.lab import Lab

__all__ = ["Lab"]
