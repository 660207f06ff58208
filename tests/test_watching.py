"""Corrections watch: what publishers change of articles that somebody read is kept, told and described anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from broadsheet import following, jobs, store
from broadsheet.config import Settings
from broadsheet.jobs.rewriting import rewritten
from broadsheet.model import Article, Reader, ReaderId
from broadsheet.reading import Newsstand
from broadsheet.sources import opml
from tests.builders import HOUR, NOON, a_reader, an_article
from tests.newsroom import Item, Press, happenings, press

FIRST = "Salt water has ruined a third of the rice harvest. Growers blamed dams upstream. Some 2,000 families lost their fields."


@pytest.fixture
def papers() -> Iterator[Press]:
    with press() as papers:
        papers.feeds = {"herald": happenings(3)}
        yield papers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        database=f"sqlite:///{tmp_path / 'news.sqlite'}",
        allow_addresses=("127.0.0.1/32",),
        engine="serial",
        as_of=NOON.isoformat(),
    )


@pytest.fixture
def db(settings: Settings, papers: Press) -> Iterator[Engine]:
    engine = store.open(settings.database_url())
    with engine.begin() as c:
        store.readers.add(c, a_reader("Ada"))
        following.follow(c, [opml.Subscription(url=f"{papers.base}/herald")], NOON)
    asyncio.run(jobs.refresh(engine, settings))
    yield engine
    engine.dispose()


def later(settings: Settings, hours: int) -> Settings:
    return replace(settings, as_of=(NOON + hours * HOUR).isoformat())


def article_called(db: Engine, title: str) -> Article:
    with db.connect() as c:
        return next(a for a in store.articles.all(c) if a.title == title)


def ada(stand: Newsstand) -> Reader:
    return stand.reader(ReaderId("ada"))


def corrected(papers: Press, number: int, old: str, new: str) -> Item:
    before = papers.feeds["herald"][number]
    papers.feeds["herald"][number] = replace(before, text=before.text.replace(old, new))
    assert papers.feeds["herald"][number] != before
    return papers.feeds["herald"][number]


def test_a_number_that_a_feed_corrects_is_told_to_who_read_it_and_both_wordings_are_kept(
    db: Engine, papers: Press, settings: Settings
) -> None:
    title = papers.feeds["herald"][0].title
    read = article_called(db, title)
    stand = Newsstand(db, settings)
    stand.read(ada(stand), read)
    corrected(papers, 0, "nine years ago", "19 years ago")
    done = asyncio.run(jobs.refresh(db, later(settings, 30)))
    assert (done.entries, done.articles) == (0, 0)
    after = Newsstand(db, later(settings, 31))
    (correction,) = after.corrections(ada(after))
    assert correction.article.id == read.id
    assert "19 years ago" in correction.article.text
    assert "nine years ago" in correction.before.text
    assert [(f.kind, f.old, f.new) for f in correction.revision.facts] == [("number", "nine", "19")]
    assert after.corrected(ada(after)) == 1
    # the story quotes what the article says now, and nothing waits any more
    with db.connect() as c:
        story = store.stories.get(c, store.articles.story_of(c, read.id))
        assert store.stories.stale_ones(c, 5) == {}
    quoted = [point.text for point in story.key_points if point.article == read.id]
    assert quoted
    assert all(text in correction.article.text for text in quoted)
    # who reads it again knows it
    after.read(ada(after), correction.article)
    assert after.corrections(ada(after)) == []
    assert len(after.history(correction.article)) == 1


def test_an_article_that_was_read_is_looked_at_again_at_its_page(db: Engine, papers: Press, settings: Settings) -> None:
    read = article_called(db, papers.feeds["herald"][1].title)
    stand = Newsstand(db, settings)
    stand.read(ada(stand), read)
    changed = corrected(papers, 1, "lasted three days", "lasted five days")
    papers.asked.clear()
    asyncio.run(jobs.refresh(db, settings))
    assert "herald/1" not in papers.asked  # not due yet
    with db.begin() as c:  # the feed is silent: only the page changed
        for source in store.sources.all(c):
            store.sources.save(c, replace(source, next_fetch=None))
    done = asyncio.run(jobs.refresh(db, later(settings, 2)))
    assert "herald/1" in papers.asked
    assert done.changed == 1
    after = Newsstand(db, later(settings, 3))
    (correction,) = after.corrections(ada(after))
    assert "five days" in changed.text
    assert "five days" in correction.article.text
    assert ("number", "three", "five") in {(f.kind, f.old, f.new) for f in correction.revision.facts}


def test_what_nobody_read_changes_without_a_word_and_without_a_second_copy(
    db: Engine, papers: Press, settings: Settings
) -> None:
    read = article_called(db, papers.feeds["herald"][2].title)
    corrected(papers, 2, "eleven other works", "twelve other works")
    asyncio.run(jobs.refresh(db, later(settings, 30)))
    now = article_called(db, read.title)
    assert "twelve other works" in now.text
    assert now.first_seen == read.first_seen
    with db.connect() as c:
        assert store.versions.of(c, read.id) == []


def test_other_quotation_marks_are_no_change_and_half_a_page_is_none_either() -> None:
    old = an_article("A title", FIRST)
    assert rewritten(old, replace(old, text=FIRST.replace(". ", ".  ")), NOON) is None
    assert rewritten(old, replace(old, text="Salt water has ruined it."), NOON) is None
    change = rewritten(old, replace(old, text=FIRST.replace("2,000", "3,000"), published=None), NOON)
    assert change is not None
    assert change.before.text == FIRST
    assert change.article.published == old.published
    assert change.article.updated == NOON


def test_a_feed_that_counts_its_visitors_is_not_read_for_ever(db: Engine, papers: Press, settings: Settings) -> None:
    text = papers.feeds["herald"][0].text
    revisions = []
    for n in range(12):
        papers.feeds["herald"][0] = replace(papers.feeds["herald"][0], text=f"{text} Read by {n} people.")
        asyncio.run(jobs.refresh(db, later(settings, 30 * (n + 1))))
        with db.connect() as c:
            entry = c.exec_driver_sql("SELECT max(revision) FROM entries").scalar_one()
        revisions.append(entry)
    assert revisions[-1] == store.entries.REVISIONS
