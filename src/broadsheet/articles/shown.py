"""What a reader sees of a page, in order: its pieces of text, and where its title stands among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxml import etree
from lxml.etree import _Element

from broadsheet.articles.furniture import key_of, text_of

__all__ = ["HIDDEN", "Shown", "shown"]

HIDDEN = "\x00"  # opens a piece that stands in an attribute (a time's), not in the text
_SKIPPED = frozenset({"script", "style", "noscript", "template", "svg", "select", "textarea", "head", "iframe"})
_TIMES = frozenset({"time", "relative-time", "time-ago", "local-time", "date"})

_Piece = tuple[str, _Element]


@dataclass(frozen=True, slots=True)
class Shown:
    """The pieces of a page's text; its title is those from `first` to before `last`, none where both are 0."""

    pieces: Sequence[_Piece]
    ends: Sequence[int]  # characters of text up to the end of each piece
    first: int = 0
    last: int = 0
    heading: _Element | None = None

    def away(self, n: int) -> int:
        """How many characters of text stand between the title and a piece; negative before it, 0 without a title."""
        if not self.last:
            return 0
        return self.ends[n] - self.ends[self.last - 1] if n >= self.last else self.ends[n] - self.ends[self.first]


def _pieces(tree: _Element) -> tuple[list[_Piece], dict[_Element, int]]:
    """The pieces in order, each with the element it is in, and before which piece each h1 begins."""
    pieces: list[_Piece] = []
    headings: dict[_Element, int] = {}
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        if event == "start":
            if element.tag in _SKIPPED:
                walk.skip_subtree()
                continue
            if element.tag == "h1":
                headings[element] = len(pieces)
            if element.tag in _TIMES and (written := element.get("datetime")):
                pieces.append((f"{HIDDEN}{written}", element))
            if element.text and not element.text.isspace():
                pieces.append((element.text, element))
        elif element.tail and not element.tail.isspace() and (parent := element.getparent()) is not None:
            pieces.append((element.tail, parent))
    return pieces, headings


def _title_at(
    pieces: Sequence[_Piece], headings: Mapping[_Element, int], title: str
) -> tuple[int, int, _Element | None]:
    key = key_of(title)

    def end(start: int, text: str) -> int:
        held, n = "", start
        while n < len(pieces) and len(held) < len(text):
            held += key_of(pieces[n][0])
            n += 1
        return max(n, start + 1)

    large = [(start, key_of(text_of(heading)), heading) for heading, start in headings.items()]
    large = [heading for heading in large if heading[1] and heading[0] < len(pieces)]
    for start, text, heading in large:
        if key and (text == key or (len(text) > 8 and (text in key or key in text))):
            return start, end(start, text), heading
    same = [n for n, (text, _) in enumerate(pieces) if key and len(text) >= len(title) and key_of(text) == key]
    if same:
        n = next((n for n in same if pieces[n][1].tag in ("h2", "h3")), same[0])
        return n, n + 1, pieces[n][1]
    if large:
        start, text, heading = large[0]
        return start, end(start, text), heading
    return 0, 0, None


def shown(tree: _Element, title: str) -> Shown:
    """What the page shows, with the place of its title."""
    pieces, headings = _pieces(tree)
    ends: list[int] = []
    total = 0
    for text, _ in pieces:
        total += 0 if text[0] == HIDDEN else len(" ".join(text.split()))
        ends.append(total)
    return Shown(pieces, ends, *_title_at(pieces, headings, title))
