"""The days that a sentence speaks of, read against the day on which its article appeared.

English in full: dates, weekdays, "yesterday", "two weeks ago", "last month", "in February". Of other languages, dates in
figures and days with the month's name. Rules over one pattern; docs/design/0012-timelines.md has what they were compared with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

__all__ = ["Mention", "mentions"]

Span = Literal["day", "week", "month", "year"]


@dataclass(frozen=True, slots=True)
class Mention:
    """Words that mean a time: `first` to `last`, both included (one day where `span` is "day")."""

    first: date
    last: date
    start: int  # Unicode characters of the sentence
    end: int
    span: Span
    absolute: bool  # names day and month, or month and year, and not only "Friday" or "last week"


_ENGLISH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?"
)
# The month's name beside a day, in languages whose texts are read most; what is spelled alike stands once.
_OTHERS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "januar jänner janvier enero gennaio janeiro januari",
            "februar février fevrier febrero febbraio fevereiro februari",
            "märz mars marzo março maart",
            "avril abril aprile",
            "mai mayo maggio maio mei",
            "juni juin junio giugno junho",
            "juli juillet julio luglio julho",
            "août aout agosto augustus",
            "septembre septiembre setiembre settembre setembro",
            "oktober octobre octubre ottobre outubro",
            "novembre noviembre novembro",
            "dezember décembre decembre diciembre dicembre dezembro",
        ),
        1,
    )
    for name in names.split()
}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_WEEKDAYS = {name: number for number, name in enumerate(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])}
_NUMBERS = {
    name: number
    for number, name in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
} | {"a": 1, "an": 1, "couple": 2, "few": 3, "several": 4}

_M = rf"(?:{_ENGLISH})\b\.?"
_D = r"(?:3[01]|[12]\d|0?[1-9])(?:\s?(?:st|nd|rd|th))?"
_Y = r"(?:19|20)\d\d(?![\d-])"
_WD = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_N = r"(?:a\s+couple\s+of|a\s+few|\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several)"
_AGO = (
    rf"(?P<ago>(?P<agon>{_N})\s+(?P<agou>day|week|month|year)s?\s+(?:ago\b|back\b))(?:\s+(?:on\s+)?(?P<agow>{_WD})\b)?"
)
_REL = rf"(?P<rel>the\s+(?:next|following|previous)\s+day|(?:the\s+day\s+(?:before|after)|{_N}\s+days?\s+(?:before|after))(?=\s*(?:[,.;]|$))|{_N}\s+days?\s+(?:later|earlier))\b"
_PART = r"(?:early|late|mid|the\s+beginning\s+of|the\s+start\s+of|the\s+end\s+of)[\s-]+"
_OTHER = "|".join(sorted(_OTHERS, key=len, reverse=True))

_TIME = re.compile(
    rf"""(?ix)
    (?<![a-z\d])(?:(?=\d)(?:  # asked once for each word: most begin no time
      (?P<iso>(?P<iy>(?:19|20)\d\d)-(?P<im>\d\d)-(?P<id>\d\d))(?!\d)
    | (?<![\d/.])(?P<fa>\d\d?)(?P<sep>\\?/|\.)\s?(?P<fb>\d\d?)(?P=sep)\s?(?P<fy>(?:19|20)\d\d|\d\d)(?![\d/.]\d|\d)
    | (?P<cy>(?:19|20)\d\d)\s*年\s*(?P<cm>\d\d?)\s*月\s*(?P<cd>\d\d?)\s*日 | (?P<cm2>\d\d?)\s*月\s*(?P<cd2>\d\d?)\s*日
    | (?P<dm>(?P<dmd>{_D})\s+(?:of\s+)?(?P<dmm>{_M})(?:\s*,?\s+(?P<dmy>{_Y}))?)
    | (?P<om>(?P<omd>\d\d?)(?:\.|er|º|°)?\s+(?:de\s+|d['’])?(?P<omm>{_OTHER})\b(?:\s+(?:de\s+)?(?P<omy>{_Y}))?)
    | {_AGO} | {_REL})
    | (?=[jfmasond])(?:
      (?P<md>(?P<mdm>{_M})\s+(?P<mdd>{_D})(?!\d|:\d|[.,]\d|\s*(?:%|percent|per\s+cent|million|billion|a\.?m\b|p\.?m\b))
        (?:\s*,?\s+(?P<mdy>{_Y}))?)
    | (?P<my>(?P<mym>{_M})\s*,?\s+(?:of\s+)?(?P<myy>{_Y})))
    | (?=t)(?:(?P<before>the\s+day\s+before\s+yesterday)\b | (?P<after>the\s+day\s+after\s+tomorrow)\b
    | (?P<tomorrow>tomorrow)\b | (?P<today>today|tonight|this\s+(?:morning|afternoon|evening))\b)
    | (?P<yesterday>yesterday|last\s+night)\b
    | (?=[aotfsnet])(?:{_AGO.replace("<ago", "<wago")} | {_REL.replace("<rel", "<wrel")})
    | (?P<ahead>in\s+(?P<aheadn>{_N})\s+(?P<aheadu>day|week|month)s?['’]?(?:\s+time)?)\b
    | (?=[mtwfslnpceoa])(?P<wk>(?:(?P<wkp>last|next|this|past|coming|every|each|of|a\s+week\s+(?:ago|from))\s+(?:past\s+)?)?
        (?:(?:early|late)\s+(?:on\s+)?)?(?P<wkd>{_WD})(?!s\b)
        (?:\s+(?:(?:early|late)\s+)?(?P<wko>last\s+week|next\s+week|of\s+last\s+week|of\s+this\s+week|this\s+week))?)\b
    | (?=[lpncft])(?P<un>(?P<unp>last|past|previous|next|coming|following|this|current)\s+(?P<unu>week(?:end)?|month|year)\b)(?!-)
    | (?P<mo>(?P<mop>in|last|since|by|until|till|from|during|next|this|of|before|after|for|mid)[\s-]+(?P<mopart>{_PART})?
        (?P<mom>{_M})(?!\.?\s*,?\s*(?:of\s+)?\d))
    | (?:(?:in|since|during|of|until|by|from|before|after|early|late|summer|spring|autumn|winter|fall)\s+)
        (?P<yr>{_Y})(?!\s*(?:,\s*\d{{3}}|people|%|percent|[a-z]+s\s+(?:were|have|of)\b))
    | (?P<fest>christmas(?:\s+(?P<eve>eve|day))?|new\s+year\s?['’]s\s+(?P<ny>eve|day))\b
    )
    """
)
# What may begin a time, beside a figure, and what every time holds, so that the pattern is not tried at each letter.
_MONTH_NAMES = (
    "jan january feb february mar march apr april may jun june jul july aug august sep sept september oct october "
    "nov november dec december"
)
_DAY_NAMES = "monday tuesday wednesday thursday friday saturday sunday"
_DIGIT, _WORD, _TOKEN = re.compile(r"\d"), re.compile(r"[a-z]+"), re.compile(r"[a-zA-Z]+|\d+")
_CORE = frozenset(
    f"{_MONTH_NAMES} {_DAY_NAMES} today tonight tomorrow yesterday night morning afternoon evening day days week weeks weekend "
    "month months year years christmas".split()
)
_FIRST = frozenset(
    f"{_MONTH_NAMES} {_DAY_NAMES} the tomorrow today tonight this yesterday last next past coming every each of early late previous "
    "following current in on since by until till from during before after for mid summer spring autumn winter fall christmas new "
    "a an couple few one two three four five six seven eight nine ten eleven twelve several".split()
)
_SOON = 5  # "in the beginning of May", "a couple of days ago": the words that come first are no more
# In what has none of this nothing is read, whatever the pattern says.
_HINT = re.compile(
    rf"(?i)(?<![a-z\d])(?:\d{{4}}|\d\d?\s?(?:\\?/|\.\s?\d|[.a-zéû°º]*\s(?:de\s|of\s|d['’])?[a-zéûäç]|月)|today|yesterday|tomorrow|tonight|{_WD}|"
    rf"(?:last|next|past|previous|this|coming|current)\s(?:night|morn|aft|even|week|month|year)|christmas|new\syear|the\s(?:day|next|"
    rf"following|previous)|in\s(?:{_N})|{_ENGLISH})|\b(?:days?|weeks?|months?|years?)\s(?:ago|back|later|earlier|before|after)"
)

# What says whether the time beside it lies ahead. The nearest verb before the time decides, else the first one after.
_AHEAD = re.compile(
    r"(?i)\b(?:(?:will|shall|won['’]?t|would|must|should)\b|['’]ll\b|(?:going|plan(?:s|ned|ning)?|expect(?:s|ed|ing)?|set|due|"
    r"schedul(?:ed|ing)|hop(?:es?|ing)|intend(?:s|ed)?|want(?:s|ing)?|prepar(?:es?|ed|ing)|vow(?:s|ed)?|slated|poised|likely|"
    r"bound|ready|about|promis(?:es|ed)|pledg(?:es|ed))\s+(?:to|for|back|on|in|by)\b|(?:is|are)\s+(?:to|due|scheduled|planned|"
    r"expected)\b|upcoming|forthcoming|deadline|ahead\s+of|in\s+time\s+for|to\s+be\s+(?:held|released|published|named|announced|"
    r"sworn|decided)|(?:postponed|delayed|adjourned|extended)\s+(?:until|till|to)|calls?\s+for|called\s+for)"
)
_BEHIND = re.compile(
    r"(?i)\b(?:was|were|had|has|have|did|said|says|told|came|went|took|made|met|won|lost|fell|rose|held|left|gave|found|saw|hit|heard|"
    r"stood|sat|swore|chose|drove|flew|grew|knew|kept|laid|paid|read|rang|sank|sold|sang|slid|spent|stole|swept|thought|threw|wore|"
    r"shot|struck|led|became|sent|broke|began|ran|drew|brought|spoke|wrote|sought|fled|got|put|cut|quit|died|late\s+on|since|"
    r"[a-z]{2,}ed)\b"
)
_NAMED = re.compile(  # days that are names, and papers of a day
    r"(?i)(?:good|black|bloody|ash|super|palm|easter|cyber|maundy|shrove|ruby|fat|giving|whit|the)\s+$"
)
_PAPER = re.compile(
    r"^\s+(?:Times|Telegraph|Mail|Mirror|Express|Herald|Post|Night\s+Live|Sun|People|Independent|World)\b"
)


def mentions(sentence: str, published: date) -> tuple[Mention, ...]:
    """The times that a sentence names, in its order.

    A weekday without more is the last one, the day of publication included, unless the verb beside it looks ahead; a
    day and month without a year are the nearest ones. What can be no date (31 June) is none.
    """
    found = tuple(_read(sentence, published))
    return found if found and _HINT.search(sentence) else ()


def _times(sentence: str) -> Iterator[re.Match[str]]:
    """What `_TIME` finds, in order. Most sentences name no time and the pattern costs 0.1 ms for one, so it is tried only
    at a figure and at words that may begin a time, where a word without which no time is named stands soon after."""
    if not _DIGIT.search(sentence) and _CORE.isdisjoint(_WORD.findall(sentence.lower())):
        return
    begins: list[int] = []
    further = _SOON + 1
    for token in reversed([*_TOKEN.finditer(sentence)]):
        word = token[0].lower()
        further = 0 if word in _CORE or not word[0].isalpha() else further + 1
        if further <= _SOON and (word in _FIRST or not word[0].isalpha()):
            begins.append(token.start())
    done = 0
    for begin in reversed(begins):
        if begin >= done and (match := _TIME.match(sentence, begin)) is not None:
            yield match
            done = match.end()


def _read(sentence: str, published: date) -> Iterator[Mention]:
    anchor: date | None = None
    ended = 0
    for match in _times(sentence):
        try:
            found = _meant(match, sentence, published, anchor, ended)
        except (ValueError, OverflowError):
            continue  # before the year 1 or after 9999
        if found is None:
            continue
        ended = match.end()
        if found.span == "day":
            anchor = found.first
        yield found


def _meant(match: re.Match[str], sentence: str, published: date, anchor: date | None, ended: int) -> Mention | None:
    get = match.group

    def day(when: date | None, absolute: bool = False) -> Mention | None:
        return None if when is None else Mention(when, when, match.start(), match.end(), "day", absolute)

    def span(first: date, last: date, kind: Span, absolute: bool = False) -> Mention:
        return Mention(first, last, match.start(), match.end(), kind, absolute)

    def ahead() -> bool:
        return _looks_ahead(sentence, match.start(), match.end(), ended)

    match match.lastgroup and _kind(match):
        case "iso":
            return day(_day(int(get("iy")), int(get("im")), int(get("id"))), True)
        case "figures":
            return day(_figures(match, published), True)
        case "cjk":
            if get("cy"):
                return day(_day(int(get("cy")), int(get("cm")), int(get("cd"))), True)
            return day(_nearest(int(get("cm2")), int(get("cd2")), published), True)
        case "md" | "dm" | "om" as form:
            named = get(form + "m")
            if form != "om" and not _is_month(named):
                return None
            month = _OTHERS[named.lower()] if form == "om" else _MONTHS[named[:3].lower()]
            number = int(re.sub(r"\D", "", get(form + "d")))
            if get(form + "y"):
                return day(_day(int(get(form + "y")), month, number), True)
            found = _nearest(month, number, published)
            if found and abs(found - published) > timedelta(days=45):
                years = 1 if found < published and ahead() else -1 if found > published and not ahead() else 0
                found = _day(found.year + years, month, number) or found
            return day(found, True)
        case "my":
            if not _is_month(get("mym")):
                return None
            return span(*_month(int(get("myy")), _MONTHS[get("mym")[:3].lower()]), "month", True)
        case "before":
            return day(published - timedelta(days=2))
        case "after":
            return day(published + timedelta(days=2))
        case "yesterday":
            return day(published - timedelta(days=1))
        case "tomorrow":
            return day(published + timedelta(days=1))
        case "today":
            return day(published)
        case "ago" | "wago" as form:
            return _ago(match, published, form)
        case "ahead":
            if not ahead():
                return None  # "the first strike in two weeks" looks at a length, not at a day
            many, unit = _number(get("aheadn")), get("aheadu").lower()
            if unit == "day":
                return day(published + timedelta(days=many))
            middle = published + timedelta(days=many * (7 if unit == "week" else 30))
            return span(middle - timedelta(days=3), middle + timedelta(days=3), "week")
        case "wk":
            return day(_weekday(match, sentence, published, ahead))
        case "un":
            return _unit(match, published, ahead)
        case "mo":
            named = get("mom")
            if not _is_month(named) or named[:1].islower():
                return None
            month, said = _MONTHS[named[:3].lower()], get("mop").lower()
            year = published.year
            if month > published.month or (month == published.month and said == "last"):
                year -= 1
            if said == "next" or (said not in ("last", "since") and month != published.month and ahead()):
                year = published.year + (month <= published.month)
            return span(*_month(year, month), "month")
        case "yr":
            year = int(get("yr"))
            return span(date(year, 1, 1), date(year, 12, 31), "year", True)
        case "fest":
            eve = "eve" in (get("eve") or get("ny") or "").lower()
            first = (12, 25 - eve) if get("fest").lower().startswith("christmas") else ((12, 31) if eve else (1, 1))
            return day(_nearest(*first, published))
        case _:
            return day(_beside((get("rel") or get("wrel")).lower(), anchor))


_KINDS = (
    ("iso", "iso"), ("fa", "figures"), ("cd", "cjk"), ("cd2", "cjk"), ("md", "md"), ("dm", "dm"), ("om", "om"), ("my", "my"),
    ("before", "before"), ("after", "after"), ("yesterday", "yesterday"),
    ("tomorrow", "tomorrow"), ("today", "today"), ("ago", "ago"), ("wago", "wago"), ("ahead", "ahead"), ("wk", "wk"), ("un", "un"), ("mo", "mo"),
    ("yr", "yr"), ("fest", "fest"),
)  # fmt: skip


def _kind(match: re.Match[str]) -> str:
    return next((kind for group, kind in _KINDS if match.group(group)), "rel")


def _day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _month(year: int, month: int) -> tuple[date, date]:
    first = date(year, month, 1)
    return first, date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _nearest(month: int, number: int, published: date) -> date | None:
    """The day of that month that lies nearest to the publication, in whatever year."""
    years = (published.year - 1, published.year, published.year + 1)
    found = [when for year in years if (when := _day(year, month, number)) is not None]
    return min(found, key=lambda when: abs(when - published), default=None)


def _is_month(written: str) -> bool:
    """May, Mar and the like are months only with a capital; a verb is not."""
    return not (written[:1].islower() and written.lower().rstrip(".") in ("may", "mar", "march", "jan", "dec", "sept"))


def _figures(match: re.Match[str], published: date) -> date | None:
    a, b, year = int(match["fa"]), int(match["fb"]), int(match["fy"])
    if year < 100:
        if match["sep"] == ".":
            return None  # "1.2.10" is a version or a section before it is a date
        year += 2000 if year <= published.year % 100 + 5 else 1900
    month_first, day_first = _day(year, a, b), _day(year, b, a)
    if match["sep"] == "." or month_first is None:
        return day_first
    if day_first is None or day_first == month_first:
        return month_first
    # 3/4/2011 is in March or in April: the reading that is nearer by a month and more, else the American one
    gap, other = abs(month_first - published), abs(day_first - published)
    return day_first if other + timedelta(days=28) < gap else month_first


def _number(written: str) -> int:
    word = written.lower().split()
    if word[0].isdigit():
        return int(word[0])
    return _NUMBERS[word[1]] if len(word) > 1 else _NUMBERS[word[0]]


def _ago(match: re.Match[str], published: date, form: str) -> Mention | None:
    many, unit = _number(match[form + "n"]), match[form + "u"].lower()
    vague = match[form + "n"].lower().split()[-1] in ("few", "several", "of")
    start, end = match.start(), match.end()
    if unit == "day":
        when = published - timedelta(days=many)
        if vague:
            return Mention(when, published - timedelta(days=1), start, end, "week", False)
        return Mention(when, when, start, end, "day", False)
    if unit == "week":
        when = published - timedelta(weeks=many)
        if match[form + "w"]:  # "two weeks ago Friday"
            when -= timedelta(days=(when.weekday() - _WEEKDAYS[match[form + "w"][:3].lower()]) % 7)
            return Mention(when, when, start, end, "day", False)
        return Mention(when - timedelta(days=3), when + timedelta(days=3), start, end, "week", False)
    if unit == "month":
        months = published.year * 12 + published.month - 1 - many
        return Mention(*_month(months // 12, months % 12 + 1), start, end, "month", False)
    year = published.year - many
    return Mention(date(year, 1, 1), date(year, 12, 31), start, end, "year", False)


def _weekday(match: re.Match[str], sentence: str, published: date, ahead: object) -> date | None:
    said = (match["wkp"] or "").lower()
    if said in ("every", "each") or (_NAMED.search(sentence[: match.start("wkd")]) and said == ""):
        return None
    if match["wkd"][:1].islower() or _PAPER.match(sentence[match.end() :]):
        return None
    wanted = _WEEKDAYS[match["wkd"][:3].lower()]
    back = (published.weekday() - wanted) % 7
    week = (match["wko"] or "").lower()
    monday = published - timedelta(days=published.weekday())
    if "last week" in week:
        return monday + timedelta(days=wanted - 7)
    if "next week" in week:
        return monday + timedelta(days=wanted + 7)
    if "this week" in week:
        return monday + timedelta(days=wanted)
    if said.startswith("a week ago"):
        return published - timedelta(days=back + 7)
    if said.startswith("a week from"):
        return published + timedelta(days=(-back) % 7 + 7)
    if said in ("last", "past"):
        return published - timedelta(days=back or 7)
    if said in ("next", "coming"):
        return published + timedelta(days=(-back) % 7 or 7)
    if callable(ahead) and ahead():
        return published + timedelta(days=(-back) % 7)
    return published - timedelta(days=back)


def _unit(match: re.Match[str], published: date, ahead: object) -> Mention | None:
    said, unit = match["unp"].lower(), match["unu"].lower()
    step = {"last": -1, "past": -1, "previous": -1, "next": 1, "coming": 1, "following": None}.get(said, 0)
    if step is None:
        return None  # "the following week" hangs on what was told before
    start, end = match.start(), match.end()
    if unit.startswith("week"):
        monday = published - timedelta(days=published.weekday())
        if unit == "weekend":
            saturday = monday + timedelta(days=5 + 7 * step)
            if step == 0 and published.weekday() < 4 and not (callable(ahead) and ahead()):
                saturday -= timedelta(days=7)
            return Mention(saturday, saturday + timedelta(days=1), start, end, "week", False)
        first = monday + timedelta(days=7 * step)
        return Mention(first, first + timedelta(days=6), start, end, "week", False)
    if unit == "month":
        months = published.year * 12 + published.month - 1 + step
        return Mention(*_month(months // 12, months % 12 + 1), start, end, "month", False)
    year = published.year + step
    return Mention(date(year, 1, 1), date(year, 12, 31), start, end, "year", False)


def _beside(said: str, anchor: date | None) -> date | None:
    """ "The next day" and the like, beside a day that the sentence named before."""
    if anchor is None:
        return None
    back = said.endswith(("before", "earlier")) or "previous" in said
    many = 1 if said.startswith("the") else _number(said.rsplit(maxsplit=2)[0])
    return anchor - timedelta(days=many) if back else anchor + timedelta(days=many)


def _looks_ahead(sentence: str, start: int, end: int, ended: int) -> bool:
    """Does the verb that goes with the words at start:end look ahead?"""
    begin = max(ended, start - 90)
    for stop in (";", ":", "``", "“"):
        begin = max(begin, sentence.rfind(stop, begin, start) + 1)
    before = sentence[begin:start]
    spans = [m.span() for m in _AHEAD.finditer(before)]
    future = [first for first, _ in spans]
    past = [m.start() for m in _BEHIND.finditer(before) if not any(a <= m.start() < b for a, b in spans)]
    if future or past:
        return bool(future) and (not past or future[-1] > past[-1] or _is_part(before, future[-1], past[-1]))
    after = sentence[end : end + 60]
    first, other = _AHEAD.search(after), _BEHIND.search(after)
    if first is None and other is None:
        return bool(re.search(r"(?i)\b(?:by|until|till)\s+(?:late\s+|early\s+)?$", before))
    return first is not None and (other is None or first.start() <= other.start())


def _is_part(before: str, future: int, past: int) -> bool:
    """Is the last past form only the participle of what lies ahead ("will be released", "expected to be killed")?"""
    between = before[future:past]
    return bool(re.search(r"(?i)\b(?:be|have\s+been|get|being)\s+(?:\w+ly\s+)?$", between)) and "," not in between
