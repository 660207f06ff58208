"""What people add by hand: an address, a page, pasted text, a list of subscriptions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from broadsheet import following, store
from broadsheet.config import Settings
from broadsheet.engine import engine
from broadsheet.errors import InputError, NotFound
from broadsheet.intake import read_pages
from broadsheet.jobs.grouping import group
from broadsheet.jobs.ingesting import finished
from broadsheet.jobs.worker import client_of, reads, writes
from broadsheet.model import Article, Page, ReaderId, Source, identify
from broadsheet.sources import opml
from broadsheet.sources.discover import discover
from broadsheet.sources.fetch import fetch_page
from broadsheet.wording import phrase as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What an address led to, in words, and what is followed now."""

    message: str
    sources: tuple[Source, ...] = ()
    article: Article | None = None
    others: tuple[str, ...] = ()  # feeds that were found as well and not added

    def as_json(self) -> dict[str, Any]:
        return {
            "message": self.message,
            "sources": [{"id": s.id, "url": s.url, "title": s.title} for s in self.sources],
            "article": None if self.article is None else {"id": self.article.id, "title": self.article.title},
            "others": list(self.others),
        }


def reader_named(c: Connection, name: str) -> ReaderId:
    """The reader of that id or name. Raises `NotFound`."""
    for reader in store.readers.all(c):
        if name in (reader.id, reader.name) or reader.name.casefold() == name.casefold():
            return reader.id
    raise NotFound(_("There is no reader named {name} here.", name=name))


async def add_address(db: Engine, settings: Settings, address: str, reader: str | None = None) -> Added:
    """Find out what is behind an address, follow its feed, or read its article where it has none."""
    now = settings.now()
    who = None if reader is None else await reads(db, lambda c: reader_named(c, reader))
    async with client_of(settings) as client:
        found = await discover(address, client)
    if found.found:
        first, *others = found.found

        def save(c: Connection) -> tuple[Source, bool]:
            wanted = opml.Subscription(url=first.url, title=first.title)
            return following.follow(c, [wanted], now, reader=who, kind=first.kind)[0]

        source, is_new = await writes(db, save)
        added = "It is followed now" if is_new else "It was followed already"
        which = f": {first.title or first.url}." if others else "."
        return Added(
            message=f"{found.message} {added}{which}", sources=(source,), others=tuple(other.url for other in others)
        )
    if found.page is not None:
        article = await add_page(db, settings, page=found.page)
        return Added(message=f"{found.message} The article “{article.title}” is read.", article=article)
    raise InputError(found.message or f"Nothing to read was found at {address}.")


async def add_page(
    db: Engine, settings: Settings, *, url: str = "", text: str = "", page: Page | None = None
) -> Article:
    """Read one page, by its address or as pasted text, as an article. Raises `InputError` saying why it is none."""
    now = settings.now()
    if page is None and text.strip():
        page = Page(id=identify("pasted", text), url=url, text=text)
    if page is None:
        async with client_of(settings) as client:
            page = await fetch_page(url, client)
    # In a thread of this process: one page is not worth starting another process for.
    with engine("threads", 1) as runner:
        [read] = await asyncio.to_thread(lambda: [r for batch in runner(read_pages, [[page]]) for r in batch])
    if read.article is None:
        raise InputError(
            _(
                "No article was found: {reason}.",
                reason=read.rejected[0].reason if read.rejected else _("nothing to read"),
            )
        )
    article = finished(read.article, None, None, now)

    def save(c: Connection) -> None:
        if store.articles.save_new(c, [article]):
            store.quotes.save(c, {article.id: read.quotes})

    await writes(db, save)
    await group(db, settings, now)
    return article


def import_opml(db: Engine, body: bytes, *, now: datetime, reader: str | None = None) -> list[str]:
    """Follow what a list holds; gives sentences about what was added, double, or of no use."""
    outline = opml.read(body)
    who = None
    if reader is not None:
        with db.connect() as c:
            who = reader_named(c, reader)
    new, known = following.follow_all(db, outline.subscriptions, now, reader=who)
    count = new + known
    sentences = [f"{count} {'source' if count == 1 else 'sources'} in the list; {new} new, {known} known already."]
    sentences += [f"Twice in the list: {double}" for double in outline.duplicates]
    return [*sentences, *outline.problems]
