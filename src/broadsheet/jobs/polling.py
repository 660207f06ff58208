"""Poll: every source that is due is asked once, and what it said is saved."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.errors import FetchError, LeftAlone
from broadsheet.jobs.worker import LEASE, Done, Progress, clock, quiet, reads, worker_name, writes
from broadsheet.model import Entry, Rejected, Source
from broadsheet.sources.fetch import Fetched, Unchanged, fetch
from broadsheet.sources.formats import Parsed, parse
from broadsheet.sources.net import Client
from broadsheet.sources.outlets import outlet_of
from broadsheet.sources.schedule import Rhythm, after_failure, after_success
from broadsheet.sources.wording import wording
from broadsheet.store.manners import Asked
from broadsheet.wording import phrase as _

log = logging.getLogger("broadsheet")

SAVE_AT = 40  # sources answered before their entries are saved: one transaction, one fsync


PROBLEMS = 5  # of one feed that are written down


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What one source answered, decided and ready to be saved."""

    source: Source
    entries: tuple[Entry, ...] = ()
    moved_to: str | None = None
    rejected: tuple[Rejected, ...] = ()
    asked: Asked | None = None


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
                source=after_success(source, result, (), now, rng, rhythm),
                moved_to=_new_address(source, result),
                asked=Asked(unchanged=1, status=304, max_age=result.max_age),
            )
        parsed = await _parsed(source, result, client)
        if not parsed.kind and not parsed.entries:
            reason = parsed.problems[0] if parsed.problems else "no format that Broadsheet knows"
            raise FetchError(source.url, _("what it answered is not a feed: {reason}", reason=reason))
    except FetchError as e:
        failed = after_failure(source, e, now, rng, rhythm)
        return Polled(
            source=failed,
            rejected=(Rejected(stage="fetch", subject=source.url, reason=e.reason),),
            asked=_failed(e),
        )
    except Exception as e:  # one feed that trips a bug of ours must not stop the others
        log.exception("polling %s", source.url)
        error = FetchError(
            source.url, _("reading it failed inside Broadsheet ({name}: {e})", name=type(e).__name__, e=e)
        )
        return Polled(
            source=after_failure(source, error, now, rng, rhythm),
            rejected=(Rejected(stage="parse", subject=source.url, reason=error.reason),),
            asked=_failed(error),
        )
    times = _believable((entry.published or entry.updated for entry in parsed.entries), now)
    healthy = after_success(known_better(source, parsed), result, times, now, rng, rhythm, ttl=parsed.feed.ttl)
    return Polled(
        source=healthy,
        entries=tuple(replace(entry, wording=wording(entry)) for entry in parsed.entries),
        moved_to=_new_address(source, result),
        rejected=tuple(Rejected(stage="parse", subject=source.url, reason=p) for p in parsed.problems[:PROBLEMS]),
        asked=Asked(size=len(result.body), status=200, max_age=result.max_age, ttl=parsed.feed.ttl),
    )


def _failed(error: FetchError) -> Asked:
    spared = isinstance(error, LeftAlone)
    return Asked(
        asked=int(not spared), failed=int(not spared), spared=int(spared), status=error.status,
        retry_after=error.retry_after,
    )  # fmt: skip


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
        if answer.asked is not None and store.sources.get(db, source.id) is not None:
            store.manners.note(db, source.id, answer.asked, now)
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
    progress: Progress = quiet,
    stop: asyncio.Event | None = None,
) -> Done:
    """Ask every source that is due and that nobody else is asking; save what they said."""
    worker, rhythm, rng = worker or worker_name(), rhythm or Rhythm(), rng or random.Random()
    total = await reads(db, lambda c: store.sources.due(c, now))
    done = Done()
    asking: set[asyncio.Task[Polled]] = set()
    answered: list[Polled] = []
    drained = False

    async def save() -> None:
        batch = answered[:]
        answered.clear()
        done.entries += await writes(db, lambda c: save_polled(c, batch, now))
        done.polled += len(batch)
        done.failed += sum(bool(a.source.failures) for a in batch)
        progress("sources", done.polled, max(total, done.polled))

    try:
        while True:
            if not drained and len(asking) < concurrency and not (stop and stop.is_set()):
                room = 2 * concurrency - len(asking)
                due = await writes(
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
