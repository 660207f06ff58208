"""What a reader opened just now draws up what is like it, says so, and is soon forgotten."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.score import Desk, Session
from broadsheet.feed.whatif import Inquiry
from broadsheet.model import Entity, Event, EventId, Topic
from broadsheet.readers.profile import fold
from tests.builders import DAY, HOUR, NOON, a_reader, a_story
from tests.feed.strategies import situations

law = settings(deadline=None, max_examples=20)
MINUTE = timedelta(minutes=1)
CHESS, SPORT = Topic(id="20000822", label="chess"), Topic(id="15000000", label="sport")
FIRST = a_story("A gambit", topics=(CHESS, SPORT), entities=(Entity(text="Magnus Carlsen", type="person", count=5),))
SAME = a_story("An endgame", topics=(CHESS, SPORT), entities=(Entity(text="Magnus Carlsen", type="person", count=2),))
SPORTY = [a_story(f"Match {n}", topics=(SPORT,)) for n in range(8)]
OTHER = [a_story(f"Vote {n}") for n in range(8)]
EDITION = Edition.of([FIRST, SAME, *SPORTY, *OTHER], NOON)


def given_(reader, story, now=NOON, edition=EDITION):
    return float(Session().points(Desk(reader, edition, now, 1))[edition.index[story.id]])


def who_opened(*stories, ago=MINUTE):
    return a_reader(opened={story.id: NOON - ago for story in stories})


def test_what_shares_most_with_what_was_opened_is_given_most_and_what_many_share_little():
    reader = who_opened(FIRST)
    assert given_(reader, SAME) > 2 * given_(reader, SPORTY[0]) > 0
    assert given_(reader, OTHER[0]) == 0
    assert given_(reader, FIRST) == 0  # it is not like itself


def test_it_is_half_gone_within_the_hour_and_gone_after_two():
    at_once, later = given_(who_opened(FIRST), SAME), given_(who_opened(FIRST, ago=60 * MINUTE), SAME)
    assert 0 < later < at_once / 2
    assert given_(who_opened(FIRST, ago=2 * HOUR), SAME) == 0
    assert given_(who_opened(FIRST, ago=DAY), SAME) == 0


def test_more_openings_of_a_kind_say_more_and_never_more_than_the_most():
    more = who_opened(FIRST, *SPORTY[1:])
    assert given_(more, SPORTY[0]) > given_(who_opened(FIRST), SPORTY[0])
    assert given_(more, SAME) < Session().weight


def test_what_was_hidden_again_draws_nothing():
    assert given_(replace(who_opened(FIRST), hidden=frozenset({FIRST.id})), SAME) == 0


def test_an_opening_that_is_undone_draws_nothing():
    opened = Event(reader="ada", kind="opened", at=NOON - MINUTE, story=FIRST.id, id=EventId(1))
    undo = Event(reader="ada", kind="undo", at=NOON, target=EventId(1), id=EventId(2))
    assert given_(fold(a_reader(), [(opened, FIRST)]), SAME) > 0
    assert given_(fold(a_reader(), [(opened, FIRST), (undo, None)]), SAME) == 0


def test_the_reason_names_what_both_are_about_and_can_be_turned_down():
    reader = replace(who_opened(FIRST, ago=5 * MINUTE))
    item = next(i for i in feed_of(reader).items if i.story == SAME.id)
    (reason,) = [r for r in item.reasons if r.signal == "session"]
    assert reason.fact == "it is about Magnus Carlsen, as is what you opened 5 minutes ago"
    assert reason.repair.settings == {"tuning": {"session": 0.5}}
    asked = Inquiry(reader=reader, edition=EDITION, recipe=STANDARD, now=NOON, seed=1).ask(SAME.id)
    assert "If what you opened just now did not count" in [change.words for change in asked.without]
    off = feed_of(replace(reader, tuning={"session": 0.0}))
    assert not any(r.signal == "session" for i in off.items for r in i.reasons)


def feed_of(reader, edition=EDITION, now=NOON):
    return build_feed(reader, edition, STANDARD, now, np.random.default_rng(1))


@law
@given(situations(), st.integers(0, 200), st.data())
def test_reasons_add_up_to_points_which_are_bounded_and_what_is_kept_misleads_nobody(situation, minutes, data):
    stories, reader = situation
    edition = Edition.of(stories, NOON)
    for _ in range(2):  # the second time from what was kept, at another time
        some = data.draw(st.lists(st.sampled_from(stories), max_size=4, unique=True)) if stories else []
        who = replace(reader, opened={s.id: NOON - n * 7 * MINUTE for n, s in enumerate(some)})
        now = NOON + data.draw(st.integers(0, minutes)) * MINUTE
        points = Session().points(Desk(who, edition, now, 1))
        assert ((points >= 0) & (points < Session().weight)).all()
        assert points.tolist() == Session().points(Desk(who, Edition.of(stories, NOON), now, 1)).tolist()
        told = list(Session().reasons(Desk(who, edition, now, 1), range(len(edition))))
        assert {place: r.points for place, r in told} == {
            row: pytest.approx(x) for row, x in enumerate(points.tolist()) if x
        }
