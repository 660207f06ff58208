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
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from broadsheet.feed.edition import Edition, Floats, Rows, Table, partly_private
from broadsheet.feed.others import at_least
from broadsheet.model import Follow, Reader, Reason, Repair, StoryId, Weight, WeightKey, WeightKind, named, vector_of
from broadsheet.wording import meant, named_as, one_and_another, phrase, plural, together

HOUR = 3600.0
SLACK = 1e-4  # float32 sums of a few hundred products are right to about 1e-6


class Desk:
    """One feed being made: the reader, the edition, the clock and one random number, with what scorers share."""

    def __init__(
        self,
        reader: Reader,
        edition: Edition,
        now: datetime,
        seed: int,
        near: Mapping[int, NDArray[np.float32]] | None = None,
    ) -> None:
        self.near = near or {}  # products of all vectors with the reader's tastes, where they are at hand: 1, -1
        self.reader = reader
        self.edition = edition
        self.now = now
        self.clock = now.timestamp()
        self.seed = seed
        self.repairs: dict[tuple[str, str, float], Repair] = {}

    @cached_property
    def age_hours(self) -> Floats:
        """Hours since each story's last article. What claims to come from the future is as old as now."""
        return np.maximum(self.clock - self.edition.last_seen, 0.0) / HOUR

    @cached_property
    def lot(self) -> NDArray[np.uint64]:
        """A number of 64 bits for each story, from the seed and the story's id alone: no other story changes it."""
        mixed = self.edition.hashes + np.uint64(self.seed)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # splitmix64
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        return mixed

    @cached_property
    def tastes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Which way the reader's reading points, and which way what was sent away does: of length 1."""
        return tastes_of(self.reader)

    @cached_property
    def followed_stories(self) -> frozenset[str]:
        return frozenset(follow.value for follow in self.reader.follows if follow.kind == "story")

    def tuned(self, signal: str) -> float:
        return max(float(self.reader.tuning.get(signal, 1.0)), 0.0)


def tastes_of(reader: Reader) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Which way the reader's reading points, and which way what was sent away does: of length 1."""
    means = vector_of(reader.interest), vector_of(reader.disinterest)
    liked, disliked = (mean / max(np.float32(np.linalg.norm(mean)), np.float32(1e-9)) for mean in means)
    return liked, disliked


class Scorer(Protocol):
    """Points for stories, and the facts behind the points."""

    @property
    def signal(self) -> str: ...

    def points(self, desk: Desk) -> Floats:
        """Points of every row of the edition."""
        ...

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterable[tuple[int, Reason]]:
        """The reasons of these rows, each with its row's place among them: they add up to `points(desk)[row]`."""
        ...


def turn(signal: str, label: str, desk: Desk, to: float = 0.5) -> Repair:
    """The repair of a signal that is no one thing's: turn it down (or up) for this reader."""
    repair = desk.repairs.get((signal, label, to))
    if repair is None:
        settings = {"tuning": {signal: round(desk.tuned(signal) * to, 3)}}
        repair = desk.repairs[signal, label, to] = Repair(label=label, kind="settings", settings=settings)
    return repair


