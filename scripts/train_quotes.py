"""Fits what quotes ship: the words that go with attributions, and the forests that choose speakers and spans.

    python scripts/train_quotes.py words POLNEAR/train
    python scripts/train_quotes.py forests POLNEAR/train [--choose]

Only the part `train` is learned from; `dev` is left untouched for the report. Every choice was made by fitting on the
four fifths of `train` that `fit` names and measuring on the fifth that `choose` names.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import typer
from numpy.typing import NDArray
from train_stories import as_arrays

from broadsheet.evaluation.quotes import Annotated, Gold, direct, evaluate_with, is_indirect, matched, overlap, read
from broadsheet.stories.quotes.forests import Forest, Forests
from broadsheet.stories.quotes.marks import quotations
from broadsheet.stories.quotes.mentions import TABLES, Lexicon
from broadsheet.stories.quotes.people import cast, resolve
from broadsheet.stories.quotes.reported import LEAST_CUE, Sentences, considered, cues, ends, sources, starts
from broadsheet.stories.quotes.speakers import Choice, Scene, decide
from broadsheet.stories.quotes.tokens import Tokens, tokenise, word_set

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

DATA = Path(__file__).resolve().parent.parent / "src/broadsheet/stories/data"
app = typer.Typer(add_completion=False)


@app.callback()
def main() -> None:
    """What quotes ship is fitted here."""


def is_chosen(item: Annotated) -> bool:
    """Whether an article is of the fifth by which choices are made."""
    return zlib.crc32(item.article.id.encode()) % 5 == 0


# --- words -------------------------------------------------------------------------------------------------------

# Heads of descriptions that politics of one year may not hold: who else speaks in the news.
MORE_HEADS = word_set("""
    actor actress activist activists administrator admiral adviser advisor advisers advisors advocate advocates agency
    agent agents aide aides ally allies ambassador analyst analysts anchor architect archbishop artist assistant
    astronomer astronomers athlete attendee attorney attorneys author authorities authority banker bankers bank bishop
    biologist board brother builder businessman businesswoman cabinet campaigner campaigners candidate candidates
    captain carmaker ceo chair chairman chairwoman champion chancellor chef chemist chief child church citizen
    citizens clerk climber club coach colleague colleagues colonel columnist commander commentator commission
    commissioner committee commentators company companies composer congressman congresswoman consultant consultants
    correspondent council councillor counsel couple court coroner critic critics curator dean defender delegate
    delegation democrats deputy designer detective detectives developer diplomat diplomats director doctor doctors
    driver economist economists editor employee employees employer engineer engineers envoy executive executives
    expert experts family fan fans farmer farmers father fellow filmmaker firefighter firm founder friend friends
    geologist goalkeeper governor government group groups guitarist historian historians host inspector insiders
    institute instructor insurer investigators investor investors journalist journalists judge judges justice justices
    lawmaker lawmakers lawyer lawyers leader leaders lecturer lieutenant maker manager managers manufacturer mayor
    meteorologist midfielder migrant migrants military minister ministers ministry mother musician nationalists
    negotiator negotiators neighbour neighbor neighbours neighbors nominee novelist nurse nurses observers officer
    officers official officials operator opponents organiser organisers organisation organization owner
    palaeontologist paleontologist paper parent parents parliament participants partner party passenger passengers
    pastor patient patients people petitioners physicist photographer pilot player players police politician
    politicians pollster pope premier president priest prime-minister principal producer professor prosecutor
    prosecutors protester protesters psychologist publisher readout regulator regulators report reporter reporters
    representative representatives republicans rescuer researcher researchers resident residents retailer reviewer
    rival rivals scholar scholars scientist scientists secretary senator senators sergeant shareholder shareholders
    sheriff singer sister soldier soldiers source sources speaker spokesman spokesmen spokesperson spokespersons
    spokeswoman staff startup statement strategist strategists striker student students supervisor supporter
    supporters surgeon survivor survivors teacher teachers team teammate teenager tenant trader traders trainer
    treasurer tribunal union unions user users veteran veterans victim victims volunteer volunteers voter voters
    watchdog widow wife winner witness witnesses woman women worker workers writer writers man men
""")
NO_HEADS = word_set("""
    said week familiar close most much left month average self me him them released conducted filed
    surveyed involved briefed anyone he she days years year day time way number results none lot wing side page debate
    whose america base circle series point person's made based according it they
