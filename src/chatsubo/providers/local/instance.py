"""Instances of a local provider."""

from chatsubo.providers.base import BaseInstance, Endpoint, Readiness
from chatsubo.providers.labels import parse_creds, parse_flags
from chatsubo.providers.local.records import Record


class LocalInstance(BaseInstance):
    """A process tree with a folder and an address of its own."""

    def __init__(self, record: Record, *, running: bool) -> None:
        super().__init__(
            f"{record.session}.{record.run}",
            f"{record.template}-{record.session[:8]}",
            record.realm,
            record.template,
            record.address,
            flags=parse_flags(record.labels),
            creds=parse_creds(record.labels),
            session=record.session,
            generation=record.generation,
            running=running and record.ready,
            readiness=Readiness.LISTENING if record.awaited else Readiness.STARTED,
            endpoints=[Endpoint(name, record.address, port) for name, port in record.ports.items()],
        )
