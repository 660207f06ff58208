"""Articles out of pasted text: a page as it was copied, with its advertisements, promotions, captions and links in the way.

There is no markup to go by, so lines are judged by their shape and their company: a paragraph ends as a sentence
does; a headline stands alone and does not; a caption ends in a credit; a time code announces a video's title; a line
that a longer one repeats is a pull quote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from broadsheet.articles.dates import when
from broadsheet.articles.furniture import (
    caption_of,
    ends_article,
    is_credit,
    is_furniture,
    is_promotion,
    is_sentence,
    key_of,
    word_count,
)
from broadsheet.articles.metadata import names_in, title_without_site

__all__ = ["Pasted", "read"]

_BULLET = re.compile(r"^\s*(?:[•·●▪◦‣⁃■□▶►➤*–—-]|\(?\d{1,2}[.)])\s+")
_KEY_BULLET = re.compile(r"^\s*[•·●▪◦‣⁃■□▶►➤*–—-]\s+")
_TIME_CODE = re.compile(r"(?:(?:video|watch|play|live|duration|now playing)?[\s:|·•-]*)(?:\d{1,2}:)?\d{1,2}:\d{2}(?:\s?/\s?(?:\d{1,2}:)?\d{1,2}:\d{2})?$", re.IGNORECASE)  # fmt: skip
_BYLINE = re.compile(
    r"^(?:(?:written|words|story|analysis|opinion|report(?:ed)?|posted|published|interview|text)\s+)?by:?\s+(?=[^\W\d_])",
    re.IGNORECASE,
)
_ROLE_LINE = re.compile(
    r"^(?:[\w.'’&-]+\s){0,6}(?:correspondent|reporter|editor|columnist|staff writer|bureau chief|news|agencies|writer)(?:[\s,]+(?:in\s+)?[\w.'’ -]{0,40})?$",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"^(?:(?:first\s+)?(?:published|posted|updated|last updated|last modified|modified|created|date|on)\b|"
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b|\d{1,2}(?:st|nd|rd|th)?[\s./-]|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d|(?:19|20)\d{2}[-/年])",
    re.IGNORECASE,
)
_AGO = re.compile(
    r"^(?:published|updated|posted)?[\s:,]*(?:\d+|an?|one) (?:minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?) ago$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:published|updated|last updated|posted|author|by|image|video|key points|at a glance|highlights|summary)\s?:?$",
    re.IGNORECASE,
)
_SUMMARY_LABEL = re.compile(r"^(?:key (?:points|takeaways|facts|developments)|at a glance|highlights|summary|in (?:brief|short)|what (?:to|you need to) know|the (?:gist|essentials)|tl;?dr|why it matters)\s?:?$", re.IGNORECASE)  # fmt: skip
_INNER_END = re.compile(r"[.!?。！？][\"'”’)]*\s+[\"'“‘(]?[^\W\d_]")
_SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "as",
        "at",
        "but",
        "by",
        "for",
        "from",
        "in",
        "into",
        "nor",
        "of",
        "off",
        "on",
        "or",
        "over",
        "per",
        "so",
        "than",
        "that",
        "the",
        "to",
        "up",
        "via",
        "vs",
        "with",
        "yet",
        "is",
    ]
)

_FULL_WORDS = 8  # a line that ends as a sentence and has this many words is a paragraph whatever its neighbours
_LONG_WORDS = 30  # a line of so many words is a paragraph even where its last mark was lost
_SUBHEADING_WORDS = 5  # a heading between paragraphs has few words; a headline of another story has more


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """What pasted text holds."""

    title: str = ""
    paragraphs: tuple[str, ...] = ()
    key_points: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    captions: tuple[str, ...] = ()
    section: str = ""
    dropped: tuple[str, ...] = ()  # lines that were judged foreign, with the reader's right to see them


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    block: int  # lines without a blank one between them share a block
    bullet: bool
    words: int
    sentence: bool

    @property
    def is_full(self) -> bool:
        """A paragraph by its shape alone."""
        if self.words >= _LONG_WORDS:
            return True
        return self.sentence and (self.words >= _FULL_WORDS or (self.words >= 3 and self.text[-1:] not in "?:;！？"))


def _unwrapped(text: str) -> list[list[str]]:
    """The lines of each block; lines that were broken at a fixed width (as in e-mail) are joined again."""
    blocks = [[line for line in block.split("\n") if line.strip()] for block in re.split(r"\n\s*\n", text)]
    blocks = [block for block in blocks if block]
    full = [len(line) for block in blocks for line in block[:-1] if not _BULLET.match(line)]
    broken = sum(1 for block in blocks for line in block[:-1] if not is_sentence(line.strip()))
    if len(full) >= 4 and max(full) <= 100 and sorted(full)[len(full) // 3] >= 50 and broken >= 0.6 * len(full):
        joined: list[list[str]] = []
        for block in blocks:
            lines: list[str] = []
            for number, line in enumerate(block):
                if number and not _BULLET.match(line) and len(block[number - 1]) >= 45:
                    lines[-1] = f"{lines[-1].rstrip()} {line.strip()}"
                else:
                    lines.append(line)
            joined.append(lines)
        return joined
    return blocks


def _lines(text: str) -> list[_Line]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = re.sub(r"[\u200b\u200e\u200f\ufeff\u2060]", "", text).replace("\u00a0", " ")
    lines = []
    for number, block in enumerate(_unwrapped(text)):
        for raw in block:
            bullet = _KEY_BULLET.match(raw) is not None
            line = " ".join((_KEY_BULLET.sub("", raw) if bullet else raw).split())
            if line:
                lines.append(_Line(line, number, bullet, word_count(line), is_sentence(line)))
    return lines


def _is_dateline(text: str) -> bool:
    if len(text) > 90:
        return False
    return _AGO.match(text) is not None or (
        _DATED.match(text) is not None and when(text) is not None and word_count(text) <= 14
    )


def _is_byline(line: _Line) -> bool:
    return (
        line.words <= 16
        and not line.bullet
        and (_BYLINE.match(line.text) is not None and bool(names_in(line.text)) and not _INNER_END.search(line.text))
    )


def _is_title_case(text: str) -> bool:
    words = [w for w in re.findall(r"[^\W\d_][\w'’-]*", text) if w.lower() not in _SMALL_WORDS]
    return len(words) >= 4 and sum(w[0].isupper() for w in words) >= 0.8 * len(words)


def _body_start(lines: Sequence[_Line]) -> int:
    """Where the first paragraph is: a full one that is no bullet, caption or furniture, with another soon after."""
    candidates = [
        n
        for n, line in enumerate(lines)
        if line.is_full
        and not line.bullet
        and not _aside(line)
        and line.words >= _FULL_WORDS
        and not is_promotion(line.text)
    ]
    for place, n in enumerate(candidates):
        # the paragraph that stands in its own company: at most five lines that could be text lie before the next one
        if place + 1 == len(candidates):
            return n
        if sum(not _aside(line) for line in lines[n + 1 : candidates[place + 1]]) <= 5:
            return n
    return candidates[0] if candidates else len(lines)


def _aside(line: _Line) -> bool:
    return (
        is_furniture(line.text)
        or is_credit(line.text)
        or caption_of(line.text) is not None
        or _is_dateline(line.text)
        or _is_byline(line)
    )


def _content_words(text: str) -> set[str]:
    return {w.lower().removesuffix("'s").removesuffix("’s") for w in re.findall(r"\w[\w'’-]{3,}", text)}


def _choose_title(header: Sequence[_Line], body: Sequence[_Line]) -> int | None:
    """Which line of the header is the title: the one that speaks of what the body speaks of."""
    said = _content_words(" ".join(line.text for line in body[:14]))
    keys = [key_of(line.text) for line in header]
    counts = Counter(keys)
    best: tuple[float, int] | None = None
    overlap_of_best = 0.0
    for n, line in enumerate(header):
        if line.bullet or line.words > 40 or len(line.text) > 300 or _aside(line) or _LABEL.match(line.text):
            continue
        if line.words < 2 and len(line.text) < 12:
            continue
        mine = _content_words(line.text)
        overlap = len(mine & said) / len(mine) if mine else 0.0
        score = 2.0 * overlap + min(line.words, 10) / 10
        score -= 0.6 if line.sentence and line.text[-1] not in "?!？！" else 0.0
        score += 0.5 if n + 1 < len(header) and header[n + 1].bullet else 0.0
        score += 0.4 if n + 1 < len(header) and (_is_byline(header[n + 1]) or _is_dateline(header[n + 1].text)) else 0.0
        score += 0.4 if counts[keys[n]] > 1 else 0.0
        score -= 0.5 if line.words > 22 else 0.0
        # a standfirst speaks of the same, and comes second
        if best is None or score > best[0] + (0.7 if overlap_of_best >= 0.5 else 0.35):
            best, overlap_of_best = (score, n), overlap
    return best[1] if best else None


def read(text: str) -> Pasted:
    """What pasted text holds: its title, key points, body, captions; lines of other things are left out."""
    lines = _lines(text)
    if not lines:
        return Pasted()
    start = _body_start(lines)
    body = lines[start:]
    header = lines[:start]
    chosen = _choose_title(header, body)
    if chosen is None and start < len(lines) and not header:
        # no line before the first paragraph: nothing that could be a title
        chosen = None
    title = header[chosen].text if chosen is not None else ""

    dropped: list[str] = []
    captions: list[str] = []
    points: list[str] = []
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    section = ""

    title_key = key_of(title)
    standfirst: list[str] = []
    for n, line in enumerate(header):
        if n == chosen or (title_key and key_of(line.text) == title_key):
            continue
        previous = header[n - 1].text if n else ""
        caption = caption_of(line.text)
        if caption is None and n and (is_credit(previous) and line.block == header[n - 1].block):
            caption = line.text
        if caption is not None and not line.bullet:
            captions.append(caption)
        elif _is_byline(line):
            authors = authors or names_in(line.text)
        elif _is_dateline(line.text):
            written = when(line.text)
            if line.text.lower().startswith(("updated", "last", "modified")) or previous.lower().startswith(
                ("updated", "last updated")
            ):
                updated = updated or written
            else:
                published = published or written
        elif (
            is_furniture(line.text)
            or is_credit(line.text)
            or _LABEL.match(line.text)
            or _SUMMARY_LABEL.match(line.text)
        ):
            dropped.append(line.text)
        elif chosen is not None and n > chosen and line.bullet and line.words >= 4:
            points.append(line.text)
        elif (
            chosen is not None
            and n > chosen
            and line.words >= 8
            and not _ROLE_LINE.match(line.text)
            and n - chosen <= 3
            and not line.bullet
        ):
            standfirst.append(line.text)
        elif chosen is not None and n < chosen and not section and line.words <= 4 and _is_section(line.text, title):
            section = line.text
        else:
            dropped.append(line.text)
    # a site's name after the title ("... | Reuters") is no part of it
    title = title_without_site(title, site=_tail_site(title, header))
    # bullets are the page's own summary; without them its standfirst is
    if not points:
        points = standfirst
    else:
        dropped.extend(standfirst)

    paragraphs, rest = _body(body, captions, dropped, title_key)
    for line in rest:
        if not authors and _is_byline(line):
            authors = names_in(line.text)
        elif published is None and _is_dateline(line.text):
            published = when(line.text)
    return Pasted(
        title=title,
        paragraphs=tuple(paragraphs),
        key_points=tuple(dict.fromkeys(points)),
        authors=authors,
        published=published,
        updated=updated,
        captions=tuple(dict.fromkeys(captions)),
        section=section,
        dropped=tuple(dropped),
    )


def _is_section(text: str, title: str) -> bool:
    words = word_count(text)
    return (
        1 <= words <= 4
        and not any(c.isdigit() for c in text)
        and (key_of(text) in key_of(title) or words <= 3)
        and text[:1].isupper()
        and not is_sentence(text)
    )


def _tail_site(title: str, header: Sequence[_Line]) -> str:
    """The last part of the title where another line of the header says it alone: the masthead."""
    tail = re.split(r"\s+[|–—-]\s+", title)[-1]
    return (
        tail
        if tail != title
        and (any(key_of(line.text) == key_of(tail) for line in header) or ("|" in title and word_count(tail) <= 3))
        else ""
    )


def _body(
    body: Sequence[_Line], captions: list[str], dropped: list[str], title_key: str
) -> tuple[list[str], list[_Line]]:
    """The paragraphs of the body; what is foreign goes to `captions` and `dropped`. Also the lines that tell of it."""
    full_keys = [key_of(line.text) for line in body if line.is_full]
    counts: dict[str, int] = {}
    for line in body:
        counts[key_of(line.text)] = counts.get(key_of(line.text), 0) + 1
    total_words = sum(line.words for line in body if line.is_full) or 1
    kept: list[tuple[_Line, str]] = []
    about: list[_Line] = []
    seen: set[str] = set()
    said = 0  # words of full paragraphs so far
    after_video = False
    elsewhere = False  # after "Related stories": until the next full paragraph
    last_full = max((n for n, line in enumerate(body) if line.is_full), default=-1)

    for n, line in enumerate(body):
        key = key_of(line.text)
        previous = body[n - 1] if n else None
        if _TIME_CODE.match(line.text):
            after_video = True
            dropped.append(line.text)
            continue
        if ends_article(line.text):
            # a count of comments also stands in the bar of buttons that some pages repeat half-way
            if said >= (0.85 if "omment" in line.text else 0.6) * total_words:
                dropped.extend(rest.text for rest in body[n:])
                about.extend(body[n:])
                break
            elsewhere = True
            dropped.append(line.text)
            continue
        caption = caption_of(line.text)
        if (
            caption is None
            and previous is not None
            and is_credit(previous.text)
            and previous.block == line.block
            and not (line.is_full and line.words > 30)
        ):
            caption = line.text
        if caption is not None:
            captions.append(caption)
            continue
        if _is_byline(line) or _is_dateline(line.text):
            about.append(line)
            dropped.append(line.text)
            continue
        if is_furniture(line.text) or is_credit(line.text) or key == title_key:
            dropped.append(line.text)
            continue
        if key in seen and line.words > 3:
            dropped.append(line.text)
            continue
        repeats = counts[key] > 1
        full = line.is_full and not (repeats and line.words < 25 and not line.sentence)
        if after_video and (repeats or not full or (line.words < 25 and line.text[-1] in "?!？！")):
            dropped.append(line.text)
            continue
        after_video = False
        if full and _is_question_headline(line, body, n):
            dropped.append(line.text)
            continue
        if full and _is_pull_quote(key, line, full_keys):
            dropped.append(line.text)
            continue
        if full:
            elsewhere = False
            said += line.words
            seen.add(key)
            kept.append((line, line.text))
            continue
        if not elsewhere and n < last_full and _belongs(line, body, n, repeats, kept):
            seen.add(key)
            kept.append((line, line.text))
        else:
            dropped.append(line.text)
    while len(kept) > 2 and is_promotion(kept[-1][1]):
        dropped.append(kept.pop()[1])
    while kept and not kept[-1][0].is_full and not kept[-1][0].bullet:
        dropped.append(kept.pop()[1])
    return [text for _, text in kept], about


def _is_question_headline(line: _Line, body: Sequence[_Line], n: int) -> bool:
    """A question that is set as headlines are, alone between paragraphs."""
    return (
        line.text[-1] in "?？"
        and line.words <= 16
        and _alone(body, n)
        and _is_title_case(line.text)
        and not _INNER_END.search(line.text)
    )


def _alone(body: Sequence[_Line], n: int) -> bool:
    return (n == 0 or body[n - 1].block != body[n].block) and (n + 1 == len(body) or body[n + 1].block != body[n].block)


def _is_pull_quote(key: str, line: _Line, full_keys: Sequence[str]) -> bool:
    """A line whose words a longer paragraph has too."""
    return (
        4 <= line.words <= 40
        and len(key) >= 20
        and any(len(other) > 1.2 * len(key) and key in other for other in full_keys)
    )


def _belongs(line: _Line, body: Sequence[_Line], n: int, repeats: bool, kept: Sequence[tuple[_Line, str]]) -> bool:
    """Is a line that ends as no sentence does part of the article: a list item, a verse, a subheading?"""
    if repeats:
        return False
    previous = kept[-1] if kept else None
    if line.bullet or _BULLET.match(line.text):
        # a list goes on from its first item, and its first item from the line that announces it
        neighbours = [other for other in body[max(0, n - 1) : n + 2] if other is not line]
        return any(other.bullet or _BULLET.match(other.text) for other in neighbours) or (
            previous is not None and previous[1].endswith((":", "："))
        )
    if (
        previous is not None
        and previous[1].endswith((":", "："))
        and previous[0].block >= line.block - 1
        and line.words <= 40
    ):
        return True
    if line.text.endswith((",", "—", "–", "-")) and line.words >= 4:
        return True
    if line.text[:1].islower() and line.words >= 3:
        return True
    if _INNER_END.search(line.text) and line.words >= 12:
        return True  # more than one sentence, the last mark lost
    if line.sentence and line.words >= 1:
        return True  # a short question or a line that announces
    return (
        line.words <= _SUBHEADING_WORDS
        and n + 1 < len(body)
        and body[n + 1].is_full
        and not _is_question_headline(line, body, n)
    )
