"""The newsstand: everything that the web app and the terminal ask for, sources included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from broadsheet import following, store
from broadsheet.errors import NotFound
from broadsheet.model import (
    EventId,
    ReaderId,
    Source,
    SourceId,
)
from broadsheet.readers.moving import read_export
from broadsheet.reading.instance import Instance
from broadsheet.sources import opml
from broadsheet.wording import phrase as _
from broadsheet.wording import plural


class Newsstand(Instance):
    """Feeds and pages for every reader of one store. May be used from many threads; any number may serve one store.

    >>> stand = Newsstand(store.open("sqlite:///news.sqlite"), Settings())  # doctest: +SKIP
    """

    def subscribe(self, reader_id: str, wanted: opml.Subscription) -> tuple[Source, bool]:
        """Subscribe a reader to a feed, adding the source if it is new (then True); it is fetched at once."""
        with self.engine.begin() as db:
            (found,) = following.follow(db, [wanted], self.now(), reader=ReaderId(reader_id))
        self._forget(ReaderId(reader_id))
        return found

    def subscribe_all(self, reader_id: str, wanted: Sequence[opml.Subscription]) -> tuple[int, int]:
        """Subscribe a reader to many; gives how many sources were new, and how many were known."""
        counts = following.follow_all(self.engine, wanted, self.now(), reader=ReaderId(reader_id))
        self._forget(ReaderId(reader_id))
        return counts

    def bring_all(self, reader_id: str, file: object) -> tuple[EventId, str]:
        """Take in an exported reader, subscriptions and all. Raises `InputError`; then nothing was taken in."""
        wanted = [
            opml.Subscription(url=url, title=title, folder=tuple(filter(None, [folder])))
            for url, title, folder in read_export(file).subscriptions
        ]
        event_id, told = self.bring(reader_id, file)
        if wanted:
            new, known = self.subscribe_all(reader_id, wanted)
            many = plural(
                "{told} {n} subscription, {new} of them to sources that are new here.",
                "{told} {n} subscriptions, {new} of them to sources that are new here.",
                new + known,
                told=told,
                new=new,
            )
            return event_id, many
        return event_id, told

    def unsubscribe(self, reader_id: str, source_id: str) -> None:
        with self.engine.begin() as db:
            following.unfollow(db, ReaderId(reader_id), SourceId(source_id))
        self._forget(ReaderId(reader_id))

    def subscriptions(self, reader_id: str) -> list[opml.Subscription]:
        with self.engine.connect() as db:
            return following.followed(db, ReaderId(reader_id))

    def source(self, source_id: str) -> Source:
        with self.engine.connect() as db:
            source = store.sources.get(db, SourceId(source_id))
        if source is None:
            raise NotFound(_("There is no such source here."))
        return source

    def set_polling(self, source_id: str, *, on: bool) -> Source:
        """Stop asking a source, or start again at once."""
        source = self.source(source_id)
        changed = replace(source, next_fetch=self.now() if on else None)
        if on:
            changed = replace(changed, gone=False, failures=0, problem="")
        with self.engine.begin() as db:
            store.sources.save(db, changed)
        return changed
