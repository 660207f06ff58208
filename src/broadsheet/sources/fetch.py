"""Asking a source whether it has something new, and a page for its text.

`fetch` gives `Fetched` or `Unchanged`; everything else is a `FetchError` whose reason is a sentence for a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from broadsheet.errors import FetchError
from broadsheet.model import Entry, Page, Source, identify
from broadsheet.sources.net import FEEDS, PAGES, Client, Response

_ACCEPT = {"feed": FEEDS, "sitemap": FEEDS, "page": PAGES}

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
# Character sets that text comes in. Python knows other "encodings" that a page could name to burn our time (punycode).
_TEXT = re.compile(
    r"utf-?8|utf-?16(le|be)?|iso-8859-\d+|windows-\d+|cp\d+|koi8-[ru]|gb2312|gbk|gb18030|big5(-hkscs)?|euc-(jp|kr)"
    r"|shift[-_]jis|x-sjis|tis-620|macintosh|latin1|(us-)?ascii|iso-2022-jp"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A new answer. `permanent_url` is where the source has moved for good, if it said so all the way."""

    body: bytes
    url: str
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    permanent_url: str | None = None
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """The source has nothing that it had not when it was last asked."""

    url: str
    etag: str = ""
    last_modified: str = ""
    permanent_url: str | None = None
    max_age: timedelta | None = None


async def fetch(source: Source, client: Client) -> Fetched | Unchanged:
    """What the source says now. Raises `FetchError` (with status and retry_after), `AddressRefused`, `TooLarge`."""
    answer = await client.get(
        source.url, etag=source.etag, last_modified=source.last_modified, accept=_ACCEPT[source.kind]
    )
    answer.raise_for_status()
    etag, last_modified = _validator(answer, "ETag"), _validator(answer, "Last-Modified")
    if answer.status == 304:
        if not (source.etag or source.last_modified):
            raise FetchError(source.url, "it says that nothing changed though it was never read before.", status=304)
        return Unchanged(
            url=answer.url,
            etag=etag or source.etag,
            last_modified=last_modified or source.last_modified,
            permanent_url=answer.permanent_url,
            max_age=answer.max_age,
        )
    if not answer.body.strip():
        raise FetchError(source.url, "it answered with nothing at all; it will be asked again later.")
    if source.kind != "page" and is_html(answer.body):
        raise FetchError(
            source.url,
            "this is a web page now, not a feed: find the site's feed again by its address.",
            status=answer.status,
        )
    return Fetched(
        body=answer.body,
        url=answer.url,
        content_type=answer.content_type,
        etag=etag,
        last_modified=last_modified,
        permanent_url=answer.permanent_url,
        max_age=answer.max_age,
    )


async def fetch_page(url: str, client: Client, entry: Entry | None = None) -> Page:
    """The page at `url` as text, to be extracted. Raises `FetchError`, also for what is no page (a PDF, a picture)."""
    answer = await client.get(url, accept=PAGES)
    answer.raise_for_status()
    return page_of(answer, url, entry)


def page_of(answer: Response, url: str, entry: Entry | None = None) -> Page:
    """The page in an answer. Raises `FetchError` if it is none."""
    kind = answer.content_type.partition(";")[0].strip().lower()
    if kind and not re.search(r"html|xml|text/plain|octet-stream", kind):
        raise FetchError(url, f"this is not a page of text but {kind}.", status=answer.status)
    if kind == "text/plain":
        return Page(id=identify(url), url=answer.url, text=decode(answer), entry=entry)
    return Page(id=identify(url), url=answer.url, html=decode(answer), entry=entry)


def decode(answer: Response) -> str:
    """The text of an answer: by its byte-order mark, its header, its own <meta>, else UTF-8, else Windows-1252."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if answer.body.startswith(mark):
            return answer.body.decode(name, "replace")
    label = _CHARSET.search(answer.content_type) or _CHARSET.search(answer.body[:4096].decode("latin-1"))
    name = label[1].lower() if label and _TEXT.fullmatch(label[1].lower()) else "cp1252"
    # Browsers read these labels as Windows-1252 (WHATWG Encoding), and pages are written for browsers.
    name = "cp1252" if name in {"iso-8859-1", "latin1", "us-ascii", "ascii"} else name
    try:
        return answer.body.decode("utf-8")  # a wrong label is common; what is UTF-8 by accident is not
    except UnicodeDecodeError:
        pass
    try:
        return answer.body.decode("utf-8" if name == "utf8" else name, "replace")
    except (LookupError, UnicodeError):
        return answer.body.decode("cp1252", "replace")


def is_html(body: bytes) -> bool:
    """Whether these bytes are a web page rather than a feed, by how they begin."""
    start = re.sub(rb"(?s)^(\xef\xbb\xbf|\s|<!--.*?-->|<\?xml.*?\?>)+", b"", body[:4096]).lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _validator(answer: Response, name: str) -> str:
    """A header that is sent back exactly as given; empty if it could not be (too long, or not text)."""
    value = answer.headers.get(name, "")
    return value if len(value) <= 1024 and value.isprintable() else ""
