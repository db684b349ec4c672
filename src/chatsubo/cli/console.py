"""How commands speak: a line of what happens, a table where there is a list, JSON for machines.

Results go to the standard output, everything else to the standard error. Colour is for terminals only. What labels and
hypervisors say is shown: it commands nobody's terminal.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console as Terminal
from rich.table import Table
from rich.text import Text as Styled

from chatsubo.domain.text import Text, visible

_UNWRAPPED = 10_000

json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for other programs.")
"""The option ``--json`` of every command that has something to tell, as the argument ``as_json``."""


class Failure(click.ClickException):
    """A command could not do what it was asked to.

    Args:
        message: What happened.
        next_step: What to do about it.
    """

    exit_code = 1

    def __init__(self, message: Text | str, next_step: Text | str | None = None) -> None:
        super().__init__(str(message))
        self.next_step = next_step

    def show(self, file: Any = None) -> None:
        """Write the failure to the standard error."""
        console = _terminal(file or sys.stderr)
        console.print(Styled.assemble(("Error: ", "bold red"), visible(self.message)), soft_wrap=True)
        if self.next_step is not None:
            console.print(Styled(visible(str(self.next_step))), soft_wrap=True)


class Misconfigured(Failure):
    """A command was given a configuration, or options, that it cannot work with."""

    exit_code = 2


def say(line: Text | str, *, style: str = "") -> None:
    """Write one line of what happens to the standard output."""
    _terminal(sys.stdout).print(Styled(visible(str(line)), style), soft_wrap=True)


def note(line: Text | str) -> None:
    """Write one line that is not the result (a warning, progress) to the standard error."""
    _terminal(sys.stderr).print(Styled(visible(str(line)), "yellow"), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: Text | str = "") -> None:
    """Write a list to the standard output.

    Args:
        columns: The headings.
        rows: The cells; None is shown as a dash, numbers to the right.
        title: A line above the table.
    """
    listed = [list(row) for row in rows]
    drawn = Table(title=visible(str(title)) or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for index, heading in enumerate(columns):
        numeric = bool(listed) and all(isinstance(row[index], int | float) for row in listed)
        drawn.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        drawn.add_row(*(Styled("-" if cell is None else _cell(cell)) for cell in row))
    _terminal(sys.stdout).print(drawn)


def data(value: object) -> None:
    """Write ``value`` as one line of JSON to the standard output."""
    click.echo(visible(json.dumps(value, ensure_ascii=False)))


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else visible(str(value))


def _terminal(file: Any) -> Terminal:
    terminal = Terminal(file=file, highlight=False, markup=False, emoji=False)
    if not terminal.is_terminal:
        terminal.width = _UNWRAPPED
    return terminal
