"""Configuration models as two plugins would declare them."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chatsubo.config import ByteSize, ExistingFile, Host, InvalidValue, Name, Port, ProviderConfig, Secret
from chatsubo.domain.text import Text


class Client(Struct, frozen=True, kw_only=True):
    cert: ExistingFile
    key: ExistingFile


class Api(Struct, frozen=True, kw_only=True):
    host: Host
    port: Port = 2376
    client: Client | None = None
    password: Secret | None = None


class Limits(Struct, frozen=True, kw_only=True):
    memory: ByteSize = ByteSize(256 * 1024**2)
    cpus: Annotated[float, Meta(gt=0)] = 1.0
    processes: Annotated[int, Meta(ge=1)] = 128


class EngineConfig(ProviderConfig, frozen=True, kw_only=True):
    """Nested, with paths, a secret, limits and a rule between fields."""

    api: Api
    root: Path
    network: Name = "chatsubo-gate"
    limits: Limits = field(default_factory=Limits)
    labels: dict[str, int] = field(default_factory=dict)
    mode: Literal["fast", "careful"] = "fast"
    verify_ssl: bool = True

    def __post_init__(self) -> None:
        if self.api.host.scheme == "tcp" and self.api.client is None:
            raise InvalidValue(Text("a client certificate for tcp"), at="api.client")


class Token(Struct, frozen=True, kw_only=True):
    name: str
    value: Secret


class HypervisorConfig(ProviderConfig, frozen=True, kw_only=True):
    """Plain, with a secret two levels down."""

    host: Host
    token: Token
    nodes: tuple[Name, ...] = ("pve",)
    verify_ssl: bool = True

    def __post_init__(self) -> None:
        if self.token.value.reveal() == "quoted":
            raise ValueError(f"a careless model quotes {self.token.value.reveal()}")


KINDS: dict[str, type[ProviderConfig]] = {"engine": EngineConfig, "hyper": HypervisorConfig}
HINTS = {"pve": "pve"}
