"""Asking a source for what is new, and a page for its text."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from broadsheet.errors import FetchError, TooLarge
from broadsheet.sources.fetch import Fetched, Unchanged, decode, fetch, fetch_page, is_html
from broadsheet.sources.net import Limits, Response
from tests.builders import a_source
from tests.sources.loopback import RSS, a_client, says, serving


def test_what_a_source_says_of_itself_is_kept():
    async def story():
        feed = says(
            RSS,
            Content_Type="application/rss+xml",
            ETag='W/"7"',
            Last_Modified="yesterday-ish",
            Cache_Control="max-age=600",
        )
        async with serving({"/old": says(status=301, Location="/feed"), "/feed": feed}) as site, a_client() as client:
            answer = await fetch(a_source(f"{site}/old"), client)
            assert answer == Fetched(
                body=RSS,
                url=f"{site}/feed",
                content_type="application/rss+xml",
                etag='W/"7"',
                last_modified="yesterday-ish",  # no date, but it is the server's, and goes back as it came
                permanent_url=f"{site}/feed",
                max_age=timedelta(minutes=10),
            )

    asyncio.run(story())


def test_asked_again_with_its_own_words_it_says_unchanged():
    async def story():
        async def feed(request: web.Request) -> web.Response:
            if request.headers.get("If-None-Match") == 'W/"7"':
                return web.Response(status=304)
            return web.Response(body=RSS, headers={"ETag": 'W/"7"'})

        async with serving(feed) as site, a_client() as client:
            source = a_source(f"{site}/feed")
            first = await fetch(source, client)
            again = await fetch(replace(source, etag=first.etag, last_modified=first.last_modified), client)
        assert isinstance(first, Fetched)
        assert again == Unchanged(url=f"{site}/feed", etag='W/"7"')  # what a 304 leaves unsaid stays as it was

    asyncio.run(story())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says(status=304), "never read before"),
        (says(b""), "nothing at all"),
        (says(b"  \n"), "nothing at all"),
        (says("<!DOCTYPE html><html><body>Hello</body></html>", Content_Type="application/rss+xml"), "a web page now"),
        (says(status=410), "gone for good"),
    ],
)
def test_what_is_no_answer_is_an_error_with_a_sentence(answer, said):
    async def story():
        async with serving(answer) as site, a_client() as client:
            with pytest.raises(FetchError) as caught:
                await fetch(a_source(f"{site}/feed"), client)
        assert said in caught.value.reason

    asyncio.run(story())


def test_a_login_page_in_place_of_a_feed_never_moves_the_source():
    async def story():
        pages = {"/feed": says(status=301, Location="/login"), "/login": says("<html>Sign in</html>")}
        async with serving(pages) as site, a_client() as client:
            with pytest.raises(FetchError):
                await fetch(a_source(f"{site}/feed"), client)

    asyncio.run(story())


def test_a_feed_larger_than_the_limit_says_so():
    async def story():
        async with serving(says(RSS * 100)) as site, a_client(limits=Limits(max_bytes=1000)) as client:
            with pytest.raises(TooLarge):
                await fetch(a_source(f"{site}/feed"), client)

    asyncio.run(story())


def test_a_source_that_is_a_page_may_be_html():
    async def story():
        async with serving(says("<html>News</html>")) as site, a_client() as client:
            assert isinstance(await fetch(a_source(f"{site}/", kind="page"), client), Fetched)

    asyncio.run(story())


def test_a_page_comes_as_text_whatever_its_encoding():
    async def story():
        pages = {
            "/utf8": says("<p>naïve €</p>".encode(), Content_Type="text/html; charset=iso-8859-1"),  # mislabelled
            "/latin": says("<p>naïve €</p>".encode("cp1252"), Content_Type="text/html; charset=iso-8859-1"),
            "/meta": says('<meta charset="windows-1251"><p>Новости</p>'.encode("cp1251"), Content_Type="text/html"),
            "/utf16": says("<p>naïve €</p>".encode("utf-16"), Content_Type="text/html"),
            "/odd": says("<p>naïve €</p>".encode("cp1252"), Content_Type="text/html; charset=punycode"),
        }
        async with serving(pages) as site, a_client() as client:
            for path in ("/utf8", "/latin", "/utf16", "/odd"):
                assert (await fetch_page(site + path, client)).html == "<p>naïve €</p>"
            assert "Новости" in (await fetch_page(f"{site}/meta", client)).html

    asyncio.run(story())


def test_what_is_no_page_is_named():
    async def story():
        async with serving(says(b"%PDF-1.7", Content_Type="application/pdf")) as site, a_client() as client:
            with pytest.raises(FetchError) as caught:
                await fetch_page(f"{site}/x.pdf", client)
        assert "application/pdf" in caught.value.reason

    asyncio.run(story())


@pytest.mark.parametrize("label", ["punycode", "unicode_escape", "zip", "no-such", "idna", "utf-16", "utf8"])
def test_no_label_breaks_decoding(label):
    answer = Response(url="u", status=200, headers={"Content-Type": f"text/html; charset={label}"}, body=b"\xe9\x00abc")
    assert "abc" in decode(answer) or label == "utf-16"


def test_a_page_is_told_from_a_feed_by_how_it_begins():
    assert is_html(b"\xef\xbb\xbf\n<!-- hello -->\n<!DOCTYPE HTML>")
    assert is_html(b"<html>")
    assert not is_html(RSS)
    assert not is_html(b'<?xml version="1.0"?><!-- <html> --><rss/>')
    assert not is_html(b"{}")


def test_a_validator_that_could_not_be_sent_back_is_not_kept():
    async def story():
        async with serving(says(RSS, ETag="x" * 5000)) as site, a_client() as client:
            assert (await fetch(a_source(f"{site}/"), client)).etag == ""

    asyncio.run(story())
