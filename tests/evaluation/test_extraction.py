"""The measures of extraction measure what they say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.errors import InputError
from broadsheet.evaluation.extraction import evaluate, half_of, shingle_figures, states_day, word_scores

words = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), min_size=1, max_size=30).map(" ".join)


@given(words)
def test_the_gold_text_itself_is_perfect(text: str) -> None:
    assert word_scores(text, text) == (1.0, 1.0, 1.0)
    assert shingle_figures([(text, text)])["f1"] == 1.0


@given(words, words)
def test_precision_and_recall_change_places_with_their_texts(gold: str, found: str) -> None:
    precision, recall, f1 = word_scores(gold, found)
    assert word_scores(found, gold) == (recall, precision, f1)


def test_the_figures_are_those_done_by_hand() -> None:
    assert word_scores("a b c d", "a b x") == pytest.approx((2 / 3, 0.5, 4 / 7))
    figures = shingle_figures([("a b c d e", "a b c d"), ("a b c d", "")])
    assert figures["precision"] == 1.0, "a page where nothing was found has no precision"
    assert figures["recall"] == 0.25


def test_the_halves_are_about_even_and_stay_as_they_are() -> None:
    halves = [half_of(f"{n:04}") for n in range(1000)]
    assert 450 < halves.count("dev") < 550
    assert half_of("0001") == halves[1]


def test_a_day_counts_as_stated_in_any_form_and_only_where_it_is() -> None:
    day = date(2026, 3, 4)
    forms = ["2026-03-04T10:00", "3/4/26", "04.03.2026", "March 4th, 2026", "4 mars 2026", "2026年3月4日", "/20260304/"]
    assert all(states_day(f"<p>{form}</p>", day) for form in forms)
    assert not any(
        states_day(f"<p>{form}</p>", day) for form in ["2026-03-14", "13/4/2026", "March 2026", "4 March 2025"]
    )


def test_a_path_that_is_no_set_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither"):
        evaluate(tmp_path)
