"""Dates of many styles into aware UTC. A date that no news can have is said to be one."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_ISO = re.compile(
    r"(\d{4})-?(\d\d)(?:-?(\d\d))?(?:[T\s]+(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?\s*",
    re.I,
)
_MAIL = re.compile(
    r"(?:[^\W\d_]+\.?,?\s+)?(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+(?:de\s+)?([^\W\d_]+)\.?,?[\s-]+(?:de\s+)?(\d{4}|\d\d)"
    r"(?:,?\s+(?:at\s+)?(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*([ap]\.?m\.?)?)?\s*(.*)",
    re.I | re.S,
)
_US = re.compile(
    r"(?:[^\W\d_]+\.?,?\s+)?([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(?:(\d{4})\b)?"
    r"(?:,?\s*(?:at\s+|-\s+)?(\d{1,2}):(\d\d)(?::(\d\d))?\s*([ap]\.?m\.?)?)?\s*(.*)",
    re.I | re.S,
)
_OFFSET = re.compile(r"(?:GMT|UTC?|Z)?\s*([+-])(\d{1,2}):?(\d\d)?\b", re.I)
_ZONES = {
    "": 0, "gmt": 0, "ut": 0, "utc": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "ist": 5.5, "cet": 1, "mez": 1,
    "cest": 2, "mesz": 2, "eet": 2, "eest": 3, "msk": 3, "msd": 4, "est": -5, "edt": -4, "et": -5, "cst": -6, "cdt": -5,
    "ct": -6, "mst": -7, "mdt": -6, "mt": -7, "pst": -8, "pdt": -7, "pt": -8, "akst": -9, "akdt": -8, "hst": -10,
    "ast": -4, "adt": -3, "nst": -3.5, "ndt": -2.5, "jst": 9, "kst": 9, "hkt": 8, "sgt": 8, "awst": 8, "aest": 10, "aedt": 11,
    "acst": 9.5, "acdt": 10.5, "nzst": 12, "nzdt": 13, "brt": -3, "sast": 2, "pkt": 5, "wib": 7,
}  # fmt: skip
_MONTHS = {
    # English, German, French, Spanish, Portuguese, Italian, Dutch, and the Scandinavian and Slavic forms met in feeds
    1: "jan january januar jänner janv janvier ene enero janeiro gen gennaio januari ιαν января янв sty stycznia leden ledna ocak",
    2: "feb february februar fév févr fevr février febrero fev fevereiro febbraio februari φεβ февраля фев lut lutego únor února şubat",
    3: "mar march märz mär mrz mars marzo março marco maart mrt μάρ μαρ марта мар marca března březen mart",
    4: "apr april avr avril abr abril aprile απρ апреля апр kwi kwietnia duben dubna nisan",
    5: "may mai mayo maio mag maggio mei maj maja μάι μαϊ мая май květen května mayıs",
    6: "jun june juni juin junio junho giu giugno ιούν ιον июня июн cze czerwca červen června haziran",
    7: "jul july juli juil juillet julio julho lug luglio ιούλ ιολ июля июл lip lipca červenec července temmuz",
    8: "aug august aoû août aout ago agosto augustus augusti αύγ αυγ августа авг sie sierpnia srpen srpna ağustos",
    9: "sep sept september septembre septiembre set setembro settembre σεπ сентября сен wrz września září eylül",
    10: "oct october okt oktober octobre octubre out outubro ott ottobre οκτ октября окт paź października říjen října ekim",
    11: "nov november novembre noviembre novembro νοέ νοε ноября ноя lis listopada listopad listopadu kasım",
    12: "dec december dez dezember déc décembre dic diciembre dezembro dicembre δεκ декабря дек gru grudnia prosinec prosince aralık",
}
_MONTH_OF = {name: number for number, names in _MONTHS.items() for name in names.split()}


def _month(name: str) -> int | None:
    name = name.lower().rstrip(".")
    return _MONTH_OF.get(name) or _MONTH_OF.get(name[:3])


def _zone(written: str) -> timezone:
    """The zone that the end of a date names; UTC where it names none that is known."""
    written = written.strip()
    if match := _OFFSET.match(written):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        if offset < timedelta(hours=24):
            return timezone(-offset if match[1] == "-" else offset)
    word = re.match(r"[A-Za-z]*", written)
    return timezone(timedelta(hours=_ZONES.get(word[0].lower() if word else "", 0)))


def _made(year: int, month: int, day: int, hour: int, minute: int, second: int, zone: timezone) -> datetime:
    """The moment; seconds of 60 (a leap second) and hours of 24 (midnight) are the next moment."""
    extra = timedelta(hours=1 if hour == 24 else 0, seconds=1 if second == 60 else 0)
    start = datetime(year, month, day, min(hour, 23), minute, min(second, 59), tzinfo=zone)
    return (start + extra).astimezone(UTC)


def _hour(hour: str, half: str | None) -> int:
    number = int(hour)
    if half:
        number = number % 12 + (12 if half.lower().startswith("p") else 0)
    return number


def _read(text: str) -> datetime | None:
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute, second, zone = match.groups()
        offset = _zone(zone or "")
        return _made(int(year), int(month), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), offset)
    if match := _MAIL.fullmatch(text):
        day, name, year, hour, minute, second, half, zone = match.groups()
        if (number := _month(name)) is not None:
            full = int(year) if len(year) == 4 else int(year) + (2000 if int(year) < 70 else 1900)
            clock = (_hour(hour or "0", half), int(minute or 0), int(second or 0))
            return _made(full, number, int(day), *clock, _zone(zone))
    if match := _US.fullmatch(text):
        name, day, year, hour, minute, second, half, zone = match.groups()
        trailing = re.search(r"\b(\d{4})\s*$", zone) if year is None else None  # asctime: Thu Jan  1 00:00:00 2004
        year = year or (trailing[1] if trailing else None)
        if (number := _month(name)) is not None and year is not None:
            clock = (_hour(hour or "0", half), int(minute or 0), int(second or 0))
            return _made(int(year), number, int(day), *clock, _zone(zone[: trailing.start()] if trailing else zone))
    return None


def _by_feedparser(text: str) -> datetime | None:
    """The styles that feedparser knows and this module does not: Korean, Hungarian, Greek, week and ordinal dates."""
    from feedparser.datetimes import _parse_date

    try:
        parts = _parse_date(text)
        return None if parts is None else datetime.fromtimestamp(calendar.timegm(parts), UTC)
    except Exception:  # feedparser's handlers raise what they like on odd dates
        return None


@lru_cache(maxsize=4096)
def moment(written: str) -> tuple[datetime | None, str]:
    """The moment that a date says, and the problem with it (one of the two may be empty, never both)."""
    text = " ".join(written.split())[:120]
    if not text:
        return None, "an empty date"
    if text.isdigit() and len(text) in (10, 13):  # Unix time, in seconds or milliseconds
        found: datetime | None = datetime.fromtimestamp(int(text[:10]), UTC)
    else:
        try:
            found = _read(text)
        except (ValueError, OverflowError):
            found = None
        found = found or _by_feedparser(text)
    if found is None:
        return None, f"a date that can't be read ({text[:40]!r})"
    if found.year < 1000 or found.year > 2100 or 0 <= found.timestamp() < 172_800:
        return None, f"a date that no news can have ({text[:40]!r})"
    if found.year < 1990:
        return found, f"a date before there were feeds ({text[:40]!r})"
    return found, ""
