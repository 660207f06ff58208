"""No topic, publisher, person or thread floods the page: each further story of the same kind loses points, and says so.

Points are only ever taken, and the more the longer the page, so picking the best of what is left gives items in order
of score and may stop as soon as nothing outside can reach the next place: it need not look at every story.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadsheet.feed.edition import Floats, Rows, partly_private
from broadsheet.feed.score import Desk, turn
from broadsheet.model import Reason, Repair
from broadsheet.wording import meant, phrase, plural

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


BUDGET = "budget"
OFTEN = 0.3  # the learned weight from which on a topic is one of the reader's own
RULES: Mapping[str, Callable[[float], str]] = {  # what a reader may ask of a page, and how a share of it is said
    "outside": lambda share: phrase("at least {n:.0f}% from outside what I follow and read", n=100 * share),
    "topic": lambda share: phrase("at most {n:.0f}% about one subject", n=100 * share),
    "country": lambda share: phrase("at most {n:.0f}% from publishers of one country", n=100 * share),
    "publisher": lambda share: phrase("at most {n:.0f}% from one publisher", n=100 * share),
}


def inside(desk: Desk) -> NDArray[np.bool_]:
    """The rows of what the reader follows, and of the topics that they often read."""
    reader, edition = desk.reader, desk.edition
    rows = np.zeros(len(edition), bool)
    for follow in reader.follows:
        rows[edition.about(follow.kind, follow.value)[0]] = True
    for (kind, name), weight in reader.weights.items():
        if kind == "topic" and weight.value >= OFTEN:
            rows[edition.topics.postings(name)[0]] = True
    return rows


class Allowance:
    """What the reader's budget still lets onto a page: which stories would break a rule of it.

    What it bars it bars for the rest of the page, so that picking the best of what is left stays in order of score.
    """

    def __init__(self, desk: Desk, rules: Diversity, length: int) -> None:
        self.desk = desk
        self.left = length
        budget, edition = desk.reader.budget, desk.edition
        self.caps = {rule: max(int(share * length + 1e-9), 1) for rule, share in budget.items() if rule != "outside"}
        classes = {
            "topic": lambda: edition.broad_topics[1],
            "country": lambda: edition.origins[1],
            "publisher": lambda: edition.sole_publishers(rules.few),
        }
        self.classes = {rule: classes[rule]() for rule in self.caps}  # of each row, as numbers; -1: of none
        self.stand: dict[tuple[str, int], int] = {}
        self.needed = min(math.ceil(budget.get("outside", 0.0) * length - 1e-9), length)
        self.inside = inside(desk) if self.needed else np.zeros(0, bool)
        self.kept_back = False  # whether a story of the reader's own was barred, so that one from outside stands there
        self.reserving = False  # every place that is left is for a story from outside
        self._barred = np.zeros(len(edition), bool)  # a class that is full is marked once, not asked for at each story
        self._seen = memoryview(self._barred.data)
        self._reserve()

    def _reserve(self) -> None:
        if not self.reserving and self.needed and self.needed >= self.left:
            self.reserving = True
            self._barred |= self.inside

    def bars(self, row: int) -> bool:
        if not self._seen[row]:
            return False
        if self.reserving and not self.kept_back and self.inside[row]:
            self.kept_back = True
        return True

    def add(self, row: int) -> None:
        self.left -= 1
        for rule, of in self.classes.items():
            one = rule, int(of[row])
            if one[1] >= 0:
                self.stand[one] = self.stand.get(one, 0) + 1
                if self.stand[one] == self.caps[rule]:
                    self._barred |= of == one[1]
        if self.needed and not self.inside[row]:
            self.needed -= 1
        self._reserve()

    def reasons(self, row: int) -> Iterator[Reason]:
        """Why a story from outside stands where one of the reader's own would have stood: no points, but said."""
        if self.kept_back and not self.inside[row]:
            share = self.desk.reader.budget["outside"]
            said = phrase("your budget asks for at least {n:.0f}% from outside what you follow and read", n=100 * share)
            repair = Repair(
                label=phrase("Ask for nothing from outside"), kind="settings", settings={"budget": {"outside": 0.0}}
            )
            yield Reason(BUDGET, 0.0, said, repair)


def kept(desk: Desk, rules: Diversity, rows: Sequence[int], length: int) -> dict[str, bool]:
    """Which rules of the reader's budget a page of these rows keeps; they break only where there were too few stories."""
    allowance = Allowance(desk, rules, length)
    for row in rows:
        allowance.add(row)
    found = dict.fromkeys(desk.reader.budget, True)
    for (rule, _), n in allowance.stand.items():
        found[rule] = found[rule] and n <= allowance.caps[rule]
    if "outside" in found:
        found["outside"] = allowance.needed == 0
    return found


class Kind(NamedTuple):
    """What a story has in common with others: empty where it has nothing."""

    topic: str
    publisher: str
    entity: str


