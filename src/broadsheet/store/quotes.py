"""What articles say that somebody said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from broadsheet.model import ArticleId, Quote
from broadsheet.store.rows import among, batches, upsert
from broadsheet.store.schema import quotes

_OF = select(quotes).where(among(quotes.c.article))
_KEPT = ("speaker", "role", "side", "verb", "content", "start", "end", "direct")


def save(db: Connection, found: Mapping[ArticleId, Sequence[Quote]]) -> None:
    """Keep the quotes of these articles, in place of those that were known."""
    rows = (
        {"article": article, "said": [[getattr(quote, name) for name in _KEPT] for quote in said]}
        for article, said in found.items()
    )
    upsert(db, quotes, rows, key=("article",), update=("said",))


def of(db: Connection, ids: Iterable[ArticleId]) -> dict[ArticleId, tuple[Quote, ...]]:
    """The quotes of each article that has any, in the order of its text."""
    return {
        ArticleId(row.article): tuple(
            Quote(article=ArticleId(row.article), **dict(zip(_KEPT, said, strict=True))) for said in row.said
        )
        for batch in batches(dict.fromkeys(ids))
        for row in db.execute(_OF, {"ids": batch})
        if row.said
    }


def speakers(db: Connection, ids: Iterable[ArticleId]) -> dict[ArticleId, tuple[str, ...]]:
    """Whom each of these articles quotes, as it calls them; nothing of one that quotes nobody."""
    return {
        article: tuple(dict.fromkeys(q.speaker for q in said if q.speaker)) for article, said in of(db, ids).items()
    }
