"""Fits the projection of article vectors to 192 numbers on the bundled corpora, and writes it beside the code.

python scripts/fit_projection.py
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from broadsheet.articles.embed import Embedding, represent
from broadsheet.model import Article, ArticleId

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "src/broadsheet/demo/corpus"
DIMENSIONS = 192
EVEN = 0.5  # 0 leaves the variance of each direction as it is, 1 makes them all the same


def articles() -> Iterator[Article]:
    with lzma.open(CORPUS / "current-events.jsonl.xz", "rt") as lines:
        for line in lines:
            yield Article(id=ArticleId(""), url="", title=json.loads(line)["event"], text="")
    for name in ("wikinews", "digitalgov", "18f", "whitehouse"):
        with lzma.open(CORPUS / f"{name}.jsonl.xz", "rt") as lines:
            for line in lines:
                item = json.loads(line)
                text = re.sub(r"<[^>]+>", " ", item.get("text") or item.get("html") or "")
                yield Article(id=ArticleId(""), url="", title=item.get("title", ""), text=text)


def main() -> None:
    chosen = list(articles())[::2]
    vectors = np.concatenate([represent(chosen[i : i + 64]) for i in range(0, len(chosen), 64)])
    vectors = vectors[vectors.any(axis=1)]
    mean = vectors.mean(axis=0)
    variance, directions = np.linalg.eigh(np.cov((vectors - mean).T))
    variance, directions = variance[::-1][:DIMENSIONS], directions[:, ::-1][:, :DIMENSIONS]
    directions *= np.sign(directions[np.abs(directions).argmax(axis=0), range(DIMENSIONS)])  # the same sign every time
    matrix = directions / variance ** (EVEN / 2)
    matrix /= np.abs(matrix).max()
    out = ROOT / f"src/broadsheet/articles/data/projection-{Embedding().encoder}.npz"
    np.savez_compressed(out, mean=mean.astype(np.float16), matrix=matrix.astype(np.float16))
    print(len(vectors), "vectors", out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
