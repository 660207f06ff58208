import asyncio

import aiohttp
import feedparser
import pytest

from broadsheet.demo.corpus import Channel, Item
from broadsheet.demo.server import FORMATS, FeedServer, atom, json_feed, path_of, rss
from broadsheet.model import SourceId
from broadsheet.sources.formats import parse
from tests.builders import NOON

ITEM = Item(
    url="https://example.org/1",
    title="Tea & <biscuits>",
    html="<p>Both \x00are back.</p>",
    published=NOON,
    licence="CC0",
)
CHANNEL = Channel(title="The Example", homepage="https://example.org/", items=(ITEM,))


@pytest.mark.parametrize("write", [rss, atom])
def test_what_is_served_is_read_back_by_an_independent_parser(write):
    read = feedparser.parse(write(CHANNEL))
    assert not read.bozo
    assert read.feed.title == "The Example"
    (entry,) = read.entries
    assert entry.title == "Tea &amp; &lt;biscuits&gt;" or entry.title == "Tea & <biscuits>"
    assert entry.link == ITEM.url
    assert "Both are back." in entry.content[0].value


@pytest.mark.parametrize("write", [rss, atom, json_feed])
def test_what_is_served_is_read_by_our_own_parser_licence_and_all(write):
    parsed = parse(write(CHANNEL), url="http://127.0.0.1/feed", source=SourceId("s"))
    (entry,) = parsed.entries
    assert (entry.url, entry.title, entry.published, entry.rights) == (ITEM.url, ITEM.title, NOON, "CC0")


def test_all_three_formats_are_in_use():
    kinds = {
        path_of(Channel(title=f"Paper {n}", homepage="https://example.org/", items=())).rsplit(".", 1)[1]
        for n in range(50)
    }
    assert kinds == set(FORMATS)


def test_a_known_etag_is_answered_304_until_something_is_published():
    async def story() -> None:
        async with FeedServer([CHANNEL]) as server, aiohttp.ClientSession() as client:
            (address,) = server.addresses
            async with client.get(address) as first:
                etag = first.headers["ETag"]
            async with client.get(address, headers={"If-None-Match": etag}) as second:
                assert second.status == 304
            server.replace([Channel(title="The Example", homepage="https://example.org/", items=())])
            async with client.get(address, headers={"If-None-Match": etag}) as third:
                assert third.status == 200
            assert (server.requests, server.unchanged) == (3, 1)

    asyncio.run(story())
