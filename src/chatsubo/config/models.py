"""What a configuration consists of: frozen models, complete with their defaults."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field
from msgspec.structs import force_setattr

from chatsubo.config.checks import database_label, database_url, header_name, url_path, username_path
from chatsubo.config.errors import InvalidValue
from chatsubo.config.secrets import Secret
from chatsubo.config.values import Name, Port, checked, http_url, network
from chatsubo.domain.text import N_, Text


class ProviderConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every provider has; a plugin declares its own model by subclassing it, frozen like this one.

    Fields may be ``str``, ``int``, ``float``, ``bool``, literals and enumerations, other frozen structs, tuples and
    string-keyed dictionaries of these, ``X | None``, the types of :mod:`chatsubo.config.values`, ``Path`` (made
    absolute: below the working directory if it is there, else beside the file), :class:`Secret`, and any class with
    ``from_text(text)``. Constraints go into ``Annotated[int, msgspec.Meta(ge=1)]``. Rules between fields go into
    ``__post_init__``, which raises :class:`chatsubo.config.InvalidValue`.

    Attributes:
        realms: The realms that the provider serves.
    """

    realms: Annotated[tuple[Name, ...], Meta(min_length=1)]


class ProviderEntry(Struct, frozen=True, kw_only=True):
    """One configured provider.

    Attributes:
        kind: Which plugin it is for.
        name: Its name, unique in the file.
        model: The plugin's own model, as declared for the kind.
    """

    kind: str
    name: str
    model: ProviderConfig

    @property
    def realms(self) -> tuple[str, ...]:
        """The realms that it serves, each once."""
        return tuple(dict.fromkeys(self.model.realms))


class DisabledEntry(Struct, frozen=True, kw_only=True):
    """One configured provider whose plugin is disabled.

    Attributes:
        kind: Which plugin it is for.
        name: Its name, unique in the file.
        realms: The realms that it would serve, as far as they can be read.
        reason: Why the plugin is disabled.
    """

    kind: str
    name: str
    realms: tuple[str, ...]
    reason: Text


class Endpoints(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paths of a gate's HTTP API, below its URL.

    Attributes:
        config: Hands out a player's VPN configuration; ``:username`` stands for the player.
        check: Says how the gate is.
    """

    config: Annotated[str, checked(username_path)] = "/api/vpn/get/:username"
    check: Annotated[str, checked(url_path)] = "/api/check"


class Gate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The service beside a VPN server that hands out access to a realm.

    Attributes:
        realm: The realm it leads to. Several gates may lead to one realm.
        url: Its base URL, without a slash at the end.
        token: What it knows the platform by.
        header: The HTTP header that carries the token.
        endpoints: The paths of its API.
        shared_connects_back: Whether machines that players share may open connections to players, as players' own may.
    """

    realm: Name
    url: Annotated[str, checked(http_url)]
    token: Secret
    header: Annotated[str, checked(header_name)] = "X-Chatsubo-Token"
    endpoints: Endpoints = field(default_factory=Endpoints)
    shared_connects_back: bool = False


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the platform listens and what it is called from outside.

    Attributes:
        url: The public URL that players type; its path is the prefix of every page. Made from host and port where it
            is not configured.
        host: The address to listen on.
        port: The port to listen on.
        trusted_proxies: Addresses and networks of reverse proxies whose ``X-Forwarded-*`` headers are believed.
        allow_insecure_http: Whether players may log in over plain http.
        metrics_token: Lets its bearer read ``/metrics`` from other machines; without one, only this machine may.
    """

    url: Annotated[str, checked(http_url)] = ""
    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Port = 8080
    trusted_proxies: tuple[Annotated[str, checked(network)], ...] = ()
    allow_insecure_http: bool = False
    metrics_token: Secret | None = None

    def __post_init__(self) -> None:
        if self.url and not self.secure and not self.allow_insecure_http:
            expected = Text(
                N_("an https URL, or allow_insecure_http: true beside it, since passwords cross the network")
            )
            raise InvalidValue(expected, at="url")
        if not self.url:
            name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  not bound, replaced
            force_setattr(self, "url", f"http://{f'[{name}]' if ':' in name else name}:{self.port}")

    @property
    def prefix(self) -> str:
        """The path below which all pages are: ``""`` at the root of the host, else as in ``/ctf``."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def origin(self) -> str:
        """The public URL without its path, as in ``https://ctf.example``."""
        split = urlsplit(self.url)
        return f"{split.scheme}://{split.netloc}"

    @property
    def secure(self) -> bool:
        """Whether players reach the platform over https."""
        return self.url.startswith("https://")


class Database(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the platform keeps what it knows.

    Attributes:
        url: ``sqlite:///`` with a path, or ``postgresql://user:password@host/name``.
    """

    url: Annotated[Secret, checked(database_url)] = Secret("sqlite:///chatsubo.db")

    @property
    def engine(self) -> Literal["sqlite", "postgresql"]:
        """Which database it is."""
        return "sqlite" if self.url.reveal().startswith("sqlite:") else "postgresql"

    @property
    def label(self) -> str:
        """The URL without user and password, for people."""
        return database_label(self.url.reveal())


class Logging(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the platform writes its log.

    Attributes:
        format: One JSON object a line, or lines for people.
        level: The least severe messages that are written.
    """

    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration, checked.

    Attributes:
        providers: The configured providers, in the order of the file.
        disabled: Those whose plugin is disabled, likewise.
        vpns: The gates.
        server: How the platform listens.
        database: Where it keeps its data.
        plugins: The folder of drop-in plugins, absolute; it need not exist.
        media: The folder with boxes' pictures, absolute; it need not exist.
        logging: How it logs.
        warnings: What is allowed but probably not meant.
        source: The file that was read; None for a configuration made by the program.
    """

    providers: tuple[ProviderEntry, ...] = ()
    disabled: tuple[DisabledEntry, ...] = ()
    vpns: tuple[Gate, ...] = ()
    server: Server = field(default_factory=Server)
    database: Database = field(default_factory=Database)
    plugins: Path = Path("plugins")
    media: Path = Path("media")
    logging: Logging = field(default_factory=Logging)
    warnings: tuple[Text, ...] = ()
    source: Path | None = None
