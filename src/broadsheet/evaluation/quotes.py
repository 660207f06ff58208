"""Who said what, measured on PolNeAR: news articles in which people marked every attribution's source, cue and content.

**Direct quotes.** What stands between double quotation marks (found here by a plain rule of this module, not by the
extractor's own) is a gold quote when at least half of its characters lie in the content of an attribution; its
attribution is the shortest one that covers nine tenths of it, else the one that covers most. A quote that was found
matches the gold one with which it shares most characters, if they share more than half of all that either holds;
`exact` asks for the same first and last character. Quotes in single marks are not judged.

**Speakers** of matched quotes whose attribution has a source. `span`: the phrase that the extractor took for the
source overlaps the gold source. `right`: the speaker that is given out agrees with whom the gold source means. Whom a
gold source means is read from gold alone: a source that holds a capitalised name means it; a pronoun means the last
gold source before it that holds a name, if nobody else is named in between, and else gold cannot say (for "who", it
means the name within the 40 characters before it); a description
("the senator") means its own words. The speaker agrees when the last word of its name is among the words of the gold
name or the other way round; with a description, when the description's noun is in the speaker or its role, or the
phrases overlap. `right` counts agreement, and `span` where gold cannot say whom it means. `settled` pronouns are those
of which gold can say.

**Indirect quotes.** Gold: the attributions with a content that has words outside quotation marks. A found one matches a
gold one when their contents overlap, each matched once at most, the largest overlap first; `overlap` figures count such
matches (for sources: matched and the sources overlap), `exact` ones only those with the same first and last letter or digit.
These are the two terms of the figures that BBC Citron publishes on PARC3 (overlap F1: source 85, content 83).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.model import Article, ArticleId
from broadsheet.stories.quotes import Attribution, Extraction, attributions
from broadsheet.stories.quotes.forests import Forests
from broadsheet.stories.quotes.mentions import Lexicon

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """An attribution as people marked it: spans in characters of the text; a content may be in several pieces."""

    source: tuple[Span, ...]
    cue: tuple[Span, ...]
    content: tuple[Span, ...]

    def covers(self, start: int, end: int) -> float:
        """The share of the characters from `start` to `end` that the content holds."""
        return sum(max(0, min(end, b) - max(start, a)) for a, b in self.content) / max(1, end - start)

    @property
    def length(self) -> int:
        return sum(b - a for a, b in self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    article: Article
    attributions: tuple[Gold, ...]


_SPAN: Final = re.compile(r"(T\d+)\t(\w+) (\d+ \d+(?:;\d+ \d+)*)(?:\t|$)")
_EVENT: Final = re.compile(r"E\d+\t(.*)")
_DATE: Final = re.compile(r"_(\d{4})-(\d\d)-(\d\d)_")


def _attributions(annotation: Path) -> tuple[Gold, ...]:
    spans: dict[str, list[Span]] = {}
    events: list[dict[str, list[str]]] = []
    for line in annotation.read_text("utf-8").split("\n"):
        if m := _SPAN.match(line):
            pieces = [piece.split() for piece in m[3].split(";")]
            spans[m[1]] = [(int(a), int(b)) for a, b in pieces]
        elif m := _EVENT.match(line):
            parts: dict[str, list[str]] = defaultdict(list)
            for part in m[1].split():
                role, _, name = part.partition(":")
                parts[role.rstrip("0123456789")].append(name)
            events.append(parts)

    def of(event: dict[str, list[str]], role: str) -> tuple[Span, ...]:
        return tuple(sorted(span for name in event.get(role, ()) for span in spans.get(name, ())))

    return tuple(Gold(source=of(e, "Source"), cue=of(e, "Cue"), content=of(e, "Content")) for e in events)


def read(folder: Path) -> list[Annotated]:
    """The articles of one part of PolNeAR (`text` and `attributions`); of several annotators the first by name.

    Raises `InputError` where the folder holds no such part.
    """
    if not (folder / "text").is_dir() or not (folder / "attributions").is_dir():
        raise InputError(f"{folder} does not hold the folders text and attributions of a part of PolNeAR.")
    first: dict[str, Path] = {}
    for annotation in sorted((folder / "attributions").glob("*.ann")):
        first.setdefault(annotation.stem.rsplit("_", 1)[0], annotation)
    found: list[Annotated] = []
    for path in sorted((folder / "text").glob("*.txt")):
        if path.stem not in first:
            continue
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        day = _DATE.search(path.stem)
        article = Article(
            id=ArticleId(path.stem),
            url="",
            title=text.partition("\n")[0],
            text=text,
            published=datetime(int(day[1]), int(day[2]), int(day[3]), tzinfo=UTC) if day else None,
        )
        found.append(Annotated(article=article, attributions=_attributions(first[path.stem])))
    return found


_QUOTED: Final = re.compile(
    r"“([^”“\n\"]*)[”“\"]|“([^”“\n]+)$|(?<![=\w])\"([^\"\n]*)[\"”]|(?<![=\w])\"([^\"\n]+)$|''((?:[^'\n]|'(?!'))*)''",
    re.M,
)


def quoted(text: str) -> list[Span]:
    """What stands between double marks, by a rule as plain as can be; each paragraph's last may be left open."""
    spans: list[Span] = []
    for m in _QUOTED.finditer(text):
        group = m.lastindex or 0
        start, end = m.span(group)
        held = text[start:end]
        start += len(held) - len(held.lstrip())
        end -= len(held) - len(held.rstrip())
        if re.search(r"\w", text[start:end]):
            spans.append((start, end))
    return spans


