"""The frame around the commands: the list, the version, exit codes, errors in a sentence."""

import resource
import subprocess
import sys
from importlib.metadata import version

import click
import pytest

from chatsubo import cli
from chatsubo.cli import COMMANDS, Lazy, console
from chatsubo.config import ConfigError, Problem
from chatsubo.domain.errors import NotFound
from chatsubo.domain.text import Text
from chatsubo.providers.exc import BackendConnectionException

ERRORS: dict[str, Exception] = {
    "failure": console.Failure("no box of that name", "List them: chatsubo box list"),
    "domain": NotFound(),
    "provider": BackendConnectionException("docker/wz", "refused"),
    "config": ConfigError("chatsubo.yml", [Problem("server.port", Text("a whole number"), line=3)]),
    "file": FileNotFoundError(2, "No such file or directory", "/srv/nowhere"),
    "bug": ZeroDivisionError("division by zero"),
}


@click.command
@click.argument("name")
def failing(name: str) -> None:
    """Fail in the way that was asked for."""
    raise ERRORS[name]


@pytest.fixture
def _with_failing(monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", {**COMMANDS, "failing": Lazy(f"{__name__}:failing", "Fail.")})


def test_every_command_in_the_list_is_there_under_its_name(run):
    for name in COMMANDS:
        command = cli.main.get_command(click.Context(cli.main), name)
        assert command is not None
        assert command.name == name
        assert run(name, "--help").exit_code == 0


def test_help_lists_every_command_with_its_line(run):
    output = run("--help").output
    for name, lazy in COMMANDS.items():
        assert name in output
        assert lazy.summary in output


def test_help_imports_neither_a_command_nor_the_rooms():
    look = (
        "import sys; from chatsubo.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('rich', 'yaml', 'msgspec', 'sqlalchemy')\n"
        "       or name.startswith('chatsubo.') and name != 'chatsubo.cli'], file=sys.stderr)"
    )
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stderr == "[]\n"


def test_help_answers_at_once():
    def measure() -> float:
        """Return the seconds of processor time that it takes: what else the machine is busy with does not count."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", "from chatsubo.cli import main; main(['--help'])"], check=True, stdout=-3)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(measure() for _ in range(5)) < 0.3


def test_the_version_is_the_distributions(run):
    assert run("--version").output == f"chatsubo {version('chatsubo')}\n"


@pytest.mark.parametrize("arguments", [("nonsense",), ("--nonsense",), ("check-config", "a", "b"), ("failing",)])
@pytest.mark.usefixtures("_with_failing")
def test_wrong_usage_ends_with_2(run, arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("failure", 1, ["Error: no box of that name", "List them: chatsubo box list"]),
        ("domain", 1, [str(NotFound().text)]),
        ("provider", 1, ["does not answer", "(docker/wz: refused)"]),
        ("config", 2, ["server.port (line 3): expected a whole number", "chatsubo check-config chatsubo.yml"]),
        ("file", 1, ["No such file or directory: /srv/nowhere"]),
        ("bug", 1, ["ZeroDivisionError: division by zero", "CHATSUBO_DEBUG=1"]),
    ],
)
@pytest.mark.usefixtures("_with_failing")
def test_an_error_is_a_sentence_on_the_standard_error_and_an_exit_code(run, name, code, words):
    result = run("failing", name)
    assert (result.exit_code, result.stdout) == (code, "")
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


@pytest.mark.usefixtures("_with_failing")
def test_a_bug_shows_its_stack_trace_when_asked_to(run):
    result = run("failing", "bug", env={"CHATSUBO_DEBUG": "1"})
    assert isinstance(result.exception, ZeroDivisionError)
