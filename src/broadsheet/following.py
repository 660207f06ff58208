"""A reader's list of feeds: a source for each address, the subscriptions, and the list as OPML.

Commands, pages and programs all come here, so a folder is the same folder whoever made it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.errors import NotFound
from broadsheet.model import Reader, ReaderId, Source, SourceId, identify
from broadsheet.sources import opml
from broadsheet.sources.outlets import outlet_of

INSIDE = " / "  # between a folder and one that lies in it
AT_ONCE = 200  # feeds in one transaction: others who write wait no longer than these take


def follow(
    db: Connection,
    wanted: Sequence[opml.Subscription],
    now: datetime,
    *,
    reader: ReaderId | None = None,
    kind: str = "feed",
) -> list[tuple[Source, bool]]:
    """The source at each address, new (then True) or known, and the reader subscribed to all of them.

    A new one is asked at the next round. Without a reader the sources are only added. Raises `NotFound` where there is
    no such reader.
    """
    held = None if reader is None else _held(db, reader)
    found: list[tuple[Source, bool]] = []
    for one in wanted:
        known = store.sources.by_url(db, one.url)
        source = known or Source(
            id=SourceId(identify(one.url)), url=one.url, title=one.title, homepage=one.homepage, added=now,
            next_fetch=now, kind="sitemap" if "sitemap" in kind else "feed", outlet=outlet_of(one.homepage or one.url),
        )  # fmt: skip
        if known is None:
            store.sources.add(db, source)
        if reader is not None:
            store.sources.subscribe(
                db, reader, source.id, INSIDE.join(part.replace(INSIDE, "/") for part in one.folder)
            )
        found.append((source, known is None))
    if held is not None:
        _subscribed(db, held, held.subscriptions.union(source.id for source, _ in found))
    return found


def follow_all(
    engine: Engine, wanted: Sequence[opml.Subscription], now: datetime, *, reader: ReaderId | None = None
) -> tuple[int, int]:
    """A long list, some at a time: how many sources were new, and how many were known. To be run again if it is killed."""
    new = sum(is_new for _, is_new in follow_each(engine, wanted, now, reader=reader))
    return new, len(wanted) - new


def follow_each(
    engine: Engine, wanted: Sequence[opml.Subscription], now: datetime, *, reader: ReaderId | None = None
) -> list[tuple[Source, bool]]:
    """As `follow`, some at a time: others who write wait no longer than these take."""
    found: list[tuple[Source, bool]] = []
    for first in range(0, len(wanted), AT_ONCE):
        with engine.begin() as db:
            found += follow(db, wanted[first : first + AT_ONCE], now, reader=reader)
    return found


def unfollow(db: Connection, reader: ReaderId, source: SourceId) -> None:
    """The reader no longer subscribes to the source. Raises `NotFound` where there is no such reader."""
    held = _held(db, reader)
    store.sources.unsubscribe(db, reader, source)
    _subscribed(db, held, held.subscriptions - {source})


def put_back(db: Connection, reader: ReaderId, folders: Mapping[SourceId, str | None]) -> None:
    """The reader's sources lie in these folders again; those with None are no longer theirs. Sources that are gone stay so.

    Raises `NotFound` where there is no such reader.
    """
    held = _held(db, reader)
    here = {source.id for source in store.sources.many(db, folders)}
    for id_, folder in folders.items():
        if folder is None:
            store.sources.unsubscribe(db, reader, id_)
        elif id_ in here:
            store.sources.subscribe(db, reader, id_, folder)
    _subscribed(db, held, frozenset(store.sources.folders(db, reader)))


def _held(db: Connection, reader: ReaderId) -> Reader:
    held = store.readers.locked(db, reader)
    if held is None:
        raise NotFound("There is no such reader here.")
    return held[0]


def _subscribed(db: Connection, reader: Reader, now: frozenset[SourceId]) -> None:
    """The reader's profile says what the subscriptions say."""
    if now != reader.subscriptions:
        store.readers.save(db, replace(reader, subscriptions=now))


def followed(db: Connection, reader: ReaderId) -> list[opml.Subscription]:
    """What the reader subscribes to, as a list that any reader can read in."""
    return [
        opml.Subscription(
            url=s.url, title=s.title, homepage=s.homepage, folder=tuple(filter(None, folder.split(INSIDE)))
        )
        for s, folder in store.sources.subscriptions(db, reader)
    ]
