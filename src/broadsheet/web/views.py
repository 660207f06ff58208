"""How values look: the template environment, times and counts in words, image addresses, a source's health in a sentence."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from broadsheet.feed.diversify import RULES
from broadsheet.feed.whatif import numbered
from broadsheet.model import Article, Doubt, Query, Reader, Reason, Source, named
from broadsheet.sources.outlets import outlet_of
from broadsheet.sources.packs import packs
from broadsheet.stories import told
from broadsheet.stories.versions import Change
from broadsheet.web import actions, security, translations
from broadsheet.wording import N_, SPEAKER, Phrase, meant, named_as, one_and_another, plural
from broadsheet.wording import phrase as _

HERE = Path(__file__).resolve().parent
IMAGE_WIDTH_NAMES = ("src", "alt", "width", "height")

ENGLISH = translations.language(translations.SOURCE)

# --- words --------------------------------------------------------------------------------------------------------


def _day(when: date) -> Phrase:
    return _day_of(when.day, when.month)


@lru_cache(maxsize=400)
def _day_of(day: int, month: int) -> Phrase:
    return _("{day} {month}", day=day, month=actions.MONTHS[month - 1])


def _day_of_year(when: date) -> Phrase:
    return _date(when.day, when.month, when.year)


@lru_cache(maxsize=4096)
def _date(day: int, month: int, year: int) -> Phrase:
    return _("{day} {month} {year}", day=day, month=actions.MONTHS[month - 1], year=year)


@lru_cache(maxsize=64)
def _minutes_ago(n: int) -> Phrase:
    return _("{n} min ago", n=n)


@lru_cache(maxsize=64)
def _hours_ago(n: int) -> Phrase:
    return _("{n} h ago", n=n)


def ago(when: datetime | None, now: datetime) -> Phrase:
    """How long ago, as a person says it: `just now`, `5 min ago`, `3 h ago`, `yesterday`, `Tuesday`, `3 August`, `3 August 2025`."""
    if when is None:
        return _("at an unknown time")
    passed, when = now - when, when.astimezone(now.tzinfo)
    if passed < -timedelta(minutes=1):
        far = passed <= -timedelta(days=300)
        return _day_of_year(when) if far else _("{day}, {time}", day=_day(when), time=f"{when:%H:%M}")
    if passed < timedelta(minutes=1):
        return _("just now")
    if passed < timedelta(hours=1):
        return _minutes_ago(int(passed.total_seconds() // 60))
    if passed < timedelta(hours=12) or when.date() == now.date():
        return _hours_ago(int(passed.total_seconds() // 3600))
    if when.date() == (now - timedelta(days=1)).date():
        return _("yesterday")
    if passed < timedelta(days=6):
        return actions.WEEKDAYS[when.weekday()]
    return _day(when) if when.year == now.year else _day_of_year(when)


def ahead(when: datetime, now: datetime) -> Phrase:
    """How soon, as a person says it."""
    left, when = when - now, when.astimezone(now.tzinfo)
    if left <= timedelta(minutes=1):
        return _("at the next round")
    if left < timedelta(hours=1):
        return _("in {n} min", n=int(left.total_seconds() // 60))
    if left < timedelta(hours=36):
        return _("in {n} h", n=round(left.total_seconds() / 3600))
    return _("on {day}", day=_day(when))


def full_date(when: date) -> Phrase:
    return _(
        "{weekday} {day} {month} {year}",
        weekday=actions.WEEKDAYS[when.weekday()],
        day=when.day,
        month=actions.MONTHS[when.month - 1],
        year=when.year,
    )


def moment(when: datetime, now: datetime) -> Phrase:
    """Day, time and time zone, as the clocks of `now` show them: `3 August 2026, 14:05 CEST`."""
    return _moment(when, now.tzinfo)


@lru_cache(maxsize=4096)  # the stories of a page stand on the next one, too
def _moment(when: datetime, zone: tzinfo | None) -> Phrase:
    when = when.astimezone(zone)
    return _("{day}, {time}", day=_day_of_year(when), time=f"{when:%H:%M %Z}")


def calendar_day(when: date, now: datetime) -> Phrase:
    """`3 August`, with its year where that is another than this one."""
    return _day(when) if when.year == now.year else _day_of_year(when)


def hour_and_minute(when: datetime, now: datetime) -> str:
    return f"{when.astimezone(now.tzinfo):%H:%M}"


def lasting(length: timedelta) -> Phrase:
    """`40 seconds`, `6 minutes`, `5 hours`, `2 days`, as a person says it."""
    seconds = length.total_seconds()
    if seconds >= 2 * 86_400:
        return plural("{n:,} day", "{n:,} days", round(seconds / 86_400))
    if seconds >= 2 * 3_600:
        return plural("{n:,} hour", "{n:,} hours", round(seconds / 3_600))
    if seconds >= 60:
        return plural("{n:,} minute", "{n:,} minutes", round(seconds / 60))
    return plural("{n:,} second", "{n:,} seconds", max(round(seconds), 1))


def listed(names: Sequence[str], most: int = 3, language: translations.Language = ENGLISH) -> str:
    """`A`, `A and B`, `A, B, C and 4 more`."""
    shown, rest = [language.say(name) for name in names[:most]], len(names) - most
    if rest > 0:
        return language.gettext(AND_MORE).format(names=", ".join(shown), n=rest)
    last = shown.pop() if len(shown) > 1 else ""
    return language.gettext(AND_LAST).format(names=", ".join(shown), last=last) if last else "".join(shown)


AND_MORE, AND_LAST = N_("{names} and {n} more"), N_("{names} and {last}")


def signed(points: float, number: Callable[[float, str], str] = format) -> str:
    """`+1.20` or `−0.35`, with a real minus sign."""
    return f"{'−' if points < 0 else '+'}{number(abs(points), '.2f')}"


def health(source: Source, now: datetime) -> tuple[str, Phrase]:
    """How a source is doing: (good | waiting | poor | stopped, a sentence)."""
    if source.gone:
        return "stopped", _("The publisher says that this feed is gone for good. Broadsheet no longer asks for it.")
    if source.next_fetch is None:
        return "stopped", _("Stopped: Broadsheet does not ask for it until you resume it.")
    if source.problem:
        return "poor", plural(
            "{problem}. {n} try failed in a row; the next is {soon}.",
            "{problem}. {n} tries failed in a row; the next is {soon}.",
            source.failures,
            problem=translations.stored(source.problem),
            soon=ahead(source.next_fetch, now),
        )
    if source.last_success is None:
        return "waiting", _("Not read yet: it is fetched {soon}.", soon=ahead(source.next_fetch, now))
    return "good", _(
        "Read {when}; the next fetch is {soon}.", when=ago(source.last_success, now), soon=ahead(source.next_fetch, now)
    )


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


@lru_cache(maxsize=2048)
def topic(label: str) -> Phrase:
    """The name of a topic, which a language may have another one for."""
    return meant("topic", label)


# --- images and article bodies -------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)  # the pictures of a page stand on the next one, too; signing one takes 60 microseconds
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


@lru_cache(maxsize=4096)
def text_fragment(words: str) -> str:
    """The end of an address that leads a browser to these words of a page (URL text fragments); nothing for too few.

    Dots that say that a sentence goes on are ours, and on no page.
    """
    words = words.strip("… ")
    parts = words.split()
    if len(parts) < 2:
        return ""
    if len(parts) <= 10:
        return "#:~:text=" + _quoted(words)
    return f"#:~:text={_quoted(' '.join(parts[:5]))},{_quoted(' '.join(parts[-4:]))}"


def _quoted(words: str) -> str:
    return quote(words, safe="").replace("-", "%2D")  # a dash has a meaning of its own there


_MARKS = '"“”„‟«»‹›「」『』'


def own_marks(words: str) -> Markup:
    """The class of a quotation that begins or ends with quotation marks of its own: ours around them would stand twice."""
    bare = words.strip().strip(".,;:!?… ")
    return Markup(' class="own"') if bare and (bare[0] in _MARKS or bare[-1] in _MARKS) else Markup("")


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


FACTS = {"number": _("A number"), "name": _("A name"), "quote": _("A quote"), "headline": _("The headline")}

KINDS = {  # what can be followed, muted or learned of
    "topic": meant("a kind", "topic"), "person": meant("a kind", "person"), "place": meant("a kind", "place"),
    "organisation": meant("a kind", "organisation"), "publisher": meant("a kind", "publisher"),
    "keyword": meant("a kind", "keyword"), "search": meant("a kind", "search"), "story": meant("a kind", "story"), "entity": meant("a kind", "entity"),
    "author": meant("a kind", "author"),
}  # fmt: skip
FEED_KINDS = {"feed": meant("a kind", "feed"), "sitemap": meant("a kind", "sitemap"), "page": meant("a kind", "page")}


def columns(counts: Sequence[int], gap: float = 0.24) -> list[tuple[float, float, float, float]]:
    """x, y, width and height of a column for each count, in the box of a plot; nothing published is a hair's breadth."""
    width, height = PLOT
    step, most = width / max(len(counts), 1), max(max(counts, default=0), 1)
    tall = [height * n / most if n else 0.4 for n in counts]
    return [(i * step + step * gap / 2, height - h, step * (1 - gap), h) for i, h in enumerate(tall)]


