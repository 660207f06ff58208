"""What is counted of how sources are asked, and when they published, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from broadsheet import store
from broadsheet.model import EntryId, Rejected, SourceId
from broadsheet.store.manners import ROBOTS, Asked
from tests.builders import DAY, HOUR, NOON, a_source, an_article, an_entry

MINUTE = timedelta(minutes=1)


def test_requests_add_up_and_the_last_answer_is_remembered(db: Connection) -> None:
    source = a_source()
    store.sources.add(db, source)
    assert store.manners.of(db, source.id) is None
    for one in (
        Asked(size=2_000, status=200, max_age=5 * MINUTE, ttl=HOUR),
        Asked(unchanged=1, status=304, max_age=10 * MINUTE),
        Asked(failed=1, status=503, retry_after=2 * HOUR),
        Asked(asked=0, spared=1, status=429, retry_after=HOUR),
    ):
        store.manners.note(db, source.id, one, NOON)
    assert store.manners.of(db, source.id) == Asked(
        asked=3, unchanged=1, failed=1, spared=1, size=2_000, status=429, retry_after=HOUR, since=NOON
    )
    store.sources.remove(db, source.id)
    assert store.manners.of(db, source.id) is None


def test_pages_that_robots_forbid_are_counted_for_the_source_that_announced_them(db: Connection) -> None:
    source, other = a_source(), a_source("https://other.example/feed.xml")
    store.sources.add(db, source)
    entries = [an_entry(f"entry {n}", source=source.id) for n in range(3)]
    twice = replace(entries[0], id=EntryId("again"), source=other.id)
    store.entries.save_new(db, [*entries, twice], NOON)
    reasons = (f"{ROBOTS}; what the feed carries is shown", "the page is too large")
    store.rejections.save(
        db, [Rejected(stage="page", subject=e.url, reason=r) for e, r in zip(entries, reasons, strict=False)], NOON
    )
    assert store.manners.forbidden(db, source.id) == 1
    assert store.manners.forbidden(db, SourceId("nobody")) == 0


def test_articles_are_counted_by_source_and_day(db: Connection) -> None:
    busy, calm = SourceId("busy"), SourceId("calm")
    start = NOON - 3 * DAY
    made = [
        an_article(f"{source} {n}", source=source, published=start + after)
        for source, times in ((busy, (-HOUR, HOUR, 2 * HOUR, DAY, 3 * DAY)), (calm, (2 * DAY + HOUR,)))
        for n, after in enumerate(times)
    ]
    store.articles.save(db, [*made, an_article("of no source")])
    assert store.articles.by_day(db, start, 3) == {busy: [2, 1, 0], calm: [0, 0, 1]}
    assert store.articles.by_day(db, start, 3, [calm, SourceId("none")]) == {calm: [0, 0, 1]}
    assert store.articles.times(db, busy, start + 2 * HOUR) == [start + 2 * HOUR, start + DAY, start + 3 * DAY]
