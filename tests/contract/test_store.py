"""What every store promises, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, func, select, text

from broadsheet import store
from broadsheet.errors import ConfigError
from broadsheet.model import (
    Article,
    ArticleId,
    Enclosure,
    Entity,
    Entry,
    EntryId,
    Event,
    EventId,
    FactChange,
    Feed,
    FeedId,
    FeedItem,
    Follow,
    Moment,
    Mute,
    Outlet,
    Passage,
    ReaderId,
    Reason,
    Rejected,
    Repair,
    Source,
    SourceId,
    Story,
    StoryId,
    Topic,
    Version,
    Weight,
    bytes_of,
)
from broadsheet.store import schema
from broadsheet.store.types import clean
from tests.builders import DAY, HOUR, NOON, a_reader, a_source, a_story, an_article, an_entry

LEASE = timedelta(minutes=5)


def a_due_source(name: str, **fields: Any) -> Any:
    return a_source(f"https://{name}.example/feed", **{"next_fetch": NOON - HOUR} | fields)


# --- opening ------------------------------------------------------------------------------------------------------


def test_a_database_that_is_opened_again_has_kept_what_was_saved(url: str) -> None:
    first = store.open(url)
    with first.begin() as db:
        store.sources.add(db, a_source())
    first.dispose()
    second = store.open(url)
    with second.connect() as db:
        assert store.sources.all(db) == [a_source()]
    second.dispose()


def test_processes_that_start_at_once_migrate_once(url: str) -> None:
    start = threading.Barrier(4)

    def begin(_: int) -> int:
        start.wait()
        engine = store.open(url)
        with engine.connect() as db:
            version = store.migrations.version(db)
        engine.dispose()
        return version

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(begin, range(4)))) == 1


def test_a_database_from_a_newer_program_is_refused_with_a_sentence(url: str) -> None:
    engine = store.open(url)
    with engine.begin() as db:
        db.execute(text("INSERT INTO migrations (number, name) VALUES (9999, 'from_the_future')"))
    engine.dispose()
    with pytest.raises(ConfigError, match="at version 9999"):
        store.open(url)


def test_a_migration_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = store.open(url)
    known = store.migrations.known(engine.dialect.name)
    broken = store.migrations.Migration(
        len(known) + 1, "broken", ("CREATE TABLE half_done (id TEXT)", "CREATE TABLE half_done (id TEXT)")
    )
    monkeypatch.setattr(store.migrations, "known", lambda dialect: (*known, broken))
    with pytest.raises(Exception, match="half_done"):
        store.migrations.run(engine)
    with engine.connect() as db:
        assert store.migrations.version(db) == len(known)
    with engine.connect() as db, pytest.raises(Exception, match="half_done"):
        db.execute(text("SELECT * FROM half_done"))
    engine.dispose()


def test_the_tables_are_what_the_queries_believe(db: Connection) -> None:
    from sqlalchemy import inspect

    inspector = inspect(db)
    for table in schema.metadata.sorted_tables:
        made = {column["name"] for column in inspector.get_columns(table.name)} - {"document"}
        assert made == {column.name for column in table.c}, table.name


@pytest.mark.parametrize(
    ("noun", "table"),
    [
        (Source, schema.sources),
        (Entry, schema.entries),
        (Article, schema.articles),
        (Story, schema.stories),
        (Feed, schema.feeds),
    ],
)
def test_every_field_of_a_noun_has_a_column(noun: Any, table: Any) -> None:
    assert {field.name for field in fields(noun)} <= {column.name for column in table.c}


def test_what_fails_in_the_middle_of_a_transaction_is_not_kept(engine: Engine) -> None:
    def fail() -> None:
        with engine.begin() as db:
            store.sources.add(db, a_source())
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        fail()
    with engine.connect() as db:
        assert store.sources.all(db) == []


# --- sources ------------------------------------------------------------------------------------------------------


def test_a_source_comes_back_as_it_was_saved(db: Connection) -> None:
    source = a_source(
        outlet=Outlet(name="Ex", domain="example.org", country="FR", owner="X", kind="daily"),
        etag='W/"a"', last_modified="yesterday, as given", next_fetch=NOON, last_fetch=NOON - HOUR,
        last_success=NOON - DAY, interval=timedelta(minutes=17, microseconds=3), failures=2, problem="no answer",
        gone=True, private=True, full_text=False, language="fr", kind="sitemap", homepage="https://example.org/",
    )  # fmt: skip
    store.sources.add(db, source)
    assert store.sources.get(db, source.id) == source
    assert store.sources.by_url(db, source.url) == source
    assert store.sources.get(db, SourceId("nothing")) is None


def test_adding_a_known_address_gives_the_id_it_has(db: Connection) -> None:
    first = store.sources.add(db, a_source())
    assert store.sources.add(db, a_source(id=SourceId("another"), title="Otherwise")) == first
    assert [s.title for s in store.sources.all(db)] == ["Example"]


def test_due_sources_are_claimed_longest_waiting_first_and_once(db: Connection) -> None:
    late, later = a_due_source("b"), a_due_source("a", next_fetch=NOON)
    for source in (late, later, a_due_source("c", next_fetch=NOON + HOUR), a_due_source("d", next_fetch=None)):
        store.sources.add(db, source)
    assert store.sources.claim_due(db, NOON, "one", LEASE, 1) == [late]
    assert store.sources.claim_due(db, NOON, "two", LEASE, 9) == [later]
    assert store.sources.claim_due(db, NOON, "three", LEASE, 9) == []


def test_a_claim_that_ran_out_is_taken_over(db: Connection) -> None:
    store.sources.add(db, source := a_due_source("a"))
    store.sources.claim_due(db, NOON, "dead", LEASE, 1)
    assert store.sources.claim_due(db, NOON + LEASE, "alive", LEASE, 1) == [source]


def test_saving_a_source_lets_go_of_it(db: Connection) -> None:
    store.sources.add(db, a_due_source("a"))
    [source] = store.sources.claim_due(db, NOON, "one", LEASE, 1)
    store.sources.save(db, replace(source, failures=1))
    assert store.sources.claim_due(db, NOON, "two", LEASE, 1) == [replace(source, failures=1)]


def test_released_sources_are_free_again_but_not_those_of_another(db: Connection) -> None:
    store.sources.add(db, source := a_due_source("a"))
    store.sources.claim_due(db, NOON, "one", LEASE, 1)
    store.sources.release(db, [source.id], "two")
    assert store.sources.claim_due(db, NOON, "three", LEASE, 1) == []
    store.sources.release(db, [source.id], "one")
    assert store.sources.claim_due(db, NOON, "three", LEASE, 1) == [source]


def test_a_source_that_was_removed_does_not_come_back_when_saved(db: Connection) -> None:
    store.sources.add(db, source := a_source())
    store.sources.remove(db, source.id)
    store.sources.save(db, source)
    assert store.sources.all(db) == []


def test_a_moved_source_is_found_at_both_addresses(db: Connection) -> None:
    store.sources.add(db, source := a_source("https://example.org/old"))
    assert store.sources.moved(db, source.id, "https://example.org/new") == source.id
    found = replace(source, url="https://example.org/new")
    assert store.sources.by_url(db, "https://example.org/new") == found
    assert store.sources.by_url(db, "https://example.org/old") == found
    assert store.sources.add(db, a_source("https://example.org/old", id=SourceId("x"))) == source.id


def test_a_source_that_moves_back_and_forth_is_one_source(db: Connection) -> None:
    store.sources.add(db, source := a_source("https://example.org/a"))
    for address in ("b", "a", "b"):
        store.sources.moved(db, source.id, f"https://example.org/{address}")
    assert store.sources.all(db) == [replace(source, url="https://example.org/b")]
    assert store.sources.by_url(db, "https://example.org/a") == replace(source, url="https://example.org/b")


def test_a_source_that_moves_onto_another_brings_its_readers_along(db: Connection) -> None:
    old, new = a_source("https://example.org/old"), a_source("https://example.org/new")
    store.readers.add(db, a_reader())
    for source in (old, new):
        store.sources.add(db, source)
    store.sources.subscribe(db, ReaderId("ada"), old.id, "Papers")
    assert store.sources.moved(db, old.id, new.url) == new.id
    assert store.sources.subscriptions(db, ReaderId("ada")) == [(new, "Papers")]
    assert store.sources.by_url(db, old.url) == new


def test_subscriptions_have_a_folder_that_can_change(db: Connection) -> None:
    store.readers.add(db, a_reader())
    store.sources.add(db, source := a_source())
    store.sources.subscribe(db, ReaderId("ada"), source.id)
    store.sources.subscribe(db, ReaderId("ada"), source.id, "Mornings")
    assert store.sources.subscriptions(db, ReaderId("ada")) == [(source, "Mornings")]
    store.sources.unsubscribe(db, ReaderId("ada"), source.id)
    assert store.sources.subscriptions(db, ReaderId("ada")) == []


def test_health_says_what_came_of_each_source_and_shows_trouble_first(db: Connection) -> None:
    well, ill = a_source("https://a.example/"), a_source("https://b.example/", problem="no answer", title="Zed")
    for source in (well, ill):
        store.sources.add(db, source)
    store.articles.save(
        db, [an_article("One", source=well.id), an_article("Two", source=well.id, published=NOON + HOUR)]
    )
    first, second = store.sources.health(db)
    assert (first.source, first.articles, first.latest) == (ill, 0, None)
    assert (second.source, second.articles, second.latest) == (well, 2, NOON + HOUR)


# --- entries ------------------------------------------------------------------------------------------------------


def test_an_entry_comes_back_as_it_was_saved(db: Connection) -> None:
    entry = an_entry(
        summary="<p>Short</p>", content="<p>Long</p>", updated=NOON + HOUR, authors=("A", "B"), tags=("x",),
        enclosures=(Enclosure(url="https://example.org/a.mp3", type="audio/mpeg", length=7),), image="i", language="de",
        publisher="Wire", rights="CC0",
    )  # fmt: skip
    assert store.entries.save_new(db, [entry], NOON) == 1
    assert store.entries.claim(db, NOON, "one", LEASE, 5) == [entry]


def test_a_known_entry_is_left_as_it_was_and_never_comes_back_to_life(db: Connection) -> None:
    entry = an_entry()
    assert store.entries.save_new(db, [entry, an_entry("Another")], NOON) == 2
    store.entries.done(db, [entry.id])
    assert store.entries.save_new(db, [replace(entry, title="Changed"), an_entry("Third")], NOON) == 1
    assert [e.title for e in store.entries.claim(db, NOON, "one", LEASE, 5)] == sorted(
        ["Another", "Third"], key=lambda t: an_entry(t).id
    )


def test_of_entries_seen_at_one_time_the_newest_is_read_first(db: Connection) -> None:
    at = {"new": NOON, "old": NOON - DAY, "older": NOON - 2 * DAY}
    store.entries.save_new(db, [an_entry(title, published=when) for title, when in reversed(at.items())], NOON)
    store.entries.save_new(db, [an_entry("seen before", published=NOON - 9 * DAY)], NOON - HOUR)
    titles = [e.title for e in store.entries.claim(db, NOON, "one", LEASE, 3)]
    assert titles == ["seen before", "new", "old"]


def test_entries_are_claimed_once_in_the_order_they_were_seen(db: Connection) -> None:
    for hour, title in enumerate(("first", "second", "third")):
        store.entries.save_new(db, [an_entry(title)], NOON + hour * HOUR)
    assert [e.title for e in store.entries.claim(db, NOON, "one", LEASE, 2)] == ["first", "second"]
    assert [e.title for e in store.entries.claim(db, NOON, "two", LEASE, 2)] == ["third"]
    assert store.entries.claim(db, NOON, "three", LEASE, 2) == []
    assert store.entries.counts(db) == store.entries.Counts(total=3, waiting=3, claimed=3)


def test_two_workers_at_once_never_take_the_same_entry(engine: Engine) -> None:
    with engine.begin() as db:
        store.entries.save_new(db, (an_entry(f"Entry {n}") for n in range(300)), NOON)
    start = threading.Barrier(4)

    def work(worker: int) -> list[EntryId]:
        start.wait()
        taken: list[EntryId] = []
        while True:
            with engine.begin() as db:
                entries = store.entries.claim(db, NOON, f"worker {worker}", LEASE, 7)
            if not entries:
                return taken
            taken += [entry.id for entry in entries]

    with ThreadPoolExecutor(4) as pool:
        taken = [id_ for ids in pool.map(work, range(4)) for id_ in ids]
    assert len(taken) == len(set(taken)) == 300


def test_an_entry_that_kills_its_worker_every_time_is_given_up(db: Connection) -> None:
    store.entries.save_new(db, [an_entry("poison")], NOON)
    now = NOON
    for _ in range(store.entries.ATTEMPTS):
        assert len(store.entries.claim(db, now, "doomed", LEASE, 5)) == 1
        assert store.entries.given_up(db, now) == []
        now += LEASE
    assert store.entries.claim(db, now, "next", LEASE, 5) == []
    assert [e.title for e in store.entries.given_up(db, now)] == ["poison"]


def test_an_entry_that_was_let_go_was_never_tried(db: Connection) -> None:
    store.entries.save_new(db, [entry := an_entry()], NOON)
    for _ in range(store.entries.ATTEMPTS + 2):
        assert store.entries.claim(db, NOON, "one", LEASE, 5) == [entry]
        store.entries.release(db, [entry.id], "one")


# --- articles -----------------------------------------------------------------------------------------------------


def a_full_article() -> Article:
    return an_article(
        key_points=("one", "two"), authors=("A",), updated=NOON + HOUR, image="i", captions=("c",), section="World",
        html="<p>A body</p>", confidence=0.75, tags=("t",), licence="CC0", source=SourceId("s"),
        entities=(Entity(text="Paris", type="place", count=3),), topics=(Topic(id="04000000", label="economy", weight=0.5),),
        vector=bytes_of(np.arange(8.0)), vector_model="m", fingerprint=b"\x00\x01\xff", copy_of=ArticleId("earlier"),
    )  # fmt: skip


def test_an_article_comes_back_as_it_was_saved(db: Connection) -> None:
    article = a_full_article()
    store.articles.save(db, [article])
    assert store.articles.get(db, article.id) == article
    assert store.articles.many(db, [ArticleId("none"), article.id]) == [article]
    assert store.articles.many(db, [article.id], html=False) == [replace(article, html="")]


@pytest.mark.parametrize("words", ["NUL \x00 here", "half \ud800 a pair", "bell \x07"])
def test_words_that_no_database_holds_are_saved_without_what_it_cannot_hold(db: Connection, words: str) -> None:
    article = replace(an_article("x"), title=words, text=words, key_points=(words,))
    store.articles.save(db, [article])
    assert (found := store.articles.get(db, article.id)) is not None
    assert found.title == found.text == found.key_points[0].replace("\x07", "") == clean(words)


def test_an_article_saved_twice_is_one_and_keeps_its_story_and_first_sight(db: Connection) -> None:
    article = an_article()
    store.articles.save(db, [article])
    store.articles.place(db, [(article.id, StoryId("story"), ArticleId("other"))])
    store.articles.save(db, [replace(article, text="Better", first_seen=NOON + DAY)])
    found = store.articles.get(db, article.id)
    assert found == replace(article, text="Better", copy_of=ArticleId("other"))
    assert store.articles.story_of(db, article.id) == "story"
    assert store.articles.counts(db) == (1, 0)


def test_the_first_to_save_an_article_wins_where_only_new_ones_are_kept(db: Connection) -> None:
    article = an_article()
    assert store.articles.save_new(db, [article, replace(article, text="again")]) == 1
    assert store.articles.save_new(db, [replace(article, text="later"), an_article("Other")]) == 1
    assert store.articles.get(db, article.id) == article


def test_latest_pages_through_everything_once_newest_first(db: Connection) -> None:
    articles = [an_article(f"A{n}", published=NOON + (n // 3) * HOUR) for n in range(10)]
    store.articles.save(db, articles)
    seen: list[Article] = []
    while page := store.articles.latest(
        db, 4, seen[-1].time if seen else None, before_id=seen[-1].id if seen else None
    ):
        seen += page
    assert seen == sorted(articles, key=lambda a: (a.time or NOON, a.id), reverse=True)


def test_latest_of_some_sources_leaves_out_the_others(db: Connection) -> None:
    store.articles.save(db, [one := an_article("1", source=SourceId("a")), an_article("2", source=SourceId("b"))])
    assert store.articles.latest(db, 5, sources=[SourceId("a")]) == [one]
    assert store.articles.latest(db, 5, sources=[]) == []


def test_an_article_is_ungrouped_until_it_is_placed_and_live_after(db: Connection) -> None:
    early, late = an_article("1", published=NOON - HOUR), an_article("2")
    store.articles.save(db, [late, early])
    assert store.articles.ungrouped(db, 9) == [early, late]
    store.articles.place(db, [(early.id, StoryId("s"), None), (late.id, StoryId("s"), early.id)])
    assert store.articles.ungrouped(db, 9) == []
    assert list(store.articles.live(db, NOON - DAY)) == [(early, "s"), (replace(late, copy_of=early.id), "s")]
    assert list(store.articles.live(db, NOON)) == [(replace(late, copy_of=early.id), "s")]
    assert store.articles.stories_of(db, [early.id, ArticleId("no")]) == {early.id: "s"}


def test_the_outline_of_a_story_says_when_and_where_each_article_appeared_in_order(db: Connection) -> None:
    early = an_article("1", published=NOON - HOUR, source=SourceId("a"))
    late, other, alone = an_article("2", published=None), an_article("3"), an_article("4")
    store.articles.save(db, [late, early, other, alone])
    assert store.articles.count_ungrouped(db) == 4
    places = [(early.id, "s", None), (late.id, "s", early.id), (other.id, "t", None)]
    store.articles.place(db, [(id_, StoryId(story), copied) for id_, story, copied in places])
    assert store.articles.count_ungrouped(db) == 1
    found = store.articles.outlines(db, [StoryId("s"), StoryId("t"), StoryId("none")])
    assert {
        story: [(a.id, a.time, a.source, a.publisher, a.copy_of) for a in told] for story, told in found.items()
    } == {
        "s": [
            (early.id, early.time, "a", early.publisher, None),
            (late.id, late.time, None, late.publisher, early.id),
        ],
        "t": [(other.id, other.time, None, other.publisher, None)],
    }
    assert all(a.text == "" for told in found.values() for a in told)


def test_more_ids_than_fit_in_one_statement_are_found(db: Connection) -> None:
    articles = [an_article(f"A{n}") for n in range(1203)]
    store.articles.save(db, articles)
    assert store.articles.many(db, [a.id for a in articles]) == articles
    assert store.articles.known(db, [a.id for a in articles]) == {a.id for a in articles}


# --- rejections, leases, notes --------------------------------------------------------------------------------------


def test_a_rejection_is_kept_once_with_its_last_time(db: Connection) -> None:
    refused = Rejected(stage="extract", subject="https://example.org/", reason="only 3 characters")
    store.rejections.save(db, [refused, refused], NOON)
    store.rejections.save(db, [refused], NOON + HOUR)
    store.rejections.save(db, [Rejected(stage="fetch", subject="x", reason="y")], NOON)
    assert next((d.rejected, d.at) for d in store.rejections.latest(db)) == (refused, NOON + HOUR)
    assert store.rejections.counts(db) == {"extract": 1, "fetch": 1}
    assert len(store.rejections.latest(db, stage="fetch")) == 1


def test_one_worker_leads_until_its_lease_runs_out(db: Connection) -> None:
    assert store.leases.take(db, "group", "one", NOON, LEASE)
    assert not store.leases.take(db, "group", "two", NOON, LEASE)
    assert store.leases.take(db, "group", "one", NOON + LEASE / 2, LEASE)
    assert not store.leases.take(db, "group", "two", NOON + LEASE, LEASE)
    assert store.leases.take(db, "group", "two", NOON + 2 * LEASE, LEASE)
    assert store.leases.holder(db, "group", NOON + 2 * LEASE) == "two"


def test_a_lease_given_back_is_free_at_once_and_only_its_holder_can_give_it(db: Connection) -> None:
    store.leases.take(db, "group", "one", NOON, LEASE)
    store.leases.give_back(db, "group", "two")
    assert not store.leases.take(db, "group", "two", NOON, LEASE)
    store.leases.give_back(db, "group", "one")
    assert store.leases.take(db, "group", "two", NOON, LEASE)


def test_what_a_dead_worker_held_is_free_at_once_and_nothing_else(db: Connection) -> None:
    store.sources.add(db, source := a_due_source("a"))
    store.entries.save_new(db, [one := an_entry("1"), two := an_entry("2", url="https://example.org/2")], NOON)
    store.sources.claim_due(db, NOON, "dead", LEASE, 1)
    [first] = store.entries.claim(db, NOON, "dead", LEASE, 1)
    store.entries.claim(db, NOON, "alive", LEASE, 1)
    store.leases.take(db, "group", "dead", NOON, LEASE)
    assert store.leases.workers(db) == {"dead", "alive"}
    store.leases.bury(db, {"dead"})
    assert store.leases.workers(db) == {"alive"}
    assert store.sources.claim_due(db, NOON, "next", LEASE, 1) == [source]
    assert store.entries.claim(db, NOON, "next", LEASE, 5) == [first]
    assert first in (one, two)
    assert store.leases.take(db, "group", "next", NOON, LEASE)


def test_notes_are_kept_and_the_first_of_two_wins_where_asked(db: Connection) -> None:
    assert store.notes.get(db, "secret") is None
    assert store.notes.put_first(db, "secret", "a") == "a"
    assert store.notes.put_first(db, "secret", "b") == "a"
    store.notes.put(db, "secret", "c")
    assert store.notes.get(db, "secret") == "c"
    store.notes.remove(db, "secret")
    assert store.notes.get(db, "secret") is None


# --- stories ------------------------------------------------------------------------------------------------------


def test_a_story_comes_back_as_it_was_saved(db: Connection) -> None:
    story = a_story(
        independent=2, velocity=0.125, sources=(SourceId("s"),), language="en", image="i", lead=ArticleId("a"),
        key_points=(Passage(article=ArticleId("a"), text="It happened.", start=3, end=15),),
        timeline=(Moment(date=NOON, sentence="It happened.", article=ArticleId("a")),),
        entities=(Entity(text="Ada", type="person"),), topics=(Topic(id="1", label="x", weight=0.3),),
        vector=bytes_of(np.ones(4)), vector_model="m",
    )  # fmt: skip
    store.stories.save(db, [story])
    assert store.stories.get(db, story.id) == story
    assert store.stories.get(db, StoryId("none")) is None


def test_the_version_grows_with_each_change_and_tells_what_changed(db: Connection) -> None:
    one, two = a_story("One"), a_story("Two")
    start = store.stories.version(db)
    first = store.stories.save(db, [one, two])
    second = store.stories.save(db, [replace(one, independent=5)])
    assert start < first < second == store.stories.version(db)
    stories, gone, version = store.stories.changed_since(db, first)
    assert (stories, gone, version) == ((replace(one, independent=5),), {}, second)
    assert tuple(store.stories.changed_since(db, second)) == ((), {}, second)


def test_an_absorbed_story_leads_to_its_survivor_through_any_number_of_merges(db: Connection) -> None:
    one, two, three = (a_story(name) for name in ("One", "Two", "Three"))
    before = store.stories.save(db, [one, two, three])
    store.articles.save(db, [article := an_article()])
    store.articles.place(db, [(article.id, one.id, None)])
    store.stories.merge(db, one.id, two.id)
    store.stories.merge(db, two.id, three.id)
    assert store.stories.get(db, one.id) == three
    assert store.stories.many(db, [two.id, one.id, three.id]) == [three]
    assert store.articles.story_of(db, article.id) == three.id
    assert list(store.stories.live(db, NOON - DAY)) == [three]
    assert store.stories.changed_since(db, before).gone == {one.id: three.id, two.id: three.id}
    assert store.stories.count(db) == 1


def test_live_stories_are_those_with_an_article_since_then_in_order_of_time(db: Connection) -> None:
    stories = [a_story(f"S{n}", last_seen=NOON - n * DAY) for n in range(5)]
    store.stories.save(db, stories)
    assert list(store.stories.live(db, NOON - 2 * DAY)) == [stories[2], stories[1], stories[0]]


# --- readers and feeds --------------------------------------------------------------------------------------------


def a_full_reader() -> Any:
    return a_reader(
        follows=(Follow(kind="topic", value="1", label="Chess", since=NOON),),
        mutes=(Mute(kind="person", value="X", until=NOON + DAY), Mute(kind="keyword", value="y")),
        weights={("topic", "1"): Weight(value=0.5, at=NOON, label="Chess", pinned=True, since=NOON - DAY, came_from={"more": 2})},
        interest=bytes_of(np.ones(4)), interest_mass=2.5, interest_at=NOON, disinterest=b"", disinterest_mass=0.5,
        languages=("en", "fr"), scope="subscriptions", subscriptions=frozenset({SourceId("s")}), images="off",
        tuning={"freshness": 2.0}, presets={"Slow": {"freshness": 0.4}}, home=("Lyon",), budget={"outside": 0.2}, saved=(StoryId("b"), StoryId("a")), hidden=frozenset({StoryId("h")}),
        opened={StoryId("o"): NOON}, shown={StoryId("p"): 3},
    )  # fmt: skip


def test_a_reader_comes_back_as_it_was_saved(db: Connection) -> None:
    store.readers.add(db, a_reader())
    store.readers.save(db, a_full_reader())
    assert store.readers.get(db, ReaderId("ada")) == a_full_reader()
    assert store.readers.all(db) == [a_full_reader()]


def test_events_come_back_in_order_with_ids_that_grow(db: Connection) -> None:
    store.readers.add(db, a_reader())
    ada = ReaderId("ada")
    events = [
        Event(
            reader=ada, kind="opened", at=NOON, story=StoryId("s"), article=ArticleId("a"), feed=FeedId("f"), position=2
        ),
        Event(reader=ada, kind="dwelled", at=NOON, story=StoryId("s"), seconds=31.5),
        Event(reader=ada, kind="follow", at=NOON, follow=Follow(kind="topic", value="1", since=NOON)),
        Event(reader=ada, kind="mute", at=NOON, mute=Mute(kind="person", value="X", until=NOON + DAY)),
        Event(reader=ada, kind="set_weight", at=NOON, weight=(("topic", "1"), 0.5)),
        Event(reader=ada, kind="settings", at=NOON, settings={"images": "off", "languages": ["en"]}),
        Event(reader=ada, kind="undo", at=NOON, target=EventId(1)),
        Event(reader=ada, kind="undo", at=NOON, target=EventId(1), through=EventId(3)),
        Event(reader=ada, kind="import", at=NOON, settings={"follows": [["topic", "1", "Chess", None]]}),
    ]
    ids = store.readers.record(db, events)
    assert ids == sorted(set(ids))
    kept = [replace(event, id=id_) for event, id_ in zip(events, ids, strict=True)]
    assert store.readers.events(db, ada) == kept
    assert store.readers.events(db, ada, after=ids[4]) == kept[5:]


def test_what_anybody_was_shown_and_opened_comes_once_and_of_very_much_the_last(db: Connection) -> None:
    for name in ("Ada", "Bob"):
        store.readers.add(db, a_reader(name))
    done: list[tuple[str, Any, str]] = [
        ("ada", "shown", "s"), ("bob", "opened", "s"), ("ada", "saved", "s"), ("bob", "shown", "t"), ("ada", "opened", "t"),
    ]  # fmt: skip
    ids = store.readers.record(
        db, [Event(reader=ReaderId(who), kind=kind, at=NOON, story=StoryId(of), position=3) for who, kind, of in done]
    )
    found = list(store.readers.looks(db, EventId(0), 100))
    assert [event_id for event_id, _ in found] == [ids[0], ids[1], ids[3], ids[4]]
    assert [(event.reader, event.kind, event.story) for _, event in found] == [done[k] for k in (0, 1, 3, 4)]
    assert found[0][1].position == 3
    assert [event_id for event_id, _ in store.readers.looks(db, ids[1], 100)] == [ids[3], ids[4]]
    assert [event_id for event_id, _ in store.readers.looks(db, EventId(0), 2)] == [ids[3], ids[4]]


def test_a_reader_is_behind_until_the_last_event_is_folded_in(db: Connection) -> None:
    store.readers.add(db, a_reader())
    assert store.readers.behind(db) == []
    [id_] = store.readers.record(db, [Event(reader=ReaderId("ada"), kind="opened", at=NOON)])
    assert store.readers.behind(db) == ["ada"]
    store.readers.save(db, a_reader(), id_)
    assert store.readers.behind(db) == []
    assert store.readers.locked(db, ReaderId("ada")) == (a_reader(), id_)


def test_what_is_written_of_a_reader_changes_with_the_reader_alone(db: Connection) -> None:
    ada = a_reader()
    assert store.readers.written(db, ada.id) is None
    store.readers.add(db, ada)
    first = store.readers.written(db, ada.id)
    assert first is not None
    store.readers.save(db, ada)
    assert store.readers.written(db, ada.id) == first
    store.readers.save(db, replace(ada, images="off", subscriptions=frozenset({SourceId("new")})))
    assert store.readers.written(db, ada.id) != first


def a_feed() -> Feed:
    repair = Repair(
        label="Unfollow", kind="unfollow", follow=Follow(kind="topic", value="1"), mute=Mute(kind="person", value="x"),
        weight=(("topic", "1"), 0.0), settings={"a": 1},
    )  # fmt: skip
    reasons = (
        Reason(signal="interest", points=0.8, fact="chess", repair=repair),
        Reason(signal="x", points=0.1, fact=""),
    )
    return Feed(
        id=FeedId("f"), reader=ReaderId("ada"), at=NOON, recipe="default", recipe_hash="h", left_out={"muted": 3},
        items=(FeedItem(story=StoryId("s"), reasons=reasons), FeedItem(story=StoryId("t"), reasons=())),
    )  # fmt: skip


def test_a_feed_is_logged_as_it_was_shown_with_where_each_story_stood(db: Connection) -> None:
    store.readers.add(db, a_reader())
    store.feeds.log(db, a_feed(), [4, 7])
    store.feeds.log(db, replace(a_feed(), items=()))  # a second word about the same feed changes nothing
    assert store.feeds.get(db, FeedId("f")) == a_feed()
    assert store.feeds.positions(db, FeedId("f")) == {"s": 4, "t": 7}
    assert store.feeds.latest(db, ReaderId("ada")) == [a_feed()]


def test_forgetting_takes_away_the_events_and_feeds_that_are_named_and_no_others(db: Connection) -> None:
    for reader in (a_reader(), a_reader("Bob")):
        store.readers.add(db, reader)
        store.feeds.log(db, replace(a_feed(), id=FeedId(reader.id), reader=reader.id))
    ada, bob = ReaderId("ada"), ReaderId("bob")
    mine = store.readers.record(db, [Event(reader=ada, kind="opened", at=NOON - n * DAY) for n in (3, 1, 1, 2)])
    (theirs,) = store.readers.record(db, [Event(reader=bob, kind="opened", at=NOON)])
    assert store.readers.times(db, ada) == [NOON - n * DAY for n in (1, 2, 3)]
    assert store.readers.times(db, ada, 2) == [NOON - n * DAY for n in (1, 2)]
    store.readers.forget(db, ada, [*mine[:2], theirs])
    assert store.feeds.forget(db, ada) == 1
    assert [event.id for event in store.readers.events(db, ada)] == mine[2:]
    assert [event.id for event in store.readers.events(db, bob)] == [theirs]
    assert len(store.feeds.latest(db, bob)) == 1


def test_an_erased_reader_leaves_no_trace(db: Connection) -> None:
    ada, bob = ReaderId("ada"), ReaderId("bob")
    store.sources.add(db, source := a_source())
    for reader in (a_reader(), a_reader("Bob")):
        store.readers.add(db, reader)
        store.readers.record(db, [Event(reader=reader.id, kind="opened", at=NOON)])
        store.feeds.log(db, replace(a_feed(), id=FeedId(reader.id), reader=reader.id))
        store.sources.subscribe(db, reader.id, source.id)
    store.readers.erase(db, ada)
    assert store.readers.get(db, ada) is None
    for table in (schema.events, schema.feeds, schema.subscriptions):
        kept = db.execute(select(table.c.reader, func.count()).group_by(table.c.reader)).all()
        assert [tuple(row) for row in kept] == [(bob, 1)], table.name
    store.readers.save(db, a_reader())
    assert store.readers.get(db, ada) is None


# --- times --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 8, 1, 12, 0, 0, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
def test_a_time_comes_back_to_the_microsecond(db: Connection, when: datetime) -> None:
    store.sources.add(db, a_source(added=when))
    assert store.sources.all(db)[0].added == when


def test_a_time_without_a_zone_is_refused(db: Connection) -> None:
    with pytest.raises(Exception, match="no time zone"):
        store.sources.add(db, a_source(added=datetime(2026, 8, 1)))


# --- doctor -------------------------------------------------------------------------------------------------------


def damage_a_lost_story(db: Connection) -> None:
    store.articles.save(db, [an_article()])
    store.articles.place(db, [(an_article().id, StoryId("nowhere"), None)])


def damage_an_empty_story(db: Connection) -> None:
    store.stories.save(db, [a_story()])


def damage_a_stuck_claim(db: Connection) -> None:
    store.entries.save_new(db, [an_entry()], NOON)
    store.entries.claim(db, NOON - DAY, "dead", LEASE, 1)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_a_lost_story, "in a story that does not exist"),
        (damage_an_empty_story, "no article"),
        (damage_a_stuck_claim, "never came back"),
    ],
)
def test_the_doctor_names_what_is_wrong(db: Connection, damage: Callable[[Connection], None], says: str) -> None:
    assert store.doctor.check(db, NOON) == []
    damage(db)
    assert any(says in sentence for sentence in store.doctor.check(db, NOON))


def test_mending_puts_lost_articles_back_in_line(db: Connection) -> None:
    damage_a_lost_story(db)
    store.doctor.mend(db)
    assert store.doctor.check(db, NOON) == []
    assert store.articles.ungrouped(db, 5) == [an_article()]


# --- versions and second looks ------------------------------------------------------------------------------------


def test_an_earlier_wording_is_told_to_who_read_it_before_it_was_replaced(db: Connection) -> None:
    ada, bob = a_reader("Ada"), a_reader("Bob")
    article = an_article()
    store.articles.save(db, [article])
    for reader in (ada, bob):
        store.readers.add(db, reader)
    version = Version(
        article=article.id,
        replaced=NOON,
        title="Old",
        text="2,000 dead",
        facts=(FactChange(kind="number", old="2,000", new="3,000"),),
    )
    store.versions.save(db, [version])
    store.versions.save(db, [replace(version, title="Another at the same moment")])
    store.versions.read(db, ada.id, article.id, NOON - HOUR)
    store.versions.read(db, bob.id, article.id, NOON + HOUR)
    assert store.versions.of(db, article.id) == [version]
    assert store.versions.since_read(db, ada.id) == [(version, NOON - HOUR)]
    assert store.versions.since_read(db, bob.id) == []
    store.versions.read(db, ada.id, article.id, NOON + DAY)
    assert store.versions.since_read(db, ada.id) == []
    assert store.versions.read_by(db, ada.id, [article.id, ArticleId("none")]) == {article.id: NOON + DAY}
    assert store.versions.was_read(db, [article.id, ArticleId("none")]) == {article.id}
    store.readers.erase(db, ada.id)
    assert store.versions.all_read_by(db, ada.id) == []


def test_a_second_look_is_claimed_once_and_comes_back_when_it_was_put_off(db: Connection) -> None:
    store.rechecks.want(db, ArticleId("a"), NOON)
    store.rechecks.want(db, ArticleId("a"), NOON - DAY)
    store.rechecks.want(db, ArticleId("b"), NOON + DAY)
    claimed = store.rechecks.claim(db, NOON, "one", LEASE, 5, clock=NOON)
    assert [(r.article, r.tries) for r in claimed] == [("a", 0)]
    assert store.rechecks.claim(db, NOON, "two", LEASE, 5, clock=NOON) == []
    assert [r.article for r in store.rechecks.claim(db, NOON, "two", LEASE, 5, clock=NOON + 2 * LEASE)] == ["a"]
    store.rechecks.put_off(db, ArticleId("a"), NOON + HOUR, 1)
    assert store.rechecks.claim(db, NOON, "one", LEASE, 5, clock=NOON) == []
    assert [r.tries for r in store.rechecks.claim(db, NOON + HOUR, "one", LEASE, 5, clock=NOON)] == [1]
    assert store.leases.workers(db) == {"one"}
    store.leases.bury(db, {"one"})
    assert len(store.rechecks.claim(db, NOON + HOUR, "two", LEASE, 5, clock=NOON)) == 1
    store.rechecks.done(db, [ArticleId("a")])
    assert [r.article for r in store.rechecks.claim(db, NOON + 2 * DAY, "two", LEASE, 5, clock=NOON)] == ["b"]


def test_a_story_marked_again_while_it_was_described_stays_marked(db: Connection) -> None:
    one, two = StoryId("one"), StoryId("two")
    store.stories.mark_stale(db, [one, two, one])
    marked = store.stories.stale_ones(db, 5)
    assert marked == {one: 1, two: 1}
    store.stories.mark_stale(db, [two])
    store.stories.mark_fresh(db, marked)
    assert store.stories.stale_ones(db, 5) == {two: 2}


def test_an_entry_with_other_words_is_read_again_and_one_with_the_same_is_not(db: Connection) -> None:
    entry = an_entry("One", content="Two thousand", wording="a")
    assert store.entries.save_new(db, [entry], NOON) == 1
    assert [e.revision for e in store.entries.claim(db, NOON, "w", LEASE, 5)] == [0]
    assert store.entries.save_new(db, [replace(entry, content="Three", wording="b")], NOON) == 0
    store.entries.done(db, [entry.id])  # it was in somebody's hands: the next poll notices the change
    assert store.entries.save_new(db, [replace(entry, wording="a")], NOON) == 0
    assert store.entries.claim(db, NOON, "w", LEASE, 5) == []
    assert store.entries.save_new(db, [replace(entry, content="Three thousand", wording="b")], NOON) == 0
    (again,) = store.entries.claim(db, NOON, "w", LEASE, 5)
    assert (again.revision, again.content, again.wording) == (1, "Three thousand", "b")