class Met(NamedTuple):
    """Stories that meet follows, a line for each of both, in order of the stories."""

    rows: Rows
    follow: Rows  # its place in the reader's list
    points: Floats
    seldom: NDArray[np.bool_]  # whether some of the points are for a publisher that seldom publishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """What the reader chose by hand. Each follow that is met gives its own points, so unfollowing is subtraction.

    Who follows a publisher that seldom publishes wants to miss none of it: that gives more, the more seldom it is. Without
    it a reader of thirty busy feeds saw one in eight items of a weekly one (June 2023, `broadsheet evaluate quiet`).
    """

    signal: ClassVar[str] = "follows"
    reads: ClassVar[tuple[str, ...]] = ("follows",)
    story: float = 3.0
    keyword: float = 1.6
    person: float = 1.6
    organisation: float = 1.4
    place: float = 1.1
    topic: float = 1.2
    publisher: float = 1.0
    search: float = 1.6
    seldom: float = 2.0  # more for a publisher that publishes next to nothing
    loud: float = 1.0  # stories a day from which on it gives nothing: who publishes daily does not publish seldom

    def points(self, desk: Desk) -> Floats:
        what = self, desk.tuned(self.signal)
        return desk.edition.remembered(what, desk.reader.follows, lambda: self._sum(desk))

    def _sum(self, desk: Desk) -> Floats:
        """What the follows give to each story: added up in the order of the reader's list."""
        many, follows = len(desk.edition), desk.reader.follows
        about = [desk.edition.about(follow.kind, follow.value) for follow in follows]
        if not any(len(rows) for rows, _ in about):
            return np.zeros(many)
        worth = np.repeat([self._worth(desk, follow) for follow in follows], [len(rows) for rows, _ in about])
        felt = _felt(np.concatenate([strength for _, strength in about]))
        felt = worth * felt + np.concatenate([self._more(desk, f, *met) for f, met in zip(follows, about, strict=True)])
        points = np.bincount(np.concatenate([rows for rows, _ in about]), felt, many)
        return points.astype(np.float64, copy=False)

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        if not len(rows):
            return
        follows, what = desk.reader.follows, ("met", self, desk.tuned(self.signal))
        said = desk.edition.remembered("said", follows, lambda: list(map(_said, follows)))
        met = desk.edition.remembered(what, follows, lambda: self._met(desk))
        asked = np.array(rows)
        first, end = np.searchsorted(met.rows, asked, "left"), np.searchsorted(met.rows, asked, "right")
        for place in np.flatnonzero(end > first).tolist():
            here = slice(first[place], end[place])
            for at, x, seldom in zip(
                met.follow[here].tolist(), met.points[here].tolist(), met.seldom[here].tolist(), strict=True
            ):
                fact, repair = said[at]
                told = phrase("{fact}, which seldom publishes", fact=fact) if seldom else fact
                yield place, Reason(self.signal, x, told, repair)

    def _met(self, desk: Desk) -> Met:
        """Which follows each story meets, story by story, in the order of the reader's list."""
        none = np.zeros(0, np.int64)
        rows, follow, points, seldom = [none], [none], [np.zeros(0)], [np.zeros(0, bool)]
        for at, one in enumerate(desk.reader.follows):
            about, strength = desk.edition.about(one.kind, one.value)
            if worth := self._worth(desk, one):
                more = self._more(desk, one, about, strength)
                rows.append(about)
                follow.append(np.full(len(about), at))
                points.append(worth * _felt(strength) + more)
                seldom.append(more != 0.0)
        every = np.concatenate(rows)
        order = np.argsort(every, kind="stable")
        return Met(every[order], *(np.concatenate(column)[order] for column in (follow, points, seldom)))

    def _more(self, desk: Desk, follow: Follow, rows: Rows, strength: Floats) -> Floats:
        """What a story is worth more because the followed publisher, by whom it is, seldom publishes."""
        if follow.kind != "publisher":
            return np.zeros(len(rows))
        seldom = np.maximum(1.0 - desk.edition.loudness[rows] / math.log2(1.0 + self.loud), 0.0)
        return seldom * strength * (self.seldom * desk.tuned(self.signal))

    def _worth(self, desk: Desk, follow: Follow) -> float:
        return float(getattr(self, follow.kind)) * desk.tuned(self.signal)


def _said(follow: Follow) -> tuple[str, Repair]:
    """The fact that a follow is, and what undoes it."""
    if follow.kind == "search":
        query = f"“{follow.label or follow.value}”"
        undo = phrase("Unfollow the search {query}", query=query)
        return phrase("it matches your search {query}", query=query), Repair(label=undo, kind="unfollow", follow=follow)
    name = phrase("this story") if follow.kind == "story" else named_as(follow)
    fact, label = phrase("you follow {name}", name=name), phrase("Unfollow {name}", name=name)
    return fact, Repair(label=label, kind="unfollow", follow=follow)


def _felt(strength: Floats) -> Floats:
    """A passing mention counts half of what the main subject does: followed is followed."""
    return np.minimum(strength, 1.0) * 0.5 + 0.5


