"""Signals of candidates: nothing from the future, what was remembered is gone on from, ranks are ranks."""

import numpy as np
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from broadsheet.stages.signals import CONTENT, CROWD, FAMILIES, Forms, Signals, ordinal, read_request, shares
from tests.stages.test_rank import ARTICLES, a_line, lines


def tables(told, *, prequential=True):
    signals = Signals(ARTICLES, prequential=prequential)
    found = []
    for line in told:
        request = read_request(line)
        found.append(signals.table(request))
        signals.learn(request, line["clicked"])
    return found


@settings(deadline=None, max_examples=30)
@given(past=lines, future=lines, other=lines)
def test_no_signal_knows_the_future(past, future, other):
    ones = tables([*past, *future])[: len(past)]
    others = tables([*past, *other])[: len(past)]
    for one, another in zip(ones, others, strict=True):
        np.testing.assert_array_equal(one, another)


@settings(deadline=None, max_examples=30)
@given(past=lines, then=lines)
def test_who_goes_on_from_a_memory_knows_what_one_knows_who_was_there(past, then):
    there = Signals(ARTICLES, prequential=True)
    for line in past:
        request = read_request(line)
        there.table(request)
        there.learn(request, line["clicked"])
    memory = orjson.loads(orjson.dumps(there.remember()))
    later = Signals(ARTICLES, prequential=True)
    later.recall(memory)
    for n, line in enumerate(then):
        request = read_request(line | {"at": f"2026-08-01T13:{5 * n:02}:00Z"})
        np.testing.assert_allclose(later.table(request), there.table(request), rtol=1e-4, atol=1e-6)
        there.learn(request, line["clicked"])
        later.learn(request, line["clicked"])


def test_a_memory_serves_with_other_articles():
    there = Signals(ARTICLES, prequential=True)
    request = read_request(a_line(history=["a"]))
    there.learn(request, ["b"])
    fewer = Signals(ARTICLES[:1], prequential=True)
    fewer.recall(there.remember())
    table = fewer.table(read_request(a_line(30, history=["a"])))
    assert table[0, fewer.names.index("clicks 3 hours")] > 0
    assert table[1, fewer.names.index("clicks 3 hours")] == 0


def test_what_readers_of_the_same_articles_read_is_near():
    told = [a_line(n, reader=f"r{n}", history=["a"], candidates=["c", "d"], clicked=["c"]) for n in range(0, 9, 3)]
    [*_, table] = tables([*told, a_line(30, reader="new", history=["a"], candidates=["c", "d"], clicked=[])])
    signals = [s.name for s in (*CONTENT, *CROWD)]
    for name in ("together", "together_last", "next", "strength", "standing"):
        assert table[0, signals.index(name)] > table[1, signals.index(name)]


def test_memory_of_a_reader_does_not_grow_with_what_they_are_shown():
    signals = Signals([], prequential=True)
    for n in range(60):
        signals.learn(read_request(a_line(n, candidates=[f"x{n}-{i}" for i in range(50)])), [])
    assert len(signals.readers["r"].seen) == 1000


matrices = arrays.arrays(
    float,
    st.tuples(st.integers(1, 60), st.integers(1, 3)),
    elements=st.sampled_from((0.0, 1.0, 2.5, -3.0, float("nan"))),
)


@given(matrices)
def test_a_rank_is_the_share_of_the_others_that_are_smaller(values):
    found = shares(values)
    for column, ranks in zip(values.T, found.T, strict=True):
        for x, rank in zip(column, ranks, strict=True):
            if np.isnan(x):
                assert np.isnan(rank)
            elif len(column) > 1:
                others = (column < x).sum() + ((column == x).sum() - 1) / 2
                assert np.isclose(rank, others / (len(column) - 1))


def test_every_signal_has_a_fact_and_a_family_and_every_form_a_column():
    assert {s.family for s in (*CONTENT, *CROWD)} == set(FAMILIES)
    forms = Forms((*CONTENT, *CROWD))
    assert forms(np.ones((3, len(CONTENT) + len(CROWD)))).shape == (3, len(forms.columns))
    assert len(set(forms.columns)) == len(forms.columns)


def test_an_id_that_ends_in_a_number_is_in_order_of_it():
    assert ordinal("9778657") < ordinal("9778658")
    assert ordinal("N17") == 17
    for id in ("", "a", "https://example.org/2026/08/01/a-3", "12-13", "9" * 30):  # noqa: A001
        assert np.isnan(ordinal(id))
