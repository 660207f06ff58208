"""Search in the words of articles. Whatever a person types is a query: nothing in it can be an error.

Statements are put together from fixed pieces; what was typed only ever travels as a parameter.
"""

# ruff: noqa: S608

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from broadsheet.model import Article, ArticleId, Query, SourceId, StoryId, query_of, tokens
from broadsheet.store import articles
from broadsheet.store.types import microseconds

# Marks around the words found, inside the database only; no text holds them, and `_marks` takes them out.
_OPEN, _CLOSE = "\x02", "\x03"
Marks = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An article that was found, its story, and where the words that were asked for stand in it."""

    article: Article
    story: StoryId | None
    marks: Marks = ()  # offsets into the article's text
    titled: Marks = ()  # into its title
    pointed: tuple[
        tuple[str, Marks], ...
    ] = ()  # its publisher's key points that have the words, where the text has none


# SQLite weighs every article that has the words: 1.2 s for a word that half of 500,000 have. Of more than so many only those
# that came last are weighed against each other; whoever seeks such a word seeks the news of it.
RANKED = 10_000
READ = 200_000  # characters of a text in which the words are looked for; PostgreSQL's index holds no more of one


def _marks(marked: str, whole: str) -> Marks:
    """Where the marked words stand in `whole`, which the marked text is or begins."""
    pieces = re.split(f"[{_OPEN}{_CLOSE}]", marked)
    exact = whole.startswith("".join(pieces))
    found: list[tuple[int, int]] = []
    at = 0
    for number, piece in enumerate(pieces):
        if number % 2 and not exact:  # PostgreSQL puts a space in place of what looks like a tag
            at = whole.find(piece, at)
            if at < 0:
                break
        if number % 2 and piece:
            found.append((at, at + len(piece)))
        at += len(piece) if exact or number % 2 else 0
    return tuple(found)


def _pointed(marked: str) -> tuple[tuple[str, Marks], ...]:
    """The key points with marks in them, of a marked list of them as it is kept."""
    try:
        lines = json.loads(marked, strict=False)
    except ValueError:  # a mark that fell into an escaped letter
        return ()
    every = [(re.sub(f"[{_OPEN}{_CLOSE}]", "", line), line) for line in lines]
    return tuple((plain, _marks(line, plain)) for plain, line in every if plain != line)


def _places(whole: str, pieces: tuple[str, ...]) -> Marks:
    """Where the pieces stand, none of them within another."""
    either = "|".join(re.escape(piece) for piece in sorted(pieces, key=len, reverse=True))
    return tuple(found.span() for found in re.finditer(either, whole, re.IGNORECASE)) if either else ()


def _one_after_another(marks: Marks) -> Marks:
    """The marks in order, without those that begin within another."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return tuple(kept)


def _like(said: str) -> str:
    """How the words stand in a text, for LIKE. SQLite makes only ASCII small: another letter may be in either case."""

    def letter(c: str) -> str:
        return c if c.isascii() or c.upper() == c else "_"

    return "%".join("".join(map(letter, token.lower())) for token in tokens(said))


def _fields(query: Query, values: dict[str, Any]) -> list[str]:
    """The conditions on who published the article, when, in which language, and what it is about."""
    conditions: list[str] = []

    def bound(prefix: str, value: Any) -> str:
        name = f"{prefix}{len(values)}"
        values[name] = value
        return f":{name}"

    def by(name: str) -> str:
        return f"lower(a.publisher) LIKE {bound('publisher', f'%{_like(name)}%')}"

    def speaks(code: str) -> str:
        return f"(lower(a.language) = {bound('lang', code)} OR lower(a.language) LIKE {bound('lang', f'{code}-%')})"

    # a topic is kept as ["16000000","conflict, war and peace",0.8], a name as ["Paris","place",2]
    def on(sought: str) -> str:
        words = [[bound("topic", f"%{before}{_like(begun)}%") for before in ('"', " ")] for begun in tokens(sought)]
        each = [f"({' OR '.join(f'lower(a.topics) LIKE {name}' for name in names)})" for names in words]
        return f"({' AND '.join(each)})" if each else "true"

    def at(place: str) -> str:
        kept = f'%["{_like(place)}","place",%'
        return f"lower(a.entities) LIKE {bound('place', kept)}"

    for any_of in (list(map(by, query.publishers)), list(map(speaks, query.languages))):
        if any_of:
            conditions.append(f"({' OR '.join(any_of)})")
    conditions += [*map(on, query.topics), *map(at, query.places)]
    left_out = [*map(by, query.not_publishers), *map(speaks, query.not_languages)]
    left_out += [*map(on, query.not_topics), *map(at, query.not_places)]
    conditions += [f"NOT {condition}" for condition in left_out]
    if query.after is not None:
        conditions.append(f"a.time >= {bound('after', microseconds(query.after))}")
    if query.before is not None:
        conditions.append(f"a.time < {bound('before', microseconds(query.before))}")
    return conditions


