"""What others read: told of crowds only, counted by how often it was looked at, and never of this reader."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.feed.build import STANDARD, Recipe, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.others import CROWD, DAY, FEWEST, KNOWN, Crowd, at_least
from broadsheet.feed.score import Desk, Popularity
from broadsheet.feed.whatif import Inquiry
from broadsheet.model import Follow, ReaderId, StoryId
from broadsheet.readers import follows
from tests.builders import DAY as DAYS
from tests.builders import HOUR, NOON, a_reader, a_story
from tests.feed.strategies import situations

law = settings(deadline=None, max_examples=30)
AT = NOON.timestamp()
A, B = a_story("A"), a_story("B")


def a_crowd(*, readers=CROWD, shows=30):
    """Readers who were each shown both stories at noon, and opened neither; what they did open is of another day's page."""
    crowd = Crowd()
    for n in range(shows):
        for story in (A.id, B.id):
            crowd.shown(story, AT)
        crowd.opened(ReaderId(f"r{n % readers}"), StoryId("elsewhere"), AT)
    for _ in range(300):
        crowd.shown(StoryId("elsewhere"), AT)
    return crowd


def told(crowd, *stories, at=NOON):
    edition = Edition.of(stories or (A, B), at)
    return replace(edition, others=crowd.tell(edition.index, at.timestamp()))


def points(edition, reader=None, story=A, **settings_):
    desk = Desk(reader or a_reader("somebody"), edition, NOON, 1)
    return float(Popularity(**settings_).points(desk)[edition.index[story.id]])


def reason(edition, reader=None, story=A):
    desk = Desk(reader or a_reader("somebody"), edition, NOON, 1)
    return next((r for _, r in Popularity().reasons(desk, [edition.index[story.id]])), None)


def test_what_many_opened_is_given_points_and_says_so_in_round_numbers():
    crowd = a_crowd()
    for n in range(14):
        crowd.opened(ReaderId(f"r{n}"), A.id, AT)
    edition = told(crowd)
    assert points(edition) > 0.4
    assert points(edition, story=B) == 0
    assert reason(edition).fact == "10 readers or more opened it here in the last day"
    assert reason(edition).points == pytest.approx(points(edition))


def test_nothing_is_told_of_what_four_opened_nor_to_the_fifth_of_five():
    crowd = a_crowd()
    for n in range(FEWEST - 1):
        crowd.opened(ReaderId(f"r{n}"), A.id, AT)
    assert points(told(crowd)) == 0
    crowd.opened(ReaderId("me"), A.id, AT)
    assert points(told(crowd)) > 0
    me = a_reader("me", opened={A.id: NOON})
    assert points(told(crowd), me) == 0
    assert reason(told(crowd), me) is None
    assert points(told(crowd), a_reader("me", opened={A.id: NOON + HOUR})) == 0  # again, since it was counted


def test_where_few_read_nothing_is_told_however_often_they_open():
    crowd = a_crowd(readers=CROWD - 1)
    for n in range(CROWD - 1):
        crowd.opened(ReaderId(f"r{n}"), A.id, AT)
    assert told(crowd).others is None
    assert points(told(crowd)) == 0
    crowd.opened(ReaderId("one more"), B.id, AT)
    assert points(told(crowd)) > 0


def test_one_reader_who_opens_a_story_again_and_again_is_one_reader():
    crowd = a_crowd()
    for n in range(200):
        crowd.opened(ReaderId("r1"), A.id, AT + n)
    assert points(told(crowd, at=NOON + HOUR)) == 0


def test_what_this_reader_opened_is_not_what_others_opened():
    crowd, same = a_crowd(), a_crowd()
    for n in range(9):
        crowd.opened(ReaderId(f"r{n}"), A.id, AT)
        same.opened(ReaderId(f"r{n}"), A.id, AT)
    same.opened(ReaderId("me"), A.id, AT)
    mine = points(told(same), a_reader("me", opened={A.id: NOON}), most=9.0)
    assert mine < points(told(same), most=9.0)
    # all that is left of it is in what is usual here, to which each opening adds
    assert mine == pytest.approx(points(told(crowd), most=9.0), abs=0.04)


