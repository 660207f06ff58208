"""What holds of every feed, whoever reads and whatever happened."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.feed import diversify
from broadsheet.feed.admit import admit
from broadsheet.feed.batch import build_feeds
from broadsheet.feed.build import STANDARD, Recipe, build_feed
from broadsheet.feed.edition import Edition, seen_alike
from broadsheet.feed.score import SCORERS, Desk
from broadsheet.model import Follow
from broadsheet.readers import follows as chosen
from broadsheet.readers.profile import Learning
from tests.builders import DAY, NOON, a_reader
from tests.feed.strategies import WORDS, editions, kinds, situations

law = settings(deadline=None, max_examples=20)


def a_feed(reader, stories, recipe=STANDARD, *, seed=3, now=NOON, **more):
    edition = stories if isinstance(stories, Edition) else Edition.of(stories, now)
    return build_feed(reader, edition, recipe, now, np.random.default_rng(seed), **more)


@law
@given(situations())
def test_a_score_is_the_sum_of_its_reasons_and_items_come_in_order_of_score(situation):
    stories, reader = situation
    scores = [item.score for item in a_feed(reader, stories).items]
    assert scores == [sum(r.points for r in item.reasons) for item in a_feed(reader, stories).items]
    assert scores == sorted(scores, reverse=True)


@law
@given(situations(), st.randoms())
def test_the_order_of_candidates_never_matters(situation, random):
    stories, reader = situation
    shuffled = random.sample(stories, len(stories))
    assert a_feed(reader, shuffled) == a_feed(reader, stories)


@law
@given(situations())
def test_the_same_seed_gives_the_same_feed(situation):
    stories, reader = situation
    assert a_feed(reader, stories, seed=8) == a_feed(reader, stories, seed=8)


@law
@given(situations())
def test_every_story_is_shown_or_counted_with_why_it_was_left_out(situation):
    stories, reader = situation
    feed = a_feed(reader, stories, replace(STANDARD, length=100))
    assert len(feed.items) + sum(feed.left_out.values()) == len(stories)


@law
@given(situations())
def test_what_is_muted_or_hidden_never_appears_and_nothing_else_is_muted(situation):
    stories, reader = situation
    shown = {item.story for item in a_feed(reader, stories, replace(STANDARD, length=100)).items}
    for story in stories:
        muted = any(mute.holds(NOON) and chosen.mutes(mute, story) for mute in reader.mutes)
        foreign = bool(reader.languages) and story.language not in {*reader.languages, ""}
        assert (story.id in shown) is not (muted or foreign or story.id in reader.hidden)


@law
@given(situations())
def test_when_a_mute_ends_the_feed_is_as_if_it_had_never_been(situation):
    stories, reader = situation
    later = NOON + 5 * DAY
    reader = replace(reader, mutes=tuple(m for m in reader.mutes if m.until is not None))
    assert a_feed(reader, stories, now=later) == a_feed(replace(reader, mutes=()), stories, now=later)


@law
@given(situations(), kinds)
def test_unfollowing_never_raises_a_story(situation, kind):
    stories, reader = situation
    reader = chosen.follow(reader, Follow(kind=kind[0], value=kind[1]), NOON)
    less = chosen.unfollow(reader, Follow(kind=kind[0], value=kind[1]))
    edition = Edition.of(stories, NOON)
    follows = SCORERS["follows"]()
    assert (follows.points(Desk(less, edition, NOON, 1)) <= follows.points(Desk(reader, edition, NOON, 1))).all()


@law
@given(situations(), kinds)
def test_arrays_and_stories_agree_on_what_a_follow_and_a_mute_are_about(situation, kind):
    stories, _ = situation
    edition = Edition.of(stories, NOON)
    follow = Follow(kind=kind[0], value=kind[1])
    about = {edition.ids[row] for row in edition.about(follow.kind, follow.value)[0]}
    assert about == {story.id for story in stories if chosen.matches(follow, story)}


@pytest.mark.parametrize("signal", SCORERS)
@law
@given(situations(), st.integers(0, 2**63 - 1))
def test_a_scorers_reasons_add_up_to_its_points(signal, situation, seed):
    stories, reader = situation
    scorer = SCORERS[signal]()
    if signal == "exploration":
        scorer = replace(scorer, share=0.5)
    desk = Desk(reader, Edition.of(stories, NOON), NOON, seed)
    points = scorer.points(desk)
    for row in range(len(desk.edition)):
        reasons = [reason for _, reason in scorer.reasons(desk, [row])]
        assert sum(reason.points for reason in reasons) == pytest.approx(points[row], abs=1e-9)
        assert all(reason.points and reason.fact and reason.repair for reason in reasons)


@law
@given(situations(), st.integers(1, 6))
def test_pages_go_on_where_they_ended_and_nothing_comes_twice(situation, length):
    stories, reader = situation
    whole = a_feed(reader, stories, replace(STANDARD, length=3 * length))
    pages, before = [], []
    for _ in range(3):
        page = a_feed(reader, stories, replace(STANDARD, length=length), before=before)
        pages += page.items
        before += [item.story for item in page.items]
    assert len(set(before)) == len(before)
    assert [item.score for item in pages] == pytest.approx([item.score for item in whole.items])
    assert {item.story for item in pages} == {item.story for item in whole.items}


@law
@given(situations(), st.integers(1, 5))
def test_asking_for_few_rows_at_a_time_changes_nothing(situation, few):
    """The bound on likeness and the stop of the picking are exact: everything ranked at once gives the same page."""
    stories, reader = situation
    edition = Edition.of(stories, NOON)
    desk = Desk(reader, edition, NOON, 5)
    admitted, _ = admit(reader, edition, NOON)
    from broadsheet.feed.build import _Ranking

    ranking = _Ranking(desk, STANDARD, np.flatnonzero(admitted))
    all_at_once = list(diversify.pick(desk, lambda n: ranking.best(10_000), 10, STANDARD.diversity))
    rows, points = ranking.best(few)
    every, all_points = ranking.best(10_000)
    assert rows.tolist() == every[: len(rows)].tolist()
    assert points.tolist() == all_points[: len(rows)].tolist()
    assert len(rows) >= min(few, len(every))
    sparing = list(diversify.pick(desk, ranking.best, 10, STANDARD.diversity, at_first=few))
    assert sparing == all_at_once


@law
@given(editions, st.data())
def test_an_updated_edition_is_the_edition_built_anew(stories, data):
    split = data.draw(st.integers(0, len(stories)))
    known, coming = stories[:split], stories[split:]
    gone = data.draw(st.lists(st.sampled_from(known), unique_by=lambda s: s.id)) if known else []
    changing = data.draw(st.lists(st.sampled_from(known), unique_by=lambda s: s.id)) if known else []
    changed = [replace(s, headline="changed", last_seen=NOON, publishers=("Gazette", "New")) for s in changing]
    before = Edition.of(known, NOON)
    for word in WORDS:  # what was searched before the update holds after it
        before.saying(word)
    updated = before.updated([*changed, *coming], [s.id for s in gone])
    left = {s.id: s for s in known if s not in gone} | {s.id: s for s in changed} | {s.id: s for s in coming}
    anew = Edition.of(left.values(), NOON)
    assert seen_alike(updated, anew)
    assert all(updated.saying(word).tolist() == anew.saying(word).tolist() for word in WORDS)
    assert a_feed(a_reader(), updated) == a_feed(a_reader(), list(left.values()))


def test_forgetting_in_ranking_is_forgetting_in_learning():
    assert SCORERS["interest"]().half_life == Learning().half_life


def test_a_recipes_hash_is_its_settings():
    assert Recipe.of({}).hash == STANDARD.hash
    assert Recipe.of({"name": "other"}).hash == STANDARD.hash
    assert Recipe.of({"freshness": {"half_life": "1d"}}).hash != STANDARD.hash
    assert Recipe.of({"off": ["quiet"]}).hash != STANDARD.hash


@law
@given(situations(), st.integers(1, 70))
def test_feeds_made_together_are_those_made_one_by_one(situation, many):
    stories, reader = situation
    readers = [reader, *(replace(a_reader(f"r{n}"), interest=stories[0].vector if n % 3 and stories else b"", interest_mass=n % 5) for n in range(many))]  # fmt: skip
    edition = Edition.of(stories, NOON)
    together = list(build_feeds(readers, edition, STANDARD, NOON, lambda reader: len(reader.id)))
    assert together == [a_feed(one, edition, seed=len(one.id)) for one in readers]
