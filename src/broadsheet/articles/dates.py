"""When an article appeared: times as people and machines write them, and where a page states its own.

A time keeps the offset that it was written with: "2026-03-04T23:30:00-05:00" appeared on the fourth where it appeared,
though the day is the fifth in UTC. What has no zone is taken as UTC.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from lxml.etree import _Element

from broadsheet.articles.shown import HIDDEN, Shown

__all__ = ["MONTHS", "Stated", "stated", "when"]

# --- times as they are written -----------------------------------------------------------------------------------

_MONTH_NAMES = (
    "january jan januar janvier janv enero ene janeiro gennaio gen januari jänner ianuarie ocak января январь янв січня stycznia styczeń "
    "ledna leden január tammikuuta tammikuu ιανουαρίου ιαν जनवरी জানুয়ারি يناير ינואר",
    "february feb februar février fevrier févr fév febrero fevereiro fev febbraio febbr februari feber februarie şubat февраля февраль фев "
    "лютого lutego luty února únor február helmikuuta helmikuu φεβρουαρίου φεβ फरवरी ফেব্রুয়ারি فبراير פברואר",
    "march mar märz maerz mrz mars marzo março marco maart mrt marts martie mart maret марта март мар березня marca marzec března březen "
    "március maaliskuuta maaliskuu μαρτίου μαρ मार्च মার্চ مارس מרץ",
    "april apr avril avr abril abr aprile aprilie nisan апреля апрель апр квітня kwietnia kwiecień dubna duben április huhtikuuta "
    "huhtikuu απριλίου απρ अप्रैल এপ্রিল أبريل אפריל",
    "may mai mayo maio maggio mag mei maj mayıs мая май травня maja května květen május toukokuuta toukokuu μαΐου μαι मई মে مايو מאי",
    "june jun juni juin junio junho giugno giu iunie haziran июня июнь червня czerwca czerwiec června červen június "
    "kesäkuuta kesäkuu ιουνίου ιουν जून জুন يونيو יוני",
    "july jul juli juillet juil julio julho luglio lug iulie temmuz июля июль липня lipca lipiec července červenec július "
    "heinäkuuta heinäkuu ιουλίου ιουλ जुलाई জুলাই يوليو יולי",
    "august aug août aout agosto ago augustus augusti ağustos agustus августа август авг серпня sierpnia sierpień srpna srpen "
    "augusztus elokuuta elokuu αυγούστου αυγ अगस्त আগস্ট أغسطس אוגוסט",
    "september sep sept septembre septiembre setembro set settembre septembrie eylül сентября сентябрь сен сент вересня września "
    "wrzesień září szeptember syyskuuta syyskuu σεπτεμβρίου σεπ सितंबर সেপ্টেম্বর سبتمبر ספטמבר",
    "october oct oktober okt octobre octubre outubro out ottobre ott octombrie ekim октября октябрь окт жовтня października "
    "październik října říjen október lokakuuta lokakuu οκτωβρίου οκτ अक्टूबर অক্টোবর أكتوبر אוקטובר",
    "november nov novembre noviembre novembro noiembrie kasım nopember ноября ноябрь ноя листопада listopada listopad listopadu "
    "marraskuuta marraskuu νοεμβρίου νοε नवंबर নভেম্বর نوفمبر נובמבר",
    "december dec dezember dez décembre decembre déc diciembre dic dezembro dicembre decembrie aralık desember des декабря декабрь дек "
    "грудня grudnia grudzień prosince prosinec joulukuuta joulukuu δεκεμβρίου δεκ दिसंबर ডিসেম্বর ديسمبر דצמבר",
)
# Names and short names in 25 languages. No name stands for two months: Croatian and Czech ones that do ("listopad", "srpen") follow Polish and Czech use.
MONTHS = {name.casefold(): number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_MONTH = "(" + "|".join(sorted(map(re.escape, MONTHS), key=len, reverse=True)) + r")(?![^\W\d_])\.?"
_YEAR = r"((?:19|20)\d{2})(?!\d)"
_DAY_FIRST = re.compile(
    rf"(?<![\d.,])(\d{{1,2}})(?:st|nd|rd|th|\.|er|º|ª)?[\s\-/]+(?:de\s+|of\s+|d[’'])?{_MONTH},?[\s\-/,]*(?:de\s+|del\s+)?{_YEAR}",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"(?<![^\W\d_]){_MONTH}[\s\-/]*(\d{{1,2}})(?:st|nd|rd|th)?(?:,\s*|\s+|-|/){_YEAR}", re.IGNORECASE
)
_YEAR_MONTH = re.compile(rf"(?<!\d){_YEAR},?\s+{_MONTH}\s+(\d{{1,2}})(?!\d)", re.IGNORECASE)
_EAST_ASIAN = re.compile(r"((?:19|20)\d{2})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일号]")
_VIETNAMESE = re.compile(rf"(\d{{1,2}})\s+tháng\s+(\d{{1,2}}),?\s+(?:năm\s+)?{_YEAR}", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(?<![\d.])((?:19|20)\d{2})([-/.])\s?(\d{1,2})\2\s?(\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"(?<![\d./-])(\d{1,2})([./-])\s?(\d{1,2})\2\s?((?:19|20)\d{2})(?![\d/])")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2})(?::?(\d{2}))?)?(Z|[+-]\d{4})?")
_ISO_LOOSE = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?",
    re.IGNORECASE,
)
_ZONES = {"utc": 0, "gmt": 0, "z": 0, "bst": 1, "cet": 1, "cest": 2, "est": -5, "edt": -4, "et": -5, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "ist": 5.5, "hkt": 8, "sgt": 8, "jst": 9, "aest": 10}  # fmt: skip
_CLOCK = re.compile(
    r"\b(\d{1,2})[:.h](\d{2})(?::(\d{2}))?\s*([ap]\.?m\.?)?(?![\d.])\s*(?:\(?([A-Za-z]{1,4})\b)?", re.IGNORECASE
)
_OFFSET = re.compile(r"\s*\(?(?:UTC|GMT)?\s*([+-])(\d{2}):?(\d{2})\b", re.IGNORECASE)


def when(written: str, *, day_first: bool | None = None) -> datetime | None:
    """The time that is written, aware, with its own offset; a day alone is its midnight in UTC.

    None where there is none to be sure of: "3/4/2026" is two days, unless `day_first` says which number is the day.
    """
    text = " ".join(written.split())[:200]
    try:
        return _machine(text) or _words(text, day_first)
    except (ValueError, OverflowError, KeyError):
        return None


def _machine(text: str) -> datetime | None:
    if re.fullmatch(r"1\d{9}(?:\d{3})?", text):  # seconds or milliseconds since 1970
        return datetime.fromtimestamp(int(text[:10]), UTC)
    if match := _ISO_LOOSE.match(text):
        zone = (match[3] or "Z").upper().replace("UTC", "Z").replace("GMT", "Z")
        return _sane(datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}"))
    if match := _COMPACT.fullmatch(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{match[7] or 'Z'}").tzinfo or UTC
        return _sane(datetime(year, month, day, hour, minute, second, tzinfo=zone))
    return None


def _numbers(match: re.Match[str], day_first: bool | None) -> datetime | None:
    one, other, year = int(match[1]), int(match[3]), int(match[4])
    if one > 12 or other > 12:
        day_first = one > 12
    elif one != other and match[2] == ".":
        day_first = True  # nobody writes the month first with points
    if day_first is None and one != other:
        return None
    day, month = (one, other) if day_first else (other, one)
    return datetime(year, month, day, tzinfo=UTC)


def _day(text: str, day_first: bool | None) -> tuple[datetime, int, int] | None:
    """The first day that is written in a text, with where it stands."""
    if match := _EAST_ASIAN.search(text):
        return datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC), *match.span()
    if match := _YEAR_FIRST.search(text):
        return datetime(int(match[1]), int(match[3]), int(match[4]), tzinfo=UTC), *match.span()
    if match := _DAY_FIRST.search(text):
        return datetime(int(match[3]), MONTHS[match[2].casefold()], int(match[1]), tzinfo=UTC), *match.span()
    if match := _MONTH_FIRST.search(text):
        return datetime(int(match[3]), MONTHS[match[1].casefold()], int(match[2]), tzinfo=UTC), *match.span()
    if match := _YEAR_MONTH.search(text):
        return datetime(int(match[1]), MONTHS[match[2].casefold()], int(match[3]), tzinfo=UTC), *match.span()
    if match := _VIETNAMESE.search(text):
        return datetime(int(match[3]), int(match[2]), int(match[1]), tzinfo=UTC), *match.span()
    if (match := _NUMBERS.search(text)) and (day := _numbers(match, day_first)):
        return day, *match.span()
    return None


def _words(text: str, day_first: bool | None) -> datetime | None:
    if (found := _day(text, day_first)) is None:
        return None
    day, start, end = found
    rest = f"{text[:start]} | {text[end:]}"
    if clock := _CLOCK.search(rest):
        hour, minute = int(clock[1]), int(clock[2])
        if half := (clock[4] or "").lower()[:1]:
            hour = hour % 12 + (12 if half == "p" else 0)
        zone = timedelta(hours=_ZONES.get((clock[5] or "").lower(), 0))
        if numeric := _OFFSET.match(rest[clock.end(3) if clock[3] else clock.end(2) :]):
            zone = (1 if numeric[1] == "+" else -1) * timedelta(hours=int(numeric[2]), minutes=int(numeric[3]))
        if hour < 24 and minute < 60:
            day = day.replace(
                hour=hour, minute=minute, second=int(clock[3] or 0), tzinfo=timezone(zone) if zone else UTC
            )
    return _sane(day)


def _sane(found: datetime) -> datetime | None:
    return found if 1990 <= found.year <= 2100 else None


# --- what a page shows -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stated:
    """When a page says that its article appeared and last changed."""

    published: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A day that the page shows: how far from the title (characters; negative before it), and what it is called."""

    at: datetime
    kind: str  # published, updated or nothing
    away: int
    alone: bool  # nothing else of weight stands in the same piece of text


