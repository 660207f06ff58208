"""A reader's file comes from a stranger: it is believed only where it is in order, and then it is one event."""

import contextlib
import copy
from datetime import timedelta

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.errors import InputError
from broadsheet.model import Event, Follow, Mute, Reader, ReaderId, Weight, bytes_of
from broadsheet.readers.moving import FORMAT, MOST, merged, read_export
from broadsheet.readers.profile import fold, learn
from tests.builders import DAY, NOON, a_reader
from tests.feed.strategies import readers

law = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
MONTH = timedelta(days=30)
FILE = {
    "format": FORMAT,
    "reader": {
        "name": "Ada",
        "follows": [{"kind": "topic", "value": "20000822", "label": "chess", "since": NOON.isoformat()}],
        "mutes": [{"kind": "person", "value": "Kim", "label": "Kim", "until": None}],
        "weights": [{"kind": "topic", "of": "20000822", "value": 1.5, "at": NOON.isoformat(), "label": "chess", "pinned": False,
                     "since": None, "came_from": {"more": 2}}],
        "interest": np.ones(4, "<f2").tobytes().hex(), "interest_mass": 2.0, "interest_at": NOON.isoformat(),
        "saved": ["0123456789abcdef"], "opened": {"0123456789abcdef": NOON.isoformat()},
        "subscriptions": [{"url": "https://one.example/rss", "title": "One", "folder": ""}],
    },
}  # fmt: skip


def as_event(file, at=NOON):
    payload = orjson.loads(orjson.dumps(read_export(file).profile))
    return Event(reader=ReaderId("eve"), kind="import", at=at, settings=payload, id=1)


def as_file(reader):
    """What `Readers.export` writes of a reader, after it went through JSON."""
    kept = {
        "follows": [{"kind": f.kind, "value": f.value, "label": f.label, "since": f.since} for f in reader.follows],
        "mutes": [{"kind": m.kind, "value": m.value, "label": m.label, "until": m.until} for m in reader.mutes],
        "weights": [{"kind": k[0], "of": k[1], "value": w.value, "at": w.at, "pinned": w.pinned} for k, w in reader.weights.items()],
        "interest": reader.interest.hex(), "interest_mass": reader.interest_mass, "languages": reader.languages,
        "tuning": reader.tuning, "home": reader.home,
    }  # fmt: skip
    return orjson.loads(orjson.dumps({"format": FORMAT, "reader": kept}))


@law
@given(readers())
def test_a_reader_who_moves_is_the_same_reader_there(reader):
    there = learn(a_reader("Eve"), as_event(as_file(reader)), None)
    known = {(m.kind, m.value.casefold()) for m in reader.mutes}
    assert {(f.kind, f.value) for f in there.follows} == {(f.kind, f.value) for f in reader.follows}
    assert {(m.kind, m.value.casefold()) for m in there.mutes} == known
    assert {k: (w.value, w.at, w.pinned) for k, w in there.weights.items()} == {
        k: (w.value, w.at, w.pinned) for k, w in reader.weights.items()
    }
    assert (there.interest, there.interest_mass) == (reader.interest, reader.interest_mass)
    assert (there.languages, there.home) == (reader.languages, reader.home)
    assert there.tuning == dict(reader.tuning)


def test_what_is_brought_can_be_undone_and_is_kept_when_something_else_is():
    event = as_event(FILE)
    follow = Event(reader=ReaderId("eve"), kind="follow", at=NOON, id=2, follow=Follow(kind="keyword", value="x"))
    undo = Event(reader=ReaderId("eve"), kind="undo", at=NOON, id=3, target=2)
    eve = a_reader("Eve")
    brought = fold(eve, [(event, None), (follow, None), (undo, None)])
    assert [f.value for f in brought.follows] == ["20000822"]
    assert brought.weights["topic", "20000822"].came_from == {"more": 2}
    back = Event(reader=ReaderId("eve"), kind="undo", at=NOON, id=4, target=1)
    assert fold(eve, [(event, None), (back, None)]) == eve


def test_what_was_learned_or_set_here_since_is_not_overwritten_by_what_is_older():
    key, other = ("topic", "20000822"), ("topic", "war")
    newer = Weight(value=-1.0, at=NOON + DAY)
    eve = a_reader("Eve", weights={key: newer, other: Weight(value=0.5, at=NOON)})
    there = merged(eve, read_export(FILE).profile, NOON + 2 * DAY, MONTH)
    assert there.weights[key] == newer
    pinned = a_reader("Eve", weights={key: Weight(value=-2.0, at=NOON - DAY, pinned=True)})
    assert merged(pinned, read_export(FILE).profile, NOON + 2 * DAY, MONTH).weights[key].value == -2.0


