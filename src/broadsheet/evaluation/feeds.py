"""How much of the feeds in the labelled suites is read right, next to feedparser and fastfeedparser on the same files.

A case of feedparser's suite is right when every part of its own "Expect:" that speaks of something Broadsheet keeps
holds; a case of gofeed's when its expected titles, links, ids, dates and tags are there; the others when every entry
that feedparser finds is there with its title and link. What is not right is "a named problem" when the reader said
that something was wrong, and else "lost": wrong, and silent about it.
"""

from __future__ import annotations

import ast
import calendar
import re
import tarfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin

import orjson

from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.model import SourceId
from broadsheet.sources.formats import parse
from broadsheet.sources.formats.dates import moment
from broadsheet.sources.formats.text import plain

URL = "http://127.0.0.1:8097/tests/feed.xml"  # where the suite's own server would have served it
Verdict = Literal["right", "problem", "lost"]
_EXPECT = re.compile(rb"Expect:[ \t]*([^\r\n]*)")
_HEADER = re.compile(rb"^Header:[ \t]*([\w-]+):[ \t]*([^\r\n]*)", re.M | re.I)


@dataclass(frozen=True, slots=True)
class Read:
    """One feed as one reader read it, in the words of feedparser: `feed` and `entries` are nested plain values."""

    feed: dict[str, Any]
    entries: list[dict[str, Any]]
    complained: bool


Reader = Callable[[bytes, str, str], Read]


def _detail(value: str) -> dict[str, Any]:
    return {"value": value}


def _by_broadsheet(body: bytes, content_type: str, url: str) -> Read:
    parsed = parse(body, url=url, content_type=content_type, source=SourceId("evaluation"))
    entries = []
    for e in parsed.entries:
        summary = e.summary or e.content
        one: dict[str, Any] = {
            "title": e.title, "title_detail": _detail(e.title), "link": e.url, "id": e.guid, "guid": e.guid,
            "summary": summary, "summary_detail": _detail(summary), "description": summary,
            "content": [_detail(e.content or e.summary)], "tags": [{"term": t} for t in e.tags],
            "category": e.tags[0] if e.tags else "", "author": e.authors[0] if e.authors else "",
            "author_detail": {"name": e.authors[0] if e.authors else ""}, "authors": [{"name": a} for a in e.authors],
            "enclosures": [{"href": x.url, "url": x.url, "type": x.type, "length": x.length} for x in e.enclosures],
            "published_parsed": e.published, "updated_parsed": e.updated or e.published, "published": e.published,
            "updated": e.updated or e.published, "source": {"title": e.publisher},
        }  # fmt: skip
        entries.append(one)
    f = parsed.feed
    feed = {
        "title": f.title, "title_detail": _detail(f.title), "link": f.link, "language": f.language,
        "description": f.description, "description_detail": _detail(f.description), "subtitle": f.description,
        "subtitle_detail": _detail(f.description), "tagline": f.description, "tagline_detail": _detail(f.description),
        "updated_parsed": f.updated, "updated": f.updated, "image": {"href": f.image, "url": f.image},
    }  # fmt: skip
    return Read(feed, entries, bool(parsed.problems))


def _by_feedparser(body: bytes, content_type: str, url: str) -> Read:
    import feedparser

    headers = {"content-location": url, "content-type": content_type or "application/xml"}
    found = feedparser.parse(body, response_headers=headers, sanitize_html=False)
    return Read(found.feed, list(found.entries), bool(found.bozo))


def _by_fastfeedparser(body: bytes, content_type: str, url: str) -> Read:
    import fastfeedparser

    try:
        found = fastfeedparser.parse(body)
    except Exception:  # it raises ValueError, lxml's errors and others: each of them is a complaint
        return Read({}, [], True)
    return Read(found.feed, list(found.entries), False)


READERS: dict[str, Reader] = {
    "broadsheet": _by_broadsheet,
    "feedparser": _by_feedparser,
    "fastfeedparser": _by_fastfeedparser,
}

# --- feedparser's own expectations -------------------------------------------------------------------------------

