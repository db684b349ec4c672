"""What is written down of a request, and what never is."""

import pytest
from structlog.testing import capture_logs

from tests.game.world import PASSWORD
from tests.web.site import Site


async def test_a_request_is_one_line_with_its_number(site: Site) -> None:
    with capture_logs() as logs:
        answer = await site.browser("192.0.2.7").get("/api/v1/me?x=1")

    (line,) = logs
    assert (line["event"], line["method"], line["path"], line["status"]) == ("request", "GET", "/api/v1/me", 401)
    assert line["client"] == "192.0.2.7"
    assert isinstance(line["ms"], int)
    assert len(answer.headers["x-request-id"]) == 16


async def test_a_path_cannot_write_to_the_terminal_that_shows_the_log(site: Site) -> None:
    with capture_logs() as logs:
        await site.browser().get("/%1b%5b2J%0anext")

    assert logs[0]["path"] == "/%1B%5B2J%0Anext"


async def test_probes_are_quiet(site: Site) -> None:
    with capture_logs() as logs:
        await site.browser().get("/healthz")

    assert [line["log_level"] for line in logs] == ["debug"]


async def test_no_password_token_flag_or_query_is_written_down(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError

    with capture_logs() as logs:
        case = await site.player()
        await case.log_in("case", "a wrong password")
        await case.post("/api/v1/submissions", {"value": "FLAG{a secret flag}"})
        await case.get("/boxes/none?token=in-the-query")
        monkeypatch.setattr(type(site.world.game.submissions), "submit", broken)
        await case.post("/api/v1/submissions", {"value": "FLAG{a secret flag}"})

    csrf = (await case.get("/api/v1/csrf")).json()["token"]
    written = repr([{**line, "exc_info": repr(line.get("exc_info"))} for line in logs]) + capsys.readouterr().out
    for secret in (PASSWORD, "a wrong password", case.token, csrf, "a secret flag", "in-the-query"):
        assert secret not in written