def test_two_interests_join_by_how_much_reading_stands_behind_each():
    eve = a_reader("Eve", interest=bytes_of(np.zeros(4)), interest_mass=2.0, interest_at=NOON)
    there = merged(eve, read_export(FILE).profile, NOON, MONTH)
    assert there.interest == bytes_of(np.full(4, 0.5))
    assert there.interest_mass == 4.0
    other = a_reader("Eve", interest=bytes_of(np.zeros(7)), interest_mass=1.0, interest_at=NOON)
    assert merged(other, read_export(FILE).profile, NOON, MONTH).interest == other.interest


def test_a_time_from_the_future_is_no_later_than_now():
    file = copy.deepcopy(FILE)
    file["reader"]["weights"][0]["at"] = (NOON + 900 * DAY).isoformat()
    assert merged(a_reader(), read_export(file).profile, NOON, MONTH).weights["topic", "20000822"].at == NOON


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("format",), "something else 1", "no file of a reader"),
        (("reader",), [], "no reader in it"),
        (("reader", "follows"), {"a": 1}, "follows must be a list"),
        (("reader", "follows"), [{}] * (MOST["follows"] + 1), "at most 1,000"),
        (("reader", "follows", 0, "kind"), "planet", r"follows\[0\].kind must be one of"),
        (("reader", "follows", 0, "value"), "x" * 201, r"follows\[0\].value must be text"),
        (("reader", "follows", 0, "since"), "yesterday", r"follows\[0\].since must be a time"),
        (("reader", "follows", 0, "since"), "2026-08-01T12:00:00", "with its zone"),
        (("reader", "mutes", 0), 7, r"mutes\[0\] must be an object"),
        (("reader", "weights", 0, "value"), 1e9, r"weights\[0\].value must be a number from -3 to 3"),
        (("reader", "weights", 0, "value"), float("nan"), r"weights\[0\].value must be a number"),
        (("reader", "weights", 0, "value"), True, r"weights\[0\].value must be a number"),
        (("reader", "weights", 0, "at"), None, r"weights\[0\].at needs a time"),
        (("reader", "weights", 0, "came_from"), {"<b>": 1}, r"weights\[0\].came_from"),
        (("reader", "interest"), "zz", "interest must be a vector"),
        (("reader", "interest"), "00" * 9000, "interest must be a vector"),
        (("reader", "interest"), "007c", "interest must be a vector"),  # infinite
        (("reader", "interest_mass"), 1e300, "interest_mass must be a number"),
        (("reader", "saved", 0), "../../etc/passwd", r"saved\[0\] must be a story's id"),
        (("reader", "opened"), {"x": NOON.isoformat()}, "must be a story's id"),
        (("reader", "tuning"), {"freshness": 99}, "tuning"),
        (("reader", "budget"), {"country": 2}, "budget"),
        (("reader", "presets"), {"x" * 90: {}}, "presets"),
        (("reader", "subscriptions", 0, "url"), "file:///etc/passwd", r"subscriptions\[0\].url must be an address"),
        (("reader", "subscriptions", 0, "url"), "javascript:alert(1)", r"subscriptions\[0\].url must be an address"),
    ],
)
def test_the_first_thing_that_is_wrong_is_named(path, value, says):
    file = copy.deepcopy(FILE)
    inner = file
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(InputError, match=says):
        read_export(file)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@law
@given(st.sampled_from(sorted(FILE["reader"])), json_values)
def test_whatever_a_file_holds_it_is_read_or_refused_with_a_sentence(name, value):
    file = copy.deepcopy(FILE)
    file["reader"][name] = value
    brought = None
    with contextlib.suppress(InputError):  # any other error fails the test
        brought = read_export(file)
    if brought is None:
        return
    there = merged(a_reader(), orjson.loads(orjson.dumps(brought.profile)), NOON, MONTH)
    assert all(-3 <= w.value <= 3 for w in there.weights.values())
    assert isinstance(there, Reader)
    assert Mute(kind="person", value="Kim", label="Kim") in there.mutes or name == "mutes"
