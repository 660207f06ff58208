"""A search that is followed: the same stories whoever decides, points with an honest reason, and an end by one word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.explain import explain
from broadsheet.model import Entity, Follow, Mute, Topic, query_of
from broadsheet.readers.follows import answers, matches, unfollow
from tests.builders import DAY, HOUR, NOON, a_reader, a_story
from tests.feed.strategies import NAMES, PUBLISHERS, TOPICS, WORDS, editions

parts = st.one_of(
    st.sampled_from(WORDS), st.sampled_from(WORDS).map("-{}".format), st.sampled_from(PUBLISHERS).map("publisher:{}".format),
    st.sampled_from(TOPICS).map("topic:{}".format), st.sampled_from(NAMES).map('place:"{}"'.format),
    st.sampled_from(("lang:en", "lang:de", "after:2026-07-28", "before:2026-07-25", '"storm vote"')),
)  # fmt: skip
parts = st.one_of(parts, parts.filter(lambda part: part[0] != "-").map("-{}".format))


@given(editions, st.lists(parts, max_size=4).map(" ".join))
def test_the_arrays_and_the_story_agree_on_what_a_search_meets(stories, query):
    edition = Edition.of(stories, NOON)
    rows, strength = edition.about("search", query)
    assert {edition.ids[row] for row in rows} == {s.id for s in stories if answers(s, query_of(query))}
    assert rows.tolist() == sorted(rows.tolist())
    assert (strength == 1.0).all()


@given(editions, st.lists(parts, max_size=4), parts)
def test_one_more_word_never_finds_more(stories, some, more):
    query, narrower = " ".join(some), " ".join([*some, more])
    single = (("publisher:", "lang:"), ("after:", "before:"))  # of these one of several is enough, or the last counts
    if query_of(query).is_empty or any(p.startswith(single[0] + single[1]) for p in some if more.startswith(p[:5])):
        return
    assert {s.id for s in stories if answers(s, query_of(narrower))} <= {
        s.id for s in stories if answers(s, query_of(query))
    }


@given(editions, st.lists(parts.filter(lambda part: part[0] != "-"), min_size=1, max_size=3), parts)
def test_what_a_part_finds_and_what_it_leaves_out_are_together_all_there_is(stories, some, part):
    part = part.removeprefix("-")
    if part.startswith("publisher:") or any(other[:4] == part[:4] for other in some):
        return  # of publishers one of a story's is enough; languages and days join each other
    query, with_, without = (query_of(" ".join([*some, *more])) for more in ((), (part,), (f"-{part}",)))
    met = {s.id for s in stories if answers(s, query)}
    kept, left = ({s.id for s in stories if answers(s, q)} for q in (with_, without))
    assert kept | left == met
    if not part.startswith(("after:", "before:")):  # a story may begin before a day and go on after it
        assert not kept & left


@given(st.text(max_size=80))
def test_any_text_is_a_query(text):
    query = query_of(text)
    answers(a_story("storm"), query)
    assert query == query_of(text)


NEWS = (
    a_story("Storm over Oslo", publishers=("Gazette",), last_seen=NOON - HOUR, language="en",
            entities=(Entity(text="Oslo", type="place"),), topics=(Topic(id="17000000", label="weather"),)),
    a_story("Storm in the chess world", publishers=("Herald",), last_seen=NOON - DAY, language="en"),
)  # fmt: skip


def feed_of(*follows, mutes=()):
    reader = a_reader(follows=follows, mutes=mutes)
    return reader, build_feed(reader, Edition.of(NEWS, NOON), STANDARD, NOON, np.random.default_rng(0))


def test_a_followed_search_gives_points_and_says_so():
    _, feed = feed_of(Follow(kind="search", value="storm -chess topic:weather", label="storm -chess topic:weather"))
    by_story = {item.story: item for item in feed.items}
    [reason] = [r for r in by_story[NEWS[0].id].reasons if r.signal == "follows"]
    assert reason.fact == "it matches your search “storm -chess topic:weather”"
    assert reason.points == 1.6
    assert "Here because it matches your search" in explain(by_story[NEWS[0].id])
    assert not [r for r in by_story[NEWS[1].id].reasons if r.signal == "follows"]


def test_unfollowing_the_search_takes_away_exactly_its_points():
    follow = Follow(kind="search", value="storm")
    reader, before = feed_of(follow)
    _, after = feed_of(*unfollow(reader, follow).follows)
    scores = {item.story: item.score for item in after.items}
    for item in before.items:
        mine = [r for r in item.reasons if r.signal == "follows"]
        assert mine[0].repair.kind == "unfollow"
        assert sum(r.points for r in item.reasons if r not in mine) == scores[item.story]


def test_a_search_can_be_muted():
    _, feed = feed_of(mutes=(Mute(kind="search", value="storm place:oslo", label="storm place:oslo"),))
    assert [item.story for item in feed.items] == [NEWS[1].id]
    assert feed.left_out == {"muted: storm place:oslo": 1}


def test_words_keep_their_inner_signs():
    story = a_story("AT&T and C-130 in the U.S. budget")
    for words in ("AT&T", "C-130", "u.s", '"C-130 in the"', "budget."):
        assert matches(Follow(kind="search", value=words), story), words
    assert not matches(Follow(kind="search", value="130 c"), a_story("C-131"))


def told_by(*found):
    return lambda typed: found


def test_a_followed_search_is_met_by_the_whole_text_of_an_article():
    edition = replace(Edition.of(NEWS, NOON), texts=told_by(NEWS[1].id, "gone"))
    assert [edition.ids[row] for row in edition.about("search", "heron")[0]] == [NEWS[1].id]
    assert not len(edition.about("search", "heron", whole=False)[0])
    assert not len(edition.about("search", "heron -chess")[0])  # its own headline says what is left out
    assert not len(edition.about("search", "topic:sport")[0])  # no words: nothing that a text could have
    both = edition.about("search", "oslo")[0].tolist()
    assert both == sorted(both)
    assert {edition.ids[row] for row in both} == {story.id for story in NEWS}


def test_a_muted_search_asks_what_a_story_says_of_itself():
    reader = a_reader(mutes=(Mute(kind="search", value="heron", label="heron"),))
    edition = replace(Edition.of(NEWS, NOON), texts=told_by(NEWS[1].id))
    feed = build_feed(reader, edition, STANDARD, NOON, np.random.default_rng(0))
    assert len(feed.items) == 2


@pytest.mark.parametrize(
    ("typed", "kinds"),
    [
        ("storm -topic:war lang:de after:2026", []),
        ("site:bbc.co.uk storm", ["unknown"]), ('author:"Ada B" x', ["unknown"]), ("https://a.example/b x", []), ("12:30", []),
        ("after:tomorrow", ["date"]), ("-before:2026-13", ["date"]), ("lang:german", ["language"]), ("lang:pt-BR", []),
        ("topic: storm", ["empty"]), ('place:""', ["empty"]), ("w" * 300, ["long"]), ("a " * 40, ["many"]),
        ("site:a site:a lang:x", ["unknown", "language"]),
    ],
)  # fmt: skip
def test_what_is_not_taken_as_it_may_have_been_meant_is_said(typed, kinds):
    assert [doubt.kind for doubt in query_of(typed).doubts] == kinds


def test_what_is_no_operator_is_looked_for_as_words():
    assert query_of("site:bbc storm").words == ("site:bbc", "storm")
    assert query_of("after:school").words == ("after school",)
    assert query_of("lang:german").is_empty
    assert query_of("-lang:de").leaves_out
    assert query_of("-lang:de").is_empty
