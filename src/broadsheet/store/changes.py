"""What a reader just changed that is no event of theirs, as it was before: so that it can be taken back.

Kept here and not in an address: where a source of theirs lives may be a secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from broadsheet.model import EventId, ReaderId, SourceId
from broadsheet.store import notes
from broadsheet.store.types import to_json

KEPT = 20  # the last of a reader: whoever wants more back has forgotten what it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The folders that sources were in before (None: they were not the reader's), the sources that are new here by it, and
    the events that belong to it."""

    name: str = ""
    folders: Mapping[SourceId, str | None]
    new: tuple[SourceId, ...] = ()
    events: tuple[EventId, ...] = ()


def _note(reader: ReaderId) -> str:
    return f"changes {reader}"


def _kept(db: Connection, reader: ReaderId) -> list[dict[str, Any]]:
    written = notes.get(db, _note(reader))
    found: list[dict[str, Any]] = orjson.loads(written) if written else []
    return found


def keep(db: Connection, reader: ReaderId, change: Change) -> str:
    """Keep it, and give the name under which it can be taken back. The caller holds the reader."""
    name = secrets.token_hex(8)
    row = {"name": name, "folders": dict(change.folders), "new": list(change.new), "events": list(change.events)}
    notes.put(db, _note(reader), to_json([*_kept(db, reader), row][-KEPT:]))
    return name


def take(db: Connection, reader: ReaderId, name: str) -> Change | None:
    """The reader's change of that name, which is kept no longer; None where there is none. The caller holds the reader."""
    rows = _kept(db, reader)
    found = next((row for row in rows if row["name"] == name), None)
    if found is None:
        return None
    notes.put(db, _note(reader), to_json([row for row in rows if row is not found]))
    return Change(
        name=name,
        folders={SourceId(source): folder for source, folder in found["folders"].items()},
        new=tuple(map(SourceId, found["new"])),
        events=tuple(map(EventId, found["events"])),
    )


def forget(db: Connection, reader: ReaderId) -> None:
    """Nothing of it is kept any more."""
    notes.remove(db, _note(reader))


def between(before: Mapping[SourceId, str], after: Mapping[SourceId, str], new: Sequence[SourceId] = ()) -> Change:
    """What of a reader's list changed, as it was before."""
    moved = {
        source: before.get(source) for source in sorted({*before, *after}) if before.get(source) != after.get(source)
    }
    return Change(folders=moved, new=tuple(new))