_LABEL = re.compile(
    r"(?P<updated>\b(?:updat(?:ed?|ing)|modif\w+|revised|reviewed|refreshed|aktualisiert|mis(?:e)? à jour|actualizad[oa]|atualizad[oa]|aggiornat[oa]|bijgewerkt|uppdaterad|"
    r"oppdatert|opdateret|zaktualizowano|обновлено|güncelle\w*|cập nhật)|更新|修改|수정)"
    r"|(?P<published>\b(?:publish(?:ed)?|posted|posté|first appeared|released?|written|created|post (?:date|time)|veröffentlicht|erschienen|publiée?|paru|publicad[oa]|pubblicat[oa]|geplaatst|"
    r"gepubliceerd|publicerad|publisert|publicerat|offentliggjort|julkaistu|opublikowano|опубликовано|yayın\w*|đăng)\b|发布|發布|发表|公開|投稿|掲載|입력|등록)",
    re.IGNORECASE,
)
_OTHER_LABEL = re.compile(r"\b(?:since|until|till|expires?|deadline|retrieved|accessed|copyright|born|died|joined|as of|starting|effective|ends?|from|to|between)\W*$|©\W*$", re.IGNORECASE)  # fmt: skip
_ELSEWHERE = re.compile(
    r"(?:^|[-_\s])(?:related\w*|recommend\w*|recent\w*|latest\w*|popular\w*|trending|sidebar|comments?|comment-\w+|respond|more-\w+|read-?next|see-also|"
    r"teasers?|cards?|carousel|slider|pagination|post-?nav\w*|next|prev|previous|ticker|event-?list|citations?|references?|bibliography)(?:$|[-_\s])",
    re.IGNORECASE,
)
_BESIDE = 250  # characters from the title within which a day is its dateline whatever the boxes around it are called
_NEAR_BEFORE, _NEAR_AFTER = 500, 1500  # characters of text: datelines of the dev half stood within 400 and 1,200
_LONGEST_DATELINE = 140


