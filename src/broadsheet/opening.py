"""Opening an instance: its database, and the clock and window that were written into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import orjson
from sqlalchemy import Engine

from broadsheet import store
from broadsheet.config import Settings

_NOTE = "instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What a database says of itself: when it is read as of, how far back, and whose work it holds."""

    as_of: str = ""
    live: timedelta = timedelta(days=30)
    banner: str = ""
    credits: tuple[str, ...] = ()


def open_instance(settings: Settings) -> tuple[Engine, Settings]:
    """The settings' database, and the settings by which to read it.

    A database that was made to be read as of a moment (the demo's) says so itself, so that every command that opens it
    reads by the same clock. What the operator says of `as_of` goes before it.
    """
    engine = store.open(settings.database_url())
    said = instance_of(engine)
    if said.as_of and not settings.as_of:
        settings = replace(settings, as_of=said.as_of, live=said.live)
    return engine, settings


def instance_of(engine: Engine) -> Instance:
    """What the database says of itself; the defaults where it says nothing."""
    with engine.connect() as db:
        note = store.notes.get(db, _NOTE)
    if note is None:
        return Instance()
    said = orjson.loads(note)
    return Instance(
        as_of=said["as_of"],
        live=timedelta(seconds=said["live_seconds"]),
        banner=said["banner"],
        credits=tuple(said["credits"]),
    )


def describe_instance(engine: Engine, instance: Instance) -> None:
    """Write into the database what it is to say of itself, for whoever opens it next."""
    said = {
        "as_of": instance.as_of,
        "live_seconds": instance.live.total_seconds(),
        "banner": instance.banner,
        "credits": instance.credits,
    }
    with engine.begin() as db:
        store.notes.put(db, _NOTE, orjson.dumps(said).decode())
