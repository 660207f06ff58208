"""Feeds of every format into entries.

`parse` never raises on bad input: what can't be read is said in `Parsed.problems`. Three ways in, fastest first:
a strict pass of lxml for what is well formed (99 % of real feeds), the same pass over repaired text, and feedparser
where even that loses entries. See docs/design/0002-reading-feeds.md for the measurements behind them.
"""

from __future__ import annotations

import gzip
import re
import zlib
from io import BytesIO

from lxml import etree

from broadsheet.model import SourceId
from broadsheet.sources.formats import fallback, jsonfeed, repair, tree
from broadsheet.sources.formats.decode import decode, printable
from broadsheet.sources.formats.parsed import Draft, FeedInfo, Parsed, Problems, entries_of

__all__ = ["MAX_BYTES", "FeedInfo", "Parsed", "parse"]

MAX_BYTES = 32 * 1024 * 1024  # twice what the fetcher lets through; sitemaps may have 50 MB, news sitemaps never do
_MAX_SLOW = (
    4 * 1024 * 1024
)  # feedparser takes 0.15 s a megabyte: a large broken feed is not worth more than half a second
_ITEM = re.compile(r"<(?:\w+:)?(?:item|entry)[\s>/]", re.I)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)

_FEED_ROOT = re.compile(r"<(?:rss|feed|rdf:RDF|channel)\b", re.I)


def _inflated(body: bytes, problems: Problems) -> bytes:
    """The body out of its gzip wrapping (sitemaps come so), never more than `MAX_BYTES` of it."""
    try:
        with gzip.open(BytesIO(body)) as packed:
            opened = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        problems.add("this is a damaged gzip file")
        return b""
    return opened


def _parser(recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _nothing(problems: Problems) -> Parsed:
    return Parsed(feed=FeedInfo(), problems=problems.said())


def _read_tree(text: str, recover: bool = False) -> tuple[etree._Element | None, str]:
    """The tree, and what the parser said where there is none (or where it had to recover)."""
    parser = _parser(recover)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as e:
        return None, str(e.msg)
    except (ValueError, AssertionError) as e:
        return None, str(e)
    return root, ""


def _too_deep(said: str) -> bool:
    return "depth" in said.lower() or "huge" in said.lower() or "too deep" in said.lower()


def _broken(text: str, url: str, said: str, problems: Problems) -> tuple[tree.Reading | None, Problems]:
    """A reading of XML that is not XML: repaired as little as helps, and checked against the items that can be seen."""
    mended, repairs = repair.light(text)
    problems.add_all(repairs)
    root, said = _read_tree(mended)
    if root is None and _too_deep(said):
        problems.add("the feed is nested deeper than 256 elements and was refused")
        return None, problems
    if root is None:
        deeper, repairs = repair.deep(mended)
        if repairs:
            root, again = _read_tree(deeper)
            if root is not None or len(deeper) < 4 * len(mended):
                mended = deeper
                problems.add_all(repairs)
                said = said if root is not None else again
    if root is not None:
        return tree.read(root, url, problems), problems
    problems.add(f"the feed is not well formed: {said}")
    root, _ = _read_tree(mended, recover=True)
    recovered = tree.read(root, url, problems) if root is not None else None
    visible = len(_ITEM.findall(mended))
    if recovered is not None and len(recovered.drafts) >= visible and recovered.kind:
        return recovered, problems
    if len(text) > _MAX_SLOW:
        if recovered is None or not recovered.drafts:
            problems.add("the feed is too large and too broken to be repaired")
        return recovered, problems
    # Twenty thousand comments that never close took feedparser four minutes: it is given none.
    second = fallback.read(repair.without_comments(mended), url, problems)
    if second is not None and len(second.drafts) > (len(recovered.drafts) if recovered is not None else 0):
        recovered = second
    elif recovered is None or not recovered.kind:
        recovered = second or recovered
    if recovered is not None and len(recovered.drafts) < visible:
        problems.add(f"{visible - len(recovered.drafts)} entries could not be read")
    return recovered, problems


def parse(body: bytes, *, url: str, content_type: str = "", source: SourceId) -> Parsed:
    """The feed that a body is, whatever its format. Never raises on bad input: the problems say what was wrong."""
    problems = Problems()
    if body[:2] == b"\x1f\x8b":
        body = _inflated(body, problems)
    if len(body) > MAX_BYTES:
        problems.add(f"the feed is larger than {MAX_BYTES // 1024 // 1024} MB and was refused")
        return _nothing(problems)
    if not body.strip(b" \t\r\n\0"):
        problems.add("the feed is empty")
        return _nothing(problems)
    decoded = decode(body, content_type)
    problems.add(decoded.problem)
    text = printable(decoded.text)
    start = text[:200].lstrip("\ufeff \t\r\n")
    if start.startswith(("{", "[")):
        if (found := jsonfeed.read(text, url, problems)) is None:
            return _nothing(problems)
        info, drafts = found
        return _finished(info, drafts, "json", source, problems)
    if "<" not in text:
        problems.add("this is not a feed: it has no markup")
        return _nothing(problems)
    if _HTML.match(text[:5000]) and _FEED_ROOT.search(text[:5000]) is None:
        problems.add("this is a web page, not a feed")
        return _nothing(problems)
    reading: tree.Reading | None
    root, said = (None, "") if repair.has_doctype(text) else _read_tree(text)
    if root is not None:
        reading = tree.read(root, url, problems)
    elif _too_deep(said):
        problems.add("the feed is nested deeper than 256 elements and was refused")
        return _nothing(problems)
    else:
        reading, problems = _broken(text, url, said, problems)
    if reading is None:
        if not problems.counts:
            problems.add("this is not a feed")
        return _nothing(problems)
    parsed = _finished(reading.info, reading.drafts, reading.kind, source, problems)
    if reading.sitemaps:
        return Parsed(feed=parsed.feed, problems=parsed.problems, kind=parsed.kind, sitemaps=reading.sitemaps)
    return parsed


def _finished(info: FeedInfo, drafts: list[Draft], kind: str, source: SourceId, problems: Problems) -> Parsed:
    entries = entries_of(drafts, source, problems)
    return Parsed(feed=info, entries=entries, problems=problems.said(), kind=kind)
