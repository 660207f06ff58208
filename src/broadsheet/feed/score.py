"""What speaks for a story and against it: one scorer a signal, each with its settings, its points and its facts.

A scorer gives its points twice: for all stories at once (`points`, arrays) and for one story with the facts behind
them (`reasons`); a law in the tests holds the two equal. To add one: write the class, put it in `SCORERS`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from broadsheet.feed.edition import Edition, Floats, Rows
from broadsheet.model import Follow, Reader, Reason, Repair, WeightKey, vector_of

HOUR = 3600.0
SLACK = 1e-4  # float32 sums of a few hundred products are right to about 1e-6


class Desk:
    """One feed being made: the reader, the edition, the clock and one random number, with what scorers share."""

    def __init__(self, reader: Reader, edition: Edition, now: datetime, seed: int) -> None:
        self.reader = reader
        self.edition = edition
        self.now = now
        self.clock = now.timestamp()
        self.seed = seed
        self.focus: Rows = np.zeros(0, np.int64)  # rows whose reasons are about to be asked for
        self.repairs: dict[tuple[str, str, float], Repair] = {}

    @cached_property
    def age_hours(self) -> Floats:
        """Hours since each story's last article. What claims to come from the future is as old as now."""
        return np.maximum(self.clock - self.edition.last_seen, 0.0) / HOUR

    @cached_property
    def chance(self) -> Floats:
        """A number in [0, 1) for each story, from the seed and the story's id alone: no other story changes it."""
        mixed = self.edition.hashes + np.uint64(self.seed)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # splitmix64
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        return (mixed ^ (mixed >> np.uint64(31))).astype(np.float64) / 2.0**64

    @cached_property
    def followed(self) -> list[tuple[Follow, Rows, Floats]]:
        """Each follow with the stories it is about."""
        return [(follow, *self.edition.about(follow.kind, follow.value)) for follow in self.reader.follows]

    @cached_property
    def tastes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Which way the reader's reading points, and which way what was sent away does: of length 1."""
        means = vector_of(self.reader.interest), vector_of(self.reader.disinterest)
        liked, disliked = (mean / max(np.float32(np.linalg.norm(mean)), np.float32(1e-9)) for mean in means)
        return liked, disliked

    @cached_property
    def followed_stories(self) -> frozenset[str]:
        return frozenset(follow.value for follow in self.reader.follows if follow.kind == "story")

    @cached_property
    def met(self) -> dict[int, list[tuple[Follow, float]]]:
        """Which follows the rows in focus meet, and how strongly: looked up for all of them together."""
        met: dict[int, list[tuple[Follow, float]]] = {row: [] for row in self.focus.tolist()}
        for follow, rows, strength in self.followed:
            if len(rows):
                places = np.minimum(rows.searchsorted(self.focus), len(rows) - 1)
                here = rows[places] == self.focus
                for row, x in zip(self.focus[here].tolist(), strength[places[here]].tolist(), strict=True):
                    met[row].append((follow, x))
        return met

    def look(self, rows: Sequence[int]) -> None:
        """Say which rows come next, so that what is common to their reasons is worked out once."""
        self.focus = np.array(rows, np.int64)
        self.__dict__.pop("met", None)

    def tuned(self, signal: str) -> float:
        return max(float(self.reader.tuning.get(signal, 1.0)), 0.0)


class Scorer(Protocol):
    """Points for stories, and the facts behind the points."""

    @property
    def signal(self) -> str: ...

    def points(self, desk: Desk) -> Floats:
        """Points of every row of the edition."""
        ...

    def reasons(self, desk: Desk, row: int) -> Iterable[Reason]:
        """The reasons of one row: their points add up to `points(desk)[row]`."""
        ...


def because(signal: str, points: float, fact: str, repair: Repair | None = None) -> Reason:
    return Reason(signal=signal, points=points, fact=fact, repair=repair)


