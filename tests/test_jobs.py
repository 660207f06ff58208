"""The writing side from end to end: real feeds on loopback, the real parts, a real database."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle, repeat
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from aiohttp import web
from hypothesis import strategies as st
from sqlalchemy import Engine

from broadsheet import following, jobs, store
from broadsheet.articles.passages import passages
from broadsheet.config import Settings
from broadsheet.errors import InputError, NotFound
from broadsheet.evaluation.stories import STREAM, days, prepared
from broadsheet.jobs import grouping, ingesting, moving, rounds, worker
from broadsheet.model import (
    Article,
    ArticleId,
    Entity,
    Event,
    Follow,
    ReaderId,
    Source,
    Story,
    ThreadId,
    bytes_of,
    identify,
)
from broadsheet.sources import opml
from broadsheet.stories.cluster import Grouping
from broadsheet.stories.describe import describe
from broadsheet.stories.regrouping import begun_by
from tests.builders import DAY, HOUR, NOON, a_reader, an_article
from tests.newsroom import Press, happenings, press
from tests.stories.test_threads import ALONE, TRIAL, WAR, a_told

pytestmark = pytest.mark.slow


@pytest.fixture
def papers() -> Iterator[Press]:
    with press() as papers:
        yield papers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        database=f"sqlite:///{tmp_path / 'news.sqlite'}",
        allow_addresses=("127.0.0.1/32",),
        engine="serial",
        as_of=NOON.isoformat(),
        fetch_per_host=16,
        fetch_timeout=timedelta(seconds=5),
    )


@pytest.fixture
def db(settings: Settings) -> Iterator[Engine]:
    engine = store.open(settings.database_url())
    yield engine
    engine.dispose()


def follow(db: Engine, papers: Press, *names: str, reader: ReaderId | None = None) -> list[Source]:
    with db.begin() as c:
        wanted = [opml.Subscription(url=f"{papers.base}/{name}") for name in names]
        return [source for source, _ in following.follow(c, wanted, NOON, reader=reader)]


def refresh(db: Engine, settings: Settings) -> jobs.Done:
    return asyncio.run(jobs.refresh(db, settings))


def later(settings: Settings, hours: int) -> Settings:
    return replace(settings, as_of=(NOON + hours * HOUR).isoformat())


def test_feeds_become_stories_with_every_publishers_article(db: Engine, papers: Press, settings: Settings) -> None:
    papers.feeds = {"herald": happenings(5), "courier": happenings(3)}
    follow(db, papers, "herald", "courier")
    done = refresh(db, settings)
    assert (done.polled, done.failed, done.entries, done.articles) == (2, 0, 8, 8)
    with db.connect() as c:
        stories = list(store.stories.live(c, NOON - 30 * 24 * HOUR))
        articles = {a.id: a for a in store.articles.all(c)}
        assert store.articles.ungrouped(c, 5) == []
        assert store.doctor.check(c, NOON) == []
    assert sorted(len(s.articles) for s in stories) == [1, 1, 2, 2, 2]
    for story in stories:
        assert len({articles[id_].title for id_ in story.articles}) == 1
        assert story.headline == articles[story.articles[0]].title
    article = next(iter(articles.values()))
    assert article.text.startswith("Heavy rain has flooded")
    assert article.vector
    assert article.fingerprint
    assert article.language == "en"
    assert article.first_seen == NOON


def test_what_was_read_is_grouped_while_the_rest_is_still_read(
    db: Engine, papers: Press, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "FIRST", timedelta(milliseconds=50))
    monkeypatch.setattr(rounds, "LATER", timedelta(milliseconds=50))
    monkeypatch.setattr(ingesting, "ENTRIES", 2)
    still_waiting: list[tuple[int, int]] = []
    run = jobs.Grouper.run

    def watched(self: jobs.Grouper, *given: Any) -> jobs.Done:
        done = run(self, *given)
        with db.connect() as c:
            still_waiting.append((store.entries.counts(c).waiting, store.stories.count(c)))
        return done

    monkeypatch.setattr(jobs.Grouper, "run", watched)
    papers.feeds = {name: happenings(8) for name in ("herald", "courier", "bee", "gazette")}
    follow(db, papers, *papers.feeds)
    done = refresh(db, settings)
    assert any(entries and stories for entries, stories in still_waiting)
    assert done.grouped == done.articles == 32
    with db.connect() as c:
        assert store.stories.count(c) == 8
        assert store.doctor.check(c, NOON) == []


def test_a_second_refresh_finds_nothing_new_and_doubles_nothing(db: Engine, papers: Press, settings: Settings) -> None:
    papers.feeds = {"herald": happenings(3)}
    follow(db, papers, "herald")
    refresh(db, settings)
    assert refresh(db, settings).polled == 0  # not due yet
    done = refresh(db, later(settings, 30))  # due: and the feed answers 304
    assert (done.polled, done.entries, done.articles, done.grouped) == (1, 0, 0, 0)
    papers.feeds["herald"].append(replace(happenings(4)[3], published=NOON))
    done = refresh(db, later(settings, 60))
    assert (done.polled, done.entries, done.articles) == (1, 1, 1)


def test_a_bad_feed_never_stops_another_and_says_what_is_wrong(db: Engine, papers: Press, settings: Settings) -> None:
    papers.feeds = {"herald": happenings(2)}
    papers.odd = {
        "gone": lambda r: web.Response(status=410),
        "broken": lambda r: web.Response(status=500),
        "page": lambda r: web.Response(text="<html><body>hi</body></html>", content_type="text/html"),
        "noise": lambda r: web.Response(body=bytes(range(256)) * 9, content_type="application/xml"),
        "empty": lambda r: web.Response(body=b""),
    }
    follow(db, papers, "gone", "broken", "page", "noise", "empty", "herald")
    done = refresh(db, settings)
    assert (done.polled, done.failed, done.articles) == (6, 5, 2)
    with db.connect() as c:
        state = {s.url.rsplit("/", 1)[1]: s for s in store.sources.all(c)}
        rejected = {d.rejected.subject for d in store.rejections.latest(c)}
    assert state["gone"].gone
    assert state["gone"].next_fetch is None
    for name in ("gone", "broken", "page", "noise", "empty"):
        assert state[name].problem
        assert state[name].failures == 1
        assert state[name].url in rejected
    assert not state["herald"].problem


def test_a_source_that_moved_for_good_is_asked_at_its_new_address(
    db: Engine, papers: Press, settings: Settings
) -> None:
    papers.feeds = {"herald": happenings(2)}
    papers.odd = {"old": lambda r: web.Response(status=301, headers={"Location": "/herald"})}
    [source] = follow(db, papers, "old")
    refresh(db, settings)
    with db.connect() as c:
        assert [(s.id, s.url) for s in store.sources.all(c)] == [(source.id, f"{papers.base}/herald")]
        assert len(list(store.articles.all(c))) == 2


def test_a_summary_is_followed_to_its_page(db: Engine, papers: Press, settings: Settings) -> None:
    papers.feeds, papers.summaries = {"herald": happenings(1)}, True
    follow(db, papers, "herald")
    refresh(db, settings)
    with db.connect() as c:
        [article] = store.articles.all(c)
    assert "Only the page says this" in article.text


@pytest.mark.parametrize("robots", [True, False])
def test_where_the_page_cannot_be_read_the_feeds_words_stay_and_the_reason_is_kept(
    db: Engine, papers: Press, settings: Settings, robots: bool
) -> None:
    papers.feeds = {"herald": happenings(1)}
    if robots:
        papers.odd = {"robots.txt": lambda r: web.Response(text="User-agent: *\nDisallow: /herald/")}
    else:
        papers.odd = {"herald/0": lambda r: web.Response(status=500)}
    follow(db, papers, "herald")
    refresh(db, settings)
    with db.connect() as c:
        [article] = store.articles.all(c)
        reasons = [d.rejected.reason for d in store.rejections.latest(c, stage="page")]
    assert "Only the page says this" not in article.text
    assert article.text.startswith("Heavy rain")
    assert "herald/0" in papers.asked or robots
    assert len(reasons) == 1
    assert "what the feed carries is shown" in reasons[0]
    assert ("asks programs not to" in reasons[0]) == robots


def test_the_same_page_in_two_feeds_is_one_article_fetched_once(db: Engine, papers: Press, settings: Settings) -> None:
    papers.feeds, papers.summaries = {"herald": happenings(2)}, True
    papers.odd = {"mirror": lambda r: web.Response(text=papers.rss("herald"), content_type="application/rss+xml")}
    follow(db, papers, "herald", "mirror")
    refresh(db, settings)
    with db.connect() as c:
        assert len(list(store.articles.all(c))) == 2


def test_an_entry_with_a_date_in_the_future_is_filed_when_it_was_seen(
    db: Engine, papers: Press, settings: Settings
) -> None:
    papers.feeds = {"herald": [replace(happenings(1)[0], published=NOON + 400 * 24 * HOUR)]}
    follow(db, papers, "herald")
    refresh(db, settings)
    with db.connect() as c:
        [article] = store.articles.all(c)
    assert (article.published, article.time) == (None, NOON)


def test_two_workers_at_once_share_the_work_and_double_nothing(db: Engine, papers: Press, settings: Settings) -> None:
    papers.feeds = {f"paper{n}": happenings(6) for n in range(4)}
    follow(db, papers, *papers.feeds)

    async def both() -> list[jobs.Done]:
        return list(await asyncio.gather(jobs.refresh(db, settings), jobs.refresh(db, settings)))

    done = asyncio.run(both())
    assert sum(d.polled for d in done) == 4
    assert papers.asked.count("paper0") == 1
    assert sum(d.articles for d in done) == 24
    refresh(db, settings)  # what one read after the other had grouped
    with db.connect() as c:
        assert store.articles.counts(c) == (24, 0)
        assert store.doctor.check(c, NOON) == []


def test_a_story_keeps_growing_after_a_restart_under_the_same_id(db: Engine, papers: Press, settings: Settings) -> None:
    papers.feeds = {"herald": happenings(3)}
    follow(db, papers, "herald")
    refresh(db, settings)
    with db.connect() as c:
        before = {s.id for s in store.stories.live(c, NOON - 90 * HOUR)}
        version = store.stories.version(c)
    papers.feeds["courier"] = happenings(3)
    follow(db, papers, "courier")
    refresh(db, settings)
    with db.connect() as c:
        changed, gone, now = store.stories.changed_since(c, version)
    assert {s.id for s in changed} == before
    assert not gone
    assert now > version
    assert all(len(s.articles) == 2 for s in changed)


def test_events_that_nobody_folded_are_learned_from_once(db: Engine) -> None:
    with db.begin() as c:
        store.readers.add(c, a_reader())
        store.readers.record(
            c,
            [
                Event(
                    reader=ReaderId("ada"),
                    kind="follow",
                    at=NOON,
                    follow=Follow(kind="keyword", value="chess", since=NOON),
                )
            ],
        )
    assert jobs.learn(db) == 1
    assert jobs.learn(db) == 0
    with db.connect() as c:
        reader = store.readers.get(c, ReaderId("ada"))
    assert reader is not None
    assert [f.value for f in reader.follows] == ["chess"]


def test_work_goes_on_until_it_is_stopped_and_notices_what_is_added(
    db: Engine, papers: Press, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "TICK", timedelta(milliseconds=20))
    papers.feeds = {"herald": happenings(2)}

    async def run() -> None:
        stop = asyncio.Event()
        working = asyncio.create_task(jobs.work(db, settings, stop))
        await asyncio.sleep(0.1)
        follow(db, papers, "herald")
        for _ in range(600):
            await asyncio.sleep(0.05)
            with db.connect() as c:
                if store.articles.counts(c) == (2, 0):
                    break
        stop.set()
        await working

    asyncio.run(run())
    with db.connect() as c:
        assert store.articles.counts(c) == (2, 0)
        assert store.leases.workers(c) == set()


def test_processes_give_what_one_process_gives(db: Engine, papers: Press, settings: Settings, tmp_path: Path) -> None:
    papers.feeds = {"herald": happenings(4)}
    other = store.open(f"sqlite:///{tmp_path / 'other.sqlite'}")
    for engine, chosen in ((db, settings), (other, replace(settings, engine="processes", workers=1))):
        follow(engine, papers, "herald")
        refresh(engine, chosen)
    with db.connect() as one, other.connect() as two:
        assert list(store.articles.all(one)) == list(store.articles.all(two))
        assert list(store.stories.live(one, NOON - 90 * HOUR)) == list(store.stories.live(two, NOON - 90 * HOUR))
    other.dispose()


# --- adding -------------------------------------------------------------------------------------------------------


def test_a_site_is_added_by_its_address_for_a_reader(db: Engine, papers: Press, settings: Settings) -> None:
    papers.feeds = {"herald": happenings(2)}
    papers.pages = {
        "": '<html><head><title>H</title><link rel="alternate" type="application/rss+xml" href="/herald"></head></html>'
    }
    with db.begin() as c:
        store.readers.add(c, a_reader())
    added = asyncio.run(jobs.add_address(db, settings, papers.base + "/", reader="Ada"))
    assert [s.url for s in added.sources] == [f"{papers.base}/herald"]
    again = asyncio.run(jobs.add_address(db, settings, f"{papers.base}/herald"))
    assert "already" in again.message
    with db.connect() as c:
        reader = store.readers.get(c, ReaderId("ada"))
        assert [s.id for s, _ in store.sources.subscriptions(c, ReaderId("ada"))] == [added.sources[0].id]
    assert reader is not None
    assert reader.subscriptions == {added.sources[0].id}


def test_an_address_with_nothing_behind_it_is_answered_in_words(db: Engine, papers: Press, settings: Settings) -> None:
    with pytest.raises(InputError, match="could not be read"):
        asyncio.run(jobs.add_address(db, settings, f"{papers.base}/nothing"))
    with pytest.raises(NotFound, match="no reader named Nobody"):
        asyncio.run(jobs.add_address(db, settings, f"{papers.base}/nothing", reader="Nobody"))


def test_pasted_text_becomes_an_article_in_a_story(db: Engine, settings: Settings) -> None:
    item = happenings(1)[0]
    article = asyncio.run(jobs.add_page(db, settings, text=f"{item.title}\n\n{item.text}"))
    assert article.title == item.title
    with db.connect() as c:
        assert store.articles.get(c, article.id) is not None
        assert store.articles.story_of(c, article.id) is not None
    with pytest.raises(InputError, match="No article was found"):
        asyncio.run(jobs.add_page(db, settings, text="too short"))


def test_a_list_of_feeds_is_followed_with_its_folders_and_says_what_was_double(db: Engine) -> None:
    body = b"""<opml version="2.0"><body><outline text="World">
        <outline type="rss" text="A" xmlUrl="https://a.example/feed"/>
        <outline type="rss" text="A again" xmlUrl="https://a.example/feed"/>
        </outline><outline type="rss" text="B" xmlUrl="https://b.example/feed"/></body></opml>"""
    with db.begin() as c:
        store.readers.add(c, a_reader())
    said = jobs.import_opml(db, body, now=NOON, reader="ada")
    assert said[0] == "2 sources in the list; 2 new, 0 known already."
    assert len(said) == 2
    assert jobs.import_opml(db, body, now=NOON)[0] == "2 sources in the list; 0 new, 2 known already."
    with db.connect() as c:
        assert [(s.title, f) for s, f in store.sources.subscriptions(c, ReaderId("ada"))] == [("B", ""), ("A", "World")]


def test_a_worker_that_was_killed_here_is_seen_to_be_dead_and_a_living_one_is_not() -> None:
    import subprocess

    child = subprocess.Popen(["true"])
    child.wait()
    alive = jobs.worker_name()
    place = alive.rpartition("/")[0].rpartition("/")[0]
    assert not worker._is_dead(alive)
    assert worker._is_dead(f"{place}/{child.pid}/abcd")
    assert not worker._is_dead(f"elsewhere/1/{child.pid}/abcd")
    assert not worker._is_dead("nonsense")


# --- threads ------------------------------------------------------------------------------------------------------


def reported(*days: int) -> list[Article]:
    """One report of a trial for each of those days, ten days before noon and later, each an event of its own."""
    said = (
        ("Bolsonaro trial opens in Brazil's Supreme Court over coup plot", "Prosecutors read the charges for six hours."),
        ("Brazil's Supreme Court hears Bolsonaro's former aide in coup plot trial", "The aide told of a meeting in the palace."),
        ("Bolsonaro convicted of coup plot by Brazil's Supreme Court", "Four of five judges voted for 27 years in prison."),
    )  # fmt: skip
    names = tuple(Entity(text=name, type="other") for name in ("Bolsonaro", "Brazil", "Supreme Court"))
    vector = bytes_of(np.eye(1, 64)[0])
    return [
        an_article(
            said[n][0], f"{said[n][1]} It is about the coup plot in Brazil.", entities=names, vector=vector,
            vector_model="made", published=NOON + (day - 10) * 24 * HOUR, first_seen=NOON + (day - 10) * 24 * HOUR,
        )
        for n, day in enumerate(days)
    ]  # fmt: skip


def grouped(db: Engine, settings: Settings, articles: list[Article]) -> list[Story]:
    with db.begin() as c:
        store.articles.save_new(c, articles)
    asyncio.run(jobs.group(db, settings, NOON, rules=Grouping(join=2.0)))  # each article a story of its own
    with db.connect() as c:
        return list(store.stories.live(c, NOON - 30 * 24 * HOUR))


def test_stories_of_one_trial_are_one_thread_also_when_a_restart_lies_between(db: Engine, settings: Settings) -> None:
    articles = reported(0, 4, 8)
    for article in articles:  # each by a grouper that knows only what was saved
        stories = grouped(db, settings, [article])
    assert len(stories) == 3
    assert {story.thread for story in stories} == {ThreadId(identify("thread", stories[0].id))}
    with db.connect() as c:
        assert len(list(store.threads.all_open(c, NOON))) == 1
        assert len(store.threads.stories_of(c, stories[0].thread, 9)) == 3  # type: ignore[arg-type]


def test_a_large_story_is_told_with_the_words_that_its_articles_have_now(db: Engine, settings: Settings) -> None:
    """Who groups remembers what the articles of a large story say: also where one was rewritten meanwhile."""
    [pattern] = reported(4)
    articles = [
        replace(
            pattern, id=ArticleId(f"{n:03}"), publisher=f"Paper {n}", published=NOON - (50 - n) * timedelta(hours=1),
            text=f"Prosecutors read charge {n} of the coup plot for six hours in Brazil. It is about the coup plot in Brazil.",
        )
        for n in range(30)
    ]  # fmt: skip
    grouper = jobs.Grouper(db, settings, "somewhere/1/0", Grouping(join=0.0))

    def told() -> Story:
        grouper.run(NOON)
        with db.connect() as c:
            [story] = store.stories.live(c, NOON - 30 * 24 * HOUR)
            found = describe(story.id, store.articles.of_story(c, story.id), passages)
        assert story == replace(found, thread=story.thread)
        return story

    with db.begin() as c:
        store.articles.save_new(c, articles[:25])
    told()
    for article in articles[25:]:
        with db.begin() as c:
            store.articles.save_new(c, [article])
        before = told()
    assert len(before.articles) == 30
    new = replace(
        articles[2], text="The judges threw out all charges of the coup plot in Brazil on Friday. Nobody appealed."
    )
    with db.begin() as c:
        store.articles.save(c, [new])
        store.stories.mark_stale(c, [before.id])
    assert told() != before


EVENTS = (
    (
        "Volcano on Iceland's Reykjanes peninsula erupts near Grindavik",
        "Lava flows towards the evacuated fishing town.",
    ),
    ("Bank of England holds interest rates at 4.5 per cent", "The monetary policy committee voted seven to two."),
    ("Ferry with 120 passengers runs aground off Crete", "The coast guard took all of them ashore by noon."),
)


def events() -> list[Article]:
    """Eight reports of each of three events, an hour apart, in turn."""
    return [
        an_article(
            f"{title}, report {n}", f"{text} Reporter number {n} of {title.split()[0]} saw it.", publisher=f"Paper {n}",
            vector=bytes_of(np.eye(3, 64)[event]), vector_model="made",
            published=NOON + (3 * n + event - 40) * HOUR, first_seen=NOON + (3 * n + event - 40) * HOUR,
        )
        for n in range(8)
        for event, (title, text) in enumerate(EVENTS)
    ]  # fmt: skip


def test_what_is_decided_again_is_saved_the_same_whatever_a_batch_holds(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    calls: list[int] = []

    def parted_and_joined(given: Sequence[Article], *_: object) -> list[int]:
        """By event; but every second time the odd reports of each are a story of their own."""
        calls.append(len(given))
        first: dict[tuple[str, bool], int] = {}
        odd = len(given) % 2 == 1
        return [first.setdefault((a.title[:4], odd and int(a.title[-1]) % 2 == 1), n) for n, a in enumerate(given)]

    monkeypatch.setattr(moving, "grouped", parted_and_joined)
    for size in (1, 4, 200):
        monkeypatch.setattr(grouping, "ARTICLES", size)
        own = replace(settings, database=f"sqlite:///{tmp_path / f'{size}.sqlite'}")
        db = store.open(own.database_url())
        with db.begin() as c:
            store.articles.save_new(c, events())
        asyncio.run(jobs.group(db, own, NOON, rules=Grouping(every=3)))
        with db.connect() as c:
            where = store.articles.stories_of(c, [a.id for a in events()])
            live = {s.id: s for s in store.stories.live(c, NOON - 30 * 24 * HOUR)}
            assert set(where.values()) == set(live)
            for id_, story in live.items():
                assert set(story.articles) == {a for a, at in where.items() if at == id_}
            for article in events():  # an id under which nothing is left leads to where its article went
                assert store.stories.resolve(c, begun_by(article.id)) in (None, *live)
        db.dispose()
        found.append(where)
    assert found[0] == found[1] == found[2]
    assert len(calls) > 6


@st.composite
def streams(draw: st.DrawFn) -> list[Article]:
    """Reports of a war, of a trial and of other things by some papers, an hour apart, in any order: one paper names nobody."""
    said = draw(st.permutations([(h, paper) for h in (*WAR, *TRIAL, *ALONE) for paper in range(3)]))
    return [
        an_article(
            headline.lower() if paper == 0 else headline, f"{ALSO[paper]} {headline.lower() if paper == 0 else headline}.",
            url=f"{n}", id=ArticleId(f"{n:03}"), publisher=f"Paper {paper}",
            entities=() if paper == 0 else a_told(headline).entities,
            vector=b"" if paper == 0 else a_told(headline).vector, vector_model="made",
            published=NOON + (n - 40) * HOUR, first_seen=NOON + (n - 40) * HOUR,
        )
        for n, (headline, paper) in enumerate(said[: draw(st.integers(10, 20))])
    ]  # fmt: skip


ALSO = ("nobody else was there to see it.", "Two more papers were told on the same evening.", "The radio had it first.")


def in_portions(stream: Sequence[Article], portions: Iterator[int], now: datetime, *, restarted: bool) -> object:
    """The story and the thread of each article, grouped in such portions; who groups may forget all between two."""
    with tempfile.TemporaryDirectory() as folder:
        own = Settings(database=f"sqlite:///{folder}/news.sqlite", engine="serial", as_of=now.isoformat())
        db = store.open(own.database_url())
        grouper = jobs.Grouper(db, own, "somewhere/1/0", Grouping(every=7))
        rest = list(stream)
        while rest:
            portion, rest = rest[: (most := next(portions))], rest[most:]
            with db.begin() as c:
                store.articles.save_new(c, portion)
            grouper.run(now)
            if restarted:
                grouper.close()
                grouper = jobs.Grouper(db, own, "somewhere/1/0", Grouping(every=7))
        with db.connect() as c:
            where = store.articles.stories_of(c, [a.id for a in stream])
            threads = store.threads.of(c, where.values())
        db.dispose()
    return {id_: (story, threads.get(story)) for id_, story in where.items()}


@hypothesis.settings(max_examples=6, deadline=None)
@hypothesis.given(streams(), st.lists(st.integers(1, 9), min_size=1), st.booleans())
def test_stories_and_their_threads_are_the_same_in_whatever_portions_the_articles_come(
    stream: list[Article], sizes: list[int], restarted: bool
) -> None:
    whole = in_portions(stream, repeat(len(stream)), NOON, restarted=False)
    assert in_portions(stream, cycle(sizes), NOON, restarted=restarted) == whole


def test_the_threads_of_real_feeds_are_the_same_in_whatever_portions_the_items_come(data: Path) -> None:
    """A story that grew within one portion was put where its last report would go, not where its first one had."""
    path = data / "streams" / STREAM
    if not path.exists():
        pytest.skip("the stream of June 2023 is not there")
    items = prepared(next(days(path)).articles[:150])
    now = items[-1].published + DAY
    assert in_portions(items, repeat(11), now, restarted=False) == in_portions(items, repeat(150), now, restarted=False)


def test_stories_that_an_earlier_version_left_without_a_thread_get_one(db: Engine, settings: Settings) -> None:
    before = grouped(db, settings, reported(0, 4, 8))
    with db.begin() as c:
        store.threads.remove(c, [t.id for t in store.threads.all_open(c, NOON)])
        store.stories.save(c, [replace(story, thread=None) for story in before])
    assert grouped(db, settings, []) == before
    with db.connect() as c:
        version = store.stories.version(c)
    grouped(db, settings, [])
    with db.connect() as c:
        assert store.stories.version(c) == version  # done once
