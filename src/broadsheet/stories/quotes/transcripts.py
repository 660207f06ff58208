"""Transcripts: who speaks stands before a colon, and what they say has no quotation marks.

Governments publish their briefings and remarks so. Whoever answers there speaks for the government whose site it is.
"""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlsplit

from broadsheet.model import Article, Quote
from broadsheet.stories.quotes.gazetteer import terms

LEAST_TURNS = 2  # paragraphs that one speaker opens, before a text is taken for a transcript
LONGEST = 700  # characters of a turn that are kept: a quote, not a speech

# MS. JEAN-PIERRE: …   SECRETARY BLINKEN: …   汪文斌：…
_TURN = re.compile(
    r"^(?P<who>(?:[A-Z][A-Z.’'-]+ ){0,5}[A-Z][A-Z.’'-]{2,}(?: \([A-Z][\w .]+\))?|[\u4e00-\u9fff]{2,4})[:：]\s*(?P<said>\S.*)$",
    re.MULTILINE,
)
_ASKS = re.compile(r"^(?:Q|QUESTION|REPORTER|PRESS|MODERATOR|.*记者|问|主持人)$")
_SENTENCE_END = re.compile(r"[.!?。！？][”\"’)]*(?=\s|$)|[。！？]")
_TITLES = {"MR.", "MS.", "MRS.", "DR."}

# The end of a government's addresses, and the country that its table of sides knows.
_GOVERNMENTS = {
    "gov.cn": "China", "gov.uk": "UK", "gov.au": "Australia", "gc.ca": "Canada", "canada.ca": "Canada", "gov.in": "India",
    "go.jp": "Japan", "go.kr": "South Korea", "gov.il": "Israel", "gov.br": "Brazil", "gob.mx": "Mexico", "govt.nz": "New Zealand",
    "gov.sg": "Singapore", "gov.za": "South Africa", "gov.ua": "Ukraine", "kremlin.ru": "Russia", "mid.ru": "Russia", "gov.ru": "Russia",
    "gouv.fr": "France", "elysee.fr": "France", "bundesregierung.de": "Germany", "auswaertiges-amt.de": "Germany",
    "gov.tr": "Turkey", "gov.ir": "Iran", "gov.tw": "Taiwan", "gov.ph": "Philippines", "governo.it": "Italy", "gob.es": "Spain",
    "europa.eu": "EU", "nato.int": "NATO", "un.org": "UN",
    "gov": "US", "mil": "US",
}  # fmt: skip


def government(url: str) -> str:
    """The side whose government publishes at this address; empty for everybody else."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
    while host:
        if (side := _GOVERNMENTS.get(host)) is not None:
            return side
        host = host.partition(".")[2]
    return ""


def turns(article: Article) -> list[Quote]:
    """What those who answer say in a government's transcript, a quote for each turn; none for any other text."""
    side = government(article.url)
    if not side:
        return []
    found = [m for m in _TURN.finditer(article.text) if not _ASKS.match(m["who"])]
    often = Counter(m["who"] for m in found)
    quotes = []
    for match in found:
        if often[match["who"]] < LEAST_TURNS:
            continue
        start = match.start("said")
        end = start + _whole(match["said"])
        quotes.append(
            Quote(
                article=article.id,
                speaker=_called(match["who"]),
                role="",
                side=_side(match["who"], side),
                verb="",
                content=article.text[start:end],
                start=start,
                end=end,
                direct=True,
            )
        )
    return quotes


def _whole(said: str) -> int:
    """Where the turn is cut: after its last whole sentence within `LONGEST`."""
    if len(said.rstrip()) <= LONGEST:
        return len(said.rstrip())
    ends = [m.end() for m in _SENTENCE_END.finditer(said, 0, LONGEST)]
    return ends[-1] if ends else LONGEST


def _called(label: str) -> str:
    """The name in a label, as names are written: "MS. JEAN-PIERRE" is "Jean-Pierre", "THE PRESIDENT" "The President"."""
    words = [w for w in re.sub(r"\(.*\)", "", label).split() if w not in _TITLES]
    return " ".join("-".join(part.capitalize() for part in w.split("-")) for w in words) if label.isascii() else label


def _side(label: str, site: str) -> str:
    """A guest speaks for their own country: "PRIME MINISTER MODI OF INDIA" does not for the White House."""
    named = [t.side for t in terms(_called(label)) if t.kind == "country"]
    return named[0] if named else site
