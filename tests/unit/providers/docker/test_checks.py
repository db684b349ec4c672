"""What ``doctor`` says about an engine."""

from pathlib import Path

import pytest

from chatsubo.config import Host
from chatsubo.providers.docker import checks
from chatsubo.providers.docker.config import Api
from chatsubo.providers.exc import BackendConnectionException, Misconfigured


@pytest.mark.parametrize(
    ("api", "words", "unsaid"),
    [
        (Api(socket=Path("/run/docker.sock")), ["/run/docker.sock", "group docker"], "api.host"),
        (Api(host=Host("docker.example"), tls=False), ["api.host", "api.port"], "socket"),
    ],
)
def test_an_engine_that_does_not_answer_is_looked_for_where_it_is_configured(
    api: Api, words: list[str], unsaid: str
) -> None:
    finding = checks.error(BackendConnectionException("docker/lab", "no such file"), api)

    assert str(finding.text) == "docker/lab: no such file"
    assert all(word in str(finding.remedy) for word in words)
    assert unsaid not in str(finding.remedy)
    assert checks.error(Misconfigured("docker/lab: wrong"), api).remedy is None
