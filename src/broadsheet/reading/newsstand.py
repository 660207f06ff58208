"""The newsstand: everything that the web app and the terminal ask for, sources included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from broadsheet import following, store
from broadsheet.errors import NotFound
from broadsheet.model import (
    Event,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """What came of subscribing."""

    found: tuple[tuple[Source, bool], ...]  # the source at each address, and whether it was not here before
    change: str  # the name under which it can be taken back; empty where it changed nothing

    @property
    def new(self) -> int:
        return sum(is_new for _, is_new in self.found)

    @property
    def known(self) -> int:
        return len(self.found) - self.new


class Newsstand(Instance):
    """Feeds and pages for every reader of one store. May be used from many threads; any number may serve one store.

    >>> stand = Newsstand(store.open("sqlite:///news.sqlite"), Settings())  # doctest: +SKIP
    """

    def subscribe(self, reader_id: str, wanted: opml.Subscription) -> Subscribed:
        """Subscribe a reader to a feed, adding the source if it is new; it is fetched at once."""
        return self.subscribe_all(reader_id, [wanted])

    def subscribe_all(
        self, reader_id: str, wanted: Sequence[opml.Subscription], events: Sequence[EventId] = ()
    ) -> Subscribed:
        """Subscribe a reader to many; `events` are taken back together with it."""
        id_ = ReaderId(reader_id)
        with self.engine.connect() as db:
            before = store.sources.folders(db, id_)
        found = following.follow_each(self.engine, wanted, self.now(), reader=id_)
        change = self._changed(id_, before, [source.id for source, is_new in found if is_new], events)
        return Subscribed(found=tuple(found), change=change)

    def unsubscribe(self, reader_id: str, source_id: str) -> str:
        """The source is no longer the reader's; gives the name under which that can be taken back."""
        id_ = ReaderId(reader_id)
        with self.engine.begin() as db:
            before = store.sources.folders(db, id_)
            following.unfollow(db, id_, SourceId(source_id))
        return self._changed(id_, before)

    def _changed(
        self,
        reader: ReaderId,
        before: Mapping[SourceId, str],
        new: Sequence[SourceId] = (),
        events: Sequence[EventId] = (),
    ) -> str:
        """What the reader's list was before is kept; gives the name of that. Nothing changed, nothing kept: no name."""
        self._forget(reader)
        with self._turn(reader), self.engine.begin() as db:
            change = store.changes.between(before, store.sources.folders(db, reader), new)
            if not (change.folders or events) or store.readers.locked(db, reader) is None:
                return ""
            return store.changes.keep(db, reader, replace(change, events=tuple(events)))

    def together(self, reader_id: str, events: Sequence[EventId]) -> str:
        """The name under which these events of the reader are taken back as one."""
        return self._changed(ReaderId(reader_id), self.folders(reader_id), (), events)

    def folders(self, reader_id: str) -> dict[SourceId, str]:
        """The reader's sources, with the folder of each."""
        with self.engine.connect() as db:
            return store.sources.folders(db, ReaderId(reader_id))

    def take_back(self, reader_id: str, change: str) -> None:
        """As it was before that change. What was new here by it and nobody else reads goes again.

        Raises `NotFound` where there is none of that name: it was taken back, or it is long ago.
        """
        id_ = ReaderId(reader_id)
        with self._turn(id_), self.engine.begin() as db:
            if store.readers.locked(db, id_) is None:
                raise NotFound(_("There is no such reader here."))
            kept = store.changes.take(db, id_, change)
            if kept is None:
                raise NotFound(_("There is nothing to undo: it was undone already, or it was too long ago."))
            following.put_back(db, id_, kept.folders)
            for source in store.sources.unread(db, kept.new):
                store.sources.remove(db, source)
            done = {event.id for event in store.readers.events(db, id_)}
        undo = [Event(reader=id_, kind="undo", at=self.now(), target=event) for event in kept.events if event in done]
        if undo:
            self._record(id_, undo)
        self._forget(id_)

    def bring_all(self, reader_id: str, file: object) -> tuple[EventId, str, str]:
        """Take in an exported reader, subscriptions and all: the event, what came in a sentence, and the name under which
        all of it can be taken back. Raises `InputError`; then nothing was taken in."""
        wanted = [
            opml.Subscription(url=url, title=title, folder=tuple(filter(None, [folder])))
            for url, title, folder in read_export(file).subscriptions
        ]
        event_id, told = self.bring(reader_id, file)
        came = self.subscribe_all(reader_id, wanted, [event_id])
        if wanted:
            told = plural(
                "{told} {n} subscription, {new} of them to sources that are new here.",
                "{told} {n} subscriptions, {new} of them to sources that are new here.",
                came.new + came.known,
                told=told,
                new=came.new,
            )
        return event_id, told, came.change

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