def direct(item: Annotated) -> list[tuple[Span, Gold | None]]:
    """Every run between double marks with the attribution it belongs to, or None where it is nobody's words."""
    found: list[tuple[Span, Gold | None]] = []
    for span in quoted(item.article.text):
        covering = [(g.covers(*span), g) for g in item.attributions]
        whole = [g for share, g in covering if share >= 0.9]
        if whole:
            found.append((span, min(whole, key=lambda g: g.length)))
            continue
        share, best = max(covering, key=lambda c: c[0], default=(0.0, None))
        found.append((span, best if share >= 0.5 else None))
    return found


def overlap(a: Span, b: Span) -> int:
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def matched(found: Sequence[Span], gold: Sequence[Span], least: float = 0.5) -> dict[int, int]:
    """Which of `found` stands for which of `gold`: each once, the most alike first; alike is shared of all."""
    pairs = []
    for i, f in enumerate(found):
        for j, g in enumerate(gold):
            shared = overlap(f, g)
            if shared:
                alike = shared / (f[1] - f[0] + g[1] - g[0] - shared)
                if alike > least:
                    pairs.append((alike, -i, -j))
    taken: dict[int, int] = {}
    used: set[int] = set()
    for _, i, j in sorted(pairs, reverse=True):
        if -i not in taken and -j not in used:
            taken[-i] = -j
            used.add(-j)
    return taken


# --- whom a source means -----------------------------------------------------------------------------------------

_PRONOUNS: Final = frozenset(
    [
        "he",
        "she",
        "they",
        "it",
        "i",
        "we",
        "you",
        "who",
        "which",
        "that",
        "his",
        "her",
        "their",
        "its",
        "him",
        "them",
        "me",
        "us",
        "my",
        "our",
        "those",
        "himself",
        "herself",
    ]
)
_WEEK: Final = frozenset(
    [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
        "I",
    ]
)
_TITLES: Final = frozenset(["mr", "mrs", "ms", "dr", "sen", "rep", "gov", "president"])


def _letters(words: str) -> list[str]:
    return re.findall(r"[^\W_][\w.\-]*", re.sub(r"[’']s\b", "", words))


def head_of(source: str) -> list[str]:
    """The words of a source up to the first comma, preposition or clause: what it stands on is the last of them."""
    part = re.split(r"[,(]|\s(?:of|for|in|at|who|with|from|on|that|to|about|by|among|near|whose|which)\s", source)[0]
    return _letters(part) or _letters(source)


def is_name(source: str) -> bool:
    head = head_of(source)
    return bool(head) and head[-1][0].isupper() and head[-1].lower() not in _PRONOUNS


def is_pronoun(source: str) -> bool:
    return source.lower().strip(" ,.’'s") in _PRONOUNS or source.lower() in _PRONOUNS


def meant(item: Annotated, gold: Gold) -> str | None:
    """Whom a gold source names: its own words, or for a pronoun those of the source before it; None where gold is silent."""
    text = item.article.text
    start, end = gold.source[0][0], gold.source[-1][1]
    own = text[start:end]
    if not is_pronoun(own):
        return own
    if own.lower() in ("who", "which", "that"):
        before = re.findall(r"[A-Z][\w’'.\-]+(?: [A-Z][\w’'.\-]+)*", text[max(0, start - 40) : start])
        return before[-1] if before else None
    if own.lower() in ("i", "we", "you", "me", "us", "my", "our"):
        return None
    earlier = [
        (g.source[0][0], text[g.source[0][0] : g.source[-1][1]])
        for g in item.attributions
        if g.source and g.source[-1][1] <= start
    ]
    for at, source in sorted(earlier, reverse=True):
        if is_name(source):
            between = text[at + len(source) : start]
            return source if _is_settled(source, between) else None
    return None


