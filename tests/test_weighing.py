"""Weights of the feed learned from the store's own log: taken on only where replay says so, told, undone."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Engine

from broadsheet import config, jobs, store
from broadsheet.errors import InputError
from broadsheet.feed import replay
from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.jobs import weighing
from broadsheet.model import Event, ReaderId
from broadsheet.reading import Newsstand
from tests.builders import DAY, HOUR, NOON, a_reader, a_story

WORDS = ("chess", "law", "sea", "film", "wine", "rail", "moon", "soil")


@pytest.fixture
def db(tmp_path):
    engine = store.open(f"sqlite:///{tmp_path}/log.sqlite")
    yield engine
    engine.dispose()


def keep_log(db: Engine, wish, *, readers=8, days=10, seed=0):
    """Pages as the shipped recipe makes them, logged, and openings by what is true of a story and by its place."""
    rng = np.random.default_rng(seed)
    with db.begin() as c:
        for n in range(readers):
            store.readers.add(c, a_reader(f"r{n}"))
    for day in range(days):
        at = NOON + day * DAY
        stories = [
            a_story(f"{WORDS[k % 8]} {day} {k}", independent=int(2 ** rng.integers(0, 5)), first_seen=at - k * HOUR, last_seen=at - k * HOUR)
            for k in range(30)
        ]  # fmt: skip
        edition = Edition.of(stories, at)
        independent = {story.id: story.independent for story in stories}
        for n in range(readers):
            reader = a_reader(f"r{n}")
            feed = build_feed(reader, edition, STANDARD, at, np.random.default_rng(n))
            look = (1 + np.arange(len(feed.items))) ** -0.7
            opened = [
                Event(reader=reader.id, kind="opened", at=at + timedelta(minutes=5), story=item.story)
                for item, seen in zip(feed.items, look.tolist(), strict=True)
                if rng.random() < seen * wish(independent[item.story])
            ]
            with db.begin() as c:
                store.feeds.log(c, feed)
                store.readers.record(c, opened)


def test_weights_that_replay_shows_to_be_better_are_used_and_can_be_undone(db):
    keep_log(db, lambda publishers: min(publishers / 16, 1.0))  # what many report is opened, whatever its age
    done = jobs.weigh(db, NOON + 20 * DAY)
    assert not done.why_not
    assert done.replayed.gain > 0
    assert done.weights["importance"] > done.weights["freshness"]
    with db.connect() as c:
        assert weighing.in_use(c) == done.weights
    news = Newsstand(db, config.load(None, {}, as_of=(NOON + 10 * DAY).isoformat()))
    news.refresh()
    assert news.recipe.hash == STANDARD.weighed(done.weights).hash
    assert jobs.undo(db, NOON) == {}
    assert jobs.redo(db) == done.weights  # a slip of the hand
    assert jobs.undo(db, NOON) == {}
    news.refresh(at_once=True)
    assert news.recipe.hash == STANDARD.hash
    with pytest.raises(InputError, match="as they are shipped"):
        jobs.undo(db, NOON)


def test_weights_that_replay_shows_to_be_worse_are_not_used(db):
    keep_log(db, lambda publishers: min(publishers / 16, 1.0))  # what many report was opened at first
    with db.connect() as c:
        log = weighing.logged(c)
    cut = len(log) - len(log) // weighing.HELD_OUT
    importance = replay.LEARNED.index("importance")
    low = [  # then readers turned to what nobody else reports
        replace(page, opened=page.points[:, importance] <= np.quantile(page.points[:, importance], 0.2))
        for page in log[cut:]
    ]
    done = weighing.consider(db, [*log[:cut], *low], {}, NOON)
    assert done.replayed.gain < 0
    assert "no better" in done.why_not
    with db.connect() as c:
        assert weighing.in_use(c) == {}
        [run] = jobs.runs(c)  # it is told to the operator, with what it would have brought
    assert (run.why, run.replay["gain"], run.weights) == ("no better", done.replayed.gain, done.weights)
    assert not run.holds
    with pytest.raises(InputError, match="could be used again"):
        jobs.redo(db)


def test_too_little_is_not_learned_from(db):
    with pytest.raises(InputError, match="needed to learn from"):
        jobs.weigh(db, NOON)
    keep_log(db, lambda publishers: 0.05, readers=2, days=2)
    with pytest.raises(InputError, match="needed to learn from"):
        jobs.weigh(db, NOON)


def test_runs_are_kept_in_order_and_undone_and_used_again_like_a_pile(db):
    weights = [{"freshness": 1.0 + n} for n in range(3)]
    with db.begin() as c:
        for n, learned in enumerate(weights):
            judged = replay.Replayed(pages=9, opened=30, now=1.0, ips=1.1, snips=0.2, gain=0.1, half=0.05)
            weighing._install(c, learned, judged, 0.8, NOON + n * HOUR)  # as it was before runs were kept
    with db.connect() as c:
        assert [run.weights for run in jobs.runs(c)] == weights
    assert jobs.undo(db, NOON + DAY) == weights[1]
    assert jobs.undo(db, NOON + DAY) == weights[0]
    with db.connect() as c:
        assert [run.holds for run in jobs.runs(c)] == [True, False, False]
    assert jobs.redo(db) == weights[1]
    assert jobs.redo(db) == weights[2]
    with db.connect() as c:
        assert weighing.in_use(c) == weights[2]
        assert [run.holds for run in jobs.runs(c)] == [True, True, True]


def test_weights_that_can_be_gone_back_to_outlive_many_refusals(db):
    with db.begin() as c:
        judged = replay.Replayed(pages=9, opened=30, now=1.0, ips=1.1, snips=0.2, gain=0.1, half=0.05)
        weighing._install(c, {"freshness": 1.5}, judged, 0.8, NOON)
    for n in range(weighing.KEPT + 5):
        with pytest.raises(InputError, match="needed to learn from"):
            jobs.weigh(db, NOON + n * HOUR)
    with db.connect() as c:
        told = jobs.runs(c)
    assert len(told) == weighing.KEPT + 1
    assert [run.why for run in told[1:]] == ["little known"] * weighing.KEPT
    assert jobs.undo(db, NOON + 9 * DAY) == {}


def test_pages_made_by_another_recipe_are_left_out(db):
    keep_log(db, lambda publishers: 0.3, readers=2, days=2)
    reader, at = a_reader("r0"), NOON + 5 * DAY
    with db.begin() as c:
        edition = Edition.of([a_story(last_seen=at)], at)
        store.feeds.log(
            c, build_feed(reader, edition, STANDARD.weighed({"importance": 2.0}), at, np.random.default_rng(0))
        )
    with db.connect() as c:
        [page] = weighing.logged(c)
    assert page.reader == ReaderId("r0")
    assert page.chance == pytest.approx(0.01)  # of exploration, as it was written down
