"""What a plugin is told of the gates: which realms have one, and where. It needs none of their tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

from chatsubo.config import Gate
from chatsubo.providers.exc import VpnProviderNotFoundException


@dataclass(frozen=True, slots=True)
class Vpn:
    """A gate.

    Attributes:
        realm: The realm that it leads to.
        url: Where it is.
    """

    realm: str
    url: str

    def to_json(self) -> dict[str, Any]:
        """Return the gate as plain values."""
        return asdict(self)


class Vpns(Sequence[Vpn]):
    """The gates of a provider's realms, as its plugin is given them."""

    def __init__(self, gates: Sequence[Gate]) -> None:
        self._vpns = [Vpn(gate.realm, gate.url) for gate in gates]

    def get_by_realm(self, realm: str) -> Vpn:
        """Return the first gate of a realm.

        Raises:
            VpnProviderNotFoundException: If it has none.
        """
        for one in self._vpns:
            if one.realm == realm:
                return one
        raise VpnProviderNotFoundException(f"no gate serves the realm {realm}")

    @overload
    def __getitem__(self, index: int) -> Vpn: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Vpn]: ...
    def __getitem__(self, index: int | slice) -> Vpn | Sequence[Vpn]:
        return self._vpns[index]

    def __len__(self) -> int:
        return len(self._vpns)

    def __iter__(self) -> Iterator[Vpn]:
        return iter(self._vpns)
