"""Names under which readers' devices sent what was done, so that what is sent twice counts once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from broadsheet.model import EventId, ReaderId
from broadsheet.store.rows import upsert
from broadsheet.store.schema import receipts

KEPT = timedelta(days=60)  # a device that was away for longer may be counted twice


def of(db: Connection, reader: ReaderId, name: str) -> EventId | None:
    """The event that the reader sent under this name; None if they sent none."""
    found = db.execute(select(receipts.c.event).where(receipts.c.reader == reader, receipts.c.name == name)).scalar()
    return None if found is None else EventId(found)


def save(db: Connection, reader: ReaderId, name: str, event: EventId, at: datetime) -> None:
    """Remember the name, and forget those that are old."""
    db.execute(delete(receipts).where(receipts.c.at < at - KEPT))
    upsert(db, receipts, [{"reader": reader, "name": name, "event": event, "at": at}], key=("reader", "name"))
