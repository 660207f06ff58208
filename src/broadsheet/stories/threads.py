"""Which long story does a story belong to: a war, a trial, two countries' quarrel, over months and years.

A story is decided once, by what came before it; while it is alone in its thread it is decided again whenever it has
grown. It is compared with the threads of those stories that share its rarest words and names, and a learned probability
(`data/threads.npz`) decides. What a thread keeps in memory is bounded: one fading mean of its stories and its latest few.
A thread that is silent for long is let go, the sooner the smaller it is, so a story costs the same in a year as on the
first day.
"""

from __future__ import annotations

import json
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log1p, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import (
    ArticleId,
    Entity,
    EntityType,
    OpenThread,
    Story,
    StoryId,
    Thread,
    ThreadId,
    identify,
    named,
    vector_of,
)
from broadsheet.stories.features import (
    Comparer,
    Floats,
    Ints,
    Rarity,
    Sketch,
    blend,
    counted,
    timestamp,
    words,
)
from broadsheet.stories.pairs import Forest, packaged
from broadsheet.stories.postings import Postings

DAY = 86400.0
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threading:
    """When stories are one thread, and for how long a thread is open."""

    join: float = 0.35  # a story joins the likeliest thread from this probability up
    stories: int = 60  # stories that share rare words with a new one: their threads are compared with it
    threads: int = 20  # threads compared
    kept: int = 12  # latest stories of a thread that a new one is compared with
    memory: int = 30  # stories after which the mean of a thread has forgotten the first by two thirds
    quiet: timedelta = timedelta(days=60)  # silence that closes a thread of one story; as much more for each doubling
    longest: timedelta = timedelta(days=400)  # silence that closes any: a trial comes back after a year
    most: int = 5_000  # threads that are open at once, some 5 KB each: past a tenth more, those next to be closed go


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a story went, and what that changed."""

    story: StoryId
    thread: ThreadId
    is_new: bool  # no other story is in the thread
    score: float = 0.0  # the probability by which it joined; of a new one, the best that it was offered
    left: ThreadId | None = None  # the thread that it had to itself before, and that is no more


# --- a story as it is compared ------------------------------------------------------------------------------------

BODY, TITLE, NAMES, ROOTS = 80, 30, 30, 30  # terms kept of each view
READ = 150  # words of key points: a story of forty articles says of itself about as much as one of a single article
NAMES_SEEN = 20.0  # the table of rare names is empty at first and counts as this many stories

_CAPITAL = re.compile(r"\b[A-Z][^\W\d_]{2,}")


def roots(text: str) -> list[str]:
    """The first five letters of capitalised words: Israel and Israelis, Ukraine and Ukrainian share theirs."""
    return [f"~{word[:5].casefold()}" for word in _CAPITAL.findall(text)]


def text_of(story: Story) -> str:
    """What a story says of itself below its headline."""
    said = dict.fromkeys([p.text for p in story.key_points] + [m.sentence for m in story.timeline[:2]])
    return " ".join(" ".join(said).split()[:READ])


class _Rare:
    """How rare words and names are among the stories that are held; forgotten with them.

    So it depends on nothing but what is held, and is the same after a restart.
    """

    def __init__(self) -> None:
        self.words = Rarity.packaged()
        self.names = Rarity(NAMES_SEEN)

    def see(self, one: Sketch, times: int) -> None:
        self.words.see(one.slots[one.view(0)], times)
        self.names.see(np.union1d(one.slots[one.view(2)], one.slots[one.view(3)]), times)


def _unit(found: Iterable[str], rarity: Rarity, most: int) -> tuple[Ints, Floats, float]:
    slots, counts = counted(found)
    weights = (1.0 + np.log(counts)) * rarity.weight(slots) if len(slots) else counts
    if len(slots) > most:
        best = np.argsort(-weights, kind="stable")[:most]
        slots, weights = slots[best], weights[best]
    order = np.argsort(slots, kind="stable")
    slots, weights = slots[order], weights[order]
    size = float(np.sqrt((weights * weights).sum()))
    return slots, (weights / size if size > 0 else weights).astype(np.float32), size


def _sketch(story: Story, rare: _Rare) -> Sketch:
    """The views of a story are its words, those of its headline, its names, and the roots of capitalised words."""
    text, head = text_of(story), words(story.headline)
    names = [name for entity in story.entities for name in (named(entity.text),) * min(entity.count, 3)]
    views = (
        _unit(head + words(text), rare.words, BODY),
        _unit(head, rare.words, TITLE),
        _unit(names, rare.names, NAMES),
        _unit(roots(f"{story.headline}. {text}"), rare.names, ROOTS),
    )
    edges = np.cumsum([len(view[0]) for view in views])
    vector = vector_of(story.vector)
    size = float(np.linalg.norm(vector)) if vector.size else 0.0
    return Sketch(
        id=ArticleId(story.id),
        slots=np.concatenate([view[0] for view in views]),
        weights=np.concatenate([view[1] for view in views]),
        cuts=(int(edges[0]), int(edges[1]), int(edges[2])),
        ends=(views[0][2], views[1][2], views[2][2], views[3][2]),
        length=len(head) + len(text.split()),
        full=True,
        when=timestamp(story.last_seen),
        first=timestamp(story.first_seen),
        publisher="",
        vector=(vector / size if size > 0 else vector[:0]).astype(np.float16),
        fingerprint=np.zeros(0, dtype=np.uint32),
    )


# --- which are near -----------------------------------------------------------------------------------------------


class _Index:
    """Which rows hold a term: the rarest words, names and roots of each story only."""

    KEPT, LONGEST, EVERY = 40, 3000, 1 << 30

    def __init__(self) -> None:
        self._postings = Postings()
        self._gone = array("i")  # rows that were let go

    def _rarest(self, one: Sketch) -> tuple[Ints, Floats]:
        parts = [one.view(view) for view in (0, 2, 3)]
        slots = np.concatenate([one.slots[part] for part in parts])
        weights = np.concatenate([one.weights[part] for part in parts]).astype(np.float32)
        if len(slots) > self.KEPT:
            best = np.argsort(-weights, kind="stable")[: self.KEPT]
            slots, weights = slots[best], weights[best]
        return slots, weights

    def add(self, one: Sketch) -> None:
        self._postings.add(*self._rarest(one))

    def remove(self, row: int) -> None:
        self._gone.append(row)

    def near(self, one: Sketch) -> NDArray[np.float64]:
        """A score for each row: the sum of shared weights."""
        # the latest only: a name in thousands of stories finds nothing that others do not
        rows, scores = self._postings.read(*self._rarest(one), self.LONGEST, self.EVERY)
        found: NDArray[np.float64] = np.bincount(rows, weights=scores, minlength=len(self._postings)).astype(np.float64)
        if self._gone:
            found[np.frombuffer(self._gone, dtype=np.int32)] = 0.0
        return found


FEATURES = (
    "body", "title", "names", "roots", "title_in_body", "vector", "shared_body", "shared_names", "rarest_shared",
    "member_body", "member_names", "member_roots", "member_vector", "member_second",
    "vote", "nearest", "beside", "rank",
    "days", "age", "size", "rate", "unity_vector", "unity_body",
)  # fmt: skip
VOTERS = 20  # the nearest stories, each of which speaks for its thread


@dataclass(slots=True)
class _Held:
    """A thread as it is held in memory."""

    mean: Sketch
    size: int
    first: float
    last: float
    rows: list[int]
    begun: StoryId


class OpenThreads:
    """The threads that may still grow. Deterministic: the same stories in the same order give the same threads."""

    def __init__(self, rules: Threading | None = None, *, forest: Forest | None = None) -> None:
        self.rules = rules or Threading()
        self._forest = forest  # read from the package when it is first asked
        self._rare = _Rare()
        self._comparer = Comparer()
        self._index = _Index()
        self._rows: list[tuple[Sketch, ThreadId, int] | None] = []  # as they came; None where it was let go
        self._came = 0  # how many have come: the number of each stays with it through restarts
        self._dropped = 0
        self._threads: dict[ThreadId, _Held] = {}

    def __len__(self) -> int:
        return len(self._threads)

    def __contains__(self, thread: object) -> bool:
        return thread in self._threads

    # --- what changes it

    def assign(self, story: Story, known: ThreadId | None = None) -> Placed:
        """The thread of a story, which is open afterwards. `known` is the one that it was given before.

        A story stays where it is, unless it is alone there: then it is decided again by what it says now.
        """
        left: ThreadId | None = None
        if known is not None:
            if not self.is_alone(known, story.id):
                self.touch(known, story.last_seen)
                return Placed(story=story.id, thread=known, is_new=False, score=1.0)
            self._close(known)
            left = known
        new, threads, rows = self.look(story)
        if self._forest is None:
            self._forest = packaged("threads")
        scores = self._forest.probability(rows)
        best = int(np.argmax(scores)) if len(scores) else -1
        score = float(scores[best]) if len(scores) else 0.0
        if score >= self.rules.join:
            self.place(new, threads[best])
            return Placed(story=story.id, thread=threads[best], is_new=False, score=score, left=left)
        own = ThreadId(identify("thread", story.id))
        is_new = own not in self._threads
        self.place(new, own)
        return Placed(story=story.id, thread=own, is_new=is_new, score=score, left=left if left != own else None)

    def is_alone(self, thread: ThreadId, story: StoryId) -> bool:
        """Whether this story is all that an open thread has."""
        held = self._threads.get(thread)
        return held is not None and held.size == 1 and held.begun == story

    def touch(self, thread: ThreadId, when: datetime) -> None:
        """A story of the thread goes on until then: it is silent from then on."""
        held = self._threads.get(thread)
        if held is not None:
            held.last = max(held.last, timestamp(when))

    def leave(self, thread: ThreadId, story: StoryId) -> bool:
        """A story is no more, absorbed by another: whether its thread is none either, for it was alone there."""
        if not self.is_alone(thread, story):
            return False
        self._close(thread)
        return True

    def forget(self, now: datetime) -> None:
        """Close what has been silent for too long: no new story is compared with it."""
        at = now.timestamp()
        for thread in [t for t, held in self._threads.items() if self._until(held) < at]:
            self._close(thread)

    def _make_room(self) -> None:
        """Close what would be closed next, where more is open than memory is meant for."""
        if len(self._threads) > 1.1 * self.rules.most:
            order = sorted(self._threads, key=lambda t: (self._until(self._threads[t]), t))
            for thread in order[: len(order) - self.rules.most]:
                self._close(thread)

    def place(self, new: Sketch, thread: ThreadId) -> None:
        """Put a story into a thread without deciding anything."""
        held = self._threads.get(thread)
        row = self._add(new, thread)
        if held is None:
            begun = StoryId(new.id)
            self._threads[thread] = _Held(mean=new, size=1, first=new.first, last=new.when, rows=[row], begun=begun)
            self._make_room()
            return
        mean = held.mean
        if mean.articles > self.rules.memory:
            mean = mean._replace(articles=self.rules.memory)
        held.mean = blend(mean, new)
        held.size += 1
        held.first, held.last = min(held.first, new.first), max(held.last, new.when)
        held.rows.append(row)
        if len(held.rows) > self.rules.kept:
            self._drop(held.rows.pop(0))
        self._tidy()

    # --- kept and put back

    def memory(self, thread: ThreadId) -> OpenThread:
        """What must be kept of an open thread, so that `restored` continues where this one stands."""
        held = self._threads[thread]
        sketches = [held.mean, *(self._held(row)[0] for row in held.rows)]
        until = datetime.fromtimestamp(min(self._until(held), FOREVER.timestamp()), UTC)
        came = [self._held(row)[2] for row in held.rows]
        head = {"size": held.size, "first": held.first, "last": held.last, "came": came, "begun": held.begun}
        return OpenThread(id=thread, until=until, memory=_packed(head, sketches))

    @classmethod
    def restored(
        cls, kept: Iterable[OpenThread], rules: Threading | None = None, *, forest: Forest | None = None
    ) -> OpenThreads:
        """The threads as they were when their memories were taken, in whatever order they come."""
        threads = cls(rules, forest=forest)
        rows: list[tuple[int, Sketch, ThreadId]] = []
        for one in kept:
            head, (mean, *latest) = _unpacked(one.memory)
            mean = latest[0] if head["size"] == 1 and latest else mean  # one story is its own mean: held once
            rows += [(came, sketch, one.id) for came, sketch in zip(head["came"], latest, strict=True)]
            threads._threads[one.id] = _Held(
                mean=mean, size=head["size"], first=head["first"], last=head["last"], rows=[], begun=head["begun"]
            )
        for came, sketch, thread in sorted(rows, key=lambda r: (r[0], r[2])):  # the order decides between equals
            threads._came = came
            threads._threads[thread].rows.append(threads._add(sketch, thread))
        return threads

    # --- how

    def _held(self, row: int) -> tuple[Sketch, ThreadId, int]:
        found = self._rows[row]
        assert found is not None
        return found

    def _until(self, held: _Held) -> float:
        quiet = self.rules.quiet.total_seconds() * (1.0 + log2(held.size))
        return held.last + min(quiet, self.rules.longest.total_seconds())

    def _add(self, one: Sketch, thread: ThreadId) -> int:
        row = len(self._rows)
        self._rows.append((one, thread, self._came))
        self._came += 1
        self._index.add(one)
        self._rare.see(one, 1)
        return row

    def _drop(self, row: int) -> None:
        one = self._held(row)[0]
        self._index.remove(row)
        self._rare.see(one, -1)
        self._rows[row] = None
        self._dropped += 1

    def _close(self, thread: ThreadId) -> None:
        for row in self._threads.pop(thread).rows:
            self._drop(row)

    def look(self, story: Story) -> tuple[Sketch, list[ThreadId], Floats]:
        """The story's sketch, the threads that it may belong to, and a row of `FEATURES` for each."""
        new = _sketch(story, self._rare)
        scores = self._index.near(new)
        top = self._best(scores)
        by_thread: dict[ThreadId, list[int]] = {}
        for row in top:
            by_thread.setdefault(self._held(row)[1], []).append(row)
        ids = list(by_thread)[: self.rules.threads]
        rows = np.full((len(ids), len(FEATURES)), np.nan, dtype=np.float32)
        if not ids:
            return new, ids, rows
        held = [self._threads[thread] for thread in ids]
        # Members first, thread after thread, then the means of those threads that are more than their one member.
        near = [self._held(row)[0] for thread in ids for row in by_thread[thread]]
        counts = np.array([len(by_thread[thread]) for thread in ids])
        begins = np.cumsum(counts) - counts
        several = [place for place, one in enumerate(held) if one.size > 1]
        compared = self._comparer.compare(new, [*near, *(held[place].mean for place in several)], 1.0)
        asked = begins.copy()
        asked[np.array(several, dtype=np.int64)] = np.arange(len(near), len(compared))
        rows[:, 0:9] = compared[asked][:, [0, 1, 2, 3, 4, 6, 11, 13, 14]]
        members = np.nan_to_num(compared[: len(near), [0, 2, 3, 6]])
        rows[:, 9:13] = np.maximum(np.maximum.reduceat(members, begins, axis=0), -1.0)
        alike = (members[:, 0] + members[:, 1] + members[:, 2]).tolist()

        votes = dict.fromkeys(ids, 0.0)
        voters = top[:VOTERS]
        for row in voters:
            thread = self._held(row)[1]
            votes[thread] = votes.get(thread, 0.0) + scores[row]
        total = float(scores[voters].sum())
        nearest = [float(scores[by_thread[thread][0]]) for thread in ids]
        rest = []
        for place, (thread, one) in enumerate(zip(ids, held, strict=True)):
            begin, many = int(begins[place]), int(counts[place])
            second = sorted(alike[begin : begin + many])[-2] if many > 1 else np.nan
            rival = nearest[0] if place else nearest[1] if len(nearest) > 1 else 0.0
            age = max(0.0, (new.when - one.first) / DAY)
            rest.append(
                (
                    second, votes[thread] / total, nearest[place], nearest[place] / rival if rival else np.nan, place,
                    max(0.0, (new.first - one.last) / DAY), age, log1p(one.size), one.size / (age + 1.0),
                    one.mean.unity[4], one.mean.unity[0],
                )
            )  # fmt: skip
        rows[:, 13:24] = rest
        return new, ids, rows

    def _best(self, scores: NDArray[np.float64]) -> list[int]:
        """The rows with the highest scores, best first; of equals the earlier, however many rows were let go."""
        found = np.flatnonzero(scores > 0)
        most = self.rules.stories
        if len(found) > most:
            least = np.partition(scores[found], len(found) - most)[len(found) - most]
            found = found[scores[found] >= least]
        best: list[int] = found[np.lexsort((found, -scores[found]))][:most].tolist()
        return best

    def _tidy(self) -> None:
        """Number the rows anew, in their order, when most of the numbers stand for nothing."""
        if self._dropped < 4096 or 2 * self._dropped < len(self._rows):
            return
        kept = [row for row in self._rows if row is not None]
        self._rows, self._index, self._dropped = [], _Index(), 0
        for held in self._threads.values():
            held.rows = []
        for held_row in kept:
            one, thread, _ = held_row
            self._threads[thread].rows.append(len(self._rows))
            self._index.add(one)
            self._rows.append(held_row)


