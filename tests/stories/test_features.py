"""Sketches and the features of a pair."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.model import bytes_of
from broadsheet.stories.features import (
    _NAME,
    FEATURES,
    LONG,
    MIXED,
    MOST,
    NUMBER,
    SPACE,
    STEM,
    STEM_BITS,
    Comparer,
    Rarity,
    blend,
    blends,
    codes,
    named,
    names,
    sketch,
    sketches,
    slots_of,
    words,
)
from tests.builders import DAY, NOON, an_article

COMPARER = Comparer()


def compared(a, b, density=10.0):
    rarity = Rarity.packaged()
    mine, other = sketch(a, rarity, learn=False), sketch(b, rarity, learn=False)
    return dict(zip(FEATURES, COMPARER.compare(mine, [other], density)[0].tolist(), strict=True))


def test_words_fold_plurals_possessives_and_case():
    assert words("The minister's parties, MINISTERS' crisis 3.5 per cent") == [
        "the", "minister", "party", "minister", "crisis", "3.5", "per", "cent",
    ]  # fmt: skip


def test_scripts_without_spaces_become_pairs_of_characters():
    assert words("東京都") == ["東京", "京都"]


def test_names_do_not_merely_open_a_sentence():
    found = names("", "Police said that Angela Merkel met Boris Johnson. Yesterday it rained in Paris.")
    assert {"angela merkel", "boris johnson", "paris"} <= set(found)
    assert not {"police", "yesterday"} & set(found)


PIECES = [
    "Angela", "Merkel", "of", "the", "de", "Paris", "3.5", "1,200", "A", "'", "’s", "-", "&", ".", ":", "“", "…", "\n",
    "東京都", "É", "über", "x", " ", "  ", "\u00a0", "\u3000", "٣", "_", "O'Neill’s", "US", "parties",
]  # fmt: skip
some_text = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=40)


@settings(max_examples=300, deadline=None)
@given(some_text)
def test_words_never_go_beyond_a_space_so_that_each_piece_may_be_looked_up(text):
    found = [code for piece in text.split() for code in codes(piece)]
    assert [code & (SPACE - 1) for code in found] == slots_of(words(text)).tolist()
    assert [code >> STEM_BITS for code in found] == slots_of(word[:STEM] for word in words(text)).tolist()
    assert [bool(code & NUMBER) for code in found] == [word[0].isdigit() for word in words(text)]
    assert [bool(code & LONG) for code in found] == [len(word) > 2 for word in words(text)]


@settings(max_examples=300, deadline=None)
@given(some_text, some_text)
def test_names_are_the_capitalised_phrases_that_open_no_sentence(title, text):
    plain = re.compile(
        r"(?<![.!?:\"“”'‘’>•-] )(?<!^)(?<!\n)\b[A-Z][\w'’&-]+(?: (?:of |de |al |van |bin )?[A-Z][\w'’&-]+)*"
    )
    assert _NAME.findall(text) == plain.findall(text)
    assert named(title, text) == slots_of(names(title, text)).tolist()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sets(st.integers(0, 9)), max_size=20), st.integers(1, 400))
def test_seeing_documents_together_is_seeing_each(documents, times):
    given_ = [np.array(sorted(held), np.int32) for held in documents] * (1 + times // max(1, len(documents)))
    one, together = Rarity(), Rarity()
    for held in given_:
        one.see(held)
    together.see_all(given_)
    assert together.documents == one.documents
    assert together.counts(np.arange(12, dtype=np.int32)).tolist() == one.counts(np.arange(12, dtype=np.int32)).tolist()


def test_an_article_is_wholly_like_itself():
    article = an_article(
        "Floods close Hamburg port", "The port of Hamburg was closed on 3 May after floods.", vector=bytes_of([1, 2])
    )
    found = compared(article, article)
    for name in ("body", "title", "vector"):
        assert abs(found[name] - 1) < 1e-3
    assert found["days"] == 0
    assert found["same_publisher"] == 1


def test_what_is_unknown_is_missing_not_nought():
    found = compared(an_article("One", "", published=None, first_seen=None, publisher=""), an_article("Two", ""))
    assert all(np.isnan(found[name]) for name in ("days", "same_publisher", "vector", "numbers"))


def test_rare_words_weigh_more_than_common_ones():
    rarity = Rarity.packaged()
    article = sketch(an_article("The zeppelin", ""), rarity)
    weights = article.weights[article.view(1)]
    assert weights.max() > 5 * weights.min()


def test_the_stream_teaches_what_is_common():
    rarity = Rarity.packaged()
    before = sketch(an_article("quidditch"), rarity).ends[1]
    for _ in range(500):
        sketch(an_article("quidditch"), rarity)
    assert sketch(an_article("quidditch"), rarity).ends[1] < before / 1.5


titles = st.lists(
    st.sampled_from(["Flood", "port", "12", "Hamburg", "minister", "the", "resigned", "Äther", "東京", "of"]),
    max_size=8,
).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(titles, titles, titles, titles, st.integers(0, 9))
def test_a_pair_is_the_same_pair_from_either_side(title, text, other_title, other_text, days):
    a, b = an_article(title, text), an_article(other_title, other_text, published=NOON + days * DAY)
    one, other = compared(a, b), compared(b, a)
    for name in FEATURES:
        if not name.startswith(("shared", "rarest")):  # those count in the rarity of the newer one's words
            np.testing.assert_allclose(one[name], other[name], atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(titles, titles), min_size=1, max_size=6))
def test_comparing_with_many_is_comparing_with_each(made):
    rarity = Rarity.packaged()
    sketches = [sketch(an_article(title, text), rarity, learn=False) for title, text in made]
    together = COMPARER.compare(sketches[0], sketches, 5.0)
    alone = np.concatenate([COMPARER.compare(sketches[0], [one], 5.0) for one in sketches])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(titles, titles, st.integers(0, 9)), min_size=3, max_size=3))
def test_a_story_is_the_mean_of_its_articles_however_they_are_put_together(made):
    rarity = Rarity.packaged()
    a, b, c = (
        sketch(an_article(title, text, published=NOON + days * DAY), rarity, learn=False) for title, text, days in made
    )
    left, right = blend(blend(a, b), c), blend(a, blend(b, c))
    assert left.slots.tolist() == right.slots.tolist()
    np.testing.assert_allclose(left.weights, right.weights, atol=1e-4)
    assert (left.articles, left.first, left.when) == (3, min(x.when for x in (a, b, c)), max(x.when for x in (a, b, c)))


def test_a_story_of_two_publishers_is_of_neither():
    rarity = Rarity.packaged()
    a, b = (sketch(an_article("Floods", publisher=name), rarity) for name in ("Reuters", "AP"))
    assert blend(a, b).publisher == MIXED
    assert blend(a, a).publisher == "reuters"


def test_a_term_that_thousands_of_documents_hold_is_counted_on() -> None:
    table, often, seldom = Rarity.packaged(), np.array([7], np.int32), np.array([8], np.int32)
    before = table.counts(often)[0], table.counts(seldom)[0]
    for _ in range(1000):
        table.see(often)
    table.see(seldom)
    assert table.counts(often)[0] == pytest.approx(before[0] + 1000)
    for _ in range(900):
        table.see(often, -1)
    assert table.counts(often)[0] == pytest.approx(before[0] + 100)
    assert table.counts(seldom)[0] == pytest.approx(before[1] + 1)
    assert Rarity.packaged().counts(often)[0] == before[0]


# --- many at once

some_articles = st.lists(
    st.tuples(titles, titles, st.integers(0, 9), st.sampled_from(["", "Reuters", "AP"]), st.integers(0, 2)),
    min_size=1,
    max_size=12,
).map(
    lambda made: [
        an_article(
            title,
            text,
            url=str(n),
            publisher=who,
            published=NOON + days * DAY if days else None,
            first_seen=None,
            vector=bytes_of(np.arange(1, 9) ** (n % 3)) if way == 2 else bytes_of([1.0, n]) if way else b"",
        )
        for n, (title, text, days, who, way) in enumerate(made)
    ]
)


def equal(one, other):
    pairs = [(getattr(one, name), getattr(other, name)) for name in one._fields]
    return all(np.array_equal(a, b, equal_nan=isinstance(a, float)) for a, b in pairs)


@settings(max_examples=60, deadline=None)
@given(some_articles, st.integers(1, 12), st.booleans())
def test_sketches_made_at_once_are_those_made_one_after_another(given, at_once, learn):
    rarity, other = Rarity.packaged(), Rarity.packaged()
    common = slots_of(words(" ".join(f"{a.title} {a.text}" for a in given)))
    for table in (rarity, other):
        table.see(np.unique(common), 250)  # so that what one byte holds is passed on the way
    single = [sketch(article, rarity, learn=learn) for article in given]
    batches = [given[n : n + at_once] for n in range(0, len(given), at_once)]
    many = [one for batch in batches for one in sketches(batch, other, learn=learn)]
    assert all(map(equal, single, many))
    assert rarity.documents == other.documents
    assert np.array_equal(rarity.counts(common), other.counts(common))


@settings(max_examples=60, deadline=None)
@given(some_articles, st.data())
def test_a_pair_has_the_same_features_and_the_same_mean_whichever_others_are_asked_for_with_it(given, data):
    made = sketches(given, Rarity.packaged())
    numbers = st.integers(0, len(made) - 1)
    pairs = [(made[a], made[b]) for a, b in data.draw(st.lists(st.tuples(numbers, numbers), max_size=8))]
    wholes = blends(pairs)
    assert all(map(equal, wholes, [blend(a, b) for a, b in pairs]))
    others = st.lists(st.sampled_from([*made, *wholes]), max_size=5)
    asked = data.draw(st.lists(st.tuples(st.sampled_from([*made, *wholes]), others, st.floats(0, 1e4)), max_size=6))
    rows = COMPARER.compare_all(asked)
    alone = [COMPARER.compare(one, [other], density) for one, some, density in asked for other in some]
    assert rows.shape == (len(alone), len(FEATURES))
    assert all(np.array_equal(row, one[0], equal_nan=True) for row, one in zip(rows, alone, strict=True))


def test_long_articles_keep_as_many_terms_alone_as_with_others():
    rng = np.random.default_rng(2)
    long = [
        an_article(f"Harbour {n}", " ".join(f"word{w}" for w in rng.integers(0, 900, 700)), url=str(n))
        for n in range(4)
    ]
    rarity, other = Rarity.packaged(), Rarity.packaged()
    single, many = [sketch(article, rarity) for article in long], sketches(long, other)
    assert all(map(equal, single, many))
    assert [one.cuts[0] for one in many] == [MOST[0]] * 4
    assert equal(blends([(many[0], many[1]), (many[2], many[3])])[1], blend(single[2], single[3]))
