"""No topic, publisher, person or thread floods the page: each further story of the same kind loses points, and says so.

Points are only ever taken, and the more the longer the page, so picking the best of what is left gives items in order
of score and may stop as soon as nothing outside can reach the next place: it need not look at every story.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from broadsheet.feed.edition import Floats, Rows
from broadsheet.feed.score import Desk, turn
from broadsheet.model import Reason

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


class Kind(NamedTuple):
    """What a story has in common with others: empty where it has nothing."""

    topic: str
    publisher: str
    entity: str


def kind_of(desk: Desk, row: int, rules: Diversity) -> Kind:
    kinds = desk.edition.kinds  # it is the same for every reader
    kind: Kind | None = kinds.get((row, rules.few))
    if kind is None:
        story = desk.edition.rows[row]
        publisher = story.first_publisher if len(story.publishers) <= rules.few else ""
        kind = kinds[row, rules.few] = Kind(desk.edition.main_topic(row), publisher, story.first_entity)
    return kind


class Page:
    """What stands on the page so far, and what it takes from a further story."""

    def __init__(self, desk: Desk, rules: Diversity, length: int) -> None:
        self.desk = desk
        self.rules = rules
        self.tuned = desk.tuned(SIGNAL)
        self.rows: list[int] = []
        self.vectors = np.zeros((length, desk.edition.vectors.shape[1]), np.float32)
        self.topics: Counter[str] = Counter()
        self.publishers: Counter[str] = Counter()
        self.entities: Counter[str] = Counter()
        # what the next story of each kind loses: only those above nothing
        self.taken: tuple[dict[str, float], dict[str, float], dict[str, float]] = ({}, {}, {})
        self.kinds: dict[int, Kind] = {}
        # row -> how many of the page it was held against, how many are near
        self.compared: dict[int, tuple[int, int]] = {}

    def kind(self, row: int) -> Kind:
        kind = self.kinds.get(row)
        if kind is None:
            kind = self.kinds[row] = kind_of(self.desk, row, self.rules)
        return kind

    def add(self, row: int) -> None:
        kind = self.kind(row)
        self.vectors[len(self.rows)] = self.desk.edition.vectors[row]
        self.rows.append(row)
        rules, tuned = self.rules, self.tuned
        for name, stand, taken, rate, free in (
            (kind.topic, self.topics, self.taken[0], rules.topic, rules.topic_free),
            (kind.publisher, self.publishers, self.taken[1], rules.publisher, rules.publisher_free),
            (kind.entity, self.entities, self.taken[2], rules.entity, rules.entity_free),
        ):
            if name:
                stand[name] += 1
                if (more := stand[name] - free + 1) > 0:
                    taken[name] = tuned * rate * more

    def near(self, row: int) -> int:
        """How many stories on the page tell nearly the same. Each pair is compared once."""
        if not self.rules.thread or not self.vectors.shape[1]:
            return 0
        done, count = self.compared.get(row, (0, 0))
        if done < len(self.rows):
            # row by row, not a product of matrices: whose last digits depend on how many rows are asked together
            near = np.einsum("ij,j->i", self.vectors[done : len(self.rows)], self.desk.edition.vectors[row])
            count += int(np.count_nonzero(near > self.rules.thread_near))
            self.compared[row] = len(self.rows), count
        return count

    def takes(self, row: int) -> tuple[float, float, float]:
        """What the page takes from the story for its topic, publisher and main name: none of them below zero."""
        kind = self.kinds.get(row) or self.kind(row)
        topics, publishers, entities = self.taken
        return topics.get(kind[0], 0.0), publishers.get(kind[1], 0.0), entities.get(kind[2], 0.0)

    def thread(self, row: int) -> float:
        """What it takes for telling nearly the same: asked last, because it reads vectors."""
        return self.tuned * self.rules.thread * self.near(row)

    def demotions(self, row: int) -> Iterator[Reason]:
        """The same as reasons, each with the fact behind it."""
        topic, publisher, entity = self.takes(row)
        thread = self.thread(row)
        kind, story = self.kind(row), self.desk.edition.rows[row]
        repair = turn(SIGNAL, "Let one subject fill the page", self.desk)
        if topic:
            label = self.desk.edition.topic_labels.get(kind.topic) or kind.topic
            yield Reason(SIGNAL, -topic, f"{_stand(self.topics[kind.topic])} above it about {label}", repair)
        if publisher:
            said = f"{_stand(self.publishers[kind.publisher])} above it from {story.publishers[0]}"
            yield Reason(SIGNAL, -publisher, said, repair)
        if entity:
            yield Reason(SIGNAL, -entity, f"{_stand(self.entities[kind.entity])} above it about {story.entity}", repair)
        if thread:
            yield Reason(SIGNAL, -thread, f"{_stand(self.near(row))} above it telling nearly the same", repair)


def pick(
    desk: Desk,
    ranked: Callable[[int], tuple[Rows, Floats]],
    length: int,
    rules: Diversity,
    before: Sequence[int] = (),
    at_first: int = 0,
) -> Iterator[tuple[int, tuple[Reason, ...]]]:
    """The page: rows with the reasons that diversity adds, best first.

    `ranked(n)` gives the n best rows with their points, in order; more are asked for only when the ones at hand do not
    settle the next place. `before` are the rows of pages already shown: the page goes on where they ended.
    """
    page = Page(desk, rules, len(before) + length)
    for row in before:
        page.add(row)
    asked = at_first or max(4 * length, 100)
    rows, points = _lists(ranked(asked))
    next_in, given = 0, 0
    # -score, row, points, how long the page was when it was scored, and whether likeness to the page was part of it
    waiting: list[tuple[float, int, float, int, bool]] = []
    while given < length:
        # whatever could be the best enters with its full points; it is scored when it comes to the top
        while next_in < len(rows) and (not waiting or points[next_in] >= -waiting[0][0]):
            row, base = rows[next_in], points[next_in]
            heapq.heappush(waiting, (sum(page.takes(row)) - base, row, base, len(page.rows), False))
            next_in += 1
        if next_in == len(rows) >= asked:
            asked *= 4
            rows, points = _lists(ranked(asked))  # the same rows first, and more of them
            continue
        if not waiting:
            return
        score, row, base, known, whole = waiting[0]
        if known != len(page.rows):  # the page has grown since: what it takes now is no less, so this only sinks
            heapq.heapreplace(waiting, (sum(page.takes(row)) - base, row, base, len(page.rows), False))
        elif not whole:
            heapq.heapreplace(waiting, (score + page.thread(row), row, base, known, True))
        else:
            heapq.heappop(waiting)
            demotions = tuple(page.demotions(row))
            page.add(row)
            given += 1
            yield row, demotions


def _lists(ranked: tuple[Rows, Floats]) -> tuple[list[int], list[float]]:
    return ranked[0].tolist(), ranked[1].tolist()


def _stand(n: int) -> str:
    return "one story stands" if n == 1 else f"{n} stories stand"
