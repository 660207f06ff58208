"""Trains the head that knows the broad subjects, on the bundled current events and the written examples.

    python scripts/train_topics.py [uci-news-aggregator.csv]

The file is the UCI News Aggregator's headlines (public domain); without it business and technology are told apart a
little worse (.780 against .797 of the AG news half kept for tuning). Needs scikit-learn (a development dependency). Writes src/broadsheet/articles/data/topics-ENCODER.npz.
"""

from __future__ import annotations

import csv
import json
import lzma
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from broadsheet.articles.embed import Embedding, represent
from broadsheet.articles.topics import evidence, seeds, vocabulary
from broadsheet.model import Article, ArticleId

ROOT = Path(__file__).resolve().parent.parent
EVENTS = ROOT / "src/broadsheet/demo/corpus/current-events.jsonl.xz"
OUT = ROOT / "src/broadsheet/articles/data"
SEED_WEIGHT = 20.0  # a written example counts as this many events: they alone speak for eight of the subjects
HEADLINE_WEIGHT = 0.1  # 6,366 headlines of 87 stories: many say the same
STRENGTH = 1.0  # inverse regularisation
EVEN = 0.5  # 0 leaves frequent subjects their lead, 1 takes it all

SECTIONS = {
    "Armed conflicts and attacks": "16000000",
    "Arts and culture": "01000000",
    "Business and economy": "04000000",
    "Disasters and accidents": "03000000",
    "International relations": "11000000",
    "Law and crime": "02000000",
    "Politics and elections": "11000000",
    "Science and technology": "13000000",
    "Sports": "15000000",
}
HEALTH, ENVIRONMENT = "07000000", "06000000"
UCI = {"b": "04000000", "t": "13000000", "e": "01000000", "m": HEALTH}


def of_event(section: str, text: str) -> str:
    if section != "Health and environment":
        return SECTIONS.get(section, "")
    said: dict[str, float] = {}
    for code, strength in evidence("", text).items():
        broad = vocabulary()[code].path[0]
        said[broad] = said.get(broad, 0.0) + strength
    health, environment = said.get(HEALTH, 0.0), said.get(ENVIRONMENT, 0.0)
    return "" if health == environment else HEALTH if health > environment else ENVIRONMENT


def article(title: str) -> Article:
    return Article(id=ArticleId(""), url="", title=title, text="")


def main() -> None:
    titles: list[str] = []
    labels: list[str] = []
    weights: list[float] = []
    with lzma.open(EVENTS, "rt") as lines:
        for line in lines:
            event = json.loads(line)
            if code := of_event(event["section"], event["event"]):
                titles.append(event["event"])
                labels.append(code)
                weights.append(1.0)
    for code, _, headlines in seeds():
        for headline in headlines:
            titles.append(headline)
            labels.append(vocabulary()[code].path[0])
            weights.append(SEED_WEIGHT)
    if len(sys.argv) > 1:
        with Path(sys.argv[1]).open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                if code := UCI.get(row["CATEGORY"] or "", ""):
                    titles.append(row["TITLE"])
                    labels.append(code)
                    weights.append(HEADLINE_WEIGHT)
    vectors = np.concatenate([represent([article(t) for t in titles[i : i + 128]]) for i in range(0, len(titles), 128)])
    codes, index = np.unique(np.array(labels), return_inverse=True)
    mass = np.bincount(index, weights)
    weighed = np.array(weights) * (mass.mean() / mass[index]) ** EVEN
    model = LogisticRegression(C=STRENGTH, max_iter=300, tol=1e-3).fit(vectors, index, sample_weight=weighed)
    matrix, bias = model.coef_.T, model.intercept_.astype(np.float32)
    out = OUT / f"topics-{Embedding().encoder}.npz"
    np.savez_compressed(out, codes=codes, matrix=matrix.astype(np.float16), bias=bias)
    print(len(titles), "examples", out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