_FEED_KEPT = {"title", "title_detail", "link", "language", "description", "subtitle", "subtitle_detail", "tagline",
              "tagline_detail", "updated_parsed", "image"}  # fmt: skip
_ENTRY_KEPT = {"title", "title_detail", "link", "id", "guid", "summary", "summary_detail", "description", "content", "tags",
               "category", "author", "author_detail", "authors", "enclosures", "published_parsed", "updated_parsed", "source"}  # fmt: skip
_INNER_KEPT = {"value", "name", "term", "href", "url", "title", "length"}


def _path(node: ast.expr) -> list[str | int] | None:
    """`entries[0]['title']` or `entries[0].title` as ["entries", 0, "title"]; None for anything else."""
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(value=inner, attr=name):
            before = _path(inner)
            return None if before is None else [*before, name]
        case ast.Subscript(value=inner, slice=ast.Constant(value=str() | int() as index)):
            before = _path(inner)
            return None if before is None else [*before, index]
    return None


def _is_kept(path: list[str | int]) -> bool:
    """Whether a path leads to something that Broadsheet keeps."""
    match path:
        case ["feed", str(name)]:
            return name in _FEED_KEPT and not name.endswith("_detail") and name != "image"
        case ["feed", str(name), str(inner)]:
            return name in _FEED_KEPT and inner in _INNER_KEPT
        case ["entries", int(), str(name)]:
            return name in _ENTRY_KEPT - {"content", "tags", "authors", "enclosures", "source"} and not name.endswith(
                "_detail"
            )
        case ["entries", int(), "source", str(inner)]:
            return inner == "title"
        case ["entries", int(), str(name), str(inner)]:
            return name in _ENTRY_KEPT and inner in _INNER_KEPT - {"href", "url", "title", "length"}
        case ["entries", int(), "enclosures", int(), str(inner)]:
            return inner in ("href", "url", "length")
        case ["entries", int(), "authors" | "tags" | "content", int(), str(inner)]:
            return inner in ("name", "term", "value")
    return False


def _follow(read: Read, path: list[str | int]) -> Any:
    value: Any = {"feed": read.feed, "entries": read.entries}
    for step in path:
        try:
            value = value.get(step) if isinstance(step, str) else value[step]
        except (IndexError, TypeError, AttributeError, KeyError):
            return None
    return value


def _parts(node: ast.expr) -> Iterator[tuple[list[str | int], Any]]:
    """The (path, expected value) pairs of an expression that are joined by `and`."""
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values:
                yield from _parts(value)
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[inner]), ops=[ast.Eq()], comparators=[right]):
            if _path(inner) == ["entries"] and isinstance(right, ast.Constant):
                yield ["len"], right.value
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]) if (path := _path(left)) is not None:
            try:
                yield path, ast.literal_eval(right)
            except ValueError:
                if isinstance(right, ast.Call) and right.args and "parsed" in str(path[-1]):
                    yield path, ast.literal_eval(right.args[0])


_SPACE = re.compile(r"\s+")


def _words(value: object) -> str:
    """What a person reads of a text or of HTML, without space: tags, entities and case of neither are compared."""
    text = re.sub(r"<(script|style|title)\b.*?</\1\s*>", "", str(value), flags=re.S | re.I)
    once = plain(re.sub(r"<[^<>]*>", " ", text))
    return _SPACE.sub("", re.sub(r"<[^<>]*>", "", once)).lower()


def _links(value: object) -> set[str]:
    return set(re.findall(r"""(?:href|src)\s*=\s*["'](https?:[^"'<>\s]*)""", str(value)))


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, str):
        return moment(value)[0]
    try:
        return datetime.fromtimestamp(calendar.timegm(tuple(value)), UTC)
    except (TypeError, ValueError):
        return None


