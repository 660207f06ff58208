"""The newsstand: fresh, exact about what readers did, and safe to share between threads and processes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.errors import InputError, NotFound
from broadsheet.feed.edition import seen_alike
from broadsheet.model import ArticleId, Entity, Event, Follow, Reader, ReaderId, StoryId
from broadsheet.reading import Newsstand, beyond, feeds, paper
from broadsheet.sources import opml
from broadsheet.telling import Point
from tests.builders import DAY, HOUR, NOON
from tests.web.newsroom import CEASEFIRE, ODD, STORIES, a_newsroom, told


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Newsstand]:
    made: Newsstand = a_newsroom(tmp_path).state.newsstand
    yield made
    made.engine.dispose()


def an_event(reader: Reader, kind: Any, **fields: Any) -> Event:
    return Event(reader=reader.id, kind=kind, at=NOON, **fields)


def save(engine: Engine, headline: str, **fields: Any) -> StoryId:
    story, articles = told(headline, "Open Times", **fields)
    with engine.begin() as db:
        store.articles.save(db, articles)
        store.stories.save(db, [story])
    return story.id


def test_a_new_story_is_on_the_page_after_a_refresh_and_an_absorbed_one_is_gone(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    assert len(stand.edition().edition) == len(STORIES)
    new = save(stand.engine, "Breaking")
    stand.refresh(at_once=True)
    assert new in {item.story for item in stand.feed(ada.id).items}
    with stand.engine.begin() as db:
        store.stories.merge(db, new, CEASEFIRE.id)
    stand.refresh(at_once=True)
    assert new not in stand.edition().edition.index
    assert new not in {item.story for item in stand.feed(ada.id).items}
    assert stand.cards([new])[0].story.id == CEASEFIRE.id


def test_what_a_reader_said_of_a_story_holds_when_it_turns_out_to_be_another(stand: Newsstand) -> None:
    hidden, followed = save(stand.engine, "Hidden one"), save(stand.engine, "Followed one")
    stand.refresh(at_once=True)
    ada = stand.add_reader("Ada", [Follow(kind="story", value=followed)])
    stand.act(ada.id, an_event(ada, "hidden", story=hidden))
    with stand.engine.begin() as db:
        store.stories.merge(db, hidden, CEASEFIRE.id)
        store.stories.merge(db, followed, STORIES[1][0].id)
    stand.refresh(at_once=True)
    for seen_by in (stand, Newsstand(stand.engine, stand.settings)):
        items = {item.story: item for item in seen_by.feed(ada.id).items}
        assert CEASEFIRE.id not in items
        assert "you follow this story" in {reason.fact for reason in items[STORIES[1][0].id].reasons}


def test_a_followed_story_ends_by_itself_with_the_last_word_quoted_and_comes_back_with_news(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada", [Follow(kind="story", value=CEASEFIRE.id, label="Ceasefire")])
    (going,) = stand.following(stand.reader(ada.id))
    assert (going.ended, going.newest) == (None, (CEASEFIRE.id,))
    stand.settings = replace(stand.settings, as_of=(NOON + 6 * DAY).isoformat())
    (over,) = stand.following(stand.reader(ada.id))
    assert over.ended == CEASEFIRE.last_seen
    assert over.last_word is not None
    assert over.last_word.text in "The first sentence of Open Times. Then a second one."
    with stand.engine.begin() as db:
        store.stories.save(db, [replace(CEASEFIRE, last_seen=NOON + 6 * DAY)])
    stand.refresh(at_once=True)
    (back,) = stand.following(stand.reader(ada.id))
    assert back.ended is None


def test_an_edition_refreshed_bit_by_bit_is_the_edition_read_anew(stand: Newsstand) -> None:
    stand.edition()
    for n in range(5):
        save(stand.engine, f"Story {n}", last_seen=NOON - n * HOUR)
        stand.refresh(at_once=True)
    anew = Newsstand(stand.engine, stand.settings)
    assert seen_alike(stand.edition().edition, anew.edition().edition)
    assert stand.cards(anew.edition().edition.ids) == anew.cards(anew.edition().edition.ids)
    ada = stand.add_reader("Ada", [Follow(kind="keyword", value="story")])
    assert {i.story: i.score for i in stand.feed(ada.id).items} == pytest.approx(
        {i.story: i.score for i in anew.feed(ada.id).items}
    )


def test_a_story_too_old_is_not_live(stand: Newsstand) -> None:
    old = save(stand.engine, "Long ago", last_seen=NOON - 60 * DAY, first_seen=NOON - 61 * DAY)
    assert old not in Newsstand(stand.engine, stand.settings).edition().edition.index


def test_stories_leave_with_the_hour_in_which_they_grow_too_old(stand: Newsstand) -> None:
    fresh = save(stand.engine, "Just now", last_seen=NOON)
    old = save(stand.engine, "Almost too old", last_seen=NOON - stand.settings.live + HOUR / 2)
    assert {fresh, old} <= set(stand.edition().edition.ids)
    stand.settings = replace(stand.settings, as_of=(NOON + HOUR).isoformat())
    late = save(stand.engine, "Saved late, too old already", last_seen=NOON - stand.settings.live)
    stand.refresh(at_once=True)
    live = stand.edition()
    anew = Newsstand(stand.engine, stand.settings).edition()
    assert fresh in live.edition.index
    assert not {old, late} & set(live.edition.ids)
    assert seen_alike(live.edition, anew.edition)
    assert live.edition.at == anew.edition.at


def test_the_same_feed_until_something_changes(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    feed = stand.feed(ada.id)
    assert stand.feed(ada.id) is feed
    stand.shown(feed)
    assert stand.feed(ada.id).id == feed.id
    stand.act(ada.id, an_event(ada, "hidden", story=feed.items[0].story))
    assert feed.items[0].story not in {item.story for item in stand.feed(ada.id).items}


def test_the_next_page_repeats_nothing(stand: Newsstand) -> None:
    for n in range(80):
        save(stand.engine, f"Number {n}", publishers=(f"Paper {n}",))
    stand.refresh(at_once=True)
    ada = stand.add_reader("Ada")
    first = stand.feed(ada.id)
    second = stand.feed_of(ada, [item.story for item in first.items])
    assert len(second.items) == stand.recipe.length
    assert not {i.story for i in first.items} & {i.story for i in second.items}
    stand.shown(first)
    stand.shown(second, len(first.items))
    with stand.engine.connect() as db:
        assert sorted(store.feeds.positions(db, second.id).values())[0] == len(first.items)
    assert stand.shown_feed(ada.id, second.id) == second
    assert stand.shown_feed("another", second.id) is None


def test_a_feed_shown_by_one_process_is_known_to_another(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    feed = stand.feed(ada.id)
    stand.shown(feed)
    other = Newsstand(stand.engine, stand.settings)
    found = other.shown_feed(ada.id, feed.id)
    assert found is not None
    assert [i.story for i in found.items] == [i.story for i in feed.items]
    other.shown(feed)
    assert max(stand.reader(ada.id).shown.values()) == 1


def test_two_clicks_at_once_both_count(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    other = Newsstand(stand.engine, stand.settings)
    words = [f"word {n}" for n in range(12)]

    def follow(n: int) -> None:
        chosen = Follow(kind="keyword", value=words[n])
        (stand if n % 2 else other).act(ada.id, an_event(ada, "follow", follow=chosen))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(follow, range(12)))
    assert {f.value for f in stand.reader(ada.id).follows} == set(words)


def test_an_event_that_was_recorded_but_not_folded_is_folded_at_the_next(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    with stand.engine.begin() as db:  # the power went out between the two
        store.readers.record(db, [an_event(ada, "saved", story=CEASEFIRE.id)])
    stand.act(ada.id, an_event(ada, "more", story=STORIES[1][0].id))
    assert stand.reader(ada.id).saved == (CEASEFIRE.id,)


KINDS = ("opened", "saved", "unsaved", "hidden", "unhidden", "more", "less", "shared")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 4)), min_size=1, max_size=8), data=st.data())
def test_undoing_is_as_if_it_had_never_been(stand: Newsstand, acts: list[tuple[str, int]], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(acts) - 1))
    number = len(stand.readers())
    one, two = stand.add_reader(f"One {number}"), stand.add_reader(f"Two {number}")
    ids = [stand.act(one.id, an_event(one, kind, story=STORIES[n][0].id)) for kind, n in acts]
    stand.undo(one.id, ids[gone])
    for at, (kind, n) in enumerate(acts):
        if at != gone:
            stand.act(two.id, an_event(two, kind, story=STORIES[n][0].id))
    assert replace(stand.reader(one.id), id=two.id, name=two.name) == stand.reader(two.id)


def test_every_item_says_why_and_its_reasons_are_its_score(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada", [Follow(kind="person", value="Antony Blinken")])
    for item in stand.feed(ada.id).items:
        assert stand.why(ada.id, item.story) == item
        assert stand.sentence(item).endswith(".")
    stand.act(ada.id, an_event(ada, "hidden", story=CEASEFIRE.id))
    assert stand.why(ada.id, CEASEFIRE.id).score == pytest.approx(
        sum(r.points for r in stand.why(ada.id, CEASEFIRE.id).reasons)
    )


def test_a_name_is_taken_once_and_a_stranger_is_not_found(stand: Newsstand) -> None:
    stand.add_reader("Ada")
    with pytest.raises(InputError, match="reader named ADA already"):
        stand.add_reader(" ADA ")
    with pytest.raises(NotFound):
        stand.reader("nobody")
    with pytest.raises(NotFound):
        stand.act("nobody", Event(reader=ReaderId("nobody"), kind="more", at=NOON, story=CEASEFIRE.id))


def test_the_clock_is_the_settings(stand: Newsstand) -> None:
    assert stand.now() == NOON
    assert Newsstand(stand.engine, Settings()).now() > NOON - 365 * DAY


def points(*texts: str) -> tuple[Point, ...]:
    return tuple(Point(text, ArticleId("a"), "The Paper", "https://paper.example/1") for text in texts)


@pytest.mark.parametrize(
    ("headline", "text", "shown"),
    [
        ("The bridge is mended", "The bridge is mended.", []),
        ("The bridge is mended!", "“The bridge  is mended”", []),
        ("The bridge is mended", "The bridge is mended, at last.", ["The bridge is mended, at last."]),
        ("The bridge over the …", "The bridge over the river is mended.", ["… river is mended."]),
        ("The bridge over the…", "The bridge over\u00a0the river is mended.", ["… river is mended."]),
        ("The bridge ...", "The bridge, they say, is mended.", ["… they say, is mended."]),
        ("The bridge …", "The bridge.", []),
        ("The bridge …", "A bridge is mended.", ["A bridge is mended."]),
        ("桥已经修好 …", "桥已经修好,星期天开放。", ["… 星期天开放。"]),
        ("…", "The bridge is mended.", ["The bridge is mended."]),
        ("What now (or never) …", "What now (or never) is asked.", ["… is asked."]),
    ],
)
def test_what_the_headline_says_is_not_said_again_below_it(headline: str, text: str, shown: list[str]) -> None:
    assert [point.text for point in beyond(headline, points(text))] == shown


@given(st.text(max_size=40), st.lists(st.text(max_size=60), max_size=4))
def test_what_is_shown_under_a_headline_is_quoted(headline: str, texts: list[str]) -> None:
    shown = beyond(headline, points(*texts))
    assert len(shown) <= len(texts)
    for point in shown:
        assert point.text in texts or any(text.endswith(point.text.removeprefix("… ")) for text in texts)


def test_a_card_keeps_every_key_point_in_full(stand: Newsstand) -> None:
    [card] = stand.cards([save(stand.engine, "The first sentence …")])
    assert [point.text for point in card.points] == ["… of Open Times. Then a"]
    assert [point.text for point in card.quotes] == ["The first sentence of Open Times. Then a"]


def test_what_another_process_changes_of_a_reader_is_seen_at_once(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    other = Newsstand(stand.engine, stand.settings)
    assert other.reader(ada.id) is other.reader(ada.id)
    stand.act(ada.id, an_event(ada, "saved", story=CEASEFIRE.id))
    assert other.reader(ada.id) == stand.reader(ada.id)
    stand.subscribe(ada.id, opml.Subscription(url="https://new.example/feed.xml"))  # no event says so
    assert other.reader(ada.id).subscriptions == stand.reader(ada.id).subscriptions != frozenset()
    stand.erase(ada.id)
    with pytest.raises(NotFound):
        other.reader(ada.id)


def test_every_story_of_a_page_has_its_sentence_though_the_clock_stands_still(stand: Newsstand) -> None:
    reader = stand.add_reader("Still")
    first = stand.feed(reader.id)
    stand.sentences(first)
    stand.act(reader.id, an_event(reader, "hidden", story=first.items[0].story))
    second = stand.feed(reader.id)
    assert {item.story for item in second.items} == set(stand.sentences(second))


def test_a_card_shows_a_story_as_it_is_now_however_often_it_was_asked_for_before(stand: Newsstand) -> None:
    (before,) = stand.cards([CEASEFIRE.id])
    with stand.engine.begin() as db:
        store.stories.save(db, [replace(CEASEFIRE, headline="The ceasefire holds")])
    stand.refresh(at_once=True)
    (after,) = stand.cards([CEASEFIRE.id])
    assert (before.headline, after.headline) == (CEASEFIRE.headline, "The ceasefire holds")


def test_of_more_stories_than_are_kept_at_hand_each_has_its_card(
    stand: Newsstand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "STORIES_KEPT", 2)
    monkeypatch.setattr(feeds, "STORIES_KEPT", 2)
    ids = [save(stand.engine, f"Story {n}") for n in range(7)]
    stand.refresh(at_once=True)
    for _ in range(2):
        assert [card.headline for card in stand.cards(ids)] == [f"Story {n}" for n in range(7)]


def test_the_names_offered_to_a_new_reader_are_those_of_most_stories_as_the_latest_writes_them(
    stand: Newsstand,
) -> None:
    def about(n: int, *names: tuple[str, str]) -> None:
        entities = tuple(Entity(text=text, type=type_) for text, type_ in names)  # type: ignore[arg-type]
        save(stand.engine, f"Story {n}", entities=entities, last_seen=NOON - n * HOUR)

    about(1, ("Ana Lima", "person"), ("Lisbon", "place"))
    about(2, ("ANA LIMA", "person"), ("Rosa Pinto", "person"))
    about(3, ("Ana Lima", "person"), ("Lisbon", "place"), ("Rosa Pinto", "person"))
    about(4, ("Lisbon", "place"), ("Jorge Matos", "person"))
    stand.refresh(at_once=True)
    people = stand.common("person", 50)
    assert people.index("Ana Lima") < people.index("Rosa Pinto") < people.index("Jorge Matos")
    assert "Lisbon" not in people
    assert stand.common("person", 1) == people[:1]


def test_what_many_readers_opened_is_told_to_others_and_nothing_to_a_family(stand: Newsstand) -> None:
    cup = next(story for story, _ in STORIES if story.headline.startswith("Cup"))
    family = [stand.add_reader(f"Kin {n}") for n in range(4)]
    for reader in family:
        stand.shown(stand.feed(reader.id))
        stand.act(reader.id, Event(reader=reader.id, kind="opened", at=NOON - HOUR, story=cup.id))
    later = Newsstand(stand.engine, replace(stand.settings, as_of=(NOON + HOUR).isoformat()))
    assert later.edition().edition.others is None
    assert not _told_of_others(later, stand.add_reader("Guest"))

    many = [stand.add_reader(f"Reader {n}") for n in range(24)]
    for n, reader in enumerate(many):
        stand.shown(stand.feed(reader.id))
        story = cup if n < 12 else CEASEFIRE
        stand.act(reader.id, Event(reader=reader.id, kind="opened", at=NOON - HOUR, story=story.id))
    for _ in range(3):  # an instance on which pages are looked at, too, without anything being opened
        for reader in many:
            stand.shown(stand.feed_of(reader, after=[ODD.id]))
    crowd = Newsstand(stand.engine, replace(stand.settings, as_of=(NOON + HOUR).isoformat()))
    guest = stand.add_reader("Another guest")
    told_ = _told_of_others(crowd, guest)
    assert told_[cup.id] == "10 readers or more opened it here in the last day"
    assert crowd.why(guest.id, cup.id).reasons
    # a page of before these ten minutes stays: nobody's reading is seen as it happens
    stand.refresh(at_once=True)
    assert not _told_of_others(stand, guest)
    for reader in many[:12]:
        crowd.erase(reader.id)
    crowd.settings = replace(crowd.settings, as_of=(NOON + HOUR + HOUR / 2).isoformat())
    crowd.refresh(at_once=True)
    assert cup.id not in _told_of_others(crowd, guest)


def _told_of_others(stand: Newsstand, reader: Reader) -> dict[StoryId, str]:
    return {
        item.story: reason.fact
        for item in stand.feed(reader.id).items
        for reason in item.reasons
        if reason.signal == "popularity"
    }


def test_a_page_does_not_wait_for_new_facts_to_be_counted_and_the_next_one_has_them(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    before = replace(stand.reader(ada.id), opened={CEASEFIRE.id: CEASEFIRE.first_seen})
    assert stand.facts_since(before, [CEASEFIRE], timedelta(0)) == ({}, [CEASEFIRE])
    counted, left = stand.facts_since(before, [CEASEFIRE])
    assert counted[CEASEFIRE.id] > 0
    assert not left
    assert stand.facts_since(before, [CEASEFIRE], timedelta(0)) == (counted, [])
    # more of it came: what was counted before says nothing of that
    more = replace(CEASEFIRE, last_seen=CEASEFIRE.last_seen + HOUR)
    assert stand.facts_since(before, [more], timedelta(0)) == ({}, [more])


def test_a_live_story_that_is_on_no_page_tells_the_reasons_that_it_has_among_the_others(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    shown = {item.story: item for item in stand.feed(ada.id).items}
    alone = Newsstand(stand.engine, stand.settings)  # has built no feed: it asks the edition
    for story, item in shown.items():
        told = {(r.signal, r.fact, round(r.points, 9)) for r in alone.why(ada.id, story).reasons}
        assert told == {(r.signal, r.fact, round(r.points, 9)) for r in item.reasons if r.signal != "diversity"}


def test_a_reader_who_is_renamed_elsewhere_keeps_the_new_name_when_they_act_here(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    stand.act(ada.id, an_event(ada, "more", story=CEASEFIRE.id))
    with stand.engine.begin() as db:
        store.readers.save(db, replace(stand.reader(ada.id), name="Ada L."))
    stand.act(ada.id, an_event(ada, "more", story=CEASEFIRE.id))
    assert Newsstand(stand.engine, stand.settings).reader(ada.id).name == "Ada L."
