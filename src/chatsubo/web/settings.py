"""What the web room needs to know about where it is served."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from chatsubo.config.models import Server
from chatsubo.config.secrets import Secret
from chatsubo.domain.errors import ChatsuboError
from chatsubo.domain.text import N_


class InsecureAddress(ChatsuboError):
    """The public address is plain http, and nothing says that this is meant."""

    code = "insecure-address"
    message = N_(
        "The server is reached at {url}: over plain http anybody on the way can read passwords and take over logins. "
        "Put a reverse proxy with TLS in front and set server.url to its https address, or, on a network that you "
        "trust, set server.allow_insecure_http to true."
    )


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where and how the pages are served.

    Attributes:
        public_url: What players type, without a slash at its end; its path is the prefix.
        csrf_secret: Signs the CSRF tokens. It should outlive a restart, so that open pages keep working.
        trusted_proxies: Addresses and networks of reverse proxies whose ``X-Forwarded-*`` headers are believed.
        allow_insecure_http: Whether logins over plain http are allowed.
        metrics_token: Lets its bearer read ``/metrics`` from elsewhere than this machine.
        media: The folder with the pictures of boxes.
        keep_alive: Seconds between two signs of life on an event stream.
        max_body: Bytes that a request's body may have.
        is_local: Whether only programs on this machine reach the server, as they do the demo.
    """

    public_url: str
    csrf_secret: Secret
    trusted_proxies: tuple[str, ...] = ()
    allow_insecure_http: bool = False
    metrics_token: Secret | None = None
    media: Path | None = None
    keep_alive: float = 15.0
    max_body: int = 1_000_000
    is_local: bool = False

    def __post_init__(self) -> None:
        if not self.secure and not self.allow_insecure_http:
            raise InsecureAddress(url=self.public_url)

    @classmethod
    def from_server(cls, server: Server, csrf_secret: Secret, *, demo: bool = False, media: Path | None = None) -> Self:
        """Return the settings for the configured ``server``.

        Args:
            server: The configuration's section.
            csrf_secret: Signs the CSRF tokens.
            demo: Whether this is the demo, which may be served over plain http.
            media: The folder with the pictures of boxes.

        Raises:
            InsecureAddress: If the address is plain http and neither the demo nor the configuration allows that.
        """
        return cls(
            public_url=server.url.rstrip("/"),
            csrf_secret=csrf_secret,
            trusted_proxies=tuple(server.trusted_proxies),
            allow_insecure_http=demo or server.allow_insecure_http,
            metrics_token=server.metrics_token,
            media=media,
            is_local=is_loopback(server.host) and is_loopback(urlsplit(server.url).hostname or ""),
        )

    @property
    def secure(self) -> bool:
        """Whether players come over https."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def prefix(self) -> str:
        """The path below which everything is: ``""`` at the root, else as in ``/ctf``."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def origin(self) -> str:
        """The public URL without its path, as in ``https://ctf.example``."""
        split = urlsplit(self.public_url)
        return f"{split.scheme}://{split.netloc}"

    def url(self, path: str) -> str:
        """Return the address of ``path``, which begins with a slash, on this host."""
        return f"{self.prefix}{path}"


def is_address(host: str) -> bool:
    """Return whether ``host`` is an IP address rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this very machine."""
    return host == "localhost" or (is_address(host) and ip_address(host).is_loopback)
