"""The live stories as arrays: everything about them that does not depend on the reader, worked out once.

Rows are in order of story id, so an edition is the same whatever the order its stories came in, and `updated` gives
exactly what building anew would. Names become numbers through a vocabulary that editions share and that only grows;
it is rebuilt when more than half of it is no longer used.
"""

from __future__ import annotations

import itertools
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from sys import intern
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from broadsheet.feed.headlines import teases
from broadsheet.feed.others import Others
from broadsheet.model import (
    Entity,
    Query,
    Reader,
    SourceId,
    Story,
    StoryId,
    identify,
    named,
    names_topic,
    query_of,
    vector_of,
)

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
DAY = 86_400.0
REMEMBERED = 5_000  # phrases and choices whose rows an edition keeps at hand
CHUNK = 4_096  # stories read into arrays at a time
WARM = 450  # what is kept at hand of readers: nine things of each of the last fifty, three as large as the edition
AGENCIES = frozenset(
    [
        "reuters",
        "afp",
        "agence france-presse",
        "ap",
        "associated press",
        "the associated press",
        "dpa",
        "efe",
        "ansa",
        "pa media",
        "press association",
        "upi",
        "xinhua",
        "tass",
        "ritzau",
        "apa",
        "kyodo",
        "kyodo news",
        "ians",
        "ani",
        "pti",
        "bloomberg news",
        "anp",
        "belga",
        "lusa",
        "ntb",
        "tt",
        "news desk",
        "agencies",
    ]
)  # that sign what others wrote for everybody
T = TypeVar("T")


def _strongest_first(pair: tuple[str, float]) -> tuple[float, str]:
    return -pair[1], pair[0]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Names by story and stories by name, with how strongly each belongs to the other (0 to 1)."""

    vocabulary: dict[str, int]
    names: list[str]
    indptr: Rows  # story -> its place in `keys` and `strength`
    keys: Rows
    strength: Floats
    start: Rows  # name -> its place in `rows` and `given`
    rows: Rows
    given: Floats

    def postings(self, name: str) -> tuple[Rows, Floats]:
        """The rows of the stories that have the name, and how strongly."""
        key = self.vocabulary.get(name, -1)
        if not 0 <= key < len(self.start) - 1:  # a name that a later edition brought
            return self.rows[:0], self.given[:0]
        span = slice(self.start[key], self.start[key + 1])
        return self.rows[span], self.given[span]

    def of(self, row: int) -> list[tuple[str, float]]:
        """The names of one story, the strongest first."""
        span = slice(self.indptr[row], self.indptr[row + 1])
        names, strength = self.names, self.strength[span].tolist()
        return sorted(
            zip([names[key] for key in self.keys[span].tolist()], strength, strict=True), key=_strongest_first
        )

    def keys_of(self, row: int) -> tuple[list[int], list[float]]:
        """The names of one story as numbers, and how strongly each belongs to it."""
        first, end = self.indptr[row], self.indptr[row + 1]
        return self.keys[first:end].tolist(), self.strength[first:end].tolist()

    def lists_of(self, rows: Rows) -> tuple[Rows, Rows, Floats]:
        """The names of these stories one after another: each one's place in `rows`, its number and its strength."""
        first = self.indptr[rows]
        lengths = self.indptr[rows + 1] - first
        place = np.repeat(np.arange(len(rows)), lengths)
        at = np.arange(len(place)) + (first - (np.cumsum(lengths) - lengths))[place]
        return place, self.keys[at], self.strength[at]

    def sum(self, keys: Rows, weights: Floats, stories: int) -> Floats:
        """For every story the sum of weight x strength over its names: one pass over the postings of those names."""
        if not len(keys):
            return np.zeros(stories)
        first, end = self.start[keys], self.start[keys + 1]
        if 3 * int((end - first).sum()) > len(self.keys):
            # most of the table: reading it all in its own order is quicker than gathering the part
            worth = np.zeros(len(self.counts))
            worth[keys] = weights
            return np.bincount(self.row_of, worth[self.keys] * self.strength, stories).astype(np.float64, copy=False)
        spans = list(zip(first.tolist(), end.tolist(), strict=True))
        amounts = np.concatenate([self.given[a:b] for a, b in spans])
        amounts *= np.repeat(weights, end - first)
        rows = np.concatenate([self.rows[a:b] for a, b in spans])
        return np.bincount(rows, amounts, stories).astype(np.float64, copy=False)

    def most_common(self) -> Iterator[str]:
        """The names that stories have: that of most stories first, then by name."""
        return (self.names[key] for key in self._by_count)

    @cached_property
    def _by_count(self) -> list[int]:
        counts = self.counts
        return sorted(np.flatnonzero(counts).tolist(), key=lambda key: (-counts[key], self.names[key]))

    @cached_property
    def row_of(self) -> Rows:
        """The story of each of `keys`."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    @cached_property
    def counts(self) -> Rows:
        """How many stories have each name."""
        return np.diff(self.start)


class _Lists(NamedTuple):
    """The names of many stories, one list after another."""

    lengths: Rows
    keys: Rows
    strength: Floats

    def of(self, order: Rows) -> _Lists:
        """The lists of these stories, in this order."""
        lengths = self.lengths[order]
        first = (np.cumsum(self.lengths) - self.lengths)[order]
        ends = np.cumsum(lengths)
        places = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - (ends - lengths), lengths)
        return _Lists(lengths, self.keys[places], self.strength[places])

    @classmethod
    def joined(cls, parts: Sequence[_Lists]) -> _Lists:
        """Several one after another."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _table(lists: _Lists, vocabulary: dict[str, int], names: list[str]) -> Table:
    lengths, keys, strength = lists
    order = np.argsort(keys, kind="stable")
    start = np.concatenate(([0], np.cumsum(np.bincount(keys, minlength=len(names)))))
    return Table(
        vocabulary=vocabulary, names=names, indptr=np.concatenate(([0], np.cumsum(lengths))), keys=keys,
        strength=strength, start=start, rows=np.repeat(np.arange(len(lengths)), lengths)[order], given=strength[order],
    )  # fmt: skip


