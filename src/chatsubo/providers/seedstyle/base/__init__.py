"""The base classes that plugins know as ``app.providers.base``."""
