"""What an article says, sentence by sentence, as novelty compares it: weighed words, numbers, names and quotes.

Words are weighed by the packaged table of rare words (`features.Rarity`), so what one article says is worked out once and
kept, whatever it will be compared with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from math import log1p

import numpy as np
import xxhash
from numpy.typing import NDArray

from broadsheet.model import Article, ArticleId, Passage
from broadsheet.stories.features import SPACE, Rarity, words
from broadsheet.stories.sentences import Sentences, plain

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEM = 6  # letters by which two forms of a Latin word are one: "accused" and "accusing"
# Weight below which a word says nothing of its own: "said", "after". A word in one of five documents weighs 1.6.
LIGHT = 1.6
FIRST_WORD = 3.5  # weight from which a capitalised word that opens a sentence may open a name

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,:/=#&])(?<![A-Za-z]-)[$€£¥₹]?(\d+(?:[.,:]\d+)*)"
    r"(?:[-\s]?(thousand|million|billion|trillion|mn|bn|m|k|percent|per cent)\b|\s?(%))?",
    re.I,
)
_DIGIT_GROUPS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_TEENS = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SPELLED = {word: n for n, word in enumerate(_TEENS.split(), 2)} | {w: 10 * n for n, w in enumerate(_TENS.split(), 2)}
_SCALE = {"thousand": 1e3, "k": 1e3, "million": 1e6, "mn": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9, "trillion": 1e12}
_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")
_QUOTED = re.compile(r"“[^”]*(?:”|$)|\"[^\"]*(?:\"|$)|«[^»]*(?:»|$)|„[^“”]*(?:[“”]|$)|「[^」]*(?:」|$)|^[^“”\"]*”")
_OPENS = re.compile(r"[.!?:\"“‘«„]\s*[\"“‘«„(]?$")
_INITIALS = re.compile(r"(?:^|[ .])[A-Z]$")
_NO_COUNT = re.compile(r"(?i)\b(?:the|these|those|last|next|other|one or|his|her|their)\s+$")  # "the two leaders"
_CALENDAR = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun "
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sept sep oct nov dec"
)
_TITLES = "mr mrs ms dr sen rep gov president prime minister mayor senator"
_SMALL = "the a an i he she it they we but and in on at for"
_UNNAMED = frozenset(f"{_CALENDAR} {_TITLES} {_SMALL}".split())
# What stands among the sentences of a text and is none: credits, captions, notices, prompts. Searched anywhere.
_FURNITURE = re.compile(
    r"(?i)\b(?:click here|sign up|sign in to|(?<!-)subscribe (?:to|now|here)|newsletters?\b.{0,60}\binbox|follow us|"
    r"all rights reserved|getty images|story continues|continued? below|image caption|media caption|image copyright|"
    r"media playback|toggle caption|hide caption|play video|play slideshow|file photo|file -|advertisement|copyright ©|"
    r"may not be (?:published|reproduced)|contributed to this report|editing by|reporting by|terms of use|"
    r"privacy policy|read more$|scroll down for|photo by|via ap\)|e-?mail us|follow (?:him|her) on|"
    r"unsubscribe|verify you.re not a robot|receive occasional updates|required field|rush deadline|"
    r"authoritative record|ultra-low latency)|©|\([\w ./]*photo/|^\W*copyright\b|^\W*related\b\W|^updated (?:at )?\d|^(?:getty|reuters|ap|epa|afp|usa today)\b[^a-z]{0,3}[A-Z]"
)
_BYLINE = re.compile(
    r"(?:By|BY|Von|Par|Por|Di|Door) [A-Z][\w.’'-]*(?: (?:[a-z]{2,3} )?[A-Z][\w.’'-]*){0,4}"
    r"(?:(?:,| and| und| et| y| e|,? with) [A-Z][\w.’'-]*(?: [A-Z][\w.’'-]*){0,5})*"
)
# A line in capitals before a colon and nothing behind it names who speaks in a transcript.
_SPEAKER = re.compile(r"^[A-Z][A-Z .,'’-]+:$")


@dataclass(frozen=True, slots=True)
class Fact:
    """A number or a name: what it is compared by, its own words, and where in the sentence they begin."""

    keys: tuple[str, ...]
    text: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one sentence says, as it is compared."""

    passage: Passage
    place: int  # among the article's sentences
    slots: Ints  # words that weigh, hashed, each once, sorted
    weights: Floats
    quoted: NDArray[np.bool_]  # which of them stand in quotation marks
    bigrams: Ints
    numbers: tuple[Fact, ...]
    names: tuple[Fact, ...]
    known: frozenset[str]  # every word
    furniture: bool
    form: tuple[float, ...]  # what `FORM` names

    @property
    def weight(self) -> float:
        return float(self.weights.sum())


