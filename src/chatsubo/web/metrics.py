"""The figures behind ``/metrics``, in Prometheus's format."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

MEDIA_TYPE = CONTENT_TYPE_LATEST
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts requests and listeners, and shows what the lab says of itself."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter(
            "chatsubo_http_requests", "Answered requests.", (*labels, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "chatsubo_http_request_seconds",
            "How long answers took; event streams are left out.",
            labels,
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._listeners = Gauge("chatsubo_live_listeners", "Open event streams.", registry=self._registry)
        self._sessions = Gauge("chatsubo_sessions", "Live sessions by state.", ("state",), registry=self._registry)
        self._providers = Gauge(
            "chatsubo_provider_up", "Whether a provider answers.", ("provider",), registry=self._registry
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            method: Its HTTP method.
            route: The route that it met, as it was declared.
            status: The answer's status; 0 where the browser went away before there was one.
            seconds: How long the answer took.
        """
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        if not route.endswith("/live"):
            self._seconds.labels(method, route).observe(seconds)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count a listener for as long as the context lasts."""
        self._listeners.inc()
        try:
            yield
        finally:
            self._listeners.dec()

    def text(self, sessions: Mapping[str, int], providers: Mapping[str, bool]) -> bytes:
        """Return all figures as they are now."""
        self._sessions.clear()
        for state, count in sessions.items():
            self._sessions.labels(state).set(count)
        self._providers.clear()
        for provider, up in providers.items():
            self._providers.labels(provider).set(up)
        return generate_latest(self._registry)
