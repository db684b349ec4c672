"""Plugins from their folders, for their tests."""

from pathlib import Path

from chatsubo.providers.base import BaseProvider
from chatsubo.providers.registry import Registry


def load_plugin(folder: Path) -> type[BaseProvider]:
    """Load the plugin in a folder as the platform does when it is dropped into ``plugins/``.

    Args:
        folder: The plugin's folder; its name is the kind.

    Raises:
        ImportError: It cannot be used.
    """
    registry = Registry.load(folder.parent)
    for one in registry.disabled:
        if one.kind == folder.name:
            raise ImportError(f"{one.origin}: {one.reason}")
    return registry.plugins[folder.name]