""")


def _head(source: str) -> str:
    start = re.split(r",|\b(?:of|for|in|at|who|with|from|on|that|and|to|about|by|as|like|among|near)\b|\(", source)[0]
    return start.split()[-1] if start.split() else ""


def _logit(hits: float, total: float) -> float:
    return log((hits + 0.05) / (total - hits + 2.0))


def tokens_of(item: Annotated) -> Tokens:
    return tokenise(item.article.text, quotations(item.article.text))


def learn_words(items: Iterable[Annotated]) -> list[tuple[str, str, int]]:
    """Table, word and ten times the logarithm of its odds, for every word that says something."""
    total: Counter[str] = Counter()
    cues: Counter[str] = Counter()
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    heads: Counter[str] = Counter()
    placed: dict[str, Counter[str]] = {name: Counter() for name in ("start", "start_after", "end", "end_before")}
    marked: list[tuple[Tokens, set[int]]] = []
    for item in items:
        tokens = tokens_of(item)
        text = item.article.text
        small = [w for w, q in zip(tokens.lower, tokens.quoted, strict=True) if q < 0]
        total.update(small)
        seen: set[int] = set()
        for gold in item.attributions:
            for a, b in gold.cue:
                for i in range(tokens.at(a), tokens.at(b)):
                    if tokens.quoted[i] < 0 and i not in seen:
                        seen.add(i)
                        cues[tokens.lower[i]] += 1
            for a, b in gold.content:
                i, j = tokens.at(a), tokens.at(b)
                if j <= i or tokens.quoted[i] >= 0:
                    continue
                while j - 1 > i and not tokens.words[j - 1][0].isalnum():
                    j -= 1
                placed["start"][tokens.lower[i]] += 1
                placed["start_after"][tokens.lower[i - 1] if i and i not in tokens.first else "^"] += 1
                placed["end"][tokens.lower[j - 1]] += 1
                same = j < len(tokens.words) and tokens.sentence[j] == tokens.sentence[i]
                placed["end_before"][tokens.lower[j] if same else "$"] += 1
            if gold.source:
                start, end = gold.source[0][0], gold.source[-1][1]
                i, j = tokens.at(start), tokens.at(end)
                if i < len(tokens.words) and tokens.quoted[i] < 0:
                    before[tokens.lower[i - 1] if i and i not in tokens.first else "^"] += 1
                    after[tokens.lower[j] if j < len(tokens.words) else "$"] += 1
                head = _head(text[start:end])
                if head.islower():
                    heads[head] += 1
        marked.append((tokens, seen))
    rows: list[tuple[str, str, int]] = []
    function = word_set("""
    the a an of in on at to for and or but with by as is was be it that this from , . : ; ( ) - — –