def _is_settled(source: str, between: str) -> bool:
    """Whether nobody else is named between a source and a pronoun after it, so that it can only mean that source."""
    if re.match(r"(?i)(?:the|some|both|many|most|every\w*|all|few|several|two|three)\b", source):
        return False
    for start, end in reversed(quoted(between)):
        between = between[: start - 1] + between[end + 1 :]
    own = set(_letters(source))
    return not any(
        m[1] not in own and m[1] not in _WEEK
        for m in re.finditer(r"(?<=[a-z,;:—–’'s)] )([A-Z][\w’\-]*[a-z])", re.sub(r"[’']s\b", "", between))
    ) and not re.search(
        r"(?:^|[.?!\n]\s*)(?!He |She |His |Her |The |In |On |But |And |At |As |It |For |When |That )[A-Z]\w+", between
    )


def agrees(speaker: str, role: str, source: str) -> bool:
    """Whether a speaker that was given out is the one that a source in gold means."""
    head = [w.lower().rstrip(".") for w in head_of(source)]
    said = [w.lower().rstrip(".") for w in _letters(speaker)]
    if not head or not said:
        return False
    if is_name(source):
        names = [w for w in head if w not in _TITLES]
        first = [w.lower().rstrip(".") for w in head_of(speaker)] or said
        return bool(names) and (first[-1] in names or names[-1] in said)
    return head[-1] in said or head[-1] in {w.lower() for w in _letters(role)}


def is_indirect(text: str, gold: Gold) -> bool:
    """Whether a content has more than "that" outside double quotation marks."""
    inside = quoted(text)
    for a, b in gold.content:
        at = a
        rest = []
        for start, end in [*(s for s in inside if s[0] < b and s[1] > a), (b, b)]:
            rest.append(text[at : max(at, start)])
            at = max(at, end)
        if any(w.lower() != "that" for w in re.findall(r"[^\W_]+", " ".join(rest))):
            return True
    return False


# --- the figures -------------------------------------------------------------------------------------------------


def _prf(hits: float, found: float, gold: float) -> dict[str, float]:
    precision, recall = hits / max(1, found), hits / max(1, gold)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if hits else 0.0,
    }


def _in_single_marks(text: str, start: int) -> bool:
    return text[max(0, start - 1) : start] in ("‘", "'", "’") and text[max(0, start - 2) : start] != "''"


def _trimmed(text: str, span: Span) -> Span:
    start, end = span
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return start, end


def score(items: Sequence[Annotated], found: Sequence[Sequence[Attribution]]) -> tuple[Row, ...]:
    """The rows of figures for what was found in each article."""
    count: Counter[str] = Counter()
    for item, given in zip(items, found, strict=True):
        text = item.article.text
        _score_direct(item, [a for a in given if a.quote.direct and not _in_single_marks(text, a.quote.start)], count)
        _score_indirect(item, [a for a in given if not a.quote.direct], count)
    rows = []
    for name in ("direct", "direct, 4 words or more"):
        overlapping = _prf(count[f"{name}: hit"], count[f"{name}: found"], count[f"{name}: gold"])
        exact = _prf(count[f"{name}: exact"], count[f"{name}: found"], count[f"{name}: gold"])
        rows.append(Row(name, {**overlapping, "exact_f1": exact["f1"], "gold": count[f"{name}: gold"]}))
    for kind in ("all", "named", "pronoun", "settled pronoun", "description"):
        total = count[f"speaker {kind}"]
        rows.append(
            Row(
                f"speaker, {kind}",
                {
                    "right": count[f"speaker {kind}: right"] / max(1, total),
                    "span": count[f"speaker {kind}: span"] / max(1, total),
                    "gold": total,
                },
            )
        )
    for part in ("content", "source"):
        gold, found_ = count[f"indirect {part}: gold"], count[f"indirect {part}: found"]
        overlapping = _prf(count[f"indirect {part}: hit"], found_, gold)
        exact = _prf(count[f"indirect {part}: exact"], found_, gold)
        rows.append(Row(f"indirect, {part}", {**overlapping, "exact_f1": exact["f1"], "gold": gold}))
    return tuple(rows)