TABLES = ("topics", "entities", "publishers", "sources", "authors")


def topics_of(story: Story) -> dict[str, float]:
    return {topic.id: max(topic.weight, 0.0) for topic in reversed(story.topics)}


def entities_of(story: Story) -> dict[str, float]:
    most = max((entity.count for entity in story.entities), default=1)
    found: dict[str, float] = {}
    for entity in story.entities:
        name = named(entity.text)
        found[name] = max(found.get(name, 0.0), max(entity.count, 1) / max(most, 1))
    return found


def publishers_of(story: Story) -> dict[str, float]:
    """The more publishers report a story, the less it is any one publisher's."""
    distinct = dict.fromkeys(named(publisher) for publisher in story.publishers)
    return dict.fromkeys(distinct, 1 / max(len(distinct), 1))


def authors_of(story: Story) -> dict[str, float]:
    """The more people sign a story, the less it is any one's."""
    distinct = dict.fromkeys(map(named, story.authors))
    return dict.fromkeys(distinct, 1 / max(len(distinct), 1))


def sources_of(story: Story) -> dict[str, float]:
    return dict.fromkeys(story.sources, 1.0)


_NAMES: dict[str, Callable[[Story], dict[str, float]]] = {
    "topics": topics_of, "entities": entities_of, "publishers": publishers_of, "sources": sources_of,
    "authors": authors_of,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One story, ready to be put into arrays."""

    id: StoryId
    hash: int
    first_seen: float
    last_seen: float
    independent: float
    velocity: float
    articles: int
    words: int
    voices: int
    is_signed: bool
    teases: bool
    language: str
    publishers: tuple[str, ...]
    entity: str  # the name it is most about, as written
    first_publisher: str  # as compared
    first_entity: str
    place: str  # the place it is most about, as written


class _Part(NamedTuple):
    """Some stories ready to be put into arrays, in any order."""

    rows: list[_Row]
    texts: list[bytes]  # headline and key points as they are searched, one a line
    lists: list[_Lists]  # for each of TABLES

    @classmethod
    def of(cls, parts: Sequence[_Part]) -> _Part:
        """Several as one, in their order."""
        return cls(
            [row for part in parts for row in part.rows],
            [text for part in parts for text in part.texts],
            [_Lists.joined([part.lists[i] for part in parts]) for i in range(len(TABLES))],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Edition:
    """The live stories, one a row."""

    at: datetime
    rows: tuple[_Row, ...]
    ids: tuple[StoryId, ...]
    index: Mapping[StoryId, int]
    hashes: NDArray[np.uint64]
    vectors: NDArray[np.float32]  # of length 1, or of zeros where a story has none
    topics: Table
    entities: Table
    publishers: Table
    sources: Table
    authors: Table
    topic_labels: dict[str, str]
    first_seen: Floats  # seconds since 1970
    last_seen: Floats
    independent: Floats
    velocity: Floats  # publishers an hour that were joining at `last_seen`
    words: Floats  # of the longest article that is known whole
    voices: Floats  # people who are quoted by name
    signed: NDArray[np.bool_]  # by somebody, not only by an agency
    teasing: NDArray[np.bool_]  # its headline asks to be opened instead of saying what happened
    languages: tuple[str, ...]
    language: Rows  # place in `languages`
    text: bytes  # UTF-8: as a str one emoji would make every letter four bytes wide
    text_start: Rows  # where each story's text begins in `text`
    pace: Floats  # stories a day of the story's quietest publisher
    private: frozenset[SourceId] = frozenset()
    countries: Mapping[str, str] = field(default_factory=dict)  # publisher, as compared -> where it is from
    found: dict[str, Rows] = field(default_factory=dict)  # phrase -> rows: searched once an edition
    names: tuple[tuple[dict[str, int], list[str]], ...] = ()  # vocabularies, one of each of TABLES
    others: Others | None = None  # what others read, where it may be told; an updated edition is told anew
    # which stories answer a search by the whole text of an article, for whoever has the texts; an updated edition is told anew
    texts: Callable[[str], Collection[StoryId]] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def breadth(self) -> Floats:
        """The logarithm of how many publishers wrote their own text."""
        return np.log2(self.independent)

    @cached_property
    def _spreading(self) -> dict[tuple[float, float], tuple[NDArray[np.bool_], Rows]]:
        return {}

    def spreading(self, half_life: float, least: float) -> tuple[NDArray[np.bool_], Rows]:
        """Which stories publishers still joined at that rate and more when the edition was made, as a mask and as rows: the
        others have stopped. `half_life` in seconds."""
        found = self._spreading.get((half_life, least))
        if found is None:
            quiet = np.maximum(self.at.timestamp() - self.last_seen, 0.0)
            now = self.velocity * 0.5 ** (quiet / half_life) >= least
            found = self._spreading[half_life, least] = now, np.flatnonzero(now)
        return found

    @cached_property
    def loudness(self) -> Floats:
        """The logarithm of how much the story's quietest publisher publishes a day."""
        return np.log2(1.0 + self.pace)

    @cached_property
    def _remembered(self) -> dict[tuple[Hashable, int], tuple[object, Any]]:
        return {}

    def remembered(self, what: Hashable, of: object, make: Callable[[], T]) -> T:
        """What `make` gives, made once for this very object as long as the edition lives (and not too many others are).

        A reader is a frozen value: until they act, what was worked out of their weights for this edition stays true.
        """
        held = self._remembered.get((what, id(of)))
        if held is not None and held[0] is of:
            return cast(T, held[1])
        if len(self._remembered) >= WARM:
            self._remembered.clear()
        made = make()
        self._remembered[what, id(of)] = (of, made)
        return made

    @cached_property
    def kinds(self) -> dict[int, dict[int, Any]]:
        """What the diversity of a page asks of a story, as it was worked out: by its one setting and by row."""
        return {}

    @cached_property
    def told(self) -> dict[int, str]:
        """What speaks for how a story is told, in words: by row, as it was worked out."""
        return {}

    @cached_property
    def quietest(self) -> dict[int, str]:
        """The quietest publisher of a story, as written: by row, as it was worked out."""
        return {}

    @cached_property
    def _about(self) -> dict[tuple[str, str], tuple[Rows, Floats]]:
        return {}

    @classmethod
    def of(cls, stories: Iterable[Story], now: datetime, *, private: frozenset[SourceId] = frozenset()) -> Edition:
        """The edition of these stories. `private` sources are seen only by those who subscribe to them.

        The stories are read as they come and let go, so a month of them never stands in memory.
        """
        names: tuple[tuple[dict[str, int], list[str]], ...] = tuple(({}, []) for _ in TABLES)
        labels: dict[str, str] = {}
        parts, vectors = [_read((), names, labels)], []
        coming = iter(stories)
        while some := tuple(itertools.islice(coming, CHUNK)):
            parts.append(_read(some, names, labels))
            vectors += [story.vector for story in some]
        size = _size_of_most(vectors)
        return _assemble(_Part.of(parts), _Stacked(_stack(vectors, size)), names, labels, now, private)

    def updated(
        self, changed: Sequence[Story], gone: Iterable[StoryId] = (), *, now: datetime | None = None
    ) -> Edition:
        """The edition after some stories changed or came and others went: the same as building it anew.

        Only the changed stories are read again; the rest is copying of arrays.
        """
        latest = {story.id: story for story in changed}
        dropped = set(gone) - set(latest)
        if not latest and not dropped.intersection(self.index):
            return self if now is None else replace(self, at=now)
        names, labels = self.names, self.topic_labels
        if any(len(held) > 2 * int(np.count_nonzero(getattr(self, t).counts)) + 1000
               for t, (_, held) in zip(TABLES, names, strict=True)):  # fmt: skip
            names, renumbered = self._compact()
        else:
            renumbered = None
        stay = [i for i, row in enumerate(self.rows) if row.id not in latest and row.id not in dropped]
        fresh = _read(tuple(latest.values()), names, labels)
        vectors = [story.vector for story in latest.values()]
        size = self.vectors.shape[1] or _size_of_most(vectors)  # the first vectors of all
        stacked = _Stacked(_stack(vectors, size), self.vectors, np.array(stay, np.int64))
        every = _Part.of((self._part(stay, renumbered), fresh))
        edition = _assemble(every, stacked, names, labels, now or self.at, self.private)
        self._hand_on(edition, stay, fresh)
        return edition

    def _part(self, rows: Sequence[int], renumbered: Sequence[Rows] | None) -> _Part:
        """These rows as they were read, their names numbered anew where that is asked for."""
        lists = []
        for i, name in enumerate(TABLES):
            table = getattr(self, name)
            keys = table.keys if renumbered is None else renumbered[i][table.keys]
            lists.append(_Lists(np.diff(table.indptr), keys, table.strength).of(np.array(rows, np.int64)))
        edges = [*self.text_start.tolist(), len(self.text)]
        texts = [self.text[start : end - 1] for start, end in itertools.pairwise(edges)]
        return _Part([self.rows[i] for i in rows], [texts[i] for i in rows], lists)

    def _hand_on(self, edition: Edition, stay: Sequence[int], fresh: _Part) -> None:
        """Tell the next edition where the phrases stand that were searched in this one: only what is new is read."""
        moved = np.full(len(self), -1)
        moved[stay] = [edition.index[self.ids[i]] for i in stay]
        came = [
            (edition.index[row.id], b"\n" + text + b"\0") for row, text in zip(fresh.rows, fresh.texts, strict=True)
        ]
        for phrase, rows in self.found.items():
            now = moved[rows]
            new = [row for row, text in came if phrase and any(_places(text, phrase))]
            edition.found[phrase] = np.sort(np.concatenate((now[now >= 0], np.array(new, np.int64))))

    def _compact(self) -> tuple[tuple[tuple[dict[str, int], list[str]], ...], list[Rows]]:
        """New vocabularies without the names that no story has any more, and the new number of each old one."""
        fresh, maps = [], []
        for table, (_, held) in zip(TABLES, self.names, strict=True):
            used = np.flatnonzero(getattr(self, table).counts)
            renumber = np.full(len(held), -1)
            renumber[used] = np.arange(len(used))
            kept = [held[i] for i in used]
            fresh.append(({name: i for i, name in enumerate(kept)}, kept))
            maps.append(renumber)
        return tuple(fresh), maps

    def row_of(self, story: StoryId) -> int | None:
        return self.index.get(story)

    def rows_of(self, stories: Iterable[StoryId]) -> Rows:
        """Rows of those of the stories that are live."""
        index = self.index
        return np.array([row for story in stories if (row := index.get(story)) is not None], dtype=np.int64)

    def ids_before(self, when: datetime) -> list[StoryId]:
        """The stories whose last article is older."""
        return [self.ids[row] for row in np.flatnonzero(self.last_seen < when.timestamp()).tolist()]

    def sources_of(self, story: StoryId) -> list[str]:
        """The sources that report a story; none of one that is not live."""
        row = self.index.get(story)
        return [] if row is None else [name for name, _ in self.sources.of(row)]

    def latest_about(self, entity: str) -> StoryId:
        """Of the stories that have this name (there must be one), the one with the latest article."""
        rows, _ = self.entities.postings(named(entity))
        return self.ids[int(rows[np.argmax(self.last_seen[rows])])]

    def saying(self, phrase: str) -> Rows:
        """Rows of the stories whose headline or key points have the phrase as whole words."""
        phrase = named(phrase.replace("\0", " "))
        rows = self.found.get(phrase)
        if rows is None:
            if len(self.found) >= REMEMBERED:
                self.found.clear()
            rows = self.found[phrase] = self._search(phrase)
        return rows

    def _search(self, phrase: str) -> Rows:
        if not phrase:
            return np.zeros(0, np.int64)
        places = list(_places(self.text, phrase))
        return np.unique(np.searchsorted(self.text_start, np.array(places, np.int64), side="right") - 1)

    def about(self, kind: str, value: str, *, whole: bool = True) -> tuple[Rows, Floats]:
        """Rows of the stories that a follow or a mute of that kind and value is about, and how strongly (0 to 1).

        A search is met by the whole text of an article, too, where somebody can say so, unless not `whole`: then only
        what a story says of itself counts.
        """
        key = (kind, value if whole or kind != "search" else f"\0{value}")
        known = self._about.get(key)
        if known is None:
            if len(self._about) >= REMEMBERED:
                self._about.clear()
            known = self._about[key] = self._look_up(kind, value, whole)
        return known

    def _look_up(self, kind: str, value: str, whole: bool) -> tuple[Rows, Floats]:
        match kind:
            case "story":
                rows = self.rows_of((StoryId(value),))
                return rows, np.ones(len(rows))
            case "topic":
                return self.topics.postings(value)
            case "publisher":
                return self.publishers.postings(named(value))
            case "keyword":
                rows = self.saying(value)
                return rows, np.ones(len(rows))
            case "search":
                query = query_of(value)
                rows = self.answering(query)
                if whole and self.texts is not None and (query.words or query.pieces):
                    told = np.unique(self.rows_of(self.texts(value)))
                    for some in self._left_out(query):
                        told = np.setdiff1d(told, some, assume_unique=True)
                    rows = np.union1d(rows, told)
                return rows, np.ones(len(rows))
        rows, strength = self.entities.postings(named(value))
        said = self.saying(value)  # in the headline is as strong as it gets
        if not len(said):
            return rows, strength
        every = np.union1d(rows, said)
        strongest = np.zeros(len(every))
        strongest[np.searchsorted(every, rows)] = strength
        strongest[np.searchsorted(every, said)] = 1.0
        return every, strongest

    def answering(self, query: Query) -> Rows:
        """Rows of the stories that answer the query by their headline, key points, names, topics, publishers and times.

        An edition does not hold the articles' whole texts: see `texts`.
        """
        if query.is_empty:
            return np.zeros(0, np.int64)
        met = [self.saying(words) for words in (*query.words, *query.pieces)]
        met += [self.about("place", place)[0] for place in query.places]
        met += [self._on_topic(sought) for sought in query.topics]
        if query.publishers or query.not_publishers:
            by = self._having(self.publishers, filter(query.is_by, self.publishers.vocabulary))
            nobodys = np.flatnonzero(np.diff(self.publishers.indptr) == 0)
            met.append(by if query.publishers else np.union1d(by, nobodys))
        if query.languages or query.not_languages:
            read = np.array([query.is_in(code) for code in self.languages] or [False])
            met.append(np.flatnonzero(read[self.language]))
        if query.after is not None:
            met.append(np.flatnonzero(self.last_seen >= query.after.timestamp()))
        if query.before is not None:
            met.append(np.flatnonzero(self.first_seen < query.before.timestamp()))
        rows = met[0]
        for other in met[1:]:
            rows = np.intersect1d(rows, other, assume_unique=True)
        for some in self._left_out(query):
            rows = np.setdiff1d(rows, some, assume_unique=True)
        return rows

    def _left_out(self, query: Query) -> Iterator[Rows]:
        """Rows of the stories that say what the query leaves out, or are about it."""
        yield from (self.saying(words) for words in (*query.without, *query.without_pieces))
        yield from (self.about("place", place)[0] for place in query.not_places)
        yield from map(self._on_topic, query.not_topics)

    def _on_topic(self, sought: str) -> Rows:
        """Rows of the stories that have a topic that is meant."""
        return self._having(self.topics, {t for t, label in self.topic_labels.items() if names_topic(sought, t, label)})

    def _having(self, table: Table, names: Iterable[str]) -> Rows:
        """Rows of the stories that have one of the names."""
        found = [table.postings(name)[0] for name in names]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)

    @cached_property
    def broad_topics(self) -> tuple[tuple[str, ...], Rows]:
        """The broadest topics (their codes end in 000000), and for each row which of them it is most about; -1: of none."""
        table = self.topics
        broad = [key for key, name in enumerate(table.names) if name.endswith("000000") and key < len(table.counts)]
        best, which = np.zeros(len(self)), np.full(len(self), -1, np.int64)
        for place, key in enumerate(sorted(broad, key=lambda key: table.names[key])):
            span = slice(table.start[key], table.start[key + 1])
            rows, strength = table.rows[span], table.given[span]
            ahead = strength > best[rows]
            best[rows[ahead]], which[rows[ahead]] = strength[ahead], place
        return tuple(sorted(table.names[key] for key in broad)), which

    @cached_property
    def origins(self) -> tuple[tuple[str, ...], Rows]:
        """The countries of publishers, and for each row the one that all its publishers of a known country are from; -1:
        none is known, or they are from several."""
        table, names = self.publishers, tuple(sorted(set(self.countries.values()) - {""}))
        place = {country: at for at, country in enumerate(names)}
        of = np.array([place.get(self.countries.get(name, ""), -1) for name in table.names] or [-1], np.int64)
        which = np.full(len(self), -1, np.int64)
        some = np.flatnonzero(np.diff(table.indptr))
        if len(some):
            from_ = of[table.keys]
            least = np.minimum.reduceat(np.where(from_ < 0, len(names), from_), table.indptr[some])
            most = np.maximum.reduceat(from_, table.indptr[some])
            which[some] = np.where(least == most, most, -1)
        return names, which

    @cached_property
    def _sole(self) -> dict[int, Rows]:
        return {}

    def sole_publishers(self, few: int) -> Rows:
        """For each row a number for the publisher whose story it is: the first of at most `few`; -1 where there are more."""
        which = self._sole.get(few)
        if which is None:
            known: dict[str, int] = {}
            own = [row.first_publisher if 0 < len(row.publishers) <= few else "" for row in self.rows]
            which = np.array([known.setdefault(name, len(known)) if name else -1 for name in own], np.int64)
            self._sole[few] = which
        return which

    @cached_property
    def _main_topics(self) -> dict[int, str]:
        return {}

    def main_topic(self, row: int) -> str:
        """The code of the topic that the story is most about, a narrower one before the broader one it lies under."""
        code = self._main_topics.get(row)
        if code is None:
            keys, strength = self.topics.keys_of(row)
            near = max(strength, default=0.0) - 1e-9
            counts, names = self.topics.counts, self.topics.names
            equal = [(int(counts[key]), names[key]) for key, x in zip(keys, strength, strict=True) if x >= near]
            code = self._main_topics[row] = min(equal)[1] if equal else ""
        return code


