"""Which of the names, pronouns and descriptions around a quotation is the one that speaks: a learned choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from broadsheet.stories.quotes.forests import Forest
from broadsheet.stories.quotes.mentions import Kind, Lexicon, Mention
from broadsheet.stories.quotes.people import Cast, resolve
from broadsheet.stories.quotes.tokens import Tokens, word_set

Floats = NDArray[np.float32]

BEHIND, AHEAD = 70, 45  # words outside quotations in which a speaker is looked for: 98 of 100 are there (train)
LEAST_SPEAKER = 0.1  # probability below which a quotation has no speaker
BACK = 5  # paragraphs over which an earlier speaker goes on speaking

PAIR: Final = (
    "after", "distance", "sentences", "paragraphs", "quotes_between", "between", "kind", "human", "cue_next",
    "cue_before", "cue_near", "cue_far", "before", "following", "possessive", "opens", "place", "same_mention",
    "same_person", "was_speaker", "spoke_before", "seen", "nearest", "next_cue_gap", "then_capital", "comma",
    "in_title", "length", "same_sentence_candidates", "gap_clean", "named_in_quote",
)  # fmt: skip
QUOTE: Final = (
    "words", "closed", "single", "begins_small", "ends_with", "preceded_by", "before_word", "after_word", "opens_paragraph",
    "ends_paragraph", "words_before", "words_after", "cue_inside_sentence", "previous_same_paragraph", "previous_gap",
    "previous_open", "capitals", "paragraph_quotes", "number", "after_cue",
)  # fmt: skip
_ENDS: Final = {",": 1.0, ".": 2.0, "?": 3.0, "!": 3.0, "…": 2.0, "—": 4.0, "-": 4.0}
_SKIPPED: Final = word_set("""
    also then later has have had recently once often repeatedly further again himself herself themselves even still
    has been was is would will only reportedly publicly initially already quickly bluntly simply did does not never
