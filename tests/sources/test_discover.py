"""From what a person types to what can be read."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.sources.discover import discover, to_url
from tests.sources.loopback import RSS, AddressPolicy, a_client, says, serving

ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Atomic</title><id>u</id><updated>2026-08-01T10:00:00Z</updated>
<entry><title>E</title><id>e</id><link href="https://example.org/e"/><updated>2026-08-01T10:00:00Z</updated></entry></feed>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Jay",
        "items": [{"id": "1", "url": "https://example.org/1", "title": "T"}],
    }
)
SITEMAP = b"""<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>https://example.org/a</loc><n:news><n:publication><n:name>P</n:name><n:language>en</n:language></n:publication>
<n:publication_date>2026-08-01T10:00:00Z</n:publication_date><n:title>A title</n:title></n:news></url></urlset>"""


def page(head: str = "", body: str = "<p>Welcome</p>") -> web.Response:
    return says(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>", Content_Type="text/html")


def look(pages, path="/", policy=None):
    """What is found at `path`, with this site's address cut off, and the message."""

    async def story():
        seen: list[web.Request] = []
        async with serving(pages, seen) as site, a_client(*([policy] if policy else []), per_host=8) as client:
            result = await discover(site + path, client)
        found = [(f.url.removeprefix(site), f.title, f.kind, f.entries) for f in result.found]
        return found, result.message.replace(site, ""), result.page, [request.path_qs for request in seen]

    return asyncio.run(story())


def link(href: str, kind: str = "application/rss+xml", title: str = "") -> str:
    return f'<link rel="alternate" type="{kind}" href="{href}" title="{title}">'


@pytest.mark.parametrize(
    ("body", "kind", "title"),
    [(RSS, "rss", "Daily News"), (ATOM, "atom", "Atomic"), (JSON_FEED, "json", "Jay"), (SITEMAP, "news sitemap", "")],
)
def test_the_address_of_a_feed_is_that_feed(body, kind, title):
    found, message, _, seen = look({"/x": says(body)}, "/x")
    assert [(f[0], f[2], f[3]) for f in found] == [("/x", kind, 1)]
    assert message.startswith("This is a feed: ")
    assert title in message
    assert seen == ["/x"]


def test_what_the_page_announces_is_found_and_nothing_else_is_asked():
    head = link("/a.xml") + link("b.json", "application/feed+json") + link("/style", "text/css")
    found, message, read, seen = look(
        {"/news/": page(head), "/a.xml": says(RSS), "/news/b.json": says(JSON_FEED)}, "/news/"
    )
    assert found == [("/a.xml", "Daily News", "rss", 1), ("/news/b.json", "Jay", "json", 1)]
    assert message == "The site has 2 feeds."
    assert read is None
    assert sorted(seen) == ["/a.xml", "/news/", "/news/b.json"]


def test_relative_addresses_follow_the_pages_own_base():
    head = '<base href="/deep/">' + link("feed")
    assert look({"/": page(head), "/deep/feed": says(RSS)})[0][0][0] == "/deep/feed"


def test_feeds_of_comments_are_left_out_unless_there_is_no_other():
    head = link("/comments/feed", title="Comments") + link("/feed")
    pages = {"/": page(head), "/feed": says(RSS), "/comments/feed": says(RSS)}
    assert [f[0] for f in look(pages)[0]] == ["/feed"]
    assert [f[0] for f in look({"/": page(link("/comments/feed")), "/comments/feed": says(RSS)})[0]] == [
        "/comments/feed"
    ]


def test_an_announced_feed_that_is_none_does_not_count():
    pages = {"/": page(link("/broken") + link("/html")), "/html": page(), "/rss.xml": says(RSS)}
    assert [f[0] for f in look(pages)[0]] == ["/rss.xml"]


def test_links_of_the_page_are_tried_when_nothing_is_announced():
    body = (
        '<a href="/about">About</a><a href="/out/latest.rss">Latest</a><a href="#rss">x</a><a href="mailto:rss@x">y</a>'
    )
    found, _, _, seen = look({"/": page(body=body), "/out/latest.rss": says(RSS)})
    assert [f[0] for f in found] == ["/out/latest.rss"]
    assert "/about" not in seen


