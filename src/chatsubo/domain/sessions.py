"""The state machine of a session: one run of a dynamic box.

::

    queued -> provisioning -> running -> (resetting -> running) -> stopping -> stopped
                                            any live state -> failed

A stop may be asked for in every live state; of a queued session nothing exists yet, so it is stopped at once.
"""

from enum import StrEnum

from chatsubo.domain.errors import Busy
from chatsubo.domain.text import N_, Text


class State(StrEnum):
    """Where a session stands."""

    QUEUED = "queued"
    PROVISIONING = "provisioning"
    RUNNING = "running"
    RESETTING = "resetting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class Event(StrEnum):
    """What can happen to a session."""

    ADMIT = "admit"  # a place is free at the provider
    STARTED = "started"  # the machine is up
    ASK_RESET = "ask_reset"
    RESET_DONE = "reset_done"
    ASK_STOP = "ask_stop"  # by the player, an organiser, or the end of its time
    STOP_DONE = "stop_done"
    FAIL = "fail"  # the reason is told beside


class Verb(StrEnum):
    """What the worker is asked to do for a session: its intent."""

    START = "start"
    RESET = "reset"
    STOP = "stop"


LIVE = frozenset({State.QUEUED, State.PROVISIONING, State.RUNNING, State.RESETTING, State.STOPPING})
ENDED = frozenset({State.STOPPED, State.FAILED})

_WORDS = {
    State.QUEUED: N_("waiting for a place"),
    State.PROVISIONING: N_("starting"),
    State.RUNNING: N_("running"),
    State.RESETTING: N_("being reset"),
    State.STOPPING: N_("stopping"),
    State.STOPPED: N_("stopped"),
    State.FAILED: N_("failed"),
}

_TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.QUEUED, Event.ADMIT): State.PROVISIONING,
    (State.QUEUED, Event.ASK_STOP): State.STOPPED,
    (State.QUEUED, Event.FAIL): State.FAILED,
    (State.PROVISIONING, Event.STARTED): State.RUNNING,
    (State.PROVISIONING, Event.ASK_STOP): State.STOPPING,
    (State.PROVISIONING, Event.FAIL): State.FAILED,
    (State.RUNNING, Event.ASK_RESET): State.RESETTING,
    (State.RUNNING, Event.ASK_STOP): State.STOPPING,
    (State.RUNNING, Event.FAIL): State.FAILED,
    (State.RESETTING, Event.RESET_DONE): State.RUNNING,
    (State.RESETTING, Event.ASK_STOP): State.STOPPING,
    (State.RESETTING, Event.FAIL): State.FAILED,
    (State.STOPPING, Event.STOP_DONE): State.STOPPED,
    (State.STOPPING, Event.ASK_STOP): State.STOPPING,
    (State.STOPPING, Event.FAIL): State.FAILED,
}


def transition(state: State, event: Event) -> State:
    """Return the state that follows ``event`` in ``state``.

    Raises:
        Busy: If the event does not fit the state; it names the state.
    """
    try:
        return _TRANSITIONS[state, event]
    except KeyError:
        raise busy(state) from None


def busy(state: State) -> Busy:
    """Return the error for what does not fit ``state``, which it names in words for people."""
    return Busy(state=Text(_WORDS[state]))
