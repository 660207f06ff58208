"""The articles that are open, each in a row, and the stories that they are in: what grouping remembers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from broadsheet.model import Article, ArticleId, StoryId
from broadsheet.stories.features import Rarity, Sketch, blends, sketches
from broadsheet.stories.index import Index, Near, Rarest
from broadsheet.stories.pace import Pace
from broadsheet.stories.rules import Grouping
from broadsheet.stories.shelf import PACK, Shelf

BLENDS = 3000  # stories whose mean is kept; one that is asked for again later is folded anew
# What comes into the midst of a story, or leaves it, is as a rule among its latest: so the means of its first articles are kept
# besides, of every eighth number of them the last four. Folding whole stories anew took a fifth of the time of one pass.
MARK, MARKS = 8, 4


class Rows:
    """Articles in the order in which they came, by row, and the rows of each story. Nothing is decided here."""

    def __init__(self, rules: Grouping) -> None:
        self.rules = rules
        self._rarity = Rarity.packaged()
        self._sketches = Shelf()
        self._stories: list[StoryId] = []  # of each row
        self._row: dict[ArticleId, int] = {}
        self._members: dict[StoryId, Sequence[int]] = {}  # sorted; of a single one a tuple, which weighs less
        # stories of several as one sketch: those that were asked for last
        self._blends: dict[StoryId, list[Sketch]] = {}  # of each its mean, and before it those of fewer of its articles
        self._copy_of: dict[ArticleId, ArticleId] = {}
        self._index = Index()
        self._pace = Pace()
        self._before = float("nan")  # time of the last row that was let go of
        self._gone = bytearray()  # of each row: whether its article is no longer open
        # stories that are no more, and that have more articles, since it was last asked about many
        self._ended: set[StoryId] = set()
        self._grown: set[StoryId] = set()

    def articles_of(self, story: StoryId) -> tuple[ArticleId, ...]:
        """The live articles of a story, in the order in which they came; empty for one that is not open."""
        return tuple(self._sketches.id(row) for row in self._members.get(story, ()))

    def story_of(self, article: ArticleId) -> StoryId | None:
        row = self._row.get(article)
        return None if row is None else self._stories[row]

    def __len__(self) -> int:
        return len(self._row)

    # --- in

    def _shelve(self, articles: Sequence[Article]) -> tuple[range, list[Sketch], Rarest]:
        """Give the articles the next rows, where each is alone until it is placed, and say what is there."""
        made = sketches(articles, self._rarity)
        rarest = Rarest.of(made)
        self._index.add(rarest)
        rows = range(len(self._sketches), len(self._sketches) + len(made))
        for row, one in zip(rows, made, strict=True):
            self._sketches.append(one)
            alone = StoryId(f"\0{row}")  # an id that no story has
            self._stories.append(alone)
            self._members[alone] = (row,)
            self._gone.append(0)
        return rows, made, rarest

    def _place(self, row: int, article: ArticleId, story: StoryId) -> StoryId:
        """Put the article in that row, which is alone so far, into its story."""
        alone = self._stories[row]
        del self._members[alone]
        members = self._members.get(story)
        story = self._stories[members[0]] if members else story  # its id is held once
        self._stories[row] = story
        self._members[story] = [*members, row] if members else (row,)
        self._ended.add(alone)
        self._grown.add(story)
        self._row[article] = row
        self._pace.add(self._sketches.when[row])
        return story

    def _absorb(self, old: StoryId, survivor: StoryId) -> None:
        self._ended.add(old)
        self._grown.add(survivor)
        rows = self._members.pop(old)
        for row in rows:
            self._stories[row] = survivor
        self._blends.pop(old, None)
        self._refold(survivor, rows[0])
        self._members[survivor] = sorted((*self._members[survivor], *rows))

    def _refold(self, story: StoryId, row: int) -> None:
        """A story's mean from the article in that row on is to be worked out anew."""
        if known := self._blends.get(story):
            before = bisect_left(self._members.get(story, ()), row)
            while known and known[-1].articles > before:
                known.pop()
            if not known:
                del self._blends[story]

    # --- out

    def _remove(self, article: ArticleId, row: int) -> None:
        self._left(row)
        self._gone[row] = 1
        del self._row[article]
        self._copy_of.pop(article, None)

    def _left(self, row: int) -> None:
        """The article in that row is no longer in its story."""
        story = self._stories[row]
        self._refold(story, row)
        rest = [other for other in self._members.pop(story) if other != row]
        if rest:
            self._members[story] = rest if len(rest) > 1 else tuple(rest)
        else:
            self._blends.pop(story, None)

    def _close_before(self, limit: float) -> dict[ArticleId, StoryId]:
        """Close what appeared before, and say what that was. What has no time is as old as its neighbours."""
        closed: dict[ArticleId, StoryId] = {}
        gone, times = np.array(self._gone, dtype=bool), self._times()
        old = (times < limit) & ~gone
        if not old.any():
            return closed
        for row in np.flatnonzero(old).tolist():
            article = self._sketches.id(row)
            closed[article] = self._stories[row]
            self._remove(article, row)
        self._pace.forget_before(limit, np.array(self._sketches.when)[~gone & ~old])
        self._tidy()
        return closed

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

    # --- what is asked

    def _whole(self, story: StoryId) -> Sketch:
        """A story as one sketch."""
        return self._wholes([story])[story]

    def _wholes(self, stories: Iterable[StoryId]) -> dict[StoryId, Sketch]:
        """Stories as one sketch each: folded in the order of arrival, so that one put back from a store is the same."""
        known: dict[StoryId, list[Sketch]] = {}
        waiting: dict[StoryId, list[int]] = {}  # of each the rows that are not folded in, the first of them last
        for story in stories:
            members = self._members[story]
            known[story] = self._blends.pop(story, []) or [self._sketches[members[0]]]
            if (folded := known[story][-1].articles) < len(members):
                waiting[story] = list(reversed(members[folded:]))
        while waiting:
            some = blends([(known[story][-1], self._sketches[rows.pop()]) for story, rows in waiting.items()])
            for story, one in zip(waiting, some, strict=True):
                if known[story][-1].articles % MARK:
                    known[story].pop()
                known[story].append(one)
            waiting = {story: rows for story, rows in waiting.items() if rows}
        for story, held in known.items():
            if held[-1].articles > 1:
                if len(self._blends) == BLENDS:
                    del self._blends[next(iter(self._blends))]
                self._blends[story] = held[-MARKS - 1 :]
        return {story: held[-1] for story, held in known.items()}

    def _near(self, sketches: Sequence[Sketch], rarest: Rarest, before: Sequence[int] | None = None) -> list[Near]:
        """The rows that share most of the rare words of each; only those `before` its own, where that is given."""
        gone = np.array(self._gone, dtype=bool) if 1 in self._gone else None
        times, when = np.array(self._sketches.when), np.array([one.when for one in sketches])
        window = self.rules.window.total_seconds()
        span = np.fmax(np.fmax.reduce(when), np.fmax.reduce(times)) - np.fmin(
            np.fmin.reduce(when), np.fmin.reduce(times)
        )

        def hidden(number: int) -> NDArray[np.bool_] | None:
            if not span > window:
                return gone
            far: NDArray[np.bool_] = np.abs(times - when[number]) > window  # what has no date may be near anything
            return far if gone is None else far | gone

        return self._index.near(rarest, self.rules.candidates, before, hidden)

    def _sample(self, story: StoryId, near: Sequence[int] = ()) -> Sequence[int]:
        """Members to ask: those found near, then the latest."""
        members = self._members[story]
        if len(members) <= self.rules.members:
            return members
        found = [row for row in near if self._stories[row] == story][: self.rules.members // 2]
        return found + [row for row in reversed(members) if row not in found][: self.rules.members - len(found)]
