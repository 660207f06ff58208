"""Which sentences of an article show that it answers a search: verbatim, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from broadsheet.articles.passages import sentences
from broadsheet.store.search import Hit, Marks

MOST = 2  # sentences of a hit
LONGEST = 320  # characters of one; of a longer one the part around the first word that was found
BEFORE = 110  # characters of that part that stand before the word
ALIKE = 5  # letters by which forms of one word are told from another: "tariff", "tariffs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A sentence of an article, or a part of it, with where the words that were asked for stand in it."""

    text: str
    marks: Marks
    start: int | None = None  # its offsets in the article's text; None: a key point of its publisher, beside the text
    end: int | None = None
    begins: bool = True  # whether the sentence begins and ends where this does
    ends: bool = True


def quoted(hit: Hit) -> tuple[Quoted, ...]:
    """The sentence that has most of the words, and the one that has most of those which are missing there, in their order.

    Where the text has none of them its publisher's key points that do; else its first sentence.
    """
    text = hit.article.text
    chosen = _chosen(text, hit.marks)
    if not chosen and hit.pointed:
        return tuple(Quoted(text=point, marks=marks) for point, marks in hit.pointed[:MOST])
    if not chosen:
        first = next(sentences(text), None)
        return (_cut(text, *first, ()),) if first else ()
    return tuple(_cut(text, start, end, marks) for start, end, marks in chosen)


def _chosen(text: str, marks: Marks) -> list[tuple[int, int, Marks]]:
    """The sentences, with the marks that lie in them."""
    found: list[tuple[int, int, Marks, frozenset[str]]] = []
    at = 0
    for start, end in _sentences_with(text, marks):
        while at < len(marks) and marks[at][0] < start:
            at += 1
        inside = []
        while at < len(marks) and marks[at][1] <= end:
            inside.append(marks[at])
            at += 1
        if inside:
            words = frozenset(text[a:b].casefold()[:ALIKE] for a, b in inside)
            found.append((start, end, tuple(inside), words))
    chosen: list[tuple[int, int, Marks]] = []
    said: frozenset[str] = frozenset()
    while len(chosen) < MOST:
        # of sentences that say as much the shorter one, so far as it is no mere heading, then the first
        best = max(found, key=lambda f: (len(f[3] - said), f[1] - f[0] >= 40, -(f[1] - f[0]) // 200), default=None)
        if best is None or not best[3] - said:
            break
        chosen.append(best[:3])
        said |= best[3]
    return sorted(chosen)


def _sentences_with(text: str, marks: Marks) -> Iterator[tuple[int, int]]:
    """The sentences of the paragraphs that have marks: a sentence ends with its paragraph, and to part all of them took
    1 ms an article."""
    until = 0
    for at, _ in marks:
        if at < until:
            continue
        begin, stop = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        until = stop if stop >= 0 else len(text)
        yield from ((begin + start, begin + end) for start, end in sentences(text[begin:until]))


def _cut(text: str, start: int, end: int, marks: Marks) -> Quoted:
    """The sentence, or of a long one the part around the first mark, from one space to another."""
    low, high = start, end
    if end - start > LONGEST:
        wanted = max(start, (marks[0][0] if marks else start) - BEFORE)
        if wanted > start:
            space = text.find(" ", wanted, marks[0][0])
            low = space + 1 if space >= 0 else wanted
        high = min(end, low + LONGEST)
        if high < end:
            space = text.rfind(" ", max([low, *(b for a, b in marks if a < high)]), high)
            high = space if space > low else high
    inside = tuple((a - low, b - low) for a, b in marks if low <= a and b <= high)
    return Quoted(text=text[low:high], marks=inside, start=low, end=high, begins=low == start, ends=high == end)
