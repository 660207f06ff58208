"""What every format is read into, and how what was read becomes entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broadsheet.model import Enclosure, Entry, EntryId, SourceId, identify
from broadsheet.sources.formats.dates import moment

MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedInfo:
    """What a feed says of itself. `link` is the page that it belongs to, `hub` where it can be subscribed to (WebSub)."""

    title: str = ""
    link: str = ""
    language: str = ""
    description: str = ""
    image: str = ""
    hub: str = ""
    self_url: str = ""
    ttl: timedelta | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A feed as read. `kind` is rss, rdf, atom, json, cdf, sitemap, news sitemap or sitemap index; empty: not a feed."""

    feed: FeedInfo
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()
    kind: str = ""
    sitemaps: tuple[str, ...] = ()  # a sitemap index: where its sitemaps are


@dataclass(slots=True, kw_only=True)
class Draft:
    """An item while it is being read: in its own words, with no identity yet."""

    guid: str = ""
    url: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    authors: Sequence[str] = ()
    tags: Sequence[str] = ()
    enclosures: Sequence[Enclosure] = ()
    image: str = ""
    language: str = ""
    publisher: str = ""
    rights: str = ""


@dataclass(slots=True)
class Problems:
    """What went wrong, each said once, with how often."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, problem: str) -> None:
        if problem:
            self.counts[problem] += 1

    def add_all(self, problems: Iterable[str]) -> None:
        for problem in problems:
            self.add(problem)

    def time(self, written: str | None) -> datetime | None:
        """The moment that a date says; what is wrong with it is kept."""
        if not written:
            return None
        found, problem = moment(written)
        if problem:
            self.add(problem)
        return found

    def said(self) -> tuple[str, ...]:
        lines = [f"{what} ({n} times)" if n > 1 else what for what, n in self.counts.items()]
        if len(lines) > MAX_PROBLEMS:
            lines = [*lines[:MAX_PROBLEMS], f"and {len(lines) - MAX_PROBLEMS} problems more"]
        return tuple(lines)


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _identity(draft: Draft, source: SourceId, taken: dict[str, tuple[str, str]], problems: Problems) -> str:
    """The entry's id: of its guid, else its address, else its title; where two items claim one guid, of all three."""
    name = draft.guid or draft.url or draft.title
    if not name:
        problems.add("an entry with no id, link or title got an id from its text")
        name = "\x1e".join((draft.summary, draft.content, str(draft.published), *(e.url for e in draft.enclosures)))
    known = taken.setdefault(name, (draft.url, draft.title))
    if known == (draft.url, draft.title):
        return identify(source, name)
    if known[0] == draft.url and draft.url:  # the same page under a new headline is the same entry
        problems.add("two entries have the same id")
        return identify(source, name)
    problems.add("entries of different pages have the same id; they were told apart by link and title")
    return identify(source, name, draft.url, draft.title)


def entries_of(drafts: Iterable[Draft], source: SourceId, problems: Problems) -> tuple[Entry, ...]:
    """The entries that the drafts are."""
    taken: dict[str, tuple[str, str]] = {}
    return tuple(
        Entry(
            id=EntryId(_identity(draft, source, taken, problems)),
            source=source,
            guid=draft.guid,
            url=draft.url,
            title=draft.title,
            summary=draft.summary,
            content=draft.content,
            published=draft.published,
            updated=draft.updated,
            authors=tuple(draft.authors),
            tags=tuple(draft.tags),
            enclosures=tuple(draft.enclosures),
            image=draft.image,
            language=draft.language,
            publisher=draft.publisher,
            rights=draft.rights,
        )
        for draft in drafts
    )
