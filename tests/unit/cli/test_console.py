import io
import json
import re
import sys

import pytest

from chatsubo.cli import console
from chatsubo.domain.text import Text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def test_colour_is_for_terminals_only(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stdout", terminal)
    console.say("done", style="green")
    assert "\x1b[" in terminal.getvalue()
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    console.say("done", style="green")
    assert pipe.getvalue() == "done\n"


def test_no_colour_where_the_person_wants_none(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", terminal)
    console.say("done", style="green")
    assert "\x1b[32" not in terminal.getvalue()


def test_a_line_is_written_as_it_is(capsys):
    console.say(Text("pip install 'chatsubo[{extra}]' [bold] :smile: 12", {"extra": "docker"}))
    assert capsys.readouterr().out == "pip install 'chatsubo[docker]' [bold] :smile: 12\n"


def test_a_note_goes_to_the_standard_error(capsys):
    console.note("careful")
    assert capsys.readouterr() == ("", "careful\n")


def test_a_long_line_is_not_cut_in_a_pipe(capsys):
    console.say("x " * 200)
    console.table(["Name"], [["y" * 300]])
    out = capsys.readouterr().out
    assert "x " * 199 in out
    assert "y" * 300 in out


def test_a_table_fits_the_terminal(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", terminal)
    console.table(["Name", "Text"], [["a" * 30, "b " * 100]])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()
    assert 60 < max(map(len, lines)) <= 80


def test_a_table_groups_numbers_and_shows_nothing_as_a_dash(capsys):
    console.table(["Name", "Points"], [["first", 12500], [None, 5]], title="Boxes")
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0].strip() == "Boxes"
    assert lines[-2:] == ["  first   12,500", "  -            5"]


def test_an_empty_table_has_its_headings(capsys):
    console.table(["Name"], [])
    assert "Name" in capsys.readouterr().out


def test_data_is_one_line_of_json(capsys):
    console.data({"name": "été", "flags": [1]})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"name": "été", "flags": [1]}


HOSTILE = "a\x1b[2Jb\x1b]0;title\x07c\x9b31md\re\u202ef\nline"
SHOWN = "a\\u001b[2Jb\\u001b]0;title\\u0007c\\u009b31md\\u000de\\u202ef\nline"


def test_what_others_say_commands_nobodys_terminal(capsys):
    console.say(HOSTILE)
    console.note(HOSTILE)
    console.table(["Name"], [[HOSTILE]], title=HOSTILE)
    console.Failure(HOSTILE, HOSTILE).show()
    console.data({"name": HOSTILE})
    out, err = capsys.readouterr()
    assert out.startswith(f"{SHOWN}\n")
    assert not set(out + err) & set("\x1b\x07\x9b\r\u202e")
    assert json.loads(out.splitlines()[-1]) == {"name": HOSTILE}
