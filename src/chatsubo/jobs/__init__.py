"""The port to the durable engine."""
