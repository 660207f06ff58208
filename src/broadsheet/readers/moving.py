"""A reader who moves to another instance: their export, read in as the stranger's file that it is.

The file's form is told in docs/reader-file.md. Everything in it is checked before anything is believed: kinds, lengths,
ranges, counts. What is brought is one event, so it can be undone like any other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import numpy as np

from broadsheet.errors import InputError
from broadsheet.model import (
    FOLLOW_KINDS,
    WEIGHT_KINDS,
    Follow,
    Mute,
    Reader,
    StoryId,
    Weight,
    WeightKey,
    bytes_of,
    vector_of,
)
from broadsheet.readers import follows
from broadsheet.readers.events import setting_problem
from broadsheet.wording import phrase as _

FORMAT = "broadsheet reader 1"
LETTERS = 200  # of a name, a label, a keyword
MOST = {"follows": 1000, "mutes": 1000, "weights": 2000, "saved": 5000, "hidden": 5000, "opened": 5000,
        "subscriptions": 2000}  # fmt: skip
LIMIT = 3.0  # no weight is larger: as in `profile.Learning`
HEAVIEST = 1e6  # of reading: `interest_mass` grows by at most one an event
VECTOR = 8192  # bytes: more numbers than any model here gives
EVENT_KINDS = frozenset({"opened", "dwelled", "saved", "shared", "more", "less", "hidden", "shown", "set_weight"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a file brings: checked, and small enough to be kept as one event."""

    name: str
    vector_model: str  # whose vectors `interest` and `disinterest` are; empty where the file does not say
    subscriptions: tuple[tuple[str, str, str], ...]  # address, title, folder
    profile: Mapping[str, Any]  # the event's payload: what `merged` reads

    def without_vectors(self) -> Brought:
        """The same without what only the same model of vectors understands."""
        kept = {k: v for k, v in self.profile.items() if k not in ("interest", "disinterest")}
        return replace(self, profile=kept)


def read_export(value: object) -> Brought:
    """What an exported file brings. Raises `InputError` that names the first thing that is wrong, and where."""
    if not isinstance(value, Mapping) or value.get("format") != FORMAT:
        raise InputError(_("This is no file of a reader: it does not begin with the format “{format}”.", format=FORMAT))
    given = value.get("reader")
    if not isinstance(given, Mapping):
        raise InputError(_("The file has no reader in it."))
    profile = _profile(given)
    return Brought(
        name=_text(given.get("name", ""), "name"),
        vector_model=_text(value.get("vector_model", ""), "vector_model"),
        subscriptions=_each(given, "subscriptions", _subscription),
        profile={
            "follows": [[f.kind, f.value, f.label, _said(f.since)] for f in profile.follows],
            "mutes": [[m.kind, m.value, m.label, _said(m.until)] for m in profile.mutes],
            "weights": [
                {"kind": k[0], "of": k[1], "value": w.value, "at": _said(w.at), "label": w.label, "pinned": w.pinned,
                 "since": _said(w.since), "came_from": dict(w.came_from)}
                for k, w in profile.weights.items()
            ],
            "interest": profile.interest.hex(), "interest_mass": profile.interest_mass,
            "disinterest": profile.disinterest.hex(), "disinterest_mass": profile.disinterest_mass,
            "interest_at": _said(profile.interest_at),
            "languages": list(profile.languages), "tuning": dict(profile.tuning), "presets": dict(profile.presets),
            "home": list(profile.home), "budget": dict(profile.budget), "saved": list(profile.saved),
            "hidden": sorted(profile.hidden), "opened": {story: _said(at) for story, at in profile.opened.items()},
        },
    )  # fmt: skip