def _pieces(query: Query, values: dict[str, Any], within: str) -> list[str]:
    """The conditions that the title or the text holds each piece, or does not. `within` says where one stands."""
    conditions: list[str] = []
    for sought, wanted in ((query.pieces, True), (query.without_pieces, False)):
        for piece in sought:
            name = f"piece{len(conditions)}"
            values[name] = piece
            either = " OR ".join(f"{within}(lower({column}), :{name}) > 0" for column in ("a.title", "a.text"))
            conditions.append(f"({either})" if wanted else f"NOT ({either})")
    return conditions


NO_MARKS = "'' AS text, '' AS title, '' AS points"


def _newest(conditions: list[str]) -> str:
    """The statement for a question without words: the newest first."""
    return (
        f"SELECT a.id, a.story, {NO_MARKS} FROM articles a "
        f"WHERE {' AND '.join(conditions)} ORDER BY a.time DESC, a.id LIMIT :limit OFFSET :offset"
    )


def _quoted(parts: tuple[str, ...], between: str) -> str:
    """What FTS5 is asked for."""
    return between.join(f'"{" ".join(tokens(part))}"' for part in parts)


def _asked(prefix: str, parts: tuple[str, ...], between: str, values: dict[str, Any]) -> str:
    """What PostgreSQL is asked for."""
    for number, part in enumerate(parts):
        values[f"{prefix}{number}"] = " ".join(tokens(part))
    return between.join(f"phraseto_tsquery('broadsheet', :{prefix}{n})" for n in range(len(parts)))


def _conditions(db: Connection, query: Query, values: dict[str, Any]) -> list[str]:
    """All that is asked of an article but for its words."""
    is_sqlite = db.dialect.name == "sqlite"
    conditions = ["true", *_fields(query, values), *_pieces(query, values, "instr" if is_sqlite else "strpos")]
    if query.without and is_sqlite:
        values["without"] = _quoted(query.without, " OR ")
        conditions.append("a.number NOT IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH :without)")
    elif query.without:
        conditions.append(f"NOT a.document @@ ({_asked('without', query.without, ' || ', values)})")
    return conditions


def _sqlite(query: Query, conditions: list[str], values: dict[str, Any]) -> str:
    values |= {"match": _quoted(query.words, " AND "), "ranked": RANKED, "open": _OPEN, "close": _CLOSE}
    marked = ", ".join(
        f"highlight(articles_fts, {n}, :open, :close) AS {name}" for n, name in enumerate(("title", "points", "text"))
    )
    # The best are chosen first and marked alone: marking reads the whole text.
    return (
        f"SELECT best.id, best.story, {marked} FROM ("
        "SELECT f.rowid AS number, a.id, a.story, bm25(articles_fts, 8.0, 2.0, 1.0) AS score, a.time "
        "FROM articles_fts f JOIN articles a ON a.number = f.rowid "
        "WHERE articles_fts MATCH :match AND f.rowid > coalesce((SELECT rowid FROM articles_fts WHERE articles_fts MATCH "
        f":match ORDER BY rowid DESC LIMIT 1 OFFSET :ranked), -1) AND {' AND '.join(conditions)} "
        "ORDER BY score, a.time DESC, a.id LIMIT :limit OFFSET :offset) best "
        "JOIN articles_fts ON articles_fts.rowid = best.number WHERE articles_fts MATCH :match "
        "ORDER BY best.score, best.time DESC, best.id"
    )


