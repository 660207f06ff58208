"""A story says nothing that its articles do not say."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.feed.score import Importance
from broadsheet.model import Article, ArticleId, Entity, Passage, SourceId, StoryId, Topic, bytes_of, vector_of
from broadsheet.stories.describe import JOINED_HALF_LIFE, LARGE, READ, RECENT, describe, described_by, in_order, reading
from broadsheet.stories.sentences import plain
from tests.builders import DAY, HOUR, NOON, an_article

ID = StoryId("story")
FIRST = an_article(
    "Minister resigns over ferry contract",
    "The transport minister resigned on Saturday after weeks of questions about a ferry contract. "
    "She said that the decision was hers alone.\n\nThe opposition called for an inquiry into the ferry contract.",
    publisher="Reuters",
    published=NOON,
)
SECOND = an_article(
    "What you need to know about the minister who resigned?",
    "The minister's resignation over a ferry contract leaves the prime minister without a close ally. "
    "A successor is to be named on Sunday, the government said.",
    publisher="BBC News",
    published=NOON + 2 * HOUR,
)
NEXT_DAY = an_article(
    "New transport minister named after ferry row",
    "The prime minister named a new transport minister on Sunday, a day after the ferry contract brought down the last.",
    publisher="Gazette",
    published=NOON + DAY,
)


def test_the_headline_is_the_plain_title_of_the_lead_article():
    story = describe(ID, [SECOND, FIRST])
    assert story.lead == FIRST.id
    assert story.headline == FIRST.title


def test_articles_and_publishers_stand_in_order_of_time():
    story = describe(ID, [NEXT_DAY, SECOND, FIRST])
    assert story.articles == (FIRST.id, SECOND.id, NEXT_DAY.id)
    assert story.publishers == ("Reuters", "BBC News", "Gazette")
    assert (story.first_seen, story.last_seen) == (NOON, NOON + DAY)


def test_a_copy_is_shown_but_does_not_count_as_a_voice():
    copy = an_article("Minister resigns", FIRST.text, publisher="Herald", published=NOON + HOUR, copy_of=FIRST.id)
    story = describe(ID, [FIRST, copy, SECOND])
    assert copy.id in story.articles
    assert "Herald" in story.publishers
    assert story.independent == 2
    assert all(p.article != copy.id for p in story.key_points)


def test_velocity_is_independent_publishers_an_hour_that_join_now_not_those_that_once_came():
    an_hour = math.log(2) / (JOINED_HALF_LIFE / HOUR)
    assert describe(ID, [FIRST]).velocity == 0  # nobody joined
    assert describe(ID, [FIRST, SECOND]).velocity == pytest.approx(an_hour)
    half = JOINED_HALF_LIFE
    again = replace(SECOND, id=ArticleId("again"), published=SECOND.published + half)
    assert describe(ID, [FIRST, SECOND, again]).velocity == pytest.approx(an_hour / 2)  # the same publisher joins once
    assert describe(ID, [FIRST, SECOND, NEXT_DAY]).velocity == pytest.approx(an_hour * (1 + 0.5 ** (22 * HOUR / half)))
    copy = replace(SECOND, copy_of=FIRST.id)
    assert describe(ID, [FIRST, copy]).velocity == 0


def test_importance_forgets_who_joined_as_fast_as_a_story_does():
    assert Importance().half_life == JOINED_HALF_LIFE


def test_authors_are_those_of_its_own_articles_each_once_and_no_publishers():
    signed = replace(FIRST, authors=("Ada  Lovelace", "Reuters"))
    other = replace(SECOND, authors=("Grace Hopper", "ada lovelace"))
    copy = replace(NEXT_DAY, authors=("Nobody",), copy_of=FIRST.id)
    assert describe(ID, [copy, other, signed]).authors == ("Ada Lovelace", "Grace Hopper")


def test_a_publishers_own_key_points_come_first_where_the_text_has_them():
    own = an_article(
        FIRST.title,
        FIRST.text,
        key_points=(
            "She said that the decision was hers alone.",
            "The opposition called for an inquiry into the ferry contract.",
        ),
    )
    assert [p.text for p in describe(ID, [own, SECOND]).key_points[:2]] == list(own.key_points)
    absent = an_article(FIRST.title, FIRST.text, key_points=("This is not in the text.",))
    assert all(p.text in absent.text for p in describe(ID, [absent]).key_points)


def test_the_timeline_has_one_moment_a_day_quoted_from_that_day():
    story = describe(ID, [FIRST, SECOND, NEXT_DAY])
    assert [m.date.day for m in story.timeline] == [NOON.day, NOON.day + 1]
    assert (
        story.timeline[0].sentence
        == "The transport minister resigned on Saturday after weeks of questions about a ferry contract."
    )
    assert story.timeline[1].article == NEXT_DAY.id
    assert story.timeline[1].sentence in NEXT_DAY.text


def test_names_add_up_topics_are_means_and_the_vector_points_between():
    a = an_article("a", entities=(Entity(text="Iceland", type="place", count=2),), topics=(Topic(id="1", label="war"),))
    b = an_article("b", entities=(Entity(text="iceland", type="place", count=3), Entity(text="Oslo", type="place")))
    a, b = (
        an_article(x.title, entities=x.entities, topics=x.topics, vector=bytes_of([x is a, x is b]), vector_model="m")
        for x in (a, b)
    )
    story = describe(ID, [a, b])
    assert story.entities[0] == Entity(text="Iceland", type="place", count=5)
    assert story.topics == (Topic(id="1", label="war", weight=0.5),)
    assert vector_of(story.vector) == pytest.approx([0.7071, 0.7071], abs=1e-3)
    assert story.vector_model == "m"


def test_vectors_of_two_models_never_mix():
    mine = [an_article(str(n), vector=bytes_of([1, 0]), vector_model="mine") for n in range(2)]
    story = describe(ID, [*mine, an_article("other", vector=bytes_of([0, 1, 0]), vector_model="other")])
    assert (story.vector, story.vector_model) == (bytes_of([1, 0]), "mine")


def test_a_story_of_headlines_alone_is_still_whole():
    story = describe(ID, [an_article("Ferry contract: minister resigns", "", source=SourceId("s"))])
    assert story.key_points == ()
    assert story.timeline[0].sentence == "Ferry contract: minister resigns"
    assert story.sources == ("s",)


def test_no_articles_are_no_story():
    with pytest.raises(ValueError, match="at least one"):
        describe(ID, [])


texts = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "The minister resigned on Monday after weeks of questions about it.",
                "“I did nothing wrong,” she told reporters outside the house of the prime minister.",
                "部長は月曜日に辞任したと政府が発表した。次の部長は火曜日に決まる。",
                "Mr. Smith, of the U.S. Treasury, said on Tuesday that 3.5 per cent was not enough for them!",
                "\n\n",
                "Subscribe to our newsletter for more of this every single day.",
            ]
        ),
        st.text(max_size=40),
    ),
    max_size=6,
).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), texts, st.integers(0, 90)), min_size=1, max_size=5))
def test_nothing_is_made_up(made):
    articles = [
        an_article(title, text, id=ArticleId(str(n)), publisher=str(n % 3), published=NOON + timedelta(hours=hours))
        for n, (title, text, hours) in enumerate(made)
    ]
    by_id = {a.id: a for a in articles}
    story = describe(ID, articles)
    assert story.headline == by_id[story.lead].title
    for point in story.key_points:
        assert by_id[point.article].text[point.start : point.end] == point.text
    for moment in story.timeline:
        article = by_id[moment.article]
        if moment.start is None:
            assert moment.sentence == article.title
        else:
            assert article.text[moment.start : moment.end] == moment.sentence
        assert moment.date <= article.time  # nothing is dated before it was written of
    for article in articles:
        assert all(article.text[p.start : p.end] == p.text for p in plain(article))


def of(made: list[tuple[str, str, int]]) -> list[Article]:
    return [
        an_article(title, text, id=ArticleId(str(n)), publisher=str(n % 3), published=NOON + timedelta(hours=hours))
        for n, (title, text, hours) in enumerate(made)
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=30), texts, st.integers(0, 900)), min_size=1, max_size=12), st.integers(1, 4)
)
def test_a_story_that_grew_article_by_article_is_the_one_that_was_told_at_once(made, remembered):
    articles = of(made)
    remembers = reading(plain, most=remembered)
    remembers_all = reading(plain, most=99)
    for n in range(1, len(articles) + 1):
        for a in articles[:n]:
            remembers_all(a)
        at_once = describe(ID, articles[:n])
        assert describe(ID, articles[:n], remembers) == at_once
        assert describe(ID, articles[:n], remembers_all) == at_once


def reports(many: int) -> list[Article]:
    return [
        an_article(
            f"Report {n} of the ferry inquiry",
            f"The inquiry into the ferry contract heard witness {n} on Monday. Nobody had read all of page {n} before.",
            id=ArticleId(f"{n:04}"), publisher=f"Paper {n}", published=NOON + n * HOUR,
            entities=(Entity(text=f"Witness {n}", type="person"),), vector=bytes_of([1.0, n / 100]), vector_model="m",
        )
        for n in range(many)
    ]  # fmt: skip


def test_a_large_story_that_grows_reads_only_the_new_article():
    cut: Counter[ArticleId] = Counter()

    def counting(article: Article) -> tuple[Passage, ...]:
        cut[article.id] += 1
        return plain(article)

    articles, remembers = reports(LARGE + 20), reading(counting, most=100)
    for n in range(LARGE, len(articles) + 1):
        describe(ID, articles[:n], remembers)
    assert set(cut.values()) == {1}
    rewritten = replace(
        articles[3], text="The inquiry into the ferry contract was closed on Monday, to everybody's surprise."
    )
    told = describe(ID, [*articles[:3], rewritten, *articles[4:]], remembers)
    assert cut[rewritten.id] == 2
    assert told == describe(ID, [*articles[:3], rewritten, *articles[4:]])


def test_of_a_very_large_story_only_the_first_and_the_latest_articles_are_asked_for_their_words():
    articles = in_order(reports(READ + RECENT + 30))
    asked = {a.id for a in described_by(articles)}
    assert len(asked) == READ + RECENT
    bare = [
        a if a.id in asked else replace(a, url="", title="", text="", entities=(), vector=b"", vector_model="")
        for a in articles
    ]
    told = describe(ID, articles)
    assert describe(ID, bare) == told
    assert len(told.articles) == len(articles) == told.independent
