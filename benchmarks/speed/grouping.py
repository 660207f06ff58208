"""How long grouping a month of feed items takes on one core, beside reading their vectors, and what it finds.

    python benchmarks/speed/grouping.py [ITEMS] [--show]

Items come 200 at a time. After one in 288 the latest are decided again, as who groups does; that is told apart as settling.
The limit in the same run is one bare product of each item's vector with those of the last 5,000 items: what finding the
nearest by meaning alone would cost, with nothing decided. Times are this thread's own processor time. What a vector takes is
measured on a sample. Stories close after ten days, so what is open is as much in the last tenths of the month as in the
fifth; `late_over_early` is what an item takes in the last three beside those before them. `--show` prints the largest stories and a random dozen, to be read by a person.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import html
import json
import lzma
import random
import re
import resource
import sys
import time
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from broadsheet.articles.embed import embed
from broadsheet.articles.identity import fingerprint
from broadsheet.model import Article, ArticleId, identify
from broadsheet.stories.cluster import OpenStories
from broadsheet.stories.refine import grouped

DATA = Path(os.environ.get("BROADSHEET_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
SAMPLE = 512  # items whose vectors are read, to say what all of them would cost
OPEN = timedelta(days=10)
PARTS = 10
BATCH = 200  # items that come together, as who groups reads them
BASIS = 5000


def items(most: int) -> list[Article]:
    found: dict[str, Article] = {}
    with lzma.open(DATA / "streams/rss-2023-06.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            id_ = identify(item["link"] or item["title"] or "")
            text = html.unescape(re.sub(r"<[^>]+>", " ", item.get("description") or "")).strip()
            try:
                when = datetime.fromisoformat(item["published"]).astimezone(UTC)
            except (TypeError, ValueError):
                when = datetime.fromisoformat(item["day"]).replace(tzinfo=UTC)
            if id_ not in found and item["title"]:
                found[id_] = Article(
                    id=ArticleId(id_),
                    url=item["link"] or "",
                    title=html.unescape(item["title"]),
                    text=text,
                    publisher=urlsplit(item["feed"]).hostname or "",
                    published=when,
                )
    placed = sorted(found.values(), key=lambda a: (a.time or datetime.min.replace(tzinfo=UTC), a.id))
    # the month, without the few that say they are older or from the future
    begin, end = datetime(2023, 5, 31, tzinfo=UTC), datetime(2023, 7, 2, tzinfo=UTC)
    kept = [a for a in placed if a.time is not None and begin <= a.time < end][:most]
    return [replace(a, fingerprint=fingerprint(a.text)) for a in kept]


def resident() -> int:
    """MB of memory that this process holds now."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) // 1000


def main() -> None:
    numbers = [a for a in sys.argv[1:] if a.isdigit()]
    show = "--show" in sys.argv
    articles = items(int(numbers[0]) if numbers else 10**9)
    sample = random.Random(1).sample(articles, min(SAMPLE, len(articles)))
    begin = time.thread_time()
    embed(sample)
    embedding = (time.thread_time() - begin) / len(sample)
    articles = embed(articles)  # what is compared hangs on what the vectors say

    stories = OpenStories()
    slowest = 0.0
    closed = articles[0].time
    found: dict[str, str] = dict.fromkeys((a.id for a in articles), "")  # so that it does not grow below
    into: dict[str, str] = {}
    spent, held, open_ = [], [], []
    by_id = {a.id: a for a in articles}
    settling = slowest_settling = 0.0
    settled = done = 0
    begin = last = time.thread_time()
    tenth = len(articles) // PARTS
    for number in range(0, len(articles), BATCH):
        batch = articles[number : number + BATCH]
        for some in stories.turns(batch):
            one = time.thread_time()
            assigned = stories.assign_all(some)
            slowest = max(slowest, (time.thread_time() - one) / len(some))
            for assignment in assigned:
                found[assignment.article] = assignment.story
                into.update(dict.fromkeys(assignment.merged, assignment.story))
            one = time.thread_time()
            if again := stories.unsettled():
                moved = stories.settle([by_id[id_] for id_ in again], grouped).moved
                settled += len(moved)
                found.update((id_, where) for id_, (_, where) in moved.items())
            one = time.thread_time() - one
            settling, slowest_settling, last = settling + one, max(slowest_settling, one), last + one
        latest = batch[-1].time
        if latest and closed and latest - closed > OPEN + timedelta(days=1):
            closed = latest - OPEN
            stories.forget_before(closed)
        if (number + len(batch)) // tenth > len(spent):
            now = time.thread_time()
            spent.append(round(1000 * (now - last) / (number + len(batch) - done), 3))
            done = number + len(batch)
            held.append(resident())
            open_.append(len(stories))
            last = time.thread_time()
    grouping = time.thread_time() - begin - settling

    matrix = np.zeros((BASIS, 192), dtype=np.float32)
    row = np.ones(192, dtype=np.float32)
    begin = time.thread_time()
    for _ in range(500):
        matrix @ row
    limit = (time.thread_time() - begin) / 500

    members: defaultdict[str, list[Article]] = defaultdict(list)
    for article in articles:
        story = found[article.id]
        while story in into:
            story = into[story]
        members[story].append(article)
    sizes = sorted(map(len, members.values()), reverse=True)
    print(
        json.dumps(
            {
                "items": len(articles),
                "grouping_seconds": round(grouping, 1),
                "grouping_ms_per_item": round(1000 * grouping / len(articles), 3),
                "settling_ms_per_item": round(1000 * settling / len(articles), 3),
                "slowest_settling_ms": round(1000 * slowest_settling, 1),
                "settled": settled,
                "ms_per_item_by_tenths": spent,
                "open_by_tenths": open_,
                "megabytes_by_tenths": held,
                "late_over_early": round(sum(spent[-3:]) / sum(spent[4:7]), 2),
                "items_a_second": round(len(articles) / grouping),
                "slowest_ms_per_item": round(1000 * slowest, 1),
                "embedding_ms_per_item": round(1000 * embedding, 3),
                "nearest_by_vector_ms_per_item": round(1000 * limit, 3),
                "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "stories": len(sizes),
                "largest": sizes[0],
                "in_stories_of_two_or_more": sum(s for s in sizes if s > 1),
            }
        )
    )
    if show:
        ranked = sorted(members.values(), key=len, reverse=True)
        several = [m for m in ranked[30:] if len(m) > 1]
        for story in ranked[:30] + random.Random(2).sample(several, min(20, len(several))):
            print(f"\n{len(story)} articles, {len({a.publisher for a in story})} publishers")
            for article in story[:3] + story[3 : -2 : max(1, (len(story) - 5) // 4)][:4] + story[-2:]:
                print(f"   {article.published:%d %H:%M} {article.publisher[:24]:24} {article.title[:110]}")


if __name__ == "__main__":
    main()
