"""A VPN server and a kernel that remember what they were told, and fail when asked to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from chatsubo.config import Secret
from chatsubo.gate.config import GateConfig
from chatsubo.gate.errors import FirewallError, GateFault, TunnelError
from chatsubo.gate.gate import Gate
from chatsubo.gate.model import Addresses, Connection, Keys, Pair, Peer
from chatsubo.gate.state import State

ONLINE = Connection(online=True, handshake=1.0, received=2, sent=3)
OFFLINE = Connection(online=False, handshake=1.0, received=2, sent=3)


class FakeTunnel:
    """Who may connect, and who does."""

    def __init__(self) -> None:
        self.admitted: set[str] = set()
        self.connected: dict[str, Connection] = {}
        self.broken = False
        self.fault: GateFault | None = None
        self.steps: list[str] = []

    def issue(self, uid: str, addresses: Addresses) -> Keys:
        return Keys(public=f"public-{uid}-{addresses.four}", material=Secret(f"private-{uid}"))

    def client_file(self, peer: Peer) -> str:
        return f"{peer.keys.material.reveal()} {peer.addresses.four}"

    async def up(self, peers: Sequence[Peer]) -> None:
        self._do("up")
        self.admitted = {one.uid for one in peers}

    async def admit(self, peers: Sequence[Peer]) -> None:
        self._do("admit")
        self.admitted |= {one.uid for one in peers}

    async def expel(self, peers: Iterable[Peer]) -> None:
        self._do("expel")
        self.admitted -= {one.uid for one in peers}

    async def connections(self) -> Mapping[str, Connection]:
        self._do("connections")
        return dict(self.connected)

    async def down(self) -> None:
        self._do("down")

    def _do(self, step: str) -> None:
        self.steps.append(step)
        if self.fault is not None:
            raise self.fault
        if self.broken:
            raise TunnelError("the VPN server is away")


class FakeRules:
    """Which pairs the kernel lets through; None for no rules at all."""

    def __init__(self) -> None:
        self.held: set[Pair] | None = None
        self.broken = False

    async def install(self, pairs: Collection[Pair]) -> None:
        self._do()
        self.held = set(pairs)

    async def change(self, add: Collection[Pair], remove: Collection[Pair]) -> None:
        self._do()
        assert self.held is not None
        self.held = (self.held - set(remove)) | set(add)

    async def matches(self, pairs: Collection[Pair]) -> bool:
        self._do()
        return self.held == set(pairs)

    async def tend(self) -> None:
        self._do()

    async def remove(self) -> None:
        self.held = None

    def reach(self) -> set[tuple[str, str]]:
        return {(str(one.player), str(one.machine)) for one in self.held or ()}

    def _do(self) -> None:
        if self.broken:
            raise FirewallError("the kernel refuses")


class Bench:
    """A gate with its parts in reach; `again` is the next process, with the same file and the same kernel."""

    def __init__(self, folder: Path, token: str = "hunter2", **settings: object) -> None:
        self.config = GateConfig(realm="wz01", auth_token=Secret(token), state=folder, **settings)  # type: ignore[arg-type]
        self.now = 1_000_000.0
        self.tunnel, self.rules = FakeTunnel(), FakeRules()
        self.state = State(folder)
        self.gate = self._gate()

    def again(self) -> Gate:
        self.state.close()
        self.state = State(self.config.state)
        self.gate = self._gate()
        return self.gate

    def uid(self, name: str) -> str:
        return self.gate.peer(name).uid

    def _gate(self) -> Gate:
        return Gate(self.config, self.state, self.tunnel, self.rules, lambda: self.now)
