"""Learning from people's words: a taste is learned, the rest stays as it was, and what does not help is refused."""

from __future__ import annotations

import json
import logging
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.errors import ConfigError, InputError
from broadsheet.stories import pairs
from broadsheet.stories.cluster import Grouping
from broadsheet.stories.correction import LEARNED, LEAST, Corrected, Correction, Pair, judge, read, rows_of, train
from broadsheet.stories.explain import why_together
from broadsheet.stories.features import FEATURES
from tests.builders import DAY, HOUR, NOON, an_article

PLACES = [
    "Lisbon",
    "Nairobi",
    "Osaka",
    "Tallinn",
    "Quito",
    "Perth",
    "Oslo",
    "Hanoi",
    "Lagos",
    "Bergen",
    "Porto",
    "Cusco",
    "Dakar",
    "Riga",
    "Tunis",
    "Accra",
]
THINGS = [
    "harbour",
    "railway",
    "museum",
    "volcano",
    "shipyard",
    "hospital",
    "harvest",
    "bank",
    "stadium",
    "bridge",
    "tunnel",
    "airport",
    "library",
    "dam",
]
ENDS = ["closed", "flooded", "reopened", "damaged", "sold", "searched", "evacuated", "inspected", "robbed", "repaired"]


def told(event: int, publisher: str, days: float):
    rng = random.Random(event)
    place, thing, end, more = rng.choice(PLACES), rng.choice(THINGS), rng.choice(ENDS), rng.choice(THINGS)
    words = f"The {thing} of {place} was {end} on Monday after engineers found {event + 3} cracks near the {more}"
    own = random.Random(f"{event}{publisher}{days}").sample(THINGS, 3)
    return an_article(
        f"{thing.title()} of {place} {end}",
        f"{words}, officials in {place} said. A second look at the {own[0]}, the {own[1]} and the {own[2]} will follow.",
        url=f"https://example.org/{event}/{publisher}/{days}",
        publisher=publisher,
        published=NOON + event * HOUR + days * DAY,
    )


def said(events, *, follow_ups=False, coin=None):
    """What somebody says of three pairs of each event; `follow_ups`: whether one publisher's next report is the story."""
    found = []
    for n in events:
        first, other, next_day = told(n, "Herald", 0), told(n, "Courier", 0.1), told(n, "Herald", 0.5)
        elsewhere = told(n + 1000, "Courier", 0)
        for one, two, same in (
            (first, other, True),
            (first, next_day, follow_ups),
            (first, elsewhere, False),
        ):
            found.append(Pair(one=one, other=two, same=same if coin is None else coin.random() < 0.5))
    return found


def test_whoever_wants_a_publishers_follow_ups_apart_gets_them_apart_and_the_rest_as_it_was():
    learned = train(said(range(20)))
    assert learned.after.loss < learned.before.loss
    assert learned.after.right > learned.before.right
    assert (learned.together, learned.apart) == (20, 40)
    assert learned.correction.weights["same_publisher"] < 0
    corrected, shipped = Corrected(pairs.packaged(), learned.correction), pairs.packaged()
    unseen = said(range(100, 130))
    rows = rows_of(unseen)
    now, before = corrected.probability(rows), shipped.probability(rows)
    join = Grouping().join
    assert before[1::3].min() > join  # follow-ups were one story
    assert now[1::3].max() < join  # and are no more
    assert now[0::3].mean() > 0.7  # two publishers' reports still are
    assert now[2::3].mean() < 0.2  # other events still are not


def test_words_as_good_as_a_coin_teach_nothing_and_nothing_is_kept():
    with pytest.raises(InputError, match="does not help"):
        train(said(range(40), coin=random.Random(3)))


def test_too_few_words_and_words_of_one_kind_alone_are_refused():
    with pytest.raises(InputError, match="at least 20"):
        train(said(range(5)))
    with pytest.raises(InputError, match="0 apart"):
        train([pair for pair in said(range(40)) if pair.same])
    with pytest.raises(InputError, match="0 pairs"):
        train([])


def test_words_that_all_hang_together_leave_nothing_to_measure_on():
    hub = told(1, "Herald", 0)
    with pytest.raises(InputError, match="hang together"):
        train([Pair(one=hub, other=told(n, "Courier", 0), same=n % 2 == 0) for n in range(2, 40)])


