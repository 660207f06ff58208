"""The store against bare SQLite and the disk: saving and finding articles, reading live stories, claiming work.

Prints one JSON object. `--articles` and `--stories` set the size.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from broadsheet import store
from broadsheet.model import (
    Article,
    ArticleId,
    Entity,
    Entry,
    EntryId,
    Moment,
    Passage,
    SourceId,
    Story,
    StoryId,
    Topic,
    bytes_of,
    identify,
)

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def words(rng: random.Random, count: int) -> str:
    # Words as common as in a language: rank r with weight 1/r.
    return " ".join(f"w{int(30000 ** rng.random())}" for _ in range(count))


def articles(count: int, rng: random.Random) -> list[Article]:
    vector = bytes_of(np.zeros(256))
    return [
        Article(
            id=ArticleId(identify("a", str(n))), url=f"https://example.org/{n}", title=words(rng, 9), text=words(rng, 350),
            publisher=f"Paper {n % 500}", source=SourceId(str(n % 500)), published=NOW - timedelta(minutes=n),
            first_seen=NOW, language="en", vector=vector, fingerprint=bytes(512),
            entities=tuple(Entity(text=f"Name {rng.randrange(5000)}", type="person") for _ in range(8)),
            topics=(Topic(id="04000000", label="economy"),),
        )
        for n in range(count)
    ]  # fmt: skip


def stories(count: int, rng: random.Random) -> list[Story]:
    vector = bytes_of(np.zeros(256))
    made = []
    for n in range(count):
        ids = tuple(ArticleId(identify("a", str(n), str(m))) for m in range(3))
        made.append(
            Story(
                id=StoryId(identify("s", str(n))), headline=words(rng, 9), articles=ids, publishers=("A", "B", "C"),
                first_seen=NOW - timedelta(hours=9), last_seen=NOW - timedelta(minutes=n), sources=(SourceId("1"),),
                key_points=tuple(Passage(article=i, text=words(rng, 20), start=0, end=99) for i in ids),
                timeline=(Moment(date=NOW, sentence=words(rng, 20), article=ids[0]),),
                entities=tuple(Entity(text=f"Name {k}", type="person") for k in range(8)),
                topics=(Topic(id="04000000", label="economy"),), vector=vector, lead=ids[0],
            )
        )  # fmt: skip
    return made


def took(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def bare(path: Path, rows: list[Article]) -> float:
    """The same words and search index through the driver alone: what SQLite itself costs."""
    db = sqlite3.connect(path)
    db.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "CREATE TABLE a (n INTEGER PRIMARY KEY, id TEXT UNIQUE, url TEXT, title TEXT, vector BLOB, text TEXT);"
        "CREATE VIRTUAL TABLE f USING fts5 (title, text, content='a', content_rowid='n', tokenize='porter unicode61');"
    )

    def write() -> None:
        for start in range(0, len(rows), 500):
            with db:
                batch = [
                    (start + k, a.id, a.url, a.title, a.vector, a.text) for k, a in enumerate(rows[start : start + 500])
                ]
                db.executemany("INSERT INTO a VALUES (?,?,?,?,?,?)", batch)
                db.executemany("INSERT INTO f (rowid, title, text) VALUES (?,?,?)", [(r[0], r[3], r[5]) for r in batch])

    spent = took(write)
    db.close()
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--stories", type=int, default=20_000)
    given = parser.parse_args()
    rng = random.Random(1)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = store.open(f"sqlite:///{folder}/store.sqlite")
        rows = articles(given.articles, rng)

        def save() -> None:
            for start in range(0, len(rows), 500):
                with engine.begin() as db:
                    store.articles.save(db, rows[start : start + 500])

        mine, theirs = took(save), bare(Path(folder) / "bare.sqlite", rows)
        figures["articles_saved_per_s"] = len(rows) / mine
        figures["bare_sqlite_saved_per_s"] = len(rows) / theirs
        figures["saving_against_bare_sqlite"] = mine / theirs

        with engine.connect() as db:
            asked = [f"w{int(30000 ** rng.random())} w{int(300 ** rng.random())}" for _ in range(60)]
            times = [took(lambda q=q: store.search.search(db, q, 20)) for q in asked]  # type: ignore[misc]
            figures["search_ms_median"] = statistics.median(times) * 1000
            figures["search_ms_p95"] = statistics.quantiles(times, n=20)[-1] * 1000
            ids = [rng.choice(rows).id for _ in range(300)]
            figures["article_by_id_us_median"] = (
                statistics.median(took(lambda i=i: store.articles.get(db, i)) for i in ids) * 1e6
            )  # type: ignore[misc]
            figures["latest_50_ms_median"] = (
                statistics.median(took(lambda: store.articles.latest(db, 50)) for _ in range(20)) * 1000
            )

        entries = [
            Entry(
                id=EntryId(str(n)), source=SourceId("s"), guid=str(n), url=f"https://e/{n}", title="t", content=a.text
            )
            for n, a in enumerate(rows)
        ]
        with engine.begin() as db:
            figures["entries_saved_per_s"] = len(entries) / took(lambda: store.entries.save_new(db, entries, NOW))

        def drain() -> None:
            while True:
                with engine.begin() as db:
                    mine = store.entries.claim(db, NOW, "w", timedelta(minutes=5), 50)
                if not mine:
                    return
                with engine.begin() as db:
                    store.entries.done(db, [e.id for e in mine])

        figures["entries_claimed_and_done_per_s"] = len(entries) / took(drain)

        told = stories(given.stories, rng)
        with engine.begin() as db:
            figures["stories_saved_per_s"] = len(told) / took(lambda: store.stories.save(db, told))
        with engine.connect() as db:
            figures["live_stories_read_s"] = took(
                lambda: sum(1 for _ in store.stories.live(db, NOW - timedelta(days=60)))
            )
            figures["changed_since_us"] = took(lambda: store.stories.changed_since(db, store.stories.version(db))) * 1e6
        engine.dispose()
    figures["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
