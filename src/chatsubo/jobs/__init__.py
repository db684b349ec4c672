"""The port to the durable engine, and the engine behind it."""

from chatsubo.jobs.port import Handler, Jobs, Started, workflow_id

__all__ = ["Handler", "Jobs", "Started", "workflow_id"]
