"""Pages that want to do harm, and pages that are merely broken, give an answer and go on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.articles.extract import extract
from broadsheet.model import Article, Page, Rejected
from tests.builders import an_entry

PARAGRAPH = (
    "<p>The council of the town met on Tuesday and spoke of the old bridge at some length, and then of the weather.</p>"
)

HOSTILE = {
    "100,000 nested divs": "<div>" * 100_000 + PARAGRAPH,
    "100,000 nested inline elements": PARAGRAPH + "<b>" * 100_000 + "x",
    "20,000 nested lists": PARAGRAPH * 5 + "<ul><li>" * 20_000,
    "10 MB of one paragraph": "<p>" + "word and " * 1_200_000,
    "10 MB of empty elements": PARAGRAPH * 5 + "<br>" * 2_500_000,
    "a million brackets": "<" * 1_000_000,
    "unclosed comments": PARAGRAPH * 5 + "<!-- " * 100_000,
    "unclosed scripts": PARAGRAPH * 5 + "<script>" * 100_000,
    "one tag of 5 MB": PARAGRAPH * 5 + "<p class='" + "a " * 2_500_000 + "'>",
    "JSON-LD that nests": '<script type="application/ld+json">' + "[" * 50_000 + "</script>" + PARAGRAPH * 5,
    "JSON-LD of odd types": '<script type="application/ld+json">{"@type":["NewsArticle",5],"author":[[[{"name":{"name":7}}]]],"image":[5],"publisher":"x","headline":{"a":1},"datePublished":5,"articleBody":["x"]}</script>'
    + PARAGRAPH * 5,
    "NUL and control characters": "\x00\x01\x02<p>\x00" + PARAGRAPH * 5,
    "lone surrogates": "\ud800" + PARAGRAPH * 5,
    "an XML declaration": '<?xml version="1.0" encoding="utf-16"?>' + PARAGRAPH * 5,
    "a canonical address that is none": '<link rel="canonical" href="http://[bad"><base href="http://[::">'
    + PARAGRAPH * 5,
    "a frameset": "<frameset><frame src=x></frameset>",
    "binary": bytes(range(256)).decode("latin-1") * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_gives_an_answer(name: str) -> None:
    (made,) = extract([Page(id="1", url="https://e.org/a", html=HOSTILE[name])])
    assert isinstance(made, Article | Rejected)


@pytest.mark.parametrize(
    "name",
    [
        "unclosed comments",
        "JSON-LD of odd types",
        "NUL and control characters",
        "an XML declaration",
        "JSON-LD that nests",
        "a canonical address that is none",
    ],
)
def test_the_article_of_a_broken_page_is_still_read(name: str) -> None:
    (made,) = extract([Page(id="1", url="https://e.org/a", html=HOSTILE[name])])
    assert isinstance(made, Article)
    assert "old bridge" in made.text


def test_a_bad_page_does_not_stop_the_good_one_after_it() -> None:
    good = Page(
        id="2",
        url="https://e.org/b",
        html="".join(PARAGRAPH.replace("Tuesday", day) for day in ("Monday", "Friday", "Sunday")),
    )
    made = extract([Page(id="1", url="http://[bad", html=HOSTILE["a frameset"]), good])
    assert isinstance(made[1], Article)


def test_pasted_text_and_feed_content_may_be_hostile_too() -> None:
    long = Page(id="1", url="", text="a b c. " * 600_000)
    lines = Page(id="2", url="", text="\n".join(f"line {n}" for n in range(20_000)))
    deep = Page(id="3", url="", entry=an_entry(content="<div>" * 50_000 + "x"))
    assert len(extract([long, lines, deep])) == 3


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<div class=ad>",
                "</div>",
                "<table>",
                "<tr><td>",
                "<li>",
                "<h1>",
                "<script>",
                "<!--",
                "-->",
                "text. ",
                "<article>",
                "<br>",
                "&#x0;",
                "<title>",
            ]
        )
        | st.text(max_size=8),
        max_size=40,
    ).map("".join)
)
def test_any_page_gives_an_answer(html: str) -> None:
    (made,) = extract([Page(id="1", url="https://e.org/a", html=html)])
    assert isinstance(made, Article | Rejected)
