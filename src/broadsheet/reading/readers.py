"""Readers as the store has them, and what they do: recorded, learned from, undone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection

from broadsheet import store
from broadsheet.articles.passages import passages
from broadsheet.errors import InputError, NotFound
from broadsheet.model import (
    Event,
    EventId,
    Follow,
    Reader,
    ReaderId,
    Story,
    StoryId,
    identify,
)
from broadsheet.readers.events import check
from broadsheet.readers.joined import joined
from broadsheet.readers.ledger import Learned, Signal, ledger, signals
from broadsheet.readers.moving import FORMAT, read_export
from broadsheet.readers.profile import TEACHES, fold, learn, undone
from broadsheet.readers.regrouping import View, alone, view
from broadsheet.reading.paper import FEEDS_KEPT, Kept, Paper
from broadsheet.reading.shown import Live
from broadsheet.stories.describe import describe
from broadsheet.wording import in_a_row, plural
from broadsheet.wording import phrase as _

FORGOTTEN = TEACHES - {"saved", "hidden"} | {"shown", "set_weight", "erase_weight", "import", "forget"}
LEDGERS_KEPT = 8  # of those who look at theirs: page after page of it is worked out once
_BROUGHT: Mapping[str, Callable[[int], str]] = {
    "follows": lambda n: plural("{n} follow", "{n} follows", n),
    "mutes": lambda n: plural("{n} mute", "{n} mutes", n),
    "weights": lambda n: plural("{n} weight", "{n} weights", n),
    "saved": lambda n: plural("{n} saved story", "{n} saved", n),
}


class Readers(Paper):
    """Who reads here, and what they did."""

    def readers(self) -> list[Reader]:
        with self.looking() as db:
            return store.readers.all(db)

    def reader(self, reader_id: str) -> Reader:
        """Raises `NotFound` for a reader that is not here."""
        self.edition()  # what became of the stories that they know
        with self.looking() as db:
            return self._reader(db, ReaderId(reader_id))

    def _reader(self, db: Connection, reader_id: ReaderId) -> Reader:
        """The reader as the store has it now; what is written is made into a `Reader` only when it changed."""
        page = self._page()
        if page is None:
            return self._reader_now(db, reader_id)
        if reader_id not in page.readers:
            page.readers[reader_id] = self._reader_now(db, reader_id)
        return page.readers[reader_id]

    def _reader_now(self, db: Connection, reader_id: ReaderId) -> Reader:
        written = store.readers.written(db, reader_id)
        page, paper = self._page(), self._paper
        live = page.live if page is not None else paper
        into = live.absorbed if live else {}
        kept = self._readers.get(reader_id)
        if written is not None and kept is not None and kept.written == written and kept.into is into:
            return kept.reader
        own = self._written.get(reader_id)
        if own is not None and own[0] == written:  # this process wrote it
            read: Reader | None = own[1]
        else:
            read = store.readers.get(db, reader_id) if written is not None else None
        if written is None or read is None:
            raise NotFound(_("There is no such reader here."))
        seen = self._seen(db, read)
        reader = joined(read, {**into, **{part: into.get(whole, whole) for part, whole in seen.into.items()}})
        # what a reader sees as a part of another story is not shown beside it
        reader = replace(reader, hidden=reader.hidden | seen.into.keys()) if seen.into else reader
        with self._books:
            self._readers[reader_id] = Kept(written, into, reader, seen, profile_key(reader))
            self._readers.move_to_end(reader_id)
            while len(self._readers) > FEEDS_KEPT:
                self._readers.popitem(last=False)
        return reader

    def _seen(self, db: Connection, reader: Reader) -> View:
        """The stories as this reader sees them, where they see them otherwise than others do."""
        if not reader.regroupings:
            return View()
        named_ = {id_ for word in reader.regroupings for id_ in (word.one, word.other)}
        return view(reader.regroupings, store.articles.stories_of(db, named_))

    def _view(self, reader: Reader | None) -> View:
        kept = self._readers.get(reader.id) if reader is not None and reader.regroupings else None
        return kept.view if kept is not None else View()

    def _as_seen(self, db: Connection, paper: Live, reader: Reader | None, story: Story) -> Story:
        """The story as this reader sees it: with what they joined to it, without what they took out."""
        seen = self._view(reader)
        if story.id not in seen.out and story.id not in seen.into.values():
            return story
        parts = [story, *(self._stories(db, seen.parts(story.id)[1:]).values())]
        out = frozenset().union(*(seen.out.get(part.id, frozenset()) for part in parts))
        ids = tuple(id_ for part in parts for id_ in part.articles if id_ not in out)
        key = (story.id, story.last_seen, ids)
        if key not in self._regrouped:
            articles = [a for a in self._articles(db, ids).values() if self._may_read(paper, reader, a)]
            if not articles:
                return story
            said = store.quotes.speakers(db, (a.id for a in articles))
            self._regrouped[key] = replace(describe(story.id, articles, passages, said), thread=story.thread)
            while len(self._regrouped) > FEEDS_KEPT:
                self._regrouped.popitem(last=False)
        return self._regrouped[key]

    def _own_story(self, db: Connection, reader: Reader, story_id: str) -> Story | None:
        """The story of an article that this reader took out of another; None for any other id."""
        for story, out in self._view(reader).out.items():
            for article in out:
                if alone(article) == story_id and story != story_id:
                    found = self._articles(db, [article])
                    said = store.quotes.speakers(db, found)
                    return describe(StoryId(story_id), list(found.values()), passages, said) if found else None
        return None

    def _key_of(self, reader: Reader) -> object:
        kept = self._readers.get(reader.id)
        return kept.key if kept is not None and kept.reader is reader else profile_key(reader)

    def add_reader(self, name: str, follows: Sequence[Follow] = (), languages: Sequence[str] = ()) -> Reader:
        """A new reader who follows these. Raises `InputError` for a name that is empty, too long or taken."""
        name = " ".join(name.split())
        if not name:
            raise InputError(_("Give the reader a name."))
        if len(name) > 60:
            raise InputError(_("A name has at most 60 characters."))
        now = self.now()
        with self.engine.begin() as db:
            if any(other.name.casefold() == name.casefold() for other in store.readers.all(db)):
                raise InputError(
                    _("There is a reader named {name} already: choose another name, or read as {name}.", name=name)
                )
            reader = Reader(id=ReaderId(identify("reader", name, now.isoformat())), name=name, created=now)
            store.readers.add(db, reader)
        events = [Event(reader=reader.id, kind="follow", at=now, follow=replace(f, since=now)) for f in follows]
        if languages:
            events.append(Event(reader=reader.id, kind="settings", at=now, settings={"languages": list(languages)}))
        if events:
            self._record(reader.id, events)
        return self.reader(reader.id)

    def erase(self, reader_id: str) -> None:
        """Forget the reader and everything that was recorded of them."""
        with self._turn(ReaderId(reader_id)), self.engine.begin() as db:
            store.readers.erase(db, ReaderId(reader_id))
        self._forget(ReaderId(reader_id))
        with self._counting:
            self._crowd.forget(ReaderId(reader_id))
        with self._books:
            self._readers.pop(ReaderId(reader_id), None)

    def export(self, reader_id: str) -> dict[str, Any]:
        """Everything that is kept of a reader, as JSON can say it."""
        with self.looking() as db:
            reader = self._reader(db, ReaderId(reader_id))
            events = store.readers.events(db, reader.id)
            subscriptions = store.sources.subscriptions(db, reader.id)
            read = store.versions.all_read_by(db, reader.id)
        kept = asdict(replace(reader, weights={}, interest=b"", disinterest=b"", hidden=frozenset()))
        kept["weights"] = [{"kind": k[0], "of": k[1], **asdict(w)} for k, w in reader.weights.items()]
        kept["interest"], kept["disinterest"] = reader.interest.hex(), reader.disinterest.hex()
        kept["hidden"] = sorted(reader.hidden)
        kept["subscriptions"] = [{"url": source.url, "title": source.title, "folder": f} for source, f in subscriptions]
        kept["read"] = [{"article": article, "at": at} for article, at in read]
        return {
            "format": FORMAT,
            "vector_model": self._vector_model(),
            "reader": kept,
            "events": [_said(asdict(event)) for event in events],
        }

    def _vector_model(self) -> str:
        """The model whose vectors the live stories have."""
        ids = self.edition().edition.ids[:50]
        with self.looking() as db:
            return next((story.vector_model for story in self._stories(db, ids).values() if story.vector), "")

    def bring(self, reader_id: str, file: object) -> tuple[EventId, str]:
        """Take in an exported reader's profile, as one event that can be undone, and say in a sentence what came.

        Raises `InputError` that names the first thing that is wrong; then nothing was taken in. What the file subscribes
        to is not in it: see `Newsstand.bring_all`.
        """
        brought = read_export(file)
        strange = bool(brought.profile["interest"]) and brought.vector_model != self._vector_model()
        if strange:  # the numbers of another model would mean other things here
            brought = brought.without_vectors()
        event = Event(reader=ReaderId(reader_id), kind="import", at=self.now(), settings=brought.profile)
        event_id = self.act(reader_id, event)
        counted = [said(n) for name, said in _BROUGHT.items() if (n := len(brought.profile[name]))]
        told = in_a_row(counted) if counted else _("nothing")
        if strange:
            return event_id, _(
                "Brought along: {told}. The likeness of texts is learned anew: it is of another model.", told=told
            )
        return event_id, _("Brought along: {told}.", told=told)

    def signals(self, reader_id: str) -> list[Signal]:
        """Everything that was learned from, the latest first, with what each changed."""
        with self.looking() as db:
            reader = self._reader(db, ReaderId(reader_id))
            events = [e for e in store.readers.events(db, reader.id) if e.kind not in ("shown", "settings")]
            key = (self.edition().version, len(events), events[-1].id if events else None)
            kept = self._signals.get(reader.id)
            if kept is not None and kept[0] == key:
                return kept[1]
            stories = self._stories(db, {event.story for event in events if event.story})
        blank = Reader(id=reader.id)
        made = signals([(event, stories.get(event.story) if event.story else None) for event in events], blank)
        with self._books:
            self._signals[reader.id] = (key, made)
            while len(self._signals) > LEDGERS_KEPT:
                self._signals.popitem(last=False)
        return made

    def undo_between(self, reader_id: str, since: datetime, until: datetime) -> tuple[EventId, int]:
        """As if nothing had been learned in that time: one event, which can be undone; and how many it takes back.

        Raises `NotFound` where nothing was learned then.
        """
        rows = [
            row.event.id
            for row in self.signals(reader_id)
            if row.event.kind in TEACHES and since <= row.event.at <= until and row.event.id and row.undone_by is None
        ]
        if not rows:
            raise NotFound(_("Nothing was learned in that time."))
        undo = Event(
            reader=ReaderId(reader_id),
            kind="undo",
            at=self.now(),
            target=EventId(min(rows)),
            through=EventId(max(rows)),
        )
        return self.act(reader_id, undo), len(rows)

    def forget_learned(self, reader_id: str) -> None:
        """Remove what the reader opened, read, was shown and asked for, and all that was learned from it. For good.

        Follows, mutes, settings, and what was saved or hidden stay.
        """
        id_, now = ReaderId(reader_id), self.now()
        with self._turn(id_), self.engine.begin() as db:
            held = store.readers.locked(db, id_)
            if held is None:
                raise NotFound(_("There is no such reader here."))
            (last,) = store.readers.record(db, [Event(reader=id_, kind="forget", at=now)])
            events = store.readers.events(db, id_)
            kept_saved = undone(events)
            gone = [
                e.id for e in events
                if e.id is not None and e.id != last
                and (e.kind in FORGOTTEN or (e.kind in ("saved", "hidden") and e.id in kept_saved))
            ]  # fmt: skip
            left = {e.id for e in events} - set(gone)
            gone += [e.id for e in events if e.kind == "undo" and e.id is not None and e.target not in left]
            store.readers.forget(db, id_, gone)
            store.feeds.forget(db, id_)
            store.readers.save(db, self._refolded(db, held[0]), last)
        self._forget(id_)
        with self._counting:
            self._crowd.forget(ReaderId(reader_id))

    def ledger(self, reader_id: str) -> list[Learned]:
        """Everything that was learned of a reader, the strongest first."""
        return ledger(self.reader(reader_id), self.now())

    def act(self, reader_id: str, event: Event, once: str = "") -> EventId:
        """Record what a reader did, learn from it, and say which event it was, so that it can be undone.

        What was sent before under the same name `once` is not done again: a device that did not hear the answer may ask
        as often as it likes.
        """
        return self._record(ReaderId(reader_id), [event], once)[-1]

    def undo(self, reader_id: str, event_id: int) -> EventId:
        """As if the event had never been. Raises `NotFound` when this reader has no such event."""
        undone = Event(reader=ReaderId(reader_id), kind="undo", at=self.now(), target=EventId(event_id))
        return self.act(reader_id, undone)

    def _record(self, reader_id: ReaderId, events: Sequence[Event], once: str = "") -> list[EventId]:
        now = self.now()
        events = [check(replace(event, reader=reader_id, at=event.at or now, id=None)) for event in events]
        with self._turn(reader_id), self.engine.begin() as db:
            held = store.readers.locked(db, reader_id, self._written.get(reader_id))
            if held is None:
                raise NotFound(_("There is no such reader here."))
            reader, folded = held
            if once and (done := store.receipts.of(db, reader_id, once)) is not None:
                return [done]
            for event in events:
                if event.kind == "undo":
                    self._check_undo(db, reader_id, event)
            ids = store.readers.record(db, events)
            if once:
                store.receipts.save(db, reader_id, once, ids[-1], now)
            # what another process recorded and did not fold is folded here too
            waiting = store.readers.events(db, reader_id, after=folded)
            if any(event.kind == "undo" for event in waiting):
                reader = self._refolded(db, reader)
            else:
                stories = self._stories(db, {event.story for event in waiting if event.story})
                for event in waiting:
                    reader = learn(reader, event, stories.get(event.story) if event.story else None)
            written = store.readers.save(db, reader, max((event.id for event in waiting if event.id), default=folded))
        with self._books:
            self._written[reader_id] = written, reader
            self._written.move_to_end(reader_id)
            while len(self._written) > FEEDS_KEPT:
                self._written.popitem(last=False)
        if any(event.kind not in ("shown", "dwelled", "opened") for event in events):
            self._forget(reader_id)
        return ids

    def _check_undo(self, db: Connection, reader_id: ReaderId, undo: Event) -> None:
        known = {event.id for event in store.readers.events(db, reader_id)}
        if undo.target not in known:
            raise NotFound(_("There is nothing to undo: that was never done, or by another reader."))

    def _refolded(self, db: Connection, reader: Reader) -> Reader:
        """The reader as the events alone make them: how undo works, and how a damaged profile is mended."""
        events = store.readers.events(db, reader.id)
        stories = self._stories(db, {event.story for event in events if event.story})
        blank = Reader(id=reader.id, name=reader.name, created=reader.created, subscriptions=reader.subscriptions)
        return fold(blank, [(event, stories.get(event.story) if event.story else None) for event in events])

    @contextmanager
    def _turn(self, reader_id: ReaderId) -> Iterator[None]:
        """One event at a time for a reader: two clicks at once must both count."""
        with self._acting_guard:
            lock = self._acting.setdefault(reader_id, threading.RLock())
        with lock:
            yield

    def _forget(self, reader_id: ReaderId) -> None:
        with self._books:
            self._feeds.pop(reader_id, None)


def profile_key(reader: Reader) -> object:
    """What of a reader decides the feed, cheaply: what was merely shown must not shuffle the page under them."""
    return (
        reader.follows, reader.mutes, reader.saved, len(reader.hidden), len(reader.opened), reader.scope,
        reader.languages, reader.interest, reader.disinterest, len(reader.weights), reader.subscriptions,
        tuple(reader.tuning.items()), reader.home, tuple(reader.budget.items()), tuple((k, w.value, w.pinned) for k, w in reader.weights.items()),
    )  # fmt: skip


def _said(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in cast(dict[str, Any], value).items() if part is not None}
