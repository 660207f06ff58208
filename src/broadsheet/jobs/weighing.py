"""Weigh the feed's signals by what this instance's readers opened: fit, replay, take on only what is better, undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.errors import InputError
from broadsheet.feed.replay import Page, Replayed, fit, pages, replay, steepness

FEWEST = 60  # openings to learn from, below which weights would follow chance
HELD_OUT = 4  # one part in so many of the pages, the last, is what new weights are judged by
KEPT = 20  # earlier weights that can be gone back to, and runs that are told
RUNS = "runs of train rank"  # the note of what came of each

Why = Literal["", "little known", "little opened", "no better"]  # why what was learned is not used


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
        with db.begin() as c:
            _tell(c, Run(at=now, why="little known", known=known))
        raise InputError(f"{known} openings were made from logged pages; {FEWEST} are needed to learn from.")
    eta = steepness(early)
    told = fit(early, eta)
    judged = replay(late, told, eta)
    weights = {name: round(x * before.get(name, 1.0), 4) for name, x in told.items()}
    why = _why_not(judged)
    with db.begin() as c:
        if not why:
            _install(c, weights, judged, eta, now)
        _tell(c, Run(at=now, why=why, known=known, weights=weights, steepness=eta, replay=asdict(judged)))
    return Weighed(weights=weights, steepness=eta, replayed=judged, why_not=_said(why, judged))


def _why_not(judged: Replayed) -> Why:
    if judged.opened < FEWEST // HELD_OUT:
        return "little opened"
    return "" if judged.is_better else "no better"


def _said(why: Why, judged: Replayed) -> str:
    match why:
        case "little opened":
            return f"too little was opened there ({judged.opened}) to tell, so they are not used."
        case "no better":
            return "that is no better than now, so they are not used."
    return ""


# --- what came of each run ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of `broadsheet train rank`, as it is kept: what it learned, how that did on the pages that were kept back,
    and what became of it."""

    at: datetime
    why: Why = ""  # it is not used; empty: it was taken on
    known: int = 0  # openings that it learned from
    weights: Mapping[str, float] = field(default_factory=dict)
    steepness: float = 0.0
    replay: Mapping[str, float] = field(default_factory=dict)  # what `Replayed` says; empty where nothing was replayed
    undone: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether it was taken on and not taken back: the last of these is in use."""
        return not self.why and self.undone is None


def _tell(db: Connection, run: Run) -> None:
    _write(db, [*runs(db), run])


def _write(db: Connection, told: Sequence[Run]) -> None:
    store.notes.put(db, RUNS, orjson.dumps([asdict(run) for run in _last(told)]).decode())


def runs(db: Connection) -> list[Run]:
    """The last runs, in order. Weights that were learned before runs were kept count as runs that were taken on."""
    written = store.notes.get(db, RUNS)
    kept = [
        Run(**row | {name: when and datetime.fromisoformat(when) for name, when in row.items() if name in TIMES})
        for row in (orjson.loads(written) if written else ())
    ]
    held = [run.at for run in kept if run.holds]
    earlier = [run for run in map(_as_run, _history(db)) if run.at not in held]
    return sorted([*earlier, *kept], key=lambda run: run.at)


TIMES = ("at", "undone")


def _last(told: Sequence[Run]) -> list[Run]:
    """The last runs, and those before them that may still be gone back to."""
    return [run for n, run in enumerate(told) if n >= len(told) - KEPT or run.holds]


def _as_run(entry: Mapping[str, Any]) -> Run:
    replayed = entry.get("replay") or {}
    return Run(
        at=datetime.fromisoformat(entry["at"]),
        weights=entry["weights"],
        steepness=entry.get("steepness", 0.0),
        replay=replayed,
    )


def logged(db: Connection) -> list[Page]:
    """The pages that were made as pages are made now, with what was opened from each: others say nothing of these weights."""
    recipe = store.feeds.latest_recipe(db)
    return pages(store.feeds.logged(db, recipe), store.readers.opened(db)) if recipe else []


def in_use(db: Connection) -> dict[str, float]:
    """The weights that feeds are made with: empty as it is shipped."""
    return _history(db)[-1]["weights"] if _history(db) else {}


def undo(db: Engine, now: datetime) -> dict[str, float]:
    """Go back to the weights before. Gives those that hold now. Raises `InputError` where nothing was learned."""
    with db.begin() as c:
        history, told = _history(c), runs(c)
        if not history:
            raise InputError("The feed's weights are as they are shipped: there is nothing to undo.")
        last = max(n for n, run in enumerate(told) if run.holds)
        _write(c, [replace(run, undone=now) if n == last else run for n, run in enumerate(told)])
        store.notes.put(c, store.feeds.WEIGHTS, orjson.dumps(history[:-1]).decode())
        return history[-2]["weights"] if len(history) > 1 else {}


def redo(db: Engine) -> dict[str, float]:
    """Use again what was taken back last. Gives the weights that hold now. Raises `InputError` where nothing was taken
    back since the last weights were learned."""
    with db.begin() as c:
        told = runs(c)
        holding = max((n for n, run in enumerate(told) if run.holds), default=-1)
        back = next((n for n, run in enumerate(told) if n > holding and not run.why), None)
        if back is None:
            raise InputError("No weights were taken back that could be used again.")
        run = replace(told[back], undone=None)
        _write(c, [run if n == back else other for n, other in enumerate(told)])
        _put(c, {"weights": run.weights, "steepness": run.steepness, "at": run.at.isoformat(), "replay": run.replay})
        return dict(run.weights)


def _install(db: Connection, weights: dict[str, float], judged: Replayed, eta: float, now: datetime) -> None:
    _put(db, {"weights": weights, "steepness": eta, "at": now.isoformat(), "replay": asdict(judged)})


def _put(db: Connection, entry: Mapping[str, Any]) -> None:
    store.notes.put(db, store.feeds.WEIGHTS, orjson.dumps([*_history(db), entry][-KEPT:]).decode())


def _history(db: Connection) -> list[dict[str, Any]]:
    return store.feeds.weights(db)
