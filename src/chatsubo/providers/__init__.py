"""The plugin contract, its registry, and the plugins."""
