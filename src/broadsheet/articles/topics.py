"""What an article is about, as IPTC Media Topics: the broad subject where that is sure, and finer ones where they are.

Two readings are added up. A linear head over the sentence encoder's vector knows the 17 broad subjects (trained by
scripts/train_topics.py on open-licence events and written examples); words that speak of one subject alone count
besides, and are what names the finer topics. The vocabulary is IPTC's (CC BY 4.0).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

import ahocorasick
import numpy as np
from numpy.typing import NDArray

from broadsheet.articles import embed
from broadsheet.model import Article, Topic, names_topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """How sure a topic must be, and how the two readings are weighed. Tuned on halves of bbc and agnews kept for it."""

    broad: float = 0.4  # least share of a broad subject: at 0.5 fewer are wrong (.12 for .13) and more go without
    second: float = 0.2  # least share of another broad subject that the words speak of as much
    fine: float = 0.45  # least weight of a finer topic
    words: float = 0.8  # what the words' evidence adds to the head's
    most: int = 8
    chars: int = 2_000  # of the text searched for words


@dataclass(frozen=True, slots=True)
class Concept:
    """A Media Topic in its tree; `path` leads from the broad subject to the concept itself."""

    id: str
    label: str
    path: tuple[str, ...]


def _data() -> Traversable:
    return resources.files("broadsheet.articles") / "data"


@lru_cache(maxsize=1)
def vocabulary() -> Mapping[str, Concept]:
    """Every Media Topic by its code."""
    rows = [line.split("\t") for line in (_data() / "mediatopics.tsv").read_text("utf-8").splitlines()]
    parent = {code: above for code, _, above in rows}

    def path(code: str) -> tuple[str, ...]:
        return (*path(parent[code]), code) if parent[code] else (code,)

    return {code: Concept(code, label, path(code)) for code, label, _ in rows}


@lru_cache(maxsize=1024)
def is_topic(sought: str) -> bool:
    """Whether any topic is meant by what somebody wrote: its code, or how words of its label begin."""
    return any(names_topic(sought, concept.id, concept.label) for concept in vocabulary().values())


@lru_cache(maxsize=1)
def broad_topics() -> tuple[Concept, ...]:
    """The 17 broad subjects, in the vocabulary's order: what a new reader chooses from."""
    return tuple(concept for concept in vocabulary().values() if len(concept.path) == 1)


def seeds() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """(code, words that speak of it, headlines like those about it), as written down for this vocabulary."""
    lines = (_data() / "topic_seeds.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(code, tuple(filter(None, words.split("|"))), tuple(heads.split("|"))) for code, _, words, heads in rows]


# --- words -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _words() -> Any:
    topics_of: dict[str, list[str]] = defaultdict(list)
    for code, words, _ in seeds():
        for word in words:
            topics_of[word].append(code)
    automaton = ahocorasick.Automaton()
    for word, codes in topics_of.items():
        automaton.add_word(word, (word, tuple(codes)))
    automaton.make_automaton()
    return automaton


_IN_TITLE: Final = 2.0  # a word in the title is worth this many in the text
_REPEATED: Final = 0.25  # the same word again
_LEAST_LETTERS: Final = 12  # fewer are about nothing, unless a word among them says what


def _found(text: str) -> dict[str, dict[str, int]]:
    """For each topic the words found for it, and how often."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    last = len(text)
    for end, (word, codes) in _words().iter(text):
        start, after = end - len(word) + 1, end + 1
        if (start and text[start - 1].isalnum()) or (after < last and text[after].isalnum()):
            continue
        for code in codes:
            found[code][word] += 1
    return found


def evidence(title: str, text: str) -> dict[str, float]:
    """What the words say for each topic: about one a distinct word, more for the title's."""
    said: dict[str, float] = defaultdict(float)
    for code, words in _found(title.lower()).items():
        said[code] += _IN_TITLE * len(words)
    for code, words in _found(text.lower()).items():
        said[code] += sum(1 + _REPEATED * min(count - 1, 4) for count in words.values())
    return said


def _for_broad(said: Mapping[str, float]) -> dict[str, float]:
    concepts = vocabulary()
    total: dict[str, float] = defaultdict(float)
    for code, strength in said.items():
        total[concepts[code].path[0]] += strength
    return {code: float(np.log1p(strength)) for code, strength in total.items()}


# --- the head ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Head:
    codes: tuple[str, ...]
    matrix: NDArray[np.float32]
    bias: NDArray[np.float32]

    def __call__(self, vectors: embed.Vectors) -> NDArray[np.float32]:
        return (vectors @ self.matrix + self.bias).astype(np.float32)


@lru_cache(maxsize=2)
def _head(encoder: str) -> _Head | None:
    file = _data() / f"topics-{encoder}.npz"
    if not file.is_file():
        return None
    with resources.as_file(file) as path, np.load(path) as stored:
        codes = tuple(str(code) for code in stored["codes"])
        return _Head(codes, stored["matrix"].astype(np.float32), stored["bias"].astype(np.float32))


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(x, -30, 30))))


