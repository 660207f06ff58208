"""Who follows a publisher that seldom publishes misses little of it."""

from datetime import timedelta

import numpy as np
import pytest

from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.model import Follow
from broadsheet.readers import follows
from tests.builders import DAY, HOUR, NOON, a_reader, a_story


def a_week(*quiet):
    """Seven days of thirty publishers that post every two hours, and these stories of one that does not."""
    loud = [
        a_story(f"loud {p} {n}", publishers=(f"Loud {p}",), first_seen=NOON - n * 2 * HOUR, last_seen=NOON - n * 2 * HOUR)
        for p in range(30) for n in range(84)
    ]  # fmt: skip
    return Edition.of([*loud, *quiet], NOON)


def who_follows(*publishers):
    reader = a_reader()
    for name in publishers:
        reader = follows.follow(reader, Follow(kind="publisher", value=name, label=name), NOON)
    return reader


EVERYBODY = (*(f"Loud {p}" for p in range(30)), "The Letter")


@pytest.mark.parametrize("hours", [1, 20, 40])
def test_a_weekly_letter_is_on_the_page_of_who_follows_it_among_thirty_that_never_stop(hours):
    letter = a_story(
        "A letter", publishers=("The Letter",), first_seen=NOON - hours * HOUR, last_seen=NOON - hours * HOUR
    )
    edition = a_week(letter)
    feed = build_feed(who_follows(*EVERYBODY), edition, STANDARD, NOON, np.random.default_rng(0))
    [item] = [item for item in feed.items if item.story == letter.id]
    assert any(reason.fact == "you follow The Letter, which seldom publishes" for reason in item.reasons)
    unfollowed = build_feed(who_follows(*EVERYBODY[:-1]), edition, STANDARD, NOON, np.random.default_rng(0))
    if hours > 12:
        assert letter.id not in {item.story for item in unfollowed.items}


def test_a_busy_publisher_is_worth_no_more_for_being_followed_than_it_was():
    edition = a_week()
    feed = build_feed(who_follows("Loud 1"), edition, STANDARD, NOON, np.random.default_rng(0))
    told = {reason.points for item in feed.items for reason in item.reasons if reason.fact == "you follow Loud 1"}
    assert told == {1.0}


def test_the_more_seldom_the_more_it_gives():
    def points(days):
        posts = [
            a_story(f"post {n}", publishers=("The Letter",), first_seen=NOON - n * days * DAY, last_seen=NOON - n * days * DAY)
            for n in range(int(7 / days))
        ]  # fmt: skip
        feed = build_feed(
            who_follows("The Letter"), a_week(*posts), STANDARD, NOON + timedelta(minutes=1), np.random.default_rng(0)
        )
        return max(r.points for item in feed.items for r in item.reasons if r.signal == "follows")

    assert points(7) > points(3.5) > points(1.75) > 1.0
    assert points(0.5) == 1.0
