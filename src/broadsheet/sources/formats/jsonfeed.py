"""JSON Feed 1 and 1.1."""

from __future__ import annotations

import re
from typing import Any

import orjson

from broadsheet.model import Enclosure
from broadsheet.sources.formats.parsed import Draft, FeedInfo, Problems, distinct
from broadsheet.sources.formats.text import as_html, join, one_line, resolve_links

_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(\s*[\]}])')


def _text(value: Any) -> str:
    """A string where a string belongs; numbers count, anything else is nothing."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _authors(value: dict[str, Any]) -> tuple[str, ...]:
    listed = _objects(value.get("authors")) or _objects([value.get("author")])
    return distinct(one_line(_text(a.get("name")) or _text(a.get("url"))) for a in listed)


def _enclosures(item: dict[str, Any], base: str) -> tuple[Enclosure, ...]:
    found = []
    for one in _objects(item.get("attachments")):
        size = one.get("size_in_bytes")
        length = int(size) if isinstance(size, int | float) and 0 <= size < 2**53 else 0
        if url := join(base, _text(one.get("url"))):
            found.append(Enclosure(url=url, type=_text(one.get("mime_type")), length=length))
    return tuple(found)


def _draft(item: dict[str, Any], base: str, feed_authors: tuple[str, ...], problems: Problems) -> Draft:
    url = join(base, _text(item.get("url")) or _text(item.get("external_url")))
    content = _text(item.get("content_html")) or as_html(_text(item.get("content_text")))
    return Draft(
        guid=_text(item.get("id")),
        url=url,
        title=one_line(_text(item.get("title"))),
        summary=as_html(_text(item.get("summary"))),
        content=resolve_links(content, url or base),
        published=problems.time(_text(item.get("date_published"))),
        updated=problems.time(_text(item.get("date_modified"))),
        authors=_authors(item) or feed_authors,
        tags=distinct(one_line(_text(tag)) for tag in item["tags"]) if isinstance(item.get("tags"), list) else (),
        enclosures=_enclosures(item, base),
        image=join(base, _text(item.get("image")) or _text(item.get("banner_image"))),
        language=_text(item.get("language")),
        rights=one_line(
            _text(item.get("_rights"))
        ),  # a custom field, as the format allows: the demo's publishers use it
    )


def read(text: str, url: str, problems: Problems) -> tuple[FeedInfo, list[Draft]] | None:
    """The feed that a JSON text is; None, with the problem said, where it is none."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as e:
        try:
            value = orjson.loads(_TRAILING_COMMA.sub(lambda m: m[1] or m[2], text))
            problems.add("commas before a closing bracket were left out")
        except orjson.JSONDecodeError:
            problems.add(f"this is not JSON: {e}")
            return None
    if not isinstance(value, dict) or not isinstance(value.get("items", []), list):
        problems.add("this is JSON, and not a JSON Feed")
        return None
    version = _text(value.get("version"))
    if "jsonfeed.org/version/" not in version:
        if "items" not in value:
            problems.add("this is JSON, and not a JSON Feed")
            return None
        problems.add("this JSON Feed does not say its version")
    link = join(url, _text(value.get("home_page_url")))
    base = link or url
    hubs = [_text(hub.get("url")) for hub in _objects(value.get("hubs"))]
    info = FeedInfo(
        title=one_line(_text(value.get("title"))),
        link=link,
        language=_text(value.get("language")),
        description=_text(value.get("description")),
        image=join(base, _text(value.get("icon")) or _text(value.get("favicon"))),
        hub=next((hub for hub in hubs if hub), ""),
        self_url=_text(value.get("feed_url")),
    )
    items = value.get("items", [])
    dropped = sum(1 for item in items if not isinstance(item, dict))
    if dropped:
        problems.add(f"{dropped} items that are no objects were left out")
    authors = _authors(value)
    return info, [_draft(item, base, authors, problems) for item in _objects(items)]
