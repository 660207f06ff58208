"""Articles out of pages: the text and what is known of it, and a reason where there is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from broadsheet.articles.extract import Extraction, extract, needs_page
from broadsheet.model import Article, Page, Rejected
from tests.builders import an_entry

PARAGRAPHS = (
    "The council of Port Ellen voted on Tuesday to close its oldest bridge for two years of repairs, after engineers found cracks in it.",
    "Three of the nine arches are affected, the harbour office said in a statement, and lorries have been kept off the bridge since January.",
    "“We could not wait for another winter,” said Mayor Ana Brito, who had opposed the closure when it was first proposed in March.",
    "Traffic will be led over the northern crossing from the first of May, at a cost of four million pounds, most of it paid by the county.",
    "The bridge was built in 1826 and is one of the last of its kind on the coast. A report on its future is expected before the end of the year.",
)
HEAD = """
<title>Port Ellen closes its oldest bridge | The Harbour Post</title>
<link rel="canonical" href="https://harbour.example/news/bridge?utm_source=feed">
<meta property="og:site_name" content="The Harbour Post"><meta property="og:image" content="/img/bridge.jpg">
<meta property="article:section" content="Local">
<script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle",
 "headline": "Port Ellen closes its oldest bridge", "author": [{"@type": "Person", "name": "Ann Lee"}, {"@type": "Person", "name": "Bo Hu"}],
 "datePublished": "2026-03-04T14:30:00+01:00", "dateModified": "2026-03-05T09:00:00Z"}</script>
