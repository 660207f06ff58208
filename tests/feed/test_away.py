"""What mattered while a reader was away."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.feed.away import enough, mattered
from broadsheet.feed.build import STANDARD
from broadsheet.feed.edition import Edition
from broadsheet.model import Entity, Follow, Topic
from broadsheet.readers import follows as chosen
from tests.builders import DAY, HOUR, NOON, a_reader, a_story
from tests.feed.strategies import situations

law = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
CHESS = Topic(id="20000822", label="chess")


def of(reader, stories, gap):
    return mattered(reader, Edition.of(stories, NOON), STANDARD, NOON - gap, NOON)


@law
@given(situations(), st.integers(1, 400).map(timedelta(hours=1).__mul__))
def test_it_is_few_of_the_gap_admitted_and_follows_come_first_each_best_first(situation, gap):
    stories, reader = situation
    known = {story.id: story for story in stories}
    found = of(reader, stories, gap)
    assert len({m.item.story for m in found}) == len(found) <= 2 * enough(gap)
    assert [m.followed for m in found] == sorted((m.followed for m in found), reverse=True)
    for group in (True, False):
        scores = [m.item.score for m in found if m.followed is group]
        assert scores == sorted(scores, reverse=True)
    for m in found:
        story = known[m.item.story]
        assert NOON - gap < story.last_seen <= NOON
        assert story.id not in reader.hidden
        assert not any(mute.holds(NOON) and chosen.mutes(mute, story) for mute in reader.mutes)
        assert m.followed is any(chosen.matches(follow, story) for follow in reader.follows)
        assert not any(r.signal in ("freshness", "exploration", "quiet") for r in m.item.reasons)


def test_what_is_followed_comes_before_what_everybody_reports_and_the_unimportant_is_left_out():
    names = tuple(f"P{n}" for n in range(20))
    big = a_story("big", publishers=names, independent=20, last_seen=NOON - HOUR)
    mine = a_story("mine", topics=(CHESS,), last_seen=NOON - 5 * HOUR)
    small = a_story("small", last_seen=NOON - HOUR)
    before = a_story("before", publishers=names, independent=20, last_seen=NOON - 3 * DAY)
    reader = a_reader(follows=(Follow(kind="topic", value=CHESS.id),))
    assert [m.item.story for m in of(reader, [big, mine, small, before], DAY)] == [mine.id, big.id]
    assert {m.item.story for m in of(a_reader(), [big, mine, small, before], 4 * DAY)} == {big.id, before.id}


def test_what_was_read_comes_again_only_when_it_went_on():
    story = a_story("s", publishers=("A", "B", "C"), independent=3, last_seen=NOON - 2 * HOUR)
    assert of(a_reader(opened={story.id: NOON - HOUR}), [story], DAY) == []
    (one,) = of(a_reader(opened={story.id: NOON - 3 * HOUR}), [story], DAY)
    assert any("new articles came since you read it" in reason.fact for reason in one.item.reasons)


def test_a_near_place_matters_though_one_publisher_reports_it():
    story = a_story("bridge", entities=(Entity(text="Lyon", type="place"),), last_seen=NOON - HOUR)
    assert of(a_reader(), [story], DAY) == []
    assert len(of(a_reader(home=("Lyon",)), [story], DAY)) == 1


def test_a_longer_gap_is_worth_more_stories_but_never_many():
    assert [enough(days * DAY) for days in (0, 1, 2, 7, 30, 900)] == [5, 5, 8, 13, 20, 20]
