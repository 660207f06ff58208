"""How values look: the template environment, times and counts in words, image addresses, a source's health in a sentence."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from broadsheet.feed.diversify import RULES
from broadsheet.feed.whatif import numbered
from broadsheet.model import Article, Reader, Reason, Source, named
from broadsheet.stories.versions import Change
from broadsheet.web import actions, security

HERE = Path(__file__).resolve().parent
IMAGE_WIDTH_NAMES = ("src", "alt", "width", "height")

# --- words --------------------------------------------------------------------------------------------------------


def ago(when: datetime | None, now: datetime) -> str:
    """How long ago, as a person says it: `just now`, `5 min ago`, `3 h ago`, `yesterday`, `Tuesday`, `3 August`, `3 August 2025`."""
    if when is None:
        return "at an unknown time"
    passed, when = now - when, when.astimezone(now.tzinfo)
    if passed < -timedelta(minutes=1):
        return f"{when.day} {when:%B}, {when:%H:%M}" if passed > -timedelta(days=300) else f"{when.day} {when:%B %Y}"
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(hours=1):
        return f"{int(passed.total_seconds() // 60)} min ago"
    if passed < timedelta(hours=12) or when.date() == now.date():
        return f"{int(passed.total_seconds() // 3600)} h ago"
    if when.date() == (now - timedelta(days=1)).date():
        return "yesterday"
    if passed < timedelta(days=6):
        return f"{when:%A}"
    return f"{when.day} {when:%B}" if when.year == now.year else f"{when.day} {when:%B %Y}"


def ahead(when: datetime, now: datetime) -> str:
    """How soon, as a person says it."""
    left, when = when - now, when.astimezone(now.tzinfo)
    if left <= timedelta(minutes=1):
        return "at the next round"
    if left < timedelta(hours=1):
        return f"in {int(left.total_seconds() // 60)} min"
    if left < timedelta(hours=36):
        return f"in {round(left.total_seconds() / 3600)} h"
    return f"on {when.day} {when:%B}"


def full_date(when: datetime) -> str:
    return f"{when:%A} {when.day} {when:%B %Y}"


def moment(when: datetime, now: datetime) -> str:
    """Day, time and time zone, as the clocks of `now` show them: `3 August 2026, 14:05 CEST`."""
    when = when.astimezone(now.tzinfo)
    return f"{when.day} {when:%B %Y, %H:%M %Z}"


def hour_and_minute(when: datetime, now: datetime) -> str:
    return f"{when.astimezone(now.tzinfo):%H:%M}"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 story`, `2 stories`, `12,000 stories`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def lasting(length: timedelta) -> str:
    """`40 seconds`, `6 minutes`, `5 hours`, `2 days`, as a person says it."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if length.total_seconds() >= size * (2 if size > 60 else 1):
            return counted(round(length.total_seconds() / size), unit)
    return counted(max(round(length.total_seconds()), 1), "second")


def listed(names: Sequence[str], most: int = 3) -> str:
    """`A`, `A and B`, `A, B, C and 4 more`."""
    shown = list(names[:most])
    if (rest := len(names) - len(shown)) > 0:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def signed(points: float) -> str:
    """`+1.20` or `−0.35`, with a real minus sign."""
    return f"{'−' if points < 0 else '+'}{abs(points):.2f}"


def health(source: Source, now: datetime) -> tuple[str, str]:
    """How a source is doing: (good | waiting | poor | stopped, a sentence)."""
    if source.gone:
        return "stopped", "The publisher says that this feed is gone for good. Broadsheet no longer asks for it."
    if source.next_fetch is None:
        return "stopped", "Stopped: Broadsheet does not ask for it until you resume it."
    if source.problem:
        tries = counted(source.failures, "try", "tries")
        return (
            "poor",
            f"{source.problem[0].upper()}{source.problem[1:].rstrip('.')}. {tries} failed in a row; the next is {ahead(source.next_fetch, now)}.",
        )
    if source.last_success is None:
        return "waiting", f"Not read yet: it is fetched {ahead(source.next_fetch, now)}."
    return "good", f"Read {ago(source.last_success, now)}; the next fetch is {ahead(source.next_fetch, now)}."


def bars(reasons: Sequence[Reason]) -> list[tuple[Reason, float, float]]:
    """Each reason with where its bar starts and how wide it is (0 to 100), around one zero line, the largest first."""
    ups = max((r.points for r in reasons if r.points > 0), default=0.0)
    downs = max((-r.points for r in reasons if r.points < 0), default=0.0)
    span = (ups + downs) or 1.0
    zero = 100 * downs / span
    rows = []
    for reason in sorted(reasons, key=lambda r: -abs(r.points)):
        width = 100 * abs(reason.points) / span
        rows.append((reason, zero - width if reason.points < 0 else zero, width))
    return rows


