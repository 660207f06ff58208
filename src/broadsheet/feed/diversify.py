"""No topic, publisher, person or thread floods the page: each further story of the same kind loses points, and says so.

Points are only ever taken, and the more the longer the page, so picking the best of what is left gives items in order
of score and may stop as soon as nothing outside can reach the next place: it need not look at every story.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from broadsheet.feed.edition import Floats, Rows
from broadsheet.feed.score import Desk, because, turn
from broadsheet.model import Reason, named

SIGNAL = "diversity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """How many stories of one kind stand freely, and what each further one loses for every one above it."""

    topic: float = 0.25
    topic_free: int = 3
    publisher: float = 0.35
    publisher_free: int = 2
    entity: float = 0.35
    entity_free: int = 2
    thread: float = 1.2  # for each story above that tells nearly the same
    thread_near: float = 0.72  # cosine from which on two stories are one thread
    few: int = 2  # a story reported by more publishers than this is no one publisher's


@dataclass(slots=True)
class Page:
    """What stands on the page so far."""

    rows: list[int] = field(default_factory=list)
    topics: Counter[str] = field(default_factory=Counter)
    publishers: Counter[str] = field(default_factory=Counter)
    entities: Counter[str] = field(default_factory=Counter)

    def add(self, kind: Kind, row: int) -> None:
        self.rows.append(row)
        if kind.topic:
            self.topics[kind.topic] += 1
        if kind.publisher:
            self.publishers[named(kind.publisher)] += 1
        if kind.entity:
            self.entities[named(kind.entity)] += 1


@dataclass(frozen=True, slots=True)
class Kind:
    """What a story has in common with others."""

    topic: str
    publisher: str
    entity: str


def kind_of(desk: Desk, row: int, rules: Diversity) -> Kind:
    story = desk.edition.rows[row]
    publisher = story.publishers[0] if 0 < len(story.publishers) <= rules.few else ""
    return Kind(desk.edition.main_topic(row), publisher, story.entity)


def pick(
    desk: Desk, ranked: Callable[[int], tuple[Rows, Floats]], length: int, rules: Diversity, before: Sequence[int] = ()
) -> Iterator[tuple[int, tuple[Reason, ...]]]:
    """The page: rows with the reasons that diversity adds, best first.

    `ranked(n)` gives the n best rows with their points, in order; more are asked for only when the ones at hand do not
    settle the next place. `before` are the rows of pages already shown: the page goes on where they ended.
    """
    tuned = desk.tuned(SIGNAL)
    kinds: dict[int, Kind] = {}
    page = Page()

    def kind(row: int) -> Kind:
        if row not in kinds:
            kinds[row] = kind_of(desk, row, rules)
        return kinds[row]

    for row in before:
        page.add(kind(row), row)
    asked = max(4 * length, 100)
    rows, points = ranked(asked)
    next_in, given = 0, 0
    waiting: list[tuple[float, int, float, int]] = []  # (-score, row, base, length of the page when it was worked out)
    while given < length:
        if next_in == len(rows) and len(rows) >= asked:
            asked *= 4
            rows, points = ranked(asked)  # the same rows first, and more of them
        # everything that could still be the best enters; what enters is scored when it comes to the top
        while next_in < len(rows) and (not waiting or points[next_in] >= -waiting[0][0]):
            base = float(points[next_in])
            heapq.heappush(waiting, (-base, int(rows[next_in]), base, -1))
            next_in += 1
        if next_in == len(rows) and len(rows) >= asked:
            continue
        if not waiting:
            return
        _, row, base, known = heapq.heappop(waiting)
        if known == len(page.rows):
            page.add(kind(row), row)
            given += 1
            yield row, tuple(_demotions(desk, page, kind(row), row, rules, tuned, upto=known))
            continue
        lost = sum(reason.points for reason in _demotions(desk, page, kind(row), row, rules, tuned))
        heapq.heappush(waiting, (-(base + lost), row, base, len(page.rows)))


def _demotions(
    desk: Desk, page: Page, kind: Kind, row: int, rules: Diversity, tuned: float, upto: int | None = None
) -> Iterator[Reason]:
    """What the stories above take from this one. With `upto` the page already holds the story itself."""
    own = 0 if upto is None else 1
    above = page.rows if upto is None else page.rows[:upto]
    if not above or not tuned:
        return
    counted = (
        (
            rules.topic,
            rules.topic_free,
            kind.topic,
            page.topics[kind.topic],
            desk.edition.topic_labels.get(kind.topic, ""),
        ),
        (rules.publisher, rules.publisher_free, kind.publisher, page.publishers[named(kind.publisher)], kind.publisher),
        (rules.entity, rules.entity_free, kind.entity, page.entities[named(kind.entity)], kind.entity),
    )
    repair = turn(SIGNAL, "Let one subject fill the page", desk)
    for (weight, free, name, count, label), word in zip(counted, ("about", "from", "naming"), strict=True):
        over = count - own - free + 1
        if name and over > 0 and weight:
            yield because(
                SIGNAL, -weight * tuned * over, f"{_stories(count - own)} {word} {label or name} above it", repair
            )
    vectors = desk.edition.vectors
    if rules.thread and vectors.shape[1]:
        near = (vectors[above] * vectors[row]).sum(axis=1)
        alike = int(np.count_nonzero(near > rules.thread_near))
        if alike:
            told = f"{_stories(alike)} above it {'tells' if alike == 1 else 'tell'} nearly the same"
            yield because(SIGNAL, -rules.thread * tuned * alike, told, repair)


def _stories(n: int) -> str:
    return "one story" if n == 1 else f"{n} stories"
