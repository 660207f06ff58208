"""A feed: the live stories that a reader may see, best first, each with the reasons that are its score.

Points of all stories come from a few array operations. Only the likeness of texts reads every vector, and it is asked
only of stories that it could still lift onto the page: the bound makes that exact, not an approximation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

from broadsheet.errors import ConfigError
from broadsheet.feed.admit import admit
from broadsheet.feed.diversify import Diversity, pick
from broadsheet.feed.edition import Edition, Floats, Rows
from broadsheet.feed.score import SCORERS, SLACK, Desk, Exploration, Likeness, Scorer
from broadsheet.model import FOLLOW_KINDS, Feed, FeedId, FeedItem, Reader, Reason, StoryId, identify


def _all_scorers() -> tuple[Scorer, ...]:
    return tuple(scorer() for scorer in SCORERS.values())


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a feed is made: scorers with their settings, diversity, length. Frozen, named, and known by its hash."""

    name: str = "standard"
    length: int = 30
    scorers: tuple[Scorer, ...] = field(default_factory=_all_scorers)
    diversity: Diversity = field(default_factory=Diversity)

    @cached_property
    def hash(self) -> str:
        """The same for the same settings, on every machine: the name is not part of it."""
        parts = sorted(f"{type(s).__name__}({_settled(s)})" for s in self.scorers)
        return identify("recipe", str(self.length), *parts, _settled(self.diversity))

    def weighed(self, weights: Mapping[str, float]) -> Recipe:
        """The recipe in which each of these signals counts so many times as much."""
        scorers = tuple(_times(scorer, weights.get(name_of(scorer), 1.0)) for scorer in self.scorers)
        return replace(self, scorers=scorers)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Recipe:
        """The recipe that a TOML table says. Raises `ConfigError` for what it does not know.

        name = "calm"
        length = 20
        off = ["exploration"]
        [freshness]
        half_life = "2d"
        [diversity]
        topic_free = 2
        """
        unknown = set(table) - {"name", "length", "off", "diversity", *SCORERS}
        if unknown:
            raise ConfigError(
                f"A recipe has no {', '.join(sorted(unknown))}: it has {', '.join(SCORERS)} and diversity."
            )
        off = table.get("off", ())
        if wrong := set(off) - set(SCORERS):
            raise ConfigError(f"A recipe can't switch off {', '.join(sorted(wrong))}: there is no such scorer.")
        length = table.get("length", 30)
        if not isinstance(length, int) or not 1 <= length <= 500:
            raise ConfigError("A recipe's length is a number of stories from 1 to 500.")
        return cls(
            name=str(table.get("name", "standard")),
            length=length,
            scorers=tuple(_read(kind, name, table.get(name, {})) for name, kind in SCORERS.items() if name not in off),
            diversity=_read(Diversity, "diversity", table.get("diversity", {})),
        )


WORTH = frozenset(
    {
        "weight",
        "against",
        "speed",
        "shown",
        "read",
        "update",
        "update_followed",
        "seldom",
        "whole",
        "voices",
        "signed",
        "teasing",
        *FOLLOW_KINDS,
    }
)  # settings that are points


def name_of(scorer: Scorer) -> str:
    """The scorer's name in a recipe."""
    return next(name for name, kind in SCORERS.items() if kind is type(scorer))


def _times(scorer: Scorer, factor: float) -> Scorer:
    settings: Any = scorer
    held = {f.name: getattr(settings, f.name) * factor for f in fields(settings) if f.name in WORTH}
    scaled: Scorer = replace(settings, **held) if factor != 1.0 else scorer
    return scaled


def _settled(settings: Any) -> str:
    return ",".join(f"{f.name}={getattr(settings, f.name)!r}" for f in fields(settings))


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _read(kind: Any, name: str, table: Any) -> Any:
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}
    if not isinstance(table, Mapping) or (unknown := set(table) - known):
        said = ", ".join(sorted(unknown)) if isinstance(table, Mapping) else "a value"
        raise ConfigError(f"[{name}] of a recipe has no {said}: it has {', '.join(sorted(known))}.")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if hints[key] is timedelta:
            match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", str(value))
            if match is None or not float(match[1]):
                raise ConfigError(f"{key} in [{name}] of a recipe is a duration such as 12h, not {value!r}.")
            values[key] = timedelta(**{_UNITS[match[2]]: float(match[1])})
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
            raise ConfigError(f"{key} in [{name}] of a recipe is a number from 0 on, not {value!r}.")
        else:
            values[key] = hints[key](value)
    return kind(**values)


STANDARD = Recipe()


