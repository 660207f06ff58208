"""From what a person types to what can be read: a site's feeds, the feed itself, or one article.

Looks where feeds are announced first (<link rel=alternate>), then at the page's own links, then at the usual places,
then at the sitemaps that robots.txt names; each candidate counts only if it was read and parsed. Never raises for
what the network or the person gives: `Discovery.message` says in a sentence what was found, or what to try.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urljoin

from lxml import etree, html
from yarl import URL

from broadsheet.errors import FetchError
from broadsheet.model import Page, SourceId
from broadsheet.sources import robots
from broadsheet.sources.fetch import decode, is_html, page_of
from broadsheet.sources.formats import parse
from broadsheet.sources.net import FEEDS, PAGES, Client, Response
from broadsheet.wording import phrase as _
from broadsheet.wording import plural

_TYPES: Final = re.compile(
    r"application/(rss|atom|rdf|feed)\+(xml|json)|application/json|(application|text)/(xml|rss|atom)"
)
_LIKE_A_FEED: Final = re.compile(
    r"(?i)(^|[/._=?&-])(rss|atom|feeds?|rdf)(2|20)?([/._=?&-]|$)|\.(rss|atom|rdf)$|(feed|rss|atom|index)\.(xml|json)$"
)
_PLACES: Final = (
    "feed", "rss", "feed.xml", "rss.xml", "atom.xml", "index.xml", "feed.json", "feed/atom", "feeds/posts/default", "?feed=rss2",
)  # fmt: skip
_COMMENTS: Final = re.compile(r"(?i)comment|kommentare|comentarios|commentaires")
_CANDIDATES: Final = 12  # asked of one site in one step: enough for a section front, few enough to be polite
_PAGE: Final = 3 * 1024 * 1024  # of HTML that is searched
_SITEMAPS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed that was read: `kind` is its format (rss, atom, json, news sitemap...), `entries` how many it held."""

    url: str
    title: str = ""
    kind: str = ""
    entries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What an address led to. `page` is set where the address is an article that can be read on its own."""

    found: tuple[FoundFeed, ...] = ()
    page: Page | None = None
    message: str = ""


async def discover(address: str, client: Client) -> Discovery:
    """The feeds behind an address, and the article at it."""
    url = to_url(address)
    if url is None:
        return Discovery(
            message=_(
                "“{short}” is not the address of a site: write something like example.org.", short=_short(address)
            )
        )
    try:
        answer = await _open(address, url, client)
    except FetchError as e:
        # Some sites guard their pages against programs and leave their feeds open.
        found = await _read_all(usual(url), client) if e.status in {401, 403, 404, 406, 429, 503} else ()
        if found:
            return Discovery(
                found=found, message=_("The page can't be read, but the site has {number}.", number=_number(found))
            )
        return Discovery(message=_("{short} could not be read: {reason}", short=_short(url), reason=e.reason))
    direct = _as_feed(answer, answer.url if answer.url.startswith("http://") and "://" not in address else url)
    if direct is not None:
        return Discovery(found=(direct,), message=_spoken_feed(direct))
    if not is_page(answer):
        kind = answer.content_type.partition(";")[0].strip() or _("something unknown")
        return Discovery(message=_("{short} is neither a page nor a feed but {kind}.", short=_short(url), kind=kind))
    text = decode(replace(answer, body=answer.body[:_PAGE]))
    tree = _tree(text)
    if tree is None:
        return Discovery(message=_("{short} is a page without anything in it.", short=_short(url)))
    page = page_of(answer, answer.url) if is_article(tree, answer.url) else None
    found = await _search(tree, answer.url, client)
    return Discovery(found=found, page=page, message=_spoken(url, found, page))


def to_url(address: str) -> str | None:
    """The web address that a person means; None if it can't be one. Without a scheme it is taken to be https."""
    address = re.sub(r"(?i)^feed:(//)?(?=https?://)", "", address.strip().strip("<>\"'“”"))
    address = re.sub(r"(?i)^feed://", "https://", address)
    if re.match(r"(?i)^[a-z][a-z0-9+.-]*://", address) and not re.match(r"(?i)^https?://", address):
        return None
    if re.match(r"(?i)^(javascript|data|mailto|file|about|view-source|tel|vbscript|blob):", address):
        return None
    if not re.match(r"(?i)^https?://", address):
        address = f"https://{address.lstrip('/')}"
    try:
        url = URL(address)
        host = url.raw_host or ""
        if url.port is None:
            return None
    except ValueError:
        return None
    named = re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", host) and ("." in host.rstrip(".") or host == "localhost")
    return address if named or ":" in host else None


