"""The event bus, and what is pushed to browsers."""