def build_feed(
    reader: Reader,
    edition: Edition,
    recipe: Recipe,
    now: datetime,
    rng: np.random.Generator,
    *,
    before: Sequence[StoryId] = (),
    near: Mapping[int, NDArray[np.float32]] | None = None,
) -> Feed:
    """The next page for the reader. `before` are the stories of the pages above it: none of them comes again.

    `near` are products of the vectors that are at hand already (see `batch`): they change nothing but the time it takes. The same reader, edition, recipe, time and seed give the same feed.
    """
    seed = int(rng.integers(0, 2**63))
    desk = Desk(reader, edition, now, seed, near)
    admitted, left_out = admit(reader, edition, now, frozenset(before))
    above = [row for story in before if (row := edition.row_of(story)) is not None]
    ranking = _Ranking(desk, recipe, np.flatnonzero(admitted))
    picked = list(pick(desk, ranking.best, recipe.length, recipe.diversity, above))
    told = reasons_of(desk, recipe, [row for row, _ in picked])
    chance = chance_of(desk, recipe)
    items = [
        FeedItem(story=edition.ids[row], reasons=(*reasons, *lost), chance=chance)
        for (row, lost), reasons in zip(picked, told, strict=True)
    ]
    scored = [(item.score, item) for item in items]
    scored.sort(key=lambda one: -one[0])  # stable: only the last bit of a sum can differ from the order of picking
    # What is shown is part of its name: a reader who acts may have two feeds in one moment, and each is logged.
    shown = (f"{item.story} {score:.9f}" for score, item in scored)
    id = FeedId(identify(reader.id, now.isoformat(), recipe.hash, str(seed), *before, "", *shown))  # noqa: A001
    return Feed(
        id=id,
        reader=reader.id,
        at=now,
        recipe=recipe.name,
        recipe_hash=recipe.hash,
        items=tuple(item for _, item in scored),
        left_out=left_out,
    )


def chance_of(desk: Desk, recipe: Recipe) -> float:
    """The chance that a story has of being drawn by lot."""
    return next((scorer.chance(desk) for scorer in recipe.scorers if isinstance(scorer, Exploration)), 0.0)


def reasons_of(desk: Desk, recipe: Recipe, rows: Sequence[int]) -> list[list[Reason]]:
    """All that speaks for and against each story, whatever else is on the page; the strongest first."""
    told: list[list[Reason]] = [[] for _ in rows]
    for scorer in recipe.scorers:
        for place, reason in scorer.reasons(desk, rows):
            told[place].append(reason)
    for reasons in told:
        reasons.sort(key=lambda reason: -abs(reason.points))
    return told


class _Ranking:
    """The admitted rows by points, as many of the best as are asked for."""

    def __init__(self, desk: Desk, recipe: Recipe, rows: Rows, total: Floats | None = None) -> None:
        self.desk = desk
        self.rows = rows
        self.likeness = next((s for s in recipe.scorers if isinstance(s, Likeness)), None)
        if total is None:
            total = np.zeros(len(desk.edition))
            for scorer in recipe.scorers:
                if scorer is not self.likeness:
                    total += scorer.points(desk)
        self.cheap = total[rows]

    def best(self, n: int) -> tuple[Rows, Floats]:
        """The n best rows and all that tie with the last of them, best first; ties in order of story id."""
        kept = np.arange(len(self.rows))
        points = self.cheap
        low, high = self.likeness.bounds(self.desk) if self.likeness else (0.0, 0.0)
        if self.likeness and (low or high):
            if n < len(kept):
                # n rows reach at least `reached`: below it nothing gets in even if likeness gives it all that it can
                ahead = np.argpartition(self.cheap, len(kept) - n)[len(kept) - n :]
                reached = (
                    float((self.cheap[ahead] + self.likeness.rough(self.desk, self.rows[ahead])).min()) - 2 * SLACK
                )
                kept = np.flatnonzero(self.cheap + high >= reached)
                # gathering rows costs about twice what reading them in place does
                few = 2 * len(kept) < len(self.desk.edition)
                rough = self.likeness.rough(self.desk, self.rows[kept] if few else None)
                near = self.cheap[kept] + (rough if few else rough[self.rows[kept]])
                kept = kept[near >= _nth(near, n) - 2 * SLACK]
            liked, disliked = self.likeness.parts(self.desk, self.rows[kept])
            points = self.cheap[kept] + (liked + disliked)
        if n < len(kept):
            inside = points >= _nth(points, n)
            kept, points = kept[inside], points[inside]
        order = np.argsort(-points, kind="stable")
        return self.rows[kept[order]], points[order]


def _nth(values: Floats, n: int) -> float:
    """The n-th largest of at least n values."""
    return float(np.partition(values, len(values) - n)[len(values) - n])
