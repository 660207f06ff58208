"""What a browser or a program says a reader did, read into an `Event`; wrong words raise `InputError`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast, get_args

import orjson

from broadsheet.errors import InputError
from broadsheet.model import (
    FOLLOW_KINDS,
    WEIGHT_KINDS,
    ArticleId,
    Event,
    EventId,
    EventKind,
    FeedId,
    Follow,
    FollowKind,
    Mute,
    ReaderId,
    Regrouping,
    Repair,
    StoryId,
    WeightKey,
    query_of,
)
from broadsheet.readers.events import setting_problem
from broadsheet.wording import Phrase, meant, named_as
from broadsheet.wording import phrase as _

ACTIONS: tuple[str, ...] = tuple(
    kind for kind in get_args(EventKind) if kind not in ("shown", "import", "forget")
)  # those are the server's to say
OF_A_STORY = frozenset({"opened", "saved", "unsaved", "shared", "hidden", "unhidden", "more", "less"})
LENGTHS = {
    "day": _("for a day"),
    "sunday": _("until Sunday"),
    "week": _("for a week"),
    "month": _("for a month"),
    "forever": _("for good"),
}
SETTINGS = {"images": ("off", "direct", "proxied"), "scope": ("all", "subscriptions")}
MAX_WORDS = 200


MONTHS = (
    meant("with a day", "January"), meant("with a day", "February"), meant("with a day", "March"),
    meant("with a day", "April"), meant("with a day", "May"), meant("with a day", "June"), meant("with a day", "July"),
    meant("with a day", "August"), meant("with a day", "September"), meant("with a day", "October"),
    meant("with a day", "November"), meant("with a day", "December"),
)  # fmt: skip
WEEKDAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))


def mute_until(length: str, now: datetime) -> datetime | None:
    """When a mute of that length ends; None for one without an end. `sunday`: when the next Sunday begins where `now` is local."""
    match length:
        case "forever" | "":
            return None
        case "day":
            return now + timedelta(days=1)
        case "week":
            return now + timedelta(days=7)
        case "month":
            return now + timedelta(days=30)
        case "sunday":
            sunday = now.date() + timedelta(days=(6 - now.weekday()) or 7)
            return datetime.combine(sunday, time(), tzinfo=now.tzinfo).astimezone(UTC)
    try:
        end = datetime.fromisoformat(length)
    except ValueError:
        raise InputError(
            _("{given!r} is no length for a mute: choose one of {names}.", given=length[:40], names=", ".join(LENGTHS))
        ) from None
    return end if end.tzinfo else end.replace(tzinfo=now.tzinfo)


def _words(given: Mapping[str, Any], name: str, default: str = "") -> str:
    value = given.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > MAX_WORDS:
        raise InputError(_("{name} must be at most {n} characters of text.", name=name, n=MAX_WORDS))
    return " ".join(value.replace("\x00", " ").split())


def _thing(given: Any, name: str) -> tuple[FollowKind, str, str]:
    if not isinstance(given, Mapping):
        raise InputError(f"{name} must say a kind and a value.")
    kind, value = _words(given, "kind"), _words(given, "value")
    if kind not in FOLLOW_KINDS:
        raise InputError(f"{kind!r} can't be followed or muted: choose one of {', '.join(FOLLOW_KINDS)}.")
    if not value:
        raise InputError(_("Say what to follow or mute: it is empty."))
    if kind == "search" and query_of(value).is_empty:
        raise InputError(
            _("That search asks for nothing: write a word, or something like publisher:name or topic:sport.")
        )
    return kind, value, _words(given, "label") or value


def _weight(given: Any) -> tuple[WeightKey, float]:
    try:
        (kind, value), number = given
        if kind not in WEIGHT_KINDS or not isinstance(value, str) or isinstance(number, bool):
            raise ValueError
        number = float(number)
    except (TypeError, ValueError):
        raise InputError('weight must be [["topic" | "entity" | "publisher" | "author", name], number].') from None
    if not -3 <= number <= 3:
        raise InputError(_("A weight lies between -3 and 3."))
    return (kind, value), number


def _settings(given: Any) -> dict[str, object]:
    if not isinstance(given, Mapping):
        raise InputError("settings must be an object.")
    settings: dict[str, object] = {}
    for name, value in given.items():
        if name in SETTINGS:
            if value not in SETTINGS[name]:
                raise InputError(_("{name} must be one of {names}.", name=name, names=", ".join(SETTINGS[name])))
            settings[name] = value
        elif name == "languages":
            if not isinstance(value, (list, tuple)) or not all(
                isinstance(code, str) and 1 < len(code) < 9 and code.replace("-", "").isalnum() for code in value
            ):
                raise InputError("languages must be a list of language codes such as en, de or zh.")
            settings[name] = [code.lower() for code in value]
        elif name == "tuning":
            if not isinstance(value, Mapping) or not all(
                isinstance(n, (int, float)) and not isinstance(n, bool) and 0 <= n <= 4 for n in value.values()
            ):
                raise InputError("tuning must give each signal a number from 0 to 4.")
            settings[name] = {str(key)[:40]: float(n) for key, n in value.items()}
        elif name in ("home", "budget", "presets", "page_language"):
            if (wrong := setting_problem(name, value)) is not None:
                raise InputError(wrong)
            settings[name] = value
        else:
            raise InputError(_("There is no setting {x!r}.", x=str(name)[:40]))
    return settings


def _number(given: Mapping[str, Any], name: str, top: float) -> float | None:
    value = given.get(name)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(_("{name} must be a number.", name=name)) from None
    if not 0 <= number <= top:
        raise InputError(_("{name} must lie between 0 and {top:g}.", name=name, top=top))
    return number


def event_from(given: Any, reader: ReaderId, now: datetime) -> Event:
    """The event that a JSON object says; `now` is in the reader's time zone. Raises `InputError` with the first thing that is wrong."""
    if not isinstance(given, Mapping):
        raise InputError("An event must be a JSON object.")
    kind = _words(given, "kind")
    if kind not in ACTIONS:
        raise InputError(
            _("{kind!r} is nothing that a reader does: choose one of {names}.", kind=kind, names=", ".join(ACTIONS))
        )
    story, article = _words(given, "story"), _words(given, "article")
    if kind in OF_A_STORY and not story:
        raise InputError(_("{kind} needs the story that it is of.", kind=kind))
    follow = mute = weight = settings = target = through = regrouping = None
    if kind in ("follow", "unfollow"):
        what, value, label = _thing(given.get("follow"), "follow")
        follow = Follow(kind=what, value=value, label=label, since=now.astimezone(UTC))
    elif kind in ("mute", "unmute"):
        what, value, label = _thing(given.get("mute"), "mute")
        until = mute_until(_words(given, "until") or _words(given["mute"], "until"), now) if kind == "mute" else None
        if until is not None and until <= now:
            raise InputError(_("A mute must end later than now."))
        mute = Mute(kind=what, value=value, label=label, until=until)
    elif kind in ("set_weight", "erase_weight"):
        weight = _weight(given.get("weight"))
    elif kind == "settings":
        settings = _settings(given.get("settings"))
    elif kind in ("merge", "split"):
        regrouping = Regrouping(
            one=ArticleId(_words(given, "one")), other=ArticleId(_words(given, "other")), same=kind == "merge"
        )
    elif kind == "undo":
        number = _number(given, "target", 2**62)
        if number is None:
            raise InputError("undo needs the event that it takes back.")
        target = EventId(int(number))
        if (end := _number(given, "through", 2**62)) is not None:
            through = EventId(int(end))
    seconds = _number(given, "seconds", 1e9)
    if kind == "dwelled" and seconds is None:
        raise InputError("dwelled needs the seconds that it took.")
    position = _number(given, "position", 1e6)
    return Event(
        reader=reader,
        kind=cast(EventKind, kind),
        at=now.astimezone(UTC),
        story=StoryId(story) if story else None,
        article=ArticleId(article) if article else None,
        feed=FeedId(feed) if (feed := _words(given, "feed")) else None,
        position=int(position) if position is not None else None,
        seconds=min(seconds, 3600.0) if seconds is not None else None,  # a tab left open over night is no interest
        target=target,
        through=through,
        follow=follow,
        mute=mute,
        weight=weight,
        settings=settings,
        regrouping=regrouping,
    )


