"""The sentences of an article, read once, and which of several articles' say what they all say: chosen, never written."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date
from functools import lru_cache
from itertools import islice
from math import log
from typing import NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from broadsheet.model import Article, ArticleId, Passage
from broadsheet.stories.dates import Mention, mentions
from broadsheet.stories.features import SPACE, words

Sentences = Callable[[Article], Sequence[Passage]]

TITLE = -1  # the number of a title among the sentences of its article
FIRST = 14  # sentences read of each article: news says first what matters
SHORTEST, LONGEST = 6, 60  # words
ALIKE = 0.5  # two sentences that share this much of the shorter one say the same

_SENTENCE = re.compile(r"[^\s](?:[^\n.!?。！？]|[.!?](?![\s\"”’)]|$))*[.!?。！？]*[\"”’)]*", re.M)
_FURNITURE = re.compile(
    r"(?i)\b(?:click here|sign up|subscribe|newsletter|read more|follow us|all rights reserved|getty images|"
    r"advertisement|cookies?|copyright|photo by|file photo|watch live|contributed to this report|last updated(?: at)? \d+)\b|©"
)
# One of these stands in whatever the pattern finds; to look for them costs a twentieth of it.
_FURNITURE_HINTS = (
    "click here", "sign up", "subscribe", "newsletter", "read more", "follow us", "rights reserved", "getty", "advertisement",
    "cookie", "copyright", "photo", "watch live", "contributed", "last updated", "©",
)  # fmt: skip


def plain(article: Article) -> tuple[Passage, ...]:
    """A text cut at full stops and line ends: enough where nobody passes a better splitter."""
    return tuple(
        Passage(article=article.id, text=m.group(), start=m.start(), end=m.end())
        for m in _SENTENCE.finditer(article.text)
    )


def usable(passage: Passage) -> bool:
    """Is this a whole sentence that can stand alone: neither scrap nor furniture nor the start of a list?"""
    text = passage.text
    count = len(text.split())
    wide = count < SHORTEST and len(words(text)) >= 2 * SHORTEST  # no spaces between words
    return (SHORTEST <= count <= LONGEST or wide) and text[-1:] not in ":?,…" and not _is_furniture(text)


def _is_furniture(text: str) -> bool:
    folded = text.casefold()
    return any(hint in folded for hint in _FURNITURE_HINTS) and _FURNITURE.search(text) is not None


@lru_cache(maxsize=1 << 16)
def key_of(word: str) -> int:
    """A number for a word, alike in no two: 43 bits of a digest, then its slot in the table of rare words."""
    written = word.encode()
    return xxhash.xxh64_intdigest(written) % (1 << 43) * SPACE + xxhash.xxh32_intdigest(written) % SPACE


def slot_of(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where the table of rare words keeps each."""
    return (keys % np.uint64(SPACE)).astype(np.int64)


class Terms(NamedTuple):
    """The words of an article, sentence after sentence, its title first where it has one: each word of a sentence once."""

    keys: NDArray[np.uint64]
    times: NDArray[np.float64]  # 1 + log of how often it stands in the sentence
    sizes: NDArray[np.int64]  # how many different words each sentence has, and ...
    length: NDArray[np.int64]  # ... how many words
    held: NDArray[np.uint64]  # each word of the article once


class Read:
    """One article as the telling of its story reads it. What is asked of its title and of each sentence is worked out when
    it is first asked, and kept: key points and timeline ask the same, and so does the story when it has grown.

    `number` is a sentence's place; TITLE stands for the title.
    """

    __slots__ = ("_fit", "_spoken", "_terms", "_words", "article", "day", "passages", "title")

    def __init__(self, article: Article, split: Sentences, most: int | None = None) -> None:
        self.article = article
        self.passages = tuple(split(article)[:most])
        self.title = Passage(article=article.id, text=article.title, start=0, end=0)
        self.day: date | None = None if article.time is None else article.time.astimezone(UTC).date()
        self._words: dict[int, list[str]] = {}
        self._fit: dict[int, bool] = {}
        self._spoken: dict[int, tuple[Mention, ...]] = {}
        self._terms: dict[int, Terms] = {}

    def passage(self, number: int) -> Passage:
        return self.passages[number] if number >= 0 else self.title

    def words(self, number: int) -> list[str]:
        found = self._words.get(number)
        if found is None:
            found = self._words[number] = words(self.passage(number).text)
        return found

    def terms(self, most: int) -> Terms:
        """The words of the title and of at most so many sentences."""
        found = self._terms.get(most)
        if found is None:
            first = TITLE if self.article.title.strip() else 0
            bags = [self.words(number) for number in range(first, min(most, len(self.passages)))]
            counts = [Counter(bag) for bag in bags]
            keys = np.array([key_of(word) for count in counts for word in count], dtype=np.uint64)
            found = self._terms[most] = Terms(
                keys,
                1 + np.log(np.array([times for count in counts for times in count.values()], dtype=np.float64)),
                np.array([len(count) for count in counts], dtype=np.int64),
                np.array([len(bag) for bag in bags], dtype=np.int64),
                np.unique(keys),
            )
        return found

    def is_usable(self, number: int) -> bool:
        """No title is: it is no sentence of the text."""
        found = self._fit.get(number)
        if found is None:
            found = self._fit[number] = number >= 0 and usable(self.passages[number])
        return found

    def spoken(self, number: int) -> tuple[Mention, ...]:
        """The times that it names, as read on the day on which the article appeared."""
        found = self._spoken.get(number)
        if found is None:
            day = self.day
            found = self._spoken[number] = () if day is None else mentions(self.passage(number).text, day)
        return found


