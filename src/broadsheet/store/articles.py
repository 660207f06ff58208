"""Articles: read one by one, by time, by story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, Text, bindparam, case, func, literal, select, tuple_, update

from broadsheet.model import Article, ArticleId, SourceId, StoryId
from broadsheet.store import codec
from broadsheet.store.rows import Row, among, batches, upsert
from broadsheet.store.schema import articles, sources
from broadsheet.store.types import EPOCH, Time, Words

_COLUMNS = tuple(c.name for c in articles.c if c.name not in ("number", "time", "story"))
DAY = 86_400_000_000  # microseconds
_LISTS = ("key_points", "authors", "captions", "tags")
_SELECT = [articles.c[name] for name in _COLUMNS]


def _out(article: Article) -> Row:
    row: Row = {name: getattr(article, name) for name in _COLUMNS}
    row.update({name: list(row[name]) for name in _LISTS})
    row["entities"], row["topics"] = codec.entities_out(article.entities), codec.topics_out(article.topics)
    row["time"] = article.time or EPOCH
    return row


def _in(row: Any) -> Article:
    values = dict(zip(_COLUMNS, row, strict=False))  # a row may go on with columns of its query
    for name in _LISTS:
        values[name] = tuple(values[name])
    values["entities"], values["topics"] = codec.entities_in(values["entities"]), codec.topics_in(values["topics"])
    values["vector"], values["fingerprint"] = bytes(values["vector"]), bytes(values["fingerprint"])
    return Article(**values)


def _least(earlier: Any, later: Any) -> Any:
    return case((earlier.is_(None), later), (later < earlier, later), else_=earlier)


def save(db: Connection, found: Iterable[Article]) -> None:
    """Keep the articles; a known one takes the new words and keeps its story and the time it was first seen."""
    rows = {article.id: _out(article) for article in found}
    kept = ("id", "first_seen", "copy_of")
    upsert(
        db,
        articles,
        rows.values(),
        key=("id",),
        update=[name for name in (*_COLUMNS, "time") if name not in kept],
        special={
            "first_seen": lambda new: _least(articles.c.first_seen, new.first_seen),
            "copy_of": lambda new: func.coalesce(new.copy_of, articles.c.copy_of),
        },
    )


def save_new(db: Connection, found: Iterable[Article]) -> int:
    """Keep those that are not here yet; gives how many. The same page announced by two sources is one article, the
    first's, whichever worker comes first."""
    rows: dict[ArticleId, Article] = {}
    for article in found:
        rows.setdefault(article.id, article)
    return upsert(db, articles, map(_out, rows.values()), key=("id",))


def get(db: Connection, id: ArticleId) -> Article | None:  # noqa: A002
    row = db.execute(select(*_SELECT).where(articles.c.id == id)).first()
    return None if row is None else _in(row)


def known(db: Connection, ids: Iterable[ArticleId]) -> set[ArticleId]:
    """Those of the ids that are here."""
    return {
        ArticleId(id_)
        for batch in batches(ids)
        for id_ in db.execute(select(articles.c.id).where(articles.c.id.in_(batch))).scalars()
    }


def _without_html(columns: Sequence[Any]) -> list[Any]:
    return [literal("", Words()).label("html") if c.name == "html" else c for c in columns]


_MANY = {
    html: select(*(_SELECT if html else _without_html(_SELECT))).where(among(articles.c.id)) for html in (True, False)
}


def many(db: Connection, ids: Iterable[ArticleId], *, html: bool = True) -> list[Article]:
    """Those that exist, in the order asked for; without their HTML when it is not needed."""
    asked = list(dict.fromkeys(ids))
    found = {row.id: _in(row) for batch in batches(asked) for row in db.execute(_MANY[html], {"ids": batch})}
    return [found[id_] for id_ in asked if id_ in found]


def story_of(db: Connection, id: ArticleId) -> StoryId | None:  # noqa: A002
    """The story that the article is in, once it was grouped."""
    return db.execute(select(articles.c.story).where(articles.c.id == id)).scalar()


def stories_of(db: Connection, ids: Iterable[ArticleId]) -> dict[ArticleId, StoryId]:
    """The story of each that was grouped."""
    return {
        ArticleId(row.id): StoryId(row.story)
        for batch in batches(ids)
        for row in db.execute(
            select(articles.c.id, articles.c.story).where(articles.c.id.in_(batch), articles.c.story.is_not(None))
        )
    }


