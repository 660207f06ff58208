"""What a newcomer's feed is worth: the same requests of the same readers, of whom only so much is known.

    broadsheet evaluate cold SET

Each measured request of a reader with 20 past clicks and more is scored as if the reader had come after all but the last
0, 5 or 20 of them, and with all; nobody knows what such a newcomer was shown before. "Five choices": the sections of the
five clicks before those that are known, followed as topics, as a newcomer picks them, and nothing read; "five likes":
those five articles, each asked for more, as pasted likes are. Requests of readers with nothing known are those of
"0 events", whoever they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadsheet.errors import InputError
from broadsheet.evaluation import clicks, ranking
from broadsheet.evaluation.beyond import Choice, Newsroom
from broadsheet.evaluation.clicks import Asked
from broadsheet.evaluation.report import Report, Row
from broadsheet.feed.build import STANDARD, build_feed
from broadsheet.feed.others import Others
from broadsheet.model import Event, Follow, Reader, StoryId
from broadsheet.readers import follows
from broadsheet.readers.profile import learn
from broadsheet.stages.rank import ALONE, TOGETHER, Linear
from broadsheet.stages.signals import CONTENT, Floats, Request, Signals

KNOWN: Final = (0, 5, 20, 10**9)
CHOICES: Final = 5
ENOUGH: Final = 25  # past clicks of the readers that are measured
EVERY: Final = 4  # one in so many requests


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A request as it would be if only so much were known of its reader."""

    known: int
    asked: Asked
    chosen: tuple[str, ...]  # the articles whose sections were picked, or that were liked


def evaluate(path: Path, *, whole: bool = False) -> Report:
    """AUC and nDCG after 0, 5 and 20 events and with all, of the filter and of the shipped feed."""
    if clicks.is_globo(path):
        raise InputError("Sessions of Globo are all newcomers: see `evaluate ranking`, by cohort.")
    found = clicks.load(path, whole=whole)
    seen: list[Newcomer] = []
    turn = iter(range(10**9))

    def ask(
        signals: Signals, alone: Signals, request: Request, clicked: NDArray[np.bool_], others: Others | None
    ) -> None:
        if len(request.history) >= ENOUGH and next(turn) % EVERY == 0:
            seen.extend(_newcomers(signals, alone, request, clicked, others))

    _, signals = clicks.walk(found, ask=ask)
    if not seen:
        raise InputError(f"No measured request is of a reader with {ENOUGH} past clicks.")
    newsroom = Newsroom(found.articles, signals)
    for newcomer in seen:
        newsroom.want((*newcomer.asked.request.candidates, *newcomer.asked.request.history[-40:], *newcomer.chosen))
    newsroom.read_titles()
    rows = list(_rows(seen, signals, newsroom))
    asked = [n.asked for n in seen if n.known == 0]
    part = "" if whole else " (a part)"
    return Report(task="cold", dataset=f"{found.name}{part}", rows=tuple(rows), notes=ranking.notes(found, asked))


def _newcomers(
    signals: Signals, alone: Signals, request: Request, clicked: NDArray[np.bool_], others: Others | None
) -> Iterator[Newcomer]:
    for known in KNOWN:
        history = request.history[-known:] if known else []
        one = Request(request.at, "", history, request.candidates, request.read[-known:] if known else ())
        chosen = tuple(request.history[-CHOICES:]) if not known else ()
        named = replace(one, reader=request.reader)
        yield Newcomer(known, Asked(signals.table(one), alone.table(one), clicked, named, others), chosen)


def _rows(seen: Sequence[Newcomer], signals: Signals, newsroom: Newsroom) -> Iterator[Row]:
    filters = Linear(ALONE, CONTENT), Linear(TOGETHER, signals.signals)
    for known in KNOWN:
        mine = [n for n in seen if n.known == known]
        asked = [n.asked for n in mine]
        name = f"{known} events" if known < 10**9 else "all events"
        yield _row(f"feed, {name}", asked, [_feed(Choice(a, newsroom)) for a in asked])
        if known == 0:
            picked = [_feed(Choice(n.asked, newsroom), _who_chose(n, newsroom)) for n in mine]
            yield _row("feed, five choices", asked, picked)
            liked = [_feed(Choice(n.asked, newsroom), _who_liked(n, newsroom)) for n in mine]
            yield _row("feed, five likes", asked, liked)
        yield _row(f"filter, history alone, {name}", asked, [filters[0](a.alone).sum(axis=1) for a in asked])
        yield _row(f"filter, with what others did, {name}", asked, [filters[1](a.together).sum(axis=1) for a in asked])


def _row(name: str, asked: Sequence[Asked], points: Sequence[Floats]) -> Row:
    figures = ranking.summary(ranking.measured(asked, points), asked)
    return Row(name, {x: figures[x] for x in ("auc", "auc ±", "ndcg10", "ndcg10 ±", "requests")})


def _feed(choice: Choice, reader: Reader | None = None) -> Floats:
    """The candidates' places in the shipped feed, as points."""
    feed = build_feed(reader or choice.reader, choice.edition, STANDARD, choice.now, np.random.default_rng(0))
    place = {item.story: k for k, item in enumerate(feed.items)}
    return np.array([-float(place.get(StoryId(id), len(place))) for id in choice.asked.request.candidates])  # noqa: A001


def _who_chose(newcomer: Newcomer, newsroom: Newsroom) -> Reader:
    choice = Choice(newcomer.asked, newsroom)
    sections = Counter(t.id for id in newcomer.chosen for t in newsroom.story(id, choice.now).topics[:1])  # noqa: A001
    reader = choice.reader
    for section in sections:
        reader = follows.follow(reader, Follow(kind="topic", value=section, label=section), choice.now)
    return reader


def _who_liked(newcomer: Newcomer, newsroom: Newsroom) -> Reader:
    choice = Choice(newcomer.asked, newsroom)
    reader, at = choice.reader, choice.now - timedelta(hours=1)
    for id in newcomer.chosen:  # noqa: A001
        event = Event(reader=reader.id, kind="more", at=at, story=StoryId(id))
        reader = learn(reader, event, newsroom.story(id, at))
    return reader