def test_an_opening_counts_for_more_where_fewer_looked():
    """Twelve openings among twelve that stood first say less than twelve among as many that stood thirtieth."""
    first, last = a_crowd(), a_crowd()
    for n in range(30):
        first.shown(A.id, AT, 1.0)
        last.shown(A.id, AT, 31**-0.7)
        for crowd in (first, last):
            if n < 12:
                crowd.opened(ReaderId(f"r{n}"), A.id, AT)
    assert points(told(last)) > points(told(first)) > 0


def test_what_was_counted_fades_by_half_in_half_a_day_and_is_gone_after_three_days():
    crowd = a_crowd()
    for n in range(12):
        crowd.opened(ReaderId(f"r{n}"), A.id, AT)
    now, later = (crowd.tell({A.id: 0}, AT + hours * 3600) for hours in (0, 12))
    assert later.opened[0] == pytest.approx(now.opened[0] / 2)
    assert crowd.tell({A.id: 0}, AT + 1.01 * DAY).readers[0] == 0
    assert crowd.tell({A.id: 0}, AT + 3.01 * DAY) is None
    assert not crowd._stories


def test_the_order_in_which_it_is_learned_changes_no_sum():
    done = [(ReaderId(f"r{n}"), (A.id, B.id)[n % 2], AT - n * 3600) for n in range(40)]
    early, late = Crowd(), Crowd()
    assert len(done) // 2 >= CROWD
    for crowd, order in ((early, done), (late, done[::-1])):
        for who, story, at in order:
            crowd.shown(story, at)
            crowd.opened(who, story, at)
    one, other = (crowd.tell({A.id: 0, B.id: 1}, AT) for crowd in (early, late))
    assert one.opened == pytest.approx(other.opened)
    assert one.usual == pytest.approx(other.usual)
    assert one.readers.tolist() == other.readers.tolist()


def test_two_stories_that_became_one_are_counted_as_one():
    crowd = a_crowd()
    for n in range(6):
        crowd.opened(ReaderId(f"r{n}"), (A.id, B.id)[n % 2], AT)
    assert crowd.tell({A.id: 0}, AT).readers[0] < FEWEST
    whole = crowd.tell({A.id: 0}, AT, {B.id: A.id})
    assert whole.readers[0] == 6
    assert whole.opened[0] == pytest.approx(6)


def test_who_is_forgotten_counts_no_more():
    crowd = a_crowd(readers=CROWD + 5)
    for n in range(FEWEST):
        crowd.opened(ReaderId(f"r{n}"), A.id, AT)
    crowd.forget(ReaderId("r2"))
    assert points(told(crowd)) == 0
    crowd.opened(ReaderId("r9"), A.id, AT)
    after = crowd.tell({A.id: 0}, AT)
    assert (after.readers[0], after.opened[0]) == (FEWEST, pytest.approx(FEWEST))


def test_memory_does_not_grow_with_readers():
    crowd = a_crowd()
    for n in range(5000):
        crowd.opened(ReaderId(f"reader {n}"), A.id, AT + n)
    assert len(crowd._stories[A.id].readers) == KNOWN
    assert len(crowd._active) <= 2 * CROWD
    assert at_least(KNOWN) == at_least(10**6) == 100


def test_what_is_told_is_rounded_down():
    assert [at_least(n) for n in (4, 5, 9, 10, 19, 20, 49, 50, 99, 100, 5000)] == [0, 5, 5, 10, 10, 20, 20, 50, 50, 100, 100]  # fmt: skip


