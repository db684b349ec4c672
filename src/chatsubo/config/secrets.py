"""A value that must not be seen: passwords, tokens, database URLs."""

import hmac
from typing import Never, Self


class Secret:
    """A text that shows itself only when asked to.

    ``repr``, ``str`` and ``format`` give ``***``; comparing takes the same time whatever differs; it can be neither
    pickled nor encoded, so that nothing writes it down by accident. Ask for the text with :meth:`reveal`, at the last
    moment, and do not keep the answer.

    Attributes:
        MASK: What is shown instead of the value.
    """

    __slots__ = ("_value",)

    MASK = "***"

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.MASK!r})"

    def __str__(self) -> str:
        return self.MASK

    def __format__(self, spec: str) -> str:
        return format(self.MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> Never:
        """Refuse to be pickled.

        Raises:
            TypeError: Always.
        """
        raise TypeError("a Secret is not pickled; reveal() it where it is used")
