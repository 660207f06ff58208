"""How long a timeline takes, beside a bare TF-IDF pass over the same sentences in the same run.

A story of 200 articles of 30 sentences each, as `broadsheet stage timeline` reads it, and one of 10, as a story in the
product: made of the bundled Wikinews texts, shifted in time. The bare pass (scikit-learn's TfidfVectorizer, fitted and applied)
is what any method reads words with. Prints one JSON object: seconds of this process's own processor time, and their ratio. `ten_ms` is
the time of ten articles beyond cutting them into sentences.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import json
import lzma
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import resources

from sklearn.feature_extraction.text import TfidfVectorizer

from broadsheet.articles.passages import passages
from broadsheet.model import Article, ArticleId
from broadsheet.stories.describe import FIRST_SENTENCES
from broadsheet.stories.timeline import timeline

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def story(many: int, sentences: int) -> list[Article]:
    file = resources.files("broadsheet") / "demo" / "corpus" / "wikinews.jsonl.xz"
    with file.open("rb") as raw, lzma.open(raw, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    cut = [p.text for text in texts for p in passages(Article(id=ArticleId("x"), url="", title="", text=text))]
    articles = []
    for n in range(many):
        own = [cut[(n * 7 + k * 11) % len(cut)] for k in range(sentences)]
        articles.append(
            Article(
                id=ArticleId(str(n)),
                url="",
                title=own[0][:80],
                text="\n".join(own),
                published=BEGIN + timedelta(hours=9 * n),
            )
        )
    return articles


def best(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        begin = time.thread_time()
        work()
        taken.append(time.thread_time() - begin)
    return min(taken)


def main() -> None:
    large, small = story(200, 30), story(10, 30)
    sentences = [p.text for a in large for p in passages(a)]
    timeline(small, passages)  # loads what is loaded once
    whole = best(lambda: timeline(large, passages, length=30, sentences=2), 3)
    bare = best(lambda: TfidfVectorizer().fit_transform(sentences), 3)
    splitting = best(lambda: [passages(a) for a in small], 7)
    ten = best(lambda: timeline(small, passages, read=FIRST_SENTENCES), 7)
    print(
        json.dumps(
            {
                "articles": len(large),
                "sentences": len(sentences),
                "seconds": round(whole, 3),
                "tfidf_seconds": round(bare, 3),
                "over_tfidf": round(whole / bare, 2),
                "ten_ms": round(1000 * (ten - splitting), 1),
                "splitting_ms": round(1000 * splitting, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
