"""Search answers alike on SQLite and PostgreSQL, and nothing that is typed is an error."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from broadsheet import store
from broadsheet.model import Entity, Topic
from tests.builders import HOUR, NOON, an_article

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


def test_the_snippet_says_where_the_words_stand(news: Connection) -> None:
    [hit] = store.search.search(news, "chess won")
    assert sorted(hit.snippet[start:end] for start, end in hit.marks) == ["chess", "won"]


def test_the_snippet_begins_near_a_piece_of_an_unspaced_text(news: Connection) -> None:
    [hit] = store.search.search(news, "ai芯片")
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["AI芯片"]


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
    ],
)
def test_fields_narrow_a_search(db: Connection, query: str, found: set[str]) -> None:
    store.articles.save(db, FIELDED)
    assert set(titles(db, query)) == found
