"""The plugin for Proxmox VE, from version 7 to 9: one node or a cluster."""

from chatsubo.providers.pve.provider import PveProvider

__all__ = ["PveProvider"]