def turn(signal: str, label: str, desk: Desk, to: float = 0.5) -> Repair:
    """The repair of a signal that is no one thing's: turn it down (or up) for this reader."""
    repair = desk.repairs.get((signal, label, to))
    if repair is None:
        settings = {"tuning": {signal: round(desk.tuned(signal) * to, 3)}}
        repair = desk.repairs[signal, label, to] = Repair(label=label, kind="settings", settings=settings)
    return repair


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """What the reader chose by hand. Each follow that is met gives its own points, so unfollowing is subtraction."""

    signal: ClassVar[str] = "follows"
    story: float = 3.0
    keyword: float = 1.6
    person: float = 1.6
    organisation: float = 1.4
    place: float = 1.1
    topic: float = 1.2
    publisher: float = 1.0

    def points(self, desk: Desk) -> Floats:
        total = np.zeros(len(desk.edition))
        for follow, rows, strength in desk.followed:
            total[rows] += self._worth(desk, follow) * _felt(strength)
        return total

    def reasons(self, desk: Desk, row: int) -> Iterator[Reason]:
        if row not in desk.met:
            desk.look([row])
        for follow, strength in desk.met[row]:
            worth = self._worth(desk, follow) * (0.5 + 0.5 * min(max(strength, 0.0), 1.0))
            if not worth:
                continue
            label = follow.label or follow.value
            fact = "you follow this story" if follow.kind == "story" else f"you follow {label}"
            undo = "Unfollow this story" if follow.kind == "story" else f"Unfollow {label}"
            yield because(self.signal, worth, fact, Repair(label=undo, kind="unfollow", follow=follow))

    def _worth(self, desk: Desk, follow: Follow) -> float:
        return float(getattr(self, follow.kind)) * desk.tuned(self.signal)