@lru_cache(maxsize=1024)
def drawn(counts: tuple[int, ...]) -> str:
    """The columns of a small plot as one path, to be drawn with a pen as wide as a column; days without any are left away.
    (28 shapes a row took a page of a hundred rows 11 ms.)"""
    columned = zip(counts, columns(counts, 0.1), strict=True)
    return "".join(f"M{x + w / 2:.1f} 24v-{h:.1f}" for n, (x, _y, w, h) in columned if n)


def busiest(week: Sequence[Sequence[int]]) -> tuple[int, int] | None:
    """The weekday with most articles (0: Monday), and the hour that begins the busiest three; None for fewer than 12."""
    if sum(map(sum, week)) < 12:
        return None
    by_hour = [sum(day[hour] for day in week) for hour in range(24)]
    # of equal threes the one with the busiest middle
    three = [(by_hour[hour - 1] + by_hour[hour] + by_hour[(hour + 1) % 24], by_hour[hour]) for hour in range(24)]
    by_day = [sum(day) for day in week]
    return by_day.index(max(by_day)), (three.index(max(three)) - 1) % 24


def in_bytes(size: int) -> str:
    """`820 bytes`, `14 KB`, `3.2 MB`."""
    if size < 1024:
        return plural("{n} byte", "{n} bytes", size)
    for unit in ("KB", "MB", "GB", "TB"):
        size_in = size / 1024 ** (1 + ("KB", "MB", "GB", "TB").index(unit))
        if size_in < 1000 or unit == "TB":
            if size_in < 10:
                return _("{size:.1f} {unit}", size=size_in, unit=unit)
            return _("{size:,.0f} {unit}", size=size_in, unit=unit)
    raise AssertionError("unreachable")


