"""The bundled news: open-licence corpora as channels of items, one channel for each publisher.

What the current-events corpus says of an event is written by Wikipedia's editors and linked to the publishers that
reported it. Its items carry those sentences, that link and that licence: no publisher's own words are in the package.
"""

from __future__ import annotations

import json
import lzma
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

AS_OF = datetime(2026, 8, 22, 18, tzinfo=UTC)
"""The moment at which the demo reads: the evening of the corpus's last day."""

DOCUMENTS = ("whitehouse", "wikinews", "digitalgov", "18f")
_HEADLINE = 130  # characters: longer first sentences are cut, with an ellipsis, where a clause ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a publisher announces."""

    url: str
    title: str
    html: str
    published: datetime
    licence: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A publisher's feed."""

    title: str
    homepage: str
    items: tuple[Item, ...]  # newest first
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Whose work is shown, and on what terms."""

    name: str
    licence: str
    url: str
    note: str = ""


CREDITS = (
    Credit(
        name="Wikipedia, Portal:Current events",
        licence="CC BY-SA 4.0",
        url="https://en.wikipedia.org/wiki/Portal:Current_events",
        note="Sentences about events of 2025 and 2026 are by Wikipedia's editors; each links to the publishers that reported it.",
    ),
    Credit(name="The White House", licence="Public domain (US Government work)", url="https://www.whitehouse.gov/"),
    Credit(
        name="Wikinews",
        licence="CC BY 2.5",
        url="https://en.wikinews.org/",
        note="Articles by the writers of Wikinews.",
    ),
    Credit(name="Digital.gov", licence="CC0 1.0", url="https://digital.gov/"),
    Credit(name="18F", licence="CC0 1.0", url="https://18f.gsa.gov/"),
)


def _read(name: str) -> Iterator[dict[str, Any]]:
    packed = files("broadsheet.demo").joinpath("corpus", f"{name}.jsonl.xz").read_bytes()
    return map(json.loads, lzma.decompress(packed).decode().split("\n")[:-1])


def plain(event: str) -> str:
    """The event's words without its page's markup: links, emphasis, and marks of other languages' pages (` [es]`)."""
    without_links = re.sub(r"\[([^\]]+)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^)]*\")?\)", r"\1", event)
    without_marks = re.sub(r" \[[a-z]{2,3}\]", "", without_links)
    if re.match(r"[^*\s][^*]*\*(?!\w)", without_marks):  # the list's bullet took the first mark of emphasis with it
        without_marks = f"*{without_marks}"
    plainly = re.sub(r"(?<!\\)(\*{1,3})(\S(?:.*?[^\s\\])?)\1", r"\2", without_marks)
    return re.sub(r"\\([*_])", r"\1", plainly).strip()


def headline(event: str) -> str:
    """The event's first sentence as a headline: whole when it is short, else quoted up to a clause's end and an ellipsis."""
    sentence = re.split(r"(?<=[a-z0-9)\"”]{2}\.)\s+(?=[A-Z\"“])", event.strip(), maxsplit=1)[0]
    if len(sentence) <= _HEADLINE:
        return sentence.removesuffix(".")
    start = sentence[:_HEADLINE]
    cut = start.rfind(", ")
    return (start[:cut] if cut > _HEADLINE // 2 else start.rsplit(" ", 1)[0]) + " …"


def _time(written: str) -> datetime:
    """The time that a corpus wrote; a bare day is its noon in UTC, for feeds need a time."""
    at = datetime.fromisoformat(written)
    return datetime.combine(at, time(12), UTC) if len(written) == 10 else at.astimezone(UTC)


def _paragraphs(text: str) -> str:
    return "\n".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))


def _site(urls: Iterable[str]) -> str:
    parts = urlsplit(min(urls))
    return f"{parts.scheme}://{parts.netloc}/"


def channels(since: datetime, until: datetime = AS_OF, *, archive: int = 25) -> list[Channel]:
    """Every publisher's items between the two times, and of the publishers that fell silent before, the last `archive`."""
    items: dict[str, dict[str, Item]] = defaultdict(dict)
    for event in _read("current-events"):
        at = _time(event["day"])
        if since <= at <= until:
            said = plain(event["event"])
            for source in event["sources"]:
                items[source["publisher"]][source["url"]] = Item(
                    url=source["url"],
                    title=headline(said),
                    html=f"<p>{escape(said)}</p>",
                    published=at,
                    licence=event["licence"],
                    categories=(event["section"],),
                )
    for name in DOCUMENTS:
        documents = [d for d in _read(name) if _time(d["published"]) <= until]
        recent = [d for d in documents if _time(d["published"]) >= since]
        for d in recent or documents[-archive:]:
            items[d["publisher"]][d["url"]] = Item(
                url=d["url"],
                title=d["title"],
                html=d.get("html") or _paragraphs(d["text"]),
                published=_time(d["published"]),
                licence=d["licence"],
                categories=(d["section"],) if d.get("section") else (),
            )
    return [
        Channel(
            title=publisher,
            homepage=_site(found),
            items=tuple(sorted(found.values(), key=lambda i: i.published, reverse=True)),
        )
        for publisher, found in sorted(items.items())
    ]