def _places(text: bytes, phrase: str) -> Iterator[int]:
    """Where the phrase stands as whole words, in a UTF-8 text that neither begins nor ends with it."""
    sought = _encoded(phrase)
    at = text.find(sought)
    while at >= 0:
        end = at + len(sought)
        before, after = (
            text[max(at - 4, 0) : at].decode(errors="ignore")[-1],
            text[end : end + 4].decode(errors="ignore")[0],
        )
        if not _joined(before, phrase[0]) and not _joined(after, phrase[-1]):
            yield at
        at = text.find(sought, at + 1)


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")  # half a character (a lone surrogate) is searched as a question mark


def _joined(neighbour: str, edge: str) -> bool:
    return neighbour.isalnum() and edge.isalnum() and edge < "\u2e80"


def _read(
    stories: Sequence[Story], names: tuple[tuple[dict[str, int], list[str]], ...], labels: dict[str, str]
) -> _Part:
    """The stories as a part. The vocabularies and labels grow by what is new in them."""
    for story in stories:
        labels.update((topic.id, topic.label) for topic in story.topics)
    return _Part(
        [_row(story) for story in stories],
        [_text(story) for story in stories],
        [_numbered(stories, _NAMES[table], *names[i]) for i, table in enumerate(TABLES)],
    )


