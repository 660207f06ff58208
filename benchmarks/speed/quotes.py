"""How many articles a second are read for quotes on one core, beside a plain pass that knows two patterns.

    python benchmarks/speed/quotes.py [ARTICLES]

The articles are the bundled Wikinews texts (about 300 words each). The plain pass, in the same run, finds every run
between quotation marks and the capitalised words beside "said": what quotes would cost if that were enough. Prints one
JSON object; times are this process's own processor time.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import json
import lzma
import re
import sys
import time
from collections.abc import Callable
from importlib import resources

from broadsheet.model import Article, ArticleId
from broadsheet.stories.quotes import quotes

MARKED = re.compile(r"“[^”\n]*”|\"[^\"\n]*\"")
SAID = re.compile(r"((?:[A-Z][\w.'’-]+ )+)(?:said|says|told|added)|(?:said|says|added) ((?:[A-Z][\w.'’-]+ ?)+)")


def corpus(most: int) -> list[Article]:
    file = resources.files("broadsheet") / "demo" / "corpus" / "wikinews.jsonl.xz"
    rows = [json.loads(line) for line in lzma.decompress(file.read_bytes()).splitlines()][:most]
    return [
        Article(id=ArticleId(str(n)), url="", title=row["title"], text=row["text"], language="en")
        for n, row in enumerate(rows)
    ]


def plain(article: Article) -> int:
    return len(MARKED.findall(article.text)) + len(SAID.findall(article.text))


def seconds(read: Callable[[Article], object], articles: list[Article], times: int = 1) -> float:
    begin = time.process_time()
    for _ in range(times):
        for article in articles:
            read(article)
    return (time.process_time() - begin) / times


def main() -> None:
    articles = corpus(int(sys.argv[1]) if len(sys.argv) > 1 else 10**9)
    quotes(articles[0])  # the forests are read once
    found = sum(len(quotes(a)) for a in articles[:20])
    reading = seconds(quotes, articles)
    patterns = seconds(plain, articles, times=20)
    words = sum(len(a.text.split()) for a in articles)
    print(
        json.dumps(
            {
                "articles": len(articles),
                "words_per_article": round(words / len(articles)),
                "quotes_in_the_first_20": found,
                "articles_per_second": round(len(articles) / reading, 1),
                "words_per_second": round(words / reading),
                "plain_articles_per_second": round(len(articles) / patterns, 1),
                "over_plain": round(reading / patterns, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