def _agrees(path: list[str | int], got: Any, wanted: Any) -> bool:
    name = str(path[-1])
    if name.endswith("_parsed"):
        return _time(got) == _time(wanted)
    if name == "length":
        return str(got) == str(wanted)
    if name in ("link", "href", "url"):
        return str(got or "").rstrip("/") == str(wanted or "").rstrip("/")
    if name == "author" and isinstance(wanted, str):  # "Name (address)" is kept as the name
        return _words(got) == _words(wanted) or (bool(got) and _words(got) in _words(wanted))
    if _words(got or "") != _words(wanted or ""):
        return False
    # Titles and descriptions of feeds are kept as plain text, which has no links.
    is_body = path[0] == "entries" and any(p in ("summary", "summary_detail", "description", "content") for p in path)
    return not is_body or _links(wanted) <= _links(got)


def _expected(body: bytes) -> list[tuple[list[str | int], Any]] | None:
    """What a case of feedparser's suite expects of what is kept; None where it speaks of nothing that is."""
    match = _EXPECT.search(body)
    if match is None:  # the wide encodings hide it from a search of bytes
        for encoding in ("utf-16", "utf-32", "utf-16-be", "utf-32-be", "utf-16-le", "utf-32-le"):
            try:
                text = body.decode(encoding)
            except UnicodeError:
                continue
            if (found := re.search(r"Expect:[ \t]*([^\r\n]*)", text)) is not None:
                return _wanted(found[1])
        return None
    return _wanted(match[1].decode("utf-8", "replace"))


def _wanted(expression: str) -> list[tuple[list[str | int], Any]] | None:
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    kept = [(path, value) for path, value in _parts(tree) if path == ["len"] or _is_kept(path)]
    return kept or None


def _meets(read: Read, wanted: list[tuple[list[str | int], Any]]) -> bool:
    return all(
        len(read.entries) == value if path == ["len"] else _agrees(path, _follow(read, path), value)
        for path, value in wanted
    )


# --- gofeed's ----------------------------------------------------------------------------------------------------


def _meets_gofeed(read: Read, wanted: dict[str, Any]) -> bool:
    """Whether the titles, links, ids, dates and tags that gofeed expects are there."""
    items = wanted.get("items") or wanted.get("entries") or []
    if len(items) != len(read.entries):
        return False
    title = wanted.get("title")
    if isinstance(title, str) and _words(read.feed.get("title") or "") != _words(title):
        return False
    for item, entry in zip(items, read.entries, strict=True):
        for theirs, ours in (("title", "title"), ("link", "link"), ("guid", "id"), ("id", "id")):
            value = item.get(theirs)
            value = value.get("value") if isinstance(value, dict) else value
            if isinstance(value, str) and not _agrees([ours], entry.get(ours), value):
                return False
        for theirs, ours in (
            ("publishedParsed", "published_parsed"),
            ("pubDateParsed", "published_parsed"),
            ("updatedParsed", "updated_parsed"),
        ):
            if item.get(theirs) and _time(entry.get(ours)) != moment(item[theirs])[0]:
                return False
        tags = [
            c if isinstance(c, str) else c.get("value") or c.get("term") or "" for c in item.get("categories") or []
        ]
        got = {_words(t.get("term")) for t in entry.get("tags") or []}
        if any(_words(tag) not in got for tag in tags if tag):
            return False
    return True


def _same_page(link: str, theirs: dict[str, Any]) -> bool:
    """Whether a link is one that the peer found. It shows the id of an entry without a page as its link: that is no page."""
    found = str(theirs.get("link") or "")
    if not found.startswith(("http://", "https://")) or found == link:
        return True
    return link in {x.get("href") for x in theirs.get("links") or () if x.get("rel", "alternate") == "alternate"}


def _meets_peer(read: Read, peer: Read) -> bool:
    """Whether every entry that the peer finds is there, with its title and link."""
    if len(read.entries) < len(peer.entries):
        return False
    if peer.feed.get("title") and _words(read.feed.get("title") or "") != _words(peer.feed["title"]):
        return False
    return all(
        _words(ours.get("title") or "") == _words(theirs.get("title") or "")
        and _same_page(str(ours.get("link") or ""), theirs)
        for ours, theirs in zip(read.entries, peer.entries, strict=False)
    )


# --- the suites --------------------------------------------------------------------------------------------------

