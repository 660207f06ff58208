"""The writing side: poll, ingest, group, learn. Each claims work, decides purely, and saves in one transaction.

Any of it may be killed at any moment and run again: ids come from what they name, every save is an upsert, and what was
claimed is free again when its lease ends, or at once when its worker is seen to be dead on this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from broadsheet import following, store
from broadsheet.articles.enrich import Enrichment, enrich
from broadsheet.articles.extract import Extraction, extract, needs_page
from broadsheet.articles.identity import canonical_url
from broadsheet.articles.passages import passages
from broadsheet.config import Settings
from broadsheet.engine import Runner, Serial, WorkerDied, engine
from broadsheet.errors import FetchError, InputError, NotFound
from broadsheet.model import (
    Article,
    ArticleId,
    Entry,
    Event,
    OpenThread,
    Page,
    Reader,
    ReaderId,
    Rejected,
    Source,
    SourceId,
    Story,
    StoryId,
    ThreadId,
    identify,
)
from broadsheet.readers.profile import fold
from broadsheet.readers.profile import learn as learn_event
from broadsheet.sources import opml
from broadsheet.sources.discover import discover
from broadsheet.sources.fetch import Fetched, Unchanged, fetch, fetch_page
from broadsheet.sources.formats import Parsed, parse
from broadsheet.sources.net import AddressPolicy, Client, Limits, user_agent
from broadsheet.sources.outlets import outlet_of, publisher_name
from broadsheet.sources.robots import Robots
from broadsheet.sources.schedule import Rhythm, after_failure, after_success
from broadsheet.stories.cluster import Assignment, Grouping, OpenStories
from broadsheet.stories.describe import describe
from broadsheet.stories.threads import OpenThreads

T = TypeVar("T")
log = logging.getLogger("broadsheet")

Progress = Callable[[str, int, int], None]
"""Called with the kind of work, how much of it is done, and how much there is."""

LEASE = timedelta(minutes=15)  # a batch of slow pages takes minutes; a worker that died here is noticed sooner anyway
SAVE_AT = 40  # sources answered before their entries are saved: one transaction, one fsync
ENTRIES = 32  # entries in one batch: a model's batch, and what is done again after a kill
ARTICLES = 200  # articles grouped in one transaction
PROBLEMS = 5  # of one feed that are written down
IDLE = timedelta(minutes=2)  # after which processes with their models are let go
TICK = timedelta(seconds=3)  # how soon a source that someone adds is noticed


def _quiet(kind: str, done: int, total: int) -> None:
    """No progress is shown."""


# --- who works ----------------------------------------------------------------------------------------------------


def _here() -> str:
    """This machine, and on it this space of process ids: a pid says nothing in another container."""
    with contextlib.suppress(OSError):
        return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"
    return socket.gethostname()


def worker_name() -> str:
    """A name for one worker, by which others can see whether it is still there."""
    return f"{_here()}/{os.getpid()}/{secrets.token_hex(4)}"


def _is_dead(worker: str) -> bool:
    """Whether the worker was on this machine and is gone. Of another machine's nothing is known but its lease."""
    place, _, rest = worker.rpartition("/")
    place, _, pid = place.rpartition("/")
    if place != _here() or not rest or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def bury_the_dead(db: Engine) -> None:
    """Free what workers held that were killed on this machine."""
    with db.connect() as reading:
        dead = {worker for worker in store.leases.workers(reading) if _is_dead(worker)}
    if dead:
        with db.begin() as writing:
            store.leases.bury(writing, dead)


def clock() -> datetime:
    """The real time. Leases run by it even where an instance reads as of another day."""
    return datetime.now(UTC)


async def _reads(db: Engine, question: Callable[[Connection], T]) -> T:
    def ask() -> T:
        with db.connect() as connection:
            return question(connection)

    return await asyncio.to_thread(ask)


async def _writes(db: Engine, change: Callable[[Connection], T]) -> T:
    def make() -> T:
        with db.begin() as connection:
            return change(connection)

    return await asyncio.to_thread(make)