def _numbered(
    stories: Sequence[Story], names_of: Callable[[Story], dict[str, float]], vocabulary: dict[str, int], held: list[str]
) -> _Lists:
    """The names of each story as numbers."""
    lengths, keys, strength = array("q"), array("q"), array("d")
    for story in stories:
        found = names_of(story)
        for name in found:
            if name not in vocabulary:
                vocabulary[name] = len(held)
                held.append(name)
        lengths.append(len(found))
        keys.extend([vocabulary[name] for name in found])
        strength.extend(found.values())
    return _Lists(np.array(lengths, np.int64), np.array(keys, np.int64), np.array(strength, np.float64))


def _text(story: Story) -> bytes:
    lines = (story.headline, *(point.text for point in story.key_points))
    return _encoded("\n".join(named(line.replace("\0", " ")) for line in lines))


def main_place(story: Story) -> Entity | None:
    """The place that a story names most often."""
    places = (entity for entity in story.entities if entity.type == "place")
    return min(places, key=lambda entity: (-entity.count, entity.text), default=None)


def _row(story: Story) -> _Row:
    main = min(story.entities, key=lambda entity: (-entity.count, entity.text), default=None)
    place = main_place(story)
    return _Row(
        id=story.id,
        hash=int(identify(story.id), 16),
        first_seen=story.first_seen.timestamp(),
        last_seen=story.last_seen.timestamp(),
        independent=float(max(story.independent, 1)),
        velocity=max(story.velocity, 0.0),
        articles=len(story.articles),
        words=max(story.words, 0),
        voices=max(story.voices, 0),
        is_signed=any(named(author) not in AGENCIES for author in story.authors),
        teases=teases(story.headline, story.language),
        language=story.language,
        publishers=story.publishers,
        entity=main.text if main else "",
        first_publisher=intern(named(story.publishers[0])) if story.publishers else "",
        first_entity=intern(named(main.text)) if main else "",
        place=intern(place.text) if place else "",
    )


