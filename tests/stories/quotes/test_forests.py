"""The forests of quotes, asked in blocks, say what the reader of forests with missing values says."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from broadsheet.stories import pairs
from broadsheet.stories.quotes.forests import Forest, packaged
from broadsheet.stories.quotes.reported import CUE, END, REPORT, SOURCE, START
from broadsheet.stories.quotes.speakers import OWNED, PAIR, QUOTE

WIDTHS = {
    "speaker": len(PAIR) + len(QUOTE),
    "owned": len(OWNED),
    "cue": len(CUE),
    "start": len(START),
    "end": len(END),
    "source": len(SOURCE),
    "report": len(REPORT),
}


@pytest.mark.parametrize("name", WIDTHS)
def test_every_packaged_forest_says_the_same_either_way(name: str) -> None:
    path = resources.files("broadsheet.stories") / "data" / "quotes.npz"
    with resources.as_file(path) as file, np.load(file) as arrays:
        parts = {n.partition(".")[2]: arrays[n] for n in arrays.files if n.startswith(f"{name}.")}
    assert parts["feature"].max() < WIDTHS[name]
    rows = np.random.default_rng(1).uniform(-9, 40, (150, WIDTHS[name])).astype(np.float32)
    expected = pairs.Forest(parts).probability(rows)
    np.testing.assert_allclose(Forest(parts).probability(rows), expected, atol=1e-12)
    forest: Forest = getattr(packaged(), name)
    np.testing.assert_allclose(forest.probability(rows[:3]), expected[:3], atol=1e-12)
    assert forest.probability(rows[:0]).shape == (0,)
