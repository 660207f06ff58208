"""What a reader is shown against what was published: by subject, place, country, kind of publisher and publisher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from broadsheet.feed.edition import Edition, main_place
from broadsheet.model import Outlet, Story, named
from broadsheet.wording import phrase

UNKNOWN = ""  # of what is not known: told as such, never guessed
DIMENSIONS = ("topic", "place", "country", "kind", "publisher")
TOLD = 8  # values of a dimension that are told one by one
Tally = Mapping[str, Mapping[str, float]]  # dimension -> value -> stories


@dataclass(frozen=True, slots=True)
class Share:
    """One value's share of what was shown and of what was published, 0 to 1."""

    value: str
    shown: float
    published: float


@dataclass(frozen=True, slots=True)
class Meter:
    """One dimension: its largest shares, what is left, and how far the two are apart."""

    dimension: str
    shares: tuple[Share, ...]
    rest: Share | None
    apart: float  # total variation distance: the share of what was shown that would have to be other stories


def tally(stories: Iterable[Story], outlets: Mapping[str, Outlet]) -> dict[str, dict[str, float]]:
    """How many stories have each value. A story counts once in each dimension, split evenly among its publishers."""
    found: dict[str, dict[str, float]] = {dimension: {} for dimension in DIMENSIONS}
    for story in stories:
        codes = (t for t in story.topics if t.id.endswith("000000"))
        broad = min(codes, key=lambda t: (-t.weight, t.id), default=None)
        place = main_place(story)
        _add(found, broad.label if broad else UNKNOWN, place.text if place else UNKNOWN, story.publishers, outlets)
    return found


def published(edition: Edition, outlets: Mapping[str, Outlet]) -> dict[str, dict[str, float]]:
    """The same of all live stories that no private source reports."""
    found: dict[str, dict[str, float]] = {dimension: {} for dimension in DIMENSIONS}
    codes, which = edition.broad_topics
    labels = [edition.topic_labels.get(code, code) for code in codes]
    closed = {row for source in edition.private for row in edition.sources.postings(source)[0].tolist()}
    for at, (row, topic) in enumerate(zip(edition.rows, which.tolist(), strict=True)):
        if at not in closed:
            _add(found, labels[topic] if topic >= 0 else UNKNOWN, row.place, row.publishers, outlets)
    return found


def _add(
    found: dict[str, dict[str, float]],
    topic: str,
    place: str,
    publishers: Sequence[str],
    outlets: Mapping[str, Outlet],
) -> None:
    _count(found["topic"], topic, 1.0)
    _count(found["place"], place, 1.0)
    publishers = publishers or (UNKNOWN,)
    for publisher in publishers:
        outlet, part = outlets.get(named(publisher)), 1.0 / len(publishers)
        _count(found["publisher"], publisher, part)
        _count(found["country"], outlet.country if outlet else UNKNOWN, part)
        _count(found["kind"], _kind(outlet.kind) if outlet else UNKNOWN, part)


def _count(held: dict[str, float], value: str, amount: float) -> None:
    held[value] = held.get(value, 0.0) + amount


def _kind(kind: str) -> str:
    """Who pays for it, as far as the lists say."""
    if "State" in kind:
        return phrase("state-funded")
    if "Public" in kind:
        return phrase("public service")
    return phrase("private or independent") if kind else UNKNOWN


def meters(shown: Tally, published: Tally) -> list[Meter]:
    """The two tallies side by side, dimension by dimension: the values that either has most of first."""
    made = []
    for dimension in DIMENSIONS:
        ours, theirs = _shares(shown[dimension]), _shares(published[dimension])
        every = [Share(v, ours.get(v, 0.0), theirs.get(v, 0.0)) for v in ours.keys() | theirs.keys()]
        every.sort(key=lambda s: (s.value == UNKNOWN, -max(s.shown, s.published), s.value))
        told, left = every[:TOLD], every[TOLD:]
        rest = Share("", sum(s.shown for s in left), sum(s.published for s in left)) if left else None
        apart = sum(abs(s.shown - s.published) for s in every) / 2 if ours and theirs else 0.0
        made.append(Meter(dimension, tuple(told), rest, apart))
    return made


def _shares(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values())
    return {value: n / total for value, n in counts.items()} if total else {}
