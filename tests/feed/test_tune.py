"""Sliders: what they mean, what a link may say, and that a preview is what is got."""

from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.errors import InputError
from broadsheet.feed import tune
from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.score import SCORERS
from broadsheet.model import Entity, Event
from broadsheet.readers.profile import learn
from tests.builders import NOON, a_reader, a_story
from tests.feed.strategies import situations

law = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
sliders = st.dictionaries(st.sampled_from(tune.NAMES), st.integers(0, 60).map(lambda n: round(n * tune.STEP, 2)))


def a_feed(reader, stories):
    return build_feed(reader, Edition.of(stories, NOON), STANDARD, NOON, np.random.default_rng(2))


@law
@given(situations(), sliders)
def test_what_was_previewed_is_what_is_got(situation, values):
    stories, reader = situation
    values = tune.read_values([(k, str(v)) for k, v in values.items()], tune.values_of(reader))
    taken = Event(reader=reader.id, kind="settings", at=NOON, settings={"tuning": tune.tuned(reader, values)})
    assert a_feed(learn(reader, taken, None), stories) == a_feed(tune.as_tuned(reader, values), stories)
    assert tune.values_of(tune.as_tuned(reader, values)) == values


@law
@given(sliders)
def test_a_link_means_the_same_to_whoever_follows_it(values):
    asked = parse_qsl(tune.link(values, "My own"))
    assert asked[0] == ("name", "My own")
    whole = {name: values.get(name, 1.0) for name in tune.NAMES}
    assert tune.read_values(asked[1:], {"freshness": 0.3}) == whole
    assert len(tune.link(dict.fromkeys(tune.NAMES, 1.25), "x" * 40)) < tune.LONGEST


@pytest.mark.parametrize(
    "given_",
    [
        [("freshness", "4")], [("freshness", "-1")], [("freshness", "nan")], [("freshness", "inf")],
        [("freshness", "1" * 400)], [("freshness", "")], [("freshness", "1"), ("freshness", "2")],
        [("tuning", "1")], [("__class__", "1")],
    ],
)  # fmt: skip
def test_a_link_that_says_anything_else_is_refused_with_a_sentence(given_):
    with pytest.raises(InputError, match=r"slider|lies between"):
        tune.read_values(given_, {})


@law
@given(situations(), sliders)
def test_what_enters_leaves_moves_and_stays_is_the_whole_of_both_pages(situation, values):
    stories, reader = situation
    before, after = a_feed(reader, stories), a_feed(tune.as_tuned(reader, values), stories)
    found = tune.compare(before, after)
    old, new = [i.story for i in before.items], [i.story for i in after.items]
    assert len(found.entered) + len(found.moved) + found.stayed == len(new)
    assert len(found.left) + len(found.moved) + found.stayed == len(old)
    assert all(old.index(s) - new.index(s) == up for s, up in found.moved.items())
    assert found.is_none is (old == new)


def test_every_slider_and_every_preset_is_of_signals_that_there_are():
    known = {*(scorer.signal for scorer in SCORERS.values()), "diversity"}
    assert {signal for slider in tune.SLIDERS for signal in slider.signals} <= known
    for preset in tune.PRESETS:
        assert tune.read_values([(k, f"{v:g}") for k, v in preset.values.items()], {}) == tune.sliders_of(preset.values)


def test_what_is_near_comes_first_when_asked_for_and_can_be_taken_back_where_it_is_told():
    near = a_story("bridge", entities=(Entity(text="Lyon", type="place"),))
    far = a_story("vote", publishers=("A", "B", "C"), independent=3)
    reader = a_reader(home=("lyon",))
    assert [i.story for i in a_feed(a_reader(), [near, far]).items] == [far.id, near.id]
    item = a_feed(reader, [near, far]).items[0]
    assert item.story == near.id
    reason = next(r for r in item.reasons if r.signal == "local")
    assert reason.fact == "it is about lyon, which is near you"
    event = Event(reader=reader.id, kind="settings", at=NOON, settings=reason.repair.settings)
    assert learn(reader, event, None).home == ()
