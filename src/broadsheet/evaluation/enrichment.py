"""How right enrichment is: broad topics on labelled news, names on human who/where answers, languages on sentences.

Labelled topics are split by position, odd and even: the even half is for tuning, the odd one is what is reported. Beside
the topics as they are given to any article ("all", and by label), which have never seen a label of the set, the row "trained"
tells what the representation can do: a logistic regression on the articles' vectors and words, fitted on the even half of the
set itself and measured on the odd one.
"""

from __future__ import annotations

import csv
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from broadsheet.articles import embed
from broadsheet.articles.enrich import Enrichment, enrich
from broadsheet.articles.entities import Recogniser, Recognition, entities
from broadsheet.articles.topics import topics, vocabulary
from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.model import Article, ArticleId

Half = Literal["dev", "test"]
Labelled = tuple[Article, str]

# The broad Media Topics that an article of each label may rightly carry first.
BBC: Mapping[str, frozenset[str]] = {
    "business": frozenset({"04000000"}),
    "entertainment": frozenset({"01000000"}),
    "politics": frozenset({"11000000"}),
    "sport": frozenset({"15000000"}),
    "tech": frozenset({"13000000"}),
}
AGNEWS: Mapping[str, frozenset[str]] = {
    "1": frozenset({"11000000", "16000000", "02000000", "03000000", "12000000", "14000000", "07000000"}),  # world
    "2": frozenset({"15000000"}),
    "3": frozenset({"04000000"}),
    "4": frozenset({"13000000"}),
}


def _article(number: int, title: str, text: str, language: str = "en") -> Article:
    return Article(id=ArticleId(str(number)), url="", title=title, text=text, language=language)


def bbc(folder: Path, half: Half) -> Iterator[Labelled]:
    """One half of the BBC articles with their section."""
    for section in sorted(BBC):
        for i, file in enumerate(sorted((folder / "dataset" / "data_files" / section).glob("*.txt"))):
            if i % 2 == (half == "test"):
                title, _, text = file.read_text("latin-1").partition("\n")
                yield _article(i, title.strip(), text.strip()), section


def agnews(folder: Path, half: Half) -> Iterator[Labelled]:
    """One half of the AG news test file with its class."""
    with (folder / "data" / "ag_news_csv" / "test.csv").open(encoding="utf-8", newline="") as rows:
        for i, (label, title, text) in enumerate(csv.reader(rows)):
            if i % 2 == (half == "test"):
                yield _article(i, title, text.replace("\\", " ")), label


