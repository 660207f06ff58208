"""What is told in other words: for each cue (said, believes, according to), who is its source and what its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from broadsheet.stories.quotes.forests import Forest
from broadsheet.stories.quotes.mentions import Lexicon
from broadsheet.stories.quotes.people import Cast
from broadsheet.stories.quotes.speakers import cue_after
from broadsheet.stories.quotes.tokens import Tokens, word_set

Floats = NDArray[np.float32]

LEAST_END = -3.0  # odds below which a content is never asked whether it ends before a word
FURTHEST = 80  # words before its cue in which a content may begin, the first of the sentence apart
LEAST_SOURCE = 0.15  # probability below which a cue has no source in its sentence
LEAST_CUE = -2.2  # odds below which a word is never asked whether it is a cue
CUE: Final = (
    "odds", "previous", "previous_2", "next", "next_2", "previous_cue", "next_cue", "strongest_left", "strongest_right",
    "suffix", "place", "left", "source_before", "source_after", "source_kind", "that_follows", "comma_before",
    "comma_after", "quotes", "quote_after", "quote_before", "capital_after", "mention_before_gap", "first", "length",
    "to_follows", "by_follows", "heads",
)  # fmt: skip
START: Final = (
    "right", "distance", "boundary", "at", "after", "at_first", "commas", "mentions_between", "mention_ends", "quote",
    "cues_between", "that", "cue", "cue_place", "cue_left", "cue_next", "source_before", "nth", "to_end", "previous_word_is_cue",
    "cue_probability", "cue_before_comma", "ends_in_ing",
)  # fmt: skip
END: Final = (
    "right", "distance", "from_start", "boundary", "at", "before", "at_last", "commas", "cue", "start_boundary", "nth",
    "to_end", "quote_open", "next_mention", "next_cue", "cues_inside", "next_is_source_of_cue", "start_odds", "mentions_inside",
    "next_capital", "comma_count_after", "cue_next_word",
)  # fmt: skip
SOURCE: Final = (
    "right", "distance", "kind", "human", "cue", "before", "following", "possessive", "opens", "between", "inside_content",
    "cue_next", "cue_is_next", "adjacent", "commas", "length", "mentions_in_sentence", "cue_next_word", "cue_previous_word",
    "content_right", "nested", "seen",
)  # fmt: skip
REPORT: Final = (
    "cue", "start", "start_margin", "end", "source", "source_margin", "kind", "human", "adjacent", "distance", "right", "length",
    "quoted", "odds", "commas", "source_inside", "rank", "first", "to_first", "last", "suffix", "stronger", "previous", "next",
    "before", "following", "source_right",
)  # fmt: skip
_PUNCTUATION: Final = frozenset(",;:—–-().?!…")
_OPENERS: Final = word_set("""
    that whether if how why what to as while and but because which when who where after although
""")


@dataclass(slots=True)
class Report:
    """One attribution found: the word of its cue, its source (a mention, -1 for none), the words of its content."""

    cue: int
    probability: float
    source: int = -1
    start: int = -1
    end: int = -1  # one past the last word


class Sentences:
    """A text's sentences with what stands where in them."""

    __slots__ = (
        "cast", "commas", "cues", "ends", "known", "mention_at", "mention_cue", "mention_end", "mention_of", "mentions", "tokens",
    )  # fmt: skip

    def __init__(self, tokens: Tokens, cast: Cast, known: Lexicon) -> None:
        self.tokens, self.cast, self.known = tokens, cast, known
        self.ends = [*tokens.first[1:], len(tokens.words)]
        self.mention_at: dict[int, int] = {}
        self.mention_end: dict[int, int] = {}
        self.mention_of: dict[int, list[int]] = {}
        for n, m in enumerate(cast.mentions):
            self.mention_at[m.start] = n
            self.mention_end[m.end] = n
            self.mention_of.setdefault(tokens.sentence[m.start], []).append(n)
        # How many of each stand before a word, so that any stretch is one subtraction.
        self.commas = [0, *accumulate(w == "," for w in tokens.words)]
        self.cues = [0, *accumulate(known.cue.get(w, -9.0) > -1 for w in tokens.lower)]
        self.mentions = [0, *accumulate(i in self.mention_at for i in range(len(tokens.words)))]
        self.mention_cue: dict[int, tuple[float, int, bool]] = {}

    def bounds(self, i: int) -> tuple[int, int]:
        sentence = self.tokens.sentence[i]
        return self.tokens.first[sentence], self.ends[sentence]


