"""What the lab tells browsers: that something changed, never a secret."""

from dataclasses import dataclass

from chatsubo.live.bus import ADMINS, EVERYONE, Bus, Event, account_topic


@dataclass(frozen=True, slots=True)
class News:
    """Publishes on the bus.

    Attributes:
        bus: Where to.
    """

    bus: Bus

    def session(self, session_id: str, account_id: int | None, box_id: int | None, state: str) -> None:
        """Tell a session's owner and the organisers to look at it again."""
        data = {"session": session_id, "box": box_id, "state": str(state)}
        if account_id is not None:
            self.bus.publish(account_topic(account_id), Event("session", data))
        self.bus.publish(ADMINS, Event("desk", data))

    def provider(self, name: str, *, boxes: bool) -> None:
        """Tell organisers that a provider changed, and everyone if that changes what they see of boxes."""
        self.bus.publish(ADMINS, Event("provider", {"provider": name}))
        if boxes:
            self.bus.publish(EVERYONE, Event("boxes"))
