"""Shipped test support: fakes that misbehave."""