def _suffix(word: str) -> float:
    for value, ending in ((1.0, "ed"), (2.0, "ing"), (3.0, "s"), (4.0, "ly"), (5.0, "ion")):
        if word.endswith(ending):
            return value
    return 0.0


def cues(sentences: Sentences) -> tuple[list[int], Floats]:
    """The words that may be cues and what is to be said of each; as `CUE` names it."""
    tokens, known = sentences.tokens, sentences.known
    lower, words, quoted = tokens.lower, tokens.words, tokens.quoted
    asked: list[int] = []
    rows: list[tuple[float, ...]] = []
    n = len(words)
    current = -1
    strong: list[tuple[int, float]] = []
    for i in range(n):
        if quoted[i] >= 0:
            continue
        odds = known.cue.get(lower[i], -9.0)
        if odds < LEAST_CUE:
            continue
        first, last = sentences.bounds(i)
        if tokens.sentence[i] != current:
            current = tokens.sentence[i]
            strong = [
                (j, c)
                for j in range(first, last)
                if quoted[j] < 0 and (c := known.cue.get(lower[j], -9.0)) >= LEAST_CUE
            ]
        left = max((c for j, c in strong if j < i), default=-9.0)
        right = max((c for j, c in strong if j > i), default=-9.0)
        p1 = lower[i - 1] if i > first else "^"
        p2 = lower[i - 2] if i - 1 > first else "^"
        n1 = lower[i + 1] if i + 1 < last else "$"
        n2 = lower[i + 2] if i + 2 < last else "$"
        before = sentences.mention_end.get(i, -1)
        after = sentences.mention_at.get(i + 1, -1)
        gap = 20
        for m in sentences.mention_of.get(current, ()):
            end = sentences.cast.mentions[m].end
            if end <= i:
                gap = min(gap, i - end)
        following = lower[i + 1 : min(last, i + 8)]
        asked.append(i)
        rows.append(
            (
                odds,
                known.cue_after.get(p1, -1.0),
                known.cue_after.get(p2, -1.0),
                known.cue_before.get(n1, -1.0),
                known.cue_before.get(n2, -1.0),
                known.cue.get(p1, -9.0),
                known.cue.get(n1, -9.0),
                left,
                right,
                _suffix(lower[i]),
                min(i - first, 40),
                min(last - i, 40),
                before >= 0,
                after >= 0,
                sentences.cast.mentions[before].kind if before >= 0 else -1,
                float(following.index("that")) if "that" in following else 9.0,
                p1 == ",",
                n1 == ",",
                sum(1 for j in range(first, last) if quoted[j] >= 0) / max(1, last - first),
                i + 2 < last and (quoted[i + 1] >= 0 or quoted[i + 2] >= 0),
                i - 2 >= first
                and (quoted[i - 1] >= 0 or quoted[i - 2] >= 0 or (i - 3 >= first and quoted[i - 3] >= 0)),
                i + 1 < last and words[i + 1][0].isupper(),
                gap,
                i == first,
                min(last - first, 60),
                n1 == "to",
                n1 == "by",
                known.heads.get(lower[i], -9.0),
            )
        )
    return asked, np.array(rows, dtype=np.float32).reshape(len(asked), len(CUE))


def _boundary(tokens: Tokens, i: int, first: int) -> float:
    """What stands before the word `i`: 0 nothing of note."""
    if i == first:
        return 5.0
    before = tokens.words[i - 1]
    if before in ",":
        return 1.0
    if before in ":;":
        return 2.0
    if before in "—–-(":
        return 3.0
    if before in '“"”«»':
        return 4.0
    return 0.0