@contextlib.asynccontextmanager
async def client_of(settings: Settings) -> AsyncIterator[Client]:
    """A client as the operator wants it."""
    client = Client(
        AddressPolicy(settings.allow_addresses),
        Limits(total=settings.fetch_timeout, max_bytes=settings.fetch_max_bytes),
        user_agent(settings.contact),
        settings.fetch_per_host,
        settings.fetch_concurrency,
    )
    async with client:
        yield client


def rhythm_of(settings: Settings) -> Rhythm:
    return Rhythm(min=settings.poll_interval_min, max=settings.poll_interval_max)


# --- poll ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What one source answered, decided and ready to be saved."""

    source: Source
    entries: tuple[Entry, ...] = ()
    moved_to: str | None = None
    rejected: tuple[Rejected, ...] = ()


@dataclass(slots=True, kw_only=True)
class Done:
    """What was done, counted."""

    polled: int = 0
    failed: int = 0
    entries: int = 0
    articles: int = 0
    rejected: int = 0
    grouped: int = 0
    stories: int = 0
    learned: int = 0

    def sentence(self) -> str:
        """For a person."""

        def many(count: int, one: str, more: str) -> str:
            return f"{count:,} {one if count == 1 else more}"

        failed = f" ({many(self.failed, 'failure', 'failures')})" if self.failed else ""
        dropped = f" ({self.rejected:,} dropped, each with its reason)" if self.rejected else ""
        return (
            f"Asked {many(self.polled, 'source', 'sources')}{failed}; {many(self.entries, 'new entry', 'new entries')}, "
            f"{many(self.articles, 'new article', 'new articles')}{dropped}, "
            f"{many(self.stories, 'story', 'stories')} new or changed."
        )


def _believable(times: Iterable[datetime | None], now: datetime) -> list[datetime | None]:
    return [time for time in times if time is not None and time <= now + timedelta(days=1)]


def known_better(source: Source, parsed: Parsed) -> Source:
    """The source with what its feed says of itself, where nothing was known."""
    homepage = source.homepage or parsed.feed.link
    return replace(
        source,
        title=source.title or parsed.feed.title,
        homepage=homepage,
        language=source.language or parsed.feed.language,
        outlet=source.outlet or outlet_of(homepage or source.url),
    )


async def ask(source: Source, client: Client, now: datetime, rng: random.Random, rhythm: Rhythm) -> Polled:
    """One source's answer. Whatever is wrong with it is in the answer: nothing is raised."""
    try:
        result = await fetch(source, client)
        if isinstance(result, Unchanged):
            return Polled(
                source=after_success(source, result, (), now, rng, rhythm), moved_to=_new_address(source, result)
            )
        parsed = await _parsed(source, result, client)
        if not parsed.kind and not parsed.entries:
            reason = parsed.problems[0] if parsed.problems else "no format that Broadsheet knows"
            raise FetchError(source.url, f"what it answered is not a feed: {reason}")
    except FetchError as e:
        failed = after_failure(source, e, now, rng, rhythm)
        return Polled(source=failed, rejected=(Rejected(stage="fetch", subject=source.url, reason=e.reason),))
    except Exception as e:  # one feed that trips a bug of ours must not stop the others
        log.exception("polling %s", source.url)
        error = FetchError(source.url, f"reading it failed inside Broadsheet ({type(e).__name__}: {e})")
        return Polled(
            source=after_failure(source, error, now, rng, rhythm),
            rejected=(Rejected(stage="parse", subject=source.url, reason=error.reason),),
        )
    times = _believable((entry.published or entry.updated for entry in parsed.entries), now)
    healthy = after_success(known_better(source, parsed), result, times, now, rng, rhythm, ttl=parsed.feed.ttl)
    return Polled(
        source=healthy,
        entries=parsed.entries,
        moved_to=_new_address(source, result),
        rejected=tuple(Rejected(stage="parse", subject=source.url, reason=p) for p in parsed.problems[:PROBLEMS]),
    )


def _new_address(source: Source, result: Fetched | Unchanged) -> str | None:
    return result.permanent_url if result.permanent_url not in (None, source.url) else None


SITEMAPS = 3  # of a sitemap index: the first ones, where news sites put what is new


