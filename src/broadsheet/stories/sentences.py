"""Which sentences of several articles say what they all say: chosen, never written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from math import log

from broadsheet.model import Article, Passage
from broadsheet.stories.features import words

Sentences = Callable[[Article], Sequence[Passage]]

FIRST = 14  # sentences read of each article: news says first what matters
SHORTEST, LONGEST = 6, 60  # words
ALIKE = 0.5  # two sentences that share this much of the shorter one say the same

_SENTENCE = re.compile(r"[^\s](?:[^\n.!?。！？]|[.!?](?![\s\"”’)]|$))*[.!?。！？]*[\"”’)]*", re.M)
_FURNITURE = re.compile(
    r"(?i)\b(?:click here|sign up|subscribe|newsletter|read more|follow us|all rights reserved|getty images|"
    r"advertisement|cookies?|copyright|photo by|file photo|watch live|contributed to this report|last updated(?: at)? \d+)\b|©"
)


def plain(article: Article) -> tuple[Passage, ...]:
    """A text cut at full stops and line ends: enough where nobody passes a better splitter."""
    return tuple(
        Passage(article=article.id, text=m.group(), start=m.start(), end=m.end())
        for m in _SENTENCE.finditer(article.text)
    )


def usable(passage: Passage) -> bool:
    """Is this a whole sentence that can stand alone: neither scrap nor furniture nor the start of a list?"""
    count = len(passage.text.split())
    wide = count < SHORTEST and len(words(passage.text)) >= 2 * SHORTEST  # no spaces between words
    return (
        (SHORTEST <= count <= LONGEST or wide)
        and passage.text[-1:] not in ":?,…"
        and not _FURNITURE.search(passage.text)
    )


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return bool(a and b) and len(a & b) >= ALIKE * min(len(a), len(b))


def central(articles: Sequence[Article], passages: Sentences, *, most: int) -> list[Passage]:
    """At most `most` sentences, the most telling first, each from another publisher while there is another.

    A sentence tells much when its words are in the sentences of many of the articles and when it stands early. No two
    say the same.
    """
    read: list[tuple[Passage, Article, int, frozenset[str]]] = []
    held: Counter[str] = Counter()
    for article in articles:
        found = [p for p in passages(article)[: 2 * FIRST] if usable(p)][:FIRST]
        bags = [frozenset(w for w in words(p.text) if len(w) > 2 or w.isdigit()) for p in found]
        held.update(frozenset().union(*bags, words(article.title)))
        read.extend((p, article, place, bag) for place, (p, bag) in enumerate(zip(found, bags, strict=True)))
    if not read:
        return []
    common = Counter(w for _, _, _, bag in read for w in bag)
    total = len(read)

    def worth(item: tuple[Passage, Article, int, frozenset[str]]) -> float:
        _, article, place, bag = item
        if not bag:
            return 0.0
        # a word counts when many articles hold it and few sentences do
        telling = sum((held[w] / len(articles)) * log(1 + total / common[w]) for w in bag) / (len(bag) + 4)
        titled = frozenset(words(article.title))
        return (
            telling
            * (1.0 if place == 0 else 0.9 if place < 3 else 0.7)
            * (1 + 0.5 * len(bag & titled) / (len(titled) + 1))
        )

    ranked = sorted(read, key=lambda item: (-worth(item), item[0].article, item[0].start))
    chosen: list[tuple[Passage, str, frozenset[str]]] = []
    for fresh_only in (True, False):
        for passage, article, _, bag in ranked:
            if len(chosen) == most:
                break
            if fresh_only and any(article.publisher == publisher for _, publisher, _ in chosen):
                continue
            if not any(_alike(bag, other) for _, _, other in chosen):
                chosen.append((passage, article.publisher, bag))
    return [passage for passage, _, _ in chosen]
