"""Learn: events that the web did not fold into their readers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.model import Event, Reader, ReaderId, Story
from broadsheet.readers.profile import fold
from broadsheet.readers.profile import learn as learn_event


def learn(db: Engine) -> int:
    """Fold events into readers where the web has not done so; gives how many events."""
    with db.connect() as c:
        behind = store.readers.behind(c)
    folded = 0
    for id_ in behind:
        with db.begin() as c:
            folded += _fold_new(c, id_)
    return folded


def _fold_new(c: Connection, id_: ReaderId) -> int:
    held = store.readers.locked(c, id_)
    if held is None:
        return 0
    reader, last = held
    new = store.readers.events(c, id_, after=last)
    if not new:
        return 0
    if any(event.kind == "undo" for event in new):  # what was undone may be long folded in: begin again
        events = store.readers.events(c, id_)
        blank = Reader(id=reader.id, name=reader.name, created=reader.created, subscriptions=reader.subscriptions)
        reader = fold(blank, _with_stories(c, events))
    else:
        for event, story in _with_stories(c, new):
            reader = learn_event(reader, event, story)
    store.readers.save(c, reader, max(event.id for event in new if event.id is not None))
    return len(new)


def _with_stories(c: Connection, events: Sequence[Event]) -> list[tuple[Event, Story | None]]:
    stories = {id_: store.stories.get(c, id_) for id_ in {event.story for event in events if event.story}}
    return [(event, stories.get(event.story) if event.story else None) for event in events]