def _felt(strength: Floats) -> Floats:
    """A passing mention counts half of what the main subject does: followed is followed."""
    return 0.5 + 0.5 * np.clip(strength, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What was learned from what the reader did: a weight for each topic, name and publisher, fading."""

    signal: ClassVar[str] = "interest"
    weight: float = 0.6
    half_life: timedelta = timedelta(days=30)  # the same as `readers.profile.Learning.half_life`

    def points(self, desk: Desk) -> Floats:
        total = np.zeros(len(desk.edition))
        by_kind: dict[str, dict[str, float]] = {"topic": {}, "entity": {}, "publisher": {}}
        for (kind, name), value in self.now(desk).items():
            by_kind[kind][name] = value
        edition = desk.edition
        for kind, table in (("topic", edition.topics), ("entity", edition.entities), ("publisher", edition.publishers)):
            if by_kind[kind]:
                total += table.sum(by_kind[kind], len(edition))
        return total * (self.weight * desk.tuned(self.signal))

    def now(self, desk: Desk) -> dict[WeightKey, float]:
        """What each learned weight is worth now."""
        rate = -math.log(2.0) / self.half_life.total_seconds()
        clock, exp = desk.clock, math.exp
        return {
            key: w.value if w.pinned else w.value * exp(rate * max(clock - w.at.timestamp(), 0.0))
            for key, w in desk.reader.weights.items()
        }

    def reasons(self, desk: Desk, row: int) -> Iterator[Reason]:
        edition, weights = desk.edition, desk.reader.weights
        factor = self.weight * desk.tuned(self.signal)
        rate = -math.log(2.0) / self.half_life.total_seconds()
        kinds = (("topic", edition.topics), ("entity", edition.entities), ("publisher", edition.publishers))
        for kind, table in kinds:
            for name, strength in table.of(row):
                weight = weights.get((kind, name))  # type: ignore[arg-type]
                if weight is None:
                    continue
                faded = 1.0 if weight.pinned else math.exp(rate * max(desk.clock - weight.at.timestamp(), 0.0))
                points = factor * weight.value * faded * strength
                if points == 0.0:
                    continue
                label = weight.label or name
                repair = Repair(label=f"Forget {label}", kind="erase_weight", weight=((kind, name), 0.0))  # type: ignore[arg-type]
                yield because(self.signal, points, _habit(kind, label, points > 0, weight.pinned), repair)


def _habit(kind: str, label: str, liked: bool, pinned: bool) -> str:
    if pinned:
        return f"you set {label} {'up' if liked else 'down'}"
    if liked:
        return f"you often read {label}" if kind == "publisher" else f"you often read about {label}"
    return f"you pass over {label}" if kind == "publisher" else f"you pass over stories about {label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How near the story's text is to the texts that were read, less how near it is to those sent away.

    The one signal that reads every vector, so it is asked only of stories whose other points leave them a chance;
    `bounds` says what it can give at most and at least.
    """

    signal: ClassVar[str] = "likeness"
    weight: float = 1.5
    against: float = 1.0
    floor: float = 0.15  # cosine of two stories that have nothing to do with each other
    settled: float = 2.0  # how much reading until it counts half

    def bounds(self, desk: Desk) -> tuple[float, float]:
        liked, disliked = self._factors(desk)
        return -disliked, liked

    def _factors(self, desk: Desk) -> tuple[float, float]:
        reader, size = desk.reader, desk.edition.vectors.shape[1]
        tuned = desk.tuned(self.signal)
        liked = reader.interest_mass if len(reader.interest) == 2 * size and size else 0.0
        disliked = reader.disinterest_mass if len(reader.disinterest) == 2 * size and size else 0.0
        return (
            tuned * self.weight * liked / (liked + self.settled),
            tuned * self.against * disliked / (disliked + self.settled),
        )

    def rough(self, desk: Desk, rows: Rows | None = None) -> Floats:
        """Points to within `SLACK`, fast: the last digits of a matrix product depend on which rows are asked together."""
        vectors = desk.edition.vectors if rows is None else desk.edition.vectors[rows]
        total = np.zeros(len(vectors))
        for sign, factor, mean in self._sides(desk):
            total += sign * factor * self._near(vectors @ mean)
        return total

    def parts(self, desk: Desk, rows: Rows) -> tuple[Floats, Floats]:
        """Points for and points against, row by row, so that a row's points are the same in any company."""
        given = {1: np.zeros(len(rows)), -1: np.zeros(len(rows))}
        vectors = desk.edition.vectors[rows]
        for sign, factor, mean in self._sides(desk):
            given[sign] = sign * factor * self._near((vectors * mean).sum(axis=1))
        return given[1], given[-1]

    def _sides(self, desk: Desk) -> Iterator[tuple[int, float, NDArray[np.float32]]]:
        for sign, factor, mean in zip((1, -1), self._factors(desk), desk.tastes, strict=True):
            if factor:
                yield sign, factor, mean

    def _near(self, cosine: NDArray[np.float32]) -> Floats:
        return np.clip((cosine.astype(np.float64) - self.floor) / (1.0 - self.floor), 0.0, 1.0)

    def points(self, desk: Desk) -> Floats:
        liked, disliked = self.parts(desk, np.arange(len(desk.edition)))
        return liked + disliked

    def reasons(self, desk: Desk, row: int) -> Iterator[Reason]:
        liked, disliked = self.parts(desk, np.array([row]))
        if liked[0]:
            repair = turn(self.signal, "Count less what I read before", desk)
            yield because(self.signal, float(liked[0]), "it is like what you read before", repair)
        if disliked[0]:
            repair = turn(self.signal, "Count less what I sent away", desk)
            yield because(self.signal, float(disliked[0]), "it is like what you sent away", repair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How many publishers report it with their own text, and how fast they came."""

    signal: ClassVar[str] = "importance"
    weight: float = 1.4  # for `many` independent publishers
    many: float = 32.0
    speed: float = 0.5  # for `fast` publishers an hour
    fast: float = 8.0

    def points(self, desk: Desk) -> Floats:
        edition = desk.edition
        breadth = self.weight * np.log2(edition.independent) / math.log2(self.many)
        return (breadth + self._pace(edition.independent, edition.velocity)) * desk.tuned(self.signal)

    def _pace(self, independent: Floats, velocity: Floats) -> Floats:
        """Speed says something only where more than one publisher came."""
        return np.where(independent > 1, self.speed * np.log2(1.0 + velocity) / math.log2(1.0 + self.fast), 0.0)

    def reasons(self, desk: Desk, row: int) -> Iterator[Reason]:
        one = slice(row, row + 1)
        independent, velocity = desk.edition.independent[one], desk.edition.velocity[one]
        tuned = desk.tuned(self.signal)
        repair = turn(self.signal, "Turn down importance", desk)
        if independent[0] > 1:
            points = tuned * self.weight * math.log2(independent[0]) / math.log2(self.many)
            yield because(self.signal, points, f"{int(independent[0])} publishers report it", repair)
        if speed := tuned * float(self._pace(independent, velocity)[0]):
            said = f"{velocity[0]:.0f}" if velocity[0] >= 2 else f"{velocity[0]:.2g}"
            yield because(self.signal, speed, f"it spread at {said} publishers an hour on its first day", repair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """New before old: `weight` for what is being published now, nothing at one half-life, and less without end.

    The logarithm is that of "hot" rankings: a story twice as old needs a fixed number of points more, so a strong
    follow can bring back last week's story and nothing brings back last month's by being merely popular.
    """

    signal: ClassVar[str] = "freshness"
    weight: float = 1.0
    half_life: timedelta = timedelta(hours=12)

    def points(self, desk: Desk) -> Floats:
        half = self.half_life.total_seconds() / HOUR
        return self.weight * desk.tuned(self.signal) * (1.0 - np.log2(1.0 + desk.age_hours / half))

    def reasons(self, desk: Desk, row: int) -> Iterator[Reason]:
        half = self.half_life.total_seconds() / HOUR
        hours = float(desk.age_hours[row])
        points = self.weight * desk.tuned(self.signal) * (1.0 - math.log2(1.0 + hours / half))
        if points:
            new = desk.edition.rows[row].articles < 2
            said = f"{'published' if new else 'last reported'} {ago(hours)}"
            label = "Mind less how new a story is" if points < 0 else "Turn down freshness"
            yield because(self.signal, points, said, turn(self.signal, label, desk))


def ago(hours: float) -> str:
    """`5 minutes ago`, `2 hours ago`, `3 days ago`."""
    minutes = int(hours * 60)
    if minutes < 1:
        return "just now"
    for size, unit in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            n = minutes // size
            return f"{n} {unit}{'' if n == 1 else 's'} ago"
    raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A publisher that seldom publishes is not drowned by those that never stop."""

    signal: ClassVar[str] = "quiet"
    weight: float = 0.6  # for one that publishes next to nothing
    loud: float = 6.0  # stories a day from which on there is nothing to protect

    def points(self, desk: Desk) -> Floats:
        return self.weight * desk.tuned(self.signal) * self._calm(desk.edition.pace)

    def _calm(self, pace: Floats) -> Floats:
        return np.clip(1.0 - np.log2(1.0 + pace) / math.log2(1.0 + self.loud), 0.0, 1.0)

    def reasons(self, desk: Desk, row: int) -> Iterator[Reason]:
        pace = desk.edition.pace[row : row + 1]
        points = self.weight * desk.tuned(self.signal) * float(self._calm(pace)[0])
        if points:
            edition = desk.edition
            counts = edition.publishers.counts()
            name = min(
                (n for n, _ in edition.publishers.of(row)), key=lambda n: (counts[edition.publishers.vocabulary[n]], n)
            )
            written = next((p for p in edition.rows[row].publishers if " ".join(p.casefold().split()) == name), name)
            repair = turn(self.signal, "Favour seldom-publishing sources less", desk)
            yield because(self.signal, points, f"{written} publishes seldom: {often(float(pace[0]))}", repair)


def often(per_day: float) -> str:
    """`3 stories a day`, `2 stories a week`, `1 story a month`."""
    for days, unit in ((1, "day"), (7, "week"), (30, "month")):
        if per_day * days >= 0.95 or days == 30:
            n = max(round(per_day * days), 1)
            return f"about {n} {'story' if n == 1 else 'stories'} a {unit}"
    raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """Now and then something drawn by lot, and it says so: without it a feed only ever confirms itself."""

    signal: ClassVar[str] = "exploration"
    weight: float = 1.5
    share: float = 0.01  # of the stories

    def points(self, desk: Desk) -> Floats:
        return np.where(desk.chance < self.share, self.weight * desk.tuned(self.signal), 0.0)

    def reasons(self, desk: Desk, row: int) -> Iterator[Reason]:
        points = self.weight * desk.tuned(self.signal)
        if points and desk.chance[row] < self.share:
            repair = turn(self.signal, "No stories drawn by lot", desk, to=0.0)
            yield because(self.signal, points, "it was drawn by lot, to show you something you did not ask for", repair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fatigue:
    """What was seen and left, or read and has nothing new, makes room; what was read and moved on comes back."""

    signal: ClassVar[str] = "fatigue"
    shown: float = 0.35  # taken for each doubling of the times shown and not opened
    read: float = 4.0  # taken when it was opened and nothing came since
    update: float = 0.6  # given when articles came since it was opened
    update_followed: float = 2.0  # the same for a story that the reader follows

    def points(self, desk: Desk) -> Floats:
        total = np.zeros(len(desk.edition))
        for row, points, _ in self._each(desk):
            total[row] += points
        return total

    def reasons(self, desk: Desk, row: int) -> Iterator[Reason]:
        for _, points, fact in self._each(desk, row):
            repair = turn(self.signal, "Turn this down" if points > 0 else "Repeat stories more readily", desk)
            yield because("update" if points > 0 else self.signal, points, fact, repair)

    def _each(self, desk: Desk, only: int | None = None) -> Iterator[tuple[int, float, str]]:
        edition, reader, tuned = desk.edition, desk.reader, desk.tuned(self.signal)
        if not tuned:
            return
        index = edition.index
        if only is not None:
            story = edition.ids[only]
            opened = {story: reader.opened[story]} if story in reader.opened else {}
            shown = {story: reader.shown[story]} if story in reader.shown else {}
        else:
            opened, shown = dict(reader.opened), dict(reader.shown)
        for story, at in opened.items():
            if (row := index.get(story)) is None:
                continue
            if edition.last_seen[row] > at.timestamp():
                points = self.update_followed if story in desk.followed_stories else self.update
                yield (
                    row,
                    points * tuned,
                    f"new articles came since you read it {ago((desk.clock - at.timestamp()) / HOUR)}",
                )
            else:
                yield row, -self.read * tuned, "you read it, and nothing new came since"
        for story, times in shown.items():
            if times > 0 and (row := index.get(story)) is not None:
                said = "once" if times == 1 else "twice" if times == 2 else f"{times} times"
                yield row, -self.shown * tuned * math.log2(1 + times), f"you saw it {said} and did not open it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Of the languages that a reader reads, the one named first comes first. (Others are not admitted at all.)"""

    signal: ClassVar[str] = "language"
    weight: float = 0.3

    def points(self, desk: Desk) -> Floats:
        languages = desk.reader.languages
        if len(languages) < 2:
            return np.zeros(len(desk.edition))
        gifts = np.array([self._gift(desk, code) for code in desk.edition.languages] or [0.0])
        return gifts[desk.edition.language]

    def _gift(self, desk: Desk, code: str) -> float:
        first = len(desk.reader.languages) > 1 and code == desk.reader.languages[0]
        return self.weight * desk.tuned(self.signal) if first else 0.0

    def reasons(self, desk: Desk, row: int) -> Iterator[Reason]:
        code = desk.edition.languages[int(desk.edition.language[row])]
        if points := self._gift(desk, code):
            repair = turn(self.signal, "Treat my languages alike", desk, to=0.0)
            yield because(self.signal, points, f"it is in {code}, the first of your languages", repair)


SCORERS: Mapping[str, type[Scorer]] = {
    "follows": Follows,
    "interest": Interest,
    "likeness": Likeness,
    "importance": Importance,
    "freshness": Freshness,
    "quiet": Quiet,
    "exploration": Exploration,
    "fatigue": Fatigue,
    "language": Language,
}
