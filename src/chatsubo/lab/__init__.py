"""The running machines: the inventory, the life cycle of sessions, reconciliation."""