""")
    for word, count in cues.items():
        if (count >= 3 or (count >= 2 and total[word] <= 4)) and word[0].isalpha() and word not in function:
            odds = _logit(count, total[word])
            if odds > -3.0:
                rows.append(("cue", word, round(10 * odds)))
    for name, table in (("before", before), ("after", after)):
        for word, count in table.items():
            if total[word] >= 40 or word in "^$" or count >= 8:
                rows.append(
                    (name, word, round(10 * _logit(count, max(total[word], count) if word not in "^$" else 4 * count)))
                )
    for name, table in placed.items():
        for word, count in table.items():
            if total[word] >= 40 or word in "^$":
                rows.append(
                    (name, word, round(10 * _logit(count, max(total[word], count) if word not in "^$" else 4 * count)))
                )
    possible = {word for table_, word, odds in rows if table_ == "cue" and odds > 10 * LEAST_CUE}
    around: dict[str, tuple[Counter[str], Counter[str]]] = {
        n: (Counter(), Counter()) for n in ("cue_after", "cue_before")
    }
    for tokens, seen in marked:
        opening = set(tokens.first)
        for i, word in enumerate(tokens.lower):
            if word in possible and tokens.quoted[i] < 0:
                beside = (
                    ("cue_after", tokens.lower[i - 1] if i and i not in opening else "^"),
                    ("cue_before", tokens.lower[i + 1] if i + 1 < len(tokens.words) and i + 1 not in opening else "$"),
                )
                for name, other in beside:
                    around[name][0][other] += i in seen
                    around[name][1][other] += 1
    for name, (hits, all_) in around.items():
        for word, count in all_.items():
            if count >= 12:
                rows.append((name, word, round(10 * _logit(hits[word] + 0.5, count))))
    known = {w for w, n in heads.items() if n >= 2 and w.isalpha() and w not in NO_HEADS}
    for word in known | set(MORE_HEADS):
        odds = _logit(heads[word], max(total[word], heads[word], 1))
        if odds > -4.0 or word in MORE_HEADS:
            rows.append(("heads", word, round(10 * odds)))
    return sorted(rows)


@app.command()
def words(train: Path) -> None:
    """The table of words, from all of `train`."""
    rows = learn_words(read(train))
    path = DATA / "quote_words.tsv"
    path.write_text("".join(f"{table}\t{word}\t{odds}\n" for table, word, odds in rows), "utf-8")
    typer.echo(f"{len(rows)} words, {path.stat().st_size} bytes: {Counter(r[0] for r in rows)}")


def lexicon_of(rows: Iterable[tuple[str, str, int]]) -> Lexicon:
    tables: dict[str, dict[str, float]] = {name: {} for name in TABLES}
    for table, word, odds in rows:
        tables[table][word] = odds / 10
    return Lexicon(**tables)


# --- forests -----------------------------------------------------------------------------------------------------

SHAPE: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 31,
    "max_depth": 7,  # a forest is asked as many times as it is deep
    "min_data_in_leaf": 20,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "num_threads": 1,
    "seed": 1,
    "deterministic": True,
    "verbose": -1,
}
TREES = {"speaker": 120, "owned": 80, "cue": 150, "start": 120, "end": 120, "source": 80, "report": 120}


@dataclass(slots=True)
class Seen:
    """An article as the extractor sees it, with what people marked laid on top."""

    item: Annotated
    scene: Scene
    sentences: Sentences
    quotations: list[Gold | None]  # whose each quotation is
    judged: list[bool]  # whether gold says so at all
    reports: dict[int, Gold]  # cue word -> the attribution told in other words
    other_cues: set[int]  # cues of attributions that are all in marks


def see(item: Annotated, known: Lexicon) -> Seen:
    tokens = tokens_of(item)
    people = cast(tokens, known, title=item.article.title)
    marked = direct(item)
    found = matched([(q.start, q.end) for q in tokens.quotations], [span for span, _ in marked])
    reports: dict[int, Gold] = {}
    others: set[int] = set()
    for gold in item.attributions:
        candidates = [
            (known.cue.get(tokens.lower[i], -9.0), i)
            for a, b in gold.cue
            for i in range(tokens.at(a), tokens.at(b))
            if tokens.quoted[i] < 0
        ]
        if not candidates:
            continue
        odds, cue = max(candidates, key=lambda c: c[0])
        if odds < LEAST_CUE:
            continue
        if is_indirect(item.article.text, gold):
            reports.setdefault(cue, gold)
        else:
            others.add(cue)
    return Seen(
        item,
        Scene(tokens, people, known, item.article.title),
        Sentences(tokens, people, known),
        [marked[found[q]][1] if q in found else None for q in range(len(tokens.quotations))],
        [q in found for q in range(len(tokens.quotations))],
        reports,
        others,
    )


def source_mentions(seen: Seen, gold: Gold) -> list[int]:
    tokens = seen.scene.tokens
    return [
        n
        for n, m in enumerate(seen.scene.cast.mentions)
        if any(overlap((tokens.starts[m.start], tokens.ends[m.end - 1]), span) for span in gold.source)
    ]


def speaker_pairs(articles: Sequence[Seen]) -> tuple[Floats, Bools]:
    rows, right = [], []
    for seen in articles:
        scene = seen.scene
        earlier: list[Choice] = []
        for q, gold in enumerate(seen.quotations):
            a, b = scene.spans[q]
            if a >= b or gold is None or not gold.source:
                continue
            true = source_mentions(seen, gold)
            chosen = scene.candidates(q, earlier)
            rows.append(scene.rows(q, chosen, earlier, scene.about(q)))
            right += [m in true for m in chosen]
            said = [m for m in chosen if m in true] or true
            if said:
                best = min(said, key=lambda m: (scene.cast.who[m] < 0, m))
                placed = [(scene.cast.mentions[e.mention].start, e.person) for e in earlier]
                earlier.append(Choice(best, resolve(scene.tokens, scene.cast, best, placed), 1.0))
    return np.concatenate(rows), np.array(right, dtype=bool)


def fit(rows: Floats, right: Bools, name: str) -> Any:
    data = lightgbm.Dataset(rows, right.astype(float))
    return lightgbm.train(SHAPE, data, TREES[name])


def content_of(seen: Seen, cue: int, gold: Gold) -> tuple[int, int] | None:
    """The words of the piece of a content that is nearest to its cue, in the same sentence."""
    tokens = seen.scene.tokens
    pieces = [(tokens.at(a), tokens.at(b)) for a, b in gold.content]
    pieces = [(i, j) for i, j in pieces if j > i and tokens.sentence[i] == tokens.sentence[cue]]
    if not pieces:
        return None
    start, end = min(pieces, key=lambda p: min(abs(p[0] - cue), abs(p[1] - cue)))
    while end - 1 > start and not tokens.words[end - 1][0].isalnum() and tokens.words[end - 1] not in ")]%":
        end -= 1
    return start, end


def span_rows(articles: Sequence[Seen]) -> dict[str, tuple[Floats, Bools]]:
    """What the forests of cues, starts, ends and sources learn from."""
    rows: dict[str, list[Any]] = {"cue": [], "start": [], "end": [], "source": []}
    right: dict[str, list[bool]] = {name: [] for name in rows}
    for seen in articles:
        tokens, sentences = seen.scene.tokens, seen.sentences
        asked, about = cues(sentences)
        rows["cue"] += list(about)
        right["cue"] += [i in seen.reports for i in asked]
        for cue, gold in seen.reports.items():
            span = content_of(seen, cue, gold)
            if span is None:
                continue
            start, end = span
            places, some = starts(sentences, cue, 0.6)
            rows["start"] += some
            marks = '“"«'
            right["start"] += [
                p == start or (p in (start - 1, start + 1) and tokens.words[min(p, start)] in marks) for p in places
            ]
            places, some = ends(sentences, cue, start, 0.8)
            rows["end"] += some
            right["end"] += [p == end for p in places]
            true = set(source_mentions(seen, gold))
            kept, some = sources(sentences, cue, start, end)
            rows["source"] += some
            right["source"] += [m in true for m in kept]
    return {n: (np.array(rows[n], dtype=np.float32), np.array(right[n], dtype=bool)) for n in rows}


def forest(booster: Any) -> Forest:
    return Forest(as_arrays(booster))


def fit_all(items: Sequence[Annotated], known: Lexicon) -> dict[str, Any]:
    """Every forest, as boosters. Those that read what others say are shown what these say of articles they never saw."""
    articles = [see(item, known) for item in items]
    halves = [[s for n, s in enumerate(articles) if n % 2 == half] for half in (0, 1)]

    def first(seen: Sequence[Seen]) -> dict[str, Any]:
        boosters = {name: fit(*data, name) for name, data in span_rows(seen).items()}
        boosters["speaker"] = fit(*speaker_pairs(seen), "speaker")
        return boosters

    owned_rows, owned, report_rows, is_report = [], [], [], []
    for half in (0, 1):
        forests = {name: forest(b) for name, b in first(halves[1 - half]).items()}
        for seen in halves[half]:
            for q, decided in enumerate(decide(seen.scene, _Half(forests))):
                if seen.judged[q]:
                    owned_rows.append(decided.row)
                    owned.append(seen.quotations[q] is not None)
            found = considered(seen.sentences, _Half(forests))
            report_rows.append(found.rows)
            tokens = seen.scene.tokens
            for report in found.reports:
                gold = seen.reports.get(report.cue)
                span = (tokens.starts[report.start], tokens.ends[report.end - 1])
                is_report.append(gold is not None and any(overlap(span, c) for c in gold.content))
    boosters = first(articles)
    boosters["owned"] = fit(np.stack(owned_rows), np.array(owned), "owned")
    boosters["report"] = fit(np.concatenate(report_rows), np.array(is_report), "report")
    return boosters


class _Half:
    """The forests of one half; whatever asks for one that is not fitted yet gets even odds."""

    def __init__(self, forests: dict[str, Forest]) -> None:
        self.forests = forests

    def __getattr__(self, name: str) -> Any:
        return self.forests.get(name) or _Even()


class _Even:
    def probability(self, rows: Floats) -> Floats:
        return np.full(len(rows), 0.5, dtype=np.float32)


@app.command()
def forests(train: Path, choose: bool = False) -> None:
    """The forests, from all of `train`; with `--choose`, nothing is written: fitted on four fifths, measured on the fifth."""
    items = read(train)
    if choose:
        mine = [i for i in items if not is_chosen(i)]
        known = lexicon_of(learn_words(mine))
        fitted = Forests(**{name: forest(b) for name, b in fit_all(mine, known).items()})
        rest = [i for i in items if is_chosen(i)]
        report = evaluate_with(rest, "train, the fifth to choose by", known=known, forests=fitted)
        typer.echo(json.dumps(report.as_json()["rows"], indent=1))
        return
    known = lexicon_of(learn_words(items))
    arrays = {
        f"{name}.{part}": array
        for name, booster in fit_all(items, known).items()
        for part, array in as_arrays(booster).items()
    }
    np.savez_compressed(DATA / "quotes.npz", **arrays)
    typer.echo(f"quotes.npz: {(DATA / 'quotes.npz').stat().st_size} bytes")


if __name__ == "__main__":
    app()
