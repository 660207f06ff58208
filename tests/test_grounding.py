"""The law of this house: every sentence that is shown stands word for word in an article that is kept here.

Held over the bundled news and over a stream of real feed items, read in as any source is.
"""

from __future__ import annotations

import asyncio
import json
import lzma
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from broadsheet import config, jobs, store
from broadsheet.articles.enrich import Enrichment
from broadsheet.demo.corpus import AS_OF, Channel, Item
from broadsheet.demo.corpus import channels as bundled
from broadsheet.demo.run import add_sources
from broadsheet.demo.server import FeedServer
from broadsheet.model import Article, ArticleId, Event, StoryId
from broadsheet.reading import Newsstand, StoryPage
from tests.builders import a_reader

STREAM_AT = datetime(2023, 6, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class News:
    at: datetime
    channels: Callable[[], list[Channel]]


def the_stream(data: Path) -> list[Channel]:
    items: dict[str, dict[str, Item]] = defaultdict(dict)
    with lzma.open(data / "streams" / "rss-2023-06.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in islice(lines, 500):
            d = json.loads(line)
            at = datetime.fromisoformat(d["published"])
            items[d["feed"]][d["link"]] = Item(
                url=d["link"], title=d["title"], html=d["description"] or "", published=at
            )
    return [Channel(title=feed, homepage=feed, items=tuple(found.values())) for feed, found in items.items()]


@pytest.fixture(scope="module", params=["bundled news", pytest.param("a stream", marks=pytest.mark.data)])
def stand(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsstand]:
    """A paper read in from real news, and a reader of it who opened every story when half of it was known."""
    if request.param == "bundled news":
        at, channels = AS_OF, bundled(AS_OF - timedelta(days=4), archive=2)
    else:
        at, channels = STREAM_AT, the_stream(request.getfixturevalue("data"))
    settings = config.load(
        None, {}, database=f"sqlite:///{tmp_path_factory.mktemp('ground')}/news.sqlite", as_of=at.isoformat(),
        live=timedelta(days=4000), allow_addresses=("127.0.0.1/32",), fetch_per_host=16, engine="serial",
    )  # fmt: skip
    engine = store.open(settings.database)

    async def read_in() -> None:
        async with FeedServer(channels) as server:
            add_sources(engine, server.addresses, settings)
            await jobs.refresh(engine, settings, enrichment=Enrichment(entities=None))

    asyncio.run(read_in())
    with engine.begin() as db:
        store.readers.add(db, a_reader("Ada", created=at))
    made = Newsstand(engine, settings)
    for story in made.edition().edition.ids:
        made.act("ada", Event(reader=a_reader("Ada").id, kind="opened", at=at - timedelta(days=5000), story=story))
    yield made
    engine.dispose()


def pages(stand: Newsstand) -> Iterator[tuple[StoryPage, dict[ArticleId, Article]]]:
    for id_ in stand.edition().edition.ids:
        page = stand.story("ada", StoryId(id_))
        yield page, {article.id: article for article in page.articles}


def test_every_sentence_on_a_storys_page_is_in_the_article_that_it_links_to(stand: Newsstand) -> None:
    counted: dict[str, int] = defaultdict(int)
    for page, articles in pages(stand):
        assert page.card.headline in {article.title for article in articles.values()}
        for point in page.story.key_points:
            counted["key points"] += 1
            assert articles[point.article].text[point.start : point.end] == point.text
        for shown in page.card.points:  # cut where the headline has said the beginning
            assert shown.text.removeprefix("… ") in articles[shown.article].text
        for moment in page.story.timeline:
            counted["moments"] += 1
            article = articles[moment.article]
            if moment.start is None:
                assert moment.sentence == article.title
            else:
                assert article.text[moment.start : moment.end] == moment.sentence
        for side in page.sides:
            for spoken in side.spoken:
                quote = spoken.quote
                assert articles[quote.article].text[quote.start : quote.end] == quote.content
        with stand.engine.connect() as db:  # what is kept, shown or not
            for article, said in store.quotes.of(db, articles).items():
                for quote in said:
                    counted["quotes"] += 1
                    assert articles[article].text[quote.start : quote.end] == quote.content
        for new in page.news:
            counted["new facts"] += 1
            assert articles[new.article].text[new.start : new.end] == new.text
    assert min(counted[kind] for kind in ("key points", "moments", "quotes", "new facts")) > 2, dict(counted)
    assert counted["key points"] > 100