def kind_of(desk: Desk, row: int, rules: Diversity) -> Kind:
    kinds = desk.edition.kinds.setdefault(rules.few, {})  # it is the same for every reader
    kind: Kind | None = kinds.get(row)
    if kind is None:
        story = desk.edition.rows[row]
        publisher = story.first_publisher if len(story.publishers) <= rules.few else ""
        kind = kinds[row] = Kind(desk.edition.main_topic(row), publisher, story.first_entity)
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
        self.kinds: dict[int, Kind] = desk.edition.kinds.setdefault(rules.few, {})
        # row -> how many of the page it was held against, how many are near
        self.compared: dict[int, tuple[int, int]] = {}

    def kind(self, row: int) -> Kind:
        return self.kinds.get(row) or kind_of(self.desk, row, self.rules)

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
        repair = turn(SIGNAL, phrase("Let one subject fill the page"), self.desk)
        if topic:
            label = self.desk.edition.topic_labels.get(kind.topic) or kind.topic
            yield Reason(SIGNAL, -topic, _above_about(self.topics[kind.topic], meant("topic", label)), repair)
        if publisher:
            hidden = partly_private(self.desk.edition, self.desk.reader, row)
            name = phrase("the same publisher") if hidden else story.publishers[0]
            said = plural(
                "one story stands above it from {name}",
                "{n} stories stand above it from {name}",
                self.publishers[kind.publisher],
                name=name,
            )
            yield Reason(SIGNAL, -publisher, said, repair)
        if entity:
            yield Reason(SIGNAL, -entity, _above_about(self.entities[kind.entity], story.entity), repair)
        if thread:
            fact = plural(
                "one story stands above it telling nearly the same",
                "{n} stories stand above it telling nearly the same",
                self.near(row),
            )
            yield Reason(SIGNAL, -thread, fact, repair)


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
    settle the next place. `before` are the rows of pages already shown: the page goes on where they ended. A budget of the
    reader's is kept on all these together, wherever there are stories to keep it with; where there are none, the page is
    filled all the same.
    """
    for one in best_first(desk, ranked, length, rules, before, at_first):
        demotions = tuple(one.page.demotions(one.row))
        if one.allowance:
            demotions += tuple(one.allowance.reasons(one.row))
        yield one.row, demotions


class Picked(NamedTuple):
    """The next story of a page, and the page as it is before it."""

    row: int
    score: float  # to the last bit or so: what the reasons add up to is the score
    page: Page
    allowance: Allowance | None


def best_first(
    desk: Desk,
    ranked: Callable[[int], tuple[Rows, Floats]],
    length: int,
    rules: Diversity,
    before: Sequence[int] = (),
    at_first: int = 0,
) -> Iterator[Picked]:
    """The rows that `pick` gives, in that order, with nothing told of them: as many as are asked for."""
    page = Page(desk, rules, len(before) + length)
    allowance = Allowance(desk, rules, len(before) + length) if desk.reader.budget else None
    barred: list[tuple[int, float]] = []  # by the budget: taken only when nothing else is left
    for row in before:
        page.add(row)
        if allowance:
            allowance.add(row)
    asked = at_first or max(4 * length, 100)
    rows, points = _lists(ranked(asked))
    next_in, given = 0, 0
    # -score, row, points, how long the page was when it was scored, and whether likeness to the page was part of it
    waiting: list[tuple[float, int, float, int, bool]] = []
    kinds, kind, (topics, publishers, entities) = page.kinds, page.kind, page.taken

    def takes(row: int) -> float:
        """The sum of `Page.takes`: asked some thirty times a place where many stories are alike."""
        topic, publisher, entity = kinds.get(row) or kind(row)
        return topics.get(topic, 0.0) + publishers.get(publisher, 0.0) + entities.get(entity, 0.0)

    while given < length:
        # whatever could be the best enters with its full points; it is scored when it comes to the top
        while next_in < len(rows) and (not waiting or points[next_in] >= -waiting[0][0]):
            row, base = rows[next_in], points[next_in]
            if allowance and allowance.bars(row):
                barred.append((row, base))
            else:
                heapq.heappush(waiting, (takes(row) - base, row, base, len(page.rows), False))
            next_in += 1
        if next_in == len(rows) >= asked:
            asked *= 4
            rows, points = _lists(ranked(asked))  # the same rows first, and more of them
            continue
        if not waiting and barred:  # the budget can't be kept with what there is: they come in after all, best first
            barred.sort(key=lambda one: (-one[1], one[0]))
            rows, points = [row for row, _ in barred], [base for _, base in barred]
            next_in, asked, allowance, barred = 0, len(rows) + 1, None, []
            continue
        if not waiting:
            return
        score, row, base, known, whole = waiting[0]
        if allowance and allowance.bars(row):
            heapq.heappop(waiting)
            barred.append((row, base))
        elif known != len(page.rows):  # the page has grown since: what it takes now is no less, so this only sinks
            heapq.heapreplace(waiting, (takes(row) - base, row, base, len(page.rows), False))
        elif not whole:
            heapq.heapreplace(waiting, (score + page.thread(row), row, base, known, True))
        else:
            heapq.heappop(waiting)
            yield Picked(row, -score, page, allowance)
            page.add(row)
            if allowance:
                allowance.add(row)
            given += 1


def _lists(ranked: tuple[Rows, Floats]) -> tuple[list[int], list[float]]:
    return ranked[0].tolist(), ranked[1].tolist()


def _above_about(n: int, name: str) -> str:
    return plural("one story stands above it about {name}", "{n} stories stand above it about {name}", n, name=name)
