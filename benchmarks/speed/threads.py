"""How many stories a second find their thread on one core, late in a long stream as early in it.

    python benchmarks/speed/threads.py

The stream is made: 5,000 stories over 300 days, half of them in 150 affairs that come and go, half alone, with
names and words of their own among common ones. The limit in the same run is one bare product of each story's vector with
those of all stories that are held: what finding the nearest by meaning alone would cost. Times are this thread's own
processor time: `late_over_early` is the last fifth over the second.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import json
import resource
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from broadsheet.model import ArticleId, Entity, Passage, Story, StoryId, bytes_of, identify
from broadsheet.stories.threads import OpenThreads

STORIES, DAYS, AFFAIRS, DIMENSIONS = 5_000, 300, 150, 192
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


def name_of(rng: np.random.Generator) -> str:
    return "".join(rng.choice(list("bdfgklmnprstvz")) + rng.choice(list("aeiou")) for _ in range(4)).title()


def made() -> list[Story]:
    """Each affair has five names, thirty words and a direction of its own, and lasts for two months or so."""
    rng = np.random.default_rng(5)
    common = [f"common{n}" for n in range(3000)]
    often = 1.0 / np.arange(1, 3001)
    often /= often.sum()
    words = [[f"word{a}x{n}" for n in range(30)] for a in range(AFFAIRS)]
    names = [[f"{name_of(rng)} {name_of(rng)}" for _ in range(5)] for _ in range(AFFAIRS)]
    ways = rng.normal(size=(AFFAIRS, DIMENSIONS))
    starts = rng.uniform(0, DAYS, AFFAIRS)
    stories: list[Story] = []
    for number in range(STORIES):
        day = DAYS * number / STORIES
        running = np.flatnonzero((starts <= day) & (day < starts + 60))
        affair = int(rng.choice(running)) if len(running) and rng.random() < 0.5 else -1
        body = [*rng.choice(common, 40, p=often)]
        own = [f"{name_of(rng)} {name_of(rng)}"]
        vector = rng.normal(size=DIMENSIONS)
        if affair >= 0:
            body += [*rng.choice(words[affair], 12)]
            own = [str(n) for n in rng.choice(names[affair], 3, replace=False)]
            vector = vector + 1.5 * ways[affair]
        rng.shuffle(body)
        text = f"{own[0]} {' '.join(map(str, body))} {' '.join(own)}."
        when = BEGIN + timedelta(days=day)
        id_ = StoryId(identify("story", str(number)))
        stories.append(
            Story(
                id=id_, headline=" ".join(text.split()[:9]), articles=(ArticleId(id_),), publishers=("Example",),
                first_seen=when, last_seen=when, key_points=(Passage(article=ArticleId(id_), text=text, start=0, end=len(text)),),
                entities=tuple(Entity(text=name, type="other") for name in own), vector=bytes_of(vector),
            )
        )  # fmt: skip
    return stories


def main() -> None:
    stories = made()
    threads = OpenThreads()
    part = STORIES // 5
    spent: list[float] = []
    slowest = 0.0
    for number in range(5):
        begin = time.thread_time()
        for story in stories[number * part : (number + 1) * part]:
            one = time.thread_time()
            threads.forget(story.first_seen)
            threads.assign(story)
            slowest = max(slowest, time.thread_time() - one)
        spent.append((time.thread_time() - begin) / part)
    held = sum(row is not None for row in threads._rows)
    matrix, row = np.zeros((held, DIMENSIONS), dtype=np.float32), np.ones(DIMENSIONS, dtype=np.float32)
    begin = time.thread_time()
    for _ in range(300):
        matrix @ row
    product = (time.thread_time() - begin) / 300
    kept = sum(len(threads.memory(thread).memory) for thread in list(threads._threads))
    print(
        json.dumps(
            {
                "stories": STORIES,
                "stories_per_second": round(2 / sum(spent[3:]), 1),
                "ms_per_story": round(1000 * sum(spent[3:]) / 2, 3),
                "late_over_early": round(spent[4] / spent[1], 2),
                "slowest_ms": round(1000 * slowest, 1),
                "stories_held": held,
                "open_threads": len(threads),
                "memory_bytes_per_thread": round(kept / len(threads)),
                "vector_product_ms": round(1000 * product, 3),
                "over_product": round(sum(spent[3:]) / 2 / product, 1),
                "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )


if __name__ == "__main__":
    main()
