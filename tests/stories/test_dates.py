"""The days that a sentence speaks of are those that its reader would mark in a calendar."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.evaluation.timelines import read
from broadsheet.stories.dates import _TIME, Mention, _times, mentions

GOLDEN = Path(__file__).parent.parent / "golden" / "dates.tsv"
WEDNESDAY = date(2011, 3, 16)


def written(found: tuple[Mention, ...]) -> set[str]:
    return {str(m.first) if m.span == "day" else f"{m.first}/{m.last}" for m in found}


def test_phrases_marked_by_hand_are_read_as_they_were_marked():
    right, wrong = 0, []
    for line in GOLDEN.read_text("utf-8").splitlines():
        published, sentence, marked = line.split("\t")
        found = written(mentions(sentence, date.fromisoformat(published)))
        if found == (set() if marked == "-" else set(marked.split())):
            right += 1
        else:
            wrong.append((sentence, marked, found))
    assert right >= 115, wrong


def test_a_weekday_is_the_last_one_unless_its_verb_looks_ahead():
    (told,) = mentions("The minister resigned on Friday.", WEDNESDAY)
    (planned,) = mentions("The minister will resign on Friday.", WEDNESDAY)
    assert (told.first, planned.first) == (date(2011, 3, 11), date(2011, 3, 18))


def test_a_mention_says_where_it_stands():
    sentence = "He left on Monday, March 14, and came back yesterday."
    assert [sentence[m.start : m.end] for m in mentions(sentence, WEDNESDAY)] == ["Monday", "March 14", "yesterday"]


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)), st.integers(-6, 6))
def test_a_weekday_lies_within_a_week_and_has_its_name(published, back):
    name = (published + timedelta(days=back)).strftime("%A")
    (told,) = mentions(f"Police arrested four men on {name}.", published)
    (planned,) = mentions(f"Police will answer questions on {name}.", published)
    assert told.first.strftime("%A") == planned.first.strftime("%A") == name
    assert timedelta(0) <= published - told.first < timedelta(7)
    assert timedelta(0) <= planned.first - published < timedelta(7)


@given(st.dates(date(1970, 1, 1), date(2080, 1, 1)), st.dates(date(1970, 1, 1), date(2080, 1, 1)))
def test_a_whole_date_means_itself_whenever_it_is_read(when, published):
    for said in (
        when.isoformat(),
        when.strftime("%B %d, %Y"),
        when.strftime("%d %B %Y"),
        f"{when:%B} {when.day} , {when:%Y}",
    ):
        (found,) = mentions(f"It happened, he said, {said} in the north.", published)
        assert (found.first, found.last, found.absolute) == (when, when, True)


@given(st.text(max_size=200), st.dates(date(2, 1, 1), date(9990, 1, 1)))
def test_any_text_can_be_read(text, published):
    for found in mentions(text, published):
        assert found.first <= found.last
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize("year", [1, 9999])
def test_the_first_and_the_last_year_are_no_trouble(year):
    for sentence in (
        "two hundred years ago",
        "999 years ago",
        "999 months ago",
        "last year, next year",
        "in 3 weeks it will end on Monday",
        "yesterday and tomorrow",
    ):
        for day in (date(year, 1, 1), date(year, 12, 31)):
            mentions(sentence, day)


def test_weekdays_that_stand_beside_their_date_are_read_without_it(data):
    """A weekday and a date in one breath say which day was meant; the date is then taken out."""
    beside = re.compile(
        r"\b((?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\s*,?\s+([A-Z][a-z]+ \d\d?|\d\d? [A-Z][a-z]+)(?!\d)"
    )
    right = asked = 0
    for topic in read(data / "timelines"):
        for article in topic.articles:
            published = article.published.date()
            for line in article.text.split("\n"):
                match = beside.search(line) if "day" in line else None
                whole = mentions(match[2], published) if match else ()
                if (
                    not whole
                    or whole[0].first.strftime("%A") != match[1]
                    or abs(whole[0].first - published) > timedelta(6)
                ):
                    continue
                asked += 1
                alone = line[: match.end(1)] + line[match.end() :]
                right += any(
                    m.first == whole[0].first for m in mentions(alone, published) if m.start <= match.start() < m.end
                )
    assert asked > 40
    assert right / asked > 0.9


PIECES = (
    "Monday monday MONDAY Mon May may 5 05 2011 11 , . - / 3/4/2011 1.2.10 the next day before yesterday after tomorrow "
    "today tonight this morning last night a an few couple of several two three weeks week ago back in time month's mid "
    "early late since summer christmas eve new year's year’s years 年 月 日 2011年 5月 3日 mars de août er º ٣ x_ éd % "
    "million will said beginning"
)
pieces = st.sampled_from(PIECES.split())


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(pieces, st.sampled_from([" ", " ", "", "  ", "\n"])), max_size=9))
def test_no_time_is_missed_for_being_sought_only_where_one_may_begin(said):
    sentence = "".join(word + gap for word, gap in said)
    assert [m.span() for m in _times(sentence)] == [m.span() for m in _TIME.finditer(sentence)]
