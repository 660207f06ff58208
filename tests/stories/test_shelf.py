"""A sketch comes back from the shelf as it was put there."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.model import Article, ArticleId, bytes_of
from broadsheet.stories.features import Rarity, Sketch, sketch
from broadsheet.stories.shelf import PACK, Shelf
from tests.builders import NOON

WORDS = [
    "Athens",
    "Berlin",
    "council",
    "harvest",
    "42",
    "strike",
    "vote",
    "minister",
    "flood",
    "über",
    "1,200",
    "court",
]


def same(one: Sketch, other: Sketch) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=not isinstance(a, str)) if a is not b else True
        for a, b in zip(one, other, strict=True)
    )


def an_article(number: int, words: list[str], vector: bool, dated: bool) -> Article:
    text = " ".join(words)
    return Article(
        id=ArticleId(f"a{number}"),
        url="",
        title=text[:40],
        text=text,
        publisher="Über Paper" if number % 3 else "",
        published=NOON + timedelta(minutes=number) if dated else None,
        vector=bytes_of(np.arange(1, 9, dtype=np.float32) * (number + 1)) if vector else b"",
        fingerprint=bytes(range(16)) * 16 if len(words) > 60 else b"",
    )


some_words = st.lists(st.sampled_from(WORDS), max_size=90)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(some_words, st.booleans(), st.booleans()), min_size=1, max_size=30), st.integers(0, 3))
def test_sketches_come_back_as_they_were(given_: list[tuple[list[str], bool, bool]], packs: int) -> None:
    table, shelf = Rarity.packaged(), Shelf()
    kinds = [sketch(an_article(i, *one), table) for i, one in enumerate(given_)]
    put = [kinds[i % len(kinds)]._replace(id=ArticleId(f"a{i}")) for i in range(packs * PACK + len(kinds))]
    for one in put:
        shelf.append(one)
    assert len(shelf) == len(put)
    assert all(same(a, b) for a, b in zip(shelf, put, strict=True))
    for row in {0, len(put) // 2, len(put) - 1}:
        assert shelf.id(row) == put[row].id
        assert np.array_equal(shelf.when[row], put[row].when, equal_nan=True)
        assert np.array_equal(shelf.fingerprint(row), put[row].fingerprint)