Check = Callable[[Read], bool]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    body: bytes
    content_type: str = ""
    url: str = URL
    check: Check | None = None  # None: compared with feedparser


def _feedparser_cases(folder: Path) -> Iterator[Case]:
    for file in sorted(folder.rglob("*.xml")):
        body = file.read_bytes()
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in _HEADER.findall(body[:4000])}
        wanted = _expected(body)
        check = (lambda read, w=wanted: _meets(read, w)) if wanted else None
        yield Case(
            str(file.relative_to(folder)),
            body,
            headers.get("content-type", ""),
            urljoin(URL, headers.get("content-location", "")),
            check,
        )


def _gofeed_cases(folder: Path) -> Iterator[Case]:
    for file in sorted(folder.rglob("*.xml")):
        answer = file.with_suffix(".json")
        wanted = orjson.loads(answer.read_bytes()) if answer.exists() else None
        check = (lambda read, w=wanted: _meets_gofeed(read, w)) if isinstance(wanted, dict) else None
        yield Case(str(file.relative_to(folder)), file.read_bytes(), check=check)


def _plain_cases(folder: Path) -> Iterator[Case]:
    for file in sorted(folder.rglob("*.xml")):
        yield Case(str(file.relative_to(folder)), file.read_bytes())


def _packed_cases(archive: Path) -> Iterator[Case]:
    with tarfile.open(archive) as packed:
        for member in packed:
            if member.isfile() and "/benchmark_data/" in member.name and (opened := packed.extractfile(member)):
                yield Case(member.name.rsplit("/", 1)[-1], opened.read())


SUITES: dict[str, tuple[str, Callable[[Path], Iterator[Case]]]] = {
    "feedparser": ("feedparser", _feedparser_cases),
    "gofeed": ("gofeed", _gofeed_cases),
    "w3c": ("w3c", _plain_cases),
    "miniflux": ("miniflux", _plain_cases),
    "real": ("real-feeds.tar.xz", _packed_cases),
}


def verdict(read: Read, check: Check) -> Verdict:
    """Right, wrong and said so, or wrong and silent."""
    if check(read):
        return "right"
    return "problem" if read.complained else "lost"


def judge(case: Case, readers: Sequence[str] = tuple(READERS)) -> dict[str, Verdict]:
    """What each of the readers made of one case."""
    asked = {*readers, *(() if case.check else ("feedparser",))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers warn about their own names
        reads = {name: READERS[name](case.body, case.content_type, case.url) for name in asked}
    check = case.check or (lambda read: _meets_peer(read, reads["feedparser"]))
    return {name: verdict(reads[name], check) for name in readers}


def evaluate(path: Path, suites: tuple[str, ...] = tuple(SUITES), every: int = 1, *, peers: bool = True) -> Report:
    """The figures of every suite found under `path`, and what `peers` make of them; `every` takes each n-th case alone.
    Raises `InputError`."""
    readers = tuple(READERS) if peers else ("broadsheet",)
    rows, shared = [], 0
    for name in suites:
        where, cases = SUITES[name]
        if not (path / where).exists():
            continue
        counts: dict[tuple[str, Verdict], int] = {}
        total = 0
        for number, case in enumerate(cases(path / where)):
            if number % every:
                continue
            total += 1
            shared += case.check is None
            for reader, what in judge(case, readers).items():
                counts[reader, what] = counts.get((reader, what), 0) + 1
        rows += [
            Row(
                f"{name}: {reader}",
                {"cases": total, **{w: counts.get((reader, w), 0) for w in ("right", "problem", "lost")}},
            )
            for reader in readers
        ]
    if not rows:
        raise InputError(f"{path} has none of the suites {', '.join(SUITES)}.")
    notes = (
        "right: as expected; problem: not as expected, and the reader said so; lost: not as expected, in silence",
        f"{shared} cases have no expectation of a field that is kept: they are compared with feedparser, right by definition",
        "text is compared as words and link targets: what is made safe is the sanitiser's business, not the reader's",
    )
    return Report(task="feeds", dataset=str(path), rows=tuple(rows), notes=notes)
