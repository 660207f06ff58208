"""Everything that was learned of a reader, in rows that a person can read, set by hand or erase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from broadsheet.model import Event, Reader, Repair, Story, WeightKey
from broadsheet.readers.profile import TEACHES, Learning, faded, learn, taken_back, undone

_ACTS = {
    "opened": "opened", "dwelled": "read", "saved": "saved", "shared": "shared", "more": "asked for more",
    "less": "asked for less", "hidden": "hidden", "shown": "shown and not opened",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """One learned weight: what it is worth now, since when, what taught it, and the actions that change it."""

    key: WeightKey
    label: str
    kind: str  # topic, entity, publisher
    now: float
    since: datetime
    last: datetime
    pinned: bool
    came_from: str
    erase: Repair


def ledger(reader: Reader, now: datetime, rules: Learning = Learning()) -> list[Learned]:  # noqa: B008
    """Every weight that was learned or set, the strongest first. Nothing that ranks by learning is missing here."""
    rows = [
        Learned(
            key=key,
            label=weight.label or key[1],
            kind=key[0],
            now=faded(weight, now, rules),
            since=weight.since or weight.at,
            last=weight.at,
            pinned=weight.pinned,
            came_from=_origin(weight.came_from, pinned=weight.pinned),
            erase=Repair(label=f"Forget {weight.label or key[1]}", kind="erase_weight", weight=(key, 0.0)),
        )
        for key, weight in reader.weights.items()
    ]
    return sorted(rows, key=lambda row: (-abs(row.now), row.key))


def _origin(came_from: Mapping[str, int], *, pinned: bool) -> str:
    """`opened 3 times, asked for more once`."""
    said = [f"{_ACTS[kind]} {_times(times)}" for kind, times in came_from.items() if kind in _ACTS]
    learned = ", ".join(said)
    if pinned:
        return f"set by you (before that: {learned})" if learned else "set by you"
    return learned or "learned before this was written down"


def _times(times: int) -> str:
    return "once" if times == 1 else "twice" if times == 2 else f"{times} times"


# --- signal by signal ---------------------------------------------------------------------------------------------

_DONE = {
    "opened": "You opened", "dwelled": "You read", "saved": "You saved", "shared": "You shared",
    "more": "You asked for more like", "less": "You asked for less like", "hidden": "You hid",
    "set_weight": "You set a weight", "erase_weight": "You had something forgotten",
    "import": "You brought a profile along", "forget": "You had everything forgotten",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What one event did to one weight, as it was worth then."""

    key: WeightKey
    label: str
    before: float
    after: float

    @property
    def moved(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One thing that the reader did and that was learned from: when, of what, and what it changed, the most first."""

    event: Event
    words: str
    story: Story | None
    changes: tuple[Delta, ...]
    undone_by: Event | None = None  # the undo that holds: it counts no more, and changes nothing


def signals(
    events: Sequence[tuple[Event, Story | None]],
    blank: Reader,
    rules: Learning = Learning(),  # noqa: B008
) -> list[Signal]:
    """Everything that weights were learned from, the latest first.

    The changes are those of a fold over the events with the stories as they are now. Together, each fading since, they
    are the weights (a law in the tests); what was undone changes nothing.
    """
    every = [event for event, _ in events]
    gone = undone(every)
    by: dict[int, Event] = {}
    for event in every:
        if event.kind == "undo" and (event.id is None or event.id not in gone):
            by.update(dict.fromkeys(taken_back(event, every), event))
    reader, found = blank, []
    for event, story in events:
        if event.kind not in _DONE:
            continue
        held = by.get(event.id) if event.id is not None else None
        changes: tuple[Delta, ...] = ()
        if held is None:
            before, reader = reader, learn(reader, event, story, rules)
            changes = _deltas(before, reader, event, rules)
        if changes or story is not None or event.kind not in TEACHES:
            found.append(Signal(event=event, words=_DONE[event.kind], story=story, changes=changes, undone_by=held))
    return found[::-1]


def _deltas(before: Reader, after: Reader, event: Event, rules: Learning) -> tuple[Delta, ...]:
    """The weights that differ, as they were worth at the time of the event. Those that it did not touch are the same objects."""
    keys = [key for key, weight in after.weights.items() if before.weights.get(key) is not weight]
    keys += [key for key in before.weights if key not in after.weights]
    made = []
    for key in keys:
        old, new = before.weights.get(key), after.weights.get(key)
        shown = new or old
        made.append(
            Delta(
                key=key,
                label=(shown.label if shown else "") or key[1],
                before=faded(old, event.at, rules) if old else 0.0,
                after=faded(new, event.at, rules) if new else 0.0,
            )
        )
    return tuple(sorted((d for d in made if d.moved), key=lambda d: (-abs(d.moved), d.key)))
