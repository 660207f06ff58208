"""The measures: how well each stage does its work on labelled sets."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, cast

from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report

TASKS = (
    "extraction",
    "enrichment",
    "entities",
    "feeds",
    "stories",
    "threads",
    "quotes",
    "timelines",
    "novelty",
    "ranking",
    "rankers",
    "beyond",
    "cold",
    "quiet",
    "spreading",
    "authors",
)


def measure(task: str, path: Path, **options: Any) -> Report:
    """The figures of a task on a labelled set; `options` are the task's own. Raises `InputError` for a task that is none."""
    if task not in TASKS:
        raise InputError(f"There is nothing called {task!r} to evaluate: choose one of {', '.join(TASKS)}.")
    return cast(Report, importlib.import_module(f"broadsheet.evaluation.{task}").evaluate(path, **options))