def _size_of_most(vectors: Sequence[bytes]) -> int:
    """How many numbers most of the vectors have. Those of another size (model) count as none."""
    sizes = Counter(len(vector) for vector in vectors if vector)
    most = max(sizes, key=lambda n: (sizes[n], n), default=0)
    return len(vector_of(bytes(most)))


def _stack(vectors: Sequence[bytes], size: int) -> NDArray[np.float32]:
    """Vectors of length 1, one a row; of zeros where one has another size."""
    stacked = np.zeros((len(vectors), size), np.float32)
    for row, kept in zip(stacked, vectors, strict=True):
        vector = vector_of(kept)
        if len(vector) == size and size and np.isfinite(vector).all():
            length = float(np.sqrt(np.dot(vector, vector)))
            if length > 0:
                row[:] = vector / np.float32(length)
    return stacked


class _Stacked(NamedTuple):
    """The vectors of rows that stay in an edition, and after them those of rows that came."""

    came: NDArray[np.float32]
    before: NDArray[np.float32] = np.zeros((0, 0), np.float32)
    stay: Rows = np.zeros(0, np.int64)  # rows of `before`

    def of(self, order: Rows) -> NDArray[np.float32]:
        """Those in these places. Copied some at a time: of a month's vectors there are never more than the old and
        the new."""
        stacked = np.zeros((len(order), self.came.shape[1]), np.float32)
        stay = order < len(self.stay)
        for first in range(0, len(order), CHUNK):
            part = slice(first, first + CHUNK)
            old, places = stay[part], order[part]
            if self.before.shape[1]:
                stacked[part][old] = self.before[self.stay[places[old]]]
            stacked[part][~old] = self.came[places[~old] - len(self.stay)]
        return stacked if stacked.any() else stacked[:, :0]  # as it would be if there had never been any


