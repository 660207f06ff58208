"""Sentences with their places: the unit that summaries, quotes and novelty point to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from broadsheet.model import Article, Passage

__all__ = ["passages", "sentences"]

# Words whose full stop ends no sentence, in lower case. Those of `_SOMETIMES` do where a clear start follows.
_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "mx",
        "dr",
        "prof",
        "rev",
        "fr",
        "sr",
        "sra",
        "st",
        "mt",
        "ft",
        "gen",
        "lt",
        "col",
        "maj",
        "capt",
        "cmdr",
        "adm",
        "sgt",
        "cpl",
        "pvt",
        "gov",
        "sen",
        "rep",
        "rep.",
        "hon",
        "pres",
        "supt",
        "insp",
        "det",
        "vs",
        "v",
        "etc",
        "viz",
        "cf",
        "al",
        "fig",
        "figs",
        "no",
        "nos",
        "vol",
        "pp",
        "ed",
        "eds",
        "approx",
        "est",
        "dept",
        "univ",
        "assn",
        "bros",
        "messrs",
        "mme",
        "mlle",
        "m",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "mon",
        "tue",
        "tues",
        "wed",
        "thu",
        "thur",
        "thurs",
        "fri",
        "sat",
        "sun",
        "e.g",
        "i.e",
        "a.k.a",
        "ca",
        "art",
        "sec",
        "para",
        "ch",
        "z.b",
        "d.h",
        "u.a",
        "bzw",
        "usw",
        "ca.",
        "nr",
        "str",
        "dr.h",
        "hr",
        "fr",
        "prof.dr",
        "ing",
        "dipl",
        "av",
        "bd",
        "ave",
        "blvd",
        "rd",
        "sq",
        "hwy",
        "pt",
        "ste",
        "col.",
        "lt.gen",
        "lt.col",
        "maj.gen",
        "brig",
        "ambassador",
        "amb",
        "atty",
        "treas",
        "ald",
        "cllr",
        "mp",
        "rt",
    ]
)
_SOMETIMES = frozenset(
    [
        "jr",
        "sr",
        "inc",
        "ltd",
        "co",
        "corp",
        "llc",
        "plc",
        "bros",
        "u.s",
        "u.k",
        "u.n",
        "e.u",
        "d.c",
        "a.m",
        "p.m",
        "u.s.a",
        "ph.d",
        "m.d",
        "b.a",
        "m.a",
        "n.y",
        "l.a",
        "etc",
        "no",
        "sa",
        "s.a",
        "pty",
        "gmbh",
        "ag",
    ]
)
_END = re.compile(r"(?:\.{3,}|…+|[.!?]+|[。！？｡۔।؟]+)[\"'”’»›)\]】」』）〉》]*")
_OPENERS = "\"'“‘«‹(【「『（〈《[¿¡-–—"
_LIST_NUMBER = re.compile(r"(?:^|\s)\(?\d{1,2}\.$")


def _is_break(text: str, start: int, end: int, opening: int) -> bool:
    """Does a sentence end with the mark at start:end? `opening` is where the sentence began."""
    mark = text[start:end]
    if mark[0] in "。！？｡۔।؟":
        return True
    if end < len(text) and not text[end].isspace():
        return False  # 3.14, example.org, "U.S.-led"
    rest = text[end:].lstrip()
    if not rest:
        return True
    following = rest.lstrip(_OPENERS + " ")[:1]
    if following.islower():
        # "... he asked." after a quoted question; "Yahoo! said"; ellipsis inside a sentence
        return False
    if mark[0] in "!?":
        return True
    if mark.startswith("...") or mark[0] == "…":
        return following.isupper() or following.isdigit() or not following
    if mark.rstrip("\"'”’»›)]") != ".":
        return True
    closed = mark != "."  # a quotation mark or bracket after the stop
    before = re.search(r"[\w.&’'-]+$", text[opening:start])
    word = before[0].lower().strip("'’") if before else ""
    if closed:
        return word not in _ABBREVIATIONS or word in _SOMETIMES
    if _LIST_NUMBER.search(text[opening : start + 1]) and len(text[opening:start].strip("( ")) <= 2:
        return False
    if word in _SOMETIMES:
        return _starts_plainly(rest)
    if word in _ABBREVIATIONS:
        return (
            word in ("no", "mar", "sun", "sat", "fig", "est", "art", "al", "m", "v", "fr", "pt")
            and not rest[:1].isdigit()
            and before is not None
            and before[0].islower()
        )
    if len(word) == 1 and word.isalpha() and before is not None and before[0].isupper():
        return word == "i" or _starts_plainly(rest)  # "J. Smith" goes on, "vitamin C. The" does not
    if re.fullmatch(r"(?:\w\.)+\w", word):
        return _starts_plainly(rest)
    return True


_STARTERS = frozenset(
    [
        "the",
        "a",
        "an",
        "this",
        "that",
        "these",
        "those",
        "he",
        "she",
        "it",
        "they",
        "we",
        "i",
        "you",
        "his",
        "her",
        "its",
        "their",
        "our",
        "my",
        "there",
        "here",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "to",
        "of",
        "as",
        "and",
        "but",
        "or",
        "so",
        "if",
        "when",
        "while",
        "after",
        "before",
        "since",
        "although",
        "though",
        "however",
        "meanwhile",
        "what",
        "why",
        "how",
        "who",
        "where",
        "it's",
        "that's",
        "he's",
        "she's",
        "both",
        "some",
        "many",
        "most",
        "all",
        "no",
        "not",
        "one",
        "two",
        "another",
        "other",
        "according",
        "last",
        "next",
        "now",
        "then",
        "yet",
        "still",
        "also",
        "even",
        "during",
        "despite",
        "because",
        "once",
        "until",
        "under",
        "over",
        "more",
        "such",
        "each",
        "every",
        "officials",
        "police",
    ]
)


def _starts_plainly(rest: str) -> bool:
    """Does what follows begin as sentences do, with a small common word, rather than as names do?"""
    word = re.match(r"[\w’']+", rest.lstrip(_OPENERS + " "))
    return word is not None and word[0][0].isupper() and word[0].lower().replace("’", "'") in _STARTERS


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """The sentences of a text as (start, end), in order, none empty and none over a paragraph's end.

    Nothing but white space lies between them.
    """
    for paragraph in re.finditer(r"[^\n]+", text):
        opening, stop = paragraph.span()
        body = text[:stop]
        for mark in _END.finditer(text, opening, stop):
            if mark.start() < opening or not text[opening : mark.end()].strip():
                continue
            if _is_break(body, mark.start(), mark.end(), opening):
                yield from _trimmed(text, opening, mark.end())
                opening = mark.end()
        yield from _trimmed(text, opening, stop)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def passages(article: Article) -> tuple[Passage, ...]:
    """The sentences of an article; `text[start:end]` of the article is each one's text."""
    return tuple(
        Passage(article=article.id, text=article.text[start:end], start=start, end=end)
        for start, end in sentences(article.text)
    )