def latest(
    db: Connection,
    limit: int,
    before: datetime | None = None,
    sources: Collection[SourceId] | None = None,
    *,
    before_id: ArticleId | None = None,
    briefly: bool = False,
) -> list[Article]:
    """The newest first, of these sources or of all, whole but for their HTML or as `brief` gives them. `before` and
    `before_id` are the last article's of the page before: with both, articles of the same microsecond are neither lost
    nor shown twice."""
    query = _BRIEFLY if briefly else select(*_without_html(_SELECT))
    query = query.order_by(articles.c.time.desc(), articles.c.id.desc()).limit(limit)
    if before is not None and before_id is not None:
        query = query.where(
            tuple_(articles.c.time, articles.c.id) < tuple_(literal(before, Time()), literal(before_id))
        )
    elif before is not None:
        query = query.where(articles.c.time < before)
    if sources is not None:
        query = query.where(articles.c.source.in_(list(sources)))
    made = _brief if briefly else _in
    return [made(row) for row in db.execute(query)]


def ungrouped(db: Connection, limit: int) -> list[Article]:
    """Articles that are in no story yet, in order of time."""
    query = (
        select(*_without_html(_SELECT))
        .where(articles.c.story.is_(None))
        .order_by(articles.c.time, articles.c.id)
        .limit(limit)
    )
    return [_in(row) for row in db.execute(query)]


def place(db: Connection, placed: Iterable[tuple[ArticleId, StoryId, ArticleId | None]]) -> None:
    """Put articles in their stories: article, story, and the earlier article that it copies, if it does."""
    statement = (
        update(articles)
        .where(articles.c.id == bindparam("article_id"))
        .values(story=bindparam("story_id"), copy_of=bindparam("copied"))
    )
    for batch in batches(placed):
        db.execute(statement, [{"article_id": a, "story_id": s, "copied": c} for a, s, c in batch])


def _stream(db: Connection, query: Select[Any]) -> Iterator[Any]:
    # A few hundred rows at a time: a month of texts never stands in memory.
    yield from db.execution_options(yield_per=200).execute(query)


def of_story(db: Connection, story: StoryId) -> list[Article]:
    """The articles of a story in order of time, without HTML."""
    query = select(*_without_html(_SELECT)).where(articles.c.story == story).order_by(articles.c.time, articles.c.id)
    return [_in(row) for row in db.execute(query)]


_OUTLINE = [articles.c[name] for name in ("id", "publisher", "source", "published", "first_seen", "copy_of", "story")]
_BRIEF = ("id", "url", "title", "publisher", "source", "published", "first_seen", "image", "language", "copy_of")
_BRIEFLY = select(*(articles.c[name] for name in _BRIEF))
_BRIEF_ONES = _BRIEFLY.where(among(articles.c.id))


def _brief(row: Any) -> Article:
    return Article(text="", **dict(zip(_BRIEF, row, strict=True)))


def outlines(db: Connection, ids: Iterable[StoryId]) -> dict[StoryId, list[Article]]:
    """The articles of each of these stories, in order of time: when and where each appeared, without a word of it."""
    found: dict[StoryId, list[Article]] = {}
    for batch in batches(dict.fromkeys(ids)):
        query = select(*_OUTLINE).where(articles.c.story.in_(batch)).order_by(articles.c.time, articles.c.id)
        for id_, publisher, source, published, first_seen, copy_of, story in db.execute(query):
            found.setdefault(story, []).append(
                Article(
                    id=id_, url="", title="", text="", publisher=publisher, source=source, published=published,
                    first_seen=first_seen, copy_of=copy_of,
                )
            )  # fmt: skip
    return found


def brief(db: Connection, ids: Iterable[ArticleId]) -> dict[ArticleId, Article]:
    """Each of these articles as a list tells it: its title, address and picture, who published it and when, and nothing
    of its text."""
    return {
        ArticleId(row[0]): _brief(row)
        for batch in batches(dict.fromkeys(ids))
        for row in db.execute(_BRIEF_ONES, {"ids": batch})
    }


class Appeared(NamedTuple):
    """When and where an article appeared."""

    id: ArticleId
    source: SourceId | None
    first_seen: datetime | None
    published: datetime | None


_APPEARED = select(*(articles.c[name] for name in Appeared._fields)).where(among(articles.c.id))


def appeared(db: Connection, ids: Iterable[ArticleId]) -> dict[ArticleId, Appeared]:
    """When and where each of these articles appeared: of the two hundred that a page asks for it costs little."""
    return {
        row[0]: Appeared._make(row)
        for batch in batches(dict.fromkeys(ids))
        for row in db.execute(_APPEARED, {"ids": batch})
    }


