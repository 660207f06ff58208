"""What a search shows of an article: the sentences that answer it, as they stand there; and which stories a followed one meets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from broadsheet import config, store
from broadsheet.model import Follow, StoryId
from broadsheet.reading import Newsstand
from broadsheet.reading.quoting import LONGEST, quoted
from broadsheet.store.search import Hit
from tests.builders import HOUR, NOON, a_reader, a_source, a_story, an_article

TEXT = (
    "Herons and rain\n\nThe first sentence says nothing of it. A heron came to the river on Monday. It rained all day, they said. "
    "In the evening the heron left, and the rain stayed. Nobody knows why."
)


def hit_of(text: str, *words: str, pointed: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = ()) -> Hit:
    marks = sorted((at, at + len(w)) for w in words for at in range(len(text)) if text.startswith(w, at))
    return Hit(article=an_article("Title", text=text), story=None, marks=tuple(marks), pointed=pointed)


def test_the_sentence_with_most_of_the_words_is_shown_as_it_stands() -> None:
    [one] = quoted(hit_of(TEXT, "heron", "rain"))
    assert one.text == "In the evening the heron left, and the rain stayed."
    assert TEXT[one.start : one.end] == one.text
    assert [one.text[a:b] for a, b in one.marks] == ["heron", "rain"]


def test_words_that_never_stand_together_take_two_sentences_in_their_order() -> None:
    shown = quoted(hit_of(TEXT, "Monday", "knows", "why"))
    assert [q.text for q in shown] == ["A heron came to the river on Monday.", "Nobody knows why."]


def test_a_key_point_stands_where_the_text_has_none_of_the_words_and_the_beginning_where_nothing_has() -> None:
    [point] = quoted(hit_of(TEXT, pointed=(("Whales", ((0, 6),)),)))
    assert (point.text, point.start, point.marks) == ("Whales", None, ((0, 6),))
    [first] = quoted(hit_of(TEXT))
    assert (first.text, first.marks) == ("Herons and rain", ())
    assert quoted(hit_of("")) == ()


def test_of_an_endless_sentence_the_part_around_the_word_is_shown() -> None:
    text = "word " * 300 + "heron " + "word " * 300
    [one] = quoted(hit_of(text, "heron"))
    assert len(one.text) <= LONGEST
    assert [one.text[a:b] for a, b in one.marks] == ["heron"]
    assert not one.begins
    assert not one.ends
    assert one.text.startswith("word")
    assert one.text.endswith("word")


@given(st.text(alphabet="ab .!?\n\u05d0北", max_size=500), st.text(alphabet="ab北", min_size=1, max_size=3))
def test_whatever_is_shown_stands_in_the_article(text: str, word: str) -> None:
    hit = hit_of(text, word)
    kept = [m for n, m in enumerate(hit.marks) if not n or m[0] >= hit.marks[n - 1][1]]
    for one in quoted(Hit(article=hit.article, story=None, marks=tuple(kept))):
        assert one.text == text[one.start : one.end]
        assert all(one.text[a:b] == word for a, b in one.marks)
        assert len(one.text) <= LONGEST + 1


# --- a followed search --------------------------------------------------------------------------------------------


@pytest.fixture
def db(tmp_path) -> Iterator[Engine]:  # type: ignore[no-untyped-def]
    engine = store.open(f"sqlite:///{tmp_path}/news.sqlite")
    yield engine
    engine.dispose()


def told(db: Engine, name: str, text: str, **fields: object) -> StoryId:
    """A story of one article; its headline says nothing of the text."""
    article = an_article(f"About {name}", text=text, published=NOON - HOUR, first_seen=NOON - HOUR, **fields)
    story = a_story(f"About {name}", articles=(article.id,), lead=article.id, last_seen=NOON - HOUR, first_seen=NOON - HOUR)  # fmt: skip
    with db.begin() as c:
        store.articles.save(c, [article])
        store.articles.place(c, [(article.id, story.id, None)])
        store.stories.save(c, [story])
    return story.id


def test_a_followed_search_is_met_by_what_only_the_text_says_and_by_what_comes_later(db: Engine) -> None:
    closed = a_source("https://closed.example/f", private=True)
    with db.begin() as c:
        store.sources.add(c, closed)
        store.readers.add(
            c, a_reader("ada", follows=(Follow(kind="search", value="heron -whale", label="heron -whale"),))
        )
    one = told(db, "rivers", "Deep in it a heron stands.")
    told(db, "seas", "A whale and a heron.")
    told(db, "letters", "A heron in a letter.", source=closed.id)
    stand = Newsstand(db, config.load(None, {}, as_of=NOON.isoformat()))

    def met() -> set[StoryId]:
        stand.refresh(at_once=True)
        [followed] = stand.following(stand.reader("ada"))
        return set(followed.newest)

    assert met() == {one}
    [item] = [i for i in stand.feed("ada").items if i.story == one]
    assert "it matches your search “heron -whale”" in [r.fact for r in item.reasons]
    two = told(db, "lakes", "Herons were seen.")
    assert met() == {one, two}


def test_only_what_came_is_asked_until_the_hour_is_over(db: Engine) -> None:
    with db.begin() as c:
        store.readers.add(c, a_reader("ada", follows=(Follow(kind="search", value="heron", label="heron"),)))
    asked: list[int] = []

    @event.listens_for(db, "before_cursor_execute")
    def note(conn, cursor, statement, parameters, context, executemany):  # type: ignore[no-untyped-def]
        if "SELECT DISTINCT a.story" in statement:
            asked.append(max(p for p in (parameters.values() if isinstance(parameters, dict) else parameters) if isinstance(p, int) and p < 1000))  # fmt: skip

    told(db, "rivers", "A heron.")
    clock = {"as_of": NOON.isoformat()}
    stand = Newsstand(db, config.load(None, {}, **clock))
    for n in range(3):
        told(db, f"lake {n}", "A heron.")
        stand.refresh(at_once=True)
        stand.following(stand.reader("ada"))
        stand.following(stand.reader("ada"))
    assert asked == [0, 2, 3]
