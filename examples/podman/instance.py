"""What Podman says of a container, as an instance."""

from chatsubo.providers.base import BaseInstance, Readiness
from chatsubo.providers.exc import MalformedMetadataException
from chatsubo.providers.labels import read_metadata

from .hypervisor import Machine

GENERATION = "chatsubo.generation"
"""The label that tells which order of its session a container was made for."""


class PodmanInstance(BaseInstance):
    """A container: a session's, or one that players share."""

    def __init__(self, machine: Machine, readiness: Readiness = Readiness.STARTED) -> None:
        self.labels = machine.labels or {}
        told = read_metadata(self.labels)
        if not (told.template and told.realm and told.address):
            raise MalformedMetadataException("chatsubo.template, .realm and .address are all needed")
        generation = self.labels.get(GENERATION, "0")
        if not generation.isdecimal():
            raise MalformedMetadataException(f"{GENERATION} is no number")
        super().__init__(
            machine.id,
            machine.name,
            told.realm,
            told.template,
            told.address,
            told.flags,
            told.creds,
            session=told.session,
            generation=int(generation),
            running=machine.state == "running",
            readiness=readiness,
        )
