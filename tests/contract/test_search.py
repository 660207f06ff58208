"""Search answers alike on SQLite and PostgreSQL, and nothing that is typed is an error."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from broadsheet import store
from broadsheet.model import Entity, StoryId, Topic
from tests.builders import HOUR, NOON, a_source, an_article

ARTICLES = [
    an_article("Tariffs rise on steel", text="The minister raised tariffs. Paris objects loudly.", publisher="The Times"),
    an_article("Chess title", text="A chess player from Paris won. To be or not to be.", publisher="Daily News"),
    an_article("Weather", text="Rain in Paris, and a minister of state under it.", publisher="Daily News", published=NOON + HOUR),
    an_article("Élection à Genève", text="Le café était fermé.", publisher="Le Monde"),
    an_article("布林肯访问北京", text="美国国务卿布林肯周日抵达北京。" + "双方谈到了贸易。" * 30 + "他与外长会谈AI芯片。", publisher="新闻"),
    an_article("ข่าวกรุงเทพ", text="นายกรัฐมนตรีประชุมเรื่องน้ำท่วม", publisher="Khao"),
]  # fmt: skip


@pytest.fixture
def news(db: Connection) -> Connection:
    store.articles.save(db, ARTICLES)
    return db


def titles(db: Connection, query: str) -> list[str]:
    return [hit.article.title for hit in store.search.search(db, query)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tariff", {"Tariffs rise on steel"}),
        ("paris minister", {"Tariffs rise on steel", "Weather"}),
        ('"chess player"', {"Chess title"}),
        ('"player chess"', set()),
        ('"to be or not to be"', {"Chess title"}),
        ("paris -minister", {"Chess title"}),
        ('paris -"chess player" -steel', {"Weather"}),
        ("paris publisher:daily", {"Chess title", "Weather"}),
        ('publisher:"daily news" minister', {"Weather"}),
        ("publisher:monde", {"Élection à Genève"}),
        ("PARIS Chess", {"Chess title"}),
        ("café", {"Élection à Genève"}),
        ("AND", {"Weather"}),
        ("nothing-like-this", set()),
        ("北京", {"布林肯访问北京"}),
        ("布林肯 会谈", {"布林肯访问北京"}),
        ("会谈ai芯片 trade", set()),
        ("-北京 publisher:新闻", set()),
        ("上海", set()),
        ("น้ำท่วม", {"ข่าวกรุงเทพ"}),
        ("", set()),
        ("-paris", set()),
        ('"', set()),
        ("publisher:", set()),
    ],
)
def test_a_query_finds_what_it_says(news: Connection, query: str, found: set[str]) -> None:
    assert set(titles(news, query)) == found


def test_a_word_in_the_title_counts_for_more(db: Connection) -> None:
    inside = an_article("Other", text="budget " + "words " * 30)
    titled = an_article("The budget", text="words " * 30)
    store.articles.save(db, [inside, titled])
    assert titles(db, "budget") == ["The budget", "Other"]


def test_a_publisher_alone_gives_the_newest_first(news: Connection) -> None:
    assert titles(news, "publisher:daily") == ["Weather", "Chess title"]


def test_a_hit_says_where_the_words_stand(news: Connection) -> None:
    [hit] = store.search.search(news, "chess won")
    assert [hit.article.text[start:end] for start, end in hit.marks] == ["chess", "won"]
    assert [hit.article.title[start:end] for start, end in hit.titled] == ["Chess"]
    [hit] = store.search.search(news, "ai芯片")
    assert [hit.article.text[start:end] for start, end in hit.marks] == ["AI芯片"]


def test_words_stand_where_they_stand_whatever_else_the_text_holds(db: Connection) -> None:
    text = "Odd: <b>bold</b> well-known x@y.example https://a.example/b?c=d Zürich, 3.5\u00a0%\n\nThen tariffs, and a tariff again."
    store.articles.save(db, [an_article("Odd signs", text=text)])
    [hit] = store.search.search(db, "tariff zürich")
    assert sorted({text[start:end] for start, end in hit.marks}) == ["Zürich", "tariff", "tariffs"]


def test_words_that_only_a_key_point_has_are_told_from_there(db: Connection) -> None:
    store.articles.save(db, [an_article("Steel", text="Nothing.", key_points=('He said "tariffs" rise', "Other"))])
    [hit] = store.search.search(db, "tariffs")
    [(point, marks)] = hit.pointed
    assert point == 'He said "tariffs" rise'
    assert [point[start:end] for start, end in marks] == ["tariffs"]


def test_words_deep_in_a_long_text_are_found_and_marked(db: Connection) -> None:
    text = "Nothing of it here. " * 5000 + "At last the heron came. " + "Nothing more. " * 100
    store.articles.save(db, [an_article("Long", text=text)])
    [hit] = store.search.search(db, "heron")
    assert [text[start:end] for start, end in hit.marks] == ["heron"]


def test_pages_of_hits_follow_each_other(news: Connection) -> None:
    every = titles(news, "paris")
    pages = [hit.article.title for n in range(4) for hit in store.search.search(news, "paris", 1, n)]
    assert pages == every


def test_changed_words_are_found_and_old_ones_are_not(news: Connection) -> None:
    store.articles.save(news, [an_article("Chess title", text="Now about draughts.")])
    assert titles(news, "draughts") == ["Chess title"]
    assert titles(news, '"chess player"') == []
    assert store.doctor.check(news, NOON) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="\"-:*^(){}+\\'%_ ANDORNEAR\x00publisher北京", max_size=40))
def test_nothing_that_is_typed_is_an_error(news: Connection, query: str) -> None:
    store.search.search(news, query)


FIELDED = [
    an_article("Vote in Oslo", topics=(Topic(id="11000000", label="politics and government"),), language="nb-NO",
               entities=(Entity(text="Oslo", type="place", count=2), Entity(text="Ola", type="person"))),
    an_article("Match in Århus", topics=(Topic(id="15000000", label="sport"), Topic(id="20000958", label="football")),
               language="da", entities=(Entity(text="Århus", type="place"),), published=NOON - 40 * 24 * HOUR),
    an_article("A person called Oslo", entities=(Entity(text="Oslo", type="person"),)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("topic:politics", {"Vote in Oslo"}),
        ("topic:11000000", {"Vote in Oslo"}),
        ("topic:gov", {"Vote in Oslo"}),
        ("topic:ball", set()),
        ('topic:"government politics"', {"Vote in Oslo"}),
        ("place:oslo", {"Vote in Oslo"}),
        ("place:århus", {"Match in Århus"}),
        ("place:ola", set()),
        ("lang:nb", {"Vote in Oslo"}),
        ("lang:da lang:NB", {"Vote in Oslo", "Match in Århus"}),
        ("after:2026-08-01 in", {"Vote in Oslo"}),
        ("before:2026-07", {"Match in Århus"}),
        ("before:2026-08 after:2026", {"Match in Århus"}),
        ("topic:sport -match", set()),
        ("after:school", set()),
        ("in after:2026-13-45", set()),
        ("in -topic:sport", {"Vote in Oslo"}),
        ("in -topic:politics -topic:sport", set()),
        ("oslo -place:oslo", {"A person called Oslo"}),
        ("topic:sport -lang:da", set()),
        ("in -lang:da", {"Vote in Oslo"}),
        ("in -after:2026-07", {"Match in Århus"}),
        ("in -before:2026-07", {"Vote in Oslo"}),
        ("after:2026-06 after:2026-08 in", {"Vote in Oslo"}),
        ("-topic:sport", set()),
    ],
)
def test_fields_narrow_a_search(db: Connection, query: str, found: set[str]) -> None:
    store.articles.save(db, FIELDED)
    assert set(titles(db, query)) == found


def test_a_publisher_is_left_out(news: Connection) -> None:
    assert titles(news, "paris -publisher:daily") == ["Tariffs rise on steel"]
    assert set(titles(news, "paris -publisher:daily -publisher:times")) == set()
    assert set(titles(news, "minister -publisher:monde")) == {"Tariffs rise on steel", "Weather"}


def test_stories_are_found_by_the_whole_text_of_any_article(db: Connection) -> None:
    open_, closed = a_source("https://a.example/f"), a_source("https://b.example/f", private=True)
    for source in (open_, closed):
        store.sources.add(db, source)
    told = [
        an_article("One", text="A heron deep in it.", source=open_.id),
        an_article("Two", text="A heron, in a letter.", source=closed.id),
        an_article("Three", text="A heron long ago.", source=open_.id, published=NOON - 90 * 24 * HOUR),
        an_article("Four", text="A heron that nobody grouped.", source=open_.id),
        an_article("Five", text="A heron and a whale.", source=None),
    ]
    store.articles.save(db, told)
    store.articles.place(db, [(a.id, StoryId(a.title), None) for a in told if a.title != "Four"])
    since = NOON - 30 * 24 * HOUR
    assert store.search.stories(db, "heron", since) == {"One", "Two", "Five"}
    assert store.search.stories(db, "heron", since, private={closed.id}) == {"One", "Five"}
    assert store.search.stories(db, "heron -whale", since, private={closed.id}) == {"One"}
    assert store.search.stories(db, "-whale", since) == set()
    assert store.search.stories(db, "heron", since, after=store.search.grouped_until(db)) == {"Five"}
    store.articles.place(db, [(told[3].id, StoryId("Four"), None)])
    assert store.search.grouped_until(db) > 0
    assert store.search.stories(db, "heron", since, after=store.search.grouped_until(db)) == set()