# --- memories -----------------------------------------------------------------------------------------------------


def _packed(head: dict[str, object], sketches: Sequence[Sketch]) -> bytes:
    written = head | {
        "sketches": [
            [s.id, s.cuts, len(s.slots), s.ends, s.length, s.when, s.first, len(s.vector), s.articles, s.unity]
            for s in sketches
        ]
    }
    said = json.dumps(written).encode()
    parts = [len(said).to_bytes(4, "little"), said]
    for s in sketches:
        parts += [s.slots.astype("<i4").tobytes(), s.weights.astype("<f4").tobytes(), s.vector.astype("<f2").tobytes()]
    return b"".join(parts)


def _unpacked(memory: bytes) -> tuple[dict[str, Any], list[Sketch]]:
    begin = 4 + int.from_bytes(memory[:4], "little")
    head: dict[str, Any] = json.loads(memory[4:begin])
    sketches: list[Sketch] = []
    for id_, cuts, terms, ends, length, when, first, dimensions, articles, unity in head["sketches"]:
        slots = np.frombuffer(memory, "<i4", terms, begin).astype(np.int32)
        weights = np.frombuffer(memory, "<f4", terms, begin + 4 * terms).astype(np.float32)
        vector = np.frombuffer(memory, "<f2", dimensions, begin + 8 * terms).astype(np.float16)
        begin += 8 * terms + 2 * dimensions
        sketches.append(
            Sketch(
                id=id_,
                slots=slots,
                weights=weights,
                cuts=tuple(cuts),
                ends=tuple(ends),
                length=length,
                full=True,
                when=when,
                first=first,
                publisher="",
                vector=vector,
                fingerprint=np.zeros(0, dtype=np.uint32),
                articles=articles,
                unity=tuple(unity),
            )
        )
    return head, sketches


