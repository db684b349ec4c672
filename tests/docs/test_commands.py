"""Every command that a page shows is there, with the options that it shows."""

import re

import click
import pytest

from chatsubo.cli import main
from tests.docs.commands import commands_of
from tests.docs.pages import ALL, ROOT, Page

every_page = pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE))
MAKE = re.compile("make")


def wrong_with(arguments: list[str]) -> str | None:
    """What is wrong with a call of ``chatsubo``; None if nothing is."""
    command: click.Command = main
    context = click.Context(main)
    rest = list(arguments)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        if found is None:
            return f"there is no command {rest[0]}"
        command, rest = found, rest[1:]
    if isinstance(command, click.Group) and not rest:
        return f"{command.name} needs a command"
    options = {name for param in command.params for name in param.opts} | {"-h", "--help", "$@"}
    unknown = [word for word in rest if word.startswith("-") and word != "-" and word.partition("=")[0] not in options]
    return f"there is no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ("check-config FILE", False),
        ("user create molly --role admin", False),
        ("doctr", True),
        ("user banish molly", True),
        ("serve --no-such-thing", True),
    ],
)
def test_a_command_that_is_not_there_is_noticed(call, wrong):
    assert bool(wrong_with(call.split())) is wrong


def test_commands_are_found_where_readers_find_them(tmp_path):
    page = Page(tmp_path / "page.md")
    page.path.write_text(
        "Type `chatsubo doctor`, or\n\n"
        "    cd /opt && chatsubo db upgrade | cat\n    chown root:chatsubo file\n\n"
        "```ini\nExecStart=/opt/.venv/bin/chatsubo serve\n```\n"
    )
    assert sorted(commands_of(page)) == [["db", "upgrade"], ["doctor"], ["serve"]]


@every_page
def test_every_command_shown_exists(page):
    for arguments in commands_of(page):
        if arguments != ["$@"]:
            assert wrong_with(arguments) is None, f"{page.name}: chatsubo {' '.join(arguments)}"


@every_page
def test_every_make_target_shown_exists(page):
    for arguments in commands_of(page, MAKE):
        targets = [word for word in arguments if "=" not in word and not word.startswith("-")]
        assert set(targets) <= TARGETS, f"{page.name}: make {' '.join(arguments)}"


def test_every_command_is_told_of_somewhere():
    shown = {tuple(arguments[:2]) for page in ALL for arguments in commands_of(page)}
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        for call in [(name, sub) for sub in command.commands] if isinstance(command, click.Group) else [(name,)]:
            assert any(one[: len(call)] == call for one in shown), f"no page shows chatsubo {' '.join(call)}"
