"""When a source is asked next: as often as it publishes, never more often than it or the operator wishes.

Pure: the clock and the randomness are arguments, and a new `Source` comes back. Moving a source to its permanent
address is the store's business (`Fetched.permanent_url`), since an address may already be another source's.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from broadsheet.errors import FetchError
from broadsheet.model import Source
from broadsheet.sources.fetch import Fetched, Unchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How polling follows a source. See docs/design/0003-fetching.md for what these were chosen by."""

    min: timedelta = timedelta(minutes=15)
    max: timedelta = timedelta(hours=24)
    share: float = 0.5  # of the expected wait for the next entry: ask about twice per entry
    recent: int = 10  # entries that the expectation is taken from
    quieter: float = 1.2  # factor on the interval each time nothing is new
    jitter: float = 0.1  # so that sources added together drift apart
    heeded: timedelta = timedelta(hours=1)  # a max-age or ttl longer than this is a default nobody meant for news
    retry: timedelta = timedelta(minutes=5)  # after the first failure; doubled with each one more
    longest_wait: timedelta = timedelta(days=7)  # of a Retry-After


def after_success(
    source: Source,
    result: Fetched | Unchanged,
    entry_times: Iterable[datetime | None],
    now: datetime,
    rng: random.Random,
    rhythm: Rhythm | None = None,
    *,
    ttl: timedelta | None = None,
) -> Source:
    """The source as it stands after an answer: healthy, its validators noted, its next fetch by its own rhythm.

    `entry_times` are those of the entries in the answer (empty for `Unchanged`); `ttl` is the feed's own, if it has one.
    """
    rhythm = rhythm or Rhythm()
    if isinstance(result, Unchanged):
        interval = source.interval * rhythm.quieter
    else:
        interval = expected_wait(entry_times, now, rhythm) or source.interval * rhythm.quieter
    asked = max(result.max_age or timedelta(0), ttl or timedelta(0))
    interval = _between(rhythm, max(interval, min(asked, rhythm.heeded)))
    return replace(
        source,
        etag=result.etag,
        last_modified=result.last_modified,
        interval=interval,
        next_fetch=now + _between(rhythm, interval * rng.uniform(1 - rhythm.jitter, 1 + rhythm.jitter)),
        last_fetch=now,
        last_success=now,
        failures=0,
        problem="",
    )


def after_failure(
    source: Source, error: FetchError, now: datetime, rng: random.Random, rhythm: Rhythm | None = None
) -> Source:
    """The source as it stands after a failure: asked again later and later, as the server asked if it did, and never
    again after a 410."""
    rhythm = rhythm or Rhythm()
    failed = replace(source, last_fetch=now, failures=source.failures + 1, problem=error.reason)
    if error.status == 410:
        return replace(failed, gone=True, next_fetch=None)
    wait = min(rhythm.retry * 2.0 ** min(source.failures, 20), rhythm.max)
    # Half fixed, half drawn: sources that failed together (one host, one outage) come back apart.
    wait = wait * rng.uniform(0.5, 1.0)
    if error.retry_after is not None:
        asked = min(error.retry_after, rhythm.longest_wait)
        wait = max(wait, asked + rhythm.min * rng.uniform(0.0, 0.5))
    return replace(failed, next_fetch=now + wait)


def expected_wait(entry_times: Iterable[datetime | None], now: datetime, rhythm: Rhythm) -> timedelta | None:
    """A share of the wait for the next entry: the mean gap over the recent entries, the silence until now included, so
    that a feed that fell silent is asked more and more rarely. None when no entry says its time."""
    times = sorted((t for t in entry_times if t is not None and t <= now), reverse=True)[: rhythm.recent]
    if not times:
        return None
    return (now - times[-1]) / len(times) * rhythm.share


def _between(rhythm: Rhythm, interval: timedelta) -> timedelta:
    return max(rhythm.min, min(interval, rhythm.max))


Cause = Literal["gone", "stopped", "new", "asked to wait", "failing", "asked for", "at most", "at least", "its pace"]


def why_then(
    source: Source,
    rhythm: Rhythm | None = None,
    *,
    retry_after: timedelta | None = None,
    asked_for: timedelta | None = None,
) -> Cause:
    """Why a source is asked next when it is. `retry_after` and `asked_for` (max-age or ttl) are those of its last answer."""
    rhythm = rhythm or Rhythm()
    if source.gone:
        return "gone"
    if source.next_fetch is None:
        return "stopped"
    if source.failures:
        doubled = min(rhythm.retry * 2.0 ** min(source.failures - 1, 20), rhythm.max)
        return "asked to wait" if retry_after is not None and retry_after >= doubled / 2 else "failing"
    if source.last_success is None:
        return "new"
    if asked_for and rhythm.min < source.interval <= min(asked_for, rhythm.heeded):
        return "asked for"
    if source.interval <= rhythm.min:
        return "at most"
    return "at least" if source.interval >= rhythm.max else "its pace"