async def _open(address: str, url: str, client: Client) -> Response:
    both = f"{PAGES}, {FEEDS}"
    try:
        answer = await client.get(url, accept=both)
    except FetchError as first:
        if first.status is not None or "://" in address or not url.startswith("https://"):
            raise
        try:  # the person named no scheme, and https does not answer
            answer = await client.get("http://" + url.removeprefix("https://"), accept=both)
        except FetchError:
            raise first from None
    answer.raise_for_status()
    return answer


def is_page(answer: Response) -> bool:
    kind = answer.content_type.partition(";")[0].strip().lower()
    return is_html(answer.body) or kind in {"text/html", "application/xhtml+xml"}


def _as_feed(answer: Response, asked: str) -> FoundFeed | None:
    if not 200 <= answer.status < 300 or not answer.body.strip() or is_html(answer.body):
        return None
    parsed = parse(answer.body, url=answer.url, content_type=answer.content_type, source=SourceId(""))
    if not parsed.kind:
        return None
    return FoundFeed(
        url=answer.permanent_url or asked,  # a temporary redirect is asked again each time
        title=parsed.feed.title,
        kind=parsed.kind,
        entries=len(parsed.entries),
    )


async def _search(tree: html.HtmlElement, url: str, client: Client) -> tuple[FoundFeed, ...]:
    base = _base(tree, url)
    for candidates in (announced(tree, base), linked(tree, base), usual(url)):
        if found := await _read_all(candidates, client):
            return found
    return await _news_of_sitemaps(url, client)


async def _news_of_sitemaps(url: str, client: Client) -> tuple[FoundFeed, ...]:
    """The site's news sitemaps; its plain ones where there is none of news; an index is opened once."""
    named = await _sitemaps(url, client)
    found = list(await _read_all(named, client))
    for index in [feed for feed in found if feed.kind == "sitemap index"]:
        found.remove(index)
        try:
            answer = await client.get(index.url, accept=FEEDS)
        except FetchError:
            continue
        inside = parse(answer.body, url=answer.url, content_type=answer.content_type, source=SourceId("")).sitemaps
        found += await _read_all(_news_first(urljoin_(answer.url, s) for s in inside), client)
    news = tuple(feed for feed in found if feed.kind == "news sitemap")
    return news or tuple(feed for feed in found if feed.kind != "sitemap index")


def _news_first(addresses: Iterable[str]) -> list[str]:
    return sorted(dict.fromkeys(addresses), key=lambda s: "news" not in s.lower())[:_SITEMAPS]


def announced(tree: html.HtmlElement, base: str) -> Iterator[str]:
    """What the page itself calls its feeds, those of comments last."""
    later = []
    for link in tree.iter("link"):
        rel = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").partition(";")[0].strip().lower()
        href = link.get("href")
        if not href or not ("alternate" in rel or "feed" in rel) or not (_TYPES.fullmatch(kind) or "feed" in rel):
            continue
        # WordPress and others announce each post's API record as application/json: no feed.
        if kind == "application/json" and not _LIKE_A_FEED.search(href):
            continue
        address = urljoin_(base, href)
        if _COMMENTS.search(f"{link.get('title') or ''} {href}"):
            later.append(address)
        else:
            yield address
    yield from later


def linked(tree: html.HtmlElement, base: str) -> Iterator[str]:
    """Links of the page that look like feeds."""
    for link in tree.iter("a"):
        href = (link.get("href") or "").strip()
        label = (link.text or "").strip().lower()
        if (
            href
            and not href.startswith("#")
            and (_LIKE_A_FEED.search(href.partition("#")[0]) or label in {"rss", "atom", "feed", "rss feed"})
        ):
            yield urljoin_(base, href)


def usual(url: str) -> Iterator[str]:
    """Where feeds lie on most sites: below the address, then at the site's root."""
    here = URL(url, encoded=True).with_query(None).with_fragment(None)
    root = here.with_path("/")
    folder = str(here) if str(here).endswith("/") else f"{here}/"
    for start in dict.fromkeys((folder, str(root))):
        for place in _PLACES[: 2 if start != str(root) else None]:
            yield start + place


