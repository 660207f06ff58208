"""Why, why not and what if: what is said of a cause is what happens when it goes."""

from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.feed.build import STANDARD, Recipe, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.score import Desk
from broadsheet.feed.whatif import REACH, Inquiry, said
from broadsheet.model import Follow, Mute, Topic
from broadsheet.readers.profile import learn
from broadsheet.web.actions import event_from
from tests.builders import DAY, HOUR, NOON, a_reader, a_story
from tests.feed.strategies import situations

law = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
CHESS = Topic(id="20000822", label="chess")
FOLLOW = Follow(kind="topic", value=CHESS.id, label="Chess")
SHORT = Recipe.of({"off": ["exploration"], "length": 4})


def inquiry(reader, stories, recipe=SHORT, seed=3):
    return Inquiry(reader=reader, edition=Edition.of(stories, NOON), recipe=recipe, now=NOON, seed=seed)


def acted(reader, change):
    """The reader after the change's button was pressed: its event goes the way that any event goes."""
    event = event_from(orjson.loads(orjson.dumps(change.event)), reader.id, NOON)
    return learn(reader, event, None)


def seen_at(reader, stories, story, recipe=SHORT, seed=3):
    """Where the story stands on the pages that this reader turns."""
    edition, order = Edition.of(stories, NOON), []
    while True:
        page = build_feed(reader, edition, recipe, NOON, np.random.default_rng(seed), before=order)
        order += [item.story for item in page.items]
        if len(page.items) < recipe.length or len(order) >= REACH:
            break
    return order.index(story) + 1 if story in order[:REACH] else None


@law
@given(situations(), st.data())
def test_the_named_cause_gone_changes_the_place_as_said(situation, data):
    stories, reader = situation
    if not stories:
        return
    story = data.draw(st.sampled_from(stories)).id
    subjects = [FOLLOW, Follow(kind="person", value="Kim", label="Kim"), Follow(kind="publisher", value="Post")]
    asked = inquiry(reader, stories).ask(story, subjects)
    assert asked.place == seen_at(reader, stories, story)
    for change in (*asked.without, *asked.lifts):
        after = acted(reader, change)
        assert after != reader
        if not change.still:
            assert change.place == seen_at(after, stories, story)


@law
@given(situations(), st.data())
def test_why_not_names_every_choice_that_keeps_a_story_out_and_without_them_it_is_in(situation, data):
    stories, reader = situation
    if not stories:
        return
    story = data.draw(st.sampled_from(stories)).id
    asked = inquiry(reader, stories).ask(story)
    assert bool(asked.refused) is (seen_at(reader, stories, story) is None)
    for change in asked.lifts if asked.refused else ():
        reader = acted(reader, change)
    if asked.refused:
        assert seen_at(reader, stories, story) is not None


@law
@given(situations(), st.data())
def test_the_reasons_that_are_told_are_those_that_the_feed_gave(situation, data):
    stories, reader = situation
    feed = build_feed(reader, Edition.of(stories, NOON), STANDARD, NOON, np.random.default_rng(5))
    if feed.items:
        place = data.draw(st.integers(0, len(feed.items) - 1))
        asked = inquiry(reader, stories, STANDARD, seed=5).ask(feed.items[place].story)
        assert (asked.place, asked.item) == (place + 1, feed.items[place])


@law
@given(situations())
def test_every_reason_has_a_button_that_takes_away_what_it_says(situation):
    """Unfollowing and forgetting take away the reason's points, to the digit; turning down takes the signal down by as much."""
    stories, reader = situation
    edition = Edition.of(stories, NOON)
    scorers = {scorer.signal: scorer for scorer in STANDARD.scorers}

    def points(reader, signal):
        return scorers[signal].points(Desk(reader, edition, NOON, 7))

    for signal, scorer in scorers.items():
        for row in range(len(edition)):
            for _, reason in scorer.reasons(Desk(reader, edition, NOON, 7), [row]):
                event = event_from({"kind": reason.repair.kind, **said(reason.repair)}, reader.id, NOON)
                before, after = points(reader, signal)[row], points(learn(reader, event, None), signal)[row]
                if reason.repair.kind in ("unfollow", "erase_weight"):
                    assert before - after == pytest.approx(reason.points, abs=1e-9)
                elif "tuning" in reason.repair.settings:
                    ((tuned, to),) = reason.repair.settings["tuning"].items()
                    now = reader.tuning.get(tuned, 1.0)
                    assert after == pytest.approx(before * to / now if now else before, abs=1e-2)
                else:
                    assert after < before


def wide(headline, publishers, **fields):
    names = tuple(f"P{n}" for n in range(publishers))
    return a_story(headline, publishers=names, independent=publishers, velocity=publishers / 24, **fields)


def test_without_following_chess_this_would_be_second():
    chess, news = wide("chess", 3, topics=(CHESS,)), wide("news", 6)
    asked = inquiry(a_reader(follows=(FOLLOW,)), [chess, news]).ask(chess.id)
    assert asked.place == 1
    change = next(c for c in asked.without if c.label == "Unfollow Chess")
    assert (change.words, change.place, change.without) == ("Without following Chess", 2, 2)


def test_turning_a_signal_down_and_away_are_told_apart():
    old = wide("much reported, but old", 30, last_seen=NOON - 3 * DAY)
    stories = [old, *(a_story(f"n{n}", last_seen=NOON - n * HOUR / 4) for n in range(12))]
    asked = inquiry(a_reader(), stories, replace(SHORT, length=20)).ask(old.id)
    change = next(c for c in asked.without if c.label == "Turn down importance")
    assert asked.place is not None
    assert asked.place < change.place < change.without


def test_a_story_below_the_page_says_what_it_lacks_and_what_would_lift_it():
    low = a_story("low", topics=(CHESS,), last_seen=NOON - 9 * HOUR)
    stories = [low, *(wide(f"n{n}", 3) for n in range(6))]
    asked = inquiry(a_reader(), stories).ask(low.id, [FOLLOW])
    assert asked.place == 7
    assert asked.short is not None
    assert asked.short > 0
    lift = next(c for c in asked.lifts if c.label == "Follow Chess")
    assert lift.place < 7


def test_two_choices_that_keep_a_story_out_are_each_named_with_what_would_still_stand():
    story = a_story("Kim plays chess", topics=(CHESS,))
    mute = Mute(kind="keyword", value="kim", label="Kim")
    asked = inquiry(a_reader(mutes=(mute,), hidden=frozenset({story.id})), [story]).ask(story.id)
    assert asked.refused == ("hidden by you", "muted: Kim")
    assert [(c.label, c.still) for c in asked.lifts] == [
        ("Show it again", ("muted: Kim",)), ("Unmute Kim", ("hidden by you",)),
    ]  # fmt: skip
