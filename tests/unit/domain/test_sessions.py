"""The state machine of sessions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chatsubo.domain.errors import Busy
from chatsubo.domain.sessions import ENDED, LIVE, Event, State, busy, transition
from chatsubo.domain.text import Text


def outcome(state, event):
    try:
        return transition(state, event)
    except Busy as error:
        return error.text


@given(st.sampled_from(State), st.sampled_from(Event))
def test_every_event_either_leads_to_a_state_or_names_the_state_that_it_does_not_fit(state, event):
    following = outcome(state, event)
    assert following in tuple(State) or following == busy(state).text


@given(st.sampled_from(sorted(ENDED)), st.sampled_from(Event))
def test_nothing_happens_to_a_session_that_has_ended(state, event):
    with pytest.raises(Busy):
        transition(state, event)


def test_what_a_session_is_busy_with_is_told_in_the_readers_language():
    words = {state: busy(state).text for state in State}
    assert len({str(text) for text in words.values()}) == len(State)
    assert "starting" in str(words[State.PROVISIONING])
    assert all(isinstance(value, Text) for text in words.values() for _, value in text.values)


@pytest.mark.parametrize("state", sorted(LIVE))
def test_a_stop_may_be_asked_for_in_every_live_state(state):
    assert transition(state, Event.ASK_STOP) in {State.STOPPING, State.STOPPED}


@pytest.mark.parametrize("state", sorted(LIVE))
def test_every_live_state_can_fail(state):
    assert transition(state, Event.FAIL) is State.FAILED


def test_a_state_is_live_or_ended_and_never_both():
    assert set(State) == LIVE | ENDED
    assert not LIVE & ENDED


class AnySession(RuleBasedStateMachine):
    """A session to which anything may happen, in any order."""

    def __init__(self):
        super().__init__()
        self.state = State.QUEUED
        self.has_run = False
        self.was_stopped = False

    @rule(event=st.sampled_from(Event))
    def happens(self, event):
        try:
            self.state = transition(self.state, event)
        except Busy:
            return
        self.has_run |= event is Event.STARTED
        self.was_stopped |= event is Event.ASK_STOP

    @invariant()
    def resets_only_what_has_run(self):
        assert self.state is not State.RESETTING or self.has_run

    @invariant()
    def never_runs_again_once_a_stop_was_asked_for(self):
        assert not self.was_stopped or self.state in {State.STOPPING, State.STOPPED, State.FAILED}


TestAnySession = AnySession.TestCase
