"""The measures of timelines say what they mean, on timelines small enough to count by hand."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.errors import InputError
from broadsheet.evaluation.rouge import grams, overlap, stem, tokens
from broadsheet.evaluation.timelines import (
    Written,
    aligned,
    alignment,
    compare,
    date_score,
    measured,
    read,
    read_written,
    together,
)

FIRST, SECOND, FOURTH = date(2010, 1, 1), date(2010, 1, 2), date(2010, 1, 4)
PERSON = {FIRST: ("Rebels seized ports.",), FOURTH: ("Ministers fled abroad.",)}

timelines = st.dictionaries(
    st.dates(date(2010, 1, 1), date(2010, 2, 1)),
    st.lists(
        st.sampled_from(["Rebels seized ports.", "Ministers fled abroad.", "Oil prices doubled.", "Envoys met."]),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=6,
)


@given(st.lists(st.dates(date(2010, 1, 1), date(2010, 2, 1)), min_size=1, max_size=6, unique=True))
def test_a_timeline_of_different_days_agrees_with_itself_wholly(dates):
    said = ["Rebels seized ports.", "Ministers fled abroad.", "Oil prices doubled.", "Envoys met kings.", "Rain fell."]
    days = {when: (said[n],) for n, when in enumerate(dates[:5])}
    assert date_score(days, days).f == 1
    assert [score.f for score in aligned(days, days, 1, 2)] == [pytest.approx(1), pytest.approx(1)]


@given(timelines, timelines)
def test_precision_and_recall_change_places_with_the_sides_and_stay_within_bounds(found, person):
    (there,), (back,) = aligned(found, person, 1), aligned(person, found, 1)
    assert (there.precision, there.recall) == (pytest.approx(back.recall), pytest.approx(back.precision))
    assert 0 <= there.f <= 1


def test_the_same_words_a_day_off_count_half():
    found = {SECOND: ("Rebels seized ports.",), FOURTH: ("Ministers fled abroad.",)}
    (score,) = aligned(found, PERSON, 1)
    assert score.precision == pytest.approx((3 / 2 + 3) / 6)
    assert score.recall == pytest.approx((3 / 2 + 3) / 6)
    assert date_score(found, PERSON).f == pytest.approx(0.5)


def test_many_dates_may_be_held_against_one_and_words_draw_them():
    found = {date(2010, 1, 3): ("Rebels seized ports.",), SECOND: ("Rebels seized ports.",)}
    ours, theirs = alignment(found, PERSON)
    assert ours == [
        (SECOND, FIRST),
        (date(2010, 1, 3), FIRST),
    ]  # the third is nearer to the fourth, but says what the first does
    assert theirs == [(SECOND, FIRST), (date(2010, 1, 3), FOURTH)]


def test_nothing_found_scores_nothing():
    assert compare({}, Written("x", PERSON)).ar1.f == 0
    assert date_score({}, PERSON).f == 0


def test_a_mean_over_timelines_is_the_f_of_mean_precision_and_recall():
    half = compare({FIRST: PERSON[FIRST]}, Written("a", PERSON))
    whole = compare(PERSON, Written("b", PERSON))
    figures = together([half, whole])
    assert figures["dates_precision"] == 1
    assert figures["dates_recall"] == 0.75
    assert figures["dates_f"] == pytest.approx(6 / 7)
    assert figures["dates_mean_f"] == pytest.approx((2 / 3 + 1) / 2)


def test_words_are_stemmed_and_small_ones_left_out():
    assert tokens("The protesters' protests were n't peaceful , he said .") == tokens("protester protest peaceful said")
    counts = overlap(grams(["Oil prices doubled"], 2), grams(["The oil price doubles."], 2))
    assert (counts.shared, counts.system, counts.person) == (2, 2, 2)


@pytest.mark.parametrize(
    ("word", "stemmed"),
    # the examples of the paper, one for each kind of rule
    [("caresses", "caress"), ("ponies", "poni"), ("agreed", "agre"), ("plastered", "plaster"), ("motoring", "motor"), ("conflated", "conflat"),
     ("hopping", "hop"), ("falling", "fall"), ("filing", "file"), ("happy", "happi"), ("sky", "sky"), ("relational", "relat"),
     ("vietnamization", "vietnam"), ("formaliti", "formal"), ("triplicate", "triplic"), ("goodness", "good"), ("adjustment", "adjust"),
     ("adoption", "adopt"), ("probate", "probat"), ("cease", "ceas"), ("controll", "control"), ("roll", "roll")],
)  # fmt: skip
def test_porters_examples_have_porters_stems(word, stemmed):
    assert stem(word) == stemmed


def test_a_date_that_comes_twice_in_a_written_timeline_is_one():
    written = read_written("2010-01-01\nA\nB\n----------\n2010-01-02\nC\n----------\n2010-01-01\nD\n", "x")
    assert written.days == {FIRST: ("A", "B", "D"), SECOND: ("C",)}
    assert (written.length, written.sentences) == (2, 2)


def test_a_folder_without_timelines_says_so(tmp_path):
    with pytest.raises(InputError, match="no timelines"):
        read(tmp_path)


def test_each_timeline_is_made_from_the_articles_of_its_span_alone(data):
    topics = read(data / "timelines")
    assert [t.name for t in topics] == ["egypt", "finan", "h1n1", "haiti", "iraq", "libya", "mj", "syria"]
    assert sum(len(t.written) for t in topics) == 14

    def copy(topic, articles, written):
        assert all(min(written.days) <= a.published.date() <= max(written.days) for a in articles)
        return written.days

    assert together(measured([t for t in topics if t.name in ("haiti", "mj")], copy))["ar2_f"] == pytest.approx(1)
