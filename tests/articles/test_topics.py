"""Topics: IPTC's own, broad where sure, finer where words say so, weights in (0, 1]."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.articles.topics import broad_topics, evidence, seeds, topics, vocabulary
from broadsheet.evaluation.enrichment import evaluate_topics
from tests.builders import an_article

PLAIN = [
    ("15000000", "Striker scores twice as Arsenal win Premier League match", "The midfielder set up both goals before half-time."),
    ("04000000", "Shares fall as central bank raises interest rates", "Investors sold stocks after inflation rose again."),
    ("03000000", "Earthquake kills hundreds in mountain region", "Rescuers searched the rubble after the magnitude 7 quake."),
    ("11000000", "Prime minister calls general election", "Voters will go to the polls in June, and candidates began campaigning."),
    ("16000000", "Airstrikes kill civilians as troops advance", "Shelling went on along the front line despite ceasefire talks."),
    ("13000000", "Nasa probe reaches asteroid", "Scientists said the spacecraft sent its first pictures from orbit."),
    ("07000000", "Measles outbreak spreads as vaccination falls", "Hospitals reported hundreds of infected patients."),
    ("02000000", "Man charged with murder after stabbing", "Police arrested a suspect and prosecutors told the court he would plead."),
]  # fmt: skip


@pytest.mark.parametrize(("code", "title", "text"), PLAIN)
def test_a_plain_case_has_its_broad_topic_first(code: str, title: str, text: str) -> None:
    (read,) = topics([an_article(title, text)])
    assert read.topics[0].id == code


def test_a_finer_topic_comes_with_the_broad_one() -> None:
    (read,) = topics([an_article(*PLAIN[0][1:])])
    labels = {topic.label for topic in read.topics}
    assert {"Sport", "Soccer"} <= labels


def test_another_language_has_its_broad_topic_too() -> None:
    (read,) = topics(
        [an_article("Un terremoto deja cientos de muertos", "Los equipos de rescate buscan entre los escombros.")]
    )
    assert read.topics[0].label.startswith("Disaster")


@pytest.mark.parametrize("text", ["", "🎉", "lorem", "." * 500])
def test_nothing_said_is_about_nothing(text: str) -> None:
    (read,) = topics([an_article("", text, id="x", url="https://example.org/")])
    assert read.topics == ()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from(" ".join(f"{title} {text}" for _, title, text in PLAIN).split()), max_size=60).map(
        " ".join
    )
)
def test_topics_are_known_once_each_in_order_of_weight_with_their_broad_subject(text: str) -> None:
    (read,) = topics([an_article("A headline", text)])
    codes = [topic.id for topic in read.topics]
    weights = [topic.weight for topic in read.topics]
    assert len(codes) == len(set(codes))
    assert weights == sorted(weights, reverse=True)
    assert all(0 < weight <= 1 for weight in weights)
    assert all(vocabulary()[t.id].label == t.label for t in read.topics)
    assert all(vocabulary()[code].path[0] in codes for code in codes)


def test_the_vocabulary_is_a_tree_of_seventeen() -> None:
    assert len(vocabulary()) == 1160
    assert len(broad_topics()) == 17
    assert all(concept.path[-1] == code for code, concept in vocabulary().items())


def test_every_seed_is_in_the_vocabulary_and_every_broad_topic_has_examples() -> None:
    assert all(code in vocabulary() for code, _, _ in seeds())
    assert {vocabulary()[code].path[0] for code, _, headlines in seeds() if headlines} == {c.id for c in broad_topics()}
    assert all(word == word.lower() for _, words, _ in seeds() for word in words)


def test_a_word_inside_another_says_nothing() -> None:
    assert not evidence("Warm coupon", "reward")
    assert evidence("War", "")
    assert evidence("", "the war, again")


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(("name", "least_first", "least_found"), [("bbc", 0.80, 0.75), ("agnews", 0.75, 0.60)])
def test_labelled_news_finds_its_topics(data: Path, name: str, least_first: float, least_found: float) -> None:
    report = evaluate_topics(data / "topics" / name, limit=120)
    figures = next(row.figures for row in report.rows if row.name == "all")
    assert figures["first right"] >= least_first
    assert figures["found"] >= least_found
