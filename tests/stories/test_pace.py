"""How dense the stream is when an article comes."""

from __future__ import annotations

from math import nan

from hypothesis import given
from hypothesis import strategies as st

from broadsheet.stories.pace import DAY, LATEST, Pace

times = st.lists(st.one_of(st.just(nan), st.integers(0, 60).map(lambda hours: hours * 3600.0)), max_size=80)


@given(times, times)
def test_what_it_will_be_for_each_that_comes_is_what_it_is_then(before, coming):
    pace = Pace()
    for when in before:
        pace.add(when)
    ahead = pace.ahead(coming)
    for when, expected in zip(coming, ahead, strict=True):
        assert pace.around(when) == expected
        pace.add(when)


def test_it_counts_the_articles_within_a_day_once_the_stream_has_begun():
    pace = Pace()
    for number in range(100):
        pace.add(number * DAY / 10)
    assert pace.around(5 * DAY) == 21
    assert pace.around(nan) == LATEST / (2.9 + 0.1)
