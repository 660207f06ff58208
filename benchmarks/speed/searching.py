"""What a search costs in a store, and how much of the disk its index takes.

    python benchmarks/speed/searching.py STORE [--times 100]

STORE is the address of one that `archive.py` made (made-up words, spread as unevenly as real ones). It is only read. `search_…`
is what the store is asked for one page of 30 hits, with the places of the words in each and the sentences that are shown;
`followed_first` is a search that is followed, asked of all live articles; `followed_again` of those that came since. Times in
milliseconds of this process's processor time: median, 95th percentile, and the median by the clock. Bytes are those of the
index alone, and of the words that it is of (a SQLite store only). Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
from archive import NOW, SOURCES, Newsroom
from sqlalchemy import create_engine

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.reading.quoting import quoted

PAGE = 30


def measure(address: str, times: int) -> dict[str, Any]:
    rng, words = random.Random(5), Newsroom().words
    rare = [words[rng.randrange(5_000, 50_000)] for _ in range(times)]
    common = [words[rng.randrange(3, 20)] for _ in range(max(times // 10, 1))]
    asked: dict[str, list[str]] = {
        "rare_word": rare,
        "two_words": [f"{words[rng.randrange(50, 2_000)]} {words[rng.randrange(50, 2_000)]}" for _ in range(times)],
        "two_words_less_a_topic": [
            f"{words[rng.randrange(50, 2_000)]} {words[rng.randrange(50, 2_000)]} -topic:sport -lang:de"
            for _ in range(times)
        ],
        "common_word": common,
        "publisher": [f'publisher:"Publisher {rng.randrange(SOURCES)}"' for _ in range(max(times // 10, 1))],
    }
    # nothing is migrated and nothing written: somebody else may be at it
    engine = create_engine(address, execution_options={"isolation_level": "AUTOCOMMIT"})
    figures: dict[str, Any] = {"database": address.split(":", 1)[0]}
    with engine.connect() as db:
        if db.dialect.name == "sqlite":
            db.exec_driver_sql("PRAGMA query_only = ON")
        figures["articles"] = store.articles.counts(db)[0]
        found = 0

        def page(typed: str) -> None:
            nonlocal found
            found += sum(len(quoted(hit)) for hit in store.search.search(db, typed, PAGE))

        for name, queries in asked.items():
            figures |= took(f"search_{name}", page, queries)
        since, until = NOW - Settings().live, store.search.grouped_until(db)
        figures |= took("followed_first_rare", lambda q: store.search.stories(db, q, since), rare)
        figures |= took("followed_first_common", lambda q: store.search.stories(db, q, since), common)
        figures |= took(
            "followed_again_common", lambda q: store.search.stories(db, q, since, after=until - 1_000), common
        )
        figures["live_since_days"] = round((NOW - since) / timedelta(days=1))
        if db.dialect.name == "sqlite":
            # a 200th of the articles says how long their words are; the index's size is counted whole
            texts = db.exec_driver_sql(
                "SELECT avg(length(CAST(title AS BLOB)) + length(CAST(key_points AS BLOB)) + length(CAST(text AS BLOB))) "
                "FROM articles WHERE number % 200 = 0"
            ).scalar_one()
            index = db.exec_driver_sql("SELECT sum(length(block)) FROM articles_fts_data").scalar_one()
            figures["words_bytes_per_article"] = round(texts)
            figures["index_bytes_per_article"] = round(index / figures["articles"])
            figures["store_bytes_per_article"] = round(store.instance.size(db) / figures["articles"])
    figures["load"] = round(os.getloadavg()[0], 2)
    return figures


def took(name: str, do: Callable[[str], Any], queries: list[str]) -> dict[str, float]:
    do(queries[0])
    spent, wall = [], []
    for query in queries:
        at, began = time.process_time(), time.perf_counter()
        do(query)
        spent.append(1000 * (time.process_time() - at))
        wall.append(1000 * (time.perf_counter() - began))
    return {
        f"{name}_cpu_ms": round(statistics.median(spent), 2),
        f"{name}_cpu_p95_ms": round(float(np.percentile(spent, 95)), 2),
        f"{name}_wall_ms": round(statistics.median(wall), 2),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("--times", type=int, default=100)
    given = parser.parse_args()
    print(json.dumps(measure(given.store, given.times)))
