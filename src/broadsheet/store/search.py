"""Search in the words of articles. Whatever a person types is a query: nothing in it can be an error.

Statements are put together from fixed pieces; what was typed only ever travels as a parameter.
"""

# ruff: noqa: S608

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from broadsheet.model import Article, ArticleId, Query, StoryId, query_of, tokens
from broadsheet.store import articles
from broadsheet.store.types import microseconds

# Marks around the words found, inside the database only; no text holds them, and `_snippet` takes them out.
_OPEN, _CLOSE = "\x02", "\x03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An article that was found, its story, and where the words stand in the snippet."""

    article: Article
    story: StoryId | None
    snippet: str
    marks: tuple[tuple[int, int], ...] = ()  # offsets into `snippet`


# SQLite weighs every article that has the words: 1.2 s for a word that half of 500,000 have. Of more than so many only those
# that came last are weighed against each other; whoever seeks such a word seeks the news of it.
RANKED = 10_000


def _snippet(marked: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The snippet without its marks, and where they were."""
    plain = ""
    marks: list[tuple[int, int]] = []
    for number, piece in enumerate(re.split(f"[{_OPEN}{_CLOSE}]", re.sub(r"\s+", " ", marked))):
        if number % 2:
            marks.append((len(plain), len(plain) + len(piece)))
        plain += piece
    return plain, tuple(marks)


def _places(snippet: str, pieces: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Where the pieces stand, none of them within another."""
    either = "|".join(re.escape(piece) for piece in sorted(pieces, key=len, reverse=True))
    return tuple(found.span() for found in re.finditer(either, snippet, re.IGNORECASE)) if either else ()


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

    def either(parts: list[str]) -> None:
        if parts:
            conditions.append(f"({' OR '.join(parts)})")

    either([f"lower(a.publisher) LIKE {bound('publisher', f'%{_like(name)}%')}" for name in query.publishers])
    either([
        f"(lower(a.language) = {bound('lang', code)} OR lower(a.language) LIKE {bound('lang', f'{code}-%')})"
        for code in query.languages
    ])  # fmt: skip
    # a topic is kept as ["16000000","conflict, war and peace",0.8], a name as ["Paris","place",2]
    for sought in query.topics:
        for begun in tokens(sought):
            either([f"lower(a.topics) LIKE {bound('topic', f'%{before}{_like(begun)}%')}" for before in ('"', " ")])
    for place in query.places:
        kept = f'%["{_like(place)}","place",%'
        conditions.append(f"lower(a.entities) LIKE {bound('place', kept)}")
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


def _newest(query: Query, conditions: list[str], within: str) -> str:
    """The statement for a question without words: the newest first, the text shown from where a piece stands."""
    begins = f"CASE WHEN {within}(lower(a.text), :piece0) > 60 THEN {within}(lower(a.text), :piece0) - 40 ELSE 1 END"
    return (
        f"SELECT a.id, a.story, substr(a.text, {begins if query.pieces else '1'}, 200) AS snippet FROM articles a "
        f"WHERE {' AND '.join(conditions)} ORDER BY a.time DESC, a.id LIMIT :limit OFFSET :offset"
    )


def _sqlite(query: Query, values: dict[str, Any]) -> str:
    def quoted(parts: tuple[str, ...], between: str) -> str:
        return between.join(f'"{" ".join(tokens(part))}"' for part in parts)

    conditions = ["true", *_fields(query, values), *_pieces(query, values, "instr")]
    if query.without:
        values["without"] = quoted(query.without, " OR ")
        conditions.append("a.number NOT IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH :without)")
    if not query.words:
        return _newest(query, conditions, "instr")
    values["match"] = quoted(query.words, " AND ")
    values["ranked"] = RANKED
    # The best are chosen first and snippets cut for them alone: a snippet reads the whole text.
    return (
        "SELECT best.id, best.story, snippet(articles_fts, 2, :open, :close, '…', 24) AS snippet FROM ("
        "SELECT f.rowid AS number, a.id, a.story, bm25(articles_fts, 8.0, 2.0, 1.0) AS score, a.time "
        "FROM articles_fts f JOIN articles a ON a.number = f.rowid "
        "WHERE articles_fts MATCH :match AND f.rowid > coalesce((SELECT rowid FROM articles_fts WHERE articles_fts MATCH "
        f":match ORDER BY rowid DESC LIMIT 1 OFFSET :ranked), -1) AND {' AND '.join(conditions)} "
        "ORDER BY score, a.time DESC, a.id LIMIT :limit OFFSET :offset) best "
        "JOIN articles_fts ON articles_fts.rowid = best.number WHERE articles_fts MATCH :match "
        "ORDER BY best.score, best.time DESC, best.id"
    )


def _postgresql(query: Query, values: dict[str, Any]) -> str:
    def asked(prefix: str, parts: tuple[str, ...], between: str) -> str:
        for number, part in enumerate(parts):
            values[f"{prefix}{number}"] = " ".join(tokens(part))
        return between.join(f"phraseto_tsquery('broadsheet', :{prefix}{n})" for n in range(len(parts)))

    conditions = ["true", *_fields(query, values), *_pieces(query, values, "strpos")]
    if query.without:
        conditions.append(f"NOT a.document @@ ({asked('without', query.without, ' || ')})")
    if not query.words:
        return _newest(query, conditions, "strpos")
    match = asked("word", query.words, " && ")
    options = f"StartSel={_OPEN}, StopSel={_CLOSE}, MaxWords=28, MinWords=12, MaxFragments=1"
    values["options"] = options
    return (
        f"WITH asked AS (SELECT {match} AS q), best AS ("
        "SELECT a.id, a.story, a.text, a.time, ts_rank_cd(a.document, asked.q, 1) AS score FROM articles a, asked "
        f"WHERE a.document @@ asked.q AND {' AND '.join(conditions)} "
        "ORDER BY score DESC, a.time DESC, a.id LIMIT :limit OFFSET :offset) "
        "SELECT best.id, best.story, ts_headline('broadsheet', left(best.text, 200000), asked.q, :options) AS snippet "
        "FROM best, asked ORDER BY best.score DESC, best.time DESC, best.id"
    )


def search(db: Connection, query: str, limit: int = 20, offset: int = 0) -> list[Hit]:
    """The articles that answer the query, the best first; those that only name a publisher, the newest first."""
    asked = query_of(query)
    if asked.is_empty:
        return []
    values: dict[str, Any] = {"limit": max(0, limit), "offset": max(0, offset)}
    if db.dialect.name == "sqlite":
        statement = _sqlite(asked, values)
        if asked.words:
            values |= {"open": _OPEN, "close": _CLOSE}
    else:
        statement = _postgresql(asked, values)
    rows = db.execute(text(statement), values).all()
    found = {article.id: article for article in articles.many(db, (ArticleId(row.id) for row in rows), html=False)}
    hits = []
    for row in rows:
        snippet, marks = _snippet(row.snippet or "")
        marks = marks or _places(snippet, asked.pieces)
        hits.append(
            Hit(
                article=found[row.id],
                story=None if row.story is None else StoryId(row.story),
                snippet=snippet,
                marks=marks,
            )
        )
    return hits
