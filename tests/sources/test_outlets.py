"""Who publishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.sources.outlets import domain_of, outlet_of, publisher_name


@pytest.mark.parametrize(
    "url",
    [
        "bbc.co.uk",
        "https://www.bbc.co.uk/news",
        "https://news.bbc.co.uk/1",
        "http://feeds.bbci.co.uk/x",
        "https://bbc.com",
    ],
)
def test_every_address_of_an_outlet_leads_to_it(url):
    outlet = outlet_of(url)
    assert outlet is not None
    assert (outlet.name, outlet.domain, outlet.country) == ("BBC News", "bbc.co.uk", "United Kingdom")


@pytest.mark.parametrize(
    "url", ["https://notbbc.co.uk/", "https://bbc.co.uk.evil.example/", "https://co.uk/", "", "http://[::1", "x y"]
)
def test_what_only_looks_like_an_outlet_is_none(url):
    assert outlet_of(url) is None


@pytest.mark.parametrize(
    ("url", "title", "name"),
    [
        ("https://www.theverge.example/rss", "The Verge - All Posts", "The Verge"),
        ("https://lwn.example/headlines", "LWN.net headlines", "lwn.example"),
        ("https://www.dailyplanet.example/world/rss", "World | Daily Planet", "Daily Planet"),
        ("https://smh.example/rss", "Sydney Morning Herald: Latest", "Sydney Morning Herald"),
        ("https://paper.example/rss", "World", "paper.example"),  # a section is no publisher
        ("https://paper.example/rss", "", "paper.example"),
        ("https://ada.substack.com/feed", "Letters", "ada.substack.com"),
        ("https://ada.github.io/", "", "ada.github.io"),
        ("http://feeds.feedburner.com/xyz", "Daily Planet :: World", "Daily Planet"),
        ("https://www.bbc.co.uk/news", "Something else", "BBC News"),
        ("http://192.0.2.7:8000/feed", "", "192.0.2.7"),
    ],
)
def test_a_publisher_has_a_name_that_people_would_use(url, title, name):
    assert publisher_name(url, title) == name


def test_all_sections_of_a_site_have_one_publisher():
    titles = ["World", "Sport", "Daily news from everywhere", "Опять"]
    assert {publisher_name("https://paper.example/rss", title) for title in titles} == {"paper.example"}


def test_the_domain_is_what_one_publisher_owns():
    assert domain_of("https://a.b.example.co.uk/x") == "example.co.uk"
    assert domain_of("https://www.abc.net.au/news") == "abc.net.au"


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_address_or_title_is_too_odd(url, title):
    assert isinstance(publisher_name(url, title), str)
    outlet_of(url)
