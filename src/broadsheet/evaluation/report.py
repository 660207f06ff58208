"""What an evaluation found: named rows of figures, drawn as a table or given as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one task on one set; `notes` are sentences that the figures need to be read right."""

    task: str
    dataset: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "task": self.task,
            "dataset": self.dataset,
            "rows": {row.name: dict(row.figures) for row in self.rows},
            "notes": list(self.notes),
        }

    def as_table(self) -> Table:
        columns = list(dict.fromkeys(name for row in self.rows for name in row.figures if not name.endswith(" ±")))
        table = Table("", *columns, title=f"{self.task}: {self.dataset}", caption="\n".join(self.notes) or None)
        for row in self.rows:
            table.add_row(row.name, *(_cell(row.figures, column) for column in columns))
        return table


def _cell(figures: Mapping[str, float], name: str) -> str:
    """A figure, with half of its interval where `name ±` is known."""
    if name not in figures:
        return ""
    half = figures.get(f"{name} ±")
    return f"{figures[name]:.4g}" + ("" if half is None else f" ± {half:.2g}")