async def _parsed(source: Source, result: Fetched, client: Client) -> Parsed:
    parsed = await asyncio.to_thread(
        parse, result.body, url=result.url, content_type=result.content_type, source=source.id
    )
    if not parsed.sitemaps or parsed.entries:
        return parsed
    entries: list[Entry] = []
    problems = list(parsed.problems)
    for url in parsed.sitemaps[:SITEMAPS]:
        try:
            answer = await client.get(url)
            answer.raise_for_status()
        except FetchError as e:
            problems.append(f"its sitemap {url} could not be read: {e.reason}")
            continue
        inner = await asyncio.to_thread(
            parse, answer.body, url=answer.url, content_type=answer.content_type, source=source.id
        )
        entries += inner.entries
        problems += inner.problems
    return replace(parsed, entries=tuple(entries), problems=tuple(problems))


def save_polled(db: Connection, answers: Sequence[Polled], now: datetime) -> int:
    """Keep the answers, all in the caller's transaction; gives how many entries are new."""
    new = 0
    for answer in answers:
        source, entries = answer.source, answer.entries
        if answer.moved_to is not None:
            there = store.sources.moved(db, source.id, answer.moved_to)
            if there != source.id:  # that address was a source already: its own answer speaks for it
                entries = tuple(replace(entry, source=there) for entry in entries)
        if store.sources.get(db, entries[0].source if entries else source.id) is None:
            continue  # removed while it was being asked
        store.sources.save(db, source)
        new += store.entries.save_new(db, entries, now)
        store.rejections.save(db, answer.rejected, now)
    return new


async def poll(
    db: Engine,
    client: Client,
    now: datetime,
    *,
    worker: str | None = None,
    rhythm: Rhythm | None = None,
    rng: random.Random | None = None,
    concurrency: int = 64,
    progress: Progress = _quiet,
    stop: asyncio.Event | None = None,
) -> Done:
    """Ask every source that is due and that nobody else is asking; save what they said."""
    worker, rhythm, rng = worker or worker_name(), rhythm or Rhythm(), rng or random.Random()
    total = await _reads(db, lambda c: store.sources.due(c, now))
    done = Done()
    asking: set[asyncio.Task[Polled]] = set()
    answered: list[Polled] = []
    drained = False

    async def save() -> None:
        batch = answered[:]
        answered.clear()
        done.entries += await _writes(db, lambda c: save_polled(c, batch, now))
        done.polled += len(batch)
        done.failed += sum(bool(a.source.failures) for a in batch)
        progress("sources", done.polled, max(total, done.polled))

    try:
        while True:
            if not drained and len(asking) < concurrency and not (stop and stop.is_set()):
                room = 2 * concurrency - len(asking)
                due = await _writes(
                    db,
                    lambda c: store.sources.claim_due(c, now, worker, LEASE, room, clock=clock()),  # noqa: B023
                )
                drained = len(due) < room
                asking |= {asyncio.create_task(ask(source, client, now, rng, rhythm)) for source in due}
            if not asking:
                break
            finished, asking = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            answered += [task.result() for task in finished]
            if len(answered) >= SAVE_AT:
                await save()
        if answered:
            await save()
    finally:
        for task in asking:
            task.cancel()
    return done


# --- ingest -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What became of one page: an article, or reasons why there is none; reasons also where its page was no use."""

    article: Article | None
    rejected: tuple[Rejected, ...] = ()


