"""Ingest: every waiting entry becomes an article, or a reason why it is none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.articles.enrich import Enrichment
from broadsheet.articles.extract import Extraction, needs_page
from broadsheet.articles.identity import canonical_url
from broadsheet.config import Settings
from broadsheet.engine import Runner, Serial, WorkerDied
from broadsheet.errors import FetchError
from broadsheet.intake import Read, read_pages
from broadsheet.jobs.rewriting import Rewritten, rewritten, save_rewritten
from broadsheet.jobs.worker import LEASE, Done, Progress, clock, quiet, reads, worker_name, writes
from broadsheet.model import Article, ArticleId, Entry, Page, Quote, Rejected, Source, SourceId, identify
from broadsheet.sources.fetch import fetch_page
from broadsheet.sources.net import Client
from broadsheet.sources.outlets import outlet_of, publisher_name
from broadsheet.sources.robots import Robots

log = logging.getLogger("broadsheet")

ENTRIES = 32  # entries in one batch: a model's batch, and what is done again after a kill

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def finished(article: Article, source: Source | None, entry: Entry | None, now: datetime) -> Article:
    """The article with what only its source knows: whose it is, and a time that can be."""
    published = article.published
    if published is not None and not EARLIEST <= published <= now + timedelta(days=1):
        published = None  # a wrong date would keep it at the top for ever, or bury it
    elif published is not None:
        published = min(published, now)
    outlet = outlet_of(article.url)
    publisher = (
        (entry.publisher if entry else "")
        or (outlet.name if outlet else "")
        or (source.outlet.name if source and source.outlet else "")
        or article.publisher
        or publisher_name(article.url or (source.url if source else ""), source.title if source else "")
    )
    return replace(
        article,
        published=published,
        first_seen=now,
        publisher=publisher,
        source=source.id if source else article.source,
        licence=article.licence or (entry.rights if entry else ""),
        language=article.language or (source.language if source else ""),
    )


def article_id(url: str) -> ArticleId:
    """The id that the article at an address has."""
    return ArticleId(identify(canonical_url(url)))


@dataclass(slots=True, kw_only=True)
class Ingest:
    """What ingesting needs, together."""

    db: Engine
    client: Client
    runner: Runner
    settings: Settings
    worker: str
    robots: Robots = field(default_factory=Robots)
    extraction: Extraction = field(default_factory=Extraction)
    enrichment: Enrichment = field(default_factory=Enrichment)

    async def _page(self, entry: Entry, source: Source | None, now: datetime) -> tuple[Page, Rejected | None]:
        """What to read for the entry: its page where that is worth asking for and may be asked, else what it carries."""
        carried = Page(id=entry.id, url=entry.url, entry=entry)
        when = entry.published or entry.updated
        fresh = when is None or when >= now - self.settings.live  # nobody will see what is older: spare its site
        if not (source is None or source.full_text) or not fresh or not needs_page(entry, self.extraction):
            return carried, None

        def refused(reason: str) -> tuple[Page, Rejected]:
            return carried, Rejected(stage="page", subject=entry.url, reason=reason)

        try:
            if not await self.may_read(entry.url, now):
                return refused("the site asks programs not to read this page; what the feed carries is shown")
            page = await fetch_page(entry.url, self.client, entry)
        except FetchError as e:
            return refused(f"{e.reason}; what the feed carries is shown")
        return replace(page, id=entry.id), None

    async def may_read(self, url: str, now: datetime) -> bool:
        """Whether the site lets programs read this page, or the operator does not ask."""
        return not self.settings.respect_robots or await self.robots.allowed(url, self.client, now)

    async def read(self, pages: Sequence[Page]) -> list[Read]:
        """The pages through the stage. A page that kills its worker is found by halving, and dropped alone."""
        if not pages:
            return []
        stage = partial(read_pages, extraction=self.extraction, enrichment=self.enrichment)
        answers = self.runner(stage, [pages])
        try:
            return [read for batch in await asyncio.to_thread(list, answers) for read in batch]
        except WorkerDied as e:
            if len(pages) == 1:
                return [Read(article=None, rejected=(Rejected(stage="extract", subject=pages[0].url, reason=str(e)),))]
        except Exception as e:
            if len(pages) == 1:
                log.exception("reading %s", pages[0].url)
                reason = f"reading it failed inside Broadsheet ({type(e).__name__}: {e})"
                return [Read(article=None, rejected=(Rejected(stage="extract", subject=pages[0].url, reason=reason),))]
        half = len(pages) // 2
        return [*await self.read(pages[:half]), *await self.read(pages[half:])]

    async def batch(self, entries: Sequence[Entry], now: datetime) -> tuple[int, int]:
        """Entries to articles, saved together; gives how many articles are new and how many entries were dropped.

        What a source changed of an entry is read again, and kept beside what it said before.
        """

        def ask_store(c: Connection) -> tuple[dict[SourceId, Source], set[ArticleId], dict[ArticleId, Article]]:
            sources = {s.id: s for s in store.sources.many(c, (e.source for e in entries))}
            before = store.articles.many(c, (article_id(e.url) for e in entries if e.url and e.revision))
            known = store.articles.known(c, (article_id(e.url) for e in entries if e.url))
            return sources, known, {article.id: article for article in before}

        sources, known, before = await reads(self.db, ask_store)
        fresh = [e for e in entries if e.revision or not e.url or article_id(e.url) not in known]
        fetched = await asyncio.gather(*(self._page(entry, sources.get(entry.source), now) for entry in fresh))
        answers = await self.read([page for page, _ in fetched])
        found: list[Article] = []
        said: dict[ArticleId, Sequence[Quote]] = {}
        changes: list[Rewritten] = []
        rejected: list[Rejected] = []
        dropped = 0
        for entry, (_, refusal), read in zip(fresh, fetched, answers, strict=True):
            rejected += [*([refusal] if refusal else []), *read.rejected]
            if read.article is None:
                dropped += 1
                continue
            article = finished(read.article, sources.get(entry.source), entry, now)
            old = before.get(article.id)
            if old is None and article.id not in known:
                said[article.id] = read.quotes
            if old is None:
                found.append(article)
            elif old.source == article.source and refusal is None and (change := rewritten(old, article, now)):
                changes.append(change)
                said[article.id] = read.quotes

        def save(c: Connection) -> int:
            new = store.articles.save_new(c, found)
            save_rewritten(c, changes)
            store.quotes.save(c, said)
            store.rejections.save(c, rejected, now)
            store.entries.done(c, (entry.id for entry in entries))
            return new

        return await writes(self.db, save), dropped

    async def run(self, now: datetime, *, progress: Progress = quiet, stop: asyncio.Event | None = None) -> Done:
        """Every entry that waits and that nobody else has. Several batches are under way at once, so that pages are
        fetched while others are read."""
        done = Done()
        counted = await reads(self.db, lambda c: store.entries.counts(c, clock()))
        total, finished_ = counted.waiting, 0

        async def lane() -> None:
            nonlocal finished_
            while not (stop and stop.is_set()):
                entries = await writes(self.db, lambda c: store.entries.claim(c, clock(), self.worker, LEASE, ENTRIES))
                if not entries:
                    return
                new, dropped = await self.batch(entries, now)
                done.articles += new
                done.rejected += dropped
                finished_ += len(entries)
                progress("articles", finished_, max(total, finished_))

        # In this process one at a time: two lanes would load every model twice.
        width = 1 if isinstance(self.runner, Serial) else self.runner.workers + 1
        lanes = [asyncio.create_task(lane()) for _ in range(width)]
        try:
            await asyncio.gather(*lanes)
        finally:
            for task in lanes:
                task.cancel()
        await self._give_up(now, done)
        return done

    async def _give_up(self, now: datetime, done: Done) -> None:
        hopeless = await reads(self.db, lambda c: store.entries.given_up(c, clock()))
        if not hopeless:
            return
        reason = f"reading it was begun {store.entries.ATTEMPTS} times and never came to an end"

        def save(c: Connection) -> None:
            store.rejections.save(
                c, (Rejected(stage="extract", subject=e.url or e.id, reason=reason) for e in hopeless), now
            )
            store.entries.done(c, (e.id for e in hopeless))

        await writes(self.db, save)
        done.rejected += len(hopeless)


async def ingest(
    db: Engine,
    client: Client,
    runner: Runner,
    settings: Settings,
    now: datetime,
    *,
    worker: str | None = None,
    progress: Progress = quiet,
    stop: asyncio.Event | None = None,
) -> Done:
    """Turn every waiting entry into an article, or into a reason why it is none."""
    job = Ingest(db=db, client=client, runner=runner, settings=settings, worker=worker or worker_name())
    return await job.run(now, progress=progress, stop=stop)
