"""Nouns as JSON and back. Small parts are lists, not objects: a month of stories holds hundreds of thousands of them."""

from __future__ import annotations

import base64
from datetime import datetime
from functools import lru_cache
from typing import Any

from broadsheet.model import (
    ArticleId,
    Enclosure,
    Entity,
    EntityType,
    Event,
    EventId,
    FeedId,
    FeedItem,
    Follow,
    Moment,
    Mute,
    Outlet,
    Passage,
    Reader,
    ReaderId,
    Reason,
    Regrouping,
    Repair,
    SourceId,
    StoryId,
    Topic,
    Weight,
)
from broadsheet.store.types import EPOCH, MICROSECOND, microseconds

Json = Any


def time_out(time: datetime | None) -> int | None:
    return None if time is None else microseconds(time)


def time_in(kept: int | None) -> datetime | None:
    return None if kept is None else EPOCH + kept * MICROSECOND


def _time(kept: int) -> datetime:
    return EPOCH + kept * MICROSECOND


def outlet_out(outlet: Outlet | None) -> Json:
    if outlet is None:
        return None
    return [outlet.name, outlet.domain, outlet.country, outlet.owner, outlet.kind]


def outlet_in(kept: Json) -> Outlet | None:
    if kept is None:
        return None
    name, domain, country, owner, kind = kept
    return Outlet(name=name, domain=domain, country=country, owner=owner, kind=kind)


def enclosures_out(enclosures: tuple[Enclosure, ...]) -> Json:
    return [[e.url, e.type, e.length] for e in enclosures]


def enclosures_in(kept: Json) -> tuple[Enclosure, ...]:
    return tuple(Enclosure(url=url, type=type_, length=length) for url, type_, length in kept)


def entities_out(entities: tuple[Entity, ...]) -> Json:
    return [[e.text, e.type, e.count] for e in entities]


# The same names and topics stand in thousands of stories: one object stands for those of a page or a batch.
@lru_cache(maxsize=1 << 14)
def _entity(text: str, type_: EntityType, count: int) -> Entity:
    return Entity(text=text, type=type_, count=count)


@lru_cache(maxsize=1 << 12)
def _topic(id_: str, label: str, weight: float) -> Topic:
    return Topic(id=id_, label=label, weight=weight)


def entities_in(kept: Json) -> tuple[Entity, ...]:
    return tuple([_entity(text, type_, count) for text, type_, count in kept])


def topics_out(topics: tuple[Topic, ...]) -> Json:
    return [[t.id, t.label, float(t.weight)] for t in topics]


def topics_in(kept: Json) -> tuple[Topic, ...]:
    return tuple([_topic(id_, label, weight) for id_, label, weight in kept])


def passages_out(passages: tuple[Passage, ...]) -> Json:
    return [[p.article, p.text, p.start, p.end] for p in passages]


def passages_in(kept: Json) -> tuple[Passage, ...]:
    return tuple(
        [Passage(article=ArticleId(article), text=text, start=start, end=end) for article, text, start, end in kept]
    )


def timeline_out(timeline: tuple[Moment, ...]) -> Json:
    return [[microseconds(m.date), m.sentence, m.article, m.start, m.end] for m in timeline]


def timeline_in(kept: Json) -> tuple[Moment, ...]:
    return tuple(
        [
            # lines kept by earlier versions have no place in the text
            Moment(
                date=_time(date),
                sentence=sentence,
                article=ArticleId(article),
                start=place[0] if place else None,
                end=place[1] if place else None,
            )
            for date, sentence, article, *place in kept
        ]
    )


def follow_out(follow: Follow | None) -> Json:
    return None if follow is None else [follow.kind, follow.value, follow.label, time_out(follow.since)]


def follow_in(kept: Json) -> Follow | None:
    if kept is None:
        return None
    kind, value, label, since = kept
    return Follow(kind=kind, value=value, label=label, since=time_in(since))


def mute_out(mute: Mute | None) -> Json:
    return None if mute is None else [mute.kind, mute.value, mute.label, time_out(mute.until)]


def mute_in(kept: Json) -> Mute | None:
    if kept is None:
        return None
    kind, value, label, until = kept
    return Mute(kind=kind, value=value, label=label, until=time_in(until))


def _weight_in(kept: Json) -> Any:
    return None if kept is None else ((kept[0][0], kept[0][1]), kept[1])


def _bytes_out(value: bytes) -> str:
    return base64.b64encode(value).decode()


def reader_out(reader: Reader) -> Json:
    """The whole reader but for its name, which has a column."""
    return {
        "follows": [follow_out(f) for f in reader.follows],
        "mutes": [mute_out(m) for m in reader.mutes],
        "weights": [
            [
                kind,
                value,
                float(w.value),
                microseconds(w.at),
                w.label,
                w.pinned,
                time_out(w.since),
                dict(w.came_from),
            ]
            for (kind, value), w in reader.weights.items()
        ],
        "interest": [_bytes_out(reader.interest), float(reader.interest_mass), time_out(reader.interest_at)],
        "disinterest": [_bytes_out(reader.disinterest), float(reader.disinterest_mass)],
        "languages": list(reader.languages),
        "scope": reader.scope,
        "subscriptions": sorted(reader.subscriptions),
        "images": reader.images,
        "page_language": reader.page_language,
        "tuning": dict(reader.tuning),
        "presets": {name: dict(values) for name, values in reader.presets.items()},
        "home": list(reader.home),
        "budget": dict(reader.budget),
        "saved": list(reader.saved),
        "hidden": sorted(reader.hidden),
        "opened": [[story, microseconds(at)] for story, at in reader.opened.items()],
        "shown": list(reader.shown.items()),
        "regroupings": [regrouping_out(word) for word in reader.regroupings],
    }


