"""Weigh the feed's signals by what this instance's readers opened: fit, replay, take on only what is better, undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.errors import InputError
from broadsheet.feed.replay import Page, Replayed, fit, pages, replay, steepness

FEWEST = 60  # openings to learn from, below which weights would follow chance
HELD_OUT = 4  # one part in so many of the pages, the last, is what new weights are judged by
KEPT = 20  # earlier weights that can be gone back to


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What came of it. `why_not` is empty where the weights were taken on."""

    weights: dict[str, float]
    steepness: float
    replayed: Replayed
    why_not: str = ""

    def sentence(self) -> str:
        r = self.replayed
        said = f"On the last {r.pages} pages they bring {r.gain:+.1%} ± {r.half:.1%} openings"
        return f"{said}: {self.why_not}" if self.why_not else f"{said}, and are used from now on."


def weigh(db: Engine, now: datetime) -> Weighed:
    """Fit weights on all but the last pages, judge them by the last, take them on if they are better there.

    Raises `InputError` where too little was opened to learn anything.
    """
    with db.connect() as c:
        log = logged(c)
        before = in_use(c)
    return consider(db, log, before, now)


def consider(db: Engine, log: Sequence[Page], before: dict[str, float], now: datetime) -> Weighed:
    """The same of a log that is at hand."""
    cut = len(log) - len(log) // HELD_OUT
    early, late = log[:cut], log[cut:]
    known = sum(int(page.opened.sum()) for page in early)
    if known < FEWEST:
        raise InputError(f"{known} openings were made from logged pages; {FEWEST} are needed to learn from.")
    eta = steepness(early)
    told = fit(early, eta)
    judged = replay(late, told, eta)
    weights = {name: round(x * before.get(name, 1.0), 4) for name, x in told.items()}
    why_not = _why_not(judged)
    if not why_not:
        with db.begin() as c:
            _install(c, weights, judged, eta, now)
    return Weighed(weights=weights, steepness=eta, replayed=judged, why_not=why_not)


def _why_not(judged: Replayed) -> str:
    if judged.opened < FEWEST // HELD_OUT:
        return f"too little was opened there ({judged.opened}) to tell, so they are not used."
    if not judged.is_better:
        return "that is no better than now, so they are not used."
    return ""


def logged(db: Connection) -> list[Page]:
    """The pages that were made as pages are made now, with what was opened from each: others say nothing of these weights."""
    recipe = store.feeds.latest_recipe(db)
    return pages(store.feeds.logged(db, recipe), store.readers.opened(db)) if recipe else []


def in_use(db: Connection) -> dict[str, float]:
    """The weights that feeds are made with: empty as it is shipped."""
    return _history(db)[-1]["weights"] if _history(db) else {}


def undo(db: Engine) -> dict[str, float]:
    """Go back to the weights before. Gives those that hold now. Raises `InputError` where nothing was learned."""
    with db.begin() as c:
        history = _history(c)
        if not history:
            raise InputError("The feed's weights are as they are shipped: there is nothing to undo.")
        store.notes.put(c, store.feeds.WEIGHTS, orjson.dumps(history[:-1]).decode())
        return history[-2]["weights"] if len(history) > 1 else {}


def _install(db: Connection, weights: dict[str, float], judged: Replayed, eta: float, now: datetime) -> None:
    entry = {"weights": weights, "steepness": eta, "at": now.isoformat(), "replay": asdict(judged)}
    store.notes.put(db, store.feeds.WEIGHTS, orjson.dumps([*_history(db), entry][-KEPT:]).decode())


def _history(db: Connection) -> list[dict[str, dict[str, float]]]:
    return store.feeds.weights(db)
