"""What a page says of its article is read as it was meant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.articles.dates import when
from broadsheet.articles.metadata import names_in, title_without_site


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-04T14:30:00+01:00", datetime(2026, 3, 4, 13, 30, tzinfo=UTC)),
        ("2026-03-04 14:30", datetime(2026, 3, 4, 14, 30, tzinfo=UTC)),
        ("2026-03-04T14:30:00.123Z", datetime(2026, 3, 4, 14, 30, tzinfo=UTC)),
        ("2026-03-04", datetime(2026, 3, 4, tzinfo=UTC)),
        ("Published: 3:05pm, 4 Mar, 2026", datetime(2026, 3, 4, 15, 5, tzinfo=UTC)),
        ("March 4, 2026 at 9:00 a.m. EST", datetime(2026, 3, 4, 14, 0, tzinfo=UTC)),
        ("Wed, 04 Mar 2026 14:30:00 +0100", datetime(2026, 3, 4, 13, 30, tzinfo=UTC)),
        ("4 de março de 2026", datetime(2026, 3, 4, tzinfo=UTC)),
        ("2026年3月4日", datetime(2026, 3, 4, tzinfo=UTC)),
        ("1772634600", datetime(2026, 3, 4, 14, 30, tzinfo=UTC)),
        ("31 February 2026", None),
        ("on Wednesday", None),
        ("call 555 2026", None),
        ("", None),
    ],
)
def test_times_are_read_as_they_are_written(written: str, meant: datetime | None) -> None:
    assert when(written) == meant


@given(st.text(max_size=60))
def test_a_time_is_aware_or_is_none(written: str) -> None:
    found = when(written)
    assert found is None or found.utcoffset() is not None


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Ann Lee and Bo Hu in Beijing", ("Ann Lee", "Bo Hu")),
        ("Ann Lee, Bo Hu & Cy Ng", ("Ann Lee", "Bo Hu", "Cy Ng")),
        ("Written by Ann Lee, MD, PhD", ("Ann Lee",)),
        ("By Ann Lee, political correspondent", ("Ann Lee",)),
        ("https://www.facebook.com/ann", ()),
        ("Von Ann Lee", ("Ann Lee",)),
    ],
)
def test_a_byline_gives_names_without_roles_and_places(byline: str, names: tuple[str, ...]) -> None:
    assert names_in(byline) == names


@pytest.mark.parametrize(
    ("title", "site", "bare"),
    [
        ("A bridge closes | The Harbour Post", "The Harbour Post", "A bridge closes"),
        ("A bridge closes - BBC News", "BBC News", "A bridge closes"),
        ("The Harbour Post: A bridge closes", "The Harbour Post", "The Harbour Post: A bridge closes"),
        ("The Harbour Post – A bridge closes", "The Harbour Post", "A bridge closes"),
        ("US-China relations – what comes next", "The Harbour Post", "US-China relations – what comes next"),
        ("A bridge closes", "", "A bridge closes"),
    ],
)
def test_the_name_of_the_site_is_no_part_of_the_title(title: str, site: str, bare: str) -> None:
    assert title_without_site(title, site) == bare
