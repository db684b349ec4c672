"""What is published on the bus, event by event: that something changed, never a secret."""

from chatsubo.live.bus import ADMINS, EVERYONE, Bus, Event, account_topic

LOGIN = Event("login")
"""Lets each stream of an account look whether its login still holds. It is not sent to browsers."""


class News:
    """Tells browsers what to look at again. The pages' script knows the same names.

    Args:
        bus: Where it is published.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def session(self, session_id: str, account_id: int | None, box_id: int | None, state: str) -> None:
        """Tell a session's owner and the organisers to look at it again."""
        data = {"session": session_id, "box": box_id, "state": str(state)}
        if account_id is not None:
            self._bus.publish(account_topic(account_id), Event("session", data))
        self._bus.publish(ADMINS, Event("desk", data))

    def provider(self, name: str, *, boxes: bool) -> None:
        """Tell organisers that a provider changed, and everyone if that changes what they see of boxes."""
        self._bus.publish(ADMINS, Event("provider", {"provider": name}))
        if boxes:
            self.boxes()

    def boxes(self) -> None:
        """Tell everyone that what they see of the boxes changed."""
        self._bus.publish(EVERYONE, Event("boxes"))

    def solve(self, account_id: int, box_id: int, flag_id: int) -> None:
        """Tell a player that they have found a flag of a box."""
        self._bus.publish(account_topic(account_id), Event("solve", {"box": box_id, "flag": flag_id}))

    def submission(self) -> None:
        """Tell organisers that somebody tried a flag."""
        self._bus.publish(ADMINS, Event("submission"))

    def standings(self, version: str) -> None:
        """Tell everyone that the standings changed."""
        self._bus.publish(EVERYONE, Event("standings", {"version": version}))

    def notice(self, account_id: int | None = None) -> None:
        """Tell one account, or everyone, that there is a new notice."""
        self._bus.publish(EVERYONE if account_id is None else account_topic(account_id), Event("notice"))

    def barred(self, account_id: int) -> None:
        """End the streams of an account whose logins have ended; organisers look at the accounts again."""
        self._bus.publish(account_topic(account_id), LOGIN)
        self.accounts()

    def accounts(self) -> None:
        """Tell organisers that somebody was banned, or is let in again."""
        self._bus.publish(ADMINS, Event("accounts"))

    def vpn(self, account_id: int) -> None:
        """Tell one account that its VPN connection came or went, or that its way in is another one."""
        self._bus.publish(account_topic(account_id), Event("vpn"))

    def gates(self, *, players: bool) -> None:
        """Tell organisers that a gate changed, and everyone if that changes what they see of their way in."""
        self._bus.publish(ADMINS, Event("gates"))
        if players:
            self._bus.publish(EVERYONE, Event("vpn"))