class Learned(NamedTuple):
    """What the learned weights of one kind are worth, for the names that the edition has."""

    kind: WeightKind
    table: Table
    keys: Rows
    worth: Floats
    pinned: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What was learned from what the reader did: a weight for each topic, name, publisher and author, fading.

    A story touches a dozen things that were once learned a little. The few that count are told one by one, all others
    together as one reason with what they add up to, so that a person can read the sum.
    """

    signal: ClassVar[str] = "interest"
    reads: ClassVar[tuple[str, ...]] = ("weights",)
    weight: float = 0.6
    half_life: timedelta = timedelta(days=30)  # the same as `readers.profile.Learning.half_life`
    told: int = 2  # the most that are told one by one
    least: float = 0.1  # points that are worth a line

    def points(self, desk: Desk) -> Floats:
        what = self, desk.tuned(self.signal)
        fading, pinned = desk.edition.remembered(what, desk.reader.weights, lambda: self._sums(desk))
        return fading * self._faded(desk) + pinned

    def _sums(self, desk: Desk) -> tuple[Floats, Floats]:
        """What the weights add up to at the time of the edition: what fades, and what is pinned.

        All that fades does so at one rate, so that sum is the same at any time but for one factor.
        """
        many = len(desk.edition)
        fading, pinned = np.zeros(many), np.zeros(1)  # most readers pin nothing
        for known in self._learned(desk):
            fading += known.table.sum(known.keys[~known.pinned], known.worth[~known.pinned], many)
            if known.pinned.any():
                pinned = pinned + known.table.sum(known.keys[known.pinned], known.worth[known.pinned], many)
        return fading, pinned

    def _rate(self) -> float:
        return -math.log(2.0) / self.half_life.total_seconds()

    def _faded(self, desk: Desk) -> float:
        """What is left, of what a weight was worth at the time of the edition."""
        return math.exp(self._rate() * (desk.clock - desk.edition.at.timestamp()))

    def _learned(self, desk: Desk) -> tuple[Learned, ...]:
        """What every learned weight was worth, at full strength, at the time of the edition."""
        what = "learned", self, desk.tuned(self.signal)
        return desk.edition.remembered(what, desk.reader.weights, lambda: self._worths(desk))

    def _worths(self, desk: Desk) -> tuple[Learned, ...]:
        edition = desk.edition
        tables: dict[WeightKind, Table] = {
            "topic": edition.topics, "entity": edition.entities, "publisher": edition.publishers,
            "author": edition.authors,
        }  # fmt: skip
        known = _numbered(desk.reader.weights, tables)
        factor, made = self.weight * desk.tuned(self.signal), edition.at.timestamp()
        learned = []
        for kind, table in tables.items():
            numbered, values, at = known[kind]
            pinned = np.isinf(at)
            # learned since the edition: worth a little more than its value then. Who claims more was never at this clock
            since = np.where(pinned, 0.0, np.maximum(made - at, -self.half_life.total_seconds()))
            worth = values * np.exp(self._rate() * since) * factor
            here = numbered < len(table.counts)  # the vocabulary may hold names that a later edition brought
            if factor and here.any():
                learned.append(Learned(kind, table, numbered[here], worth[here], pinned[here]))
        return tuple(learned)

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        names, places, points = self._touched(desk, rows)
        # of each row the largest first; of equals the one that the story names first
        order = np.lexsort((-np.abs(points), places))
        ranked = np.arange(len(order)) - np.searchsorted(places[order], places[order])
        alone = np.zeros(len(order), bool)
        alone[order] = (ranked < self.told) & (np.abs(points[order]) >= self.least)
        others = np.bincount(places[~alone], minlength=len(rows))
        alone |= others[places] == 1
        said: dict[tuple[WeightKey, bool], tuple[str, Repair]]
        said = desk.edition.remembered("said", desk.reader.weights, dict)
        first = order[alone[order]]
        for at, place, worth in zip(first.tolist(), places[first].tolist(), points[first].tolist(), strict=True):
            one = names[at], worth > 0
            if one not in said:
                said[one] = _habit(names[at], desk.reader.weights[names[at]], worth > 0)
            fact, repair = said[one]
            yield place, Reason(self.signal, worth, fact, repair)
        rest = np.bincount(places[~alone], points[~alone], len(rows))
        repair = turn(self.signal, phrase("Count less what I read before"), desk)
        for place in np.flatnonzero(rest).tolist():
            liked = rest[place] > 0
            fact = (
                phrase("it touches on other things you read") if liked else phrase("it touches on things you pass over")
            )
            yield place, Reason(self.signal, float(rest[place]), fact, repair)

    def _touched(self, desk: Desk, rows: Sequence[int]) -> tuple[list[WeightKey], Rows, Floats]:
        """What was learned about each name of these rows: the name, its row's place among them and its points."""
        names: list[WeightKey] = []
        places, points, faded = [np.zeros(0, np.int64)], [np.zeros(0)], self._faded(desk)
        for kind, table, keys, worth, pinned in self._learned(desk) if len(rows) else ():
            worths = np.zeros(len(table.counts))
            worths[keys] = np.where(pinned, worth, worth * faded)
            place, held, strength = table.lists_of(np.array(rows))
            points_of = worths[held] * strength
            some = np.flatnonzero(points_of)
            names += [(kind, table.names[key]) for key in held[some].tolist()]
            places.append(place[some])
            points.append(points_of[some])
        return names, np.concatenate(places), np.concatenate(points)


def _numbered(
    weights: Mapping[WeightKey, Weight], tables: Mapping[WeightKind, Table]
) -> dict[str, tuple[Rows, Floats, Floats]]:
    """Of each kind the names' numbers, the weights' values, and the seconds since 1970 from which they fade."""
    found: dict[str, list[tuple[int, float, float]]] = {kind: [] for kind in tables}
    for (kind, name), w in weights.items():
        key = tables[kind].vocabulary.get(name)
        if key is not None:
            found[kind].append((key, w.value, math.inf if w.pinned else w.at.timestamp()))
    columns = {kind: np.array(rows, np.float64).reshape(-1, 3) for kind, rows in found.items()}
    return {kind: (c[:, 0].astype(np.int64), c[:, 1], c[:, 2]) for kind, c in columns.items()}


