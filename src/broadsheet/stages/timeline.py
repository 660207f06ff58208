"""`broadsheet stage timeline`: for each story the dated sentences that tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from broadsheet.articles.passages import passages
from broadsheet.model import Article, ArticleId
from broadsheet.stages import Line, rejected
from broadsheet.stories.timeline import timeline

MOST = 1000  # dates, or sentences a date, that may be asked for


def run(lines: Iterable[Line], **_: Any) -> Iterator[Line]:
    """Each line with `events [{date, sentence, article, start, end}]`, in order of date.

    `length` is how many dates are wanted and `sentences` how many sentences a date; without them the story decides. A
    date with more than one sentence has that many events. `start` and `end` are Unicode characters of the article's text,
    null where its title is quoted. Articles without a time that can be read, or without words, are left out; a story with none left is rejected.
    """
    for line in lines:
        problem, articles = _read(line)
        if problem:
            yield rejected("timeline", line.get("id"), problem)
            continue
        given = {str(a.id): raw for a, raw in articles}
        moments = timeline(
            [a for a, _ in articles], passages, length=line.get("length"), sentences=line.get("sentences")
        )
        yield line | {
            "events": [
                {
                    "date": m.date.date().isoformat(),
                    "sentence": m.sentence,
                    "article": given[m.article],
                    "start": m.start,
                    "end": m.end,
                }
                for m in moments
            ]
        }


def _read(line: Line) -> tuple[str, list[tuple[Article, Any]]]:
    """What is wrong with a line, if anything, and its articles, each with the id it was given."""
    for name in ("length", "sentences"):
        many = line.get(name)
        if many is not None and (isinstance(many, bool) or not isinstance(many, int) or not 1 <= many <= MOST):
            return f"{name} is {many!r}, not a whole number from 1 to {MOST}", []
    written = line.get("articles")
    if not isinstance(written, list):
        return "no list of articles", []
    found: list[tuple[Article, Any]] = []
    for number, raw in enumerate(written):
        if not isinstance(raw, dict):
            return f"article {number + 1} is {type(raw).__name__}, not an object", []
        for name in ("title", "text"):
            if raw.get(name) is not None and not isinstance(raw[name], str):
                return f"article {number + 1}: {name} is {type(raw[name]).__name__}, not text", []
        published = read_time(raw.get("published"))
        title, text = raw.get("title") or "", raw.get("text") or ""
        if published is None or not (title.strip() or text.strip()):
            continue
        # an id that comes twice is two articles all the same
        id_ = ArticleId(f"{number}\x1f{raw.get('id')}")
        found.append((Article(id=id_, url="", title=title, text=text, published=published), raw.get("id")))
    return ("" if found else "no article has both words and a time"), found


def read_time(written: object) -> datetime | None:
    """A time as ISO text or as seconds or milliseconds since 1970; None for what is none."""
    try:
        if isinstance(written, (int, float)) and not isinstance(written, bool):
            return datetime.fromtimestamp(written / 1000 if abs(written) > 1e11 else written, tz=UTC)
        if isinstance(written, str) and written.strip():
            read = datetime.fromisoformat(written.strip())
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