def live(db: Connection, since: datetime) -> Iterator[tuple[Article, StoryId]]:
    """Every article since then that is in a story, in order of time, without HTML."""
    query = (
        select(*_without_html(_SELECT), articles.c.story)
        .where(articles.c.time >= since, articles.c.story.is_not(None))
        .order_by(articles.c.time, articles.c.id)
    )
    for row in _stream(db, query):
        yield _in(row), StoryId(row.story)


def all(db: Connection) -> Iterator[Article]:  # noqa: A001
    """Every article, in order of time: for exports."""
    for row in _stream(db, select(*_SELECT).order_by(articles.c.time, articles.c.id)):
        yield _in(row)


def relevant(db: Connection, ids: Collection[SourceId], since: datetime) -> set[StoryId]:
    """The stories since then that have an article of one of these sources."""
    query = select(articles.c.story).where(
        articles.c.source.in_(list(ids)), articles.c.time >= since, articles.c.story.is_not(None)
    )
    return {StoryId(story) for story in db.execute(query.distinct()).scalars()}


def counts(db: Connection) -> tuple[int, int]:
    """How many articles there are, and how many of them are in no story yet."""
    return db.execute(select(func.count()).select_from(articles)).scalar_one(), count_ungrouped(db)


def count_ungrouped(db: Connection) -> int:
    """How many articles are in no story yet; costs nothing for those that are in one."""
    return db.execute(select(func.count()).select_from(articles).where(articles.c.story.is_(None))).scalar_one()


def count_between(db: Connection, since: datetime, until: datetime) -> int:
    """How many articles appeared between two moments, both included."""
    query = select(func.count()).select_from(articles).where(articles.c.time >= since, articles.c.time <= until)
    return db.execute(query).scalar_one()


def forget_story(db: Connection, ids: Iterable[StoryId]) -> None:
    """Take the articles of these stories out of them, so that they are grouped again."""
    for batch in batches(ids):
        db.execute(update(articles).where(articles.c.story.in_(batch)).values(story=None, copy_of=None))


def times(db: Connection, source: SourceId, since: datetime) -> list[datetime]:
    """When the articles of a source appeared, from then on, in order."""
    query = select(articles.c.time).where(articles.c.source == source, articles.c.time >= since)
    return list(db.execute(query.order_by(articles.c.time)).scalars())


_OF_SOURCE = articles.c.source == sources.c.id
_COUNTED = select(
    sources.c.id,
    select(func.count()).select_from(articles).where(_OF_SOURCE).scalar_subquery(),
    select(func.max(articles.c.time)).where(_OF_SOURCE).scalar_subquery(),
).where(among(sources.c.id))


def counted(db: Connection, ids: Iterable[SourceId]) -> dict[SourceId, tuple[int, datetime]]:
    """How many articles there are of each of these sources, and when the newest appeared; those with none are left away.

    It goes through what the index has of these sources and of no other, in a third of the time that grouping them takes.
    """
    return {
        SourceId(source): (n, latest)
        for batch in batches(dict.fromkeys(ids))
        for source, n, latest in db.execute(_COUNTED, {"ids": batch})
        if n
    }


_SINCE, _UNTIL = bindparam("since", type_=Time()), bindparam("until", type_=Time())
_NTH = (articles.c.time.cast(BigInteger) - _SINCE.cast(BigInteger)) // literal(DAY, BigInteger)
_BY_DAY = (
    # all days of a source in one row: of a hundred sources they would be 2,500 rows, which take longer than the counting
    select(articles.c.source, func.aggregate_strings(_NTH.cast(Text), ","))
    .where(articles.c.source.is_not(None), articles.c.time >= _SINCE, articles.c.time < _UNTIL)
    .group_by(articles.c.source)
)
_BY_DAY_AMONG = _BY_DAY.where(among(articles.c.source))


def by_day(
    db: Connection, since: datetime, days: int, ids: Iterable[SourceId] | None = None
) -> dict[SourceId, list[int]]:
    """How many articles each source, or each of these, had on each of so many days of 24 hours, the first beginning at
    `since`. One that had none then is left away."""
    of: dict[str, Any] = {"since": since, "until": since + timedelta(days=days)}
    rows = (
        db.execute(_BY_DAY, of)
        if ids is None
        else (row for batch in batches(dict.fromkeys(ids)) for row in db.execute(_BY_DAY_AMONG, {**of, "ids": batch}))
    )
    found: dict[SourceId, list[int]] = {}
    for source, told in rows:
        beat = found[SourceId(source)] = [0] * days
        for nth, n in Counter(told.split(",")).items():
            beat[int(nth)] = n
    return found
