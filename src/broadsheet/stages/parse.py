"""The `parse` stage: a body in, a feed out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from broadsheet.model import Entry, SourceId
from broadsheet.sources.formats import Parsed, parse
from broadsheet.stages import Line, rejected


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def _entry(entry: Entry) -> Line:
    return {
        "id": entry.guid,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "content": entry.content,
        "published": _moment(entry.published),
        "updated": _moment(entry.updated),
        "authors": list(entry.authors),
        "tags": list(entry.tags),
        "enclosures": [{"url": e.url, "type": e.type, "length": e.length} for e in entry.enclosures],
    }


def _line(given: Line, parsed: Parsed) -> Line:
    kept = {name: value for name, value in given.items() if name != "body_base64"}
    return kept | {
        "feed": {"title": parsed.feed.title, "link": parsed.feed.link, "language": parsed.feed.language},
        "entries": [_entry(entry) for entry in parsed.entries],
        "problems": list(parsed.problems),
    }


def run(lines: Iterable[Line], **options: Any) -> Iterator[Line]:
    """One feed for each body, in order. A body that is no feed has no entries and a problem that says why."""
    for line in lines:
        body, url, content_type = line.get("body_base64"), line.get("url") or "", line.get("content_type") or ""
        if not isinstance(body, str):
            yield rejected("parse", line.get("id"), "the line has no body_base64")
            continue
        if not isinstance(url, str) or not isinstance(content_type, str):
            yield rejected("parse", line.get("id"), "url and content_type must be texts")
            continue
        try:
            raw = base64.b64decode("".join(body.split()), validate=True)
        except (binascii.Error, ValueError) as e:
            yield rejected("parse", line.get("id"), f"body_base64 is not base64: {e}")
            continue
        yield _line(line, parse(raw, url=url, content_type=content_type, source=SourceId(url)))
