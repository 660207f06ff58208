"""What the articles that a reader has not read say that those read did not: chosen sentences, never written ones.

`told.tell` makes of an article all that is compared; `news` compares what was told. docs/design/0013-novelty.md has the
measurements.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import Article, Passage
from broadsheet.stories.features import words
from broadsheet.stories.overlap import Bag, bagged, overlap, sums
from broadsheet.stories.pairs import Forest, packaged
from broadsheet.stories.sentences import Sentences
from broadsheet.stories.told import FORM, Fact, Floats, Ints, Said, Told, tell, term

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """When a sentence is new, and when two new ones say the same."""

    least: float = 0.4  # probability from which a sentence is new: best of .3 to .55 on the labelled dev half
    alike: float = 0.6  # of two new sentences, the lesser goes when this much of it, by weight, is in the other
    most: int | None = None  # sentences given at most


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A sentence that says something new, and what in it is new, named in its own words."""

    passage: Passage
    why: str  # `number: 3,000`, `correction: 3,000, was 2,000`, `name: Katherine Tai`, `quote`, `event: resigned`
    probability: float  # that it is new
    worth: float  # by which the news is in order


# --- comparing ---------------------------------------------------------------------------------------------------

CELLS = 1 << 22  # pairs of sentences compared at once, so that stories of hundreds of articles need no more memory

