"""The novelty measures, and that the labels are still where they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from broadsheet.articles.passages import passages
from broadsheet.evaluation import novelty


def test_precision_recall_and_f_are_those_of_the_sets():
    given, new = np.array([True, True, False, False]), np.array([True, False, True, True])
    assert novelty.scores(given, new) == (0.5, 1 / 3, 0.4)
    assert novelty.scores(np.zeros(2, bool), np.array([True, True])) == (0.0, 0.0, 0.0)


def test_an_order_is_best_when_the_news_of_the_event_leads():
    labels = np.array([0, 2, 1])
    assert novelty.ndcg(np.array([1.0, 3.0, 2.0]), labels) == 1.0
    assert novelty.ndcg(np.array([3.0, 1.0, 2.0]), labels) < novelty.ndcg(np.array([2.0, 3.0, 1.0]), labels) < 1.0
    assert novelty.average_precision(np.array([3.0, 2.0, 1.0]), labels > 0) == (1 / 2 + 2 / 3) / 2


def test_labels_are_of_whole_sentences_and_no_event_is_in_both_halves(data: Path):
    cases = novelty.cases(data)
    assert sum(len(c.labels) for c in cases) == 626
    for case in cases:
        assert set(case.labels) <= {(p.start, p.end) for p in passages(case.unread)}
        assert set(case.labels.values()) <= {0, 1, 2}
    halves = {h: {a.id for c in cases if c.half == h for a in (*c.read, c.unread)} for h in ("dev", "test")}
    assert not halves["dev"] & halves["test"]


def test_on_events_that_nothing_was_fitted_to_the_news_is_told_better_than_by_the_simple_ways(data: Path):
    rows = {row.name: row.figures for row in novelty.evaluate(data).rows}
    ours = rows["test: broadsheet"]
    assert ours["f1"] > 0.79
    assert ours["ap"] > 0.80
    for other in novelty.BASELINES:
        assert ours["ap"] > rows[f"test: {other}"]["ap"]
        assert ours["ndcg"] > rows[f"test: {other}"]["ndcg"]
