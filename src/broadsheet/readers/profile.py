"""A reader is a fold over events: the same events always give the same reader, and one left out is as if it never was."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from broadsheet.model import Event, Reader, SourceId, Story, Weight, WeightKey, bytes_of, named, vector_of
from broadsheet.readers import follows, moving
from broadsheet.readers.events import MOST_PRESETS, valid_settings
from broadsheet.readers.regrouping import regroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How much each act teaches, and how fast it is forgotten."""

    half_life: timedelta = timedelta(days=30)  # of a learned weight and of the vectors of what was read
    opened: float = 0.2
    read: float = 0.3  # on top of `opened`, for as long a look as `read_time`; less for a shorter one
    read_time: timedelta = timedelta(minutes=3)
    bounce: float = -0.25  # a look shorter than `bounce_time`: more than takes back the opening
    bounce_time: timedelta = timedelta(seconds=5)
    saved: float = 0.6
    shared: float = 0.6
    more: float = 1.0
    less: float = -1.0
    hidden: float = -0.4
    # To have been shown and not opened says little: a page shows thirty stories and one or two are opened. At -0.02 a
    # newcomer who only looked was told within days to pass over what they follow. The story itself makes room anyway
    # (`fatigue`); its subjects are left alone.
    shown: float = 0.0
    limit: float = 3.0  # no learned weight is larger
    entities: int = 6  # the most that one story teaches of names
    kept: int = 500  # learned weights; the weakest go first


TEACHES = frozenset({"opened", "dwelled", "saved", "shared", "more", "less", "hidden"})
"""Kinds of events from which weights are learned. (`shown` teaches nothing of subjects: see `Learning.shown`.)"""


def faded(weight: Weight, now: datetime, rules: Learning = Learning()) -> float:
    """What the weight is worth now: half as much after each half-life, unless the reader set it by hand."""
    if weight.pinned:
        return weight.value
    return weight.value * _remaining(weight.at, now, rules.half_life)


def _remaining(since: datetime, now: datetime, half_life: timedelta) -> float:
    return float(2.0 ** -(max((now - since).total_seconds(), 0.0) / half_life.total_seconds()))


_NOTHING_LEARNED: dict[str, Any] = {
    "weights": {}, "interest": b"", "interest_mass": 0.0, "interest_at": None, "disinterest": b"",
    "disinterest_mass": 0.0, "opened": {}, "shown": {},
}  # fmt: skip


def learn(reader: Reader, event: Event, story: Story | None, rules: Learning = Learning()) -> Reader:
    """The reader after the event. An undo is `fold`'s business: it changes which events there are, so here it does nothing."""
    match event.kind:
        case "follow" if event.follow:
            return follows.follow(reader, event.follow, event.at)
        case "unfollow" if event.follow:
            return follows.unfollow(reader, event.follow)
        case "mute" if event.mute:
            return follows.mute(reader, event.mute)
        case "unmute" if event.mute:
            return follows.unmute(reader, event.mute)
        case "set_weight" if event.weight:
            return _pin(reader, event.weight[0], event.weight[1], event.at, rules)
        case "erase_weight" if event.weight:
            kept = {key: weight for key, weight in reader.weights.items() if key != event.weight[0]}
            return replace(reader, weights=kept)
        case "settings":
            return _settle(reader, event.settings)
        case "forget":
            return replace(reader, **_NOTHING_LEARNED)
        case "import" if event.settings is not None:
            return moving.merged(reader, event.settings, event.at, rules.half_life)
        case "merge" | "split" if event.regrouping:
            return replace(reader, regroupings=regroup(reader, event.regrouping))
    if event.story is None:
        return reader
    reader = _remember(reader, event)
    amount = _taught(event, rules)
    return _learn_from(reader, story, amount, event, rules) if story is not None and amount else reader


def fold(reader: Reader, events: Sequence[tuple[Event, Story | None]], rules: Learning = Learning()) -> Reader:
    """The reader after all the events in order, less those that were undone (an undo can itself be undone)."""
    held = _Held(reader)
    for event, story in standing(events):
        if event.kind in _COMMON and event.story is not None:
            held.take(event, story, rules)
        else:
            held = _Held(learn(held.reader(), event, story, rules))
    return held.reader()