def merged(reader: Reader, payload: Mapping[str, Any], at: datetime, half_life: timedelta) -> Reader:
    """The reader with what was brought along.

    Follows and mutes join those here. A weight is taken where there is none here or an older one, and nowhere in place of
    one that was set by hand here. Interests join by how much reading stands behind each. Languages, places and sliders
    are taken where nothing was chosen here. A payload that is not in order changes nothing.
    """
    try:
        came = _profile(payload)
    except InputError:
        return reader
    for follow in came.follows:
        reader = follows.follow(reader, follow, at)
    for mute in came.mutes:
        reader = follows.mute(reader, mute)
    weights = dict(reader.weights)
    for key, weight in came.weights.items():
        weight = replace(weight, at=min(weight.at, at))
        here = weights.get(key)
        if here is None or (not here.pinned and here.at <= weight.at):
            weights[key] = weight
    when = min(came.interest_at, at) if came.interest_at else at
    interest, interest_mass = _joined(reader, came, "interest", when, at, half_life)
    disinterest, disinterest_mass = _joined(reader, came, "disinterest", when, at, half_life)
    opened = {story: min(time, at) for story, time in came.opened.items()}
    return replace(
        reader,
        weights=weights,
        interest=interest, interest_mass=interest_mass, disinterest=disinterest, disinterest_mass=disinterest_mass,
        interest_at=at if interest_mass or disinterest_mass else reader.interest_at,
        languages=reader.languages or came.languages,
        home=reader.home or came.home,
        tuning={**came.tuning, **reader.tuning},
        presets={**came.presets, **reader.presets},
        budget={**came.budget, **reader.budget},
        saved=tuple(dict.fromkeys((*came.saved, *reader.saved))),
        hidden=reader.hidden | came.hidden,
        opened={**opened, **{story: max(time, opened.get(story, time)) for story, time in reader.opened.items()}},
    )  # fmt: skip


def _joined(
    reader: Reader, came: Reader, which: str, when: datetime, at: datetime, half_life: timedelta
) -> tuple[bytes, float]:
    """Two means of vectors as one, each with what is left of its mass at `at`. Vectors of another length say nothing."""

    def left(of: Reader, since: datetime | None) -> float:
        passed = max((at - (since or at)).total_seconds(), 0.0)
        return float(getattr(of, f"{which}_mass")) * float(2.0 ** -(passed / half_life.total_seconds()))

    here, there = vector_of(getattr(reader, which)), vector_of(getattr(came, which))
    mine, theirs = left(reader, reader.interest_at), left(came, when)
    if not len(there) or not theirs:
        return getattr(reader, which), mine
    if not len(here) or not mine:
        return getattr(came, which), theirs
    if len(here) != len(there):
        return getattr(reader, which), mine
    return bytes_of((here * mine + there * theirs) / (mine + theirs)), mine + theirs


# --- checking -----------------------------------------------------------------------------------------------------


def _profile(given: Mapping[str, Any]) -> Reader:
    """The profile that the file's `reader` says, or that an event carries. Raises `InputError`."""
    weights = dict(_each(given, "weights", _weight))
    strongest = sorted(weights.items(), key=lambda pair: (not pair[1].pinned, -abs(pair[1].value), pair[0]))[:500]
    opened = given.get("opened") or {}
    if not isinstance(opened, Mapping) or len(opened) > MOST["opened"]:
        raise InputError(f"opened must give at most {MOST['opened']:,} stories their times.")
    settings: dict[str, Any] = {}
    for name in ("languages", "tuning", "presets", "home", "budget"):
        value = given.get(name)
        if value:
            if (wrong := setting_problem(name, value)) is not None:
                raise InputError(f"{name}: {wrong}")
            settings[name] = value
    return Reader(
        id=_NOBODY,
        follows=_each(given, "follows", _follow),
        mutes=_each(given, "mutes", _mute),
        weights=dict(strongest),
        interest=_vector(given.get("interest"), "interest"),
        interest_mass=_number(given.get("interest_mass") or 0.0, "interest_mass", 0, HEAVIEST),
        interest_at=_time(given.get("interest_at"), "interest_at"),
        disinterest=_vector(given.get("disinterest"), "disinterest"),
        disinterest_mass=_number(given.get("disinterest_mass") or 0.0, "disinterest_mass", 0, HEAVIEST),
        languages=tuple(dict.fromkeys(str(code).lower() for code in settings.get("languages", ()))),
        tuning={str(k): float(v) for k, v in settings.get("tuning", {}).items()},
        presets={str(k): dict(v) for k, v in settings.get("presets", {}).items() if v is not None},
        home=tuple(settings.get("home", ())),
        budget={str(k): float(v) for k, v in settings.get("budget", {}).items() if v},
        saved=_each(given, "saved", _story),
        hidden=frozenset(_each(given, "hidden", _story)),
        opened={
            _story(story, f"opened, {str(story)[:40]!r},"): _needed(_time(at, f"opened[{str(story)[:40]!r}]"), "opened")
            for story, at in opened.items()
        },
    )


_NOBODY: Any = ""