OPERATORS = (  # what may stand in a search, and what it means
    ("climate summit", _("both words, anywhere in an article")),
    ("“climate summit”", _("the two as a phrase")),
    ("-football", _("without this word")),
    ("publisher:guardian", _("from publishers of that name")),
    ("topic:health", _("on that topic")),
    ("place:Nairobi", _("about that place")),
    ("lang:de", _("in that language, by its code")),
    ("after:2026-08-01", _("from that day on; a month or a year will do")),
    ("before:2026-08", _("before it began")),
    ("-topic:sport", _("not on that topic: a minus leaves out any of these")),
)


def understood(query: Query) -> list[Phrase]:
    """What a search was understood to ask for, part by part."""

    def any_of(names: Iterable[str]) -> str:
        return reduce(lambda one, more: _("{one} or {more}", one=one, more=more), names)

    def called(code: str) -> str:
        return LANGUAGES.get(code, code)

    parts = [_("with “{words}”", words=words) for words in (*query.words, *query.pieces)]
    parts += [_("without “{words}”", words=words) for words in (*query.without, *query.without_pieces)]
    parts += [_("on the topic {name}", name=name) for name in query.topics]
    parts += [_("not on the topic {name}", name=name) for name in query.not_topics]
    parts += [_("about the place {name}", name=name) for name in query.places]
    parts += [_("not about the place {name}", name=name) for name in query.not_places]
    if query.publishers:
        parts.append(_("published by {names}", names=any_of(query.publishers)))
    parts += [_("not published by {names}", names=name) for name in query.not_publishers]
    if query.languages:
        parts.append(_("in the language {names}", names=any_of(map(called, query.languages))))
    parts += [_("not in the language {names}", names=called(code)) for code in query.not_languages]
    if query.after is not None:
        parts.append(_("from {day} on", day=_day_of_year(query.after)))
    if query.before is not None:
        parts.append(_("before {day}", day=_day_of_year(query.before)))
    return parts


