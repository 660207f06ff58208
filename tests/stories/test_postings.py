"""Packed or loose, merged or forgotten: a term is held by the rows that were said to hold it."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.stories import postings
from broadsheet.stories.postings import Postings

some_rows = st.lists(st.lists(st.integers(0, 12), max_size=5, unique=True), max_size=60)
EVERY = 1 << 30


def half(number: int) -> float:
    """Weights are kept in half precision."""
    return float(np.float16(1 / (1 + number)))


def held(index: Postings, term: int, longest: int = EVERY) -> dict[int, float]:
    rows, scores = index.read(np.array([term], np.int32), np.array([2.0], np.float32), longest, EVERY)
    return dict(zip(rows.tolist(), scores.tolist(), strict=True))


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "LOOSE", 4)
    monkeypatch.setattr(postings, "MOST", 16)


@settings(max_examples=100, deadline=None)
@given(some_rows, st.integers(1, 70), st.integers(0, 15))
def test_each_term_is_held_by_its_latest_rows(rows: list[list[int]], longest: int, forgotten: int) -> None:
    index, known = Postings(), defaultdict(dict)
    for row, terms in enumerate(rows):
        index.add(np.array(terms, np.int32), np.array([half(row)] * len(terms), np.float32))
        for term in terms:
            known[term][row] = 2 * half(row)
    rows_gone = min(4 * forgotten, len(rows) // 4 * 4)
    index.forget(rows_gone)
    assert len(index) == len(rows) - rows_gone
    for term in range(13):
        stays = {row - rows_gone: score for row, score in known[term].items() if row >= rows_gone}
        assert held(index, term) == stays
        latest = dict(sorted(stays.items())[-longest:])
        assert held(index, term, longest) == latest


@settings(max_examples=50, deadline=None)
@given(some_rows, st.integers(1, 40))
def test_no_further_term_is_read_once_enough_rows_were(rows: list[list[int]], most: int) -> None:
    index = Postings()
    for terms in rows:
        index.add(np.array(terms, np.int32), np.ones(len(terms), np.float32))
    asked = np.arange(13, dtype=np.int32)
    read, _ = index.read(asked, np.ones(13, np.float32), EVERY, most)
    sizes = [sum(term in terms for terms in rows) for term in range(13)]
    before = [sum(sizes[:n]) for n in range(13)]
    assert len(read) == sum(size for size, so_far in zip(sizes, before, strict=True) if so_far < most)


def test_a_term_of_one_row_in_a_thousand_weighs_little() -> None:
    index = Postings()
    rng = np.random.default_rng(1)
    for _ in range(1000):
        terms = rng.choice(1 << 21, 30, replace=False).astype(np.int32)
        index.add(terms, np.ones(30, np.float32))
    packed = sum(a.nbytes for run in index._runs for a in (run.terms, run.starts, run.held, run.weights))
    assert packed <= 30_000 * (2 + 2 + 4 + 4) + 100 * len(index._runs)


@settings(max_examples=60, deadline=None)
@given(some_rows, st.lists(st.lists(st.integers(0, 12), max_size=5, unique=True), min_size=1, max_size=6), st.data())
def test_rows_that_come_together_find_what_each_would_have_found_before_the_next_came(before, coming, data) -> None:
    def arrays(terms: list[int]) -> tuple[np.ndarray, np.ndarray]:
        return np.array(terms, np.int32), np.array([half(term) for term in terms], np.float32)

    longest, most = data.draw(st.tuples(st.integers(1, 20), st.integers(1, 40)))
    gone = data.draw(st.integers(0, len(before)))
    one_by_one, together = Postings(), Postings()
    for index in (one_by_one, together):
        for terms in before:
            index.add(*arrays(terms))
        index.forget(gone)
    expected = []
    for terms in coming:
        rows, scores = one_by_one.read(*arrays(terms), longest, most)
        expected.append(sorted(zip(rows.tolist(), scores.tolist(), strict=True)))
        one_by_one.add(*arrays(terms))
    sizes = [len(terms) for terms in coming]
    terms, weights = arrays([term for some in coming for term in some])
    begin = len(together)
    together.add_all(terms, weights, sizes)
    each = together.each(terms, weights, sizes, range(begin, begin + len(sizes)), longest, most)
    found = [sorted(zip(rows.tolist(), scores.tolist(), strict=True)) for rows, scores in each]
    assert found == expected