# --- what a thread says of itself ---------------------------------------------------------------------------------

NAMES_SHOWN = 3
HELD_TOGETHER = 12  # entities kept
SHARED = 0.25  # of its stories, and two at least, must hold a name that stands in a thread's


def thread(id: ThreadId, stories: Sequence[Story]) -> Thread:  # noqa: A002
    """The thread of these stories, named by what they share. Raises `ValueError` where there is none.

    >>> thread(id, stories).name  # doctest: +SKIP
    'Gaza Strip · Israel'
    """
    if not stories:
        raise ValueError("a thread has at least one story")
    placed = sorted(stories, key=lambda s: (s.first_seen, s.id))
    together = shared(placed)
    return Thread(
        id=id,
        name=" · ".join(name_parts(together, len(placed))),
        stories=tuple(story.id for story in placed),
        first_seen=placed[0].first_seen,
        last_seen=max(story.last_seen for story in placed),
        entities=together,
    )


def shared(stories: Sequence[Story]) -> tuple[Entity, ...]:
    """The names that two or more of the stories hold, those of most stories first; `count` is how many hold it."""
    held: Counter[str] = Counter()
    weight: Counter[str] = Counter()
    types: dict[str, Counter[EntityType]] = {}
    spelt: dict[str, str] = {}
    for story in stories:
        seen: set[str] = set()
        for place, entity in enumerate(story.entities):
            key = named(entity.text)
            if not key or key in seen:
                continue
            seen.add(key)
            held[key] += 1
            weight[key] += HELD_TOGETHER - min(place, HELD_TOGETHER)  # a story names first what it is about
            types.setdefault(key, Counter())[entity.type] += 1
            spelt[key] = entity.text  # as the latest writes it
    ranked = sorted((key for key in held if held[key] > 1), key=lambda key: (-held[key], -weight[key], key))
    return tuple(
        Entity(text=spelt[key], type=max(types[key], key=lambda t: (types[key][t], t)), count=held[key])
        for key in ranked[:HELD_TOGETHER]
    )


def name_parts(together: Sequence[Entity], stories: int) -> list[str]:
    """The few names that say what a thread is about: none is a part of another."""
    parts: list[str] = []
    for entity in together:
        if entity.count < max(2.0, SHARED * stories) or len(parts) == NAMES_SHOWN:
            break
        own = set(words(entity.text))
        if own and not any(own <= set(words(part)) or set(words(part)) <= own for part in parts):
            parts.append(entity.text)
    return parts
