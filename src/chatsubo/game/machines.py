"""Sessions and shared machines as players see them."""

from collections.abc import Iterable
from datetime import datetime

from chatsubo.domain.labels import Creds
from chatsubo.domain.sessions import State
from chatsubo.game.views import CredsView, EndpointView, MachineView, ResetView, SessionView
from chatsubo.store.listings import ListedInstance
from chatsubo.store.machines import Endpoint
from chatsubo.store.queue import Place
from chatsubo.store.sessions import Session
from chatsubo.store.shared_resets import SharedReset

EXTENSION_MINUTES = 30
MAX_EXTENSIONS = 4


def session_view(session: Session, box_slug: str, place: Place | None, now: datetime) -> SessionView:
    """Return a session for its owner.

    Args:
        session: The session.
        box_slug: The address of its box.
        place: Where it stands in the queue, if it waits.
        now: The present moment.
    """
    is_up = session.state in (State.RUNNING, State.RESETTING)
    return SessionView(
        id=session.id,
        box=box_slug,
        state=session.state.value,
        realm=session.realm,
        stage=session.stage,
        position=place.position if place else None,
        wait=place.seconds if place else None,
        failure=session.failure if session.state is State.FAILED else None,
        created_at=session.created_at,
        expires_at=session.expires_at if is_up else None,
        duration=session.duration,
        can_extend=_can_extend(session, now),
        readiness=session.readiness if is_up else None,
        address=session.address if is_up else None,
        machines=tuple(
            MachineView(
                name=machine.name, address=machine.address, realm=session.realm, running=True, endpoints=(), creds=()
            )
            for machine in (session.machines if is_up else ())
        ),
        endpoints=_endpoints(session.endpoints) if is_up else (),
        creds=_creds(session.creds) if is_up else (),
    )


def shared_machine(provider: str, instance: ListedInstance, resets: Iterable[SharedReset]) -> MachineView:
    """Return a classic machine for everyone, with its reset if one of ``resets``, all of its template, is."""
    place = (provider, instance.realm)
    reset = next((one for one in resets if (one.provider, one.realm) == place), None)
    return MachineView(
        name=instance.name,
        address=instance.address,
        realm=instance.realm,
        running=instance.running,
        endpoints=_endpoints(instance.endpoints),
        creds=_creds(instance.creds),
        reset=None
        if reset is None
        else ResetView(
            state=reset.state.value,
            due_at=reset.due_at,
            stage=reset.stage,
            asked_by=reset.username,
        ),
    )


def _can_extend(session: Session, now: datetime) -> bool:
    return (
        session.state is State.RUNNING
        and session.extensions < MAX_EXTENSIONS
        and session.expires_at is not None
        and session.expires_at > now
    )


def _endpoints(endpoints: tuple[Endpoint, ...]) -> tuple[EndpointView, ...]:
    return tuple(EndpointView(name=one.name, host=one.host, port=one.port) for one in endpoints)


def _creds(creds: tuple[Creds, ...]) -> tuple[CredsView, ...]:
    return tuple(CredsView(type=one.type, username=one.username, password=one.password) for one in creds)
