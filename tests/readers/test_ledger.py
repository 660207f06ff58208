"""The ledger: every signal, what it changed, and a reader as if some had never been."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.model import Event, Reader, ReaderId, Topic
from broadsheet.readers.ledger import signals
from broadsheet.readers.profile import Learning, faded, fold
from tests.builders import DAY, HOUR, NOON, a_story
from tests.feed.strategies import editions

law = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
ADA = ReaderId("ada")
kinds = st.sampled_from(
    ("opened", "dwelled", "saved", "shared", "more", "less", "hidden", "set_weight", "erase_weight", "undo", "range")
)


@st.composite
def histories(draw):
    stories = draw(editions)
    events = []
    for n, (kind, at, which) in enumerate(
        draw(st.lists(st.tuples(kinds, st.integers(0, 30), st.integers(0, 40)), max_size=25)), 1
    ):
        when = NOON - (30 - at) * DAY
        key = (("topic", ("chess", "war")[which % 2]), (which - 20) / 10)
        if kind in ("undo", "range"):
            first = 1 + which % n
            through = first + 3 if kind == "range" else None
            events.append((Event(reader=ADA, kind="undo", at=when, id=n, target=first, through=through), None))
        elif kind in ("set_weight", "erase_weight"):
            events.append((Event(reader=ADA, kind=kind, at=when, id=n, weight=key), None))
        elif stories:
            story = stories[which % len(stories)]
            events.append(
                (Event(reader=ADA, kind=kind, at=when, id=n, story=story.id, seconds=float(which * 9)), story)
            )
    return events


@law
@given(histories())
def test_what_the_signals_changed_adds_up_to_the_weights(history):
    """Each change fades like the weight that it changed, so summed at any later time they are the weight."""
    rules = Learning(half_life=10_000 * DAY, kept=10_000)  # next to no fading, so that plain sums do
    reader = fold(Reader(id=ADA), history, rules)
    total = {}
    for row in signals(history, Reader(id=ADA), rules):
        for delta in row.changes:
            total[delta.key] = total.get(delta.key, 0.0) + delta.moved
    weights = {key: faded(weight, NOON, rules) for key, weight in reader.weights.items()}
    assert {k: v for k, v in total.items() if abs(v) > 0.02} == pytest.approx(
        {k: v for k, v in weights.items() if abs(total.get(k, 0.0)) > 0.02}, abs=0.02
    )


@law
@given(histories())
def test_a_signal_that_was_undone_changes_nothing_and_names_the_undo(history):
    rows = signals(history, Reader(id=ADA))
    left = [pair for pair in history if pair[0].id not in {row.event.id for row in rows if row.undone_by}]
    left = [pair for pair in left if pair[0].kind != "undo"]
    assert fold(Reader(id=ADA), left).weights == fold(Reader(id=ADA), history).weights
    assert all(not row.changes and row.undone_by.kind == "undo" for row in rows if row.undone_by)


def test_a_range_that_is_undone_counts_no_more_and_counts_again_when_the_undo_is():
    chess = a_story("chess", topics=(Topic(id="20000822", label="chess"),))
    seen = [
        (Event(reader=ADA, kind=kind, at=NOON + n * HOUR, id=n, story=chess.id), chess)
        for n, kind in enumerate(("opened", "more", "saved", "opened"), 1)
    ]
    whole, ends = fold(Reader(id=ADA), seen), fold(Reader(id=ADA), [seen[0], seen[3]])
    undo = (Event(reader=ADA, kind="undo", at=NOON + DAY, id=5, target=2, through=3), None)
    assert fold(Reader(id=ADA), [*seen, undo]) == ends
    again = (Event(reader=ADA, kind="undo", at=NOON + DAY, id=6, target=5), None)
    assert fold(Reader(id=ADA), [*seen, undo, again]) == whole
    rows = signals([*seen, undo], Reader(id=ADA))
    assert [row.undone_by is not None for row in rows] == [False, True, True, False]
    assert rows[0].words == "You opened"
    assert rows[0].story == chess
    topic = next(d for d in rows[3].changes if d.key == ("topic", "20000822"))
    assert (topic.label, topic.before, topic.after) == ("chess", 0.0, pytest.approx(0.2))


def test_a_range_takes_back_only_what_taught_something():
    story = a_story("s", topics=(Topic(id="t", label="t"),))
    pin = Event(reader=ADA, kind="set_weight", at=NOON, id=2, weight=(("topic", "t"), 2.0))
    events = [
        (Event(reader=ADA, kind="more", at=NOON, id=1, story=story.id), story),
        (pin, None),
        (Event(reader=ADA, kind="undo", at=NOON, id=3, target=1, through=2), None),
    ]
    assert fold(Reader(id=ADA), events).weights["topic", "t"].value == 2.0
    assert replace(pin) == pin
