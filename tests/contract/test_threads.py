"""What a store keeps of threads, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from broadsheet import store
from broadsheet.model import OpenThread, ThreadId
from tests.builders import DAY, NOON, a_story

WAR, TRIAL = ThreadId("war"), ThreadId("trial")


def test_a_story_keeps_its_thread(db: Connection) -> None:
    story = a_story(thread=WAR)
    store.stories.save(db, [story, a_story("Another")])
    assert store.stories.get(db, story.id) == story
    assert store.threads.of(db, [story.id, a_story("Another").id]) == {story.id: WAR}


def test_a_threads_latest_stories_come_first_and_absorbed_ones_not_at_all(db: Connection) -> None:
    days = [a_story(str(n), thread=WAR, last_seen=NOON + n * DAY) for n in range(4)]
    store.stories.save(db, [*days, a_story("Elsewhere", thread=TRIAL)])
    store.stories.merge(db, days[1].id, days[2].id)
    assert store.threads.stories_of(db, WAR, 9) == [days[3], days[2], days[0]]
    assert store.threads.stories_of(db, WAR, 1) == [days[3]]
    assert store.threads.stories_of(db, ThreadId("none"), 9) == []


def test_a_threads_memory_is_kept_until_its_time_and_the_last_one_saved_counts(db: Connection) -> None:
    war, trial = (OpenThread(id=id_, until=NOON + DAY, memory=b"\x00\xff first") for id_ in (WAR, TRIAL))
    store.threads.save(db, [war, trial])
    war = replace(war, memory=b"second", until=NOON + 9 * DAY)
    store.threads.save(db, [war])
    assert list(store.threads.all_open(db, NOON)) == [war, trial]
    assert list(store.threads.all_open(db, NOON, 1)) == [war]  # the one that is open longest
    assert list(store.threads.all_open(db, NOON + 2 * DAY)) == [war]
    assert store.threads.remove_until(db, NOON + 2 * DAY) == 1
    store.threads.remove(db, [WAR, ThreadId("none")])
    assert list(store.threads.all_open(db, NOON)) == []


def test_stories_that_an_earlier_version_left_without_a_thread_are_found_oldest_first(db: Connection) -> None:
    old = a_story("Old", last_seen=NOON - 40 * DAY)
    two = [a_story(str(n), last_seen=NOON + n * DAY) for n in range(2)]
    store.stories.save(db, [*two, old, a_story("Threaded", thread=WAR)])
    assert store.threads.without(db, NOON - DAY, 9) == two
