"""What was measured: a table for people, the same as JSON in `.bench/`, and at the end the ratios."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

FOLDER = Path(".bench")


@dataclass(frozen=True)
class Row:
    """One figure."""

    what: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Ratio:
    """Two figures of one run, one through the other; ``goal`` is the most that it should be, if there is one."""

    what: str
    ours: float
    bare: float
    goal: float | None = None

    @property
    def value(self) -> float:
        return self.ours / self.bare

    def __str__(self) -> str:
        goal = f" (goal: at most {self.goal})" if self.goal is not None else ""
        return f"{self.what}: {self.ours:.4g} s / {self.bare:.4g} s = {self.value:.2f}{goal}"


@dataclass
class Report:
    """Everything that one run measured."""

    rows: list[Row] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)

    def add(self, what: str, value: str, note: str = "") -> None:
        self.rows.append(Row(what, value, note))

    def compare(self, what: str, ours: list[float], bare: list[float], goal: float | None = None) -> None:
        """Keep two series of seconds, and the ratio of their medians."""
        self.add(f"{what}, ours", spread(ours))
        self.add(f"{what}, bare", spread(bare))
        self.ratios.append(Ratio(what, median(ours), median(bare), goal))

    def publish(self) -> None:
        """Write the table and the ratios."""
        console = Console(highlight=False)
        table = Table("measured", "figure", "note", title=f"Chatsubo on {os.cpu_count()} cores, {platform.platform()}")
        for row in self.rows:
            table.add_row(row.what, row.value, row.note)
        console.print(table)
        FOLDER.mkdir(exist_ok=True)
        content = {
            "rows": [asdict(row) for row in self.rows],
            "ratios": [{**asdict(ratio), "value": ratio.value} for ratio in self.ratios],
        }
        (FOLDER / "results.json").write_text(json.dumps(content, indent=2))
        for ratio in self.ratios:
            console.print(str(ratio))


def spread(seconds: list[float]) -> str:
    """Return the smallest, the median and the greatest of a series, in milliseconds."""
    low, middle, high = (
        f"{1000 * one:.0f}" if one >= 0.1 else f"{1000 * one:.1f}"
        for one in (min(seconds), median(seconds), max(seconds))
    )
    return f"{middle} ms ({low} to {high}, n={len(seconds)})"
