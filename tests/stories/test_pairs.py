"""The packaged forest, run by numpy, says what the library that fits such forests says."""

from __future__ import annotations

import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from broadsheet.stories.features import FEATURES
from broadsheet.stories.pairs import Forest, packaged

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def fitted():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import train_stories
    finally:
        sys.path.pop(0)
    rng = np.random.default_rng(3)
    rows = rng.random((3000, len(FEATURES))).astype(np.float32)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows[:, 2] = np.nan_to_num(rows[:, 2])  # one column never misses
    same = (np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, 6]) + 0.3 * rng.random(3000)) > 1.1
    booster = train_stories.fit(rows, same, trees=20)
    return booster, Forest(train_stories.as_arrays(booster)), rows


def test_it_gives_the_probabilities_of_the_library(fitted):
    booster, forest, rows = fitted
    assert isinstance(booster, lightgbm.Booster)
    np.testing.assert_allclose(forest.probability(rows), booster.predict(rows, num_threads=1), atol=1e-5)


def test_a_value_missing_where_none_was_missing_before_reads_as_in_the_library(fitted):
    booster, forest, rows = fitted
    missing = rows[:200].copy()
    missing[:, 2] = np.nan
    np.testing.assert_allclose(forest.probability(missing), booster.predict(missing, num_threads=1), atol=1e-5)


def test_many_pairs_are_judged_as_each_alone(fitted):
    _, forest, rows = fitted
    together = forest.log_odds(rows[:150])
    assert together.tolist() == [forest.log_odds(rows[n : n + 1])[0] for n in range(150)]


def test_a_tree_of_too_many_leaves_is_refused():
    leaves, inner = 33, 32  # each question leads to a leaf or to the next question
    left = [*range(inner, inner + inner), *range(inner, inner + leaves)]
    right = [*range(1, inner), inner + inner, *range(inner, inner + leaves)]
    many = inner + leaves
    arrays = {
        "feature": np.zeros(many, dtype=np.uint8),
        "threshold": np.arange(many, dtype=float),
        "left": np.array(left),
        "right": np.array(right),
        "default": np.ones(many, dtype=bool),
        "value": np.zeros(many),
        "roots": np.array([0]),
    }
    with pytest.raises(ValueError, match="32 leaves"):
        Forest(arrays)


def test_no_pairs_have_no_probabilities():
    assert packaged().probability(np.zeros((0, len(FEATURES)), dtype=np.float32)).shape == (0,)


def test_more_alike_is_never_less_likely():
    row = np.array([[0.2, 0.2, 0.2, np.nan, 0.2, 0.1, 0.4, 1.0, 0, 3, 6, 20, 10, 5, 6, 6, 4, 1.0]], dtype=np.float32)
    grid = np.repeat(row, 9, axis=0)
    for name in ("body", "title", "vector"):
        rising = grid.copy()
        rising[:, FEATURES.index(name)] = np.linspace(0.1, 0.9, 9)
        assert (np.diff(packaged().probability(rising)) >= -1e-9).all()
    later = grid.copy()
    later[:, FEATURES.index("days")] = later[:, FEATURES.index("span")] = np.arange(9)
    assert (np.diff(packaged().probability(later)) <= 1e-9).all()


def test_a_value_at_a_threshold_or_without_end_goes_where_the_tree_sends_it():
    forest, rng = packaged(), np.random.default_rng(5)
    feature, threshold = (np.array(part) for part in forest._branches[:2])
    odd = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, 3e38], dtype=np.float32)
    rows = rng.choice(odd, (60, len(FEATURES)))
    for column in range(len(FEATURES)):
        at = rng.choice(np.append(threshold[feature == column], 0.0), 40).astype(np.float32)
        rows[:40, column] = np.where(rng.random(40) < 0.3, rows[:40, column], at)
    for row, odds in zip(rows, forest.log_odds(rows), strict=True):
        begun, added = forest.contributions(row)
        assert begun + added.sum() == pytest.approx(odds, abs=1e-9)