FORM = (
    "words",  # log of how many weigh
    "place",  # log
    "end",
    "question",
    "lower",  # begins with a small letter
    "number",
    "quote",
    "open_quote",
    "said",  # tells who says it
    "day",
    "dangling",  # begins with a word that leans on the sentence before
)
_DANGLING = re.compile(r"(?i)\W*(?:he|she|it|they|this|that|these|those|his|her|its|their|but|and|so|also)\b")
_SAYS = re.compile(r"(?i)\b(?:said|says|told|announced|declared|confirmed|according to)\b")
_DAY = re.compile(r"(?i)\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|yesterday)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an article says, sentence by sentence: all of it that novelty compares."""

    article: ArticleId
    publisher: str
    title: Said
    said: tuple[Said, ...]


@cache
def _rarity() -> Rarity:
    return Rarity.packaged()


@lru_cache(maxsize=1 << 16)
def term(word: str) -> tuple[int, float]:
    """The slot of a word, one for all its forms, and its weight: how rare it is."""
    slot = np.array([xxhash.xxh32_intdigest(word.encode()) & (SPACE - 1)], dtype=np.int32)
    stem = word[:STEM] if word.isalpha() and word.isascii() else word
    return xxhash.xxh32_intdigest(stem.encode()), float(_rarity().weight(slot)[0])


def numbers(text: str) -> list[Fact]:
    """The numbers of a text, in digits or in words; `3,000`, `3000` and `3 thousand` are one, `1.5` and `1,5` too."""
    found: list[Fact] = []
    for match in _NUMBER.finditer(text):
        digits, scale = match[1], (match[2] or "").lower()
        key = digits
        if ":" not in digits:
            value = digits.replace(",", ".")
            if _DIGIT_GROUPS.fullmatch(digits):
                group = digits[re.search(r"[.,]", digits).start()]  # type: ignore[union-attr]
                value = digits.replace(group, "").replace(",", ".")
            if value.count(".") <= 1:
                key = f"{float(value) * _SCALE.get(scale, 1.0):.10g}"
        found.append(Fact((key,), match[0].strip(), match.start()))
    for match in _WORD.finditer(text):
        spelled = _SPELLED.get(match[0].lower())
        if spelled and not _NO_COUNT.search(text, max(0, match.start() - 12), match.start()):
            found.append(Fact((str(spelled),), match[0], match.start()))
    return found


def _runs(text: str) -> Iterator[tuple[list[re.Match[str]], bool]]:
    """Each run of capitalised words, and whether it opens a sentence."""
    run: list[re.Match[str]] = []
    opened, last = False, 0
    for match in _WORD.finditer(text):
        gap = text[last : match.start()]
        initial = gap == ". " and bool(run) and len(run[-1][0]) == 1  # "Edward M. Kennedy"
        if run and ((gap.strip() and not initial) or not match[0][0].isupper()):
            yield run, opened
            run = []
        if match[0][0].isupper():
            if not run:
                opened = bool(_OPENS.search(gap)) or not last
            run.append(match)
        last = match.end()
    if run:
        yield run, opened


def names(text: str, capitals: frozenset[str] = frozenset()) -> list[Fact]:
    """The names in a sentence, by their capitals. `capitals`: words that the article capitalises within sentences."""
    found: list[Fact] = []
    for run, opened in _runs(text):
        parts = run
        if opened:
            first = run[0][0].lower()
            if (len(run) == 1 and first not in capitals) or term(first)[1] < FIRST_WORD:
                parts = run[1:]
        parts = [part for part in parts if part[0].lower().rstrip(".") not in _UNNAMED]
        if parts and len(parts[0][0]) > 1:
            keys = tuple(word for part in parts for word in words(part[0]))
            whole = re.sub(r"['’]s?$", "", text[parts[0].start() : parts[-1].end()])
            if _INITIALS.search(whole) and text[parts[-1].end() :].startswith("."):
                whole += "."  # "U.S."
            if keys and whole:
                found.append(Fact(keys, whole, parts[0].start()))
    return found


def _capitals(texts: Iterable[str]) -> frozenset[str]:
    """Words that are capitalised where no sentence begins."""
    return frozenset(
        part[0].lower() for text in texts for run, opened in _runs(text) for part in (run[1:] if opened else run)
    )


def _said(passage: Passage, place: int, of: int, capitals: frozenset[str], *, again: bool = False) -> Said:
    text = passage.text
    found = words(text)
    weights: dict[int, float] = {}
    sequence: list[int] = []
    for word in found:
        slot, weight = term(word)
        if weight >= LIGHT:
            weights[slot] = max(weight, weights.get(slot, 0.0))
            sequence.append(slot)
    slots = np.array(sorted(weights), dtype=np.int64)
    counted = tuple(numbers(text))
    quoted = {term(word)[0] for quote in _QUOTED.findall(text) for word in words(quote)}
    return Said(
        passage=passage,
        place=place,
        slots=slots,
        weights=np.array([weights[slot] for slot in slots.tolist()], dtype=np.float64),
        quoted=np.array([slot in quoted for slot in slots.tolist()], dtype=bool),
        bigrams=np.array(sorted({(a & 0x7FFF_FFFF) << 32 | b for a, b in pairwise(sequence)}), dtype=np.int64),
        numbers=counted,
        names=tuple(names(text, capitals)),
        known=frozenset(found),
        furniture=again
        or bool(_FURNITURE.search(text) or _SPEAKER.match(text) or _BYLINE.fullmatch(text))
        or not weights,
        form=(
            log1p(len(weights)),
            log1p(place),
            place / max(1, of),
            text.rstrip("”\"'’ ").endswith("?"),
            text[:1].islower(),
            bool(counted),
            not quoted.isdisjoint(weights),
            text[:1] in "\"“'‘`«„「",
            bool(_SAYS.search(text)),
            bool(_DAY.search(text)),
            bool(_DANGLING.match(text)),
        ),
    )


def tell(article: Article, passages: Sentences | None = None) -> Told:
    """What an article says, made once and kept. `passages` cuts it into sentences."""
    split = (passages or plain)(article)
    capitals = _capitals(p.text for p in split)
    headline = " ".join(article.title.split())
    title = Passage(article=article.id, text=article.title, start=0, end=0)
    return Told(
        article=article.id,
        publisher=(article.publisher or article.id).casefold(),
        title=_said(title, 0, 1, capitals),
        # a report that repeats its own headline says nothing by that; for a feed's one sentence it may be all there is
        said=tuple(
            _said(p, place, len(split), capitals, again=len(split) > 3 and " ".join(p.text.split()) == headline)
            for place, p in enumerate(split)
        ),
    )