def _shares(scores: Mapping[str, float]) -> dict[str, float]:
    """How the certainty of 1 is shared among the broad subjects."""
    highest = max(scores.values())
    grown = {code: float(np.exp(score - highest)) for code, score in scores.items()}
    total = sum(grown.values())
    return {code: value / total for code, value in grown.items()}


def _topics(said: Mapping[str, float], scores: Mapping[str, float], rules: Labelling) -> tuple[Topic, ...]:
    concepts = vocabulary()
    words = _for_broad(said)
    shares = _shares({code: score + rules.words * words.get(code, 0.0) for code, score in scores.items()})
    best = max(shares, key=lambda code: shares[code])
    # A second subject, where the words speak of it as much as of the first: a trial of a footballer is sport and crime.
    chosen = {
        code: share
        for code, share in shares.items()
        if share >= rules.broad or (share >= rules.second and words.get(code, 0.0) >= words.get(best, 0.0) > 0)
    }
    for code, strength in said.items():
        path = concepts[code].path
        # Sure of a finer topic: its broad subject is sure, and two words say it, or one in the title.
        weight = _sigmoid(1.2 * (strength - 1.8)) * chosen.get(path[0], 0.0) ** 0.5
        if len(path) > 1 and weight >= rules.fine:
            for step in path[1:-1]:
                chosen[step] = max(chosen.get(step, 0.0), weight)
            chosen[code] = max(chosen.get(code, 0.0), weight)
    ranked = sorted(chosen.items(), key=lambda item: (-item[1], len(concepts[item[0]].path), item[0]))
    kept = [Topic(id=code, label=concepts[code].label, weight=max(0.001, min(1.0, w))) for code, w in ranked]
    return _with_broad(kept, rules.most)


def _with_broad(ranked: list[Topic], most: int) -> tuple[Topic, ...]:
    """The surest few, with the broad subject of each among them."""
    concepts = vocabulary()
    broad = {topic.id for topic in ranked if len(concepts[topic.id].path) == 1}
    room = max(0, most - len(broad))
    finer = [topic.id for topic in ranked if topic.id not in broad][:room]
    return tuple(topic for topic in ranked if topic.id in broad or topic.id in finer)


def logits_of(represented: embed.Vectors, encoder: str) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """The head's score of each broad subject for each article; all even where no head was trained for the encoder."""
    head = _head(encoder)
    if head is None:
        codes = tuple(concept.id for concept in broad_topics())
        return codes, np.full((len(represented), len(codes)), -2.0, dtype=np.float32)
    return head.codes, head(represented)


def label(
    articles: Sequence[Article],
    represented: embed.Vectors,
    rules: Labelling = Labelling(),
    encoder: str = embed.Embedding().encoder,
) -> list[Article]:
    """The articles with their topics, from what `embed.represent` made of them; the surest first."""
    codes, logits = logits_of(represented, encoder)
    labelled: list[Article] = []
    for article, vector, row in zip(articles, represented, logits, strict=True):
        if not vector.any():
            labelled.append(replace(article, topics=()))
            continue
        said = evidence(article.title, article.text[: rules.chars])
        if not said and sum(map(str.isalpha, article.title + article.text[:200])) < _LEAST_LETTERS:
            labelled.append(replace(article, topics=()))
            continue
        labelled.append(replace(article, topics=_topics(said, dict(zip(codes, row.tolist(), strict=True)), rules)))
    return labelled


def topics(articles: Sequence[Article], rules: Labelling = Labelling()) -> list[Article]:
    """The articles with their topics."""
    return label(articles, embed.represent(articles), rules)