"""


def a_page(body: str = "", *, before: str = "", after: str = "", head: str = HEAD, **fields: Any) -> Page:
    body = body or "".join(f"<p>{p}</p>" for p in PARAGRAPHS)
    html = f"""<!doctype html><html lang="en-GB"><head>{head}</head><body><nav><a href="/">Home</a> <a href="/n">News</a></nav>
    <main><article><h1>Port Ellen closes its oldest bridge</h1>{before}<div class="article-body">{body}</div>{after}</article></main>
    <footer><p>Copyright 2026 The Harbour Post. All rights reserved.</p></footer></body></html>"""
    return Page(**{"id": "1", "url": "https://harbour.example/news/bridge?utm_source=x", "html": html} | fields)


def article_of(page: Page) -> Article:
    (made,) = extract([page])
    assert isinstance(made, Article), made
    return made


def rejected(page: Page) -> Rejected:
    (made,) = extract([page])
    assert isinstance(made, Rejected), made
    return made


def test_a_page_gives_its_article_whole() -> None:
    article = article_of(a_page())
    assert tuple(article.text.split("\n\n")) == PARAGRAPHS
    assert article.title == "Port Ellen closes its oldest bridge"
    assert article.authors == ("Ann Lee", "Bo Hu")
    assert article.published == datetime(2026, 3, 4, 13, 30, tzinfo=UTC)
    assert article.updated == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert article.publisher == "The Harbour Post"
    assert article.section == "Local"
    assert article.image == "https://harbour.example/img/bridge.jpg"
    assert article.url == "https://harbour.example/news/bridge"
    assert article.language == "en"


def test_the_same_page_has_the_same_id_whatever_address_led_there() -> None:
    assert article_of(a_page()).id == article_of(a_page(url="https://harbour.example/news/bridge?fbclid=9")).id


@pytest.mark.parametrize(
    "foreign",
    [
        '<div class="ad-slot"><p>Buy the new car of the year today, with nothing to pay.</p></div>',
        '<aside class="newsletter-signup"><p>Get the best of the coast, every morning, in your inbox.</p></aside>',
        '<div class="related-posts"><h3>Related</h3><p><a href="/x">Mayor of Port Ellen is under fire again</a></p></div>',
        "<p>Advertisement</p>",
        "<p>Sign up to our newsletter to get the latest news</p>",
        '<div class="share-buttons"><a href="#">Share on Facebook</a></div>',
        "<p>1.2k shares</p>",
        '<section id="comments"><p>Finally! I have waited for this for years and years.</p></section>',
        '<div class="video"><span class="duration">01:51</span></div>',
    ],
)
def test_what_surrounds_an_article_is_no_part_of_it(foreign: str) -> None:
    body = "".join(f"<p>{p}</p>" for p in PARAGRAPHS[:2]) + foreign + "".join(f"<p>{p}</p>" for p in PARAGRAPHS[2:])
    assert tuple(article_of(a_page(body)).text.split("\n\n")) == PARAGRAPHS


def test_captions_are_kept_apart_from_the_text() -> None:
    caption = "The bridge at dusk in January, before the closure. Photo: Ann Lee"
    figure = f'<figure><img src="b.jpg" alt="A bridge"><figcaption>{caption}</figcaption></figure>'
    article = article_of(a_page(f"<p>{PARAGRAPHS[0]}</p>{figure}" + "".join(f"<p>{p}</p>" for p in PARAGRAPHS[1:])))
    assert article.captions == (caption,)
    assert caption not in article.text


def test_the_pages_own_summary_bullets_are_the_key_points() -> None:
    points = ("The oldest bridge of Port Ellen closes in May", "Repairs take two years and cost four million pounds")
    summary = '<ul class="key-points">' + "".join(f"<li>{p}</li>" for p in points) + "</ul>"
    assert article_of(a_page(before=summary)).key_points == points


def test_a_standfirst_is_the_key_point_where_there_are_no_bullets() -> None:
    standfirst = "Two years of repairs begin in May, and the town wonders how to cross"
    assert article_of(a_page(before=f'<p class="standfirst">{standfirst}</p>')).key_points == (standfirst,)


def test_key_points_are_never_made_up() -> None:
    assert article_of(a_page()).key_points == ()


def test_the_reading_view_keeps_links_and_figures_and_nothing_that_acts() -> None:
    body = (
        f"<p>{PARAGRAPHS[0]}</p><p onclick='x()'>See <a href='/report'>the report</a>, which was published by the harbour office in January.</p>"
        "<p><img src='/arch.jpg' alt='An arch'></p>" + "".join(f"<p>{p}</p>" for p in PARAGRAPHS[1:])
    )
    html = article_of(a_page(body)).html
    assert '<a href="https://harbour.example/report" rel="noopener noreferrer nofollow">the report</a>' in html
    assert '<img src="https://harbour.example/arch.jpg" alt="An arch">' in html
    assert "onclick" not in html
    assert "script" not in html


def test_the_body_in_the_pages_data_stands_in_for_text_that_only_a_script_would_show() -> None:
    text = "\\n\\n".join(PARAGRAPHS)
    data = f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "A bridge", "articleBody": "{text}"}}</script>'
    article = article_of(a_page("<p>Loading...</p>", head=data))
    assert tuple(article.text.split("\n\n")) == PARAGRAPHS


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<html></html>", "no text"),
        (
            "<title>404 Not Found</title><h1>Page not found</h1><p>The page that you look for is not here any more, or never was.</p>",
            "error page",
        ),
        ("<title>Just a moment...</title><p>Verifying you are human. This may take a few seconds.</p>", "error page"),
        (
            "<title>A story</title><p>We and our partners use cookies to store personal data. You can manage your cookie choices at any time here.</p><button>Accept all cookies</button>",
            "cookie wall",
        ),
        (
            "<title>A story</title><h1>A story</h1><p>The council voted on Tuesday.</p><div><p>Subscribe to continue reading. Already a subscriber?</p></div>",
            "paywall",
        ),
        ("<title>A story</title><p>It rained a little.</p>", "characters of text"),
    ],
)
def test_what_is_no_article_says_why(html: str, reason: str) -> None:
    assert reason in rejected(Page(id="1", url="https://e.org/a", html=html)).reason


def test_a_page_with_nothing_at_all_is_rejected() -> None:
    assert "neither" in rejected(Page(id="1", url="https://e.org/a")).reason


def test_the_content_of_a_feed_is_an_article_without_its_page() -> None:
    entry = an_entry("A bridge closes", content="".join(f"<p>{p}</p>" for p in PARAGRAPHS * 2), authors=("Ann Lee",))
    article = article_of(Page(id="1", url=entry.url, entry=entry))
    assert tuple(article.text.split("\n\n")) == PARAGRAPHS, "a paragraph that is repeated is said once"
    assert (article.title, article.authors, article.published) == (entry.title, entry.authors, entry.published)
    assert article.source == entry.source


def test_a_summary_alone_is_an_article_that_is_unsure_of_itself() -> None:
    entry = an_entry("A bridge closes", summary="<p>The council voted to close it.</p>")
    article = article_of(Page(id="1", url=entry.url, entry=entry))
    assert article.text == "The council voted to close it."
    assert article.confidence < 0.3
    assert article_of(a_page()).confidence > 0.8


def test_the_feed_stands_in_where_its_page_is_a_wall() -> None:
    entry = an_entry("A bridge closes", summary="<p>The council voted to close it.</p>")
    wall = "<title>Just a moment...</title><p>Verifying you are human. This may take a few seconds.</p>"
    assert article_of(Page(id="1", url=entry.url, html=wall, entry=entry)).text == "The council voted to close it."


def test_a_page_is_needed_only_where_the_feed_carries_too_little() -> None:
    whole = "".join(f"<p>{p}</p>" for p in PARAGRAPHS * 3)
    assert needs_page(an_entry(summary="<p>Short.</p>"), Extraction())
    assert not needs_page(an_entry(content=whole), Extraction())
    assert needs_page(an_entry(content=whole + "<p>And so on [...]</p>"), Extraction())
    assert not needs_page(an_entry(url="urn:uuid:1", summary="<p>Short.</p>"), Extraction())


def test_one_answer_for_each_page_in_their_order() -> None:
    pages = [a_page(id="1"), Page(id="2", url="https://e.org/b"), a_page(id="3")]
    assert [type(made).__name__ for made in extract(pages)] == ["Article", "Rejected", "Article"]


@pytest.mark.parametrize(
    "line",
    [
        "<p>By Ann Lee</p>", "<p>March 4, 2026 // 8 min read</p>", "<p>Last updated: 4 March 2026</p>", "<p>Ann Lee</p>",
        "<p>Read more: The northern crossing and its history</p>", "<p>[Related: How bridges are repaired]</p>",
        "<p>Disclosure: We may earn a commission from affiliate links.</p>",
    ],
)  # fmt: skip
def test_who_wrote_it_and_when_and_what_leads_elsewhere_are_no_part_of_the_text(line: str) -> None:
    said = line.removeprefix("<p>").removesuffix("</p>").strip("[]")
    assert said not in article_of(a_page(before=line)).text
    assert said not in article_of(a_page(after=line)).text


def test_other_articles_at_the_end_are_no_part_of_it_and_links_within_a_paragraph_are() -> None:
    cards = "".join(
        f"<div><p><a href='/{n}'>The town of Port Ellen plans another bridge</a></p><p>Plans number {n} were shown to the council.</p></div>"
        for n in range(3)
    )
    text = article_of(a_page(after=cards)).text
    assert "another bridge" not in text
    assert "Plans number" not in text
    linked = "<p>The harbour office <a href='/x'>published its report on the bridge in full</a> on Monday evening.</p>"
    assert "published its report on the bridge in full" in article_of(a_page(linked)).text


def test_the_heading_that_readers_see_is_the_title_before_one_made_for_search_engines() -> None:
    page = Page(
        id="1",
        url="https://harbour.example/bridge",
        html="<html><head><title>Bridge closing 2026 Port Ellen: dates and costs | The Harbour Post</title></head><body>"
        "<h1>Port Ellen closes its oldest bridge</h1>" + "".join(f"<p>{p}</p>" for p in PARAGRAPHS) + "</body></html>",
    )
    assert article_of(page).title == "Port Ellen closes its oldest bridge"


def test_a_byline_in_pieces_gives_its_names_and_the_publisher_is_no_author() -> None:
    byline = "<p>By <a href='/authors/ann-lee'>Ann Lee</a> and <a href='/authors/bo-hu'>Bo Hu</a></p>"
    head = "<title>Port Ellen closes its oldest bridge</title><meta property='og:site_name' content='The Harbour Post'><meta name='author' content='The Harbour Post'>"
    body = "".join(f"<p>{p}</p>" for p in PARAGRAPHS)
    page = Page(
        id="1",
        url="https://harbour.example/bridge",
        html=f"<html><head>{head}</head><body><h1>Port Ellen closes its oldest bridge</h1>{byline}{body}</body></html>",
    )
    assert article_of(page).authors == ("Ann Lee", "Bo Hu")
