"""``app.providers.base.instance``: what a plugin of the founding document makes its instances from."""

from typing import Any


class BaseInstance:
    """A machine that exists on a provider.

    A plugin may say more of it, as attributes or in :meth:`to_json`: ``session`` (or ``session_id``) for the instance
    of a session, ``running``, ``endpoints``, ``labels``.
    """

    def __init__(  # noqa: PLR0917  the founding document's signature
        self,
        id: Any,  # noqa: A002  the founding document's signature
        name: str,
        realm: str,
        template: str,
        address: str | None,
        flags: Any = None,
        creds: Any = None,
    ) -> None:
        self.id = id
        self.name = name
        self.realm = realm
        self.template = template
        self.address = address
        self.flags = flags or []
        self.creds = creds or []

    def to_json(self) -> dict[str, Any]:
        """Return the instance as plain values; flags and passwords are in it."""
        return self._to_json()

    def _to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "realm": self.realm,
            "template": self.template,
            "address": self.address,
            "flags": self.flags,
            "creds": self.creds,
        }