def read_pages(
    pages: Sequence[Page],
    extraction: Extraction = Extraction(),  # noqa: B008
    enrichment: Enrichment = Enrichment(),  # noqa: B008
) -> list[Read]:
    """Pages to enriched articles, in their order: a stage. Where a page is no use, what the feed carried is read."""
    first = extract(pages, extraction)
    found: list[Article | None] = []
    rejected: list[tuple[Rejected, ...]] = []
    for page, result in zip(pages, first, strict=True):
        refusals: tuple[Rejected, ...] = ()
        if isinstance(result, Rejected):
            refusals = (result,)
            if page.entry is not None and (page.html or page.text):
                [result] = extract([replace(page, html="", text="", url=page.entry.url)], extraction)
                if isinstance(result, Rejected) and result != refusals[0]:
                    refusals += (result,)
        found.append(None if isinstance(result, Rejected) else result)
        rejected.append(refusals)
    enriched = iter(enrich([article for article in found if article is not None], enrichment))
    return [
        Read(article=None if article is None else next(enriched), rejected=refusals)
        for article, refusals in zip(found, rejected, strict=True)
    ]


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
            if self.settings.respect_robots and not await self.robots.allowed(entry.url, self.client, now):
                return refused("the site asks programs not to read this page; what the feed carries is shown")
            page = await fetch_page(entry.url, self.client, entry)
        except FetchError as e:
            return refused(f"{e.reason}; what the feed carries is shown")
        return replace(page, id=entry.id), None

    async def _read(self, pages: Sequence[Page]) -> list[Read]:
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
        return [*await self._read(pages[:half]), *await self._read(pages[half:])]

    async def batch(self, entries: Sequence[Entry], now: datetime) -> tuple[int, int]:
        """Entries to articles, saved together; gives how many articles are new and how many entries were dropped."""

        def ask_store(c: Connection) -> tuple[dict[SourceId, Source], set[ArticleId]]:
            sources = {s.id: s for s in store.sources.many(c, (e.source for e in entries))}
            return sources, store.articles.known(c, (article_id(e.url) for e in entries if e.url))

        sources, known = await _reads(self.db, ask_store)
        fresh = [e for e in entries if not e.url or article_id(e.url) not in known]
        fetched = await asyncio.gather(*(self._page(entry, sources.get(entry.source), now) for entry in fresh))
        reads = await self._read([page for page, _ in fetched])
        found: list[Article] = []
        rejected: list[Rejected] = []
        dropped = 0
        for entry, (_, refusal), read in zip(fresh, fetched, reads, strict=True):
            rejected += [*([refusal] if refusal else []), *read.rejected]
            if read.article is None:
                dropped += 1
            else:
                found.append(finished(read.article, sources.get(entry.source), entry, now))

        def save(c: Connection) -> int:
            new = store.articles.save_new(c, found)
            store.rejections.save(c, rejected, now)
            store.entries.done(c, (entry.id for entry in entries))
            return new

        return await _writes(self.db, save), dropped

    async def run(self, now: datetime, *, progress: Progress = _quiet, stop: asyncio.Event | None = None) -> Done:
        """Every entry that waits and that nobody else has. Several batches are under way at once, so that pages are
        fetched while others are read."""
        done = Done()
        counted = await _reads(self.db, lambda c: store.entries.counts(c, clock()))
        total, finished_ = counted.waiting, 0

        async def lane() -> None:
            nonlocal finished_
            while not (stop and stop.is_set()):
                entries = await _writes(self.db, lambda c: store.entries.claim(c, clock(), self.worker, LEASE, ENTRIES))
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
        hopeless = await _reads(self.db, lambda c: store.entries.given_up(c, clock()))
        if not hopeless:
            return
        reason = f"reading it was begun {store.entries.ATTEMPTS} times and never came to an end"

        def save(c: Connection) -> None:
            store.rejections.save(
                c, (Rejected(stage="extract", subject=e.url or e.id, reason=reason) for e in hopeless), now
            )
            store.entries.done(c, (e.id for e in hopeless))

        await _writes(self.db, save)
        done.rejected += len(hopeless)


async def ingest(
    db: Engine,
    client: Client,
    runner: Runner,
    settings: Settings,
    now: datetime,
    *,
    worker: str | None = None,
    progress: Progress = _quiet,
    stop: asyncio.Event | None = None,
) -> Done:
    """Turn every waiting entry into an article, or into a reason why it is none."""
    job = Ingest(db=db, client=client, runner=runner, settings=settings, worker=worker or worker_name())
    return await job.run(now, progress=progress, stop=stop)


# --- group --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Threads:
    """What changed of the threads, to be saved with the stories that changed them."""

    kept: tuple[OpenThread, ...]
    gone: tuple[ThreadId, ...]

    def save(self, c: Connection, now: datetime) -> None:
        store.threads.remove(c, self.gone)
        store.threads.remove_until(c, now)
        store.threads.save(c, self.kept)