def _habit(key: WeightKey, weight: Weight, liked: bool) -> tuple[str, Repair]:
    """The fact that a learned weight is, and what erases it."""
    written, publisher = weight.label or key[1], key[0] == "publisher"
    name = meant("topic", written) if key[0] == "topic" else written
    if weight.pinned:
        fact = phrase("you set {name} up", name=name) if liked else phrase("you set {name} down", name=name)
    elif key[0] == "author":
        fact = phrase("you often read {name}", name=name) if liked else phrase("you pass over {name}", name=name)
    elif liked and publisher:
        fact = phrase("you often read {name}", name=name)
    elif liked:
        fact = phrase("you often read about {name}", name=name)
    elif publisher:
        fact = phrase("you pass over {name}", name=name)
    else:
        fact = phrase("you pass over stories about {name}", name=name)
    return fact, Repair(label=phrase("Forget {name}", name=name), kind="erase_weight", weight=(key, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How near the story's text is to the texts that were read, less how near it is to those sent away.

    The one signal that reads every vector, so it is asked only of stories whose other points leave them a chance;
    `bounds` says what it can give at most and at least.
    """

    signal: ClassVar[str] = "likeness"
    reads: ClassVar[tuple[str, ...]] = ("interest", "disinterest", "interest_mass", "disinterest_mass")
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
        total = np.zeros(len(desk.edition) if rows is None else len(rows))
        for sign, factor, mean in self._sides(desk):
            product = desk.near.get(sign)
            if product is None:
                product = (desk.edition.vectors if rows is None else desk.edition.vectors[rows]) @ mean
            elif rows is not None:
                product = product[rows]
            total += sign * factor * self._near(product)
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

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        for points, said, less in zip(
            self.parts(desk, np.array(rows, np.int64)),
            (phrase("it is like what you read before"), phrase("it is like what you sent away")),
            (phrase("Count less what I read before"), phrase("Count less what I sent away")),
            strict=True,
        ):
            repair = turn(self.signal, less, desk)
            for place, x in enumerate(points.tolist()):
                if x:
                    yield place, Reason(self.signal, x, said, repair)


class Glimpse(NamedTuple):
    """What was opened just now, beside every story."""

    near: Floats  # 0 to 1
    shared: tuple[tuple[WeightKind, Table, Floats], ...]  # how much each topic and each name ties
    last: float  # when the last was opened, in seconds since 1970
    mass: float  # how many openings that was then, earlier ones counting less
    named: dict[int, str]  # what ties a row most, as it was worked out

    def name(self, desk: Desk, rows: Sequence[int]) -> None:
        """What ties each of these rows most to what was opened, as it is written."""
        if not rows:
            return
        best, asked = np.zeros(len(rows)), np.array(rows, np.int64)
        for kind, table, tie in self.shared:
            place, keys, strength = table.lists_of(asked)
            ties = tie[keys] * strength
            order = np.lexsort((ties, place))
            last = order[np.flatnonzero(np.diff(place[order], append=len(rows)))]  # the strongest of each row
            for at in last[ties[last] > best[place[last]]].tolist():
                best[place[at]] = ties[at]
                self.named[rows[place[at]]] = _written(desk, kind, table.names[keys[at]])


def _written(desk: Desk, kind: WeightKind, name: str) -> str:
    """A topic's name; a name as the reader met it, where it is known."""
    if kind == "topic":
        return meant("topic", desk.edition.topic_labels.get(name) or name)
    known = desk.reader.weights.get((kind, name))
    return known.label if known is not None and known.label else name.title()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is about the same as what the reader opened just now: a look into something draws the next ones up, and is
    forgotten within hours, so that it does not become a taste.

    Asked of the reader's openings themselves, so there is nothing to learn and nothing to undo. What many stories share
    ties two of them less than what few do. All openings fade at one rate: what is alike is worked out once for them, and
    later only multiplied.
    """

    signal: ClassVar[str] = "session"
    reads: ClassVar[tuple[str, ...]] = ("opened", "hidden")
    weight: float = 0.8  # for what shares all with many openings; for one opening half of it
    half_life: timedelta = timedelta(minutes=20)
    over: timedelta = timedelta(hours=2)  # after this long without opening anything, nothing is left
    settled: float = 1.0  # openings until it counts half
    latest: int = 12  # openings that are looked at
    least: float = 0.2  # of what ties two stories: less is no reason

    def points(self, desk: Desk) -> Floats:
        found = self._met(desk)
        return np.zeros(len(desk.edition)) if found is None else found.near * self._strength(desk, found)

    def _met(self, desk: Desk) -> Glimpse | None:
        """What the last openings share with every story; None where there are none, or they are past."""
        reader, edition = desk.reader, desk.edition
        rows, at = edition.remembered("opened", reader.opened, lambda: _when(reader.opened, edition.index))
        if not len(rows) or not self.weight * desk.tuned(self.signal):
            return None
        if desk.clock - float(at.max()) >= self.over.total_seconds():
            return None
        what = "session", self.half_life, self.over, self.latest, self.least, reader.hidden
        return edition.remembered(what, reader.opened, lambda: self._glimpse(desk, rows, at))

    def _glimpse(self, desk: Desk, rows: Rows, at: Floats) -> Glimpse | None:
        edition = desk.edition
        lasting = at > float(at.max()) - self.over.total_seconds()
        order = np.flatnonzero(lasting)[np.lexsort((rows[lasting], -at[lasting]))][: self.latest]
        order = np.array([k for k in order.tolist() if edition.ids[rows[k]] not in desk.reader.hidden], np.int64)
        if not len(order):
            return None
        opened, last = rows[order], float(at[order[0]])
        worth = 0.5 ** ((last - at[order]) / self.half_life.total_seconds())
        near = np.zeros(len(edition))
        shared: list[tuple[WeightKind, Table, Floats]] = []
        tables: tuple[tuple[WeightKind, Table], ...] = ("entity", edition.entities), ("topic", edition.topics)
        for kind, table in tables:
            place, keys, strength = table.lists_of(opened)
            tie = np.bincount(keys, strength * worth[place], len(table.counts)) / worth.sum()
            named_ = np.flatnonzero(tie)
            tie[named_] *= 1.0 - np.log(table.counts[named_]) / math.log(max(len(edition), 2))
            near += table.sum(named_, tie[named_], len(edition))
            shared.append((kind, table, tie))
        near[opened] = 0.0  # what was opened is no more like itself
        near[near < self.least] = 0.0
        return Glimpse(np.minimum(near, 1.0), tuple(shared), last, float(worth.sum()), {})

    def _strength(self, desk: Desk, found: Glimpse) -> float:
        """What a story that shares all with what was opened is given now."""
        since = max(desk.clock - found.last, 0.0)
        mass = found.mass * float(0.5 ** (since / self.half_life.total_seconds()))
        return self.weight * desk.tuned(self.signal) * mass / (mass + self.settled)

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        found = self._met(desk)
        if found is None:
            return
        worth = self._strength(desk, found)
        since = ago(max(desk.clock - found.last, 0.0) / HOUR)
        repair = turn(self.signal, phrase("Count less what I opened just now"), desk)
        near = [
            (place, row, x) for place, (row, x) in enumerate(zip(rows, found.near[rows].tolist(), strict=True)) if x
        ]
        found.name(desk, [row for _, row, _ in near if row not in found.named])
        for place, row, x in near:
            fact = phrase("it is about {name}, as is what you opened {ago}", name=found.named[row], ago=since)
            yield place, Reason(self.signal, x * worth, fact, repair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How many publishers report it with their own text, and how many join them now."""

    signal: ClassVar[str] = "importance"
    reads: ClassVar[tuple[str, ...]] = ()
    weight: float = 1.4  # for `many` independent publishers
    many: float = 32.0
    speed: float = 0.8  # for `fast` publishers an hour that are joining; more count no more, so it stays below a follow
    fast: float = 0.7
    half_life: timedelta = timedelta(hours=3)  # of joining: the same as `stories.describe.JOINED_HALF_LIFE`
    least: float = 0.01  # publishers an hour: one that came a dozen hours ago is no longer joining

    def points(self, desk: Desk) -> Floats:
        broad, fast = self._rates(desk)
        total = desk.edition.breadth * broad
        _, rows = desk.edition.spreading(self.half_life.total_seconds(), self.least)
        total[rows] += self._speed(self._now(desk, rows)) * fast
        return total

    def _speed(self, now: Floats) -> Floats:
        return np.log2(1.0 + np.minimum(now, self.fast) * self._span())

    def _span(self) -> float:
        """Hours over which publishers that join are counted."""
        return self.half_life.total_seconds() / HOUR / math.log(2.0)

    def _now(self, desk: Desk, rows: Rows) -> Floats:
        """Publishers an hour that are joining."""
        return desk.edition.velocity[rows] * 0.5 ** (desk.age_hours[rows] * HOUR / self.half_life.total_seconds())

    def _rates(self, desk: Desk) -> tuple[float, float]:
        tuned = desk.tuned(self.signal)
        return tuned * self.weight / math.log2(self.many), tuned * self.speed / math.log2(
            1.0 + self.fast * self._span()
        )

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        edition, repair = desk.edition, turn(self.signal, phrase("Turn down importance"), desk)
        broad, fast = self._rates(desk)
        asked = np.array(rows, np.int64)
        breadth, now = (edition.breadth[asked] * broad).tolist(), self._now(desk, asked)
        still, _ = edition.spreading(self.half_life.total_seconds(), self.least)
        spread = (still[asked] * self._speed(now) * fast).tolist()
        for place, many in enumerate(edition.independent[asked].tolist()):
            if breadth[place]:
                fact = plural("{n} publisher reports it", "{n} publishers report it", int(many))
                yield place, Reason(self.signal, breadth[place], fact, repair)
            if spread[place]:
                rate = round(now[place]) if now[place] >= 2 else float(f"{now[place]:.1g}")
                fact = plural(
                    "it is spreading: {rate:g} more publisher an hour now",
                    "it is spreading: {rate:g} more publishers an hour now",
                    1 if rate == 1 else 2,
                    rate=rate,
                )
                yield place, Reason(self.signal, spread[place], fact, repair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What can be known of how a story is told, with nothing judged: whether it can be read whole and how long it is, how
    many people it quotes by name, whether somebody signed it, and whether its headline asks to be opened instead of saying
    what happened.
    """

    signal: ClassVar[str] = "quality"
    reads: ClassVar[tuple[str, ...]] = ()
    whole: float = 0.2  # for one of `long` words and more
    long: float = 400.0
    voices: float = 0.2  # for `many` people quoted by name and more
    many: float = 4.0
    signed: float = 0.05
    teasing: float = 0.2  # against

    def points(self, desk: Desk) -> Floats:
        return self._merits(desk) * desk.tuned(self.signal)

    def _merits(self, desk: Desk) -> Floats:
        """The points of every row where nothing is tuned: the same for all readers."""
        edition = desk.edition
        return edition.remembered(self, edition.words, lambda: self._for(edition) - self.teasing * edition.teasing)

    def _for(self, edition: Edition) -> Floats:
        told = self.whole * np.minimum(edition.words / self.long, 1.0) + self.signed * edition.signed
        heard = np.log2(1.0 + np.minimum(edition.voices, self.many)) / math.log2(1.0 + self.many)
        merits: Floats = told + self.voices * heard
        return merits

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        edition, tuned = desk.edition, desk.tuned(self.signal)
        if not tuned:
            return
        merits, asked = self._merits(desk), np.array(rows, np.int64)
        repair = turn(self.signal, phrase("Mind less how a story is told"), desk)
        against = self.teasing * tuned
        for place, (row, x, is_teasing) in enumerate(
            zip(rows, (merits[asked] * tuned).tolist(), edition.teasing[asked].tolist(), strict=True)
        ):
            if is_teasing and against:
                yield place, Reason(self.signal, -against, phrase("its headline keeps back what happened"), repair)
                x += against
            if abs(x) > 1e-12:
                yield place, Reason(self.signal, x, self._said(edition, row), repair)

    def _said(self, edition: Edition, row: int) -> str:
        """What speaks for how a story is told."""
        said = edition.told.get(row)
        if said is None:
            told, words = edition.rows[row], edition.rows[row].words
            clauses = []
            if words:
                about = phrase("about {n} words of it are here to read", n=round(words, -2) if words >= 100 else words)
                clauses.append(about)
            if told.voices:
                clauses.append(plural("it quotes {n} person by name", "it quotes {n} people by name", told.voices))
            if told.is_signed:
                clauses.append(phrase("it says who wrote it"))
            said = edition.told[row] = one_and_another(clauses)
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Popularity:
    """What others here open more often than is usual for how often they were shown it: see `feed.others`.

    Given, never taken: what few have opened stands as if nobody read here. At most less than a follow: with .9 a followed
    weekly letter was drowned twice as often by what a crowd of one mind opened (`broadsheet evaluate quiet`).
    """

    signal: ClassVar[str] = "popularity"
    weight: float = 0.7  # for what is opened twice as often as is usual
    most: float = 1.0  # doublings: more count no more

    def points(self, desk: Desk) -> Floats:
        factor = self.weight * desk.tuned(self.signal)
        if desk.edition.others is None or not factor:
            return np.zeros(len(desk.edition))
        return self._lift(desk)[0] * factor

    def _lift(self, desk: Desk) -> tuple[Floats, Rows]:
        """Doublings of every row and how many opened it, without what this reader opened."""
        others, opened, index = desk.edition.others, desk.reader.opened, desk.edition.index
        assert others is not None
        lift, readers = desk.edition.remembered("popularity", others, lambda: others.lift(slice(None)))
        rows, at = desk.edition.remembered("opened", opened, lambda: _when(opened, index))
        if len(rows):
            lift, readers = lift.copy(), readers.copy()
            lift[rows], readers[rows] = others.lift(rows, at)
        return np.minimum(lift, self.most), readers

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        factor = self.weight * desk.tuned(self.signal)
        if desk.edition.others is None or not factor:
            return
        lift, readers = self._lift(desk)
        repair = turn(self.signal, phrase("Count less what others read"), desk)
        for place, (x, n) in enumerate(zip((lift[rows] * factor).tolist(), readers[rows].tolist(), strict=True)):
            if x:
                fact = phrase("{n} readers or more opened it here in the last day", n=at_least(n))
                yield place, Reason(self.signal, x, fact, repair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """New before old: `weight` for what is being published now, nothing at one half-life, and less without end.

    The logarithm is that of "hot" rankings: a story twice as old needs a fixed number of points more, so a strong
    follow can bring back last week's story and nothing brings back last month's by being merely popular.
    """

    signal: ClassVar[str] = "freshness"
    reads: ClassVar[tuple[str, ...]] = ()
    weight: float = 1.0
    half_life: timedelta = timedelta(hours=12)

    def points(self, desk: Desk) -> Floats:
        return self._worth(desk, desk.age_hours)

    def _worth(self, desk: Desk, hours: Floats) -> Floats:
        half = self.half_life.total_seconds() / HOUR
        return (1.0 - np.log2(1.0 + hours / half)) * (self.weight * desk.tuned(self.signal))

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        hours = desk.age_hours[rows]
        worth = self._worth(desk, hours).tolist()
        for place, (row, age, points) in enumerate(zip(rows, hours.tolist(), worth, strict=True)):
            if points:
                once = desk.edition.rows[row].articles < 2
                said = phrase("published {ago}", ago=ago(age)) if once else phrase("last reported {ago}", ago=ago(age))
                label = phrase("Mind less how new a story is") if points < 0 else phrase("Turn down freshness")
                yield place, Reason(self.signal, points, said, turn(self.signal, label, desk))


def ago(hours: float) -> str:
    """`5 minutes ago`, `2 hours ago`, `3 days ago`."""
    minutes = int(hours * 60)
    if minutes < 1:
        return phrase("just now")
    if minutes >= 60 * 24:
        return plural("{n} day ago", "{n} days ago", minutes // (60 * 24))
    if minutes >= 60:
        return plural("{n} hour ago", "{n} hours ago", minutes // 60)
    return plural("{n} minute ago", "{n} minutes ago", minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A publisher that seldom publishes is not drowned by those that never stop."""

    signal: ClassVar[str] = "quiet"
    reads: ClassVar[tuple[str, ...]] = ()
    weight: float = 0.6  # for one that publishes next to nothing
    loud: float = 6.0  # stories a day from which on there is nothing to protect

    def points(self, desk: Desk) -> Floats:
        return self._worth(desk, desk.edition.loudness)

    def _worth(self, desk: Desk, loudness: Floats) -> Floats:
        worth = loudness * (-1.0 / math.log2(1.0 + self.loud))
        worth += 1.0
        np.maximum(worth, 0.0, out=worth)
        worth *= self.weight * desk.tuned(self.signal)
        return worth

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        edition, repair = desk.edition, turn(self.signal, phrase("Favour seldom-publishing sources less"), desk)
        worth, pace = self._worth(desk, edition.loudness[rows]).tolist(), edition.pace[rows].tolist()
        for place, row in enumerate(rows):
            if worth[place]:
                name = edition.quietest.get(row)
                if name is None:
                    name = edition.quietest[row] = _quietest(edition, row)
                if edition.private and partly_private(edition, desk.reader, row):
                    name = phrase("one of its publishers")
                yield (
                    place,
                    Reason(
                        self.signal,
                        worth[place],
                        phrase("{name} publishes {often}", name=name, often=often(pace[place])),
                        repair,
                    ),
                )


def _quietest(edition: Edition, row: int) -> str:
    """The publisher of the story that publishes least, as it is written."""
    written, at = edition.rows[row].publishers, 0
    if len(written) > 1:
        counts, names = edition.publishers.counts, edition.publishers.names
        keys, _ = edition.publishers.keys_of(row)
        _, name, at = min((int(counts[key]), names[key], at) for at, key in enumerate(keys))
        if len(written) != len(keys):  # one of them is written in two ways
            written, at = tuple(p for p in written if named(p) == name), 0
    return written[at]


def often(per_day: float) -> str:
    """`only about 3 stories a day`, `seldom: about 2 stories a week`, `seldom: about 1 story a month`."""
    if per_day >= 0.95:
        return plural("only about {n} story a day", "only about {n} stories a day", max(round(per_day), 1))
    if per_day * 7 >= 0.95:
        return plural("seldom: about {n} story a week", "seldom: about {n} stories a week", max(round(per_day * 7), 1))
    return plural("seldom: about {n} story a month", "seldom: about {n} stories a month", max(round(per_day * 30), 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """Now and then something drawn by lot, and it says so: without it a feed only ever confirms itself.

    A reader who turns it up or down has more or fewer lots drawn; each counts the same. Who knows the seed knows the lots.
    """

    signal: ClassVar[str] = "exploration"
    reads: ClassVar[tuple[str, ...]] = ()
    weight: float = 1.5
    share: float = 0.01  # of the stories

    def chance(self, desk: Desk) -> float:
        """That a story has of being drawn for this reader."""
        return min(self.share * desk.tuned(self.signal), 1.0) if self.weight else 0.0

    def points(self, desk: Desk) -> Floats:
        return np.where(self._drawn(desk, desk.lot), self.weight, 0.0)

    def _drawn(self, desk: Desk, lot: NDArray[np.uint64]) -> NDArray[np.bool_]:
        return lot >> np.uint64(11) < np.uint64(self.chance(desk) * 2.0**53)

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        if points := self.weight:
            repair = turn(self.signal, phrase("No stories drawn by lot"), desk, to=0.0)
            fact = phrase("it was drawn by lot, to show you something you did not ask for")
            for place in np.flatnonzero(self._drawn(desk, desk.lot[rows])).tolist():
                yield place, Reason(self.signal, points, fact, repair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fatigue:
    """What was seen and left, or read and has nothing new, makes room; what was read and moved on comes back."""

    signal: ClassVar[str] = "fatigue"
    reads: ClassVar[tuple[str, ...]] = ("opened", "shown", "follows")
    shown: float = 0.35  # taken for each doubling of the times shown and not opened
    read: float = 4.0  # taken when it was opened and nothing came since
    update: float = 0.6  # given when articles came since it was opened
    update_followed: float = 2.0  # the same for a story that the reader follows

    def points(self, desk: Desk) -> Floats:
        edition, reader, tuned = desk.edition, desk.reader, desk.tuned(self.signal)
        total, index = np.zeros(len(edition)), edition.index
        rows, at = edition.remembered("opened", reader.opened, lambda: _when(reader.opened, index))
        if len(rows):
            total[rows] = np.where(edition.last_seen[rows] > at, self.update * tuned, -self.read * tuned)
            for story in desk.followed_stories & reader.opened.keys():
                row = index.get(StoryId(story))
                if row is not None and edition.last_seen[row] > reader.opened[StoryId(story)].timestamp():
                    total[row] = self.update_followed * tuned
        rows, doublings = edition.remembered("shown", reader.shown, lambda: _how_often(reader.shown, index))
        total[rows] -= self.shown * tuned * doublings
        return total

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        edition, reader, tuned = desk.edition, desk.reader, desk.tuned(self.signal)
        less = turn(self.signal, phrase("Repeat stories more readily"), desk)
        for place, row in enumerate(rows):
            story = edition.ids[row]
            at, times = reader.opened.get(story), reader.shown.get(story, 0)
            if at is not None and edition.last_seen[row] > at.timestamp():
                points = tuned * (self.update_followed if story in desk.followed_stories else self.update)
                since = ago((desk.clock - at.timestamp()) / HOUR)
                fact = phrase("new articles came since you read it {ago}", ago=since)
                if points:
                    yield place, Reason("update", points, fact, turn(self.signal, phrase("Turn this down"), desk))
            elif at is not None and (points := self.read * tuned):
                yield place, Reason(self.signal, -points, phrase("you read it, and nothing new came since"), less)
            if times > 0 and (points := self.shown * tuned * math.log2(1 + times)):
                said = phrase("once") if times == 1 else phrase("twice") if times == 2 else phrase("{n} times", n=times)
                fact = phrase("you saw it {times} and did not open it", times=said)
                yield place, Reason(self.signal, -points, fact, less)


def _when(opened: Mapping[StoryId, datetime], index: Mapping[StoryId, int]) -> tuple[Rows, Floats]:
    """The rows of the stories that were opened, and when, in seconds since 1970."""
    found = [(row, at.timestamp()) for story, at in opened.items() if (row := index.get(story)) is not None]
    return np.array([row for row, _ in found], np.int64), np.array([at for _, at in found])


def _how_often(shown: Mapping[StoryId, int], index: Mapping[StoryId, int]) -> tuple[Rows, Floats]:
    """The rows of the stories that were shown and left, and how many doublings that is."""
    found = [(row, max(times, 0)) for story, times in shown.items() if (row := index.get(story)) is not None]
    return np.array([row for row, _ in found], np.int64), np.log2(1.0 + np.array([n for _, n in found], np.float64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Of the languages that a reader reads, the one named first comes first. (Others are not admitted at all.)"""

    signal: ClassVar[str] = "language"
    reads: ClassVar[tuple[str, ...]] = ("languages",)
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

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        for place, language in enumerate(desk.edition.language[rows].tolist()):
            code = desk.edition.languages[language]
            if points := self._gift(desk, code):
                repair = turn(self.signal, phrase("Treat my languages alike"), desk, to=0.0)
                yield (
                    place,
                    Reason(
                        self.signal, points, phrase("it is in {code}, the first of your languages", code=code), repair
                    ),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """What is about a place near the reader: the nearest to the point of several counts, for near is near."""

    signal: ClassVar[str] = "local"
    reads: ClassVar[tuple[str, ...]] = ("home",)
    weight: float = 0.8

    def points(self, desk: Desk) -> Floats:
        total = np.zeros(len(desk.edition))
        for place in desk.reader.home:
            rows, strength = desk.edition.about("place", place)
            total[rows] = np.maximum(total[rows], self.weight * desk.tuned(self.signal) * _felt(strength))
        return total

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        about: list[tuple[str, dict[int, float]]] = []
        for place in desk.reader.home:
            near, strength = desk.edition.about("place", place)
            about.append((place, dict(zip(near.tolist(), _felt(strength).tolist(), strict=True))))
        for at, row in enumerate(rows):
            met = [(found[row], place) for place, found in about if row in found]
            if met and (points := self.weight * desk.tuned(self.signal) * max(met)[0]):
                near_by = [place for _, place in met]  # all of them: without one alone the story would stand as it does
                said, many = together(near_by), len(near_by) > 1
                left = {"home": [other for other in desk.reader.home if other not in near_by]}
                label = (
                    phrase("{name} are not near me", name=said) if many else phrase("{name} is not near me", name=said)
                )
                repair = Repair(label=label, kind="settings", settings=left)
                fact = (
                    phrase("it is about {name}, which are near you", name=said)
                    if many
                    else phrase("it is about {name}, which is near you", name=said)
                )
                yield at, Reason(self.signal, points, fact, repair)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriptions:
    """What the reader's own sources report comes before what others do."""

    signal: ClassVar[str] = "subscriptions"
    reads: ClassVar[tuple[str, ...]] = ("subscriptions",)
    weight: float = 0.7

    def points(self, desk: Desk) -> Floats:
        mine = desk.edition.remembered("mine", desk.reader.subscriptions, lambda: self._mine(desk))
        return mine * (self.weight * desk.tuned(self.signal))

    def _mine(self, desk: Desk) -> Floats:
        rows = np.zeros(len(desk.edition))
        for source in desk.reader.subscriptions:
            rows[desk.edition.sources.postings(source)[0]] = 1.0
        return rows

    def reasons(self, desk: Desk, rows: Sequence[int]) -> Iterator[tuple[int, Reason]]:
        points = self.points(desk)
        repair = turn(self.signal, phrase("Count my sources less"), desk)
        for place, row in enumerate(rows):
            if points[row]:
                yield place, Reason(self.signal, float(points[row]), phrase("a source of yours reports it"), repair)


SCORERS: Mapping[str, type[Scorer]] = {
    "follows": Follows,
    "interest": Interest,
    "likeness": Likeness,
    "session": Session,
    "importance": Importance,
    "quality": Quality,
    "popularity": Popularity,
    "freshness": Freshness,
    "quiet": Quiet,
    "exploration": Exploration,
    "fatigue": Fatigue,
    "language": Language,
    "local": Local,
    "subscriptions": Subscriptions,
}
