"""Which story does an article belong to: decided once, as it arrives, and corrected only by joining stories.

An article is compared with the stories of those that share its rarest words, each story as one sketch: the mean of its
articles. A learned probability (`pairs.py`) decides, so that one chance resemblance to a member never joins two events.
When an article belongs to two stories and the stories agree with each other too, they are joined and the older id
survives.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce

import numpy as np
import xxhash
from numpy.typing import NDArray

from broadsheet.model import Article, ArticleId, Regrouping, StoryId, identify
from broadsheet.stories import pairs
from broadsheet.stories.features import FEATURES, Comparer, Floats, Ints, Rarity, Sketch, blend, sketch
from broadsheet.stories.postings import Postings
from broadsheet.stories.regrouping import begun_by
from broadsheet.stories.shelf import PACK, Shelf

DAY = 86400.0
BLENDS = 2000  # stories whose mean is kept; one that is asked for again later is folded anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """When articles are one story. The probabilities are those of an article and a whole story, or of two stories."""

    join: float = 0.3  # an article joins the likeliest story from this probability up
    merge: float = 0.5  # two stories that share a new article are joined at this probability
    window: timedelta = timedelta(
        days=90
    )  # articles further apart are never compared; the pair's own days weigh before
    candidates: int = 100  # articles that share rare words with a new one: their stories are compared with it
    stories: int = 12  # stories whose nearest member's vector is asked
    wholes: int = 8  # the nearest of them, by rare words and vector, are compared as wholes
    # Of 2,241 joins on feeds, texts and headlines none was below .22; below it lie a fifth to a third of the pairs.
    unlike: float = 0.2  # cosine of two vectors below which nothing more is asked
    # The same for the cosine and twice the nearness by rare words: of 2,716 joins in whole texts and headlines of the
    # labelled set four lie below, none of them sure, and a third of the pairs; of a month of feeds two in five.
    far: float = 0.45
    asked: int = 4  # the likeliest of them, whose members are asked too
    faint: float = 0.05  # unless even the likeliest are not this likely
    members: int = 8  # members of a story that are asked
    instalment_days: float = 0.4  # one publisher's items this far apart ...
    instalment_title: float = 0.4  # ... with titles this alike are a series, not a story
    # A headline has few words, so the tenth report of an event repeats hardly more of any one of them than chance would,
    # while it is near the mean of all: a story of that many headlines takes what is that near its mean.
    headline_story: int = 4
    headline_cosine: float = 0.3
    headline_merge: float = 0.4
    headline_words: int = 40
    headline_days: float = 3.0
    copy: float = 0.8  # the share of a text that a copy repeats
    every: int = 288  # articles, in the mean, after which these latest are decided again with what is near them
    latest: int = 400  # of which there are no more than so many
    around: int = 6  # stories near each of them that are looked at besides, the nearest of each first ...
    looked_at: int = 600  # ... up to so many articles in all


# Of articles and the stories that they are in: the number of the first article of each one's new story.
Regroup = Callable[[Sequence[Article], Sequence[StoryId]], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Where an article went, and what that changed."""

    article: ArticleId
    story: StoryId
    is_new: bool  # the story began with this article
    merged: tuple[StoryId, ...] = ()  # stories that turned out to be this one: their articles are now its articles
    copy_of: ArticleId | None = None  # the earlier article whose text this one repeats
    score: float = 0.0  # the probability by which it joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What deciding again changed."""

    moved: Mapping[ArticleId, tuple[StoryId, StoryId]] = field(default_factory=dict)  # from where, and into what
    begun: frozenset[StoryId] = frozenset()  # stories that were none before


def made_of(story: StoryId, article: ArticleId, when: ArticleId) -> StoryId:
    """An id for the part of a story that begins with an article, parted when another came: none ever had it before, so
    that it hangs on nothing that a batch or a restart may have forgotten."""
    return StoryId(identify("story", story, article, when))


