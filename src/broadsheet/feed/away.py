"""The few stories that mattered while a reader was away: what they follow first, then the most important, and an end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from broadsheet.feed.admit import admit
from broadsheet.feed.build import Recipe, _Ranking, reasons_of
from broadsheet.feed.diversify import pick
from broadsheet.feed.edition import Edition
from broadsheet.feed.score import Desk
from broadsheet.model import FeedItem, Reader

# How new a story is, chance, and who publishes seldom say nothing of whether it mattered.
BESIDE = frozenset({"freshness", "exploration", "quiet"})
SIGNS = frozenset({"interest", "likeness", "local", "update"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mattering:
    """What counts as having mattered."""

    first_day: int = 5  # stories of one day away; each doubling of the days gives `doubling` more
    doubling: int = 3
    most: int = 20
    publishers: float = 2.0  # with texts of their own: fewer is no event, unless it is the reader's own ...
    points: float = 0.3  # ... by so many points of what they read or where they live


@dataclass(frozen=True, slots=True, kw_only=True)
class Mattered:
    """A story that mattered."""

    item: FeedItem
    followed: bool  # the reader follows what it is about


def enough(gap: timedelta, rules: Mattering = Mattering()) -> int:
    """How many stories a gap is worth, of what is followed and beside it: five for a day or less, eight for two days, 13 for a week."""
    days = max(gap / timedelta(days=1), 1.0)
    return min(rules.first_day + round(rules.doubling * math.log2(days)), rules.most)


def mattered(
    reader: Reader,
    edition: Edition,
    recipe: Recipe,
    since: datetime,
    now: datetime,
    rules: Mattering = Mattering(),
) -> list[Mattered]:
    """The stories that came or went on after `since` and mattered to the reader, most important first, follows before all.

    What is muted, hidden or in no language of theirs is left out as in any feed, and no subject fills the list.
    """
    recipe = replace(recipe, scorers=tuple(s for s in recipe.scorers if s.signal not in BESIDE))
    desk = Desk(reader, edition, now, 0)
    admitted, _ = admit(reader, edition, now)
    came = admitted & (edition.last_seen > since.timestamp()) & (edition.last_seen <= now.timestamp())
    for story, at in reader.opened.items():  # read since, with nothing new after that
        row = edition.row_of(story)
        if row is not None and at.timestamp() >= edition.last_seen[row]:
            came[row] = False
    followed = np.zeros(len(edition), bool)
    for follow in reader.follows:
        followed[edition.about(follow.kind, follow.value)[0]] = True
    many = enough(now - since, rules)
    first = _best(desk, recipe, np.flatnonzero(came & followed), many, [])
    others = _best(desk, recipe, np.flatnonzero(came & ~followed), many, [row for row, _ in first])
    kept = [(row, item) for row, item in others if _is_one(edition, row, item, rules)]
    return [Mattered(item=item, followed=True) for _, item in first] + [
        Mattered(item=item, followed=False) for _, item in kept
    ]


def _is_one(edition: Edition, row: int, item: FeedItem, rules: Mattering) -> bool:
    own = sum(reason.points for reason in item.reasons if reason.signal in SIGNS)
    return bool(edition.independent[row] >= rules.publishers) or own >= rules.points


def _best(
    desk: Desk, recipe: Recipe, rows: np.ndarray[tuple[int], np.dtype[np.int64]], most: int, above: Sequence[int]
) -> list[tuple[int, FeedItem]]:
    """The best of the rows, with their reasons; what stands above takes room from its like."""
    ranking = _Ranking(desk, recipe, rows)
    picked = list(pick(desk, ranking.best, most, recipe.diversity, above)) if len(rows) else []
    told = reasons_of(desk, recipe, [row for row, _ in picked])
    return [
        (row, FeedItem(story=desk.edition.ids[row], reasons=(*reasons, *lost)))
        for (row, lost), reasons in zip(picked, told, strict=True)
    ]
