"""Short ways to say what a test is about: `an_article(...)`, `a_story(...)`, `a_reader(...)`, all at a fixed clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from broadsheet.model import (
    Article,
    ArticleId,
    Entry,
    EntryId,
    Reader,
    ReaderId,
    Source,
    SourceId,
    Story,
    StoryId,
    identify,
)

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def a_source(url: str = "https://example.org/feed.xml", **fields: Any) -> Source:
    return Source(**{"id": SourceId(identify(url)), "url": url, "title": "Example", "added": NOON} | fields)


def an_entry(title: str = "A headline", **fields: Any) -> Entry:
    url = fields.get("url", f"https://example.org/{identify(title)}")
    given = {"id": EntryId(identify(url)), "source": SourceId("source"), "guid": url, "url": url, "title": title}
    return Entry(**given | {"published": NOON} | fields)


def an_article(title: str = "A headline", text: str = "A body that says something.", **fields: Any) -> Article:
    url = fields.get("url", f"https://example.org/{identify(title)}")
    given = {"id": ArticleId(identify(url)), "url": url, "title": title, "text": text, "publisher": "Example"}
    return Article(**given | {"published": NOON, "first_seen": NOON, "language": "en"} | fields)


def a_story(headline: str = "A headline", **fields: Any) -> Story:
    given = {"id": StoryId(identify(headline)), "headline": headline, "articles": (ArticleId(identify(headline, "a")),)}
    return Story(**given | {"publishers": ("Example",), "first_seen": NOON, "last_seen": NOON} | fields)


def a_reader(name: str = "Ada", **fields: Any) -> Reader:
    return Reader(**{"id": ReaderId(name.lower()), "name": name, "created": NOON} | fields)
