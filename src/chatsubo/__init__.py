"""Chatsubo: a capture-the-flag platform about attacking whole vulnerable machines."""

from importlib.metadata import version

__version__ = version("chatsubo")