def _is_elsewhere(element: _Element, stop: _Element | None) -> bool:
    """Does the element stand in what surrounds an article: a footer, a list of other articles, a comment?"""
    for above in (element, *element.iterancestors()):
        if above is stop or above.tag in ("body", "html", "main"):
            return False
        if above.tag in ("aside", "nav"):
            return True
        if above.tag == "footer":
            return not any(outer.tag == "article" for outer in above.iterancestors())
        names = f"{above.get('class') or ''} {above.get('id') or ''}"
        if len(names) > 3 and _ELSEWHERE.search(names) and not above.xpath("boolean(.//h1)"):
            return True
    return False


def _label(before: str, element: _Element) -> str:
    """What the day is called by the words before it, else by its element's name."""
    if labels := list(_LABEL.finditer(before[-60:])):
        return labels[-1].lastgroup or ""
    names = f"{element.get('class') or ''} {element.get('itemprop') or ''}".lower()
    if "updat" in names or "modif" in names:
        return "updated"
    return "published" if "publish" in names or element.get("pubdate") is not None else ""


def _days_in(piece: str, before: str, day_first: bool | None) -> list[tuple[datetime, str, int]]:
    """The days in one piece of text, each with the words before it and how much else stands in the piece."""
    found: list[tuple[datetime, str, int]] = []
    rest = piece
    while len(found) < 3:
        try:
            day = _day(rest, day_first)
        except (ValueError, KeyError):
            break
        if day is None:
            break
        _, start, end = day
        following = rest[end : end + 40]
        if at := when(rest[start:end] + following, day_first=day_first):
            found.append((at, f"{before} {rest[:start]}", len(piece) - (end - start)))
        before, rest = "", rest[end:]
    return found


