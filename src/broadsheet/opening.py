"""Opening an instance: its database, and the clock and window that were written into it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from broadsheet import store
from broadsheet.config import Settings

_AS_OF, _LIVE = "as of", "live seconds"


def open_instance(settings: Settings) -> tuple[Engine, Settings]:
    """The settings' database, and the settings by which to read it.

    A database that was made to be read as of a moment (the demo's) says so itself, so that every command that opens it
    reads by the same clock. What the operator says of `as_of` goes before it.
    """
    engine = store.open(settings.database_url())
    with engine.connect() as db:
        as_of, live = store.notes.get(db, _AS_OF), store.notes.get(db, _LIVE)
    if as_of and live and not settings.as_of:
        settings = replace(settings, as_of=as_of, live=timedelta(seconds=float(live)))
    return engine, settings


def read_as_of(engine: Engine, settings: Settings) -> None:
    """Write the settings' clock and window into the database, for whoever opens it next."""
    with engine.begin() as db:
        store.notes.put(db, _AS_OF, settings.as_of)
        store.notes.put(db, _LIVE, str(settings.live.total_seconds()))
