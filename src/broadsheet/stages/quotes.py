"""`broadsheet stage quotes`: what each article says that somebody said, with speaker, role, side, verb and offsets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from broadsheet.model import Article, ArticleId, Quote
from broadsheet.stages import Line, rejected
from broadsheet.stories.quotes import quotes


def run(lines: Iterable[Line], **_: Any) -> Iterator[Line]:
    """Each line with `quotes`: content and offsets are those of its `text`, in Unicode characters."""
    for line in lines:
        problem = _problem(line)
        if problem:
            yield rejected("quotes", line.get("id"), problem)
            continue
        yield line | {"quotes": [_written(quote) for quote in quotes(_article(line))]}


def _written(quote: Quote) -> dict[str, object]:
    return {
        "speaker": quote.speaker,
        "role": quote.role,
        "side": quote.side,
        "verb": quote.verb,
        "content": quote.content,
        "start": quote.start,
        "end": quote.end,
        "direct": quote.direct,
    }


def _problem(line: Line) -> str:
    for name in ("title", "text"):
        value = line.get(name)
        if value is not None and not isinstance(value, str):
            return f"{name} is {type(value).__name__}, not text"
    if "text" not in line or line["text"] is None:
        return "no text"
    return ""


def _article(line: Line) -> Article:
    return Article(
        id=ArticleId(str(line.get("id"))),
        url=line["url"] if isinstance(line.get("url"), str) else "",
        title=line.get("title") or "",
        text=line["text"],
        published=_time(line.get("published")),
    )


def _time(written: object) -> datetime | None:
    try:
        return datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
