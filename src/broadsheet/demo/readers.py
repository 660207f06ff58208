"""The demo's three sample readers: what each follows and mutes, as the events that a person's taps would have made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from broadsheet.model import Event, Follow, FollowKind, Mute, ReaderId

TOPICS = {
    "01000000": "Arts, culture, entertainment and media",
    "02000000": "Crime, law and justice",
    "03000000": "Disaster, accident and emergency incident",
    "04000000": "Economy, business and finance",
    "06000000": "Environment",
    "07000000": "Health",
    "11000000": "Politics",
    "13000000": "Science and technology",
    "15000000": "Sport",
    "16000000": "Conflict, war and peace",
    "17000000": "Weather",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A reader, and what they told Broadsheet."""

    id: ReaderId
    name: str
    follows: tuple[tuple[FollowKind, str], ...]
    mutes: tuple[tuple[FollowKind, str, timedelta | None], ...] = ()


SAMPLES = (
    Sample(  # watches the Middle East
        id=ReaderId("amal"),
        name="Amal",
        follows=(
            ("topic", "16000000"),
            ("place", "Lebanon"),
            ("place", "Iran"),
            ("place", "Gaza"),
            ("organisation", "United Nations"),
            ("publisher", "Al Jazeera"),
        ),
        mutes=(("topic", "15000000", None),),
    ),
    Sample(  # sport, weather and the Americas
        id=ReaderId("bruno"),
        name="Bruno",
        follows=(
            ("topic", "15000000"),
            ("topic", "17000000"),
            ("topic", "03000000"),
            ("place", "Brazil"),
            ("place", "Mexico"),
            ("place", "Canada"),
        ),
        mutes=(("topic", "16000000", timedelta(days=30)),),
    ),
    Sample(  # money, science and health
        id=ReaderId("cleo"),
        name="Cleo",
        follows=(
            ("topic", "04000000"),
            ("topic", "13000000"),
            ("topic", "07000000"),
            ("place", "United Kingdom"),
            ("place", "Japan"),
            ("publisher", "The White House"),
        ),
        mutes=(("keyword", "airstrike", None), ("keyword", "drone", timedelta(days=7))),
    ),
)


def events_of(sample: Sample, now: datetime) -> Iterator[Event]:
    """The sample's follows and mutes as events at `now`."""
    for kind, value in sample.follows:
        follow = Follow(kind=kind, value=value, label=TOPICS.get(value, value), since=now)
        yield Event(reader=sample.id, kind="follow", at=now, follow=follow)
    for kind, value, length in sample.mutes:
        mute = Mute(kind=kind, value=value, label=TOPICS.get(value, value), until=now + length if length else None)
        yield Event(reader=sample.id, kind="mute", at=now, mute=mute)