@pytest.mark.parametrize("path", ["/feed", "/rss", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json", "/?feed=rss2"])
def test_the_usual_places_are_tried(path):
    pages = {"/": page(), path: says(RSS)}
    pages = {"/": page(), path: says(RSS)} if path != "/?feed=rss2" else {path: says(RSS), "/": page()}
    assert [f[0] for f in look(pages)[0]] == [path]


def test_the_sitemaps_that_robots_txt_names_come_last_and_those_of_news_first():
    robots = says("User-agent: *\nSitemap: /all.xml\nSitemap: /news-sitemap.xml\n")
    found, message, _, _ = look({"/": page(), "/robots.txt": robots, "/news-sitemap.xml": says(SITEMAP)})
    assert found[0][0] == "/news-sitemap.xml"
    assert "sitemap" in message


def test_an_index_of_sitemaps_is_opened():
    index = """<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>/old.xml</loc></sitemap>
    <sitemap><loc>/news.xml</loc></sitemap></sitemapindex>"""
    robots = says("Sitemap: /index-of-all")
    found, _, _, _ = look(
        {"/": page(), "/robots.txt": robots, "/index-of-all": says(index), "/news.xml": says(SITEMAP)}
    )
    assert [(f[0], f[2]) for f in found] == [("/news.xml", "news sitemap")]


ARTICLE = page('<meta property="og:type" content="article"><title>T</title>' + link("/feed"), "<p>Text</p>")


def test_an_article_is_given_to_be_read_and_its_sites_feeds_with_it():
    found, message, read, _ = look({"/2026/story": ARTICLE, "/feed": says(RSS)}, "/2026/story")
    assert "article, which can be read on its own; its site also has a feed" in message
    assert read is not None
    assert "<p>Text</p>" in read.html
    assert len(found) == 1


def test_an_article_without_a_feed_is_still_an_article():
    long = page(body="".join(f"<p>{'word ' * 60}</p>" for _ in range(8)))
    found, message, read, _ = look({"/2026/story": long}, "/2026/story")
    assert found == []
    assert read is not None
    assert "no feed that could be found" in message


def test_where_nothing_is_found_the_message_says_where_was_looked_and_what_to_try():
    found, message, read, _ = look({"/": page()})
    assert (found, read) == ([], None)
    assert "No feed was found" in message
    assert "RSS" in message


def test_a_guarded_page_with_an_open_feed_is_got_round():
    found, message, _, _ = look(
        {"/": says("Just a moment...", status=403, Content_Type="text/html"), "/feed": says(RSS)}
    )
    assert [f[0] for f in found] == ["/feed"]
    assert "can't be read" in message


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says(status=404), "nothing at this address"),
        (says(b"%PDF", Content_Type="application/pdf"), "neither a page nor a feed but application/pdf"),
        (says(b"", Content_Type="text/html"), "without anything in it"),
        (says("Just a moment...", status=403, Content_Type="text/html"), "human"),
    ],
)
def test_what_can_not_be_read_is_said(answer, said):
    found, message, _, _ = look({"/": answer})
    assert found == []
    assert said in message


def test_a_private_address_is_refused_in_words():
    found, message, _, _ = look({"/": page()}, policy=AddressPolicy())
    assert found == []
    assert "allow_addresses" in message


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("example.org", "https://example.org"),
        (" example.org/news ", "https://example.org/news"),
        ("http://example.org", "http://example.org"),
        ("HTTPS://Example.org", "HTTPS://Example.org"),
        ("feed:https://example.org/rss", "https://example.org/rss"),
        ("feed://example.org/rss", "https://example.org/rss"),
        ("//example.org", "https://example.org"),
        ("<https://example.org>", "https://example.org"),
        ("example.org:8080/x", "https://example.org:8080/x"),
        ("localhost:8000", "https://localhost:8000"),
        ("bücher.example", "https://bücher.example"),
        ("ftp://example.org", None),
        ("javascript:alert(1)", None),
        ("mailto:a@example.org", None),
        ("the daily planet", None),
        ("planet", None),
        ("", None),
        ("https://", None),
        ("http://[::1", None),
        ("example.org:99999", None),
    ],
)
def test_an_address_is_read_as_people_write_it(typed, meant):
    assert to_url(typed) == meant


@given(st.text(max_size=60))
def test_nothing_that_is_typed_is_too_odd(typed):
    assert to_url(typed) is None or to_url(typed).lower().startswith("http")


def test_without_a_scheme_http_is_tried_where_https_does_not_answer():
    async def story():
        async with serving({"/": says(RSS)}) as site, a_client() as client:
            result = await discover(site.removeprefix("http://"), client)
            assert result.found[0].url == f"{site}/".removesuffix("/")
            assert (await discover(site.replace("http:", "https:"), client)).found == ()

    asyncio.run(story())


def test_a_feed_that_moved_for_good_is_given_at_its_new_address():
    pages = {"/": page(link("/old") + link("/moving")), "/old": says(status=301, Location="/new"), "/new": says(RSS)}
    pages |= {"/moving": says(status=302, Location="/today"), "/today": says(ATOM)}
    assert [f[0] for f in look(pages)[0]] == ["/new", "/moving"]


def test_a_page_full_of_traps_is_asked_only_so_much():
    body = (
        "".join(f'<a href="/rss/{n}">RSS</a>' for n in range(5000))
        + '<a href="http://[::1">RSS</a><a href="//[">feed</a>'
    )
    found, _, _, seen = look(
        {"/": page(link("javascript:alert(1)") + link("file:///etc/passwd") + '<base href="data:,x">', body)}
    )
    assert found == []
    assert len(seen) < 40