def _score_direct(item: Annotated, given: Sequence[Attribution], count: Counter[str]) -> None:
    text = item.article.text
    marked = direct(item)
    taken = matched([(a.quote.start, a.quote.end) for a in given], [span for span, _ in marked])

    def names(span: Span) -> tuple[str, ...]:
        long = len(text[span[0] : span[1]].split()) >= 4
        return ("direct", "direct, 4 words or more") if long else ("direct",)

    for span, owner in marked:
        if owner is not None:
            count.update(f"{name}: gold" for name in names(span))
    for n, a in enumerate(given):
        span = (a.quote.start, a.quote.end)
        count.update(f"{name}: found" for name in names(span))
        if n not in taken or marked[taken[n]][1] is None:
            continue
        count.update(f"{name}: hit" for name in names(span))
        if span == marked[taken[n]][0]:
            count.update(f"{name}: exact" for name in names(span))
        gold = marked[taken[n]][1]
        if gold is None or not gold.source:
            continue
        own = text[gold.source[0][0] : gold.source[-1][1]]
        kind = "pronoun" if is_pronoun(own) else "named" if is_name(own) else "description"
        spans = a.source is not None and any(overlap(a.source, s) for s in gold.source)
        whom = meant(item, gold)
        right = spans if whom is None else agrees(a.quote.speaker, a.quote.role, whom)
        if kind == "description" and not right:
            right = spans
        for key in (kind, "all", *(("settled pronoun",) if kind == "pronoun" and whom is not None else ())):
            count[f"speaker {key}"] += 1
            count[f"speaker {key}: right"] += right
            count[f"speaker {key}: span"] += spans


def _score_indirect(item: Annotated, given: Sequence[Attribution], count: Counter[str]) -> None:
    text = item.article.text
    golds = [g for g in item.attributions if is_indirect(text, g)]
    count["indirect content: gold"] += len(golds)
    count["indirect content: found"] += len(given)
    count["indirect source: gold"] += sum(bool(g.source) for g in golds)
    count["indirect source: found"] += sum(a.source is not None for a in given)
    pairs = sorted(
        (
            (
                sum(overlap((a.quote.start, a.quote.end), c) for c in g.content)
                / max(a.quote.end - a.quote.start, g.length),
                -i,
                -j,
            )
            for i, a in enumerate(given)
            for j, g in enumerate(golds)
            if any(overlap((a.quote.start, a.quote.end), c) for c in g.content)
        ),
        reverse=True,
    )
    used_a: set[int] = set()
    used_g: set[int] = set()
    for _, i, j in pairs:
        if i in used_a or j in used_g:
            continue
        used_a.add(i)
        used_g.add(j)
        a, g = given[-i], golds[-j]
        count["indirect content: hit"] += 1
        if len(g.content) == 1:
            count["indirect content: exact"] += _trimmed(text, (a.quote.start, a.quote.end)) == _trimmed(
                text, g.content[0]
            )
        if g.source and a.source is not None and any(overlap(a.source, s) for s in g.source):
            count["indirect source: hit"] += 1
            whole = (g.source[0][0], g.source[-1][1])
            count["indirect source: exact"] += _trimmed(text, a.source) == _trimmed(text, whole)


def evaluate_with(
    items: Sequence[Annotated],
    dataset: str,
    *,
    config: Extraction | None = None,
    known: Lexicon | None = None,
    forests: Forests | None = None,
) -> Report:
    """The figures of the extractor on these articles, with the packaged words and forests or with others."""
    rules = config or Extraction()
    found = [attributions(item.article, rules, known=known, forests=forests) for item in items]
    return Report(
        task="quotes",
        dataset=dataset,
        rows=score(items, found),
        notes=(
            "direct: runs between double marks that are somebody's words, matched by more than half of their characters. "
            "speaker: of matched quotes whose gold has a source; right: agrees with whom gold means, span: the phrase "
            "overlaps gold's. indirect: contents that overlap, and of those the sources that do. How: this module's docstring.",
        ),
    )


def evaluate(path: Path) -> Report:
    """Measure on one part of PolNeAR (`train` is what was learned from; `dev` is not)."""
    name = "polnear/train (in sample)" if path.name == "train" else f"{path.parent.name}/{path.name}"
    return evaluate_with(read(path), name)
