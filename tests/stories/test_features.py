"""Sketches and the features of a pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.model import bytes_of
from broadsheet.stories.features import FEATURES, MIXED, Comparer, Rarity, blend, names, sketch, words
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