def starts(sentences: Sentences, cue: int, probability: float) -> tuple[list[int], list[tuple[float, ...]]]:
    """Where the content of a cue may begin, and what is to be said of each place; as `START` names it."""
    tokens, known = sentences.tokens, sentences.known
    lower, words = tokens.lower, tokens.words
    first, last = sentences.bounds(cue)
    places: list[int] = []
    for i in (*((first,) if cue - first > FURTHEST else ()), *range(max(first, cue - FURTHEST), min(last, cue + 30))):
        if i == cue or not (words[i][0].isalnum() or words[i][0] in "“\"$£€#@'‘[«"):
            continue
        if (
            i == first
            or i == cue + 1
            or i == cue + 2
            or not words[i - 1][0].isalnum()
            or (lower[i] in _OPENERS)
            or (i > cue and i in sentences.mention_end)
            or (lower[i - 1] in ("and", "but", "that") and tokens.quoted[i] < 0)
            or (cue < i < cue + 9 and tokens.quoted[i] < 0 and known.start_after.get(lower[i - 1], -9.0) > -2.6)
        ):
            if tokens.quoted[i] >= 0 and tokens.quoted[i - 1] == tokens.quoted[i] and i != first:
                continue  # within a quotation
            places.append(i)
    rows: list[tuple[float, ...]] = []
    odds = known.cue[lower[cue]]
    next_word = known.cue_before.get(lower[cue + 1] if cue + 1 < last else "$", -1.0)
    source_before = cue in sentences.mention_end
    right_seen = left_seen = 0
    for i in places:
        right = i > cue
        if right:
            right_seen += 1
            low, high = cue + 1, i
        else:
            left_seen += 1
            low, high = i, cue
        rows.append(
            (
                right,
                abs(i - cue),
                _boundary(tokens, i, first),
                known.start.get(lower[i], -4.0),
                known.start_after.get(lower[i - 1] if i > first else "^", -4.0),
                i == first,
                sentences.commas[high] - sentences.commas[low],
                sentences.mentions[high] - sentences.mentions[low],
                i in sentences.mention_end,
                tokens.quoted[i] >= 0 or words[i] in '“"«',
                sentences.cues[high] - sentences.cues[low],
                lower[i] == "that",
                odds,
                cue - first,
                last - cue,
                next_word,
                source_before,
                right_seen if right else left_seen,
                last - i,
                i > 0 and known.cue.get(lower[i - 1], -9.0) > -1,
                probability,
                cue > first and words[cue - 1] == ",",
                lower[i].endswith("ing"),
            )
        )
    return places, rows


def ends(sentences: Sentences, cue: int, start: int, start_odds: float) -> tuple[list[int], list[tuple[float, ...]]]:
    """Where a content that begins at `start` may end (one past its last word); as `END` names it."""
    tokens, known = sentences.tokens, sentences.known
    lower, words, quoted = tokens.lower, tokens.words, tokens.quoted
    first, last = sentences.bounds(cue)
    limit = last if start > cue else cue
    while limit > start + 1 and words[limit - 1] in ".?!…”\"“»’'":
        limit -= 1
    places: list[int] = []
    for i in range(start + 1, limit + 1):
        if i == limit:
            places.append(i)
        elif quoted[i] >= 0 and quoted[i - 1] == quoted[i]:
            continue
        elif (
            words[i] in _PUNCTUATION
            or lower[i] in _OPENERS
            or i == cue
            or known.end_before.get(lower[i], -9.0) > LEAST_END
            or (i in sentences.mention_at and start < cue)
        ):
            if not words[i - 1][0].isalnum() and words[i - 1] not in ")]%”\"»'’":
                continue
            places.append(i)
    if len(places) > 28:
        places = [*places[:16], *places[-12:]]
    rows: list[tuple[float, ...]] = []
    odds = known.cue[lower[cue]]
    right = start > cue
    total_commas = sentences.commas[limit] - sentences.commas[start]
    boundary = _boundary(tokens, start, first)
    next_word = known.cue_before.get(lower[cue + 1] if cue + 1 < last else "$", -1.0)
    for nth, i in enumerate(places):
        commas = sentences.commas[i] - sentences.commas[start]
        after = i
        while after < last and not words[after][0].isalnum():
            after += 1
        following = lower[after] if after < last else "$"
        rows.append(
            (
                right,
                abs(i - cue),
                i - start,
                1.0
                if i < last and words[i] == ","
                else 2.0
                if i < last and words[i] in ";:"
                else 3.0
                if i < last and words[i] in "—–-()"
                else 4.0
                if i == limit
                else 0.0,
                known.end.get(lower[i - 1], -4.0),
                known.end_before.get(lower[i] if i < last else "$", -4.0),
                i == limit,
                commas,
                odds,
                boundary,
                nth,
                limit - i,
                i < last and quoted[i] >= 0,
                after in sentences.mention_at,
                known.cue.get(following, -9.0),
                sentences.cues[i] - sentences.cues[start],
                after in sentences.mention_at
                and sentences.cast.mentions[sentences.mention_at[after]].end in (cue, cue - 1),
                start_odds,
                sentences.mentions[i] - sentences.mentions[start],
                after < last and words[after][0].isupper(),
                total_commas - commas,
                next_word,
            )
        )
    return places, rows