def said(event: Mapping[str, Any] | Repair) -> str:
    """An event as a form carries it: what `event_from` reads back."""
    if isinstance(event, Repair):
        event = {name: value for name, value in asdict(event).items() if name != "label" and value is not None}
    return orjson.dumps(event, option=orjson.OPT_NON_STR_KEYS).decode()


def date_words(when: datetime, now: datetime) -> Phrase:
    """`Sunday 3 August`, as the clocks of `now` have it."""
    when = when.astimezone(now.tzinfo)
    weekday, month = WEEKDAYS[when.weekday()], MONTHS[when.month - 1]
    return _("{weekday} {day} {month}", weekday=weekday, day=when.day, month=month)


def done(event: Event, now: datetime) -> Phrase:
    """What just happened, for a reader whose clocks `now` follows, in a few words."""
    follow, mute = event.follow, event.mute
    match event.kind:
        case "follow" if follow:
            return _("You follow {name}.", name=named_as(follow))
        case "unfollow" if follow:
            return _("You no longer follow {name}.", name=named_as(follow))
        case "mute" if mute and mute.until:
            return _("{name} is muted until {day}.", name=named_as(mute), day=date_words(mute.until, now))
        case "mute" if mute:
            return _("{name} is muted.", name=named_as(mute))
        case "unmute" if mute:
            return _("{name} is no longer muted.", name=named_as(mute))
        case "set_weight":
            return _("Changed: this weight stays as you set it.")
    return DONE.get(event.kind, _("Done."))


DONE = {
    "saved": _("Saved."), "unsaved": _("No longer saved."), "hidden": _("Hidden: you won't see this story again."),
    "unhidden": _("Shown again."), "more": _("More like this, then."), "less": _("Less like this, then."),
    "erase_weight": _("Forgotten."), "settings": _("Settings saved."), "merge": _("One story, for you, from now on."),
    "split": _("No longer part of this story, for you."), "undo": _("Undone."),
}  # fmt: skip
