"""What changed between two versions of one article: sentence by sentence, and which facts.

A publisher that corrects a number rarely says so. The diff shows every sentence kept, added, removed or changed; the
facts are the numbers, names, quotes and the headline that are in one version and not in the other. What only looks
different (spaces, quotation marks, dashes, the hour of an update) is no change of fact.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from broadsheet.model import FactChange, FactKind
from broadsheet.stories.features import words
from broadsheet.stories.told import Fact, names, numbers

Kind = Literal["kept", "added", "removed", "changed"]
Spans = Callable[[str], Iterable[tuple[int, int]]]
"""Cuts a text into sentences: (start, end), in order, with nothing but white space between them."""

ALIKE = 0.5  # the part of their words that a removed and an added sentence share when one is a change of the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a text, by its offsets: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of a diff: a sentence of the old version, one of the new, or both.

    `old` is None where it was added, `new` where it was removed. Of a changed one, `cut` are the words of the old version
    that are gone and `put` those of the new that came, as parts of the whole texts; neither where only its looks changed.
    """

    kind: Kind
    old: Span | None
    new: Span | None
    cut: tuple[Span, ...] = ()
    put: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """How a second version differs from a first."""

    changes: tuple[Change, ...]  # in the order of both versions
    facts: tuple[FactChange, ...]

    @property
    def is_only_looks(self) -> bool:
        """Whether both versions say the same, in other spaces, quotation marks or dashes at most."""
        same = all(c.kind == "kept" or (c.kind == "changed" and not c.cut and not c.put) for c in self.changes)
        return same and not self.facts


def compare(old_title: str, old_text: str, new_title: str, new_text: str, sentences: Spans | None = None) -> Revision:
    """How the second version of an article differs from its first. Pure; offsets are Unicode characters of each text."""
    split = sentences or plain_sentences
    before = [Span(start=s, end=e) for s, e in split(old_text)]
    after = [Span(start=s, end=e) for s, e in split(new_text)]
    # always read in the same direction, so that the other way round gives the same steps the other way round
    if (new_text, new_title) < (old_text, old_title):
        changes = tuple(_turned(c) for c in _changes(new_text, after, old_text, before))
    else:
        changes = tuple(_changes(old_text, before, new_text, after))
    return Revision(changes=changes, facts=tuple(_facts(old_title, old_text, new_title, new_text, changes)))


def apply(changes: Sequence[Change], old_text: str, new_text: str) -> tuple[str, ...]:
    """The sentences of the new version: kept ones as the old version has them, the others from the new."""
    told = []
    for change in changes:
        if change.kind == "kept" and change.old:
            told.append(old_text[change.old.start : change.old.end])
        elif change.new:
            told.append(new_text[change.new.start : change.new.end])
    return tuple(told)


_TURNED: dict[Kind, Kind] = {"kept": "kept", "changed": "changed", "added": "removed", "removed": "added"}


def _turned(change: Change) -> Change:
    return Change(kind=_TURNED[change.kind], old=change.new, new=change.old, cut=change.put, put=change.cut)


_PLAIN = re.compile(r"[^\s](?:[^\n.!?。！？]|[.!?](?![\s\"”’)]|$))*[.!?。！？]*[\"”’)]*", re.M)


def plain_sentences(text: str) -> Iterator[tuple[int, int]]:
    """A text cut at full stops and line ends: enough where nobody passes a better splitter."""
    for match in _PLAIN.finditer(text):
        yield match.span()


# --- sentences ---------------------------------------------------------------------------------------------------

_LOOKS = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'", "‘": "'", "–": "-", "—": "-", "―": "-", "‑": "-", "…": "...", "\u00ad": "", "\u200b": "", "\ufeff": ""})  # fmt: skip
_TOKEN = re.compile(r"\w+(?:[.,:'’]\w+)*|[^\w\s]")


def _looks(text: str) -> str:
    """A text without what only looks different: compatible forms, quotation marks, dashes, spaces."""
    return " ".join(unicodedata.normalize("NFKC", text.translate(_LOOKS)).translate(_LOOKS).split())


def _words(text: str) -> list[str]:
    return [t for t in _TOKEN.findall(_looks(text)) if t[0].isalnum()]


def _changes(old: str, before: Sequence[Span], new: str, after: Sequence[Span]) -> Iterator[Change]:
    a = [old[s.start : s.end] for s in before]
    b = [new[s.start : s.end] for s in after]
    for same, i, i_end, j, j_end in _blocks(a, b):
        if same:
            for x, y in zip(before[i:i_end], after[j:j_end], strict=True):
                yield Change(kind="kept", old=x, new=y)
        else:
            yield from _replaced(old, before[i:i_end], new, after[j:j_end])


EXACT = 250_000  # pairs of items up to which every one is looked at; past it, those that repeat often no longer count


