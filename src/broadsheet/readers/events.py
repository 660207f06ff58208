"""What a reader may send: an event is checked once, before it is recorded, so that a fold never meets a broken one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, get_args

from broadsheet.errors import InputError
from broadsheet.model import FOLLOW_KINDS, WEIGHT_KINDS, Event, EventKind, Follow, ReaderId
from broadsheet.wording import phrase as _

ABOUT_A_STORY = frozenset(
    {"shown", "opened", "dwelled", "saved", "unsaved", "shared", "hidden", "unhidden", "more", "less"}
)
TUNING_LIMIT = 5.0
MOST_PRESETS, MOST_HOMES, MOST_LETTERS = 20, 5, 80
BUDGET_RULES = ("outside", "topic", "country", "publisher")
_IMAGES = ("off", "direct", "proxied")
_SCOPES = ("all", "subscriptions")


def check(event: Event) -> Event:
    """The event, if it can be learned from. Raises `InputError` with what is missing or wrong."""
    if event.kind not in get_args(EventKind):
        raise InputError(f"There is no event of the kind {event.kind!r}.")
    if event.at.tzinfo is None:
        raise InputError("An event's time needs a time zone.")
    if event.kind in ABOUT_A_STORY and not event.story:
        raise InputError(f"{event.kind} needs the story that it is about.")
    if event.kind == "dwelled" and not (event.seconds is not None and 0 <= event.seconds < math.inf):
        raise InputError("dwelled needs how many seconds the story was read.")
    if event.kind == "undo" and event.target is None:
        raise InputError("undo needs the event that it undoes.")
    if event.kind == "undo" and event.through is not None and event.target is not None and event.through < event.target:
        raise InputError(_("The end of what is undone lies before its beginning."))
    if event.kind in ("follow", "unfollow"):
        _check_choice(event.kind, event.follow)
    if event.kind in ("mute", "unmute"):
        _check_choice(event.kind, event.mute)
        if event.mute and event.mute.until and event.mute.until.tzinfo is None:
            raise InputError("The end of a mute needs a time zone.")
    if event.kind in ("set_weight", "erase_weight"):
        if event.weight is None or event.weight[0][0] not in WEIGHT_KINDS:
            raise InputError(
                f"{event.kind} needs a weight: a topic, an entity, a publisher or an author, and a number."
            )
        if not math.isfinite(event.weight[1]):
            raise InputError("A weight is a number.")
    if event.kind in ("merge", "split"):
        pair = event.regrouping
        if pair is None or not pair.one or not pair.other or pair.one == pair.other:
            raise InputError(f"{event.kind} needs two articles.")
        if pair.same != (event.kind == "merge"):
            raise InputError("merge says that two articles are one story, split that they are not.")
    if event.kind == "settings":
        for name, value in (event.settings or {}).items():
            if (problem := setting_problem(name, value)) is not None:
                raise InputError(problem)
    return event


def _check_choice(kind: str, choice: Any) -> None:
    if choice is None or choice.kind not in FOLLOW_KINDS or not choice.value.strip():
        raise InputError(f"{kind} needs what it is about: one of {', '.join(FOLLOW_KINDS)}, and its name.")


def valid_settings(settings: Mapping[str, object] | None) -> dict[str, Any]:
    """The settings that are in order; a fold passes over the others."""
    return {name: value for name, value in (settings or {}).items() if setting_problem(name, value) is None}


def setting_problem(name: str, value: object) -> str | None:
    """What is wrong with one setting, in a sentence; None where nothing is."""
    match name:
        case "name":
            fine = isinstance(value, str) and 0 < len(value.strip()) <= 100
            return None if fine else _("A name has 1 to 100 characters.")
        case "languages":
            fine = _strings(value) and all(re.fullmatch(r"[A-Za-z]{2,3}", code) for code in _listed(value))
            return None if fine else "Languages are codes of two or three letters, such as en."
        case "scope":
            return None if value in _SCOPES else f"scope is one of {', '.join(_SCOPES)}."
        case "images":
            return None if value in _IMAGES else f"images is one of {', '.join(_IMAGES)}."
        case "page_language":
            fine = isinstance(value, str) and bool(re.fullmatch(r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{2,4})?)?", value))
            return None if fine else "page_language is a language code such as en, or empty."
        case "subscriptions":
            return None if _strings(value) else "subscriptions is a list of source ids."
        case "tuning":
            fine = _tuned(value)
            return None if fine else f"tuning gives each signal a number from 0 to {TUNING_LIMIT:g}."
        case "home":
            fine = _strings(value) and len(_listed(value)) <= MOST_HOMES
            fine = fine and all(0 < len(place.strip()) <= MOST_LETTERS for place in _listed(value))
            return (
                None
                if fine
                else _(
                    "home is a list of at most {places} places of at most {letters} letters.",
                    places=MOST_HOMES,
                    letters=MOST_LETTERS,
                )
            )
        case "budget":
            fine = isinstance(value, Mapping) and all(
                rule in BUDGET_RULES and _number(share) and 0 <= share <= 1 for rule, share in value.items()
            )
            return None if fine else f"budget gives {', '.join(BUDGET_RULES)} a share of the page from 0 to 1."
        case "presets":
            fine = isinstance(value, Mapping) and len(value) <= MOST_PRESETS and all(
                isinstance(name, str) and 0 < len(name.strip()) <= MOST_LETTERS and (values is None or _tuned(values))
                for name, values in value.items()
            )  # fmt: skip
            return (
                None
                if fine
                else _(
                    "presets gives at most {n} names their values from 0 to {top:g}.", n=MOST_PRESETS, top=TUNING_LIMIT
                )
            )
    return f"There is no setting {name!r} of a reader."


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tuned(values: object) -> bool:
    return (
        isinstance(values, Mapping)
        and len(values) <= 40
        and all(
            isinstance(x, str) and len(x) <= 40 and _number(y) and 0 <= y <= TUNING_LIMIT for x, y in values.items()
        )
    )


def _strings(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset) and all(isinstance(part, str) for part in value)


def _listed(value: object) -> list[str]:
    return list(value) if isinstance(value, list | tuple | set | frozenset) else []


def welcome(
    reader: ReaderId,
    now: datetime,
    *,
    name: str = "",
    follows: Iterable[Follow] = (),
    languages: Iterable[str] = (),
) -> list[Event]:
    """The events that a new reader's first choices (a few topics and places) amount to."""
    chosen: dict[str, object] = {}
    if name.strip():
        chosen["name"] = name.strip()
    if codes := tuple(languages):
        chosen["languages"] = codes
    first = [Event(reader=reader, kind="settings", at=now, settings=chosen)] if chosen else []
    return [
        check(event) for event in (*first, *(Event(reader=reader, kind="follow", at=now, follow=f) for f in follows))
    ]