class Grouper:
    """The one who groups. What it keeps in memory between calls is bounded by the window, and is rebuilt from the
    store whenever another has grouped in between."""

    def __init__(self, db: Engine, settings: Settings, worker: str, rules: Grouping | None = None) -> None:
        self._db, self._settings, self._worker = db, settings, worker
        self._rules = rules or Grouping()
        self._open: OpenStories | None = None
        self._threads = OpenThreads()
        self._version = -1

    def _leads(self, c: Connection) -> bool:
        return store.leases.take(c, "group", self._worker, clock(), LEASE)

    def _ready(self, now: datetime) -> OpenStories:
        """The open stories as the store has them."""
        since = now - self._settings.live - self._rules.window
        with self._db.connect() as c:
            version = store.stories.version(c)
            if self._open is None or version != self._version:
                self._open = OpenStories(self._rules)
                for article, story in store.articles.live(c, since):
                    self._open.restore(article, story)
                self._threads = OpenThreads.restored(store.threads.all_open(c, now))
                self._version = version
        self._open.forget_before(since)
        self._threads.forget(now)
        return self._open

    def _batch(self, now: datetime) -> tuple[int, int] | None:
        """Group one batch; gives how many articles were placed and stories changed, None when another leads."""
        with self._db.begin() as c:
            if not self._leads(c):
                self._open = None
                return None
        with self._db.connect() as c:
            waiting = store.articles.ungrouped(c, ARTICLES)
        if not waiting:
            return self._threaded_late(now)
        stories = self._ready(now)
        merged: list[tuple[StoryId, StoryId]] = []
        changed: dict[StoryId, None] = {}
        assigned: dict[ArticleId, Assignment] = {}
        for article in waiting:
            assignment = assigned[article.id] = stories.assign(article)
            for absorbed in assignment.merged:
                merged.append((absorbed, assignment.story))
                changed.pop(absorbed, None)
            changed[assignment.story] = None
        placed = [(a.id, stories.story_of(a.id) or assigned[a.id].story, assigned[a.id].copy_of) for a in waiting]
        described, threads = self._threaded(self._described(waiting, placed, merged, changed), merged)
        with self._db.begin() as c:
            # Describing took its time: whoever leads now decides, and two never write.
            if not self._leads(c) or store.stories.version(c) != self._version:
                self._open = None
                return None
            store.articles.place(c, placed)
            for absorbed, survivor in merged:
                store.stories.merge(c, absorbed, survivor)
            threads.save(c, now)
            self._version = store.stories.save(c, described)
        return len(placed), len(described)

    def _threaded(
        self, described: Sequence[Story], merged: Sequence[tuple[StoryId, StoryId]] = ()
    ) -> tuple[list[Story], _Threads]:
        """The stories, each with the thread that it is part of, and what is to be remembered of those threads."""
        with self._db.connect() as c:
            known = store.threads.of(c, [*(s.id for s in described), *(absorbed for absorbed, _ in merged)])
        changed: dict[ThreadId, None] = {}
        gone: dict[ThreadId, None] = {}
        for absorbed, _ in merged:
            own = known.get(absorbed)
            if own is not None and self._threads.leave(own, absorbed):
                gone[own] = None
        stories: list[Story] = []
        for story in described:
            placed = self._threads.assign(story, known.get(story.id))
            changed[placed.thread] = None
            if placed.left is not None:
                gone[placed.left] = None
            stories.append(replace(story, thread=placed.thread))
        kept = [self._threads.memory(thread) for thread in changed if thread in self._threads]
        return stories, _Threads(kept=tuple(kept), gone=tuple(t for t in gone if t not in self._threads))

    def _threaded_late(self, now: datetime) -> tuple[int, int]:
        """Give a thread to stories that have none, which an earlier version wrote. Nothing, once all have one."""
        with self._db.connect() as c:
            waiting = store.threads.without(c, now - self._settings.live, ARTICLES)
        if not waiting:
            return 0, 0
        self._ready(now)
        stories, threads = self._threaded(waiting)
        with self._db.begin() as c:
            if not self._leads(c) or store.stories.version(c) != self._version:
                self._open = None
                return 0, 0
            threads.save(c, now)
            self._version = store.stories.save(c, stories)
        return 0, len(stories)

    def _described(
        self,
        waiting: Sequence[Article],
        placed: Sequence[tuple[ArticleId, StoryId, ArticleId | None]],
        merged: Sequence[tuple[StoryId, StoryId]],
        changed: Iterable[StoryId],
    ) -> list[Story]:
        """The changed stories over all their articles, also those that are too old to be compared with."""
        joined: dict[StoryId, list[Article]] = {}
        by_id = {article.id: article for article in waiting}
        for id_, story, copy_of in placed:
            joined.setdefault(story, []).append(replace(by_id[id_], copy_of=copy_of))
        came_from: dict[StoryId, list[StoryId]] = {}
        for absorbed, survivor in merged:
            came_from.setdefault(survivor, []).extend([absorbed, *came_from.pop(absorbed, [])])
        described = []
        with self._db.connect() as c:
            for story in changed:
                before = [a for id_ in (story, *came_from.get(story, [])) for a in store.articles.of_story(c, id_)]
                every = {article.id: article for article in (*before, *joined.get(story, []))}
                in_time = sorted(every.values(), key=lambda a: (a.time or EARLIEST, a.id))
                described.append(describe(story, in_time, passages))
        return described

    def run(self, now: datetime, progress: Progress = _quiet, stop: asyncio.Event | None = None) -> Done:
        """Group everything that waits. Nothing is done where another worker leads."""
        done = Done()
        with self._db.connect() as c:
            _, total = store.articles.counts(c)
        while not (stop and stop.is_set()):
            try:
                result = self._batch(now)
            except BaseException:
                self._open = None  # what is in memory may be ahead of what was saved
                raise
            if result is None or not any(result):
                break
            done.grouped += result[0]
            done.stories += result[1]
            progress("stories", done.grouped, max(total, done.grouped))
        return done

    def close(self) -> None:
        """Let another lead at once."""
        with self._db.begin() as c:
            store.leases.give_back(c, "group", self._worker)


