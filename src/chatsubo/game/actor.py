"""Who acts: taken from the login alone, never from a body or a path."""

from dataclasses import dataclass
from enum import StrEnum

from chatsubo.domain.errors import Forbidden


class Role(StrEnum):
    """What an account may do."""

    PLAYER = "player"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """The account that a request acts as.

    Attributes:
        account_id: The account.
        username: Its name.
        role: What it may do.
        language: The language that it chose, or ``None`` to follow the browser.
        theme: ``dark`` or ``light`` where chosen, else ``None``.
    """

    account_id: int
    username: str
    role: Role
    language: str | None = None
    theme: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether it may do what organisers do."""
        return self.role is Role.ADMIN

    def must_be_admin(self) -> None:
        """Let organisers pass.

        Raises:
            Forbidden: For everyone else.
        """
        if not self.is_admin:
            raise Forbidden
