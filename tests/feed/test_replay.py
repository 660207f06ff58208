"""Learning from the log: how far down readers look, which weights would have done better, and whether to believe it."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.feed import replay
from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.model import Event, Feed, FeedId, FeedItem, ReaderId, Reason, StoryId
from tests.builders import HOUR, NOON, a_reader, a_story

LIKENESS, IMPORTANCE = replay.LEARNED.index("likeness"), replay.LEARNED.index("importance")


def simulated(many, truth, *, eta=1.0, seed=0, length=20, noise=0.5):
    """Pages in order of their points, for readers who look less the further down and open by what is true of a story."""
    rng = np.random.default_rng(seed)
    log = []
    for n in range(many):
        points = np.zeros((length, len(replay.LEARNED)))
        points[:, [LIKENESS, IMPORTANCE]] = rng.normal(size=(length, 2))
        kept = rng.normal(0, noise, length)
        order = np.argsort(-(points.sum(axis=1) + kept))
        points, kept = points[order], kept[order]
        wish = 1 / (1 + np.exp(-(points @ truth + kept - 1.5)))
        place = np.arange(length, dtype=float)
        opened = rng.random(length) < wish * replay.looked(place, eta)
        stories = tuple(f"s{k}" for k in rng.integers(0, 60, length))
        log.append(replay.Page(ReaderId(f"r{n % 25}"), NOON + n * HOUR, stories, points, kept, place, opened))
    return log


def only(**weights):
    truth = np.zeros(len(replay.LEARNED))
    for name, x in weights.items():
        truth[replay.LEARNED.index(name)] = x
    return truth


def test_what_readers_go_by_is_weighed_more_and_what_they_do_not_go_by_less():
    weights = replay.fit(simulated(1500, only(likeness=2.0)), 1.0)
    assert weights["likeness"] > 1.4
    assert weights["importance"] < 0.4
    assert weights["quiet"] == pytest.approx(1.0)  # never on a page: nothing was learned of it


def test_where_nothing_is_known_nothing_changes():
    assert set(replay.fit([], 1.0).values()) == {1.0}
    few = replay.fit(simulated(3, only(likeness=3.0)), 1.0)
    assert all(0.6 < x < 1.7 for x in few.values())


def test_without_the_correction_what_stands_above_is_taken_for_what_is_liked():
    # importance puts stories up, and readers look up there; what they open there they open for likeness alone
    log = simulated(3000, only(likeness=1.0), eta=1.5)
    corrected, naive = replay.fit(log, 1.5), replay.fit(log, 0.0)
    assert corrected["importance"] / corrected["likeness"] < naive["importance"] / naive["likeness"]


def test_replay_tells_better_weights_from_worse_ones_and_the_same_from_neither():
    log = simulated(1500, only(likeness=2.0), seed=1)
    better = replay.replay(log, {"likeness": 2.0, "importance": 0.2}, 1.0)
    worse = replay.replay(log, {"likeness": 0.2, "importance": 3.0}, 1.0)
    same = replay.replay(log, {}, 1.0)
    assert better.gain - better.half > 0 > worse.gain + worse.half
    assert same.gain == pytest.approx(0)
    assert same.ips == pytest.approx(same.now)


def test_replay_foretells_what_the_other_order_really_brings():
    truth = only(likeness=2.0)
    foretold = replay.replay(simulated(4000, truth, seed=2), {"likeness": 2.0, "importance": 0.2}, 1.0)
    rng, before, after = np.random.default_rng(3), 0.0, 0.0
    by = np.ones(len(replay.LEARNED))
    by[LIKENESS], by[IMPORTANCE] = 2.0, 0.2
    for _ in range(4000):
        points = np.zeros((20, len(replay.LEARNED)))
        points[:, [LIKENESS, IMPORTANCE]] = rng.normal(size=(20, 2))
        kept = rng.normal(0, 0.5, 20)
        wish = 1 / (1 + np.exp(-(points @ truth + kept - 1.5)))
        look = replay.looked(np.arange(20.0), 1.0)
        before += float(wish[np.argsort(-(points.sum(axis=1) + kept))] @ look)
        after += float(wish[np.argsort(-(points @ by + kept))] @ look)
    assert foretold.ips / foretold.now == pytest.approx(after / before, abs=0.08)


def test_how_far_down_readers_look_is_found_where_stories_stood_at_many_places():
    for eta in (0.4, 1.2):
        rng, log = np.random.default_rng(5), []
        for n in range(3000):
            place = np.arange(12.0)
            stories = tuple(f"s{k}" for k in rng.permutation(12))
            opened = rng.random(12) < 0.5 * replay.looked(place, eta)
            points = np.zeros((12, len(replay.LEARNED)))
            log.append(replay.Page(ReaderId("r"), NOON + n * HOUR, stories, points, np.zeros(12), place, opened))
        assert replay.steepness(log) == pytest.approx(eta, abs=0.12)
    assert replay.steepness([]) == replay.USUAL


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 5), st.floats(0.2, 5))
def test_an_order_that_does_not_change_gains_nothing_whatever_the_weights(seed, one, other):
    log = [page for page in simulated(20, only(likeness=1.0), seed=seed) if page.opened.any()]
    alike = [replay.Page(p.reader, p.at, p.stories, np.zeros_like(p.points), -p.place, p.place, p.opened) for p in log]
    assert replay.replay(alike, {"likeness": one, "importance": other}, 1.0).gain == pytest.approx(0)


def test_an_opening_belongs_to_the_last_page_that_showed_the_story():
    def feed(name, hour, *stories):
        items = tuple(
            FeedItem(story=StoryId(s), reasons=(Reason("likeness", 1.0, "x"), Reason("update", 0.5, "y")))
            for s in stories
        )
        return Feed(
            id=FeedId(name), reader=ReaderId("ada"), at=NOON + hour * HOUR, recipe="r", recipe_hash="h", items=items
        ), range(len(items))

    log = [feed("one", 0, "a", "b"), feed("two", 2, "b", "c"), feed("three", 40, "d")]
    acts = [
        Event(reader=ReaderId("ada"), kind="opened", at=NOON + 3 * HOUR, story=StoryId("b")),
        Event(reader=ReaderId("ada"), kind="opened", at=NOON + HOUR, story=StoryId("c")),  # before it was shown
        Event(reader=ReaderId("bob"), kind="opened", at=NOON + HOUR, story=StoryId("a")),  # another's page
        Event(reader=ReaderId("ada"), kind="opened", at=NOON + timedelta(days=9), story=StoryId("d")),  # long after
    ]  # fmt: skip
    one, two, three = replay.pages(log, acts)
    assert (one.opened.tolist(), two.opened.tolist(), three.opened.tolist()) == ([False, False], [True, False], [False])
    assert one.points[0, LIKENESS] == 1.0
    assert one.points[0, replay.LEARNED.index("fatigue")] == 0.5


def test_weighed_recipes_give_that_many_points_and_are_known_by_another_hash():
    story = a_story(independent=8, velocity=2.0)
    weighed = STANDARD.weighed({"importance": 2.0, "freshness": 0.5})
    edition, reader = Edition.of([story], NOON), a_reader()

    def points(recipe):
        feed = build_feed(reader, edition, recipe, NOON + HOUR, np.random.default_rng(0))
        told = {}
        for reason in feed.items[0].reasons:
            told[reason.signal] = told.get(reason.signal, 0) + reason.points
        return told

    before, after = points(STANDARD), points(weighed)
    assert after["importance"] == pytest.approx(2 * before["importance"])
    assert after["freshness"] == pytest.approx(before["freshness"] / 2)
    assert weighed.hash != STANDARD.hash
    assert STANDARD.weighed({}) == STANDARD


def test_who_asks_for_more_surprise_has_more_lots_drawn_and_the_chance_is_written_down():
    stories = [a_story(f"story {n}") for n in range(3000)]
    edition = Edition.of(stories, NOON)

    def page(reader):
        return build_feed(reader, edition, STANDARD, NOON, np.random.default_rng(0))

    usual, more, none = (page(a_reader(tuning={"exploration": x} if x != 1 else {})) for x in (1, 5, 0))
    assert [feed.items[0].chance for feed in (usual, more, none)] == pytest.approx([0.01, 0.05, 0.0])
    drawn = [
        sum(any(r.signal == "exploration" for r in item.reasons) for item in feed.items) for feed in (usual, more, none)
    ]
    assert drawn[1] >= drawn[0] > drawn[2] == 0
    assert page(a_reader()) == usual  # the same seed, the same lots