def sources(sentences: Sentences, cue: int, start: int, end: int) -> tuple[list[int], list[tuple[float, ...]]]:
    """Who may be the source of a cue, and what is to be said of each; as `SOURCE` names it."""
    tokens, known, cast = sentences.tokens, sentences.known, sentences.cast
    lower = tokens.lower
    first, last = sentences.bounds(cue)
    chosen = sentences.mention_of.get(tokens.sentence[cue], [])
    rows: list[tuple[float, ...]] = []
    odds = known.cue[lower[cue]]
    next_word = known.cue_before.get(lower[cue + 1] if cue + 1 < last else "$", -1.0)
    previous_word = known.cue_after.get(lower[cue - 1] if cue > first else "^", -1.0)
    kept: list[int] = []
    for m in chosen:
        mention = cast.mentions[m]
        if cue - 1 <= mention.start <= cue < mention.end:
            continue
        right = mention.start > cue
        distance = mention.start - cue - 1 if right else cue - mention.end
        if distance > 30:
            continue
        low, high = (cue + 1, max(cue + 1, mention.start)) if right else (mention.end, max(cue, mention.end))
        who = cast.who[m]
        if m not in sentences.mention_cue:
            sentences.mention_cue[m] = cue_after(tokens, known, mention)
        next_cue, cue_at, _ = sentences.mention_cue[m]
        kept.append(m)
        rows.append(
            (
                right,
                distance,
                mention.kind,
                max(-3.0, min(3.0, cast.people[who].human)) if who >= 0 else 0.0,
                odds,
                known.before.get(lower[mention.start - 1] if mention.start > first else "^", -3.0),
                known.after.get(lower[mention.end] if mention.end < last else "$", -3.0),
                mention.end < last and lower[mention.end] in ("'s", "’s"),
                mention.start == first,
                sentences.mentions[high] - sentences.mentions[low],
                start <= mention.start < end,
                next_cue,
                cue_at == cue,
                distance == 0,
                sentences.commas[high] - sentences.commas[low],
                mention.end - mention.start,
                len(chosen),
                next_word,
                previous_word,
                start > cue,
                mention.start <= cue < mention.end,
                min(20, len(cast.people[who].seen)) if who >= 0 else 0,
            )
        )
    return kept, rows


class Models(Protocol):
    """The forests that decide about reports."""

    @property
    def cue(self) -> Forest: ...
    @property
    def start(self) -> Forest: ...
    @property
    def end(self) -> Forest: ...
    @property
    def source(self) -> Forest: ...


class Considered(NamedTuple):
    """Every cue that came into question with what would be its attribution, and a row of `REPORT` for each."""

    reports: list[Report]
    rows: Floats


LEAST_ASKED = 0.05  # probability below which a cue is dropped before its spans are sought


def _best(p: NDArray[np.float64]) -> tuple[int, float, float]:
    """The place of the highest, how high it is, and by how much it leads."""
    if not len(p):
        return -1, 0.0, 0.0
    at = int(p.argmax())
    high = float(p[at])
    rest = float(np.partition(p, -2)[-2]) if len(p) > 1 else 0.0
    return at, high, high - rest


def _matrix(rows: Sequence[Sequence[float]], width: int) -> Floats:
    return np.array(rows, dtype=np.float32).reshape(len(rows), width)