def test_pairs_of_which_nobody_spoke_hold_what_was_learned_to_what_was_judged_before():
    few = [p for p in said(range(20)) if not (p.one.publisher != p.other.publisher and p.same)] + said(range(60, 65))
    quiet = [
        Pair(one=told(n, "Gazette", 0), other=told(n, "Tribune", 0.1), same=True, said=False) for n in range(200, 240)
    ]
    rows, shipped = rows_of(quiet), pairs.packaged()
    alone, held = train(few), train([*few, *quiet])
    assert (alone.left_alone, held.left_alone) == (0, 40)

    def moved(found):
        return np.abs(Corrected(shipped, found.correction).probability(rows) - shipped.probability(rows)).mean()

    assert moved(held) < moved(alone)
    assert "40 pairs of which nobody spoke" in held.sentence()


def test_that_people_speak_where_grouping_errs_is_not_learned_as_if_it_always_did():
    every = said(range(40)) + said(range(300, 340), follow_ups=True)
    judged = pairs.packaged().log_odds(rows_of(every)) > 0
    errors = [p for p, j in zip(every, judged, strict=True) if p.same != j]
    assert len(errors) > LEAST
    right = [p for p, j in zip(every, judged, strict=True) if p.same == j][::12]
    learned = train([*errors, *right])
    assert learned.correction.scale > 0.5  # most words were against the forest, and it is still asked


def test_the_order_of_two_articles_does_not_matter():
    pair = said([3])[1]
    turned = Pair(one=pair.other, other=pair.one, same=pair.same)
    np.testing.assert_array_equal(rows_of([pair]), rows_of([turned]))


rows_drawn = st.lists(
    st.lists(st.floats(-50, 50, width=32) | st.just(float("nan")), min_size=len(FEATURES), max_size=len(FEATURES)),
    min_size=1,
    max_size=4,
).map(lambda rows: np.array(rows, dtype=np.float32))


@settings(max_examples=30, deadline=None)
@given(rows_drawn)
def test_a_correction_that_says_nothing_changes_nothing(rows):
    np.testing.assert_array_equal(
        Corrected(pairs.packaged(), Correction()).log_odds(rows), pairs.packaged().log_odds(rows)
    )


@settings(max_examples=30, deadline=None)
@given(rows_drawn, st.floats(0.2, 3), st.floats(-3, 3), st.lists(st.floats(-2, 2), min_size=7, max_size=7))
def test_its_parts_add_up_to_its_log_odds(rows, scale, shift, weights):
    made = Correction(scale=scale, shift=shift, weights=dict(zip(LEARNED, weights, strict=True)))
    corrected = Corrected(pairs.packaged(), made)
    for row, odds in zip(rows, corrected.log_odds(rows), strict=True):
        begun, added = corrected.contributions(row)
        assert begun + added.sum() == pytest.approx(odds, abs=1e-6)


def test_why_together_is_told_by_the_correction_that_judges():
    corrected = Corrected(pairs.packaged(), Correction(weights={"same_publisher": -1.0}))
    one, _, next_day = told(1, "Herald", 0), told(1, "Courier", 0.1), told(1, "Herald", 0.5)
    before, after = why_together(one, next_day), why_together(one, next_day, forest=corrected)
    points = [{part.subject: part.points for part in t.parts}["publisher"] for t in (before, after)]
    assert points[1] == pytest.approx(points[0] - 2.0)
    assert after.probability < before.probability


def test_what_was_written_is_read_as_it_was_and_judges(tmp_path):
    learned = train(said(range(20)))
    file = tmp_path / "stories.json"
    file.write_text(json.dumps(learned.correction.as_json()))
    assert read(file) == learned.correction
    assert isinstance(judge(str(file)), Corrected)
    assert judge("") is pairs.packaged()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "no", '{"format": "broadsheet stories 1", "weights": {"x": 1}, "scale": 1, "shift": 0}',
     '{"format": "broadsheet stories 1", "weights": {}, "scale": "nan", "shift": 0, "forest": ""}'],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path, text):
    file = tmp_path / "stories.json"
    file.write_text(text)
    with pytest.raises(ConfigError):
        judge(str(file))
    with pytest.raises(ConfigError, match="can't be read"):
        judge(str(tmp_path / "none.json"))


def test_a_correction_of_another_forest_is_left_out_with_a_warning(tmp_path, caplog):
    file = tmp_path / "stories.json"
    file.write_text(json.dumps(Correction(shift=5.0, forest="of old").as_json()))
    with caplog.at_level(logging.WARNING, "broadsheet"):
        assert judge(str(file)) is pairs.packaged()
    assert "another version" in caplog.text
