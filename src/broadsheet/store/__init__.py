"""The only SQL: one function per question, connection first, nouns out. The caller owns the transaction.

engine = store.open("sqlite:///broadsheet.sqlite")      # or postgresql://...
with engine.begin() as db:                              # writes
    store.sources.add(db, source)
with engine.connect() as db:                            # reads
    story = store.stories.get(db, id)
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from broadsheet.errors import ConfigError, MissingExtra
from broadsheet.store import (
    articles,
    backup,
    changes,
    doctor,
    entries,
    feeds,
    instance,
    leases,
    manners,
    migrations,
    notes,
    quotes,
    readers,
    receipts,
    rechecks,
    regroupings,
    rejections,
    search,
    sources,
    stories,
    threads,
    versions,
)

__all__ = [
    "articles", "backup", "changes", "doctor", "entries", "feeds", "instance", "leases", "manners", "migrations", "notes", "open", "quotes", "readers", "receipts", "rechecks", "regroupings", "rejections", "search", "sources", "stories", "threads", "versions",
]  # fmt: skip

# How long a writer waits for another before it gives up. A batch of a job holds the lock for tenths of a second.
BUSY_SECONDS = 30


class _Immediate(Engine):
    """A SQLite engine whose `begin()` takes the write lock at once.

    A transaction that reads first and then wants to write fails at once with "database is locked" when another wrote in
    between, however long the busy timeout. `connect()` still reads without any lock.
    """

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connect() as db:
            db.info["write"] = True
            try:
                with db.begin():
                    yield db
            finally:
                db.info.pop("write", None)


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Turning a new file to WAL takes the whole of it, and SQLite does not wait for that as it waits for a writer."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _on_connect(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # this module says BEGIN itself
    cursor = raw.cursor()
    _write_ahead(cursor)
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        # With WAL a power cut may lose the last commits but never damages the file; the jobs do lost work again.
        "synchronous = NORMAL",
        "foreign_keys = ON",
        "cache_size = -8000",
        "temp_store = MEMORY",
        "journal_size_limit = 67108864",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(db: Connection) -> None:
    db.exec_driver_sql("BEGIN IMMEDIATE" if db.info.get("write") else "BEGIN")


def _sqlite(url: Any) -> Engine:
    memory = not url.database or url.database == ":memory:"
    if not memory and not url.database.startswith("file:"):
        folder = Path(url.database).expanduser().resolve().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise ConfigError(f"The database folder {folder} can't be made: {e.strerror}.") from e
        url = url.set(database=str(Path(url.database).expanduser()))
    options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    if memory:
        options["poolclass"] = StaticPool
    base = create_engine(url, **options)
    engine = _Immediate(base.pool, base.dialect, base.url)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _postgresql(url: Any) -> Engine:
    try:
        import psycopg  # noqa: F401
    except ImportError as e:
        raise MissingExtra("postgres", "PostgreSQL") from e
    return create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)


def open(url: str) -> Engine:  # noqa: A001
    """The database at that address, made if it is new (SQLite) and brought to this version of the program.

    Raises `ConfigError` where it can't be reached, or was written by a newer version.
    """
    try:
        address = make_url(url)
    except ArgumentError as e:
        raise ConfigError(f"{url!r} is not a database address: write sqlite:///PATH or postgresql://...") from e
    kind = address.get_backend_name()
    if kind == "sqlite":
        if sqlite3.sqlite_version_info < (3, 35):
            raise ConfigError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or later is needed.")
        engine = _sqlite(address)
    elif kind in ("postgresql", "postgres"):
        engine = _postgresql(address)
    else:
        raise ConfigError(f"Broadsheet keeps its data in SQLite or PostgreSQL, not in {kind}.")
    try:
        migrations.run(engine)
    except DatabaseError as e:
        engine.dispose()
        if type(e) not in (DatabaseError, OperationalError):  # a fault of ours, not of the file or the server
            raise
        reason = str(e.orig).strip().splitlines()[0]
        raise ConfigError(f"The database {address.render_as_string()} can't be opened: {reason}") from e
    except BaseException:
        engine.dispose()
        raise
    return engine