def _wording(article: Article) -> tuple[object, ...]:
    return article.text, article.title, article.time, article.publisher


class Reading:
    """Reads articles and remembers the latest `most` of them, so that a story that grows by one article reads one.

    An article whose words or time have changed is read anew.
    """

    def __init__(self, split: Sentences, sentences: int | None = None, most: int = 0) -> None:
        self._split, self._sentences, self._most = split, sentences, most
        self._kept: OrderedDict[ArticleId, Read] = OrderedDict()

    def article(self, id: ArticleId) -> Article | None:  # noqa: A002
        """One that is remembered."""
        kept = self._kept.get(id)
        return None if kept is None else kept.article

    def forget(self, ids: Iterable[ArticleId]) -> None:
        for id_ in ids:
            self._kept.pop(id_, None)

    def __call__(self, article: Article, *, keep: bool = True) -> Read:
        kept = self._kept.get(article.id)
        if kept is not None:
            old = kept.article
            if _wording(old) == _wording(article):
                self._kept.move_to_end(article.id)
                return kept
        read = Read(article, self._split, self._sentences)
        if keep and self._most:
            self._kept[article.id] = read
            self._kept.move_to_end(article.id)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return read


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return bool(a and b) and len(a & b) >= ALIKE * min(len(a), len(b))


def central(articles: Sequence[Read], *, most: int) -> list[Passage]:
    """At most `most` sentences, the most telling first, each from another publisher while there is another.

    A sentence tells much when its words are in the sentences of many of the articles and when it stands early. No two
    say the same.
    """
    found: list[tuple[Read, int, int, dict[str, None]]] = []  # article, number, place among the usable ones, words
    held: Counter[str] = Counter()
    common: Counter[str] = Counter()
    for one in articles:
        fit = islice(filter(one.is_usable, range(min(len(one.passages), 2 * FIRST))), FIRST)
        said: set[str] = set(one.words(TITLE))
        for place, number in enumerate(fit):
            bag = dict.fromkeys(w for w in one.words(number) if len(w) > 2 or w.isdigit())
            common.update(bag.keys())
            said.update(bag)
            found.append((one, number, place, bag))
        held.update(said)
    if not found:
        return []
    total = len(found)
    # a word counts when many articles hold it and few sentences do
    tells = {w: (held[w] / len(articles)) * log(1 + total / times) for w, times in common.items()}
    titles = {id(one): frozenset(one.words(TITLE)) for one in articles}

    def worth(one: Read, place: int, bag: dict[str, None]) -> float:
        if not bag:
            return 0.0
        titled = titles[id(one)]
        return (
            sum(map(tells.__getitem__, bag))
            / (len(bag) + 4)
            * (1.0 if place == 0 else 0.9 if place < 3 else 0.7)
            * (1 + 0.5 * sum(w in titled for w in bag) / (len(titled) + 1))
        )

    ranked = sorted(
        ((-worth(one, place, bag), one.article.id, number, one, bag) for one, number, place, bag in found),
        key=lambda item: item[:3],
    )
    chosen: dict[tuple[str, int], tuple[Passage, str, frozenset[str]]] = {}
    for fresh_only in (True, False):
        for _, id_, number, one, bag in ranked:
            if len(chosen) == most:
                break
            publisher = one.article.publisher
            if (id_, number) in chosen or (fresh_only and any(publisher == other for _, other, _ in chosen.values())):
                continue
            own = frozenset(bag)
            if not any(_alike(own, other) for _, _, other in chosen.values()):
                chosen[id_, number] = (one.passages[number], publisher, own)
    return [passage for passage, _, _ in chosen.values()]
