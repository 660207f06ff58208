"""Late merges: what was said of either story holds for the one that is left."""

from __future__ import annotations

from broadsheet.model import Follow, Mute, StoryId
from broadsheet.readers.joined import joined
from tests.builders import HOUR, NOON, a_reader

OLD, NEW, OTHER = StoryId("old"), StoryId("new"), StoryId("other")


def test_a_story_that_was_hidden_stays_hidden_when_it_turns_out_to_be_another():
    reader = a_reader(hidden=frozenset({OLD}), saved=(OLD, OTHER, NEW))
    after = joined(reader, {OLD: NEW})
    assert after.hidden == {NEW}
    assert after.saved == (NEW, OTHER)


def test_a_followed_story_is_followed_under_its_new_id_and_only_once():
    reader = a_reader(follows=(Follow(kind="story", value="old", label="It"), Follow(kind="story", value="new")))
    assert [f.value for f in joined(reader, {OLD: NEW}).follows] == ["new"]
    muted = a_reader(mutes=(Mute(kind="story", value="old", until=NOON),))
    assert joined(muted, {OLD: NEW}).mutes == (Mute(kind="story", value="new", until=NOON),)


def test_the_later_opening_counts_and_an_opened_story_was_not_passed_over():
    reader = a_reader(opened={NEW: NOON, OLD: NOON + HOUR}, shown={OLD: 3, OTHER: 1})
    after = joined(reader, {OLD: NEW})
    assert after.opened == {NEW: NOON + HOUR}
    assert after.shown == {OTHER: 1}


def test_a_reader_who_never_met_the_story_is_left_as_they_are():
    reader = a_reader(saved=(OTHER,), follows=(Follow(kind="keyword", value="old"),))
    assert joined(reader, {OLD: NEW}) is reader
