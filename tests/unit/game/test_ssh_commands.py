"""Players copy the command to log in with into their own terminals."""

import pytest

from chatsubo.game.views import CredsView


def ssh(username: str, host: str, port: int = 22) -> str | None:
    return CredsView(type="ssh", username=username, password="").ssh(host, port)


def test_the_command_is_one_that_can_be_pasted() -> None:
    assert ssh("level0", "10.0.0.7") == "ssh level0@10.0.0.7"
    assert ssh("level0", "box.example", 2222) == "ssh -p 2222 level0@box.example"
    assert ssh("level0", "fe80::1%eth0") == "ssh level0@fe80::1%eth0"


@pytest.mark.parametrize("name", ["-oProxyCommand=id", "a;id", "a\nid", "$(id)", "a b", "`id`", "a'", "\x1b[2J", ""])
def test_there_is_none_where_a_shell_would_do_something_else(name: str) -> None:
    assert ssh(name, "10.0.0.7") is None
    assert ssh("level0", name) is None