async def _sitemaps(url: str, client: Client) -> list[str]:
    """The sitemaps that robots.txt names, those of news first."""
    try:
        answer = await client.get(urljoin(url, "/robots.txt"), accept="text/plain", truncate=512 * 1024)
    except FetchError:
        return []
    if answer.status != 200 or is_html(answer.body):
        return []
    return _news_first(urljoin_(url, s) for s in robots.parse(answer.body).sitemaps)


async def _read_all(candidates: Iterable[str], client: Client) -> tuple[FoundFeed, ...]:
    wanted = [c for c in dict.fromkeys(candidates) if c.startswith(("http://", "https://"))][:_CANDIDATES]
    answers = await asyncio.gather(*(_read(candidate, client) for candidate in wanted))
    found: dict[str, FoundFeed] = {}
    for feed in answers:
        if feed is not None:
            found.setdefault(re.sub(r"^https?://(www\.)?", "", feed.url).rstrip("/"), feed)
    lively = [feed for feed in found.values() if feed.entries]
    talk = [feed for feed in lively if _COMMENTS.search(f"{feed.title} {feed.url}")]
    return tuple(feed for feed in lively if feed not in talk) or tuple(talk) or tuple(found.values())


async def _read(url: str, client: Client) -> FoundFeed | None:
    try:
        return _as_feed(await client.get(url, accept=FEEDS), url)
    except FetchError:
        return None


def is_article(tree: html.HtmlElement, url: str) -> bool:
    """Whether a page is one article rather than a front: it says so, or most of it is one text."""
    if URL(url, encoded=True).path in {"", "/"}:
        return False
    for meta in tree.iter("meta"):
        if (meta.get("property") or meta.get("name") or "").lower() == "og:type":
            said = (meta.get("content") or "").lower()
            if said == "article":
                return True
        if (meta.get("property") or "").lower() == "article:published_time":
            return True
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "") and re.search(
            r'"@type"\s*:\s*\[?\s*"(News|Blog|Reportage|Opinion|Analysis)?(Article|Posting)"', script.text or ""
        ):
            return True
    told = [len(" ".join(p.itertext()).strip()) for p in tree.iter("p")]
    return sum(n for n in told if n >= 80) >= 1500 and len(list(tree.iter("article"))) <= 1


def _tree(text: str) -> html.HtmlElement | None:
    try:
        # As bytes: lxml refuses text that carries its own encoding declaration.
        parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
        return html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _base(tree: html.HtmlElement, url: str) -> str:
    for base in tree.iter("base"):
        if base.get("href"):
            return urljoin_(url, base.get("href") or "")
    return url


def urljoin_(base: str, href: str) -> str:
    """`urljoin` that gives nothing, instead of raising, for what is no address."""
    try:
        return urljoin(base, re.sub(r"(?i)^feed:(?=https?:)", "", href.strip())).partition("#")[0]
    except ValueError:
        return ""


def _short(address: str) -> str:
    address = " ".join(address.split())
    return address if len(address) <= 120 else address[:119] + "…"


def _spoken_feed(feed: FoundFeed) -> str:
    name = _("“{title}”", title=feed.title) if feed.title else _("a feed without a title")
    return _("This is a feed: {name}, with {count}.", name=name, count=_count(feed.entries))


def _count(entries: int) -> str:
    return plural("{n} entry", "{n} entries", entries) if entries else _("nothing in it now")


def _number(found: Sequence[FoundFeed]) -> str:
    return plural("a feed", "{n} feeds", len(found))


def _spoken(url: str, found: Sequence[FoundFeed], page: Page | None) -> str:
    if page is not None and found:
        return _("This is an article, which can be read on its own; its site also has {number}.", number=_number(found))
    if page is not None:
        return _("This is an article, which can be read on its own; its site has no feed that could be found.")
    if found and all("sitemap" in feed.kind for feed in found):
        return _("The site has no feed, but a sitemap that tells what is new.")
    if found:
        return _("The site has {number}.", number=_number(found))
    return _(
        "No feed was found at {short}: not in the page, not in the usual places, not in a sitemap. Look on the site for a link called RSS or Feed and give its address, or the address of one article.",
        short=_short(url),
    )
