"""Which stories may be shown to a reader at all, and for each that may not, why: nothing is left out silently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadsheet.feed.edition import Edition, Rows, private_to_others
from broadsheet.model import Mute, Reader, StoryId
from broadsheet.wording import named_as, phrase


class Refusal(NamedTuple):
    """Why some stories may not be shown, and what of the reader's own choices it is."""

    why: str
    of: Literal["private", "page", "hidden", "mute", "language", "scope"]
    mute: Mute | None = None


def admit(
    reader: Reader, edition: Edition, now: datetime, exclude: frozenset[StoryId] = frozenset()
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Which rows are admitted, and how many were left out for each reason. A story counts once, under the first."""
    admitted = np.ones(len(edition), bool)
    left_out: dict[str, int] = {}
    for refusal, rows in _refusals(reader, edition, now, exclude):
        left = int(np.count_nonzero(admitted[rows]))
        if left:
            left_out[refusal.why] = left_out.get(refusal.why, 0) + left
            admitted[rows] = False
    return admitted, left_out


def refused(reader: Reader, edition: Edition, now: datetime, row: int) -> list[Refusal]:
    """Everything that keeps one story from the reader; nothing where it is admitted."""
    return [refusal for refusal, rows in _refusals(reader, edition, now, frozenset()) if (rows == row).any()]


def _refusals(
    reader: Reader, edition: Edition, now: datetime, exclude: frozenset[StoryId]
) -> Iterator[tuple[Refusal, Rows]]:
    yield Refusal(phrase("in a source that is private to others"), "private"), private_to_others(edition, reader)
    yield Refusal(phrase("already on this page"), "page"), edition.rows_of(exclude)
    yield Refusal(phrase("hidden by you"), "hidden"), edition.rows_of(reader.hidden)
    for mute in reader.mutes:
        if mute.holds(now):
            yield (
                Refusal(phrase("muted: {name}", name=named_as(mute)), "mute", mute),
                muted_rows(edition, mute),
            )
    if reader.languages:
        read = {*reader.languages, ""}  # a story whose language nobody knows is not in another one
        other = np.array([code not in read for code in edition.languages] or [False])
        yield Refusal(phrase("in a language you do not read"), "language"), np.flatnonzero(other[edition.language])
    if reader.scope == "subscriptions":
        inside = np.zeros(len(edition), bool)
        for source in reader.subscriptions:
            inside[edition.sources.postings(source)[0]] = True
        yield Refusal(phrase("outside your subscriptions"), "scope"), np.flatnonzero(~inside)


def muted_rows(edition: Edition, mute: Mute) -> Rows:
    """Rows that a mute keeps away: for a publisher those that it alone reports."""
    # a passing word deep in one of twenty articles is no reason to keep a story away
    rows, strength = edition.about(mute.kind, mute.value, whole=False)
    return rows[strength > 0.999] if mute.kind == "publisher" else rows
