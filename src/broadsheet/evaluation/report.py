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
        columns = list(dict.fromkeys(name for row in self.rows for name in row.figures))
        table = Table("", *columns, title=f"{self.task}: {self.dataset}", caption="\n".join(self.notes) or None)
        for row in self.rows:
            cells = (f"{row.figures[c]:.4g}" if c in row.figures else "" for c in columns)
            table.add_row(row.name, *cells)
        return table