FEATURES = (
    "best",  # of the sentence's weight, the part that the nearest read sentence has
    "cosine",  # with the nearest
    "two",  # the part that the nearest two have together
    "three",
    "all",  # the part that anything read has
    "unseen",  # log of the weight of words not read
    "unseen_mean",
    "rarest",
    "new_numbers",
    "new_names",
    "quoted",
    "quoted_unseen",  # of the weight, the part that is quoted and not in the nearest
    "bigrams",  # the part of its word pairs that were read
    "words",
    "place",
    "end",
    "question",
    "lower",
    "read",
)
# Which way each may move the probability: more that is shared never makes a sentence newer.
DIRECTIONS = (-1, -1, -1, -1, -1, 1, 0, 1, 1, 1, 0, 1, -1, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Read:
    """All that was read, as it is asked."""

    bag: Bag
    slots: Ints
    bigrams: Ints
    numbers: frozenset[str]
    known: frozenset[str]


def _reading(read: Sequence[Told]) -> _Read:
    every = sorted((s for told in read for s in (told.title, *told.said)), key=lambda s: s.passage.text)
    said: dict[bytes, Said] = {}  # what several articles say in the same words is compared once
    for sentence in every:
        if len(sentence.slots):
            said.setdefault(sentence.slots.tobytes(), sentence)
    bag = bagged(list(said.values()))
    return _Read(
        bag,
        np.unique(bag.slots),
        np.unique(np.concatenate([s.bigrams for s in every])) if every else np.zeros(0, dtype=np.int64),
        frozenset(key for s in every for n in s.numbers for key in n.keys),
        frozenset().union(*(s.known for s in every)),
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    rows: NDArray[np.float32]  # one row of FEATURES a sentence
    nearest: Ints  # the read sentence that shares most, or -1
    new: Flags  # which of a sentence's words, all end to end, were not read
    edges: Ints  # where each sentence's words begin
    numbers: tuple[tuple[Fact, ...], ...]
    names: tuple[tuple[Fact, ...], ...]


def _in(values: Ints, among: Ints) -> Flags:
    """Which values are among these, which are sorted: a fifth of the time of `np.isin` for few values."""
    if not len(among):
        return np.zeros(len(values), dtype=bool)
    found: Flags = among[np.minimum(np.searchsorted(among, values), len(among) - 1)] == values
    return found


def _top(cover: Floats, most: int) -> Ints:
    """The columns of the highest values of each row, highest first, of equal ones the first."""
    left = cover.copy()
    rows = np.arange(len(cover))
    found = np.zeros((len(cover), most), dtype=np.int64)
    for rank in range(most):
        found[:, rank] = left.argmax(axis=1) if len(left) else 0
        left[rows, found[:, rank]] = -1.0
    return found


def _share(said: Sequence[Said], bigrams: Ints) -> Floats:
    """The part of each sentence's word pairs that is among these."""
    if not said:
        return np.zeros(0)
    rows = np.repeat(np.arange(len(said)), [len(s.bigrams) for s in said])
    known = _in(np.concatenate([s.bigrams for s in said]), bigrams)
    counts = np.maximum(np.bincount(rows, minlength=len(said)), 1)
    return sums(rows, known.astype(np.float64), len(said)) / counts


def _compare(read: _Read, said: Sequence[Said]) -> _Compared:
    ours, theirs = bagged(said), read.bag
    count = len(ours.said)
    totals = np.maximum(ours.totals, 1e-9)
    shared = overlap(ours, theirs)
    width = shared.cover.shape[1]
    top = _top(shared.cover, 3)
    had = np.zeros(len(ours.slots), dtype=bool)
    parts: list[Floats] = []
    in_nearest = had
    for rank in range(3):
        if rank < width and theirs.said:
            hit = shared.row == top[ours.rows[shared.token], rank]
            had = had.copy()
            had[shared.token[hit]] = True
        if rank == 0:
            in_nearest = had
        parts.append(sums(ours.rows, ours.weights * had, count) / totals)
    norms = ours.norms[:, None] * (theirs.norms if len(theirs.said) else np.ones(1))[None, :]
    cosine = (shared.dot / np.maximum(norms, 1e-9)).max(axis=1) if count else np.zeros(0)

    new = ~_in(ours.slots, read.slots)
    fresh = sums(ours.rows, ours.weights * new, count)
    fresh_count = sums(ours.rows, new.astype(np.float64), count)
    rarest = np.zeros(count)
    np.maximum.at(rarest, ours.rows[new], ours.weights[new])
    quoted = np.concatenate([s.quoted for s in ours.said]) if count else np.zeros(0, dtype=bool)
    in_quotes = sums(ours.rows, ours.weights * quoted, count) / totals
    new_quoted = sums(ours.rows, ours.weights * (quoted & ~in_nearest), count) / totals
    new_numbers = tuple(tuple(f for f in s.numbers if f.keys[0] not in read.numbers) for s in ours.said)
    new_names = tuple(tuple(f for f in s.names if any(k not in read.known for k in f.keys)) for s in ours.said)
    rows = np.column_stack(
        [
            parts[0],
            cosine,
            parts[1],
            parts[2],
            1.0 - fresh / totals,
            np.log1p(fresh),
            fresh / np.maximum(fresh_count, 1.0),
            rarest,
            [min(3, len(n)) for n in new_numbers],
            [min(3, len(n)) for n in new_names],
            in_quotes,
            new_quoted,
            _share(ours.said, read.bigrams),
            np.array([s.form[:5] for s in ours.said]).reshape(count, 5),
            [np.log1p(len(theirs.said))] * count,
        ]
    ).astype(np.float32)
    edges = np.searchsorted(ours.rows, np.arange(count + 1))
    nearest = top[:, 0] if len(theirs.said) else np.full(count, -1)
    return _Compared(rows, nearest, new, edges, new_numbers, new_names)


# --- what a sentence is worth ------------------------------------------------------------------------------------

# What the weights of `worth` are for, besides the features named here.
WORTH = (
    "all",
    "cosine",
    "unseen",
    "rarest",
    "new_numbers",
    "new_names",
    "words",
    "place",
    "end",
    "number",
    "quote",
    "open_quote",
    "said",
    "day",
    "dangling",
    "title",
    "new_title",
)
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+|\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")
_FROM_ROWS = [FEATURES.index(name) for name in WORTH[:6]]
_FROM_FORM = [FORM.index(name) for name in WORTH[6:15]]


def rows(read: Sequence[Told], unread: Told) -> tuple[NDArray[np.float32], Floats]:
    """One row of `FEATURES` and one of `WORTH` for each sentence of an article: what the model is fitted on."""
    reading = _reading(read)
    found = _compare(reading, unread.said).rows
    return found, _worth_rows(reading, unread, unread.said, found)


def _worth_rows(read: _Read, told: Told, said: Sequence[Said], found: NDArray[np.float32]) -> Floats:
    bag, title = bagged(said), told.title.slots
    titled, count = _in(bag.slots, title), len(said)
    fresh = titled & ~_in(bag.slots, read.slots)
    return np.column_stack(
        [
            found[:, _FROM_ROWS],
            np.array([s.form for s in said]).reshape(count, len(FORM))[:, _FROM_FORM],
            sums(bag.rows, titled.astype(np.float64), count) / max(1, len(title)),
            sums(bag.rows, fresh.astype(np.float64), count) > 0,
        ]
    )


@dataclass(frozen=True, slots=True)
class Model:
    """The probability that a sentence is new, and that it is news of the event itself (scripts/train_novelty.py)."""

    forest: Forest
    weights: Floats  # of `WORTH`, and last the constant

    def new(self, found: NDArray[np.float32]) -> Floats:
        return self.forest.probability(found)

    def news(self, worth: Floats) -> Floats:
        odds: Floats = 1.0 / (1.0 + np.exp(-(worth @ self.weights[:-1] + self.weights[-1])))
        return odds


@cache
def model() -> Model:
    """The model that Broadsheet ships."""
    with (
        resources.as_file(resources.files("broadsheet.stories") / "data" / "novelty.npz") as path,
        np.load(path) as arrays,
    ):
        return Model(packaged("novelty"), arrays["worth"].astype(np.float64))


# --- news --------------------------------------------------------------------------------------------------------


def whats_new(
    read: Sequence[Article],
    unread: Sequence[Article],
    passages: Sentences | None = None,
    rules: Novelty = Novelty(),
) -> tuple[News, ...]:
    """The sentences of `unread` that say something not in `read`, most important first; none where there is nothing new.

    Each is verbatim: `text[start:end]` of its article. What several say is given once, from the fullest sentence, and of
    equal ones from the earliest. With nothing read, all that the articles say is new, once each. `unread` is in order
    of time; `passages` cuts an article into sentences. Pure.
    """
    return news([tell(a, passages) for a in read], [tell(a, passages) for a in unread], rules)


def count_new(read: Sequence[Told], unread: Sequence[Told], rules: Novelty = Novelty()) -> int:
    """How many sentences `news` would give."""
    return len(_chosen(read, unread, rules))


def news(read: Sequence[Told], unread: Sequence[Told], rules: Novelty = Novelty()) -> tuple[News, ...]:
    """`whats_new` of articles that were told already: what to keep where the same story is asked about often."""
    return tuple(
        News(passage=c.said.passage, why=_why(c), probability=round(c.probability, 4), worth=round(worth, 4))
        for c, worth in _chosen(read, unread, rules)
    )


@dataclass(frozen=True, slots=True)
class _Candidate:
    said: Said
    told: int  # which of the unread articles
    probability: float
    worth: float
    numbers: tuple[Fact, ...]
    names: tuple[Fact, ...]
    new: Flags  # which of its words were not read
    corrected: tuple[str, str] | None  # the new number and the read one whose place it takes


MOST_COMPARED = 4000  # new sentences of a story that are compared with each other; nobody reads more
SURE = 0.9  # what a corrected number makes of a probability, at least
SAME_PLACE = 0.5  # of a sentence that must be in the nearest read one for its other number to be a correction
EQUAL = 0.8  # cosine from which two sentences say the same in other words
FULL = 0.85  # of the weight of the fullest of equal sentences that the one given has
CENTRAL = 0.5  # cosine from which another publisher's sentence bears one out
BORNE_OUT = 0.3  # what the first publisher that bears a sentence out adds to its worth, as a part of it
# The same for a sentence that opens an article and is surely new; a third of it for the second, a fifth for the third.
OPENING = 1.0


def _chosen(read: Sequence[Told], unread: Sequence[Told], rules: Novelty) -> list[tuple[_Candidate, float]]:
    """The news in order with its worth: greedily, leaving out what one already chosen says."""
    candidates = _candidates(_reading(read), unread, rules)
    if not candidates:
        return []
    if len(candidates) > MOST_COMPARED:
        kept = np.argsort([-c.worth for c in candidates], kind="stable")[:MOST_COMPARED]
        candidates = [candidates[i] for i in np.sort(kept).tolist()]
    within, equal, borne = _among(candidates, [t.publisher for t in unread], rules)
    place = np.array([c.said.place for c in candidates])
    worth = np.array([c.worth for c in candidates])
    sure = np.array([c.probability - rules.least for c in candidates]).clip(0.0) / (1.0 - min(rules.least, 0.9))
    worth *= (1.0 + BORNE_OUT * np.log2(1.0 + borne)) * (1.0 + OPENING * sure / (1.0 + 2.0 * place))
    weight = np.array([c.said.weight for c in candidates])
    left = np.ones(len(candidates), dtype=bool)
    chosen: list[tuple[_Candidate, float]] = []
    alone, last = equal.sum(axis=0) == 1, within.sum(axis=0) <= 1  # most have no equal and hold no other
    for first in np.argsort(-worth, kind="stable").tolist():
        if not left[first]:
            continue
        taken = first
        if not alone[first]:
            like = np.flatnonzero(equal[first] & left)
            # the earliest of those that are as full as any
            taken = int(like[weight[like] >= FULL * weight[like].max()][0])
            left[like] = False
        if not last[taken]:
            left &= ~within[:, taken]
        chosen.append((candidates[taken], float(worth[first])))
        if rules.most is not None and len(chosen) == rules.most:
            break
    return chosen


def _candidates(read: _Read, unread: Sequence[Told], rules: Novelty) -> list[_Candidate]:
    shipped = model()
    found: list[_Candidate] = []
    batch = max(1, CELLS // max(1, len(read.bag.said)))
    # what copies say in the same words is asked once, of the earliest
    same: dict[str, tuple[int, Said]] = {}
    for n, told in enumerate(unread):
        for s in told.said:
            if not s.furniture:
                same.setdefault(" ".join(s.passage.text.casefold().split()), (n, s))
    asked = list(same.values())
    for begin in range(0, len(asked), batch):
        part = asked[begin : begin + batch]
        compared = _compare(read, [s for _, s in part])
        new = shipped.new(compared.rows) if read.bag.said else np.ones(len(part))
        fixes = [
            _corrected(s, read.bag.said[compared.nearest[i]], compared.numbers[i])
            if compared.numbers[i] and read.bag.said and compared.rows[i, 0] >= SAME_PLACE
            else None
            for i, (_, s) in enumerate(part)
        ]
        kept = [i for i in range(len(part)) if new[i] >= rules.least or fixes[i]]
        if not kept:
            continue
        worth = np.concatenate(
            [
                _worth_rows(read, unread[n], [part[i][1] for i in group], compared.rows[list(group)])
                for n, group in ((n, list(g)) for n, g in groupby(kept, key=lambda i: part[i][0]))
            ]
        )
        news = shipped.news(worth)
        for i, about in zip(kept, news.tolist(), strict=True):
            probability = max(float(new[i]), SURE) if fixes[i] else float(new[i])
            found.append(
                _Candidate(
                    part[i][1],
                    part[i][0],
                    probability,
                    probability + 2.0 * about,
                    compared.numbers[i],
                    compared.names[i],
                    compared.new[compared.edges[i] : compared.edges[i + 1]],
                    fixes[i],
                )
            )
    return found


def _after(text: str, fact: Fact) -> str:
    """The word behind a number: what it counts."""
    following = _WORD.search(text, fact.start + len(fact.text))
    return (words(following[0]) or [""])[0] if following else ""


def _corrected(new: Said, old: Said, fresh: Sequence[Fact]) -> tuple[str, str] | None:
    """The number that takes another's place: both count the same thing, and the new sentence no longer has the old one."""
    mine = {key for fact in new.numbers for key in fact.keys}
    for fact in fresh if old.numbers else ():
        counts = _after(new.passage.text, fact)
        for before in old.numbers:
            if counts and before.keys[0] not in mine and _after(old.passage.text, before) == counts:
                return fact.text, before.text
    return None


def _among(candidates: Sequence[_Candidate], publishers: Sequence[str], rules: Novelty) -> tuple[Flags, Flags, Ints]:
    """Of new sentences: which says no more than which, which are equal, and how many other publishers bear each out."""
    bag = bagged([c.said for c in candidates])
    count = len(candidates)
    norms, totals = np.maximum(bag.norms, 1e-9), np.maximum(bag.totals, 1e-9)
    whose = np.unique([publishers[c.told] for c in candidates], return_inverse=True)[1]
    within, equal = np.zeros((count, count), dtype=bool), np.eye(count, dtype=bool)
    borne = np.zeros(count, dtype=np.int64)
    batch = max(1, CELLS // count)
    for begin in range(0, count, batch):
        some = np.arange(begin, min(count, begin + batch))
        part = bagged([candidates[i].said for i in some.tolist()])
        shared = overlap(part, bag)
        cosine = shared.dot / (norms[some][:, None] * norms[None, :])
        within[some] = shared.cover >= rules.alike * totals[some][:, None]
        equal[some] |= cosine >= EQUAL
        row, other = np.nonzero((cosine >= CENTRAL) & (whose[some][:, None] != whose[None, :]))
        borne[some] = np.bincount(
            np.unique(row * (whose.max() + 1) + whose[other]) // (whose.max() + 1), minlength=len(some)
        )
    # what has a number or a name that the other has not says more than it
    for i, j in np.argwhere(within | equal).tolist():
        if i != j and not _says_all(candidates[j], candidates[i]):
            within[i, j] = equal[i, j] = False
    return within, equal & equal.T, borne


def _says_all(one: _Candidate, other: _Candidate) -> bool:
    """Does one have the new numbers and names of the other?"""
    figures = {key for fact in one.said.numbers for key in fact.keys}
    return all(f.keys[0] in figures for f in other.numbers) and all(
        k in one.said.known for f in other.names for k in f.keys
    )


# --- why ---------------------------------------------------------------------------------------------------------

MOST_NAMED = 2  # things that a reason names


def _why(candidate: _Candidate) -> str:
    """What is new in a sentence, in its own words."""
    text = candidate.said.passage.text
    if candidate.corrected:
        return "correction: {}, was {}".format(*candidate.corrected)
    # a number in words is named only where nothing else is
    figures = [f"number: {f.text}" for f in candidate.numbers if any(c.isdigit() for c in f.text)]
    people = [f"name: {f.text}" for f in candidate.names]
    found = list(dict.fromkeys(people[:1] + figures[:1] if people and figures else figures[:2] or people[:2]))
    if found:
        return "; ".join(found[:MOST_NAMED])
    if (candidate.said.quoted & candidate.new).any():
        return "quote"
    if candidate.numbers:
        return f"number: {candidate.numbers[0].text}"
    unseen = set(candidate.said.slots[candidate.new].tolist())
    best, weight = "", 0.0
    for match in _TOKEN.finditer(text):
        for word in words(match[0]):
            slot, rare = term(word)
            if slot in unseen and rare > weight:
                best, weight = match[0], rare
    return f"event: {best}" if best else "event"
