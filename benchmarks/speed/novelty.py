"""How long it takes to say what is new in a story of 10 and of 100 articles, half of them read, on one core.

    python benchmarks/speed/novelty.py

What an article says is worked out once and kept (`tell`); a card's count and a page's sentences are made of that. The
limit in the same run is the bare TF-IDF cosine of each unread sentence with each read one, from words cut already, in
4,096 hashed columns: what finding the nearest alone costs, with nothing decided. Times are this thread's own, the best of
several.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import json
import lzma
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broadsheet.articles.passages import passages
from broadsheet.model import Article, ArticleId
from broadsheet.stories.novelty import count_new, news
from broadsheet.stories.told import Told, tell

DATA = Path(os.environ.get("BROADSHEET_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
TOPIC = "libya"
WORDS = range(150, 900)  # of an article: an ordinary report, no live page
COLUMNS = 4096


def story(most: int) -> list[Article]:
    """Articles on one affair, in order of time."""
    found: list[tuple[str, Article]] = []
    with lzma.open(DATA / "timelines/t17-articles.jsonl.xz", "rt", encoding="utf-8") as lines:
        for n, line in enumerate(lines):
            item = json.loads(line)
            if item["topic"] == TOPIC and len(item["text"].split()) in WORDS:
                found.append((item["date"], Article(id=ArticleId(str(n)), url="", title="", text=item["text"])))
    found.sort(key=lambda pair: (pair[0], pair[1].id))
    return [article for _, article in found[:most]]


def best(what: Callable[[], object], times: int) -> float:
    """The shortest of several runs, in milliseconds of this thread."""
    taken = []
    for _ in range(times):
        begin = time.thread_time()
        what()
        taken.append(time.thread_time() - begin)
    return 1000 * min(taken)


def bare(read: Sequence[Told], unread: Sequence[Told]) -> NDArray[np.float32]:
    def matrix(told: Sequence[Told]) -> NDArray[np.float32]:
        said = [s for t in told for s in t.said]
        rows = np.zeros((len(said), COLUMNS), dtype=np.float32)
        for row, s in zip(rows, said, strict=True):
            row[s.slots % COLUMNS] = s.weights
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    return (matrix(unread) @ matrix(read).T).max(axis=1)


def main() -> None:
    articles = story(100)
    told = [tell(a, passages) for a in articles]
    figures: dict[str, float] = {
        "tell_ms_per_article": best(lambda: [tell(a, passages) for a in articles], 3) / len(articles),
        "sentences_per_article": sum(len(t.said) for t in told) / len(told),
    }
    for size, times in ((10, 20), (100, 3)):
        read, unread = told[: size // 2], told[size // 2 : size]
        count = best(lambda read=read, unread=unread: count_new(read, unread), times)
        page = best(lambda read=read, unread=unread: news(read, unread), times)
        limit = best(lambda read=read, unread=unread: bare(read, unread), times)
        figures |= {
            f"count_{size}_ms": count,
            f"news_{size}_ms": page,
            f"bare_{size}_ms": limit,
            f"news_{size}_over_bare": page / limit,
        }
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