""")


OWNED: Final = (*QUOTE, "best", "lead", "candidates", "best_distance", "best_kind", "best_cue", "best_paragraphs")


@dataclass(slots=True)
class Choice:
    """What was decided for one quotation: the mention that speaks (-1 for none) and how likely that is."""

    mention: int
    person: int
    score: float


def _cue(tokens: Tokens, known: Lexicon, i: int, sentence: int) -> float:
    if 0 <= i < len(tokens.words) and tokens.quoted[i] < 0 and tokens.sentence[i] == sentence:
        return known.cue_of(tokens.lower[i])
    return -9.0


def cue_after(tokens: Tokens, known: Lexicon, mention: Mention) -> tuple[float, int, bool]:
    """The strongest cue that follows a mention, its word, and whether an apposition in commas stands between."""
    n = len(tokens.words)
    here = tokens.sentence[mention.start]
    at = mention.end
    best = (-9.0, -1, False)
    if at < n and tokens.lower[at] in ("'s", "’s"):
        return best
    skipped = 0
    comma = False
    while at < n and skipped < 4 and tokens.sentence[at] == here and tokens.quoted[at] < 0:
        word = tokens.lower[at]
        if word == "," and not comma:
            # ", a spokesman for the ministry," : to the comma that ends it
            stop = at + 1
            while stop < n and stop - at < 30 and tokens.sentence[stop] == here and tokens.words[stop] != ",":
                if tokens.quoted[stop] >= 0:
                    break
                stop += 1
            if stop >= n or tokens.words[stop] != "," or stop - at < 2:
                break
            comma = True
            at = stop + 1
            continue
        if word in "(" and not comma:
            stop = at + 1
            while stop < n and stop - at < 8 and tokens.words[stop] != ")":
                stop += 1
            at = stop + 1
            continue
        if not word[0].isalpha():
            break
        cue = known.cue_of(word)
        if cue > best[0]:
            best = (cue, at, comma)
        if cue > 0.3:
            break
        if word not in _SKIPPED and not word.endswith("ly"):
            skipped += 2
        skipped += 1
        at += 1
    return best


class Scene:
    """A text with its cast, ready to be asked of each quotation in turn."""

    __slots__ = (
        "by_sentence",
        "cast",
        "cues",
        "ends_outside",
        "known",
        "outside",
        "q_outside",
        "spans",
        "title",
        "tokens",
    )  # fmt: skip

    def __init__(self, tokens: Tokens, cast: Cast, known: Lexicon, title: str = "") -> None:
        self.tokens, self.cast, self.known = tokens, cast, known
        self.title = title
        self.cues = [cue_after(tokens, known, m) for m in cast.mentions]
        self.spans = tokens.spans
        self.outside = np.array(cast.outside, dtype=np.int64)
        total = (tokens.outside[-1] + (tokens.quoted[-1] < 0)) if tokens.words else 0
        self.q_outside = [tokens.outside[a] if a < len(tokens.words) else total for a, _ in tokens.spans]
        self.ends_outside = [
            tokens.outside[m.end - 1] + 1 if m.end <= len(tokens.words) else total for m in cast.mentions
        ]

    def about(self, q: int) -> list[float]:
        """What is to be said of the quotation alone; as `QUOTE` names it."""
        tokens, known = self.tokens, self.known
        quotation = tokens.quotations[q]
        a, b = self.spans[q]
        text = tokens.text
        if a >= b:
            return [0.0] * len(QUOTE)
        words = b - a
        sentence, paragraph = tokens.sentence[a], tokens.paragraph[a]
        n = len(tokens.words)
        before = a - 1
        while before >= 0 and tokens.words[before] in "“\"”«„‘'’" and tokens.paragraph[before] == paragraph:
            before -= 1
        has_before = before >= 0 and tokens.paragraph[before] == paragraph
        after = b
        while after < n and tokens.words[after] in "”\"»“’'" and tokens.paragraph[after] == paragraph:
            after += 1
        has_after = after < n and tokens.paragraph[after] == paragraph
        left = right = 0
        cue_inside = -9.0
        i = before
        while i >= 0 and tokens.sentence[i] == sentence and left < 40:
            if tokens.quoted[i] < 0:
                left += tokens.words[i][0].isalnum()
                cue_inside = max(cue_inside, known.cue.get(tokens.lower[i], -9.0))
            i -= 1
        i = after
        while i < n and tokens.sentence[i] == sentence and right < 40:
            if tokens.quoted[i] < 0:
                right += tokens.words[i][0].isalnum()
                cue_inside = max(cue_inside, known.cue.get(tokens.lower[i], -9.0))
            i += 1
        last = text[quotation.end - 1]
        previous = q - 1
        same_paragraph = gap = still_open = 0.0
        if previous >= 0 and self.spans[previous][0] < n:
            pa = self.spans[previous][0]
            same_paragraph = float(tokens.paragraph[pa] == paragraph)
            gap = min(99, self.q_outside[q] - self.q_outside[previous])
            still_open = float(not tokens.quotations[previous].closed and paragraph - tokens.paragraph[pa] == 1)
        inner = tokens.words[a:b]
        letters = [w for w in inner if w[0].isalpha()]
        capitals = sum(w[0].isupper() for w in letters) / max(1, len(letters))
        count = 0
        for other in range(max(0, q - 6), min(len(self.spans), q + 7)):
            oa = self.spans[other][0]
            count += oa < n and tokens.paragraph[oa] == paragraph
        return [
            min(words, 60),
            quotation.closed,
            quotation.single,
            text[quotation.start].islower(),
            _ENDS.get(last, _ENDS.get(text[quotation.end + 1 : quotation.end + 2], 0.0) / 2),
            {",": 1.0, ":": 2.0, "—": 3.0, ".": 4.0}.get(tokens.words[before], 0.0) if has_before else 5.0,
            known.cue_of(tokens.lower[before]) if has_before else 9.0,
            known.cue_of(tokens.lower[after]) if has_after else 9.0,
            not has_before,
            not has_after,
            left,
            right,
            cue_inside,
            same_paragraph,
            gap,
            still_open,
            capitals,
            count,
            min(q, 20),
            max(
                (known.cue_of(tokens.lower[j]) for j in range(after, min(after + 5, n)) if tokens.quoted[j] < 0),
                default=-9.0,
            ),
        ]

    def candidates(self, q: int, earlier: Sequence[Choice]) -> list[int]:
        """The mentions near enough to speak, and those that spoke before."""
        tokens, found, outside = self.tokens, self.cast.mentions, self.outside
        at = self.q_outside[q]
        a = self.spans[q][0]
        paragraph = tokens.paragraph[a]
        low = int(np.searchsorted(outside, at - BEHIND))
        high = int(np.searchsorted(outside, at + AHEAD))
        chosen = [
            m
            for m in range(low, high)
            if (found[m].start < a or tokens.paragraph[found[m].start] - paragraph <= 1)
            and (found[m].kind != Kind.WHO or outside[m] - at < 25)
        ]
        for choice in earlier[-3:]:
            if 0 <= choice.mention < low and paragraph - tokens.paragraph[found[choice.mention].start] <= BACK:
                chosen.append(choice.mention)
        return sorted(set(chosen))

    def rows(self, q: int, chosen: Sequence[int], earlier: Sequence[Choice], about: Sequence[float]) -> Floats:
        """One row of figures for each candidate: `PAIR`, then `QUOTE`."""
        tokens, known, cast = self.tokens, self.known, self.cast
        a, b = self.spans[q]
        at = self.q_outside[q]
        sentence, paragraph = tokens.sentence[a], tokens.paragraph[a]
        last = earlier[-1] if earlier else None
        spoken: dict[int, int] = {}
        for choice in earlier[-200:]:
            if choice.person >= 0:
                spoken[choice.person] = spoken.get(choice.person, 0) + 1
        behind = [m for m in chosen if cast.mentions[m].start < a]
        ahead = [m for m in chosen if cast.mentions[m].start >= b]
        rank = {m: r for r, m in enumerate(reversed(behind))} | {m: r for r, m in enumerate(ahead)}
        inside = sum(tokens.sentence[cast.mentions[m].start] == sentence for m in chosen)
        quoted_words = set(tokens.words[a:b]) if b - a < 200 else set()
        out = np.empty((len(chosen), len(PAIR) + len(QUOTE)), dtype=np.float32)
        n = len(tokens.words)
        for row, m in enumerate(chosen):
            mention = cast.mentions[m]
            after = mention.start >= b
            here = tokens.sentence[mention.start]
            distance = cast.outside[m] - at if after else at - self.ends_outside[m]
            cue, cue_at, comma = self.cues[m]
            before_cue = _cue(tokens, known, mention.start - 1, here)
            cue_distance = abs(tokens.outside[cue_at] - at) if cue_at >= 0 else 99
            # the strongest cue between the quotation and the candidate
            near = -9.0
            if abs(distance) < 40:
                span = range(b, mention.start) if after else range(mention.end, a)
                for i in span:
                    if tokens.quoted[i] < 0:
                        c = known.cue.get(tokens.lower[i])
                        if c is not None and c > near:
                            near = c
            who = cast.who[m]
            person = cast.people[who] if who >= 0 else None
            prev = mention.start - 1
            opens = prev < 0 or tokens.sentence[prev] != here
            before = known.before.get("^" if opens else tokens.lower[prev], -3.0)
            following = known.after.get(tokens.lower[mention.end] if mention.end < n else "$", -3.0)
            if mention.start and tokens.quoted[prev] >= 0 and not opens:
                before = 0.0
            quotes_between = 0
            if not after and tokens.quoted[mention.start] < 0:
                # the quotations that stand between the candidate and this one
                k = q - 1
                while k >= 0 and self.spans[k][0] >= mention.end:
                    quotes_between += 1
                    k -= 1
            elif after:
                k = q + 1
                while k < len(self.spans) and self.spans[k][0] < mention.start:
                    quotes_between += 1
                    k += 1
            clean = 1.0
            if abs(distance) <= 3:
                span = range(b, mention.start) if after else range(mention.end, a)
                clean = float(all(not tokens.words[i][0].isalpha() for i in span))
            else:
                clean = 0.0
            out[row, : len(PAIR)] = (
                after,
                min(99, max(0, distance)),
                min(9, abs(here - sentence)) if after or here <= sentence else 0,
                min(9, abs(tokens.paragraph[mention.start] - paragraph)),
                min(9, quotes_between),
                min(20, rank.get(m, 0)),
                mention.kind,
                0.0 if person is None else max(-3.0, min(3.0, person.human)),
                cue,
                before_cue,
                near,
                cue_distance,
                before,
                following,
                mention.end < n and tokens.lower[mention.end] in ("'s", "’s"),
                opens,
                mention.start - tokens.first[here] if here < len(tokens.first) else 0,
                last is not None and last.mention == m,
                last is not None and last.person >= 0 and last.person == who,
                min(5, spoken.get(who, 0)) if who >= 0 else 0,
                sum(c.mention == m for c in earlier[-6:]),
                min(20, len(person.seen)) if person else 0,
                rank.get(m, 0) == 0,
                cue_at - mention.end if cue_at >= 0 else 40,
                mention.end < n and tokens.words[mention.end][0].isupper(),
                comma,
                person is not None and person.parts[-1] in self.title,
                mention.end - mention.start,
                inside,
                clean,
                person is not None and person.parts[-1] in quoted_words,
            )
        out[:, len(PAIR) :] = about
        return out


class Models(Protocol):
    """The forests that decide about quotations."""

    @property
    def speaker(self) -> Forest: ...
    @property
    def owned(self) -> Forest: ...


class Decided(NamedTuple):
    """For each quotation who speaks, whether words of somebody it holds at all, and the row that the latter was asked with."""

    choice: Choice
    owned: float
    row: Floats
    scores: Mapping[int, float] = {}  # of each mention near enough, the probability that it speaks


def owned_row(rows: Floats, scores: NDArray[np.float64], about: Sequence[float]) -> Floats:
    """What tells words of somebody from a title or an inch sign; as `OWNED` names it."""
    if not len(scores):
        return np.array([*about, 0.0, 0.0, 0.0, 99.0, -1.0, -9.0, 9.0], dtype=np.float32)
    best = int(scores.argmax())
    rest = float(np.partition(scores, -2)[-2]) if len(scores) > 1 else 0.0
    row = rows[best]
    return np.array(
        [
            *about,
            scores[best],
            scores[best] - rest,
            len(scores),
            row[PAIR.index("distance")],
            row[PAIR.index("kind")],
            row[PAIR.index("cue_next")],
            row[PAIR.index("paragraphs")],
        ],
        dtype=np.float32,
    )


def decide(scene: Scene, models: Models) -> list[Decided]:
    """Who speaks in each quotation, in the order of the text: what was decided before bears on what comes after."""
    earlier: list[Choice] = []
    placed: list[tuple[int, int]] = []
    found: list[Decided] = []
    nobody = Choice(-1, -1, 0.0)
    for q, (a, b) in enumerate(scene.spans):
        about = scene.about(q)
        if a >= b:
            found.append(Decided(nobody, 0.0, owned_row(np.empty((0, 0), np.float32), np.empty(0), about)))
            continue
        chosen = scene.candidates(q, earlier)
        rows = scene.rows(q, chosen, earlier, about)
        scores = models.speaker.probability(rows)
        row = owned_row(rows, scores, about)
        choice = nobody
        if chosen:
            best = int(scores.argmax())
            person = resolve(scene.tokens, scene.cast, chosen[best], placed)
            choice = Choice(chosen[best], person, float(scores[best]))
            if choice.score >= LEAST_SPEAKER:
                earlier.append(choice)
                placed.append((scene.cast.mentions[choice.mention].start, person))
        found.append(Decided(choice, 0.0, row, dict(zip(chosen, scores.tolist(), strict=True))))
    owned = models.owned.probability(np.stack([d.row for d in found])) if found else np.empty(0)
    found = [d._replace(owned=float(p)) for d, p in zip(found, owned, strict=True)]
    for chain in _chains(scene):
        surest = max((found[q].choice for q in chain), key=lambda c: c.score)
        most = max(found[q].owned for q in chain)
        for q in chain:
            found[q] = found[q]._replace(choice=surest, owned=most, scores={surest.mention: surest.score})
    return found


def _chains(scene: Scene) -> list[list[int]]:
    """Quotations that are one utterance: each left open by its paragraph, and the next opens the paragraph after it."""
    tokens = scene.tokens
    opening: set[int] = set()
    for n, paragraph in enumerate(tokens.paragraph):
        if tokens.quoted[n] >= 0 and (n == 0 or tokens.paragraph[n - 1] != paragraph or _only_marks(tokens, n)):
            opening.add(tokens.quoted[n])
    chains: list[list[int]] = []
    for q in range(len(scene.spans) - 1):
        (a, b), (c, d) = scene.spans[q], scene.spans[q + 1]
        if a >= b or c >= d or tokens.quotations[q].closed or q + 1 not in opening:
            continue
        if tokens.paragraph[c] - tokens.paragraph[a] != 1:
            continue
        if chains and chains[-1][-1] == q:
            chains[-1].append(q + 1)
        else:
            chains.append([q, q + 1])
    return chains


def _only_marks(tokens: Tokens, n: int) -> bool:
    """Whether nothing but marks stands before a word in its paragraph."""
    at = n - 1
    while at >= 0 and tokens.paragraph[at] == tokens.paragraph[n]:
        if tokens.words[at][0].isalnum():
            return False
        at -= 1
    return True
