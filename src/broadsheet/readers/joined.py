"""What a reader said of a story that turned out to be another holds for the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from broadsheet.model import Follow, Mute, Reader, StoryId

Choice = TypeVar("Choice", Follow, Mute)


def joined(reader: Reader, into: Mapping[StoryId, StoryId]) -> Reader:
    """The reader with the ids of absorbed stories led to their survivors; the same reader where none is concerned.

    Of two that are one story now, the later opening and the larger count of times shown hold; one that was hidden,
    saved, followed or muted makes both so.
    """
    if not into or into.keys().isdisjoint(_named(reader)):
        return reader
    opened: dict[StoryId, datetime] = {}
    for story, at in sorted(reader.opened.items(), key=lambda pair: pair[1]):
        opened[into.get(story, story)] = at
    shown: dict[StoryId, int] = {}
    for story, times in reader.shown.items():
        survivor = into.get(story, story)
        if survivor not in opened:
            shown[survivor] = max(times, shown.get(survivor, 0))
    return replace(
        reader,
        follows=_choices(reader.follows, into),
        mutes=_choices(reader.mutes, into),
        saved=tuple(dict.fromkeys(into.get(story, story) for story in reader.saved)),
        hidden=frozenset(into.get(story, story) for story in reader.hidden),
        opened=opened,
        shown=shown,
    )


def _named(reader: Reader) -> Iterable[StoryId]:
    yield from reader.opened
    yield from reader.shown
    yield from reader.hidden
    yield from reader.saved
    yield from (StoryId(follow.value) for follow in reader.follows if follow.kind == "story")
    yield from (StoryId(mute.value) for mute in reader.mutes if mute.kind == "story")


def _choices(choices: tuple[Choice, ...], into: Mapping[StoryId, StoryId]) -> tuple[Choice, ...]:
    kept: dict[tuple[str, str], Choice] = {}
    for choice in choices:
        if choice.kind == "story":
            choice = replace(choice, value=into.get(StoryId(choice.value), choice.value))
        kept[choice.kind, choice.value] = choice
    return tuple(kept.values())