def _assemble(
    part: _Part,
    stacked: _Stacked,
    names: tuple[tuple[dict[str, int], list[str]], ...],
    labels: dict[str, str],
    now: datetime,
    private: frozenset[SourceId],
) -> Edition:
    latest = {row.id: i for i, row in enumerate(part.rows)}
    order = sorted(latest.values(), key=lambda i: part.rows[i].id)
    placed = np.array(order, np.int64)
    sorted_rows = tuple(part.rows[i] for i in order)
    ids = tuple(row.id for row in sorted_rows)
    tables = {name: _table(part.lists[i].of(placed), *names[i]) for i, name in enumerate(TABLES)}
    languages = tuple(sorted({row.language for row in sorted_rows}))
    place = {code: i for i, code in enumerate(languages)}
    texts = [part.texts[i] for i in order]
    lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    first_seen = _floats(row.first_seen for row in sorted_rows)

    def column(values: Iterable[Any], kind: Any = np.float64) -> Any:
        return np.fromiter(values, kind, len(sorted_rows))

    return Edition(
        at=now,
        rows=sorted_rows,
        ids=ids,
        index={story: i for i, story in enumerate(ids)},
        hashes=column((row.hash for row in sorted_rows), np.uint64),
        vectors=stacked.of(placed),
        topic_labels=labels,
        first_seen=first_seen,
        last_seen=column(row.last_seen for row in sorted_rows),
        independent=column(row.independent for row in sorted_rows),
        velocity=column(row.velocity for row in sorted_rows),
        words=column(row.words for row in sorted_rows),
        voices=column(row.voices for row in sorted_rows),
        signed=column((row.is_signed for row in sorted_rows), np.bool_),
        teasing=column((row.teases for row in sorted_rows), np.bool_),
        languages=languages,
        language=column((place[row.language] for row in sorted_rows), np.int64),
        text=b"\n" + b"\0".join(texts) + b"\0",  # never a letter before the first or after the last
        text_start=1 + np.cumsum(lengths) - lengths,
        pace=_pace(tables["publishers"], first_seen),
        private=private,
        names=names,
        topics=tables["topics"],
        entities=tables["entities"],
        publishers=tables["publishers"],
        sources=tables["sources"],
        authors=tables["authors"],
    )