class _Index:
    """Which rows hold a term: the rarest terms of each article only.

    What one question costs has a bound, however many rows there are: `READ` entries, those of the rarest terms and of the
    latest rows first.
    """

    KEPT, ASKED, LONGEST, READ = 40, 30, 3000, 6000

    def __init__(self) -> None:
        self._postings = Postings()
        self._sum = np.zeros(1024)  # of each row, nought between two questions
        self._seen = np.zeros(1024, dtype=np.int32)

    @classmethod
    def rarest(cls, one: Sketch) -> tuple[Ints, Floats]:
        """The terms by which an article is found, and their weights, the rarest first."""
        body = one.view(0)
        slots, weights = one.slots[body], one.weights[body].astype(np.float32)
        if len(slots) > cls.KEPT:
            best = np.argpartition(-weights, cls.KEPT)[: cls.KEPT]
            slots, weights = slots[best], weights[best]
        order = np.argsort(-weights, kind="stable")
        return slots[order], weights[order]

    def add(self, slots: Ints, weights: Floats) -> None:
        """The next row holds these terms."""
        self._postings.add(slots, weights)

    def forget(self, rows: int) -> None:
        """The first `rows` rows are no more: the next one is nought from now on."""
        self._postings.forget(rows)

    def near(self, slots: Ints, weights: Floats) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The rows that share rare terms and how near each is: the cosine over rare terms. In no order."""
        # the latest only: a word in thousands of articles finds nothing that others do not
        found, scores = self._postings.read(slots[: self.ASKED], weights[: self.ASKED], self.LONGEST, self.READ)
        many = len(self._postings)
        if many > len(self._sum):
            self._sum, self._seen = np.zeros(2 * many), np.zeros(2 * many, dtype=np.int32)
        np.add.at(self._sum, found, scores.astype(np.float64))
        number = np.arange(len(found), dtype=np.int32)
        self._seen[found] = number
        once = found[self._seen[found] == number]
        near = self._sum[once]
        self._sum[once] = 0.0
        return once, near


class _Pace:
    """How many articles a day the stream brings, about the time of one of them."""

    LATEST = 30

    def __init__(self) -> None:
        self._times = array("d")  # sorted
        self._latest: deque[float] = deque(maxlen=self.LATEST)

    def add(self, when: float) -> None:
        if when == when:
            insort(self._times, when)
            self._latest.append(when)

    def forget_before(self, when: float, stay: NDArray[np.float64]) -> None:
        """The articles before then are no more; of the others these are the times, in the order in which they came."""
        del self._times[: bisect_left(self._times, when)]
        self._latest = deque(stay[~np.isnan(stay)][-self.LATEST :].tolist(), self.LATEST)

    def around(self, when: float) -> float:
        """Articles within a day; where the stream has only begun, what the latest would come to in a day."""
        latest = self._latest
        begun = len(latest) / ((max(latest) - min(latest)) / DAY + 0.1) if len(latest) == self.LATEST else 0.0
        if when != when:
            return begun
        within = bisect_right(self._times, when + DAY) - bisect_left(self._times, when - DAY)
        return max(float(within), begun)


@dataclass(frozen=True, slots=True)
class _Words:
    """What people said of pairs of articles, as it is asked."""

    apart: Mapping[ArticleId, Sequence[ArticleId]] = field(default_factory=dict)
    together: Mapping[ArticleId, Sequence[ArticleId]] = field(default_factory=dict)
    pairs: tuple[tuple[ArticleId, ArticleId], ...] = ()  # that were put apart
    named: frozenset[ArticleId] = frozenset()
    closed: dict[ArticleId, StoryId] = field(default_factory=dict)  # of named articles that are not open

    @classmethod
    def of(cls, words: Iterable[Regrouping], closed: Mapping[ArticleId, StoryId]) -> _Words:
        last = {frozenset((word.one, word.other)): word for word in words}
        apart: dict[ArticleId, list[ArticleId]] = {}
        together: dict[ArticleId, list[ArticleId]] = {}
        for word in last.values():
            held = together if word.same else apart
            held.setdefault(word.one, []).append(word.other)
            held.setdefault(word.other, []).append(word.one)
        return cls(
            apart,
            together,
            tuple((word.one, word.other) for word in last.values() if not word.same),
            frozenset(id_ for pair in last for id_ in pair),
            dict(closed),
        )


class OpenStories:
    """The stories that may still grow. Deterministic: the same articles in the same order give the same stories."""

    def __init__(
        self,
        rules: Grouping | None = None,
        *,
        forest: pairs.Judge | None = None,
        words: Iterable[Regrouping] = (),
    ) -> None:
        self.rules = rules or Grouping()
        self._forest: pairs.Judge = forest or pairs.packaged()
        self._rarity = Rarity.packaged()
        self._comparer = Comparer()
        self._sketches = Shelf()
        self._stories: list[StoryId] = []  # of each row
        self._row: dict[ArticleId, int] = {}
        self._members: dict[StoryId, Sequence[int]] = {}  # sorted; of a single one a tuple, which weighs less
        self._blends: dict[
            StoryId, tuple[Sketch, int]
        ] = {}  # stories of several as one sketch: those that were asked for last
        self._copy_of: dict[ArticleId, ArticleId] = {}
        self._index = _Index()
        self._pace = _Pace()
        self._before = float("nan")  # time of the last row that was let go of
        self._gone = bytearray()  # of each row: whether its article is no longer open
        self._words = _Words()
        self.obey(words)

    # --- what is open

    def articles_of(self, story: StoryId) -> tuple[ArticleId, ...]:
        """The live articles of a story, in the order in which they came; empty for one that is not open."""
        return tuple(self._sketches.id(row) for row in self._members.get(story, ()))

    def story_of(self, article: ArticleId) -> StoryId | None:
        row = self._row.get(article)
        return None if row is None else self._stories[row]

    def __len__(self) -> int:
        return len(self._row)

    # --- what people said

    def obey(self, words: Iterable[Regrouping], closed: Mapping[ArticleId, StoryId] | None = None) -> None:
        """From now on these words hold, instead of those before; the last one on two articles counts.

        Stories that hold two articles which were put apart are never joined, no article goes into a story that holds
        one from which it was put apart, and one that was put together with another goes where that one is. What is in
        its story already is not moved (`move`). `closed` has the stories of articles that are not open.
        """
        self._words = _Words.of(words, closed or {})

    def _where(self, article: ArticleId) -> StoryId | None:
        return self.story_of(article) or self._words.closed.get(article)

    def _barred(self, article: ArticleId) -> set[StoryId]:
        """The stories into which it must not go."""
        return {s for other in self._words.apart.get(article, ()) if (s := self._where(other)) is not None}

    def _bidden(self, article: ArticleId, barred: set[StoryId]) -> list[StoryId]:
        """The stories into which it was put."""
        found = (self._where(other) for other in self._words.together.get(article, ()))
        return [s for s in dict.fromkeys(found) if s is not None and s in self._members and s not in barred]

    def _put_apart(self, one: StoryId, other: StoryId) -> bool:
        return any({self._where(a), self._where(b)} == {one, other} for a, b in self._words.pairs)

    # --- what changes it

    def move(self, articles: Iterable[ArticleId], story: StoryId) -> None:
        """Put these articles into this story, because somebody said so. Those that are not open are passed over."""
        for article in articles:
            if article in self._words.closed:
                self._words.closed[article] = story
            row = self._row.get(article)
            if row is None or self._stories[row] == story:
                continue
            self._left(row)
            self._stories[row] = story
            self._members[story] = sorted((*self._members.get(story, ()), row))
            self._blends.pop(story, None)

    def take_out(self, articles: Iterable[ArticleId]) -> None:
        """Forget these articles, as if they had never come, so that `assign` decides about them again."""
        for article in articles:
            self._words.closed.pop(article, None)
            if (row := self._row.get(article)) is not None:
                self._remove(article, row)

    def _remove(self, article: ArticleId, row: int) -> None:
        self._left(row)
        self._gone[row] = 1
        del self._row[article]
        self._copy_of.pop(article, None)

    def _left(self, row: int) -> None:
        """The article in that row is no longer in its story."""
        story = self._stories[row]
        rest = [other for other in self._members.pop(story) if other != row]
        if rest:
            self._members[story] = rest if len(rest) > 1 else tuple(rest)
        self._blends.pop(story, None)

    def restore(self, article: Article, story: StoryId) -> None:
        """Put an article back into its story without deciding anything."""
        if article.id not in self._row:
            if article.copy_of is not None:
                self._copy_of[article.id] = article.copy_of
            one = sketch(article, self._rarity)
            self._place(one, *_Index.rarest(one), story)

    def assign(self, article: Article) -> Assignment:
        """The story of an article, which is open afterwards. An article that is known stays where it is."""
        if (row := self._row.get(article.id)) is not None:
            return Assignment(
                article=article.id,
                story=self._stories[row],
                is_new=False,
                copy_of=self._copy_of.get(article.id),
                score=1.0,
            )
        new = sketch(article, self._rarity)
        terms = _Index.rarest(new)
        near = self._near(new, *terms)
        barred = self._barred(article.id)
        bidden = self._bidden(article.id, barred)
        copied = self._copied(new, near, barred)
        if copied is not None and (not bidden or self._stories[copied] in bidden):
            original = self._sketches.id(copied)
            original = self._copy_of.get(original, original)
            self._copy_of[article.id] = original
            story = self._stories[copied]
            self._place(new, *terms, story)
            return Assignment(article=article.id, story=story, is_new=False, copy_of=original, score=1.0)

        ranked = self._scores(new, near)
        likely = [(s, score) for s, score in ranked if score >= self.rules.join and s not in barred and s not in bidden]
        joined = [*((s, 1.0) for s in bidden), *likely]
        if not joined:
            story = StoryId(identify("story", article.id))
            self._place(new, *terms, story)
            return Assignment(article=article.id, story=story, is_new=True, score=ranked[0][1] if ranked else 0.0)
        best, score = joined[0]
        together = [best]
        for other, _ in joined[1:]:
            if not any(self._put_apart(other, s) for s in together) and (other in bidden or self._agree(best, other)):
                together.append(other)
        survivor = min(together, key=lambda s: self._members[s][0])
        absorbed = tuple(s for s in together if s != survivor)
        for old in absorbed:
            self._absorb(old, survivor)
        self._place(new, *terms, survivor)
        return Assignment(article=article.id, story=survivor, is_new=False, merged=absorbed, score=score)

    def forget_before(self, when: datetime) -> None:
        """Close what appeared before: nothing new is compared with it. What has no time is as old as its neighbours."""
        limit = when.timestamp()
        gone, times = np.array(self._gone, dtype=bool), self._times()
        old = (times < limit) & ~gone
        if not old.any():
            return
        for row in np.flatnonzero(old).tolist():
            article = self._sketches.id(row)
            if article in self._words.named:
                self._words.closed[article] = self._stories[row]
            self._remove(article, row)
        self._pace.forget_before(limit, np.array(self._sketches.when)[~gone & ~old])
        self._tidy()

    def _times(self) -> NDArray[np.float64]:
        """The time of each row; of what has none, that of the last one before it which has."""
        times = np.array([self._before, *self._sketches.when])
        if np.isnan(times[0]) and (first := np.flatnonzero(~np.isnan(times))).size:
            times[0] = times[first[0]]
        dated = np.maximum.accumulate(np.where(np.isnan(times), 0, np.arange(len(times))))
        found: NDArray[np.float64] = times[dated][1:]
        return found

    def _tidy(self) -> None:
        """Let go of the memory of what is closed, once the first rows of all, an eighth of them, are."""
        first = self._gone.find(0)
        packs = (len(self._gone) if first < 0 else first) // PACK
        if 8 * packs * PACK < len(self._gone) or not packs:
            return
        rows = packs * PACK
        self._before = float(self._times()[rows - 1])
        self._sketches.forget(packs)
        self._index.forget(rows)
        del self._stories[:rows], self._gone[:rows]
        self._row = {article: row - rows for article, row in self._row.items()}
        self._members = {
            story: [row - rows for row in members] if len(members) > 1 else (members[0] - rows,)
            for story, members in self._members.items()
        }

    # --- decided again

    @staticmethod
    def _marks(article: ArticleId, every: int) -> bool:
        """By its id, so that neither the size of batches nor a restart changes after which articles it is done."""
        return xxhash.xxh32_intdigest(article.encode()) % every == 0

    def unsettled(self) -> list[ArticleId]:
        """What is to be decided again now, in order of arrival: nothing but after one article in `every`.

        These are the articles since the last time, with all of their stories and the stories near them. A story of
        which somebody spoke is not among them.
        """
        if (
            not self._gone
            or self._gone[-1]
            or not self._marks(self._sketches.id(len(self._gone) - 1), self.rules.every)
        ):
            return []
        return self.settling()

    def settling(self) -> list[ArticleId]:
        """As `unsettled`, whether it is time or not."""
        last = len(self._gone)
        begin, least = last - 1, last - self.rules.latest
        while begin > max(0, least) and not self._marks(self._sketches.id(begin - 1), self.rules.every):
            begin -= 1
        latest = [row for row in reversed(range(max(0, begin), last)) if not self._gone[row]]
        near: list[list[StoryId]] = []
        for row in latest:
            one = self._sketches[row]
            near.append([self._stories[row], *self._worth_comparing(one, self._near(one, *_Index.rarest(one)))])
        said = {where for article in self._words.named if (where := self.story_of(article)) is not None}
        rows: set[int] = set()
        looked_at: set[StoryId] = set(said)
        for depth in range(self.rules.around + 1):
            for stories in near:
                if depth < len(stories) and stories[depth] not in looked_at:
                    looked_at.add(stories[depth])
                    members = self._members[stories[depth]]
                    if len(rows) + len(members) <= self.rules.looked_at:
                        rows.update(members)
        return [self._sketches.id(row) for row in sorted(rows)]

    def settle(self, articles: Sequence[Article], regroup: Regroup) -> Settled:
        """Decide about these articles again, all together.

        They are given as `unsettled` names them, in that order; `regroup` is `refine.grouped`. The part of a story that
        has the article which began it keeps the id; of stories that become one the oldest id is kept. No other part gets
        an id that any story ever had.
        """
        given = [a for a in articles if a.id in self._row]
        if len(given) < 2:
            return Settled()
        groups: dict[int, list[ArticleId]] = {}
        now = {a.id: self._stories[self._row[a.id]] for a in given}
        for article, first in zip(given, regroup(given, list(now.values())), strict=True):
            groups.setdefault(first, []).append(article.id)
        begun = {now[id_] for id_ in now if begun_by(id_) == now[id_]}
        named: dict[int, StoryId] = {}
        for first, members in groups.items():
            own = next((now[id_] for id_ in members if begun_by(id_) == now[id_]), None)
            if own is not None:
                named[first] = own
        # of stories whose first article is closed the larger part keeps the id
        for first, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
            if first not in named:
                free = Counter(now[id_] for id_ in members if now[id_] not in begun and now[id_] not in named.values())
                made = made_of(now[members[0]], members[0], self._sketches.id(len(self._gone) - 1))
                named[first] = free.most_common(1)[0][0] if free else made
        moved: dict[ArticleId, tuple[StoryId, StoryId]] = {}
        for first, members in groups.items():
            leaving = [id_ for id_ in members if now[id_] != named[first]]
            moved |= {id_: (now[id_], named[first]) for id_ in leaving}
            self.move(leaving, named[first])
        return Settled(moved=moved, begun=frozenset(named.values()) - frozenset(now.values()))

    # --- how

    def _place(self, one: Sketch, slots: Ints, weights: Floats, story: StoryId) -> None:
        row, members = len(self._sketches), self._members.get(story)
        story = self._stories[members[0]] if members else story  # its id is held once
        self._sketches.append(one)
        self._stories.append(story)
        self._gone.append(0)
        self._row[one.id] = row
        self._members[story] = [*members, row] if members else (row,)
        self._index.add(slots, weights)
        self._pace.add(one.when)

    def _absorb(self, old: StoryId, survivor: StoryId) -> None:
        rows = self._members.pop(old)
        for row in rows:
            self._stories[row] = survivor
        self._members[survivor] = sorted((*self._members[survivor], *rows))
        self._blends.pop(old, None)
        self._blends.pop(survivor, None)
        for article, story in self._words.closed.items():
            if story == old:
                self._words.closed[article] = survivor

    def _whole(self, story: StoryId) -> Sketch:
        """A story as one sketch: folded in the order of arrival, so that one put back from a store is the same."""
        members = self._members[story]
        if len(members) == 1:
            return self._sketches[members[0]]
        known, folded = self._blends.pop(story, (self._sketches[members[0]], 1))
        found = reduce(blend, (self._sketches[row] for row in members[folded:]), known)
        if len(self._blends) == BLENDS:
            del self._blends[next(iter(self._blends))]
        self._blends[story] = found, len(members)
        return found

    def _near(self, new: Sketch, slots: Ints, weights: Floats) -> list[tuple[int, float]]:
        """The rows that share most of its rare words, nearest first, each with its nearness."""
        if not self._sketches:
            return []
        rows, scores = self._index.near(slots, weights)
        stays = np.frombuffer(self._gone, dtype=np.uint8)[rows] == 0
        rows, scores = rows[stays], scores[stays]
        if new.when == new.when:  # what has no date may be near anything
            within = ~(np.abs(np.frombuffer(self._sketches.when)[rows] - new.when) > self.rules.window.total_seconds())
            rows, scores = rows[within], scores[within]
        most = self.rules.candidates
        if len(rows) > most:
            # all that are as near as the last one kept, so that the order in which they were found never matters
            kept = scores >= -np.partition(-scores, most - 1)[most - 1]
            rows, scores = rows[kept], scores[kept]
        order = np.lexsort((rows, -scores))[:most]
        return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))

    def _copied(self, new: Sketch, near: Sequence[tuple[int, float]], barred: set[StoryId]) -> int | None:
        """The earliest row whose text this one repeats."""
        if not new.fingerprint.size:
            return None
        for row, _ in sorted(near):
            old = self._sketches.fingerprint(row)
            alike = old.size == new.fingerprint.size and float((old == new.fingerprint).mean()) >= self.rules.copy
            if alike and self._stories[row] not in barred:
                return row
        return None

    def _compared(self, new: Sketch, others: Sequence[Sketch]) -> Floats:
        return self._comparer.compare(new, others, self._pace.around(new.when))

    def _probabilities(self, rows: Floats) -> NDArray[np.float64]:
        found = self._forest.probability(rows)
        found[self._series(rows)] = 0.0
        return found

    def _headlines(self, new: Sketch, stories: Sequence[Sketch], rows: Floats) -> Floats:
        """The cosine of a headline with each story of headlines of the same days; nought where either is more."""
        if new.length > self.rules.headline_words:
            return np.zeros(len(stories), dtype=np.float32)
        short = np.array([o.length <= self.rules.headline_words for o in stories], dtype=bool)
        near = short & (rows[:, FEATURES.index("days")] <= self.rules.headline_days) & ~self._series(rows)
        found: Floats = np.where(near, np.nan_to_num(rows[:, FEATURES.index("body")]), 0.0).astype(np.float32)
        return found

    def _series(self, rows: Floats) -> NDArray[np.bool_]:
        """Which pairs are instalments: one publisher's title comes again on another day, as horoscopes do.

        News that goes on under one headline has other publishers too, and their story is open to the next instalment.
        """
        alike, days, publisher = (rows[:, FEATURES.index(name)] for name in ("title", "days", "same_publisher"))
        found: NDArray[np.bool_] = (
            (publisher == 1.0) & (days >= self.rules.instalment_days) & (alike >= self.rules.instalment_title)
        )
        return found

    def _worth_comparing(self, new: Sketch, near: Sequence[tuple[int, float]]) -> list[StoryId]:
        """The stories of the nearest rows, without those whose nearest member is plainly about something else."""
        first: dict[StoryId, tuple[int, float]] = {}
        for row, score in near:
            if (story := self._stories[row]) not in first:
                first[story] = (row, score)
                if len(first) == self.rules.stories:
                    break
        if not first or not new.vector.size:
            return list(first)[: self.rules.wholes]
        vectors = [self._sketches.vector(row) for row, _ in first.values()]
        known = [v.size == new.vector.size for v in vectors]
        cosine = np.full(len(first), self.rules.far)  # what has no vector is judged by its words
        if any(known):
            rows = np.concatenate([v for v, k in zip(vectors, known, strict=True) if k]).reshape(-1, new.vector.size)
            cosine[known] = rows.astype(np.float32) @ new.vector.astype(np.float32)
        near_by_words = np.array([score for _, score in first.values()])
        nearness = near_by_words / near_by_words[0] + cosine
        asked = (cosine >= self.rules.unlike) & (2 * near_by_words + cosine >= self.rules.far)
        order = np.argsort(-nearness, kind="stable")
        stories = list(first)
        return [stories[n] for n in order[asked[order]][: self.rules.wholes].tolist()]

    def _scores(self, new: Sketch, near: Sequence[tuple[int, float]]) -> list[tuple[StoryId, float]]:
        """Stories by how surely the article belongs to them, best first."""
        stories = self._worth_comparing(new, near)
        if not stories:
            return []
        blends = [self._whole(story) for story in stories]
        compared = self._compared(new, blends)
        whole = self._probabilities(compared)
        scores = dict(zip(stories, whole.tolist(), strict=True))
        likely = sorted(scores, key=lambda story: (-scores[story], story))[: self.rules.asked]
        found = [row for row, _ in near]
        several = {
            s: self._sample(s, found) for s in likely if len(self._members[s]) > 1 and scores[s] >= self.rules.faint
        }
        rows = [row for sample in several.values() for row in sample]
        known: dict[int, float] = {}
        if rows:
            each = self._probabilities(self._compared(new, [self._sketches[row] for row in rows]))
            known = dict(zip(rows, each.tolist(), strict=True))
        for story, sample in several.items():
            scores[story] = (scores[story] + float(np.mean([known[row] for row in sample]))) / 2
        for story, blended, cosine in zip(
            stories, blends, self._headlines(new, blends, compared).tolist(), strict=True
        ):
            if cosine >= self.rules.headline_cosine and blended.articles >= self.rules.headline_story:
                scores[story] = max(scores[story], self.rules.join + cosine * (1 - self.rules.join))
                likely = [*likely, *(() if story in likely else (story,))]
        return [(story, scores[story]) for story in sorted(likely, key=lambda story: (-scores[story], story))]

    def _sample(self, story: StoryId, near: Sequence[int] = ()) -> Sequence[int]:
        """Members to ask: those found near, then the latest."""
        members = self._members[story]
        if len(members) <= self.rules.members:
            return members
        found = [row for row in near if self._stories[row] == story][: self.rules.members // 2]
        return found + [row for row in reversed(members) if row not in found][: self.rules.members - len(found)]

    def _agree(self, one: StoryId, other: StoryId) -> bool:
        """Whether two stories belong together on their own account: as wholes and member by member."""
        first, second = self._whole(one), self._whole(other)
        compared = self._compared(first, [second])
        enough = min(len(self._members[one]), len(self._members[other])) >= self.rules.headline_story
        if enough and self._headlines(first, [second], compared)[0] >= self.rules.headline_merge:
            return True
        whole = float(self._probabilities(compared)[0])
        b = [self._sketches[row] for row in self._sample(other)]
        each = [self._probabilities(self._compared(self._sketches[row], b)).mean() for row in self._sample(one)]
        return (whole + float(np.mean(each))) / 2 >= self.rules.merge


def group(articles: Sequence[Article], rules: Grouping | None = None, regroup: Regroup | None = None) -> list[StoryId]:
    """The story of each article after all of them were read in the order given, settled on the way with `regroup`."""
    stories = OpenStories(rules)
    by_id: dict[ArticleId, Article] = {}
    for article in articles:
        by_id[article.id] = article
        stories.assign(article)
        if regroup is not None and (ids := stories.unsettled()):
            stories.settle([by_id[id_] for id_ in ids], regroup)
    found = [stories.story_of(article.id) for article in articles]
    return [story for story in found if story is not None]
