from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import broadsheet.demo
from broadsheet.demo.corpus import AS_OF, CREDITS, channels, headline, plain

JULY = datetime(2026, 7, 1, tzinfo=UTC)


def test_the_package_carries_less_than_25_mb_of_news():
    packed = list((Path(broadsheet.demo.__file__).parent / "corpus").iterdir())
    assert len(packed) == 5
    assert sum(path.stat().st_size for path in packed) < 25_000_000


def test_the_demo_has_several_hundred_publishers_and_every_item_has_a_licence():
    found = channels(JULY)
    items = [item for channel in found for item in channel.items]
    assert len(found) > 300
    assert len(items) > 1000
    assert all(item.licence and item.url and item.title and item.published <= AS_OF for item in items)


def test_publishers_that_fell_silent_show_their_last_articles():
    by_title = {channel.title: channel for channel in channels(JULY, archive=12)}
    assert len(by_title["Wikinews"].items) == 12
    assert len(by_title["18F"].items) == 12
    assert all(item.published >= JULY for item in by_title["The White House"].items)


def test_every_corpus_is_credited():
    credited = {credit.name for credit in CREDITS}
    assert {"The White House", "Wikinews", "Digital.gov", "18F"} <= credited


@given(st.text(min_size=1))
def test_a_headline_is_the_events_own_words(event: str):
    assert event.strip().startswith(headline(event).removesuffix(" …"))


def test_a_long_headline_is_cut_at_a_clause():
    event = "Russian forces launch dozens of ballistic missiles and drones at Kyiv, Ukraine, killing at least 17 people, including eight civilians at a station."
    assert (
        headline(event)
        == "Russian forces launch dozens of ballistic missiles and drones at Kyiv, Ukraine, killing at least 17 people …"
    )


def test_markup_of_the_page_is_not_shown():
    event = 'The USS *George Washington* meets [Ismael "El Mayo" Zambada](https://example.org/a_(b) "El \\"Mayo\\"") and the mayor [es] of Lima.'
    assert plain(event) == 'The USS George Washington meets Ismael "El Mayo" Zambada and the mayor of Lima.'


def test_no_event_of_the_corpus_keeps_markup():
    shown = [i.title for c in channels(datetime(2025, 1, 1, tzinfo=UTC)) for i in c.items if "Wikipedia" in i.licence]
    assert not [title for title in shown if "](" in title or " [es]" in title or "*" in title]