# Words to a cue, over a whole text, from which on the surest are asked: 96,000 characters of "said, " took 11 s.
CUE_EVERY, FEWEST_CUES = 6, 60


def considered(sentences: Sentences, models: Models) -> Considered:
    """The reports that a text may hold, each with its most likely spans; which of them it does hold, `REPORT` tells."""
    tokens, cast = sentences.tokens, sentences.cast
    asked, about = cues(sentences)
    likely = models.cue.probability(about)
    kept = [(i, float(p), row) for i, p, row in zip(asked, likely, about, strict=True) if p >= LEAST_ASKED]
    if len(kept) > (most := max(FEWEST_CUES, len(tokens.words) // CUE_EVERY)):
        sure = sorted(kept, key=lambda cue: (-cue[1], cue[0]))[:most]
        kept = sorted(sure, key=lambda cue: cue[0])
    found: list[Report] = []
    rows: list[tuple[float, ...]] = []

    places: list[list[int]] = []
    flat: list[tuple[float, ...]] = []
    for i, p, _ in kept:
        at, some = starts(sentences, i, p)
        places.append(at)
        flat += some
    scores = models.start.probability(_matrix(flat, len(START)))
    begun: list[tuple[int, float, float]] = []
    o = 0
    for at in places:
        best, high, lead = _best(scores[o : o + len(at)])
        o += len(at)
        begun.append((at[best] if best >= 0 else -1, high, lead))

    stops: list[list[int]] = []
    flat = []
    for (i, _, _), (start, high, _) in zip(kept, begun, strict=True):
        at, some = ends(sentences, i, start, high) if start >= 0 else ([], [])
        stops.append(at)
        flat += some
    scores = models.end.probability(_matrix(flat, len(END)))
    stopped: list[tuple[int, float]] = []
    o = 0
    for at in stops:
        best, high, _ = _best(scores[o : o + len(at)])
        o += len(at)
        stopped.append((at[best] if best >= 0 else -1, high))

    people: list[list[int]] = []
    flat = []
    for (i, _, _), (start, _, _), (end, _) in zip(kept, begun, stopped, strict=True):
        at, some = sources(sentences, i, start, end)
        people.append(at)
        flat += some
    matrix = _matrix(flat, len(SOURCE))
    scores = models.source.probability(matrix)
    o = 0
    by_sentence: dict[int, list[float]] = {}
    for i, p, _ in kept:
        by_sentence.setdefault(tokens.sentence[i], []).append(p)
    for n, (i, p, row) in enumerate(kept):
        count = len(people[n])
        best, high, lead = _best(scores[o : o + count])
        who = people[n][best] if best >= 0 and high >= LEAST_SOURCE else -1
        chosen = matrix[o + best] if best >= 0 else None
        o += count
        start, start_high, start_lead = begun[n]
        end, end_high = stopped[n]
        if start < 0 or end < 0:
            continue
        first, last = sentences.bounds(i)
        inside = sum(tokens.quoted[j] >= 0 for j in range(start, end)) / max(1, end - start)
        person = cast.people[cast.who[who]] if who >= 0 and cast.who[who] >= 0 else None
        others = by_sentence[tokens.sentence[i]]
        found.append(Report(i, p, who, start, end))
        rows.append(
            (
                p,
                start_high,
                start_lead,
                end_high,
                high,
                lead,
                cast.mentions[who].kind if who >= 0 else -1,
                max(-3.0, min(3.0, person.human)) if person else 0.0,
                chosen[SOURCE.index("cue_is_next")] if chosen is not None else 0.0,
                chosen[1] if chosen is not None else 40.0,
                start > i,
                end - start,
                inside,
                row[0],
                row[CUE.index("comma_before")] + 2 * row[CUE.index("comma_after")],
                chosen[SOURCE.index("inside_content")] if chosen is not None else 0.0,
                sum(other > p for other in others),
                i - first,
                start - first,
                last - end,
                row[CUE.index("suffix")],
                max(others),
                row[1],
                row[3],
                chosen[SOURCE.index("before")] if chosen is not None else -3.0,
                chosen[SOURCE.index("following")] if chosen is not None else -3.0,
                chosen[0] if chosen is not None else 0.0,
            )
        )
    return Considered(found, _matrix(rows, len(REPORT)))