def _blocks(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """What both have in common and what not, in order: (same, from and to in the first, from and to in the second)."""
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    if head:
        yield True, 0, head, 0, head
    one, other = a[head : len(a) - tail], b[head : len(b) - tail]
    matcher = SequenceMatcher(None, one, other, autojunk=len(one) * len(other) > EXACT)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        yield tag == "equal", head + i, head + i_end, head + j, head + j_end
    if tail:
        yield True, len(a) - tail, len(a), len(b) - tail, len(b)


def _replaced(old: str, before: Sequence[Span], new: str, after: Sequence[Span]) -> Iterator[Change]:
    """Pairs of sentences that are versions of each other, in order on both sides, and the rest removed or added."""
    pairs = dict(_paired(old, before, new, after))
    done = 0
    for j, there in enumerate(after):
        i = next((i for i, k in pairs.items() if k == j), None)
        if i is None:
            yield Change(kind="added", old=None, new=there)
            continue
        for gone in before[done:i]:
            yield Change(kind="removed", old=gone, new=None)
        done = i + 1
        yield _changed(old, before[i], new, there)
    for gone in before[done:]:
        yield Change(kind="removed", old=gone, new=None)


MOST_CELLS = 10_000  # pairs of replaced sentences that are aligned: past it a text was written anew


def _paired(old: str, before: Sequence[Span], new: str, after: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """The pairs in order that share most of their words: the best alignment, the same in either direction."""
    if not before or not after or len(before) * len(after) > MOST_CELLS:
        return
    a = [Counter(w.casefold() for w in _words(old[s.start : s.end])) for s in before]
    b = [Counter(w.casefold() for w in _words(new[s.start : s.end])) for s in after]
    same = [[_alike(x, y) for y in b] for x in a]
    best = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            joined = same[i][j] + best[i + 1][j + 1] if same[i][j] >= ALIKE else 0.0
            best[i][j] = max(joined, best[i + 1][j], best[i][j + 1])
    i = j = 0
    while i < len(a) and j < len(b):
        if same[i][j] >= ALIKE and best[i][j] == same[i][j] + best[i + 1][j + 1]:
            yield i, j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1


def _alike(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0


def _changed(old: str, x: Span, new: str, y: Span) -> Change:
    ours = [(m[0], x.start + m.start(), x.start + m.end()) for m in _TOKEN.finditer(old[x.start : x.end])]
    theirs = [(m[0], y.start + m.start(), y.start + m.end()) for m in _TOKEN.finditer(new[y.start : y.end])]
    cut, put = [], []
    for same, i, i_end, j, j_end in _blocks([_looks(t) for t, _, _ in ours], [_looks(t) for t, _, _ in theirs]):
        if same:
            continue
        if i < i_end:
            cut.append(Span(start=ours[i][1], end=ours[i_end - 1][2]))
        if j < j_end:
            put.append(Span(start=theirs[j][1], end=theirs[j_end - 1][2]))
    return Change(kind="changed", old=x, new=y, cut=tuple(cut), put=tuple(put))


# --- facts -------------------------------------------------------------------------------------------------------

_QUOTE = re.compile(r'"([^"]{2,})"')
# A line that says when the text was published or brought up to date, or by whom it is: its numbers and names are no facts.
_STAMP = re.compile(
    r"(?i)^\W*(?:(?:last |first )?(?:updated|published|posted|modified|revised)\b|by\s+[A-Z]|(?:mon|tues|wednes|thurs|fri|satur|sun)day,? .{0,30}\d{4}\W*\d{0,2}[:.]?\d{0,2}.{0,12}$|\d{1,2}[:.]\d{2}\s*(?:am|pm|[A-Z]{2,4})?\W*$)"
)


def _facts(
    old_title: str, old_text: str, new_title: str, new_text: str, changes: Sequence[Change]
) -> Iterator[FactChange]:
    if _looks(old_title) != _looks(new_title):
        yield FactChange(kind="headline", old=old_title, new=new_title)
    told = (
        [_parts(old_text, c.old) if c.old else [] for c in changes],
        [_parts(new_text, c.new) if c.new else [] for c in changes],
    )
    known = tuple(
        _Known({key for part in side for _, key, _ in part}, frozenset(words(_level(text))))
        for side, text in zip(told, (old_text, new_text), strict=True)
    )
    seen: set[tuple[str, str, str]] = set()
    for before, after, change in zip(*told, changes, strict=True):
        if change.kind == "kept":
            continue
        for kind in KINDS:
            gone, came = _alone(before, kind, known[1]), _alone(after, kind, known[0])
            # as many came as went: one in the place of another, in the order in which they stand
            pairs = zip(gone, came, strict=True) if len(gone) == len(came) else [
                *((old, "") for old in gone),
                *(("", new) for new in came),
            ]  # fmt: skip
            for old, new in pairs:
                if (kind, old, new) not in seen:
                    seen.add((kind, old, new))
                    yield FactChange(kind=kind, old=old, new=new)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a whole version says: its facts, and its words, since a name may be given in part."""

    facts: set[tuple[str, ...]]
    words: frozenset[str]

    def has(self, kind: FactKind, key: tuple[str, ...]) -> bool:
        return self.words.issuperset(key[1:]) if kind == "name" else key in self.facts


KINDS: tuple[FactKind, ...] = ("number", "name", "quote")
Part = tuple[FactKind, tuple[str, ...], str]  # of a sentence: what it is, what it is compared by, its own words


def _alone(parts: Sequence[Part], kind: FactKind, other: _Known) -> list[str]:
    return list(dict.fromkeys(text for k, key, text in parts if k == kind and not other.has(k, key)))


def _level(text: str) -> str:
    """The text with its quotation marks and dashes in one form and nothing moved, so that offsets hold."""
    return "".join(c if len(put := _LOOKS_ONE.get(c, c)) != 1 else put for c in text)


def _parts(text: str, span: Span) -> list[Part]:
    sentence = text[span.start : span.end]
    if _STAMP.search(sentence):
        return []
    level = _level(sentence)
    found: list[Part] = [("number", ("number", *f.keys), f.text) for f in numbers(level)]
    found += [("name", ("name", *f.keys), _verbatim(sentence, f)) for f in names(level)]
    found += [
        ("quote", ("quote", *_words(m[1].casefold())), sentence[m.start(1) : m.end(1)]) for m in _QUOTE.finditer(level)
    ]
    return found


_LOOKS_ONE = {chr(k): v for k, v in _LOOKS.items()}


def _verbatim(sentence: str, fact: Fact) -> str:
    return sentence[fact.start : fact.start + len(fact.text)]