async def group(
    db: Engine,
    settings: Settings,
    now: datetime,
    *,
    worker: str | None = None,
    rules: Grouping | None = None,
    progress: Progress = _quiet,
) -> Done:
    """Put every article that waits into its story, in order of time."""
    grouper = Grouper(db, settings, worker or worker_name(), rules)
    try:
        return await asyncio.to_thread(grouper.run, now, progress)
    finally:
        await asyncio.to_thread(grouper.close)


# --- learn --------------------------------------------------------------------------------------------------------


def learn(db: Engine) -> int:
    """Fold events into readers where the web has not done so; gives how many events."""
    with db.connect() as c:
        behind = store.readers.behind(c)
    folded = 0
    for id_ in behind:
        with db.begin() as c:
            folded += _fold_new(c, id_)
    return folded


def _fold_new(c: Connection, id_: ReaderId) -> int:
    held = store.readers.locked(c, id_)
    if held is None:
        return 0
    reader, last = held
    new = store.readers.events(c, id_, after=last)
    if not new:
        return 0
    if any(event.kind == "undo" for event in new):  # what was undone may be long folded in: begin again
        events = store.readers.events(c, id_)
        blank = Reader(id=reader.id, name=reader.name, created=reader.created, subscriptions=reader.subscriptions)
        reader = fold(blank, _with_stories(c, events))
    else:
        for event, story in _with_stories(c, new):
            reader = learn_event(reader, event, story)
    store.readers.save(c, reader, max(event.id for event in new if event.id is not None))
    return len(new)


def _with_stories(c: Connection, events: Sequence[Event]) -> list[tuple[Event, Story | None]]:
    stories = {id_: store.stories.get(c, id_) for id_ in {event.story for event in events if event.story}}
    return [(event, stories.get(event.story) if event.story else None) for event in events]


# --- all of it ----------------------------------------------------------------------------------------------------


