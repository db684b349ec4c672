"""The plugin for the Docker Engine, and for what speaks its API."""

from chatsubo.providers.docker.provider import DockerProvider

__all__ = ["DockerProvider"]