def doubted(doubt: Doubt) -> Phrase:
    """What was done with a part of a search that could not be taken as it may have been meant."""
    match doubt.kind:
        case "unknown":
            return _("“{part}” is no way to search here, so it was looked for as words.", part=doubt.part)
        case "date":
            return _("“{part}” gives no day such as 2026-08-01, so it was looked for as words.", part=doubt.part)
        case "language":
            return _("“{part}” was left out: a language is written by its code, such as de.", part=doubt.part)
        case "topic":
            return _(
                "No topic is called “{part}”. Topics have English names, such as health or politics.", part=doubt.part
            )
        case "empty":
            return _("Nothing stands right behind “{part}”.", part=doubt.part)
        case "long":
            return _("Of “{part}” only the beginning was looked for.", part=f"{doubt.part[:40]}…")
        case "many":
            return _("That is more than a search takes; left out from “{part}” on.", part=f"{doubt.part[:40]}…")


LONG_HEADLINE = 80  # characters; a longer one is set smaller, or it fills the first screen of a phone

LANGUAGES = {
    "ar": "العربية", "bn": "বাংলা", "cs": "Čeština", "da": "Dansk", "de": "Deutsch", "el": "Ελληνικά", "en": "English",
    "es": "Español", "fa": "فارسی", "fi": "Suomi", "fr": "Français", "he": "עברית", "hi": "हिन्दी", "hu": "Magyar",
    "id": "Bahasa Indonesia", "it": "Italiano", "ja": "日本語", "ko": "한국어", "nl": "Nederlands", "no": "Norsk",
    "pl": "Polski", "pt": "Português", "ro": "Română", "ru": "Русский", "sv": "Svenska", "sw": "Kiswahili", "th": "ไทย",
    "tr": "Türkçe", "uk": "Українська", "ur": "اردو", "vi": "Tiếng Việt", "zh": "中文",
}  # fmt: skip

# --- templates -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def environment(code: str = translations.SOURCE) -> Environment:
    """The templates, in the language of that code."""
    language = translations.language(code)
    made = translations.Speaking(
        language,
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        ago=ago, ahead=ahead, full_date=full_date, moment=moment, hour_and_minute=hour_and_minute, as_time=datetime.fromisoformat,
        listed=lambda names, most=3: listed(names, most, language),
        said=actions.said, marked=marked, named=named, fragment=text_fragment, own_marks=own_marks, date_words=actions.date_words,
        calendar_day=calendar_day, number=language.number, signed=lambda points: signed(points, language.number),
        spoken=language.say, went_wrong=translations.stored, called=named_as, topic=topic, country=language.country, clauses=one_and_another,
        valued=lambda value, dimension: topic(value) if dimension == "topic" else language.country(value) if dimension == "country" else value,
        halves=lambda label: tuple(part.strip() for part in language.say(label).split("…", 1)),
    )  # fmt: skip

    @lru_cache(maxsize=1)  # 179 starter packs, the same on every page: a millisecond
    def offered() -> Markup:
        return Markup(made.get_template("_packs.html").render(packs=packs()))  # noqa: S704  a template of ours

    made.globals.update(
        offered=offered,
        bars=bars,
        said_of=said_of,
        health=health,
        LENGTHS=actions.LENGTHS,
        LANGUAGES=LANGUAGES,
        LONG_HEADLINE=LONG_HEADLINE,
        FACTS=FACTS,
        KINDS=KINDS,
        FEED_KINDS=FEED_KINDS,
        plotted=plotted,
        columns=columns,
        drawn=drawn,
        busiest=busiest,
        in_bytes=in_bytes,
        WEEKDAYS=actions.WEEKDAYS,
        OPERATORS=OPERATORS,
        difference=difference,
        numbered=numbered,
        RULES=RULES,
        lasting=lasting,
        language=language,
        spoken={code: translations.language(code).name for code in translations.codes()},
        script_words=json_in_page(language),
    )
    return made


def json_in_page(language: translations.Language) -> Markup:
    """What scripts say in this language, as JSON that can stand in a page; nothing for what they say by themselves."""
    return (
        htmlsafe_json_dumps(language.script, separators=(",", ":"), ensure_ascii=False) if language.script else Markup()
    )


def language_of(request: Request) -> translations.Language:
    """What the asker reads pages in: the reader's own choice, else what the browser likes best of what there is."""
    session: security.Session | None = request.scope.get("session")
    chosen = session.language if session else ""
    if chosen not in translations.codes():
        chosen = translations.preferred(request.headers.get("accept-language", ""))
    return translations.language(chosen)


