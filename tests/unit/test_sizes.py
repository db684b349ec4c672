"""Files and functions are of a size that a stranger reads at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "examples", "scripts", "frontend/src")
KINDS = (".py", ".ts", ".css", ".scss", ".html", ".sh")
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60


def _files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (file for file in sorted((ROOT / folder).rglob("*")) if file.suffix in KINDS)


def test_no_file_is_longer_than_a_stranger_reads() -> None:
    lengths = {file.relative_to(ROOT).as_posix(): len(file.read_text().splitlines()) for file in _files(*FOLDERS)}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}
    assert {Path(name).suffix for name in lengths} >= {".py", ".ts", ".css"}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{file.relative_to(ROOT)}:{node.lineno}": (node.end_lineno or 0) - node.lineno + 1
        for file in _files("src/chatsubo", "scripts")
        if file.suffix == ".py" and "migrations" not in file.parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {place: length for place, length in lengths.items() if length > MOST_LINES_OF_A_FUNCTION} == {}
