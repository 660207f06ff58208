"""Everything that was learned of a reader, in rows that a person can read, set by hand or erase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from broadsheet.model import Event, Reader, Repair, Story, StoryId, WeightKey
from broadsheet.readers.profile import TEACHES, Learning, faded, learn, subjects, taken_back, undone
from broadsheet.wording import in_a_row, meant, phrase

_ACTS = {
    "opened": meant("learned from", "opened"), "dwelled": meant("learned from", "read"), "saved": meant("learned from", "saved"), "shared": meant("learned from", "shared"), "more": meant("learned from", "asked for more"),
    "less": meant("learned from", "asked for less"), "hidden": meant("learned from", "hidden"), "shown": meant("learned from", "shown and not opened"),
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
            erase=Repair(
                label=phrase("Forget {name}", name=weight.label or key[1]), kind="erase_weight", weight=(key, 0.0)
            ),
        )
        for key, weight in reader.weights.items()
    ]
    return sorted(rows, key=lambda row: (-abs(row.now), row.key))


def _origin(came_from: Mapping[str, int], *, pinned: bool) -> str:
    """`opened 3 times, asked for more once`."""
    said = [phrase("{did} {times}", did=_ACTS[kind], times=_times(n)) for kind, n in came_from.items() if kind in _ACTS]
    learned = in_a_row(said)
    if pinned:
        return phrase("set by you (before that: {learned})", learned=learned) if learned else phrase("set by you")
    return learned or phrase("learned before this was written down")


def _times(times: int) -> str:
    return phrase("once") if times == 1 else phrase("twice") if times == 2 else phrase("{n} times", n=times)


# --- signal by signal ---------------------------------------------------------------------------------------------

_DONE = {
    "opened": phrase("You opened"), "dwelled": phrase("You read"), "saved": phrase("You saved"), "shared": phrase("You shared"),
    "more": phrase("You asked for more like"), "less": phrase("You asked for less like"), "hidden": phrase("You hid"),
    "set_weight": phrase("You set a weight"), "erase_weight": phrase("You had something forgotten"),
    "import": phrase("You brought a profile along"), "forget": phrase("You had everything forgotten"),
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
    bare: dict[StoryId, Story] = {}
    reader, found = blank, []
    for event, story in events:
        if event.kind not in _DONE:
            continue
        held = by.get(event.id) if event.id is not None else None
        changes: tuple[Delta, ...] = ()
        if held is None:
            if (
                story is not None and story.id not in bare
            ):  # what moves the mean of vectors moves no weight: half the time
                bare[story.id] = replace(story, vector=b"")
            before, reader = reader, learn(reader, event, bare[story.id] if story else None, rules)
            changes = _deltas(before, reader, event, story, rules)
        if changes or story is not None or event.kind not in TEACHES:
            found.append(Signal(event=event, words=_DONE[event.kind], story=story, changes=changes, undone_by=held))
    return found[::-1]


def _deltas(before: Reader, after: Reader, event: Event, story: Story | None, rules: Learning) -> tuple[Delta, ...]:
    """The weights that differ, as they were worth at the time of the event. Those that it did not touch are the same objects."""
    old_weights, new_weights = before.weights, after.weights
    asked = [key for key, _, _ in subjects(story, rules)] if story is not None else [*new_weights]
    keys = [key for key in asked if key in new_weights and old_weights.get(key) is not new_weights[key]]
    came = sum(key not in old_weights for key in keys)
    if len(new_weights) != len(old_weights) + came:  # some went: erased, forgotten, or too weak to be kept
        keys += [key for key in old_weights if key not in new_weights]
    made = []
    for key in keys:
        old, new = old_weights.get(key), new_weights.get(key)
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