_COMMON = frozenset({"shown", "opened", "dwelled", "saved", "unsaved", "shared", "more", "less", "hidden", "unhidden"})


class _Held:
    """A reader in the midst of a fold: what nearly every event changes is held open, not made anew each time, so that an
    event costs what it touches, however much the reader has read (2,000 stories shown and 500 weights: 180 microseconds
    an event, most of them spent on copies and on sorting)."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._weights = _Weights(reader.weights)
        self._shown, self._opened = dict(reader.shown), dict(reader.opened)
        self._saved, self._hidden = dict.fromkeys(reader.saved), set(reader.hidden)
        self._taste = _Taste.of(reader)

    def take(self, event: Event, story: Story | None, rules: Learning) -> None:
        """The same as `learn`, for what is done with a story."""
        id = event.story  # noqa: A001
        assert id is not None
        match event.kind:
            case "shown" if id not in self._opened:
                self._shown[id] = self._shown.get(id, 0) + 1
            case "opened":
                self._opened[id] = event.at
                self._shown.pop(id, None)
            case "saved" | "unsaved":
                self._saved.pop(id, None)
                if event.kind == "saved":
                    self._saved[id] = None
            case "hidden":
                self._hidden.add(id)
            case "unhidden":
                self._hidden.discard(id)
        amount = _taught(event, rules)
        if story is not None and amount:
            self._weights.teach(story, amount, event, rules)
            if event.kind != "shown":
                self._taste = self._taste.moved(story, amount, event.at, rules)

    def reader(self) -> Reader:
        return replace(
            self._reader,
            weights=self._weights.made(),
            shown=self._shown,
            opened=self._opened,
            saved=tuple(self._saved),
            hidden=frozenset(self._hidden),
            **self._taste._asdict(),
        )


class _Open:
    """A weight that is being learned."""

    __slots__ = ("at", "came_from", "label", "since", "value")

    def __init__(self, value: float, at: datetime, label: str, since: datetime, came_from: dict[str, int]) -> None:
        self.value, self.at, self.label, self.since, self.came_from = value, at, label, since, came_from

    pinned = False  # a pinned one is not learned over


class _Weights:
    """Learned weights in the midst of a fold: those that were touched are open, the others as they were."""

    def __init__(self, weights: Mapping[WeightKey, Weight]) -> None:
        self._every: dict[WeightKey, Weight | _Open] = dict(weights)
        self._ranks: dict[WeightKey, tuple[bool, float, WeightKey]] = {}  # of those not touched since they were sorted

    def teach(self, story: Story, amount: float, event: Event, rules: Learning) -> None:
        at, kind, limit, half = event.at, event.kind, rules.limit, rules.half_life.total_seconds()
        every, ranks = self._every, self._ranks
        for key, label, strength in subjects(story, rules):
            value = amount * strength
            ranks.pop(key, None)
            old = every.get(key)
            if old is None:
                every[key] = _Open(max(-limit, min(limit, value)), at, label, at, {kind: 1})
                continue
            if old.pinned:
                continue
            if isinstance(old, Weight):
                every[key] = old = _Open(old.value, old.at, old.label, old.since or at, dict(old.came_from))
            value += old.value * 2.0 ** -(max((at - old.at).total_seconds(), 0.0) / half)
            old.value = max(-limit, min(limit, value))
            old.at = max(at, old.at)
            old.label = label or old.label
            old.came_from[kind] = old.came_from.get(kind, 0) + 1
        if len(every) > rules.kept + rules.kept // 10:  # sorted now and then, not at every event
            self._forget_weakest(rules)

    def _forget_weakest(self, rules: Learning) -> None:
        """Keep the pinned, and those that are worth most.

        All that is learned fades at one rate, so which of two is worth more is the same at any time: what each was worth
        in 1970, as a logarithm, tells it, and changes only when the weight is touched.
        """
        half, ranks = rules.half_life.total_seconds(), self._ranks
        for key, w in self._every.items():
            if key not in ranks:
                lasting = math.log2(abs(w.value)) + w.at.timestamp() / half if w.value else -math.inf
                ranks[key] = (not w.pinned, -lasting, key)
        order = sorted(self._every, key=ranks.__getitem__)
        for key in order[rules.kept :]:
            if ranks[key][0]:
                del self._every[key], ranks[key]

    def made(self) -> dict[WeightKey, Weight]:
        """As they are then; what is made is not touched again."""
        return {
            key: w
            if isinstance(w, Weight)
            else Weight(value=w.value, at=w.at, label=w.label, since=w.since, came_from=dict(w.came_from))
            for key, w in self._every.items()
        }


def standing(events: Sequence[tuple[Event, Story | None]]) -> Iterator[tuple[Event, Story | None]]:
    """The events that count: no undo, and nothing that one takes back."""
    gone = undone(event for event, _ in events)
    return ((e, s) for e, s in events if e.kind != "undo" and (e.id is None or e.id not in gone))


def undone(events: Iterable[Event]) -> set[int]:
    """Ids of the events that no longer count. The last word holds, so an undone undo undoes nothing."""
    every = list(events)
    gone: set[int] = set()
    for event in reversed(every):
        if event.kind == "undo" and event.target is not None and (event.id is None or event.id not in gone):
            gone.update(taken_back(event, every))
    return gone


def taken_back(undo: Event, events: Sequence[Event]) -> Iterator[int]:
    """The events that an undo takes back: the one that it names, or all of a range that taught something."""
    if undo.target is None:
        return
    if undo.through is None:
        yield undo.target
        return
    for event in events:
        if event.id is not None and undo.target <= event.id <= undo.through and event.kind in TEACHES:
            yield event.id


def _taught(event: Event, rules: Learning) -> float:
    match event.kind:
        case "opened":
            return rules.opened
        case "dwelled":
            seconds = event.seconds or 0.0
            if seconds < rules.bounce_time.total_seconds():
                return rules.bounce
            full = math.log1p(rules.read_time.total_seconds())
            return rules.read * min(math.log1p(seconds) / full, 1.0)
        case "saved":
            return rules.saved
        case "shared":
            return rules.shared
        case "more":
            return rules.more
        case "less":
            return rules.less
        case "hidden":
            return rules.hidden
        case "shown":
            return rules.shown
    return 0.0


def _remember(reader: Reader, event: Event) -> Reader:
    """What was shown, opened, saved and hidden."""
    story = event.story
    assert story is not None
    match event.kind:
        case "shown" if story not in reader.opened:
            return replace(reader, shown={**reader.shown, story: reader.shown.get(story, 0) + 1})
        case "opened":
            shown = {id: times for id, times in reader.shown.items() if id != story}  # noqa: A001
            return replace(reader, opened={**reader.opened, story: event.at}, shown=shown)
        case "saved":
            return replace(reader, saved=(*(id for id in reader.saved if id != story), story))  # noqa: A001
        case "unsaved":
            return replace(reader, saved=tuple(id for id in reader.saved if id != story))  # noqa: A001
        case "hidden":
            return replace(reader, hidden=reader.hidden | {story})
        case "unhidden":
            return replace(reader, hidden=reader.hidden - {story})
    return reader


_named = lru_cache(maxsize=1 << 14)(named)  # the same few names are learned from again and again


def subjects(story: Story, rules: Learning = Learning()) -> list[tuple[WeightKey, str, float]]:
    """What a story is about and who reports it: key, label, and how much (0 to 1)."""
    found: dict[WeightKey, tuple[str, float]] = {}
    for topic in story.topics:
        found.setdefault(("topic", topic.id), (topic.label, topic.weight))
    most = max((entity.count for entity in story.entities), default=1)
    ranked = sorted(story.entities, key=lambda entity: (-entity.count, entity.text))
    for entity in ranked[: rules.entities]:
        found.setdefault(("entity", _named(entity.text)), (entity.text, max(entity.count, 1) / max(most, 1)))
    for publisher in story.publishers:  # the more publishers, the less opening it says of any one of them
        found.setdefault(("publisher", _named(publisher)), (publisher, 0.5 / len(story.publishers)))
    for author in story.authors:
        found.setdefault(("author", _named(author)), (author, 0.5 / len(story.authors)))
    return [(key, label, strength) for key, (label, strength) in found.items()]


def _learn_from(reader: Reader, story: Story, amount: float, event: Event, rules: Learning) -> Reader:
    weights = _Weights(reader.weights)
    weights.teach(story, amount, event, rules)
    reader = replace(reader, weights=weights.made())
    if event.kind == "shown":
        return reader
    return replace(reader, **_Taste.of(reader).moved(story, amount, event.at, rules)._asdict())


class _Taste(NamedTuple):
    """The fading means of what was read and of what was sent away: those fields of a reader."""

    interest: bytes
    interest_mass: float
    disinterest: bytes
    disinterest_mass: float
    interest_at: datetime | None

    @classmethod
    def of(cls, reader: Reader) -> _Taste:
        return cls(
            reader.interest, reader.interest_mass, reader.disinterest, reader.disinterest_mass, reader.interest_at
        )

    def moved(self, story: Story, amount: float, now: datetime, rules: Learning) -> _Taste:
        """The mean of what was read (or sent away) moves towards the story."""
        if not story.vector:
            return self
        liked = amount > 0
        held, mass = (self.interest, self.interest_mass) if liked else (self.disinterest, self.disinterest_mass)
        since = self.interest_at or now
        remaining = _remaining(since, now, rules.half_life)
        vector = vector_of(story.vector)
        weight = mass * remaining
        if len(held) == len(story.vector):
            mean = vector_of(held) * weight
        else:  # nothing yet, or vectors of another model, which say nothing of this one
            mean, weight = np.zeros_like(vector), 0.0
        new_mass = weight + abs(amount)
        at, to = max(now, since), bytes_of((mean + vector * abs(amount)) / new_mass)
        if liked:
            return _Taste(to, new_mass, self.disinterest, self.disinterest_mass * remaining, at)
        return _Taste(self.interest, self.interest_mass * remaining, to, new_mass, at)


def _pin(reader: Reader, key: WeightKey, value: float, at: datetime, rules: Learning) -> Reader:
    if not math.isfinite(value):
        return reader
    old = reader.weights.get(key)
    pinned = Weight(
        value=max(-rules.limit, min(rules.limit, value)),
        at=at,
        label=old.label if old else key[1],
        pinned=True,
        since=(old.since if old else None) or at,
        came_from={**(old.came_from if old else {}), "set_weight": 1},
    )
    return replace(reader, weights={**reader.weights, key: pinned})


def _settle(reader: Reader, settings: Mapping[str, object] | None) -> Reader:
    given = valid_settings(settings)
    if "name" in given:
        given["name"] = given["name"].strip()
    if "languages" in given:
        given["languages"] = tuple(dict.fromkeys(code.lower() for code in given["languages"]))
    if "subscriptions" in given:
        given["subscriptions"] = frozenset(SourceId(id) for id in given["subscriptions"])  # noqa: A001
    if "tuning" in given:  # one signal at a time: the others keep theirs, and 1 is the same as never tuned
        tuned = {**reader.tuning, **{signal: float(x) for signal, x in given["tuning"].items()}}
        given["tuning"] = {signal: x for signal, x in tuned.items() if x != 1.0}
    if "home" in given:
        given["home"] = tuple(dict.fromkeys(" ".join(place.split()) for place in given["home"]))
    if "budget" in given:  # a rule of nothing is none: no "at most 0 %", and "at least 0 %" asks for nothing
        budget = {**reader.budget, **{rule: float(x) for rule, x in given["budget"].items()}}
        given["budget"] = {rule: x for rule, x in budget.items() if x > 0}
    if "presets" in given:  # one name at a time; None takes it away, and the oldest make room
        presets = {**reader.presets, **{name.strip(): values for name, values in given["presets"].items()}}
        kept = [(name, dict(values)) for name, values in presets.items() if values is not None]
        given["presets"] = dict(kept[-MOST_PRESETS:])
    return replace(reader, **given) if given else reader
