"""The state of an instance, for whoever runs it: only what the store knows already."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from broadsheet import store
from broadsheet.model import Entry, Reader, Source
from broadsheet.reading.sourced import Sourced
from broadsheet.store.entries import Counts
from broadsheet.store.instance import Work
from broadsheet.store.rejections import Dropped

LOOKED_BACK = timedelta(days=7)  # over which what was dropped is summed up
REASONS = 20  # that are told
LETTERS = 30  # dead ones that are listed
ACTIVE = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropping:
    """What was dropped for one reason; numbers in it may differ from case to case."""

    stage: str
    reason: str
    count: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How an instance is."""

    articles: int
    ungrouped: int
    stories: int
    live: int  # stories in the edition
    sources: int
    troubled: tuple[Source, ...]  # the longest failing first
    due: int
    next_due: datetime | None
    entries: Counts
    given_up: tuple[Entry, ...]  # taken again and again, and never finished
    dead: tuple[tuple[Dropped, bool], ...]  # the latest that was dropped, and whether it can be tried again
    drops: tuple[Dropping, ...]  # the most frequent first
    work: Work
    readers: tuple[tuple[Reader, datetime | None], ...]  # with when they were last here, the latest first
    active: int
    size: int
    database: str
    tables: tuple[int, int]  # their version, and the one that this program knows


DEAD = ("extract", "fetch", "parse")  # stages after which nothing came of an entry, or of a source's answer


def alike(reason: str) -> str:
    """The reason without its numbers and addresses: what many cases of one kind have in common."""
    return re.sub(r"(?<!answered )\b\d[\d.,:]*", "…", re.sub(r"https?://\S+", "…", reason))


def summed(rows: Sequence[tuple[str, str, int, datetime]]) -> list[Dropping]:
    """Reasons that differ only in their numbers as one, the most frequent first."""
    found: dict[tuple[str, str], Dropping] = {}
    for stage, reason, count, last in rows:
        key = stage, alike(reason)
        old = found.get(key)
        found[key] = Dropping(
            stage=stage,
            reason=key[1],
            count=count + (old.count if old else 0),
            last=max(last, old.last) if old else last,
        )
    return sorted(found.values(), key=lambda d: (-d.count, d.stage, d.reason))


class Instance(Sourced):
    """What the operator asks of a newsstand."""

    def state(self) -> State:
        """How everything is, as of now."""
        now, live = self.now(), self.edition()
        with self.engine.connect() as db:
            known, ungrouped = store.articles.counts(db)
            sources = store.sources.all(db)
            seen = store.instance.last_acts(db)
            readers = sorted(
                ((reader, seen.get(reader.id)) for reader in store.readers.all(db)),
                key=lambda row: (row[1] is not None, row[1]),
                reverse=True,
            )
            dead = [d for stage in DEAD for d in store.rejections.latest(db, LETTERS, stage)]
            dead = sorted(dead, key=lambda d: d.at, reverse=True)[:LETTERS]
            asked = {source.url for source in sources if source.next_fetch is not None}
            again = asked | store.entries.at(db, {d.rejected.subject for d in dead})
            database, version, newest = store.instance.versions(db)
            return State(
                articles=known,
                ungrouped=ungrouped,
                stories=store.stories.count(db),
                live=len(live.edition),
                sources=len(sources),
                troubled=tuple(
                    sorted((s for s in sources if s.problem or s.gone), key=lambda s: (-s.failures, s.title, s.url))
                ),
                due=store.sources.due(db, now),
                next_due=store.sources.next_due(db),
                entries=store.entries.counts(db, datetime.now(UTC)),
                given_up=tuple(store.entries.given_up(db, datetime.now(UTC), LETTERS)),
                dead=tuple((d, d.rejected.subject in again) for d in dead),
                drops=tuple(summed(store.rejections.reasons(db, now - LOOKED_BACK))[:REASONS]),
                work=store.instance.work(db, datetime.now(UTC)),
                readers=tuple(readers),
                active=sum(at is not None and now - at < ACTIVE for _, at in readers),
                size=store.instance.size(db),
                database=database,
                tables=(version, newest),
            )

    def try_again(self, stage: str, subject: str) -> int:
        """Let what was dropped be tried at the next round: a source is asked, an entry is read. Gives how many."""
        with self.engine.begin() as db:
            source = store.sources.by_url(db, subject) if stage in ("fetch", "parse") else None
            if source is not None and source.next_fetch is not None:
                store.sources.save(db, replace(source, next_fetch=self.now()))
                tried = 1
            else:
                tried = store.entries.again(db, subject)
            if tried:
                store.rejections.forget(db, stage, subject)
        return tried
