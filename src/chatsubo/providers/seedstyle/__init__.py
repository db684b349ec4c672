"""Plugins written as the founding document shows, run unchanged.

Such a plugin imports ``app.providers``, is synchronous, takes ``(name, raw_conf, vpns)``, and answers in dictionaries,
objects of its own, booleans, ``None`` or error texts. Here are the names that it imports (``base``, ``labels``), and
the provider of ours that calls it and reads its answers.
"""

from chatsubo.providers.seedstyle.provider import SeedStyleProvider

__all__ = ["SeedStyleProvider"]
