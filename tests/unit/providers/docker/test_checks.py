"""What ``doctor`` says about an engine."""

from pathlib import Path

import pytest

from chatsubo.config import Host
from chatsubo.domain.text import N_, Text
from chatsubo.providers.base import Listing, Rejected
from chatsubo.providers.docker import checks
from chatsubo.providers.docker.config import Api, DockerConfig
from chatsubo.providers.docker.instance import volumes
from chatsubo.providers.docker.options import read_options
from chatsubo.providers.docker.template import DockerTemplate
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


def texts_in(text: Text) -> set[str]:
    """Return the messages of the texts inside ``text``: what is put into the reader's language with it."""
    inner = [value for _, value in text.values if isinstance(value, Text)]
    return {one.message for one in inner}.union(*(texts_in(one) for one in inner))


def test_a_sentence_holds_no_english_that_cannot_be_translated():
    reason = Text(N_("line {line}: expected NAME=VALUE"), {"line": 3})
    rejected: Listing[DockerTemplate] = Listing((), [Rejected("web", reason)])
    assert reason.message in texts_in(list(checks.templates(rejected))[-1].text)

    (unlimited, *_) = [one for one in checks.engine({}, {"MemoryLimit": False}) if not one.ok]
    assert texts_in(unlimited.text) == {"memory"}

    labels = {"chatsubo.limits.memory": "lots", "chatsubo.limits.cpus": "900", "chatsubo.internet": "true"}
    options = read_options(labels)
    (ignored,) = options.warnings
    assert any("{" in one or " " in one for one in texts_in(ignored))

    template = DockerTemplate("web", "docker", {}, dynamic=True)
    template.options = options
    config = DockerConfig(realms=("wz01",), api=Api(socket=Path("/x")))
    found = [texts_in(one.text) for one in checks.allowed(Listing([template]), config)]
    assert found == [
        {"it asks for the internet, which allow.internet does not permit"},
        {"it asks for more {what} than {setting} permits", "processors"},
    ]
    (volume,) = volumes([{"Type": "volume", "Name": "spool", "Destination": "/spool"}])
    assert volume == Text("volume {source} at {target}", {"source": "spool", "target": "/spool"})
