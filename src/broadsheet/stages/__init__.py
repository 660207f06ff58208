"""Stages as filters: JSON lines in, JSON lines out, in the same order.

A filter is a module here with `run(lines, **options) -> Iterator[dict]`: it takes the objects of the lines that could
be read and gives one object for each, keeping the fields it does not know. What it cannot use comes back as
`{"id", "rejected": {"stage", "reason"}}`. Reading bytes, bad lines and printing are `filter_lines`'s business alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, cast

import orjson

from broadsheet.errors import InputError

NAMES = ("parse", "extract", "enrich", "group", "quotes", "timeline", "novelty", "rank")

Line = dict[str, Any]


class Filter(Protocol):
    def __call__(self, lines: Iterable[Line], **options: Any) -> Iterator[Line]: ...


def rejected(stage: str, id: Any, reason: str) -> Line:  # noqa: A002
    """The line that stands for one that was dropped."""
    return {"id": id, "rejected": {"stage": stage, "reason": reason}}


def load(name: str) -> Filter:
    """The filter of that name. Raises `InputError` for a name that is none."""
    if name not in NAMES:
        raise InputError(f"There is no stage {name!r}: choose one of {', '.join(NAMES)}.")
    return cast(Filter, importlib.import_module(f"broadsheet.stages.{name}").run)


def filter_lines(name: str, run: Filter, raw: Iterable[bytes], **options: Any) -> Iterator[bytes]:
    """Run a filter over lines of JSON. Every line that is not empty gives one line, in the order of the input."""
    waiting: dict[int, Line] = {}  # lines that never reached the filter, by their place in the input
    position = 0

    def read() -> Iterator[Line]:
        nonlocal position
        for number, line in enumerate(raw, 1):
            if not line.strip():
                continue
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError as e:
                waiting[position] = rejected(name, None, f"line {number} is not JSON: {e}")
                position += 1
                continue
            if not isinstance(value, dict):
                waiting[position] = rejected(name, None, f"line {number} is not a JSON object")
            elif "id" not in value:
                waiting[position] = rejected(name, None, f"line {number} has no id")
            else:
                position += 1
                yield value
                continue
            position += 1

    given = 0
    for result in run(read(), **options):
        while given in waiting:
            yield orjson.dumps(waiting.pop(given)) + b"\n"
            given += 1
        yield orjson.dumps(result) + b"\n"
        given += 1
    while given in waiting:
        yield orjson.dumps(waiting.pop(given)) + b"\n"
        given += 1
