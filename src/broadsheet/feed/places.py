"""Where a story would stand for a reader who is a little otherwise: the feed's own picking, with nothing told of it.

What two such readers have in common is worked out once: who is admitted, what each scorer gives, the products of the
vectors. Where nothing that the change touches could reach the first places, these are as they were, and nothing is picked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadsheet.feed.admit import admit
from broadsheet.feed.build import Recipe, _Ranking
from broadsheet.feed.diversify import SIGNAL, Picked, best_first
from broadsheet.feed.edition import Edition, Floats, Rows
from broadsheet.feed.score import SLACK, Desk, Likeness, Scorer, tastes_of
from broadsheet.model import Reader, Reason, StoryId

CLOSE = 1e-9  # scores nearer than this are told apart by their reasons only: sums differ in the last bits


class Unsure(Exception):
    """Another story has the same score but for the last bits: only the feed itself says which stands above."""


class Stand(NamedTuple):
    """A story's place, from 1 on, and what the stories above it take from it."""

    place: int
    lost: tuple[Reason, ...]


class _First(NamedTuple):
    """The first places as they are now."""

    desk: Desk
    total: Floats  # of every row, likeness left out
    rows: Rows
    last: float  # score of the last of them
    is_full: bool


@dataclass(kw_only=True, eq=False)
class Places:
    """Places in the feeds of readers who differ in a thing or two, in one edition at one moment."""

    reader: Reader  # as they are
    edition: Edition
    recipe: Recipe
    now: datetime
    seed: int  # what a desk is given
    reach: int
    _held: dict[object, Any] = field(default_factory=dict)
    _alive: list[Reader] = field(default_factory=list)  # whose parts are known by what they are, not by what they hold
    _base: _First | None = None
    _far: set[int] = field(default_factory=set)  # rows that are not within reach for the reader as they are

    def find(self, reader: Reader, story: StoryId) -> Stand | None:
        """Where the story stands within reach. Raises `Unsure`."""
        row = self.edition.index[story]
        if not self._admitted(reader)[row]:
            return None
        if reader.budget:
            return self._page_by_page(reader, row)
        desk = self._desk(reader)
        total = self._total(desk)
        if row in self._far and self._stays(desk, total):
            return None
        found = self._in_order(self._picks(desk, total), row)
        if found is None and reader is self.reader:
            self._far.add(row)
        return found

    def _in_order(self, picks: Iterator[Picked], row: int) -> Stand | None:
        """The place among picks that are made one after another, page after page of the recipe's length."""
        found: Stand | None = None
        score, page = 0.0, list[float]()
        for n, one in enumerate(picks):
            if n % self.recipe.length == 0:
                if found is not None:
                    break
                page = []
            if found is not None and one.score < score - CLOSE:
                break
            if one.row == row:
                found, score = Stand(n + 1, tuple(one.page.demotions(row))), one.score
            else:
                page.append(one.score)
        if found is None:
            return None
        if any(abs(other - score) <= CLOSE for other in page):
            raise Unsure
        return found if found.place <= self.reach else None

    def _page_by_page(self, reader: Reader, row: int) -> Stand | None:
        """The same for a reader whose budget is kept on all pages so far together."""
        desk, above = self._desk(reader), list[int]()
        total, admitted = self._total(desk), self._admitted(reader)
        length, rules = self.recipe.length, self.recipe.diversity
        while len(above) < self.reach:
            left = admitted.copy()
            left[above] = False
            ranking = _Ranking(desk, self.recipe, np.flatnonzero(left), total)
            page: list[tuple[int, float]] = []
            found: Stand | None = None
            for one in best_first(desk, ranking.best, length, rules, above):
                page.append((one.row, one.score))
                if one.row == row:
                    lost = (*one.page.demotions(row), *(one.allowance.reasons(row) if one.allowance else ()))
                    found = Stand(len(above) + len(page), lost)
            # what the budget barred comes in late, out of the order of score
            if any(one[1] - other[1] <= CLOSE for one, other in pairwise(page)):
                raise Unsure
            if found is not None:
                return found if found.place <= self.reach else None
            if len(page) < length:
                return None
            above += [one for one, _ in page]
        return None

    def ahead(self, story: StoryId) -> int:
        """How many admitted stories have more points than this one, what diversity takes not counted."""
        desk, row = self._desk(self.reader), self.edition.index[story]
        points, admitted = self._total(desk), self._admitted(self.reader)
        likeness = self._likeness
        if likeness is None or not any(likeness.bounds(desk)):
            return int(np.count_nonzero(admitted & (points > points[row])))
        near = points + likeness.rough(desk)
        own = float(points[row] + sum(likeness.parts(desk, np.array([row])))[0])  # type: ignore[index]
        close = np.flatnonzero(admitted & (np.abs(near - own) <= 2 * SLACK))
        exact = points[close] + sum(likeness.parts(desk, close))
        return int(np.count_nonzero(admitted & (near > own + 2 * SLACK)) + np.count_nonzero(exact > own))

    # --- what readers have in common -------------------------------------------------------------------------------

    @property
    def _likeness(self) -> Likeness | None:
        return next((s for s in self.recipe.scorers if isinstance(s, Likeness)), None)

    def _once(self, what: object, reader: Reader, parts: tuple[str, ...], make: Any) -> Any:
        """What `make` gives, once for these very parts of a reader: the copy that `replace` makes shares the others."""
        key = (what, *(id(getattr(reader, part)) for part in parts))
        if key not in self._held:
            self._alive.append(reader)
            self._held[key] = make()
        return self._held[key]

    def _admitted(self, reader: Reader) -> NDArray[np.bool_]:
        parts = ("mutes", "hidden", "languages", "subscriptions")
        made: NDArray[np.bool_] = self._once(
            ("admitted", reader.scope), reader, parts, lambda: admit(reader, self.edition, self.now)[0]
        )
        return made

    def _near(self, reader: Reader) -> dict[int, NDArray[np.float32]]:
        """The products of all vectors with the reader's tastes."""

        def products() -> dict[int, NDArray[np.float32]]:
            sides = zip((1, -1), tastes_of(reader), strict=True)
            size = self.edition.vectors.shape[1]
            return {sign: self.edition.vectors @ mean for sign, mean in sides if size and len(mean) == size}

        made: dict[int, NDArray[np.float32]] = self._once("near", reader, ("interest", "disinterest"), products)
        return made

    def _desk(self, reader: Reader) -> Desk:
        return Desk(reader, self.edition, self.now, self.seed, self._near(reader))

    def _total(self, desk: Desk) -> Floats:
        """The points of every row, likeness left out: added up in the order in which the feed does."""
        total = np.zeros(len(self.edition))
        for number, scorer in enumerate(self.recipe.scorers):
            if not isinstance(scorer, Likeness):
                total += self._points(number, scorer, desk)
        return total

    def _points(self, number: int, scorer: Scorer, desk: Desk) -> Floats:
        reads: tuple[str, ...] | None = getattr(scorer, "reads", None)
        if reads is None:  # it does not say what it reads of a reader
            return scorer.points(desk)
        made: Floats = self._once(
            ("points", number, desk.tuned(scorer.signal)), desk.reader, reads, lambda: scorer.points(desk)
        )
        return made

    def _picks(self, desk: Desk, total: Floats) -> Iterator[Picked]:
        ranking = _Ranking(desk, self.recipe, np.flatnonzero(self._admitted(desk.reader)), total)
        length = self.recipe.length
        pages = -(-self.reach // length)
        return best_first(desk, ranking.best, pages * length, self.recipe.diversity, (), max(4 * length, 100))

    # --- where nothing changes -------------------------------------------------------------------------------------

    def _now(self) -> _First:
        """The first places of the reader as they are."""
        if self._base is None:
            desk = self._desk(self.reader)
            total = self._total(desk)
            picks = list(self._picks(desk, total))
            rows = np.array([one.row for one in picks], np.int64)
            is_full = len(picks) >= self.reach
            self._base = _First(desk, total, rows, picks[-1].score if picks else 0.0, is_full)
        return self._base

    def _stays(self, desk: Desk, total: Floats) -> bool:
        """Whether the first places are surely as they are: none of them changed, and whatever rose stays below them."""
        if self.reader.budget or self._admitted(desk.reader) is not self._admitted(self.reader):
            return False
        now, likeness = self._now(), self._likeness
        if not now.is_full or desk.tuned(SIGNAL) != now.desk.tuned(SIGNAL):
            return False
        if likeness is not None and (
            likeness.bounds(desk) != likeness.bounds(now.desk) or self._near(desk.reader) is not self._near(self.reader)
        ):
            return False
        if (total[now.rows] != now.total[now.rows]).any():
            return False
        rose = np.flatnonzero(total > now.total)
        if not len(rose):
            return True
        best = total[rose] + (likeness.rough(desk, rose) + 2 * SLACK if likeness is not None else 0.0)
        return bool(best.max() < now.last - CLOSE)