@law
@given(situations(), st.data())
def test_reasons_add_up_to_points_and_nothing_is_ever_taken(situation, data):
    stories, reader = situation
    edition = Edition.of(stories, NOON)
    crowd = a_crowd()
    for story in stories:
        for n in range(data.draw(st.integers(0, 25))):
            crowd.opened(ReaderId(f"r{n}"), story.id, AT - n)
        for _ in range(data.draw(st.integers(0, 10))):
            crowd.shown(story.id, AT)
    edition = replace(edition, others=crowd.tell(edition.index, AT))
    desk = Desk(replace(reader, tuning={"popularity": data.draw(st.sampled_from((0.0, 1.0, 2.5)))}), edition, NOON, 1)
    given_ = Popularity().points(desk)
    assert (given_ >= 0).all()
    for row in range(len(edition)):
        told_ = [r for _, r in Popularity().reasons(desk, [row])]
        assert sum(r.points for r in told_) == pytest.approx(given_[row], abs=1e-12)
        assert all(r.fact.split()[0] in ("5", "10", "20") and r.repair for r in told_)


@law
@given(situations())
def test_where_no_crowd_reads_a_feed_is_as_if_nobody_counted(situation):
    stories, reader = situation
    edition = Edition.of(stories, NOON)
    alone = replace(edition, others=Crowd().tell(edition.index, AT))
    without = Recipe.of({"off": ["popularity"]})
    one = build_feed(reader, alone, STANDARD, NOON, np.random.default_rng(1))
    assert one.items == build_feed(reader, edition, without, NOON, np.random.default_rng(1)).items


def test_a_reader_can_turn_it_off_and_why_says_what_it_does():
    crowd = a_crowd()
    for n in range(14):
        crowd.opened(ReaderId(f"r{n}"), A.id, AT)
    edition = told(crowd, A, a_story("B", last_seen=NOON, topics=()), a_story("C"))
    reader = a_reader("somebody")
    asked = Inquiry(reader=reader, edition=edition, recipe=STANDARD, now=NOON, seed=1).ask(A.id)
    (change,) = [c for c in asked.without if "others read" in c.label]
    assert change.words == "If what others read did not count"
    assert change.event["settings"] == {"tuning": {"popularity": 0.5}}
    off = build_feed(replace(reader, tuning={"popularity": 0.0}), edition, STANDARD, NOON, np.random.default_rng(1))
    assert not any(r.signal == "popularity" for item in off.items for r in item.reasons)


def test_what_is_opened_far_more_than_twice_as_often_is_given_no_more():
    crowd = a_crowd(shows=300)
    for n in range(190):
        crowd.opened(ReaderId(f"r{n}"), A.id, AT)
    assert told(crowd).others.lift(slice(None))[0].max() > 1
    assert points(told(crowd)) == pytest.approx(Popularity().weight)


def test_what_all_others_open_does_not_push_a_weekly_letter_off_the_page_of_who_follows_both():
    """Sixty followed publishers of thirteen items a day, each with one that everybody opened; a letter of yesterday."""
    loud = [
        a_story(f"loud {p} {n}", publishers=(f"Loud {p}",), first_seen=NOON - n * HOUR, last_seen=NOON - n * HOUR)
        for p in range(60) for n in range(1, 14)
    ]  # fmt: skip
    letter = a_story("A letter", publishers=("The Letter",), first_seen=NOON - DAYS, last_seen=NOON - DAYS)
    edition = Edition.of([*loud, letter], NOON)
    edition = replace(edition, pace=np.where(edition.rows_of([letter.id]) == np.arange(len(edition)), 1 / 7, 13.0))
    reader = a_reader()
    for name in (*(f"Loud {p}" for p in range(60)), "The Letter"):
        reader = follows.follow(reader, Follow(kind="publisher", value=name, label=name), NOON)
    crowd = a_crowd(readers=40, shows=400)
    for story in loud:
        for n in range(40):
            crowd.shown(story.id, AT)
            if story.last_seen == NOON - HOUR:
                crowd.opened(ReaderId(f"r{n}"), story.id, AT)
    edition = replace(edition, others=crowd.tell(edition.index, AT))
    items = build_feed(reader, edition, STANDARD, NOON, np.random.default_rng(0)).items
    assert letter.id in {item.story for item in items}
    assert sum(any(r.signal == "popularity" for r in item.reasons) for item in items) > 20
    assert sum(edition.others.lift(slice(None))[0] >= 1) == 60
