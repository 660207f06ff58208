"""feedparser, for the feeds that are past repairing: it finds items in anything. Slow, so only where it finds more."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Any

import feedparser

from broadsheet.model import Enclosure
from broadsheet.sources.formats.parsed import Draft, FeedInfo, Problems, distinct
from broadsheet.sources.formats.text import join, one_line, plain
from broadsheet.sources.formats.tree import Reading


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(value), UTC) if value else None
    except (ValueError, OverflowError, TypeError, OSError):
        return None


def _length(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _draft(entry: Any, base: str) -> Draft:
    contents = entry.get("content") or ()
    thumbnails = entry.get("media_thumbnail") or ()
    return Draft(
        guid=str(entry.get("id") or ""),
        url=join(base, str(entry.get("feedburner_origlink") or entry.get("link") or "")),
        title=plain(str(entry.get("title") or "")),
        summary=str(entry.get("summary") or ""),
        content=str(contents[0].get("value") or "") if contents else "",
        published=_time(entry.get("published_parsed")),
        updated=_time(entry.get("updated_parsed")) if "updated" in entry else None,
        authors=distinct(one_line(str(a.get("name") or a.get("email") or "")) for a in entry.get("authors") or ()),
        tags=distinct(one_line(str(t.get("term") or t.get("label") or "")) for t in entry.get("tags") or ()),
        enclosures=tuple(
            Enclosure(url=join(base, str(e["href"])), type=str(e.get("type") or ""), length=_length(e.get("length")))
            for e in entry.get("enclosures") or ()
            if e.get("href")
        ),
        image=join(base, str(thumbnails[0].get("url") or "")) if thumbnails else "",
        publisher=plain(str((entry.get("source") or {}).get("title") or "")),
        rights=plain(str(entry.get("rights") or "")),
    )


def read(text: str, url: str, problems: Problems) -> Reading | None:
    """What feedparser makes of the text; None where it finds no feed."""
    try:
        found = feedparser.parse(
            text.encode("utf-8", "replace"),
            response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
            sanitize_html=False,
        )
    except Exception as e:  # a parser of last resort must not be the one that stops the program
        problems.add(f"feedparser failed on the feed: {type(e).__name__}")
        return None
    if not found.entries and not found.version:
        return None
    link = join(url, str(found.feed.get("link") or ""))
    info = FeedInfo(
        title=plain(str(found.feed.get("title") or "")),
        link=link,
        language=str(found.feed.get("language") or ""),
        description=plain(str(found.feed.get("subtitle") or "")),
    )
    problems.add("the feed was read by the tolerant parser")
    kind = "atom" if str(found.version).startswith("atom") else "rss"
    return Reading(info, [_draft(entry, link or url) for entry in found.entries], "atom" if kind == "atom" else "rss")
