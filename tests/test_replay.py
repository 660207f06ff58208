"""Real dirt, replayed: a stream of real feed items served as feeds on loopback and read in as any source is."""

from __future__ import annotations

import asyncio
import json
import lzma
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from broadsheet import config, jobs, store
from broadsheet.articles.enrich import Enrichment
from broadsheet.demo.corpus import Channel, Item
from broadsheet.demo.run import add_sources
from broadsheet.demo.server import FeedServer

pytestmark = pytest.mark.data
ITEMS = 600
AT = datetime(2023, 6, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def channels(data: Path) -> list[Channel]:
    items: dict[str, dict[str, Item]] = defaultdict(dict)
    with lzma.open(data / "streams" / "rss-2023-06.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in islice(lines, ITEMS):
            d = json.loads(line)
            at = datetime.fromisoformat(d["published"])
            items[d["feed"]][d["link"]] = Item(
                url=d["link"], title=d["title"], html=d["description"] or "", published=at
            )
    return [Channel(title=feed, homepage=feed, items=tuple(found.values())) for feed, found in items.items()]


def test_a_replayed_stream_is_accounted_for_item_by_item_and_read_once(tmp_path: Path, channels: list[Channel]):
    settings = config.load(
        None, {}, database=f"sqlite:///{tmp_path}/replay.sqlite", as_of=AT.isoformat(), live=timedelta(days=30),
        allow_addresses=("127.0.0.1/32",), fetch_per_host=16, engine="serial",
    )  # fmt: skip
    engine = store.open(settings.database)
    # Names are left out: they say nothing of what is tested here, and their model is the slow one.
    enrichment = Enrichment(entities=None)

    async def replay() -> tuple[jobs.Done, jobs.Done, int]:
        async with FeedServer(channels) as server:
            add_sources(engine, server.addresses, settings)
            first = await jobs.refresh(engine, settings, enrichment=enrichment)
            with engine.begin() as db:  # as if their time had come again
                for source in store.sources.all(db):
                    store.sources.save(db, replace(source, next_fetch=AT))
            again = await jobs.refresh(engine, settings, enrichment=enrichment)
            return first, again, server.unchanged

    _, again, unchanged = asyncio.run(replay())
    announced = sum(len(channel.items) for channel in channels)
    with engine.connect() as db:
        ids = [jobs.article_id(item.url) for channel in channels for item in channel.items]
        known = {article.id for article in store.articles.many(db, ids)}
        dropped = {row.rejected.subject for row in store.rejections.latest(db, 10_000)}
        articles, ungrouped = store.articles.counts(db)
        entries = store.entries.counts(db)
        stories = list(store.stories.live(db, AT - timedelta(days=30)))
        grouped = sum(len(story.articles) for story in stories)
    assert entries.total == announced
    assert (entries.waiting, ungrouped) == (0, 0)
    # Two feeds may announce one address: it is one article. What is no article says why.
    unread = [item.url for channel in channels for item in channel.items if jobs.article_id(item.url) not in known]
    assert set(unread) <= dropped
    assert articles > 0.9 * announced
    assert 0 < len(stories) < articles
    assert grouped <= articles
    assert again.articles == again.rejected == 0
    assert unchanged == len(channels)
    assert max(len(story.articles) for story in stories) < 40  # nothing has run together