def warm() -> None:
    """Make ready what the first page of each kind would have to wait for: templates are compiled, lists are read."""
    for template in ("feed.html", "story.html", "article.html", "why.html", "latest.html", "search.html"):
        environment().get_template(template)
    outlet_of("https://example.org/")
    told.term("word")
    static_version()


# what every form carries that does something: made once a page, not in each form
CARRIED = Markup('<input type="hidden" name="token" value="{}"><input type="hidden" name="next" value="{}">')


def said_of(story: str, feed: str, position: int | str) -> str:
    """An event as the form of a story's buttons carries it, each button being a kind: of which story, and where in which
    feed it stood."""
    return actions.said({"story": story, "feed": feed, "position": position} if feed else {"story": story})


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
    language = language_of(request)
    token, here_and_query = (
        session.token(key),
        request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    )
    given: Mapping[str, Any] = {
        "request": request,
        "reader": reader,
        "token": token,
        "carried": CARRIED.format(token, here_and_query),
        "theme": session.theme,
        "here": request.url.path,
        "here_and_query": here_and_query,
        "now": newsstand.local(newsstand.now()) if newsstand else datetime.now(UTC),
        "banner": language.recalled(getattr(state, "banner", "")),
        "operator": bool(state and hasattr(state, "settings") and security.may_operate(state.settings, session)),
        "locked": bool(getattr(state, "password", "")),
        "did": did if did in DID else "",
        "did_words": DID.get(did, ""),
        "undoing": undoing(did, request.query_params),
        "did_event": number if (number := request.query_params.get("event", "")).isascii() and number.isdigit() else "",
        "image": lambda url: image_url(url, images, key),
        "saved": frozenset(reader.saved) if reader else frozenset(),
        "opened": reader.opened if reader else {},
        "static": static_version(),
        **context,
    }
    headers = {"Content-Language": language.code, "Vary": "Accept-Language, Cookie"}
    if reader:
        # whose page it is and in what language, for the service worker that keeps it on this reader's device: no other
        # reader's stays beside it, and none in another language
        headers["X-Reader"] = reader.id if language.native else f"{reader.id} {language.code}"
    speaking = SPEAKER.set(None if language.native else language)
    try:
        content = environment(language.code).get_template(template).render(given)
    finally:
        SPEAKER.reset(speaking)
    return HTMLResponse(content, status_code=status, headers=headers)


DID = {
    **actions.DONE,
    "follow": _("Followed."),
    "unfollow": _("No longer followed."), "mute": _("Muted."), "unmute": _("No longer muted."), "set_weight": _("Changed."),
    "added": _("Source added."), "subscribed": _("Sources added."),
    "range": _("Undone: that time counts no more."), "forgotten": _("Forgotten: Broadsheet begins anew with you."),
    "tuned": _("Taken: For you is tuned."),
    "again": _("It is tried again at the next round."), "unruled": _("Taken back: whoever groups decides again."),
    "ruled": _("Said again: whoever groups does it."),
    "unweighed": _("The weights before hold again."), "weighed": _("What was learned is in use again."),
    "theme": _("The page looks as you chose."), "chosen": _("Somebody else reads here now."),
    "removed": _("Source removed."), "stopped": _("Stopped."), "resumed": _("Resumed: it is fetched at the next round."),
    "erased": _("Everything about that reader is erased."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Undoing:
    """Where what was just done is taken back, and what that address is to be told. Events have a form of their own."""

    path: str
    fields: Mapping[str, str]


def undoing(did: str, told: Mapping[str, str]) -> Undoing | None:
    """How to take back what an address says was just done; None where nothing is left to take back, or it was an event."""
    if change := told.get("change", "")[:32]:
        return Undoing("/undo", {"change": change})
    source, number, was = (told.get(name, "")[:80] for name in ("source", "number", "was"))
    match did:
        case "stopped" | "resumed" if source:
            return Undoing("/sources/polling", {"source": source, "on": "1" if did == "stopped" else ""})
        case "unruled" | "ruled" if number:
            return Undoing("/admin/ruling", {"number": number, "again": "1" if did == "unruled" else ""})
        case "unweighed" | "weighed":
            return Undoing("/admin/weights", {"again": "1" if did == "unweighed" else ""})
        case "theme" if was:
            return Undoing("/theme", {"theme": "" if was == "system" else was})
        case "chosen" if was:
            return Undoing("/readers/choose", {"reader": was})
    return None


@lru_cache(maxsize=1)
def static_version() -> str:
    """Changes when a static file does, so that browsers may keep the files for a year."""
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