def _each(given: Mapping[str, Any], name: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    rows = given.get(name) or []
    if not isinstance(rows, list | tuple) or len(rows) > MOST[name]:
        raise InputError(f"{name} must be a list of at most {MOST[name]:,}.")
    return tuple(read(row, f"{name}[{at}]") for at, row in enumerate(rows))


def _fields(row: Any, where: str, *names: str) -> list[Any]:
    """The fields of a row that is an object, as a file has it, or a list, as an event does."""
    if isinstance(row, Mapping):
        return [row.get(name) for name in names]
    if isinstance(row, list | tuple) and len(row) == len(names):
        return list(row)
    raise InputError(f"{where} must be an object with {', '.join(names)}.")


def _follow(row: Any, where: str) -> Follow:
    kind, value, label, since = _fields(row, where, "kind", "value", "label", "since")
    kind, value, label = _choice(kind, value, label, where)
    return Follow(kind=kind, value=value, label=label, since=_time(since, f"{where}.since"))


def _mute(row: Any, where: str) -> Mute:
    kind, value, label, until = _fields(row, where, "kind", "value", "label", "until")
    kind, value, label = _choice(kind, value, label, where)
    return Mute(kind=kind, value=value, label=label, until=_time(until, f"{where}.until"))


def _choice(kind: Any, value: Any, label: Any, where: str) -> tuple[Any, str, str]:
    if kind not in FOLLOW_KINDS:
        raise InputError(f"{where}.kind must be one of {', '.join(FOLLOW_KINDS)}.")
    text = _text(value, f"{where}.value")
    if not text:
        raise InputError(f"{where}.value is empty.")
    return kind, text, _text(label or "", f"{where}.label")


def _weight(row: Any, where: str) -> tuple[WeightKey, Weight]:
    if not isinstance(row, Mapping):
        raise InputError(f"{where} must be an object with kind, of, value and at.")
    kind, of = row.get("kind"), _text(row.get("of"), f"{where}.of")
    if kind not in WEIGHT_KINDS or not of:
        raise InputError(f"{where}.kind must be topic, entity, publisher or author, and {where}.of its name.")
    came_from = row.get("came_from") or {}
    if not isinstance(came_from, Mapping) or not all(
        k in EVENT_KINDS and isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 10**9
        for k, n in came_from.items()
    ):
        raise InputError(f"{where}.came_from must count kinds of events.")
    return (kind, of), Weight(
        value=_number(row.get("value"), f"{where}.value", -LIMIT, LIMIT),
        at=_needed(_time(row.get("at"), f"{where}.at"), f"{where}.at"),
        label=_text(row.get("label") or "", f"{where}.label"),
        pinned=row.get("pinned") is True,
        since=_time(row.get("since"), f"{where}.since"),
        came_from=dict(came_from),
    )


def _subscription(row: Any, where: str) -> tuple[str, str, str]:
    url, title, folder = _fields(row, where, "url", "title", "folder")
    address = url.strip() if isinstance(url, str) else ""
    if len(address) > 2000 or not re.match(r"https?://[^\s/]+", address, re.IGNORECASE) or not address.isprintable():
        raise InputError(f"{where}.url must be an address that begins with http:// or https://.")
    return address, _text(title or "", f"{where}.title"), _text(folder or "", f"{where}.folder")


def _story(value: Any, where: str) -> StoryId:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{16}", value):
        raise InputError(f"{where} must be a story's id: 16 hexadecimal digits.")
    return StoryId(value)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > LETTERS:
        raise InputError(f"{where} must be text of at most {LETTERS} letters.")
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def _number(value: Any, where: str, low: float, high: float) -> float:
    fine = isinstance(value, int | float) and not isinstance(value, bool)
    if not fine or not low <= value <= high:  # not a number is not between any two
        raise InputError(f"{where} must be a number from {low:g} to {high:g}.")
    return float(value)


def _time(value: Any, where: str) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        when = None
    if when is None or when.tzinfo is None or not 1970 <= when.year <= 2200:
        raise InputError(f"{where} must be a time with its zone, such as 2026-08-01T12:00:00+00:00.")
    return when


def _needed(value: datetime | None, where: str) -> datetime:
    if value is None:
        raise InputError(f"{where} needs a time.")
    return value


def _vector(value: Any, where: str) -> bytes:
    if not value:
        return b""
    try:
        raw = bytes.fromhex(value) if isinstance(value, str) and len(value) <= 2 * VECTOR else b"!"
    except ValueError:
        raw = b"!"
    if len(raw) % 2 or not np.isfinite(vector_of(raw)).all():
        raise InputError(f"{where} must be a vector of half-precision numbers, written in hexadecimal digits.")
    return raw


def _said(when: datetime | None) -> str | None:
    return when.isoformat() if when is not None and math.isfinite(when.timestamp()) else None
