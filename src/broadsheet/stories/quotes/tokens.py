"""A text as words with their sentences and paragraphs, each quotation standing as one piece of its sentence."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from broadsheet.stories.quotes.marks import Quotation


def word_set(written: str) -> frozenset[str]:
    return frozenset(written.split())


# Letters and digits with what joins them; a possessive is a word of its own; every other sign stands alone.
_TOKEN: Final = re.compile(r"[^\W_]+(?:(?:[.&/\-‑]|[’'](?!s\b))[^\W_]+)*|[’']s\b|\.\.\.|--|\n+|[^\s]", re.UNICODE)
LONGEST: Final = (
    250  # words of a sentence: a list or a page without full stops is cut, or time would grow with its square
)
_ABBREVIATIONS: Final = word_set("""
    mr mrs ms dr prof sen rep gov lt col gen sgt capt cmdr adm st jr sr vs no inc corp co ltd hon rev pres sec dept
    jan feb mar apr jun jul aug sept sep oct nov dec ala ariz ark calif colo conn del fla ga ill ind kan ky la mass md
    mich minn miss mo mont neb nev okla ore pa penn tenn tex va vt wash wis wyo u.s u.k u.n d.c e.g i.e a.m p.m messrs
    supt atty asst maj pvt cpl mt ft dist
""")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a text, in parallel lists."""

    text: str
    words: list[str]
    lower: list[str]
    starts: list[int]
    ends: list[int]
    sentence: list[int]
    paragraph: list[int]
    quoted: list[int]  # the number of the quotation that holds the word; -1 outside all
    outside: list[int]  # how many words before this one lie outside all quotations
    first: list[int]  # of each sentence, its first word
    quotations: Sequence[Quotation]
    spans: list[tuple[int, int]]  # of each quotation, its words

    def at(self, offset: int) -> int:
        """The first word that starts at `offset` or later."""
        return bisect_left(self.starts, offset)


def _ends_sentence(words: list[str], i: int, text: str, after: int) -> bool:
    """Whether the sign at `i` ends its sentence, going by what stands on both sides."""
    following = text[after : after + 3].lstrip("”\"’')]»")
    if following and not following[0].isspace():
        return False
    rest = text[after : after + 40].lstrip("”\"’')]» \t\u00a0")
    if rest and rest[0].islower():
        return False
    if words[i] == "." and i:
        before = words[i - 1]
        if (len(before) == 1 and before.isupper() and before != "I") or before.lower() in _ABBREVIATIONS:
            return False
        if "." in before and len(before) <= 5 and before.replace(".", "").isupper():
            # "the U.S. Senate" goes on; "in the U.S. The" does not: a common opening tells them apart
            return rest.split(" ", 1)[0] in _OPENINGS
    return True


_OPENINGS: Final = word_set("""
    The But And In On At He She It They We This That A An As If For His Her When After
""")


def tokenise(text: str, quotations: Sequence[Quotation]) -> Tokens:
    words: list[str] = []
    lower: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    sentence: list[int] = []
    paragraph: list[int] = []
    quoted: list[int] = []
    outside: list[int] = []
    first: list[int] = []
    spans: list[tuple[int, int]] = []
    q = 0
    opened = -1
    count = 0
    here = para = 0
    fresh = True
    pending = False  # a quotation that ended with a full stop ends its sentence if a capital follows
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        word = match.group()
        if word[0] == "\n":
            if words:
                if not fresh:
                    here += 1
                    fresh = True
                para += 1
            pending = False
            continue
        while q < len(quotations) and start >= quotations[q].end:
            if opened >= 0:
                spans.append((opened, len(words)))
                pending = text[quotations[q].end - 1] in ".!?…" or (text[quotations[q].end :][:2][1:] == ".")
                opened = -1
            else:
                spans.append((len(words), len(words)))
            q += 1
        inside = q if q < len(quotations) and start >= quotations[q].start else -1
        if inside >= 0 and opened < 0:
            opened = len(words)
        if pending and inside < 0 and word[0].isalnum():
            if word[0].isupper() and text[quotations[q - 1].end - 1] != "," and not fresh:
                here += 1
                fresh = True
            pending = False
        elif pending and inside >= 0 and opened == len(words):
            if not fresh:  # “A.” “B.”
                here += 1
                fresh = True
            pending = False
        elif pending and word in ",;:—–":
            pending = False
        if not fresh and len(words) - first[-1] >= LONGEST and (inside < 0 or opened == len(words)):
            here += 1
            fresh = True
        if fresh:
            first.append(len(words))
            fresh = False
        words.append(word)
        lower.append(word.lower())
        starts.append(start)
        ends.append(end)
        sentence.append(here)
        paragraph.append(para)
        quoted.append(inside)
        outside.append(count)
        if inside < 0:
            count += 1
            if (word in ".!?…" or word == "...") and _ends_sentence(words, len(words) - 1, text, end):
                here += 1
                fresh = True
    while q < len(quotations):
        spans.append((opened, len(words)) if opened >= 0 else (len(words), len(words)))
        opened = -1
        q += 1
    return Tokens(text, words, lower, starts, ends, sentence, paragraph, quoted, outside, first, quotations, spans)