class _Pipeline:
    """Everything in its order, with what is kept between rounds."""

    def __init__(
        self, db: Engine, settings: Settings, client: Client, runner: Runner, enrichment: Enrichment | None = None
    ) -> None:
        self.db, self.settings, self.client, self.runner = db, settings, client, runner
        self.worker = worker_name()
        self.ingest = Ingest(
            db=db, client=client, runner=runner, settings=settings, worker=self.worker,
            enrichment=enrichment or Enrichment(),
        )  # fmt: skip
        self.grouper = Grouper(db, settings, self.worker)
        self.rng = random.Random()

    async def round(self, progress: Progress = _quiet, stop: asyncio.Event | None = None) -> Done:
        """What is due now: poll, ingest, group, learn."""
        now = self.settings.now()
        await asyncio.to_thread(bury_the_dead, self.db)
        done = await poll(
            self.db, self.client, now, worker=self.worker, rhythm=rhythm_of(self.settings), rng=self.rng,
            concurrency=self.settings.fetch_concurrency, progress=progress, stop=stop,
        )  # fmt: skip
        read = await self.ingest.run(now, progress=progress, stop=stop)
        grouped = await asyncio.to_thread(self.grouper.run, now, progress, stop)
        done.articles, done.rejected = read.articles, read.rejected
        done.grouped, done.stories = grouped.grouped, grouped.stories
        done.learned = await asyncio.to_thread(learn, self.db)
        return done


def _all_cores(settings: Settings) -> int:
    """Someone waits for a refresh: it may have every core. A server leaves one to its readers."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    return settings.workers or cores


async def refresh(
    db: Engine, settings: Settings, progress: Progress | None = None, enrichment: Enrichment | None = None
) -> Done:
    """Poll what is due, once, and bring articles, stories and readers up to date."""
    async with client_of(settings) as client:
        with engine(settings.engine, _all_cores(settings)) as runner:
            pipeline = _Pipeline(db, settings, client, runner, enrichment)
            try:
                return await pipeline.round(progress or _quiet)
            finally:
                await asyncio.to_thread(pipeline.grouper.close)


async def work(db: Engine, settings: Settings, stop: asyncio.Event, progress: Progress | None = None) -> None:
    """Keep everything up to date until `stop` is set. What goes wrong is logged and tried again."""
    async with client_of(settings) as client:
        with engine(settings.engine, settings.workers) as runner:
            pipeline = _Pipeline(db, settings, client, runner)
            busy_at = clock()
            wait = TICK
            while not stop.is_set():
                try:
                    done = await pipeline.round(progress or _quiet, stop)
                    wait = TICK
                    if done.articles or done.rejected:
                        busy_at = clock()
                    elif clock() - busy_at > IDLE:
                        await asyncio.to_thread(runner.close)  # models are loaded again when there is work
                except Exception:
                    log.exception("a round of work failed; it is tried again in %s s", wait.total_seconds())
                    wait = min(wait * 2, timedelta(minutes=5))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), wait.total_seconds())
            with contextlib.suppress(Exception):
                await asyncio.to_thread(pipeline.grouper.close)


# --- adding -------------------------------------------------------------------------------------------------------


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
    raise NotFound(f"There is no reader named {name} here.")


async def add_address(db: Engine, settings: Settings, address: str, reader: str | None = None) -> Added:
    """Find out what is behind an address, follow its feed, or read its article where it has none."""
    now = settings.now()
    who = None if reader is None else await _reads(db, lambda c: reader_named(c, reader))
    async with client_of(settings) as client:
        found = await discover(address, client)
    if found.found:
        first, *others = found.found

        def save(c: Connection) -> tuple[Source, bool]:
            wanted = opml.Subscription(url=first.url, title=first.title)
            return following.follow(c, [wanted], now, reader=who, kind=first.kind)[0]

        source, is_new = await _writes(db, save)
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
        raise InputError(f"No article was found: {read.rejected[0].reason if read.rejected else 'nothing to read'}.")
    article = finished(read.article, None, None, now)
    await _writes(db, lambda c: store.articles.save_new(c, [article]))
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