def _postgresql(query: Query, conditions: list[str], values: dict[str, Any]) -> str:
    match = _asked("word", query.words, " && ", values)
    values |= {"options": f"StartSel={_OPEN}, StopSel={_CLOSE}, HighlightAll=true", "read": READ}
    marked = ", ".join(
        f"ts_headline('broadsheet', left(best.{column}, :read), asked.q, :options) AS {name}"
        for column, name in (("title", "title"), ("key_points", "points"), ("text", "text"))
    )
    return (
        f"WITH asked AS (SELECT {match} AS q), best AS ("
        "SELECT a.id, a.story, a.title, a.key_points, a.text, a.time, ts_rank_cd(a.document, asked.q, 1) AS score "
        f"FROM articles a, asked WHERE a.document @@ asked.q AND {' AND '.join(conditions)} "
        "ORDER BY score DESC, a.time DESC, a.id LIMIT :limit OFFSET :offset) "
        f"SELECT best.id, best.story, {marked} FROM best, asked ORDER BY best.score DESC, best.time DESC, best.id"
    )


def search(db: Connection, query: str, limit: int = 20, offset: int = 0) -> list[Hit]:
    """The articles that answer the query, the best first; those that only name a publisher, the newest first."""
    asked = query_of(query)
    if asked.is_empty:
        return []
    values: dict[str, Any] = {"limit": max(0, limit), "offset": max(0, offset)}
    conditions = _conditions(db, asked, values)
    if not asked.words:
        statement = _newest(conditions)
    else:
        statement = (_sqlite if db.dialect.name == "sqlite" else _postgresql)(asked, conditions, values)
    rows = db.execute(text(statement), values).all()
    found = {article.id: article for article in articles.many(db, (ArticleId(row.id) for row in rows), html=False)}
    return [_hit(row, found[row.id], asked) for row in rows]


def _hit(row: Any, article: Article, asked: Query) -> Hit:
    marks, titled = _marks(row.text, article.text), _marks(row.title, article.title)
    return Hit(
        article=article,
        story=None if row.story is None else StoryId(row.story),
        marks=_one_after_another((*marks, *_places(article.text[:READ], asked.pieces))),
        titled=_one_after_another((*titled, *_places(article.title, asked.pieces))),
        pointed=() if marks else _pointed(row.points),
    )


def stories(
    db: Connection, query: str, since: datetime, *, after: int = 0, private: Collection[SourceId] = ()
) -> set[StoryId]:
    """The stories that have an article from that time on, of no private source, that answers the query by its text.

    `after` is a number of articles that need not be asked, nor those before it: what `grouped_until` gave before.
    """
    asked = query_of(query)
    if asked.is_empty:
        return set()
    values: dict[str, Any] = {"since": microseconds(since), "after": after}
    conditions = [*_conditions(db, asked, values), "a.story IS NOT NULL", "a.time >= :since", "a.number > :after"]
    if private:
        names = {f"private{n}": source for n, source in enumerate(sorted(private))}
        values |= names
        conditions.append(f"(a.source IS NULL OR a.source NOT IN ({', '.join(f':{name}' for name in names)}))")
    where = "articles a"
    if asked.words and db.dialect.name == "sqlite":
        # Numbers rise as articles come, so an index walk need not go through what came before the first live one.
        where = "articles_fts f JOIN articles a ON a.number = f.rowid"
        first = text("SELECT coalesce(min(number), 0) FROM articles WHERE time >= :since")
        live = 0 if after else db.execute(first, values).scalar_one() - 1
        values |= {"match": _quoted(asked.words, " AND "), "after": max(after, live)}
        conditions += ["articles_fts MATCH :match", "f.rowid > :after"]
    elif asked.words:
        conditions.append(f"a.document @@ ({_asked('word', asked.words, ' && ', values)})")
    statement = f"SELECT DISTINCT a.story FROM {where} WHERE {' AND '.join(conditions)}"
    return {StoryId(story) for story in db.execute(text(statement), values).scalars()}


def grouped_until(db: Connection) -> int:
    """The number of an article up to which each is in a story."""
    # the sign keeps SQLite from walking all articles for the first number instead of the few that wait
    waits = db.execute(text("SELECT min(+number) FROM articles WHERE story IS NULL")).scalar()
    if waits is not None:
        return int(waits) - 1
    return int(db.execute(text("SELECT coalesce(max(number), 0) FROM articles")).scalar_one())
