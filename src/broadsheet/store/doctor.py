"""What is wrong with a database, in sentences. An empty list means well."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select, text

from broadsheet.store import entries, migrations
from broadsheet.store.schema import articles, leases, readers, sources, stories
from broadsheet.store.schema import entries as announced
from broadsheet.store.schema import events as log

_SIGNS_ARE_LETTERS = (
    "SELECT broadsheet_plain(U&'\\201C') = ' ' AND NOT EXISTS (SELECT FROM information_schema.columns WHERE table_schema = "
    "current_schema() AND table_name = 'articles' AND column_name = 'document' AND position('broadsheet_plain' IN generation_expression) > 0)"
)


def _is_deaf(db: Connection) -> bool:
    """Whether the words beside typographic signs are not found, as an index made by an earlier version has it."""
    return db.dialect.name == "postgresql" and bool(db.exec_driver_sql(_SIGNS_ARE_LETTERS).scalar_one())


def _damage(db: Connection) -> list[str]:
    if _is_deaf(db):
        return [
            "This server takes quotation marks for letters, so search does not find the words beside them: "
            "`broadsheet doctor --mend` indexes the articles anew."
        ]
    if db.dialect.name != "sqlite":
        return []
    found = [str(row[0]) for row in db.exec_driver_sql("PRAGMA integrity_check(10)") if row[0] != "ok"]
    sentences = [f"The database file is damaged: {what}. Restore a backup." for what in found]
    if db.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        sentences.append("Some rows point at readers or sources that do not exist. Restore a backup.")
    try:
        db.exec_driver_sql("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
    except Exception as e:
        sentences.append(
            f"The search index does not match the articles ({type(e).__name__}): run `broadsheet doctor --mend`."
        )
    return sentences


def check(db: Connection, now: datetime) -> list[str]:
    """Look at everything that can be wrong; one sentence for each thing, with what to do."""
    sentences = _damage(db)

    def many(count: int, one: str, more: str, what: str) -> None:
        if count:
            sentences.append(f"{one if count == 1 else f'{count} {more}'} {what}")

    known = len(migrations.known(db.dialect.name))
    if (at := migrations.version(db)) != known:
        sentences.append(f"The database is at version {at}, this Broadsheet at {known}.")

    alive = select(stories.c.id).where(stories.c.survivor.is_(None))
    lost = select(func.count()).select_from(articles).where(
        articles.c.story.is_not(None), articles.c.story.not_in(alive)
    )  # fmt: skip
    many(
        db.execute(lost).scalar_one(), "1 article is", "articles are",
        "in a story that does not exist: `broadsheet doctor --mend` groups again.",
    )  # fmt: skip
    filled = select(articles.c.story).where(articles.c.story.is_not(None))
    empty = select(func.count()).select_from(stories).where(
        stories.c.survivor.is_(None), stories.c.id.not_in(filled)
    )  # fmt: skip
    many(db.execute(empty).scalar_one(), "1 story has", "stories have", "no article.")

    stuck = now - timedelta(hours=1)
    held = select(func.count()).select_from(sources).where(sources.c.claimed_until < stuck)
    many(
        db.execute(held).scalar_one(), "1 source was", "sources were",
        "taken by a worker that never came back; the next `broadsheet refresh` takes over.",
    )  # fmt: skip
    left = select(func.count()).select_from(announced).where(~announced.c.done, announced.c.claimed_until < stuck)
    many(
        db.execute(left).scalar_one(), "1 entry was", "entries were",
        "taken by a worker that never came back; the next `broadsheet refresh` takes over.",
    )  # fmt: skip
    poison = len(entries.given_up(db, now))
    many(
        poison, "1 entry was", "entries were",
        f"tried {entries.ATTEMPTS} times and never finished; the next `broadsheet refresh` drops them with a reason.",
    )  # fmt: skip
    for row in db.execute(select(leases).where(leases.c.until < stuck)):
        sentences.append(
            f"{row.held_by} stopped without giving back the lease of {row.name}; the next worker takes it."
        )

    failing = select(func.count()).select_from(sources).where(sources.c.failures >= 5)
    many(
        db.execute(failing).scalar_one(), "1 source has", "sources have",
        "failed 5 times in a row or more: see their problems on the sources page.",
    )  # fmt: skip
    ahead = select(func.count()).select_from(sources).where(
        or_(sources.c.next_fetch.is_(None), sources.c.next_fetch > now + timedelta(days=30)),
        ~sources.c.gone, sources.c.problem == "",
    )  # fmt: skip
    many(db.execute(ahead).scalar_one(), "1 source is", "sources are", "never asked and nobody said why.")
    newest = select(func.coalesce(func.max(log.c.id), 0)).scalar_subquery()
    torn = select(func.count()).select_from(readers).where(readers.c.last_event > newest)
    many(
        db.execute(torn).scalar_one(), "1 reader knows", "readers know",
        "of events that are not in the log: a part of the database was lost.",
    )  # fmt: skip
    return sentences


def mend(db: Connection) -> list[str]:
    """Put right what can be put right with nothing lost; says what was done."""
    done = []
    alive = select(stories.c.id).where(stories.c.survivor.is_(None))
    lost = db.execute(
        articles.update().where(articles.c.story.is_not(None), articles.c.story.not_in(alive)).values(story=None)
    ).rowcount
    if lost:
        done.append(f"{lost} articles will be grouped again.")
    if db.dialect.name == "sqlite":
        db.execute(text("INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')"))
        done.append("The search index was built anew.")
    elif _is_deaf(db):
        db.exec_driver_sql("CALL broadsheet_index_anew()")
        done.append("The search index was built anew.")
    return done
