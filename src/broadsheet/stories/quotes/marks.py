"""Where quotation marks open and close: “curly”, "straight", «guillemets», „German“, ‘single’, balanced or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

DOUBLE: Final = '“”"«»„‟〝〞＂'
_MARK: Final = re.compile(r"[“”\"«»„‟＂「」『』‘’']")
_OPENS_ONLY: Final = frozenset("„‟「『")
_AHEAD: Final = 60  # marks among which the one that closes a single one is looked for
_ELIDED: Final = re.compile(r"(?i)(?:\d\ds?|em|til|tis|twas|cause|bout|round|n)\b")
_TAG: Final = re.compile(r"<[A-Za-z/][^<>\n]{0,1500}>")


@dataclass(frozen=True, slots=True)
class Quotation:
    """What stands between two marks: offsets of the words alone, the marks left out."""

    start: int
    end: int
    closed: bool = True  # a mark ends it; the end of the paragraph does not
    single: bool = False


def _space(text: str, at: int) -> bool:
    return not 0 <= at < len(text) or text[at].isspace()


def _letter(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isalnum()


def _can_open(text: str, at: int) -> bool:
    before = " " if at == 0 else text[at - 1]
    return (before.isspace() or before in '([{—–-:/“"‘«„>\u200b…' or not before.isalnum()) and (
        not _space(text, at + 1) or text[at] == "«"
    )


def _can_close(text: str, at: int) -> bool:
    if at < 1 or text[at] == "»":
        return at > 0
    # “… the ‘outreach,’ ” he said: a space keeps two marks apart
    return not text[at - 1].isspace() or (at > 1 and text[at - 2] in "'’" and _space(text, at + 1))


def quotations(text: str) -> list[Quotation]:
    """Every run of words between quotation marks, in order, none within another.

    A mark left open ends with its paragraph: so does each paragraph but the last of a quote of several. Single marks
    count only where no double mark is open, and apostrophes never do.
    """
    # Two apostrophes are a double mark in some archives; the sign that takes the second place counts as a space.
    text = text.replace("''", '"\0').replace("``", "“\0")
    found: list[Quotation] = []
    start = 0
    # The quotation marks of markup that was left in are no one's.
    tags = {at for m in _TAG.finditer(text) for at in range(*m.span()) if text[at] in "\"'"} if "<" in text else set()
    for line in text.split("\n"):
        if line:
            _in_line(text, start, start + len(line), found, tags)
        start += len(line) + 1
    return found


def _in_line(text: str, begin: int, end: int, found: list[Quotation], tags: set[int]) -> None:
    opened = -1
    opener = ""
    passed = begin  # a run in single marks is taken whole: what stands in it is no mark of its own
    marks = [m.start() for m in _MARK.finditer(text, begin, end) if m.start() not in tags]
    for place, at in enumerate(marks):
        if at < passed:
            continue
        mark = text[at]
        if mark in "‘’'":
            if opened < 0 and mark != "’" and _opens_single(text, at):
                closing = _closing_single(text, at, marks[place + 1 : place + _AHEAD])
                if closing > 0:
                    _add(found, text, at + 1, closing, closed=True, single=True)
                    passed = closing + 1
            continue
        if opened < 0:
            if mark in "”」』" or (mark == "»" and not _can_open(text, at)):
                continue  # a stray close
            if mark in "“«" or mark in _OPENS_ONLY or _can_open(text, at):
                if mark == "“" and not _space(text, at - 1) and _space(text, at + 1):
                    continue
                opened, opener = at, mark
            continue
        if _closes(text, at, mark, opener):
            _add(found, text, opened + 1, at, closed=True)
            opened = -1
        elif mark == opener and mark in '“"' and _can_open(text, at) and _space(text, at - 1):
            # Opened again and never closed: what the first mark held is not known, so its sentence ends it.
            stop = re.compile(r"[.!?](?=\s)").search(text, opened, at)
            _add(found, text, opened + 1, stop.end() if stop else at, closed=False)
            opened = at
    if opened >= 0:
        _add(found, text, opened + 1, end, closed=False)


def _closes(text: str, at: int, mark: str, opener: str) -> bool:
    if mark in "”」』":
        return True
    if mark == "“":
        return opener in "„‟" or (not _space(text, at - 1) and not _letter(text, at + 1))
    if mark == "»":
        return opener in "«»"
    if mark == "«":
        return opener == "»"
    if mark in '"＂':
        return _can_close(text, at) and not (_letter(text, at + 1) and not _letter(text, at - 1) and opener == mark)
    return False


def _opens_single(text: str, at: int) -> bool:
    return _can_open(text, at) and _letter(text, at + 1) and not _ELIDED.match(text, at + 1)


def _closing_single(text: str, opened: int, marks: list[int]) -> int:
    """The mark that ends a run in single marks; -1 where only apostrophes follow."""
    possible = -1
    for at in marks:
        if text[at] not in "’'":
            if text[at] == "‘" and possible > 0:
                break
            continue
        if _letter(text, at + 1) or text[at - 1].isspace():
            continue
        if text[at - 1] in ',.!?…”"':
            return at
        if text[at - 1] == "s" and text[at + 1 : at + 2] == " " and text[at + 2 : at + 3].islower():
            if possible < 0:
                possible = at  # the ministers’ plan: a possessive, unless nothing better follows
            continue
        if possible < 0 or text[possible - 1] == "s":
            return at
    return possible


def _add(found: list[Quotation], text: str, start: int, end: int, *, closed: bool, single: bool = False) -> None:
    while start < end and (text[start].isspace() or text[start] == "\0"):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] == "\0"):
        end -= 1
    if end > start and any(c.isalnum() for c in text[start:end]):
        found.append(Quotation(start, end, closed, single))