def _seen(page: Shown, day_first: bool | None) -> tuple[list[_Seen], list[_Seen]]:
    """The days shown near the title, and those shown elsewhere on the page that stand alone."""
    near: list[_Seen] = []
    far: list[_Seen] = []
    pieces = page.pieces
    held: _Element | None = None  # a time element whose attribute was read: its text says the same
    for n, (text, element) in enumerate(pieces):
        hidden = text[0] == HIDDEN
        if not hidden and not _YEARLIKE.search(text):
            continue
        if held is not None and not hidden and (element is held or held in element.iterancestors()):
            continue
        if page.first <= n < page.last:
            continue  # a day in the title is part of it
        away = page.away(n)
        piece = " ".join(text.lstrip(HIDDEN).split())
        before = " ".join(" ".join(t for t, _ in pieces[max(0, n - 3) : n] if t[0] != HIDDEN).split())[-60:]
        if hidden:
            at = when(piece)
            days = [(at, before, 0)] if at else []
            held = element if at else None
        elif len(piece) > _LONGEST_DATELINE:
            continue
        else:
            if len(piece) <= 8 and n and pieces[n - 1][0][0] != HIDDEN:
                piece, before = f"{' '.join(pieces[n - 1][0].split())} {piece}"[-40:], ""  # "4 March" and "2026"
            days = _days_in(piece, before, day_first)
        for at, said, beside in days:
            if _OTHER_LABEL.search(said):
                continue
            seen = _Seen(at, _label(said, element), away, beside <= 40)
            if not seen.alone and not seen.kind:
                continue  # a day that a sentence speaks of
            elsewhere = _is_elsewhere(element, page.heading)
            if page.last and (abs(away) <= _BESIDE if elsewhere else -_NEAR_BEFORE <= away <= _NEAR_AFTER):
                near.append(seen)
            elif seen.alone and (not elsewhere or seen.kind == "published"):
                far.append(seen)
    return near, far