def _floats(values: Iterable[float]) -> Floats:
    return np.fromiter(values, np.float64)


def _pace(publishers: Table, first_seen: Floats) -> Floats:
    """Stories a day, over the days that the edition spans, of the quietest publisher of each story."""
    if not len(first_seen):
        return np.zeros(0)
    days = max((float(first_seen.max()) - float(first_seen.min())) / DAY, 1.0)
    lengths = np.diff(publishers.indptr)
    pace = np.full(len(first_seen), np.inf)
    if len(publishers.keys):
        per_day = publishers.counts[publishers.keys] / days
        some = np.flatnonzero(lengths)
        pace[some] = np.minimum.reduceat(per_day, publishers.indptr[some])
    return pace


def seen_alike(one: Edition, other: Edition) -> bool:
    """Whether two editions hold the same stories with the same arrays, however their names are numbered."""
    columns = (
        "hashes",
        "vectors",
        "first_seen",
        "last_seen",
        "independent",
        "velocity",
        "words",
        "voices",
        "signed",
        "teasing",
        "text_start",
        "pace",
    )
    return (
        one.ids == other.ids
        and one.text == other.text
        and [one.languages[i] for i in one.language] == [other.languages[i] for i in other.language]
        and all(np.array_equal(getattr(one, c), getattr(other, c)) for c in columns)
        and all(
            getattr(one, table).of(row) == getattr(other, table).of(row)
            for table, row in itertools.product(TABLES, range(len(one)))
        )
    )


def partly_private(edition: Edition, reader: Reader, row: int) -> bool:
    """Whether a source that is private to others reports the story, too: then its publishers are not named."""
    if not edition.private:
        return False
    closed = edition.private - reader.subscriptions
    return any(name in closed for name, _ in edition.sources.of(row))


def private_to_others(edition: Edition, reader: Reader) -> Rows:
    """Rows of the stories that only private sources report, none of them the reader's own."""
    if not edition.private:
        return np.zeros(0, np.int64)
    closed = np.array([s in edition.private and s not in reader.subscriptions for s in edition.sources.names], bool)
    some = np.flatnonzero(np.diff(edition.sources.indptr))
    if not len(some):
        return some
    return some[np.logical_and.reduceat(closed[edition.sources.keys], edition.sources.indptr[some])]
