"""When a source is asked next."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from broadsheet.errors import FetchError
from broadsheet.sources.fetch import Fetched, Unchanged
from broadsheet.sources.schedule import Rhythm, after_failure, after_success, why_then
from tests.builders import DAY, HOUR, NOON, a_source

RHYTHM = Rhythm()
STEADY = Rhythm(jitter=0.0)
MINUTE = timedelta(minutes=1)


def fetched(**fields):
    return Fetched(**{"body": b"<rss/>", "url": "https://example.org/feed.xml"} | fields)


def unchanged(**fields):
    return Unchanged(**{"url": "https://example.org/feed.xml"} | fields)


def rng():
    return random.Random(7)


def every(gap, number=20, since=NOON):
    return [since - gap * n for n in range(number)]


def test_an_agency_is_asked_often_and_a_diary_rarely():
    agency = after_success(a_source(), fetched(), every(10 * MINUTE), NOON, rng(), STEADY)
    paper = after_success(a_source(), fetched(), every(2 * HOUR), NOON, rng(), STEADY)
    diary = after_success(a_source(), fetched(), every(7 * DAY), NOON, rng(), STEADY)
    assert agency.interval == RHYTHM.min
    assert 50 * MINUTE <= paper.interval <= 65 * MINUTE
    assert diary.interval == RHYTHM.max


def test_a_feed_that_fell_silent_is_asked_more_and_more_rarely():
    times = every(10 * MINUTE, since=NOON - 30 * DAY)
    assert after_success(a_source(), fetched(), times, NOON, rng(), STEADY).interval == RHYTHM.max


def test_each_time_nothing_is_new_the_wait_grows_up_to_the_longest():
    source, waits = a_source(interval=RHYTHM.min), []
    for _ in range(40):
        source = after_success(source, unchanged(etag='"x"'), (), NOON, rng(), STEADY)
        waits.append(source.interval)
    assert waits == sorted(waits)
    assert waits[0] > RHYTHM.min
    assert waits[-1] == RHYTHM.max


def test_news_brings_the_rhythm_back():
    slow = a_source(interval=DAY)
    assert after_success(slow, fetched(), every(10 * MINUTE), NOON, rng(), STEADY).interval == RHYTHM.min


def test_a_feed_without_dates_is_asked_like_one_that_has_nothing_new():
    assert after_success(a_source(interval=HOUR), fetched(), [None, None], NOON, rng(), STEADY).interval == 72 * MINUTE


def test_entries_dated_in_the_future_do_not_count():
    times = [NOON + DAY * n for n in range(1, 5)]
    assert after_success(a_source(interval=HOUR), fetched(), times, NOON, rng(), STEADY).interval == 72 * MINUTE


def test_what_the_server_calls_fresh_is_not_asked_again_within_reason():
    often = every(MINUTE)
    source = after_success(a_source(), fetched(max_age=40 * MINUTE), often, NOON, rng(), STEADY)
    assert source.next_fetch == NOON + 40 * MINUTE
    careless = after_success(a_source(), fetched(max_age=365 * DAY), often, NOON, rng(), STEADY)
    assert careless.next_fetch == NOON + HOUR
    by_ttl = after_success(a_source(), fetched(), often, NOON, rng(), STEADY, ttl=30 * MINUTE)
    assert by_ttl.next_fetch == NOON + 30 * MINUTE


def test_success_heals_and_keeps_the_validators_as_given():
    sick = a_source(failures=3, problem="it was down")
    well = after_success(sick, fetched(etag='W/"1"', last_modified="x"), every(HOUR), NOON, rng())
    assert (well.failures, well.problem, well.etag, well.last_modified) == (0, "", 'W/"1"', "x")
    assert (well.last_fetch, well.last_success) == (NOON, NOON)
    assert after_success(well, fetched(), every(HOUR), NOON, rng()).etag == ""  # no longer said: no longer sent


def test_after_410_it_is_never_asked_again():
    gone = after_failure(a_source(), FetchError("u", "gone for good", status=410), NOON, rng())
    assert gone.gone
    assert gone.next_fetch is None
    assert gone.problem == "gone for good"


def test_failures_wait_longer_and_longer():
    source, waits = a_source(), []
    for _ in range(14):
        source = after_failure(source, FetchError("u", "down", status=500), NOON, rng())
        waits.append(source.next_fetch - NOON)
    assert waits[0] <= RHYTHM.retry
    assert waits == sorted(waits)
    assert RHYTHM.max / 2 <= waits[-1] <= RHYTHM.max
    assert source.failures == 14
    assert source.interval == a_source().interval  # its rhythm is not forgotten for being ill


def test_sources_that_failed_together_come_back_apart():
    draw = rng()
    back = {after_failure(a_source(), FetchError("u", "down"), NOON, draw).next_fetch for _ in range(50)}
    assert len(back) == 50


def test_a_wait_that_the_server_asks_for_is_kept():
    source = after_failure(a_source(), FetchError("u", "busy", status=503, retry_after=3 * DAY), NOON, rng())
    assert 3 * DAY <= source.next_fetch - NOON <= 3 * DAY + RHYTHM.min
    absurd = after_failure(a_source(), FetchError("u", "busy", status=503, retry_after=9999 * DAY), NOON, rng())
    assert absurd.next_fetch - NOON <= 7 * DAY + RHYTHM.min


spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000))


@given(
    times=st.lists(
        st.none() | st.timedeltas(timedelta(days=-400), timedelta(days=400)).map(lambda d: NOON + d), max_size=40
    ),
    interval=spans,
    max_age=st.none() | spans,
    seed=st.integers(),
    new=st.booleans(),
)
def test_the_next_time_is_always_between_the_shortest_and_the_longest_wait(times, interval, max_age, seed, new):
    answer = fetched(max_age=max_age) if new else unchanged(max_age=max_age)
    source = after_success(a_source(interval=interval), answer, times if new else (), NOON, random.Random(seed), RHYTHM)
    assert RHYTHM.min <= source.next_fetch - NOON <= RHYTHM.max
    assert RHYTHM.min <= source.interval <= RHYTHM.max


@given(failures=st.integers(0, 10_000), seed=st.integers(), wait=st.none() | spans)
def test_a_failure_is_never_retried_at_once_nor_never(failures, seed, wait):
    error = FetchError("u", "down", retry_after=wait)
    source = after_failure(a_source(failures=failures), error, NOON, random.Random(seed), RHYTHM)
    assert RHYTHM.retry / 2 <= source.next_fetch - NOON <= RHYTHM.longest_wait + RHYTHM.min


def test_why_a_source_is_asked_when_it_is():
    failing = a_source(next_fetch=NOON, failures=2, last_success=NOON)
    fine = a_source(next_fetch=NOON, last_success=NOON, interval=40 * MINUTE)
    assert why_then(a_source(gone=True)) == "gone"
    assert why_then(a_source(next_fetch=None)) == "stopped"
    assert why_then(a_source(next_fetch=NOON)) == "new"
    assert why_then(failing) == "failing"
    assert why_then(failing, retry_after=2 * HOUR) == "asked to wait"
    assert why_then(failing, retry_after=timedelta(seconds=1)) == "failing"
    assert why_then(fine) == "its pace"
    assert why_then(fine, asked_for=40 * MINUTE) == "asked for"
    assert why_then(fine, asked_for=20 * MINUTE) == "its pace"
    assert why_then(replace(fine, interval=RHYTHM.min)) == "at most"
    assert why_then(replace(fine, interval=RHYTHM.max), asked_for=DAY) == "at least"


@given(st.integers(0, 12), st.one_of(st.none(), st.integers(1, 30 * 24 * 3600)))
def test_a_wait_is_laid_on_the_server_only_where_it_asked_for_it(failures, seconds):
    error = FetchError("https://example.org", "busy", status=503, retry_after=seconds and timedelta(seconds=seconds))
    failed = after_failure(a_source(failures=failures, last_success=NOON), error, NOON, rng())
    if why_then(failed, retry_after=error.retry_after) == "asked to wait":
        assert error.retry_after is not None
        assert failed.next_fetch - NOON >= min(error.retry_after, RHYTHM.longest_wait)
