"""How a story is told: what can be known of it, said in plain words, and never more than a little."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.feed.build import STANDARD, Recipe, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.headlines import teases
from broadsheet.feed.score import Desk, Follows, Quality
from broadsheet.feed.whatif import Inquiry
from tests.builders import NOON, a_reader, a_story
from tests.feed.strategies import situations

law = settings(deadline=None, max_examples=20)


def given_(story, reader=None, scorer=None):
    return float((scorer or Quality()).points(Desk(reader or a_reader(), Edition.of([story], NOON), NOON, 1))[0])


def said(story):
    desk = Desk(a_reader(), Edition.of([story], NOON), NOON, 1)
    return [(reason.fact, reason.points) for _, reason in Quality().reasons(desk, [0])]


def test_of_a_mere_headline_nothing_is_said():
    assert given_(a_story("Ferry contract awarded")) == 0
    assert said(a_story("Ferry contract awarded")) == []


def test_a_whole_text_that_quotes_people_by_name_and_is_signed_is_given_most():
    short = a_story("Ferry contract awarded", words=120)
    long = replace(short, words=900)
    heard = replace(long, voices=3)
    signed = replace(heard, authors=("Ada Lovelace",))
    order = [given_(story) for story in (a_story("Ferry contract awarded"), short, long, heard, signed)]
    assert order == sorted(order)
    assert len(set(order)) == 5
    [(fact, points)] = said(signed)
    assert fact == "about 900 words of it are here to read, and it quotes 3 people by name, and it says who wrote it"
    assert points == pytest.approx(order[-1])


def test_an_agencys_name_signs_nothing():
    assert given_(a_story("Ferry contract awarded", authors=("Reuters", "AFP"))) == 0
    assert given_(a_story("Ferry contract awarded", authors=("Reuters", "Ada Lovelace"))) == Quality().signed


def test_a_headline_that_keeps_back_what_happened_is_told_apart_from_what_speaks_for_the_story():
    story = a_story("You won't believe what this minister did", language="en", words=900)
    assert said(story) == [
        ("its headline keeps back what happened", -Quality().teasing),
        ("about 900 words of it are here to read", pytest.approx(Quality().whole)),
    ]


@pytest.mark.parametrize(
    ("headline", "language", "tease"),
    [
        ("Seven reasons why ferries sink", "en", True),
        ("Here’s what the ruling means", "en", True),
        ("How to talk to a minister", "en", True),
        ("Is this the end of the ferry?", "en", True),
        ("Minister resigns over ferry contract", "en", False),
        ("Seven killed as ferry sinks", "en", False),
        ("Minister says “you can’t trust them” in ferry row", "en", False),
        ("Live: parliament votes on ferry contract", "en", False),
        ("Warum die Fähre sank", "de", True),
        ("7 Dinge, die man über Fähren weiß", "de", True),
        ("Minister tritt nach Fährvertrag zurück", "de", False),
        ("Das Kabinett beschließt den Haushalt", "de", False),
        ("Das sind die Folgen des Urteils", "de", True),
        ("Este martes vuelve la lluvia", "es", False),
        ("Estas son las claves del juicio", "es", True),
        ("Así se hundió el ferri", "es", True),
        ("Cinco claves del contrato", "es", True),
        ("Dimite el ministro por el contrato del ferri", "es", False),
        ("Hvem vinder valget?", "da", True),
        ("Sådan vinder du", "da", False),  # not told in Danish
        ("He opened the door and…", "en", True),
        ("He opened the door and...", "", True),
        ("The ministry says that the ferry sank with forty on board, and that the …", "en", False),  # cut to length
        ("The ministry says that the ferry sank with forty on board, and that the ...", "", False),
        ("", "", False),
    ],
)
def test_what_headlines_tease(headline, language, tease):
    assert teases(headline, language) is tease


@law
@given(st.text(max_size=80), st.sampled_from(("en", "de", "es", "xx", "")))
def test_any_headline_can_be_asked(headline, language):
    assert teases(headline, language) in (True, False)


@law
@given(situations())
def test_how_it_is_told_is_worth_less_than_any_follow(situation):
    stories, _ = situation
    points = Quality().points(Desk(a_reader(), Edition.of(stories, NOON), NOON, 1))
    rules = Follows()
    least = min(rules.story, rules.keyword, rules.person, rules.organisation, rules.place, rules.topic, rules.publisher)
    assert points.max(initial=0.0) - points.min(initial=0.0) < least


def test_a_reader_can_turn_it_off_and_why_says_what_it_does():
    stories = [a_story("Ferry contract awarded", words=900, voices=4), a_story("Vote"), a_story("Match")]
    asked = Inquiry(reader=a_reader(), edition=Edition.of(stories, NOON), recipe=STANDARD, now=NOON, seed=1).ask(
        stories[0].id
    )
    (change,) = [c for c in asked.without if c.words == "If it did not matter how stories are told"]
    assert change.event["settings"] == {"tuning": {"quality": 0.5}}
    off = replace(a_reader(), tuning={"quality": 0.0})
    items = build_feed(off, Edition.of(stories, NOON), STANDARD, NOON, np.random.default_rng(1)).items
    assert not any(reason.signal == "quality" for item in items for reason in item.reasons)


def test_an_operator_can_set_what_it_gives():
    (quality,) = [s for s in Recipe.of({"quality": {"teasing": 0, "whole": 1}}).scorers if isinstance(s, Quality)]
    assert given_(a_story("Why ferries sink", language="en", words=400), scorer=quality) == 1
    weighed = STANDARD.weighed({"quality": 2.0})
    (doubled,) = [s for s in weighed.scorers if isinstance(s, Quality)]
    assert given_(a_story("x", words=400), scorer=doubled) == 2 * Quality().whole
