"""Whether grouping says the same as another version of it did: for a change that is to make it quicker and nothing else.

    python benchmarks/speed/same_stories.py FILE [ITEMS]

Reads the first items of the June stream (4,000) as who groups does, with the latest decided again, and stories closing after ten
days. Where FILE is none yet, all that was said is written to it: of each item its story, what was joined, what it copies and
how surely it belongs; and each move. Otherwise it is compared with what FILE has: prints how many things were said and how many differ, and
ends with 1 where any does. Vectors come from the encoder, at 7 ms an item.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import json
import sys
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path

from grouping import BATCH, OPEN, items

from broadsheet.articles.embed import embed
from broadsheet.model import Article
from broadsheet.stories.cluster import OpenStories
from broadsheet.stories.refine import grouped


def said(articles: list[Article]) -> list[list[object]]:
    stories, by_id, told = OpenStories(), {a.id: a for a in articles}, list[list[object]]()
    closed = articles[0].time
    for number in range(0, len(articles), BATCH):
        batch = articles[number : number + BATCH]
        for some in stories.turns(batch):
            told += [
                [a.article, a.story, a.is_new, list(a.merged), a.copy_of, a.score] for a in stories.assign_all(some)
            ]
            if again := stories.unsettled():
                moved = stories.settle([by_id[id_] for id_ in again], grouped).moved
                told += [[id_, *both] for id_, both in sorted(moved.items())]
        if closed and (latest := batch[-1].time) and latest - closed > OPEN + timedelta(days=1):
            closed = latest - OPEN
            stories.forget_before(closed)
    return told


def main() -> int:
    kept = Path(sys.argv[1])
    found = said(embed(items(int(sys.argv[2]) if len(sys.argv) > 2 else 4000)))
    if not kept.exists():
        kept.write_text(json.dumps(found))
        print(json.dumps({"said": len(found)}))
        return 0
    differ = sum(one != other for one, other in zip_longest(json.loads(kept.read_text()), found))
    print(json.dumps({"said": len(found), "differ": differ}))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
