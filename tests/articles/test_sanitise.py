"""Sanitised HTML can be shown: it acts on nothing and reports to no one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.articles.sanitise import sanitise

BASE = "https://example.org/news/story.html"


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ("<p onclick=\"x()\" style='a'>a</p>", "<p>a</p>"),
        ("<style>p{}</style><p>a</p>", "<p>a</p>"),
        ("<form><input name=q><button>go</button></form><p>a</p>", "<p>a</p>"),
        ("<iframe src='https://e.org'></iframe><object data=x></object><p>a</p>", "<p>a</p>"),
        ("<svg><script>1</script></svg><p>a</p>", "<p>a</p>"),
        ("<a href='javascript:alert(1)'>a</a>", '<a rel="noopener noreferrer nofollow">a</a>'),
        ("<a href='data:text/html,x'>a</a>", '<a rel="noopener noreferrer nofollow">a</a>'),
        ("<a href=' JaVaScRiPt:x'>a</a>", '<a rel="noopener noreferrer nofollow">a</a>'),
        ("<img src='data:image/png;base64,xx'>", ""),
        ("<img src=x onerror=alert(1)>", '<img src="https://example.org/news/x">'),
    ],
)
def test_nothing_that_acts_remains(dirty: str, clean: str) -> None:
    assert sanitise(dirty, BASE) == clean


def test_relative_addresses_are_resolved_and_links_give_nothing_away() -> None:
    made = sanitise('<a href="../b?x=1&amp;y=2">b</a><img src="/i.jpg" alt="An eye">', BASE)
    assert 'href="https://example.org/b?x=1&amp;y=2"' in made
    assert 'rel="noopener noreferrer nofollow"' in made
    assert '<img src="https://example.org/i.jpg" alt="An eye">' in made


@pytest.mark.parametrize(
    "pixel",
    [
        '<img src="https://e.org/a.gif" width="1" height="1">',
        '<img src="https://e.org/a.gif" height="0">',
        '<img src="https://pixel.wp.com/b.gif?host=e.org">',
        '<img src="https://www.google-analytics.com/collect?v=1">',
        '<img src="https://feeds.feedburner.com/~r/name/~4/x">',
        '<img src="https://e.org/track/open.gif?id=7">',
    ],
)
def test_pictures_that_count_readers_are_removed(pixel: str) -> None:
    assert sanitise(f"<p>a</p>{pixel}", BASE) == "<p>a</p>"


def test_a_picture_that_waits_for_a_script_is_shown() -> None:
    made = sanitise('<img src="data:image/gif;base64,R0" data-src="https://e.org/real.jpg" alt="x">', BASE)
    assert made == '<img src="https://e.org/real.jpg" alt="x">'


def test_what_parsers_read_in_two_ways_is_settled() -> None:
    made = sanitise('<a href="javascript:z"><table><a href="javascript:z">', BASE)
    assert sanitise(made, BASE) == made


pieces = st.sampled_from(
    ["<p>", "</p>", "<script>", "</script>", "<img src=x onerror=y>", '<a href="javascript:z">', "</a>", "<svg>", "<math>", "<mtext>", "<style>",
     "<!--", "-->", "text", "&lt;script&gt;", '"', "'", "<table>", "<noscript>", "<iframe>", "<b", ">", "<img alt='a>b' src='//e.org/i.png'>", "\x00", "<template>", "</style>"]
)  # fmt: skip


@given(st.lists(pieces | st.text(max_size=12), max_size=14).map("".join))
def test_whatever_comes_in_nothing_that_acts_comes_out_and_twice_is_once(html: str) -> None:
    made = sanitise(html, BASE)
    tags = re.findall(r"<[a-z][^>]*>", made)
    assert not re.search(r"<(?:script|style|iframe|object|embed|form|svg|math|link|meta|base)\b", made)
    assert not any(re.search(r'\s(?:on\w+|style|srcdoc)="', tag) for tag in tags)
    assert not any(re.search(r'(?:href|src|cite)="(?!https?:|mailto:)', tag) for tag in tags)
    assert sanitise(made, BASE) == made