def reader_in(id_: str, name: str, created: datetime | None, kept: Json) -> Reader:
    interest, interest_mass, interest_at = kept["interest"]
    disinterest, disinterest_mass = kept["disinterest"]
    return Reader(
        id=ReaderId(id_),
        name=name,
        created=created,
        follows=tuple(f for f in map(follow_in, kept["follows"]) if f is not None),
        mutes=tuple(m for m in map(mute_in, kept["mutes"]) if m is not None),
        weights={
            (kind, value): Weight(
                value=weight, at=_time(at), label=label, pinned=pinned, since=time_in(since), came_from=came_from
            )
            for kind, value, weight, at, label, pinned, since, came_from in kept["weights"]
        },
        interest=base64.b64decode(interest),
        interest_mass=interest_mass,
        interest_at=time_in(interest_at),
        disinterest=base64.b64decode(disinterest),
        disinterest_mass=disinterest_mass,
        languages=tuple(kept["languages"]),
        scope=kept["scope"],
        subscriptions=frozenset(SourceId(s) for s in kept["subscriptions"]),
        images=kept["images"],
        page_language=kept.get("page_language", ""),
        tuning=kept["tuning"],
        presets=kept.get("presets", {}),
        home=tuple(kept.get("home", ())),
        budget=kept.get("budget", {}),
        saved=tuple(StoryId(s) for s in kept["saved"]),
        hidden=frozenset(StoryId(s) for s in kept["hidden"]),
        opened={StoryId(story): _time(at) for story, at in kept["opened"]},
        shown={StoryId(story): times for story, times in kept["shown"]},
        regroupings=tuple(w for w in map(regrouping_in, kept.get("regroupings", ())) if w is not None),
    )


def event_out(event: Event) -> Json:
    """What of an event has no column of its own."""
    every = {
        "position": event.position,
        "seconds": event.seconds,
        "target": event.target,
        "through": event.through,
        "follow": follow_out(event.follow),
        "mute": mute_out(event.mute),
        "weight": None if event.weight is None else [list(event.weight[0]), float(event.weight[1])],
        "settings": None if event.settings is None else dict(event.settings),
        "regrouping": regrouping_out(event.regrouping),
    }
    return {name: value for name, value in every.items() if value is not None}


def event_in(row: Any) -> Event:
    kept = row.payload
    return Event(
        id=EventId(row.id),
        reader=ReaderId(row.reader),
        kind=row.kind,
        at=row.at,
        story=None if row.story is None else StoryId(row.story),
        article=None if row.article is None else ArticleId(row.article),
        feed=None if row.feed is None else FeedId(row.feed),
        position=kept.get("position"),
        seconds=kept.get("seconds"),
        target=None if (target := kept.get("target")) is None else EventId(target),
        through=None if (through := kept.get("through")) is None else EventId(through),
        follow=follow_in(kept.get("follow")),
        mute=mute_in(kept.get("mute")),
        weight=_weight_in(kept.get("weight")),
        settings=kept.get("settings"),
        regrouping=regrouping_in(kept.get("regrouping")),
    )


def regrouping_out(word: Regrouping | None) -> Json:
    return None if word is None else [word.one, word.other, word.same]


def regrouping_in(kept: Json) -> Regrouping | None:
    return None if kept is None else Regrouping(one=ArticleId(kept[0]), other=ArticleId(kept[1]), same=bool(kept[2]))


def _repair_out(repair: Repair | None) -> Json:
    if repair is None:
        return None
    return [
        repair.label,
        repair.kind,
        follow_out(repair.follow),
        mute_out(repair.mute),
        None if repair.weight is None else [list(repair.weight[0]), float(repair.weight[1])],
        None if repair.settings is None else dict(repair.settings),
    ]


def _repair_in(kept: Json) -> Repair | None:
    if kept is None:
        return None
    label, kind, follow, mute, weight, settings = kept
    return Repair(
        label=label,
        kind=kind,
        follow=follow_in(follow),
        mute=mute_in(mute),
        weight=_weight_in(weight),
        settings=settings,
    )


def items_out(items: tuple[FeedItem, ...], positions: tuple[int, ...]) -> Json:
    """Position, story, reasons and chance of every item."""
    return [
        [
            position,
            item.story,
            [[r.signal, float(r.points), r.fact, _repair_out(r.repair)] for r in item.reasons],
            item.chance,
        ]
        for position, item in zip(positions, items, strict=True)
    ]


def items_in(kept: Json) -> tuple[FeedItem, ...]:
    return tuple(
        FeedItem(
            story=StoryId(story),
            reasons=tuple(
                Reason(signal=signal, points=points, fact=fact, repair=_repair_in(repair))
                for signal, points, fact, repair in reasons
            ),
            chance=more[0] if more else None,  # feeds logged before it was
        )
        for _, story, reasons, *more in kept
    )
