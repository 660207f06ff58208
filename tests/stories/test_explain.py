"""Why two articles are together: parts that add up to the probability, and facts that both articles hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.stories.explain import SUBJECTS, why_together
from broadsheet.stories.features import FEATURES, Comparer, Rarity, sketch
from broadsheet.stories.pairs import packaged
from tests.builders import DAY, NOON, an_article

QUAKE = an_article(
    "Strong earthquake in Chile",
    "An earthquake struck off the coast near Iquique on Saturday, and Officer Ana Rojas warned of 3 waves.",
    publisher="AP",
)
AGAIN = an_article(
    "Chile quake: tsunami warning",
    "Thousands left the coast near Iquique after the earthquake; in Santiago, Ana Rojas spoke of 3 waves.",
    publisher="BBC",
    published=NOON + DAY,
)
RATES = an_article("Bank holds rates", "The bank left its main rate where it was.", publisher="BBC")

some_articles = st.builds(
    lambda title, text, days, publisher: an_article(
        " ".join(title), " ".join(text), publisher=publisher, published=None if days is None else NOON + days * DAY
    ),
    st.lists(st.sampled_from(["quake", "Chile", "bank", "rates", "Iquique", "7.6"]), min_size=1, max_size=5),
    st.lists(
        st.sampled_from(["The", "coast", "of", "Chile", "shook", "Iquique", "30", "people", "fled", "banks"]),
        max_size=30,
    ),
    st.one_of(st.none(), st.integers(0, 40)),
    st.sampled_from(["", "AP", "BBC"]),
)


@settings(max_examples=60, deadline=None)
@given(some_articles, some_articles)
def test_the_parts_add_up_to_the_probability_that_the_forest_gives(one, other):
    told = why_together(one, other)
    rarity = Rarity.packaged()
    row = Comparer().compare(sketch(one, rarity, learn=False), [sketch(other, rarity, learn=False)], 100.0)
    assert told.probability == pytest.approx(packaged().probability(row)[0], abs=1e-6)
    odds = told.begun + sum(part.points for part in told.parts)
    assert odds == pytest.approx(math.log(told.probability / (1 - told.probability)), abs=1e-6)


def test_every_feature_belongs_to_one_subject():
    assert sorted(name for names in SUBJECTS.values() for name in names) == sorted(FEATURES)


def test_the_facts_are_what_both_articles_hold():
    facts = {part.subject: part.fact for part in why_together(QUAKE, AGAIN).parts}
    assert "Rojas" in facts["names"]
    assert "Santiago" not in facts["names"]
    assert "Chile" in facts["titles"]
    assert facts["numbers"].endswith(": 3")
    assert facts["time"] == "1.0 days apart"
    assert facts["publisher"] == "two publishers"


def test_the_largest_part_comes_first_and_what_has_nothing_in_common_is_unlikely():
    together, apart = why_together(QUAKE, AGAIN), why_together(QUAKE, RATES)
    assert together.probability > apart.probability
    points = [abs(part.points) for part in apart.parts]
    assert points == sorted(points, reverse=True)
    assert {p.subject: p.fact for p in apart.parts}["names"] == "names of both: none"