def _some(labelled: list[Labelled], limit: int) -> list[Labelled]:
    if not limit or len(labelled) <= limit:
        return labelled
    return [labelled[i * len(labelled) // limit] for i in range(limit)]


def score_topics(labelled: Sequence[Labelled], gold: Mapping[str, frozenset[str]]) -> tuple[Row, ...]:
    """Per label and in all: how many articles get a broad topic, how often the first is right, how often any is."""
    found = topics([article for article, _ in labelled])
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for article, (_, label) in zip(found, labelled, strict=True):
        broad = [topic.id for topic in article.topics if len(vocabulary()[topic.id].path) == 1]
        right = gold[label]
        for name in (label, "all"):
            tally = counts[name]
            tally[0] += 1
            tally[1] += bool(broad)
            tally[2] += bool(broad) and broad[0] in right
            tally[3] += any(code in right for code in broad)
            tally[4] += any(len(vocabulary()[topic.id].path) > 1 for topic in article.topics)
    return tuple(
        Row(
            name,
            {
                "articles": total,
                "labelled": named / total,
                "first right": first / max(1, named),
                "found": any_right / total,
                "finer": finer / total,
            },
        )
        for name, (total, named, first, any_right, finer) in sorted(counts.items(), key=lambda c: c[0] == "all")
    )


_BUCKETS: Final = 8192  # words are hashed into as many columns: with 32,768 the figures stay within .003
_STEPS: Final = 300
_DECAY: Final = 1e-4  # L2; chosen by the even half's own even and odd articles


def _features(articles: Sequence[Article]) -> NDArray[np.float32]:
    """An article's vector as the encoder gives it, beside its words: hashed, damped, of unit length, the title's twice."""
    represented = np.concatenate([embed.represent(articles[i : i + 64]) for i in range(0, len(articles), 64)])
    words = np.zeros((len(articles), _BUCKETS), dtype=np.float32)
    for row, article in zip(words, articles, strict=True):
        for word in re.findall(r"\w{2,}", f"{article.title} {article.title} {article.text[:2000]}".lower()):
            row[zlib.crc32(word.encode()) % _BUCKETS] += 1
    words = np.log1p(words)
    words /= np.maximum(np.linalg.norm(words, axis=1, keepdims=True), 1e-9)
    return np.hstack([represented, words])


def _fitted(features: NDArray[np.float32], labels: NDArray[np.intp], classes: int) -> NDArray[np.float32]:
    """The weights of a softmax regression, by full-batch gradient descent with Nesterov's momentum; a bias is the last row."""
    given = np.hstack([features, np.ones((len(features), 1), dtype=np.float32)])
    weights = np.zeros((given.shape[1], classes), dtype=np.float32)
    speed = np.zeros_like(weights)
    wanted = np.eye(classes, dtype=np.float32)[labels]
    for _ in range(_STEPS):
        ahead = weights + 0.9 * speed
        scores = given @ ahead
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        slope = given.T @ (shares - wanted) / len(given) + _DECAY * ahead
        speed = 0.9 * speed - 2.0 * slope
        weights = weights + speed
    return weights


def score_trained(train: Sequence[Labelled], test: Sequence[Labelled]) -> Row:
    """How often a head fitted on `train` gives the articles of `test` their label; every article gets one."""
    names = sorted({label for _, label in (*train, *test)})
    weights = _fitted(
        _features([article for article, _ in train]), np.array([names.index(label) for _, label in train]), len(names)
    )
    features = _features([article for article, _ in test])
    guessed = (features @ weights[:-1] + weights[-1]).argmax(axis=1)
    right = float(np.mean([names[n] == label for n, (_, label) in zip(guessed, test, strict=True)]))
    return Row("trained", {"articles": len(test), "labelled": 1.0, "first right": right, "found": right})


def evaluate_topics(path: Path, *, half: Half = "test", limit: int = 0) -> Report:
    """Broad topics on `topics/bbc` or `topics/agnews` (the folder says which)."""
    if (path / "dataset" / "data_files").is_dir():
        read, gold = bbc, BBC
    elif (path / "data" / "ag_news_csv").is_dir():
        read, gold = agnews, AGNEWS
    else:
        raise InputError(f"{path} holds neither the BBC articles nor AG news.")
    labelled = _some(list(read(path, half)), limit)
    rows = score_topics(labelled, gold)
    if half == "test":
        rows = (*rows, score_trained(_some(list(read(path, "dev")), limit), labelled))
    return Report(
        task="topics",
        dataset=f"{path.name} ({half} half)",
        rows=rows,
        notes=(
            "labelled: articles with a broad topic; first right: of those, the surest is the label's; "
            "found: the label's topic is among them; finer: articles with a topic below the broad ones.",
            "trained: a head fitted on the other half of this set, for what the representation can do; the rest saw no label of it.",
        ),
    )


# --- names -------------------------------------------------------------------------------------------------------


def answers(path: Path) -> Iterator[tuple[Article, list[str], list[str]]]:
    """Articles of newscluster5w1h's gold standard with what people answered to who and where."""
    for i, file in enumerate(sorted((path / "gold_standard" / "data").glob("*.json"))):
        item = json.loads(file.read_text("utf-8"))
        asked = item.get("fiveWoneH", {})
        who, where = (
            [answer["text"] for answer in asked.get(question, {}).get("annotated") or [] if answer.get("text")]
            for question in ("who", "where")
        )
        text = item.get("text") or item.get("maintext") or ""
        yield _article(i, item.get("title") or "", f"{item.get('description') or ''}\n{text}".strip()), who, where


def _shares_a_name(answer: str, names: Sequence[str]) -> bool:
    words = {word.strip(".,'’\"()").removesuffix("'s").removesuffix("’s") for word in answer.split()}
    capitals = {word for word in words if word[:1].isupper()}
    return any(capitals & set(name.replace(".", "").split()) or name in answer for name in names)


def evaluate_names(path: Path, *, recogniser: Recogniser = "spacy", chars: int = 2_000) -> Report:
    """How often what people answered to who and where is among the five names of that kind that an article most names.

    Only answers that hold a capitalised word count: "a gunman" names nobody.
    """
    cases = list(answers(path))
    named = entities([article for article, _, _ in cases], Recognition(recogniser=recogniser, chars=chars))
    tallies = {"who": [0, 0], "where": [0, 0]}
    for article, (_, who, where) in zip(named, cases, strict=True):
        people = [e.text for e in article.entities if e.type in ("person", "organisation")][:5]
        places = [e.text for e in article.entities if e.type == "place"][:5]
        anyone = [e.text for e in article.entities][:8]
        for question, given, names in (("who", who, people + anyone), ("where", where, places)):
            given = [a for a in given if any(w[:1].isupper() for w in a.split()[1:] or a.split())]
            if given:
                tallies[question][0] += 1
                tallies[question][1] += any(_shares_a_name(answer, names) for answer in given)
    return Report(
        task="names",
        dataset=f"{path.name} ({recogniser}, {chars} characters)",
        rows=tuple(Row(q, {"articles": n, "found": hit / max(1, n)}) for q, (n, hit) in tallies.items()),
    )


PART: Final = 600  # articles of a half, evenly from all


def evaluate(path: Path, *, half: Half = "test", limit: int = 0, part: bool = False) -> Report:
    """Topics or names, by what the folder holds."""
    if (path / "gold_standard").is_dir() or any(path.glob("*/gold_standard")):
        return evaluate_names(path if (path / "gold_standard").is_dir() else next(path.glob("*/gold_standard")).parent)
    return evaluate_topics(path, half=half, limit=PART if part else limit)


def languages(cases: Sequence[tuple[str, str]]) -> float:
    """The share of (text, language) whose language is found."""
    config = Enrichment(entities=None, topics=None, embedding=None)
    found = enrich([_article(i, text, "", "") for i, (text, _) in enumerate(cases)], config)
    return sum(a.language == language for a, (_, language) in zip(found, cases, strict=True)) / max(1, len(cases))
