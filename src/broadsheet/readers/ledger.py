"""Everything that was learned of a reader, in rows that a person can read, set by hand or erase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from broadsheet.model import Reader, Repair, WeightKey
from broadsheet.readers.profile import Learning, faded

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