# --- images and article bodies -------------------------------------------------------------------------------------


def image_url(url: str, images: str, key: bytes) -> str:
    """Where a page shows an image from, by the reader's choice; empty for no image."""
    if images == "off" or urlsplit(url).scheme not in ("http", "https"):
        return ""
    if images == "direct":
        return url if url.startswith("https:") else ""
    return "/image?" + urlencode({"u": url, "s": security.sign(key, "image", url)})


_TAGS = {
    "p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "q", "cite", "pre", "code",
    "em", "strong", "b", "i", "u", "s", "sub", "sup", "small", "abbr", "time", "mark", "a", "img", "figure", "figcaption",
    "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "div", "span", "section", "article", "picture",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "img": set(IMAGE_WIDTH_NAMES), "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"},
               "time": {"datetime"}, "abbr": {"title"}, "*": {"lang", "dir"}}  # fmt: skip


_UNDESCRIBED = re.compile(r"<img(?=\s)(?![^>]*\salt=)")


def body(article: Article, images: str, key: bytes) -> Markup:
    """The article as it may be shown: cleaned once more, its images by the reader's choice, its links going nowhere secretly."""
    if not article.html:
        parts = [part.strip() for part in article.text.split("\n\n")]
        return Markup("").join(Markup("<p>{}</p>").format(part) for part in parts if part)

    def attribute(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            return image_url(value, images, key) or None
        if tag == "a" and name == "href" and urlsplit(value).scheme not in ("http", "https", "mailto"):
            return None
        return value

    tags = _TAGS - {"img", "picture"} if images == "off" else _TAGS
    cleaned = nh3.clean(
        article.html,
        tags=tags,
        attributes={tag: names for tag, names in _ATTRIBUTES.items() if tag in tags or tag == "*"},
        attribute_filter=attribute,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    # a picture that its publisher does not describe is passed over by a screen reader, which would read out its address;
    # the word has no quotes, so that it can't end an attribute that happens to hold "<img"
    return Markup(_UNDESCRIBED.sub("<img alt", cleaned))  # noqa: S704  nh3 cleaned it above


def marked(text: str, marks: Sequence[tuple[int, int]], tag: str = "mark") -> Markup:
    """The text, escaped, with the words that were found in <mark>."""
    parts, at = [], 0
    for start, end in marks:
        parts += [escape(text[at:start]), Markup(f"<{tag}>{{}}</{tag}>").format(text[start:end])]  # noqa: S704
        at = end
    return Markup("").join([*parts, escape(text[at:])])


def difference(change: Change, old: str, new: str) -> list[tuple[str, Markup]]:
    """The lines that show one change: (del | ins, the sentence with what went or came marked). None for a kept one."""
    lines = []
    for tag, span, parts, text in (("del", change.old, change.cut, old), ("ins", change.new, change.put, new)):
        if change.kind == "kept" or span is None or (change.kind == "changed" and not change.cut + change.put):
            continue
        inside = [(p.start - span.start, p.end - span.start) for p in parts]
        lines.append((tag, marked(text[span.start : span.end], inside, tag if inside else "")))
    return lines


def text_fragment(words: str) -> str:
    """The end of an address that leads a browser to these words of a page (URL text fragments); nothing for too few."""
    parts = words.split()
    if len(parts) < 2:
        return ""
    if len(parts) <= 10:
        return "#:~:text=" + _quoted(words)
    return f"#:~:text={_quoted(' '.join(parts[:5]))},{_quoted(' '.join(parts[-4:]))}"


def _quoted(words: str) -> str:
    return quote(words, safe="").replace("-", "%2D")  # a dash has a meaning of its own there


PLOT = (100.0, 24.0)  # the box of a plot, in its own units


@dataclass(frozen=True, slots=True)
class Plot:
    """How coverage grew, as the path of a stair, with what stands at its ends."""

    path: str
    area: str
    first: datetime
    last: datetime
    most: int


def plotted(steps: Sequence[tuple[datetime, int]], until: datetime) -> Plot | None:
    """The stair of one more publisher each time, from the first to `until`; None for fewer than three steps."""
    if len(steps) < 3 or until <= steps[0][0]:
        return None
    width, height = PLOT
    begin, span, most = steps[0][0], until - steps[0][0], steps[-1][1]
    corners = [f"M0 {height:g}"]
    for when, count in steps:
        corners += [f"H{width * min(1.0, (when - begin) / span):.2f}", f"V{height * (1 - count / most):.2f}"]
    path = " ".join([*corners, f"H{width:g}"])
    return Plot(path, f"{path} V{height:g} Z", begin, until, most)


FACTS = {"number": "A number", "name": "A name", "quote": "A quote", "headline": "The headline"}

LONG_HEADLINE = 80  # characters; a longer one is set smaller, or it fills the first screen of a phone

LANGUAGES = {
    "ar": "العربية", "bn": "বাংলা", "cs": "Čeština", "da": "Dansk", "de": "Deutsch", "el": "Ελληνικά", "en": "English",
    "es": "Español", "fa": "فارسی", "fi": "Suomi", "fr": "Français", "he": "עברית", "hi": "हिन्दी", "hu": "Magyar",
    "id": "Bahasa Indonesia", "it": "Italiano", "ja": "日本語", "ko": "한국어", "nl": "Nederlands", "no": "Norsk",
    "pl": "Polski", "pt": "Português", "ro": "Română", "ru": "Русский", "sv": "Svenska", "sw": "Kiswahili", "th": "ไทย",
    "tr": "Türkçe", "uk": "Українська", "ur": "اردو", "vi": "Tiếng Việt", "zh": "中文",
}  # fmt: skip

# --- templates -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        ago=ago, ahead=ahead, full_date=full_date, moment=moment, hour_and_minute=hour_and_minute, listed=listed, signed=signed, said=actions.said,
        marked=marked, named=named, fragment=text_fragment, date_words=actions.date_words,
    )  # fmt: skip
    made.globals.update(
        counted=counted,
        bars=bars,
        health=health,
        LENGTHS=actions.LENGTHS,
        LANGUAGES=LANGUAGES,
        LONG_HEADLINE=LONG_HEADLINE,
        FACTS=FACTS,
        plotted=plotted,
        difference=difference,
        numbered=numbered,
        RULES=RULES,
        lasting=lasting,
    )
    return made


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page, with what every page needs: the reader, the form token, the theme, a word on what was just done."""
    session: security.Session = request.scope["session"]
    key: bytes = request.scope["key"]
    reader: Reader | None = context.pop("reader", None)
    images = reader.images if reader else "proxied"
    request.scope["img"] = images
    state = request.app.state if "app" in request.scope else None
    newsstand = getattr(state, "newsstand", None)
    did = request.query_params.get("did", "")
    given: Mapping[str, Any] = {
        "request": request,
        "reader": reader,
        "token": session.token(key),
        "theme": session.theme,
        "here": request.url.path,
        "here_and_query": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "now": newsstand.local(newsstand.now()) if newsstand else datetime.now(UTC),
        "banner": getattr(state, "banner", ""),
        "locked": bool(getattr(state, "password", "")),
        "did": did if did in DID else "",
        "did_words": DID.get(did, ""),
        "did_event": number if (number := request.query_params.get("event", "")).isascii() and number.isdigit() else "",
        "image": lambda url: image_url(url, images, key),
        "saved": frozenset(reader.saved) if reader else frozenset(),
        "opened": reader.opened if reader else {},
        "static": static_version(),
        **context,
    }
    # whose page it is, for the service worker that keeps it on this reader's device: nobody else's stays beside it
    headers = {"X-Reader": reader.id} if reader else {}
    return HTMLResponse(environment().get_template(template).render(given), status_code=status, headers=headers)


DID = {
    "saved": "Saved.", "unsaved": "No longer saved.", "hidden": "Hidden: you won't see this story again.",
    "unhidden": "Shown again.", "more": "More like this, then.", "less": "Less like this, then.", "follow": "Followed.",
    "unfollow": "No longer followed.", "mute": "Muted.", "unmute": "No longer muted.", "set_weight": "Changed.",
    "erase_weight": "Forgotten.", "settings": "Settings saved.", "merge": "One story, for you, from now on.",
    "split": "No longer part of this story, for you.", "undo": "Undone.", "added": "Source added.",
    "range": "Undone: that time counts no more.", "forgotten": "Forgotten: Broadsheet begins anew with you.",
    "tuned": "Taken: For you is tuned.",
    "removed": "Source removed.", "stopped": "Stopped.", "resumed": "Resumed: it is fetched at the next round.",
    "erased": "Everything about that reader is erased.",
}  # fmt: skip


@lru_cache(maxsize=1)
def static_version() -> str:
    """Changes when a static file does, so that browsers may keep the files for a year."""
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
