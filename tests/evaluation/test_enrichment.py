"""The trained head of the topics' evaluation learns from what it is given and from nothing else."""

from __future__ import annotations

import numpy as np

from broadsheet.evaluation.enrichment import _fitted, score_trained
from tests.builders import an_article

SPORT = ["The striker scored twice", "The coach praised the goalkeeper", "A late goal won the match", "The team won the cup final"]  # fmt: skip
MONEY = ["Shares fell on the stock market", "The bank raised its rates", "Profits at the company rose", "Investors sold their bonds"]  # fmt: skip


def test_a_softmax_regression_tells_apart_what_a_line_can_part() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(200, 3)).astype(np.float32)
    labels = (points[:, 0] + 2 * points[:, 1] > 0).astype(np.intp)
    weights = _fitted(points, labels, 2)
    guessed = (points @ weights[:-1] + weights[-1]).argmax(axis=1)
    assert (guessed == labels).mean() > 0.97


def test_the_trained_row_learns_the_labels_of_its_set_whatever_they_are_called() -> None:
    train = [(an_article(text, text), "7") for text in SPORT] + [(an_article(text, text), "8") for text in MONEY]
    test = [
        (an_article("The goalkeeper saved the match", "The team won."), "7"),
        (an_article("The market fell as the bank cut its rates", "Shares fell."), "8"),
    ]
    assert score_trained(train, test).figures["first right"] == 1.0
    swapped = [(article, {"7": "8", "8": "7"}[label]) for article, label in train]
    assert score_trained(swapped, test).figures["first right"] == 0.0