_YEARLIKE = re.compile(r"(?:19|20)\d\d")


def _days_first(pieces: Sequence[tuple[str, _Element]], language: str, host: str) -> bool | None:
    """Which of two numbers is the day: as the page's other days show, else as is usual where it comes from."""
    votes = 0
    for text, _ in pieces:
        if len(text) < 200 and _YEARLIKE.search(text):
            for match in _NUMBERS.finditer(text):
                votes += (int(match[1]) > 12) - (int(match[3]) > 12)
    if votes:
        return votes > 0
    language = language.lower().replace("_", "-")
    if re.search(r"\.(?:uk|au|nz|ie|in|za|sg|hk|ng|ke|fr|de|es|it|br|pt|nl|be|pl|ru)$", host):
        return True
    return language not in ("en", "en-us", "")


def _nearest(seen: Sequence[_Seen], *kinds: str) -> _Seen | None:
    """The day most likely to be the article's own: near the title, called published, alone in its piece."""

    def distance(day: _Seen) -> int:
        return abs(day.away) + (0 if day.kind == "published" else 300) + (0 if day.alone else 300)

    return min((day for day in seen if day.kind in kinds), key=distance, default=None)


_IN_ADDRESS = re.compile(
    r"/((?:19|20)\d{2})[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=\D|$)|[/-]((?:19|20)\d{2})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?=\D|$)"
)
_IN_DATA = re.compile(
    r"(?:datePublished|publishDate|published_?[aA]t|published_?[dD]ate|publish_?date|first_?[pP]ublished(?:_?[aA]t)?|publicationDate|pubDate)"
    r"(?:\\*\"|&quot;|')\s*:\s*(?:\[0,)?(?:\\*\"|&quot;|')(\d{4}-\d{2}-\d{2}[^\"&\\']{0,30})"
)


def in_address(url: str) -> datetime | None:
    """The day that an address holds: ".../2026/03/04/..."."""
    match = _IN_ADDRESS.search(url)
    return when("-".join(part for part in match.groups() if part)) if match else None


def stated(
    page: Shown,
    url: str,
    *,
    language: str = "",
    published: Sequence[str] = (),
    updated: Sequence[str] = (),
    raw: str = "",
) -> Stated:
    """When the page says that its article appeared and changed.

    `published` and `updated` are what its data says, the surest first. A day that the page shows as its own, and not as
    that of a change, is believed before them where it is earlier: the data of many sites gives the last change as both.
    Where a page shows only when it changed, that is when it appeared, for all that can be known. `raw` is the page as it
    came: the data in its scripts is the last resort.
    """
    said = next((at for text in published if (at := when(text))), None)
    changed = next((at for text in updated if (at := when(text))), None)
    host = (re.match(r"https?://([^/?#:]*)", url, re.IGNORECASE) or ["", ""])[1]
    near, far = _seen(page, _days_first(page.pieces, language, host))
    shown = _nearest(near, "published", "")
    named = {day.at for day in far if day.kind == "published"}
    if shown is None and len(named) == 1:
        shown = next(day for day in far if day.kind == "published")
    revised = _nearest(near, "updated") or next((day for day in far if day.kind == "updated"), None)
    if said is not None:
        # a day later than the data's is that of a change
        if shown is not None and (shown.at == said or said.date() - shown.at.date() > timedelta(days=1)):
            said = shown.at  # the same moment is taken with the clock of where it appeared
    else:
        said = shown.at if shown else in_address(url)
    if said is None and (alone := next((day for day in far if day.kind != "updated"), None)):
        said = alone.at
    if said is None and raw and revised is None and (match := _IN_DATA.search(raw)):
        said = when(match[1])
    changed = changed or (revised.at if revised else None)
    return Stated(said or changed, changed)
