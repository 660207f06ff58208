"""What each engine costs to start and for each batch, and what it gains on a real stage, in one run.

    python benchmarks/speed/engines.py [WORKERS]

`start_s`: until the first batch is answered, workers included. `task_ms`: a batch of one article through a stage that
does nothing. `embed_s`: 2,000 feed items through the sentence encoder, 50 a batch, models loaded within; `serial` does
the same work on one core, so its time over another's is what the other gains. Prints JSON. Ray is left out where it is
not installed.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Sequence

from month import month

from broadsheet.articles.embed import embed
from broadsheet.engine import engine
from broadsheet.model import Article, ArticleId

ITEMS, BATCH, TASKS = 2000, 50, 300


def unchanged(batch: Sequence[Article]) -> Sequence[Article]:
    return batch


def main(workers: int) -> None:
    articles = [
        Article(id=ArticleId(str(number)), url=item.url, title=item.title, text=item.html)
        for number, item in enumerate([item for channel in month(4 * ITEMS) for item in channel.items][:ITEMS])
    ]
    batches = [articles[i : i + BATCH] for i in range(0, len(articles), BATCH)]
    figures = {}
    for name in ("serial", "threads", "processes", "ray"):
        if name == "ray" and importlib.util.find_spec("ray") is None:
            continue
        begun = time.perf_counter()
        with engine(name, workers) as run:
            list(run(unchanged, batches[:1]))
            started = time.perf_counter()
            list(run(unchanged, [articles[:1]] * TASKS))
            tasked = time.perf_counter()
            done = sum(len(batch) for batch in run(embed, batches))
            ended = time.perf_counter()
        assert done == len(articles)
        figures[name] = {
            "start_s": round(started - begun, 2),
            "task_ms": round(1000 * (tasked - started) / TASKS, 2),
            "embed_s": round(ended - tasked, 1),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
