"""Whether importance knows which stories publishers will still join.

    broadsheet evaluate spreading STREAM.jsonl.xz

The last days of a month of real feed items are grouped as they come, as the server does, decided again now and then. Every
six hours the stories that two publishers and more report with their own text are put in order, and the twelve hours after
that say which of them others joined. Told of the first twenty: what share of all that joined, of what any twenty could
have had (`joined`), and how well the order tells the stories that somebody joined (AUC). Nothing from after an order is in
it; which story an article of those twelve hours is part of is what was decided in the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.evaluation.stories import feed_items, prepared
from broadsheet.feed.edition import Edition, Floats
from broadsheet.feed.score import Desk, Freshness, Importance, Scorer
from broadsheet.model import Article, ArticleId, Reader, ReaderId, Story, StoryId
from broadsheet.stories.cluster import OpenStories
from broadsheet.stories.describe import velocity
from broadsheet.stories.refine import grouped

DAYS: Final = 12  # that are measured, the last of the stream
BEFORE: Final = timedelta(days=4)  # of articles that a story is told from
EVERY: Final = timedelta(hours=6)
SOON: Final = timedelta(hours=12)
FIRST: Final = 20
BATCH: Final = 200
OPEN: Final = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class Look:
    """The stories as they were decided at one time."""

    at: datetime
    members: Mapping[StoryId, Sequence[ArticleId]]
    copies: Mapping[ArticleId, ArticleId | None]


def evaluate(path: Path, *, days: int = DAYS) -> Report:
    """AUC and the share of joining publishers among the first twenty, of freshness, of breadth beside it and of importance."""
    articles = sorted((a for a in feed_items(path) if a.published), key=lambda a: (a.time, a.id))
    if not articles:
        raise InputError(f"{path} has no items that say when they were published.")
    end = articles[-1].time
    assert end is not None
    begin = end - timedelta(days=days)
    articles = prepared([a for a in articles if a.time and a.time >= begin - BEFORE])
    by_id = {a.id: a for a in articles}
    looks, final = _grouped(articles, begin)
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    orders: dict[str, tuple[Scorer, ...]] = {
        "freshness": (Freshness(),),
        "and how many report it": (Freshness(), Importance(speed=0.0)),
        "and how many are joining": (Freshness(), Importance()),
    }
    lot = np.random.default_rng(0)
    for look in looks:
        stories, joined = _stories(look, by_id, final)
        if sum(n > 0 for n in joined.values()) < 3:
            continue
        edition = Edition.of(stories, look.at)
        soon = np.array([joined[id_] for id_ in edition.ids], float)
        rows["chance"].append(_told(lot.random(len(edition)), soon))
        for name, scorers in orders.items():
            desk = Desk(Reader(id=ReaderId("-")), edition, look.at, 0)
            points: Floats = np.sum([scorer.points(desk) for scorer in scorers], axis=0)
            rows[name].append(_told(points, soon))
    if not rows:
        raise InputError("No story of the stream was joined by anybody.")
    made = []
    for name, told in rows.items():
        auc, share = np.array(told).T
        spread = 1.96 * float(share.std()) / len(share) ** 0.5
        made.append(Row(name, {"auc": float(auc.mean()), "joined": float(share.mean()), "joined ±": spread}))
    note = f"{len(rows['chance'])} looks, one in six hours, at stories that two publishers and more report."
    return Report(task="spreading", dataset=path.name, rows=tuple(made), notes=(note,))


def _grouped(articles: Sequence[Article], begin: datetime) -> tuple[list[Look], dict[ArticleId, StoryId]]:
    """Looks at the stories as they were decided, and where each article is in the end."""
    open_, by_id = OpenStories(), {a.id: a for a in articles}
    where: dict[ArticleId, StoryId] = {}
    into: dict[StoryId, StoryId] = {}
    copies: dict[ArticleId, ArticleId | None] = {}
    looks: list[Look] = []
    due = begin
    for number in range(0, len(articles), BATCH):
        batch = articles[number : number + BATCH]
        first, last = batch[0].time, batch[-1].time
        assert first is not None
        assert last is not None
        if first >= due:
            members: dict[StoryId, list[ArticleId]] = defaultdict(list)
            for id_, story in where.items():
                time = by_id[id_].time
                if time is not None and first - BEFORE <= time < first:
                    members[_end(story, into)].append(id_)
            looks.append(Look(first, dict(members), dict(copies)))
            due = first + EVERY
        for some in open_.turns(batch):
            for assigned in open_.assign_all(some):
                where[assigned.article], copies[assigned.article] = assigned.story, assigned.copy_of
                into.update(dict.fromkeys(assigned.merged, assigned.story))
            if again := open_.unsettled():
                for id_, (_, story) in open_.settle([by_id[i] for i in again], grouped).moved.items():
                    where[id_] = story
        open_.forget_before(last - OPEN)
    return looks, {id_: _end(story, into) for id_, story in where.items()}


def _end(story: StoryId, into: Mapping[StoryId, StoryId]) -> StoryId:
    while story in into and into[story] != story:
        story = into[story]
    return story


def _stories(
    look: Look, by_id: Mapping[ArticleId, Article], final: Mapping[ArticleId, StoryId]
) -> tuple[list[Story], dict[StoryId, int]]:
    """The stories of two publishers and more as they were, and how many publishers joined each soon after."""
    coming: dict[StoryId, set[str]] = defaultdict(set)
    for id_, story in final.items():
        time = by_id[id_].time
        if time is not None and look.at <= time < look.at + SOON:
            coming[story].add(by_id[id_].publisher)
    stories, joined = [], {}
    for story, ids in look.members.items():
        placed = sorted((by_id[id_] for id_ in ids), key=lambda a: (a.time, a.id))
        own = [replace(a, copy_of=None) for a in placed if look.copies.get(a.id) is None]
        known = {a.publisher for a in own}
        first, last = placed[0].time, placed[-1].time
        if len(known) < 2 or first is None or last is None:
            continue
        stories.append(
            Story(
                id=story, headline=placed[0].title, articles=tuple(ids), publishers=tuple(sorted(known)), first_seen=first,
                last_seen=last, independent=len(known), velocity=velocity(own, last),
            )
        )  # fmt: skip
        joined[story] = len(coming[final[placed[-1].id]] - {a.publisher for a in placed})
    return stories, joined


def _told(points: Floats, soon: Floats) -> tuple[float, float]:
    """AUC, and the share of what the best twenty could have had."""
    was = soon > 0
    order = np.argsort(points, kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(1, len(order) + 1)
    for value in np.unique(points):  # equals share a place
        equal = points == value
        rank[equal] = rank[equal].mean()
    n = int(was.sum())
    auc = (rank[was].sum() - n * (n + 1) / 2) / (n * (len(was) - n)) if n < len(was) else 0.5
    first = np.argsort(-points, kind="stable")[:FIRST]
    return float(auc), float(soon[first].sum() / np.sort(soon)[::-1][:FIRST].sum())
