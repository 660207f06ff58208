"""A reader is a fold over events."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.errors import InputError
from broadsheet.model import Entity, Event, EventId, Follow, Mute, ReaderId, Topic, bytes_of
from broadsheet.readers import ledger, profile
from broadsheet.readers.events import check, welcome
from broadsheet.readers.follows import matches, mutes
from tests.builders import DAY, HOUR, NOON, a_reader, a_story

CHESS = a_story(
    "Carlsen wins in Oslo",
    topics=(Topic(id="20000822", label="chess"), Topic(id="15000000", label="sport", weight=0.5)),
    entities=(Entity(text="Magnus Carlsen", type="person", count=3), Entity(text="Oslo", type="place")),
    vector=bytes_of(np.eye(8)[0]),
)
POLITICS = a_story(
    "Parliament votes",
    topics=(Topic(id="11000000", label="politics"),),
    publishers=("Gazette", "Herald"),
    vector=bytes_of(np.eye(8)[1]),
)
TOPIC = ("topic", "20000822")
KINDS = ("shown", "opened", "dwelled", "saved", "unsaved", "shared", "hidden", "unhidden", "more", "less")


def an_event(kind, story=CHESS, **fields):
    return Event(reader=ReaderId("ada"), kind=kind, at=fields.pop("at", NOON), story=story.id, **fields)


def after(*kinds, **fields):
    return profile.fold(a_reader(), [(an_event(kind, **fields), CHESS) for kind in kinds])


@st.composite
def histories(draw):
    """Events of every kind in order of time, numbered, some of them undoing an earlier one."""
    events = []
    for number in range(draw(st.integers(1, 12))):
        at = NOON + number * HOUR
        kind = draw(
            st.sampled_from(
                (*KINDS, "follow", "unfollow", "mute", "unmute", "set_weight", "erase_weight", "settings", "undo")
            )
        )
        story = draw(st.sampled_from((CHESS, POLITICS)))
        event = an_event(kind, story, at=at, id=EventId(number), seconds=draw(st.sampled_from((1.0, 30.0, 400.0))))
        value = draw(st.sampled_from(("chess", "go")))
        event = replace(
            event,
            target=EventId(draw(st.integers(0, number - 1))) if number else None,
            follow=Follow(kind="keyword", value=value),
            mute=Mute(kind="keyword", value=value, until=at + DAY),
            weight=(TOPIC, draw(st.floats(-3, 3))),
            settings={"tuning": {"freshness": draw(st.floats(0, 5))}, "name": value},
        )
        events.append((event, story))
    return events


@settings(deadline=None, max_examples=25)
@given(histories(), st.data())
def test_an_undo_leaves_exactly_what_would_be_without_the_event(history, data):
    target = data.draw(st.sampled_from([event for event, _ in history if event.kind != "undo"] or [None]))
    if target is None:
        return
    still = [(e, s) for e, s in history if e.kind != "undo"]
    undo = Event(reader=ReaderId("ada"), kind="undo", at=NOON + DAY, target=target.id, id=EventId(99))
    assert profile.fold(a_reader(), [*still, (undo, None)]) == profile.fold(
        a_reader(), [(e, s) for e, s in still if e.id != target.id]
    )


@settings(deadline=None, max_examples=25)
@given(histories())
def test_undoing_an_undo_brings_the_event_back(history):
    events = [(e, s) for e, s in history if e.kind != "undo"]
    first = Event(reader=ReaderId("ada"), kind="undo", at=NOON, target=EventId(0), id=EventId(90))
    second = Event(reader=ReaderId("ada"), kind="undo", at=NOON, target=EventId(90), id=EventId(91))
    assert profile.fold(a_reader(), [*events, (first, None), (second, None)]) == profile.fold(a_reader(), events)


@settings(deadline=None, max_examples=25)
@given(histories(), st.integers(0, 12))
def test_a_fold_may_stop_and_go_on_where_it_stopped(history, at):
    events = [(e, s) for e, s in history if e.kind != "undo"]
    stopped = profile.fold(a_reader(), events[:at])
    assert profile.fold(stopped, events[at:]) == profile.fold(a_reader(), events)


@settings(deadline=None, max_examples=25)
@given(histories())
def test_no_learned_weight_passes_the_limit_and_a_fold_changes_no_argument(history):
    before = a_reader()
    reader = profile.fold(before, history)
    assert before == a_reader()
    assert all(abs(weight.value) <= profile.Learning().limit for weight in reader.weights.values())


@settings(deadline=None, max_examples=40)
@given(histories())
def test_folding_many_events_is_learning_them_one_by_one(history):
    reader = a_reader()
    for event, story in profile.standing(history):
        reader = profile.learn(reader, event, story)
    assert profile.fold(a_reader(), history) == reader


def test_opening_teaches_what_the_story_is_about_and_more_teaches_more():
    opened, more = after("opened"), after("more")
    assert 0 < opened.weights[TOPIC].value < more.weights[TOPIC].value
    assert opened.weights["entity", "magnus carlsen"].value > opened.weights["entity", "oslo"].value
    assert opened.opened[CHESS.id] == NOON


def test_a_look_of_two_seconds_takes_back_the_opening():
    assert after("opened").weights[TOPIC].value > 0
    bounced = profile.fold(a_reader(), [(an_event("opened"), CHESS), (an_event("dwelled", seconds=2), CHESS)])
    assert bounced.weights[TOPIC].value < 0


def test_longer_reading_teaches_more_up_to_a_point():
    def read(seconds):
        return after("dwelled", seconds=seconds).weights[TOPIC].value

    assert read(6) < read(60) < read(180) == read(3600)


def test_shown_and_not_opened_is_counted_and_says_nothing_of_its_subjects():
    reader = after(*["shown"] * 60)
    assert reader.shown == {CHESS.id: 60}
    assert not reader.weights
    assert after("shown", "opened").shown == {}


def test_what_was_learned_fades_by_half_in_a_half_life():
    weight = after("more").weights[TOPIC]
    assert profile.faded(weight, NOON + profile.Learning().half_life) == pytest.approx(weight.value / 2)


def test_a_weight_set_by_hand_neither_fades_nor_is_learned_over_until_it_is_erased():
    pin = Event(reader=ReaderId("ada"), kind="set_weight", at=NOON, weight=(TOPIC, -2.0))
    reader = profile.fold(a_reader(), [(an_event("more"), CHESS), (pin, None), (an_event("more"), CHESS)])
    assert profile.faded(reader.weights[TOPIC], NOON + 300 * DAY) == -2.0
    erase = Event(reader=ReaderId("ada"), kind="erase_weight", at=NOON, weight=(TOPIC, 0.0))
    assert TOPIC not in profile.learn(reader, erase, None).weights


def test_the_vectors_of_what_was_read_and_of_what_was_sent_away_are_kept_apart():
    reader = profile.fold(a_reader(), [(an_event("more"), CHESS), (an_event("less", POLITICS), POLITICS)])
    assert reader.interest == CHESS.vector
    assert reader.disinterest == POLITICS.vector


def test_saved_and_hidden_can_be_taken_back():
    assert after("saved").saved == (CHESS.id,)
    assert after("saved", "unsaved").saved == ()
    assert after("hidden").hidden == {CHESS.id}
    assert after("hidden", "unhidden").hidden == frozenset()


def test_an_event_about_a_story_that_is_gone_is_still_remembered():
    assert profile.learn(a_reader(), an_event("saved"), None).saved == (CHESS.id,)


def test_the_weakest_of_too_many_weights_go_first():
    rules = profile.Learning(kept=10)
    reader = a_reader()
    for n in range(12):
        story = a_story(f"story {n}", topics=(Topic(id=str(n), label=str(n)),), publishers=())
        reader = profile.learn(reader, an_event("more" if n == 0 else "opened", story), story, rules)
    assert len(reader.weights) <= 11
    assert ("topic", "0") in reader.weights


def test_settings_change_what_they_name_and_leave_the_rest():
    def settle(reader, **given):
        return profile.learn(reader, Event(reader=reader.id, kind="settings", at=NOON, settings=given), None)

    reader = settle(a_reader(), languages=["EN", "de"], scope="subscriptions", subscriptions=["a"], tuning={"quiet": 2})
    assert reader.languages == ("en", "de")
    assert (reader.scope, reader.subscriptions, reader.name) == ("subscriptions", frozenset({"a"}), "Ada")
    assert settle(reader, tuning={"freshness": 0.5}).tuning == {"quiet": 2.0, "freshness": 0.5}
    assert settle(reader, tuning={"quiet": 1}).tuning == {}
    assert settle(reader, scope="everything", colour="red") == reader


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "opened"},
        {"kind": "dwelled", "story": "s"},
        {"kind": "undo"},
        {"kind": "follow"},
        {"kind": "follow", "follow": Follow(kind="topic", value=" ")},
        {"kind": "mute", "mute": Mute(kind="topic", value="1", until=NOON.replace(tzinfo=None))},
        {"kind": "set_weight", "weight": (("topic", "1"), float("nan"))},
        {"kind": "settings", "settings": {"scope": "everything"}},
        {"kind": "settings", "settings": {"tuning": {"quiet": -1}}},
        {"kind": "settings", "settings": {"languages": "en"}},
        {"kind": "settings", "settings": {"colour": "red"}},
        {"kind": "danced"},
    ],
)
def test_an_event_that_cannot_be_learned_from_is_refused_with_a_sentence(wrong):
    with pytest.raises(InputError, match=r"\.$"):
        check(Event(**{"reader": ReaderId("ada"), "at": NOON} | wrong))


def test_a_newcomer_begins_with_what_they_chose():
    follows = (Follow(kind="topic", value="20000822", label="chess"), Follow(kind="place", value="Oslo"))
    events = welcome(ReaderId("new"), NOON, name="Nia", follows=follows, languages=("en",))
    reader = profile.fold(a_reader("new"), [(event, None) for event in events])
    assert (reader.name, reader.languages) == ("Nia", ("en",))
    assert [f.value for f in reader.follows] == ["20000822", "Oslo"]


def test_following_again_or_unfollowing_leaves_no_double_and_following_ends_a_mute():
    def act(reader, kind, **fields):
        return profile.learn(reader, Event(reader=reader.id, kind=kind, at=NOON, **fields), None)

    chess = Follow(kind="keyword", value="Chess")
    reader = act(act(a_reader(), "mute", mute=Mute(kind="keyword", value="chess")), "follow", follow=chess)
    assert reader.mutes == ()
    assert len(act(reader, "follow", follow=Follow(kind="keyword", value="CHESS")).follows) == 1
    assert act(reader, "unfollow", follow=Follow(kind="keyword", value="chess")).follows == ()


@pytest.mark.parametrize(
    ("kind", "value", "met"),
    [
        ("topic", "20000822", True),
        ("topic", "15000000", True),
        ("topic", "11000000", False),
        ("person", "magnus  CARLSEN", True),
        ("person", "Magnus", False),
        ("place", "Oslo", True),
        ("keyword", "wins in", True),
        ("keyword", "win", False),
        ("publisher", "example", True),
        ("story", CHESS.id, True),
        ("keyword", "", False),
    ],
)
def test_a_follow_is_met_by_names_topics_words_and_publishers(kind, value, met):
    assert matches(Follow(kind=kind, value=value), CHESS) is met


def test_a_word_of_a_script_without_spaces_is_found_inside_a_line():
    assert matches(Follow(kind="keyword", value="選挙"), a_story("衆院選挙の結果"))


def test_a_muted_publisher_is_kept_away_only_where_nobody_else_reports():
    gazette = Mute(kind="publisher", value="Gazette")
    assert not mutes(gazette, POLITICS)
    assert mutes(gazette, replace(POLITICS, publishers=("Gazette",)))


def test_the_ledger_shows_every_weight_with_what_taught_it():
    reader = after("opened", "opened", "more")
    rows = ledger.ledger(reader, NOON + timedelta(days=1))
    assert {row.key for row in rows} == set(reader.weights)
    row = next(row for row in rows if row.key == TOPIC)
    assert (row.label, row.came_from, row.since) == ("chess", "opened twice, asked for more once", NOON)
    assert row.now == pytest.approx(profile.faded(reader.weights[TOPIC], NOON + DAY))
    assert profile.learn(
        reader, Event(reader=reader.id, kind=row.erase.kind, at=NOON, weight=row.erase.weight), None
    ).weights.keys() == reader.weights.keys() - {TOPIC}


def test_who_wrote_a_story_is_learned_the_less_the_more_wrote_it():
    alone = a_story("A column", publishers=("Gazette",), authors=("Ada Lovelace",))
    pair = replace(alone, id="pair", authors=("Ada  Lovelace", "Grace Hopper"))
    opened = Event(reader="ada", kind="opened", at=NOON, story=alone.id)
    one, two = profile.learn(a_reader(), opened, alone), profile.learn(a_reader(), replace(opened, story="pair"), pair)
    key = ("author", "ada lovelace")
    assert one.weights[key].value == 2 * two.weights[key].value > 0
    assert one.weights[key].label == "Ada Lovelace"
    erased = Event(reader="ada", kind="erase_weight", at=NOON, weight=(key, 0.0))
    assert key not in profile.learn(one, erased, None).weights
