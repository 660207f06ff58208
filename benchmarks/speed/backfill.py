"""What the grouping job costs: a backfill beside deciding alone, one more article in a large story, and a long archive.

    python benchmarks/speed/backfill.py [ITEMS]

- `over_deciding`: the job on 1,500 feed items (those of `grouping.py`) in a SQLite store, over the pure decisions which story
  each belongs to, in the same run. The rest is describing stories, their threads, and the store.
- `deciding_over_one_pass`: those decisions, the latest articles being decided again, over one pass alone;
  `one_by_one_over_together`: one pass with each article asked about on its own, over one in which they come together.
- `one_more_800_over_400`: one more article for a story of 800, made of the bundled Wikinews texts, over one for a story of
  400; `anew_over_one_more`: describing the story of 400 without what is remembered of its articles.
- `archive_over_none`: the job on 200 of the items with 20,000 closed stories of two articles in the store, over the same
  without them.

Times are this thread's own processor time. Prints one JSON object.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from grouping import items
from sqlalchemy import Engine
from timelines import story

from broadsheet import config, store
from broadsheet.articles.enrich import Enrichment, enrich
from broadsheet.articles.entities import Recognition
from broadsheet.jobs.grouping import Grouper, opening
from broadsheet.model import Article, ArticleId, Entity, Story, StoryId, bytes_of, identify
from broadsheet.stories.cluster import OpenStories
from broadsheet.stories.describe import describe, reading
from broadsheet.stories.refine import grouped
from broadsheet.stories.regrouping import begun_by

JUNE, ITEMS = datetime(2023, 7, 1, tzinfo=UTC), 1_500
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
MORE = 15  # articles that come to a large story, one at a time
CLOSED = 20_000


def save(db: Engine, articles: Sequence[Article]) -> None:
    with db.begin() as c:
        for start in range(0, len(articles), 500):
            store.articles.save(c, articles[start : start + 500])


class Paper:
    """A store of its own, and who groups in it."""

    def __init__(self, folder: str, name: str, now: datetime) -> None:
        address = f"sqlite:///{folder}/{name}.sqlite"
        settings = config.load(None, {}, database=address, as_of=now.isoformat(), live=timedelta(days=31))
        self.db, self.now = store.open(address), settings.now()
        self.grouper = Grouper(self.db, settings, f"{name}/1/0")

    def group(self, articles: Sequence[Article]) -> float:
        save(self.db, articles)
        begin = time.thread_time()
        self.grouper.run(self.now)
        return time.thread_time() - begin


def backfill(folder: str, articles: Sequence[Article]) -> tuple[float, float, float, float]:
    """Seconds of the job, of its decisions alone, and of one pass, which decides about each article once: of all that
    come together, and of each on its own."""
    paper = Paper(folder, "backfill", JUNE)
    whole = paper.group(articles)
    with paper.db.connect() as c:
        assert store.articles.counts(c) == (len(articles), 0)
    by_id = {article.id: article for article in articles}
    decided, once, alone = OpenStories(), OpenStories(), OpenStories()
    begin = time.thread_time()
    for some in decided.turns(articles):
        decided.assign_all(some)
        if again := decided.unsettled():
            decided.settle([by_id[id_] for id_ in again], grouped)
    deciding = time.thread_time() - begin
    begin = time.thread_time()
    once.assign_all(articles)
    one_pass = time.thread_time() - begin
    begin = time.thread_time()
    for article in articles:
        alone.assign(article)
    return whole, deciding, one_pass, time.thread_time() - begin


def event(many: int) -> list[Article]:
    """Reports of one event: each has five sentences of its own with all others, and has names and a direction in common."""
    rng = np.random.default_rng(7)
    way = rng.normal(size=256)
    shared = story(1, 25)[0]
    return [
        replace(
            article,
            id=ArticleId(identify("report", str(n))),
            title=shared.title,
            text=f"{shared.text}\n{article.text}",
            publisher=f"Paper {n}",
            published=MARCH + timedelta(minutes=10 * n),
            first_seen=MARCH,
            language="en",
            entities=tuple(Entity(text=f"Name {k}", type="person", count=2) for k in range(12)),
            vector=bytes_of(way + 0.2 * rng.normal(size=256)),
            vector_model="made",
        )
        for n, article in enumerate(story(many, 5))
    ]


def one_more(folder: str, many: int) -> tuple[float, float]:
    """Seconds for one more article in a story of so many, and for describing that story anew."""
    reports = event(many + MORE)
    paper = Paper(folder, f"event{many}", MARCH + timedelta(days=20))
    save(paper.db, reports[:many])
    own = begun_by(reports[0].id)
    with paper.db.begin() as c:
        store.articles.place(c, [(a.id, own, None) for a in reports[:many]])
    taken = [paper.group([report]) for report in reports[many:]]
    with paper.db.connect() as c:
        [told] = store.stories.live(c, MARCH)
    assert len(told.articles) == many + MORE, "the reports are no longer grouped as one story"
    begin = time.thread_time()
    describe(own, reports, reading(opening))
    return min(taken[3:]), time.thread_time() - begin


def closed(db: Engine) -> None:
    """Stories of long ago, of two articles each."""
    long_ago = JUNE - timedelta(days=900)
    for start in range(0, CLOSED, 1000):
        made: list[tuple[Article, StoryId]] = []
        for n in range(start, start + 1000):
            when = long_ago + timedelta(minutes=10 * n)
            for part in "ab":
                id_ = ArticleId(identify("old", str(n), part))
                text = f"What happened on day {n // 144} was told in report {n}. It said little."
                article = Article(
                    id=id_, url=f"https://example.org/{id_}", title=f"Report {n}", text=text, published=when
                )
                made.append((replace(article, first_seen=when), StoryId(identify("old story", str(n)))))
        save(db, [article for article, _ in made])
        with db.begin() as c:
            store.articles.place(c, [(article.id, story_, None) for article, story_ in made])
            store.stories.save(
                c,
                [
                    Story(
                        id=story_, headline=a.title, articles=(a.id, b.id), publishers=("Paper",),
                        first_seen=a.time or JUNE, last_seen=b.time or JUNE, lead=a.id,
                    )
                    for (a, story_), (b, _) in zip(made[::2], made[1::2], strict=True)
                ],
            )  # fmt: skip


def main(most: int) -> None:
    light = Enrichment(entities=Recognition(recogniser="capitals"))
    articles = [replace(a, first_seen=JUNE) for a in enrich(items(most), light)]
    figures: dict[str, float] = {"items": len(articles)}
    with tempfile.TemporaryDirectory() as folder:
        warm = Paper(folder, "warm", JUNE)  # loads what is loaded once
        warm.group(articles[:50])
        whole, deciding, once, one_by_one = backfill(folder, articles)
        figures |= {
            "articles_per_s": len(articles) / whole,
            "over_deciding": whole / deciding,
            "deciding_over_one_pass": deciding / once,
            "one_by_one_over_together": one_by_one / once,
        }
        one_more(folder, 60)
        (large, anew), (larger, _) = one_more(folder, 400), one_more(folder, 800)
        figures |= {
            "one_more_ms": 1000 * large,
            "one_more_800_over_400": larger / large,
            "anew_over_one_more": anew / large,
        }
        none, archive = Paper(folder, "none", JUNE), Paper(folder, "archive", JUNE)
        closed(archive.db)
        few = articles[:200]
        Paper(folder, "again", JUNE).group(few)
        before, after = none.group(few), archive.group(few)
        figures["archive_over_none"] = after / before
    print(json.dumps({name: round(figure, 3) for name, figure in figures.items()}))


if __name__ == "__main__":
    main(next((int(word) for word in sys.argv[1:] if word.isdigit()), ITEMS))
