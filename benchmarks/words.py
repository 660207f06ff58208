"""What grouping learns from words on pairs of articles: words on the earlier half of a labelled set, measured on the later.

python benchmarks/words.py PATH/allsides-train.jsonl.xz

Each article is paired with its three nearest by vector within ten days. People say what the labels say, of a fair sample
of the pairs or mostly of those that the forest judges wrongly; or they want a story to be of one day only.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np

from broadsheet.articles.embed import embed
from broadsheet.errors import InputError
from broadsheet.evaluation.stories import _allsides, _in_order
from broadsheet.model import vector_of
from broadsheet.stories import pairs
from broadsheet.stories.correction import Corrected, Pair, _measured, learn, rows_of
from broadsheet.stories.features import FEATURES

NEAREST, LEAST, DAYS, KEPT = 3, 0.3, 10, 600


def paired(articles, stories):
    """The pairs of these articles, each once, as their features, their labels and the ids of both."""
    articles = embed(articles)
    vectors = np.stack([vector_of(a.vector) for a in articles])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    times = np.array([a.published.timestamp() if a.published else np.nan for a in articles])
    found = {}
    for n, near in enumerate(vectors @ vectors.T):
        near[n] = -1.0
        near[np.abs(times - times[n]) > DAYS * 86400] = -1.0
        for m in np.argsort(-near)[:NEAREST].tolist():
            if near[m] > LEAST:
                found[min(n, m), max(n, m)] = None
    made = [Pair(one=articles[n], other=articles[m], same=stories[n] == stories[m], a_day=2.0) for n, m in found]
    return rows_of(made), np.array([p.same for p in made]), [(p.one.id, p.other.id) for p in made]


def main(path: Path) -> None:
    labelled = _in_order("set", _allsides(path))
    half = len(labelled.articles) // 2
    rows, same, ids = paired(list(labelled.articles[:half]), labelled.stories[:half])
    later, truth, _ = paired(list(labelled.articles[half:]), labelled.stories[half:])
    forest = pairs.packaged()

    def say(name, odds, y):
        found = _measured(odds, y.astype(np.float64))
        print(f"{name:44} log loss {found.loss:.3f}, rightly judged {found.right:.3f}")

    within = FEATURES.index("days")
    for taste in ("what the labels say", "one day only"):
        mine, theirs = same, truth
        if taste == "one day only":
            mine, theirs = same & (rows[:, within] <= 0.6), truth & (later[:, within] <= 0.6)
        say(f"{taste}: as shipped", forest.log_odds(later), theirs)
        wrong = (forest.log_odds(rows) > 0) != mine
        for many, errors, kept in product((40, 100, 300, 1000), (0.0, 0.5, 0.9), (0, KEPT)):
            rng = np.random.default_rng(many)
            bad, good = rng.permutation(np.flatnonzero(wrong)), rng.permutation(np.flatnonzero(~wrong))
            about = min(int(many * (errors or wrong.mean())), len(bad))
            chosen = np.concatenate([bad[:about], good[: many - about], good[many : many + kept]])
            name = f"{many} words, {about} on errors, {len(chosen) - many} kept"
            said = [n < many for n in range(len(chosen))]
            try:
                learned = learn(rows[chosen], mine[chosen].tolist(), [ids[n] for n in chosen], said)
            except InputError as e:
                print(f"{name:44} {e}")
                continue
            say(name, Corrected(forest, learned.correction).log_odds(later), theirs)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
