"""A tree of XML into a feed: RSS 0.9 to 2.0, RDF, Atom 0.3 and 1.0, CDF, sitemaps.

Names are read without regard to case and by what their namespace means, so a Dublin Core date is one whatever prefix
it has, and Atom's links work inside RSS. Where several elements say the same, the more exact one wins.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from lxml import etree

from broadsheet.model import Enclosure
from broadsheet.sources.formats.parsed import Draft, FeedInfo, Problems, distinct
from broadsheet.sources.formats.text import (
    as_html,
    is_web,
    join,
    looks_like_html,
    one_line,
    plain,
    resolve_links,
)

Element = etree._Element
Fields = dict[str, list[Element]]

_XML = "{http://www.w3.org/XML/1998/namespace}"
_XML_BASE, _XML_LANG = f"{_XML}base", f"{_XML}lang"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_NAMESPACES = {
    "http://backend.userland.com/rss": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://cyber.law.harvard.edu/rss/rss.html": "",
    "http://purl.org/rss/1.0/": "",
    "http://purl.org/rss/2.0/": "",
    "http://purl.org/net/rss1.1#": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://channel.netscape.com/rdf/simple/0.9/": "",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd": "",
    "http://example.com/newformat#": "",
    "http://example.com/necho": "",
    "http://purl.org/echo/": "",
    "uri/of/echo/namespace#": "",
    "http://purl.org/pie/": "",
    "http://purl.org/atom/ns#": "",
    "http://purl.org/atom-blog/ns#": "",
    "http://purl.org/atom/app#": "app:",
    "http://www.w3.org/2005/atom": "",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/elements/1.0/": "dc:",
    "http://purl.org/dc/terms/": "dcterms:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://purl.org/rss/1.0/modules/syndication/": "sy:",
    "http://prismstandard.org/namespaces/1.2/basic/": "prism:",
    "http://prismstandard.org/namespaces/basic/2.0/": "prism:",
    "http://search.yahoo.com/mrss/": "media:",
    "http://search.yahoo.com/mrss": "media:",
    "http://video.search.yahoo.com/mrss": "media:",
    "http://video.search.yahoo.com/mrss/": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner:",
    "http://www.sitemaps.org/schemas/sitemap/0.9": "",
    "http://www.google.com/schemas/sitemap/0.84": "",
    "http://www.google.com/schemas/sitemap-news/0.9": "news:",
    "http://www.google.com/schemas/sitemap-image/1.1": "image:",
    "http://www.google.com/schemas/sitemap-video/1.1": "video:",
    "http://www.w3.org/1999/xhtml": "xhtml:",
}
_ATOM = ("{http://www.w3.org/2005/Atom}", "{http://purl.org/atom/", "{http://purl.org/pie/", "{http://purl.org/echo/")
_XMLNS = re.compile(r"""\sxmlns(?::[\w.-]+)?="[^"<>]*"(?=[^<>]*>)""")
_HTML_TYPES = frozenset(("html", "text/html", "text/x-html", "xhtml", "application/xhtml+xml"))
_ITEM_TAGS = ("{*}item", "{*}entry", "{*}Item", "{*}ITEM", "{*}Entry", "{*}ENTRY")
_NOT_FEEDS = {
    "opml": "this is a list of subscriptions (OPML), not a feed: import it instead",
    "html": "this is a web page, not a feed",
    "xhtml:html": "this is a web page, not a feed",
    "opensearchdescription": "this describes a search engine (OpenSearch), not a feed",
    "kml": "this is a map (KML), not a feed",
    "xrds": "this is a service description (XRDS), not a feed",
    "service": "this describes a publishing service (AtomPub), not a feed",
    "categories": "this is a list of categories (AtomPub), not a feed",
}
_MAIL_NAME = re.compile(
    r"([^\s<>()]+@[^\s<>()]+)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)|(.+?)\s*[<(]([^\s<>()]+@[^\s<>()]+)[>)]"
)

Kind = Literal["rss", "rdf", "atom", "cdf", "sitemap", "news sitemap", "sitemap index", ""]


@dataclass(slots=True)
class Reading:
    info: FeedInfo
    drafts: list[Draft] = field(default_factory=list)
    kind: Kind = ""
    sitemaps: tuple[str, ...] = ()


_KEYS: dict[object, str] = {}


def _key(tag: object) -> str:
    """`title`, `dc:creator`, `media:content`: what a tag means. A name of an unknown namespace starts with `?`."""
    known = _KEYS.get(tag)
    if known is None:
        if len(_KEYS) > 4096:  # a feed of made-up names must not fill the memory
            _KEYS.clear()
        known = _KEYS[tag] = _meaning(tag) if isinstance(tag, str) else "?"
    return known


def _meaning(tag: str) -> str:
    if tag[0] != "{":
        return tag.lower()
    namespace, _, name = tag[1:].partition("}")
    namespace = namespace.strip().lower()
    if namespace.startswith("https:"):
        namespace = "http:" + namespace[6:]
    prefix = "" if namespace.startswith("http://backend.userland.com/rss") else None
    for variant in (namespace, namespace.rstrip("/"), namespace + "/"):
        if prefix is None:
            prefix = _NAMESPACES.get(variant)
    return ("?" if prefix is None else prefix) + name.lower()


def _is_atom(tag: object) -> bool:
    return isinstance(tag, str) and tag.startswith(_ATOM)


def _fields(parent: Element) -> Fields:
    """The children by what they mean; a media group's children count as the item's own."""
    fields: Fields = {}
    for child in parent:
        key = _key(child.tag)
        if key == "media:group":
            for inner in child:
                fields.setdefault(_key(inner.tag), []).append(inner)
        else:
            fields.setdefault(key, []).append(child)
    return fields


def _text(element: Element) -> str:
    """All the text of an element."""
    if len(element) == 0:
        return (element.text or "").strip()
    return "".join(element.itertext()).strip()


def _first(fields: Fields, *names: str) -> str:
    """The first text that is not empty, in order of the names."""
    for name in names:
        for element in fields.get(name, ()):
            if text := _text(element):
                return text
    return ""


def _inner(element: Element) -> str:
    """The markup inside an element as HTML: without namespaces, void elements unclosed, as a browser reads it."""
    for inner in element.iter(etree.Element):
        if isinstance(inner.tag, str) and inner.tag.startswith("{"):
            inner.tag = inner.tag.partition("}")[2]
        elif isinstance(inner.tag, str) and ":" in inner.tag:
            inner.tag = inner.tag.partition(":")[2] or "span"
    etree.cleanup_namespaces(element)
    parts = [_XMLNS.sub("", etree.tostring(child, encoding="unicode", method="html")) for child in element]
    return "".join((as_html(element.text or ""), *parts)).strip()


def _unpacked(text: str) -> str:
    """Base64 text; empty where it is none, or is no text."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


def _markup(element: Element) -> tuple[str, bool]:
    """What a text construct says, and whether that is HTML (else it is plain text)."""
    kind = (element.get("type") or "").lower().strip()
    mode = (element.get("mode") or "").lower()
    atom = _is_atom(element.tag)
    if len(element):
        if kind in ("xhtml", "application/xhtml+xml") and len(element) == 1 and not (element.text or "").strip():
            only = element[0]
            if isinstance(only.tag, str) and _key(only.tag) in ("xhtml:div", "div") and not (only.tail or "").strip():
                return _inner(only), True
        return _inner(element), True
    text = element.text or ""
    packed = mode == "base64" or (
        atom and "/" in kind and not kind.startswith("text/") and not kind.endswith(("xml", "xhtml")) and not mode
    )
    if packed:
        text = _unpacked(text)
    text = text.strip()
    if kind in _HTML_TYPES:
        return text, True
    if atom and kind in ("text", "text/plain") and mode != "escaped":
        return text, False
    if mode == "escaped" and kind == "text/plain":
        return text, False
    # A text that nobody called HTML is HTML more often than not: RSS never says, and Atom's default is not known.
    return text, looks_like_html(text)


def _title(fields: Fields, *names: str) -> str:
    for name in names:
        for element in fields.get(name, ()):
            text, is_html = _markup(element)
            if title := plain(text) if is_html else one_line(text):
                return title
    return ""


def _html(element: Element) -> str:
    text, is_html = _markup(element)
    return text if is_html else as_html(text)


def _resolved(element: Element, base: str) -> str:
    return resolve_links(_html(element), base)


def _person(element: Element) -> str:
    """The name of an author, else the address: `x@y (Name)`, `Name <x@y>`, or Atom's own elements."""
    if len(element):
        parts = _fields(element)
        name = (
            _first(parts, "name", "foaf:name", "?name")
            or _first(parts, "email", "?email")
            or _first(parts, "uri", "url")
        )
        return one_line(name) or one_line(_text(element))
    text = one_line(element.text or "")
    if "@" in text and (match := _MAIL_NAME.fullmatch(text)):
        return one_line(match[2] or match[3] or "").strip("\"'") or match[1] or match[4]
    return plain(text) if "<" in text or "&" in text else text


def _authors(fields: Fields) -> tuple[str, ...]:
    for names in (("author",), ("dc:creator", "dc:author"), ("itunes:author",), ("media:credit",)):
        if found := distinct(_person(element) for name in names for element in fields.get(name, ())):
            return found
    return ()


def _tags(fields: Fields) -> tuple[str, ...]:
    found: list[str] = []
    podcast = [
        inner for e in fields.get("itunes:category", ()) for inner in e.iter() if _key(inner.tag) == "itunes:category"
    ]
    named = ("category", "dc:subject", "media:category")
    for element in (*(e for name in named for e in fields.get(name, ())), *podcast):
        term, label = element.get("term") or "", element.get("label") or element.get("text") or ""
        text = element.text or "" if len(element) else _text(element)
        found.append(one_line((label if is_web(term) and label else term or label) or text))
    for element in (
        *fields.get("media:keywords", ()),
        *fields.get("itunes:keywords", ()),
        *fields.get("news:keywords", ()),
    ):
        found += [one_line(word) for word in _text(element).split(",")]
    return distinct(found)


@dataclass(slots=True)
class _Links:
    """The links of a feed or an item by what they are for."""

    page: str = ""
    hub: str = ""
    own: str = ""
    enclosures: list[Enclosure] = field(default_factory=list)


def _length(written: str | None) -> int:
    digits = (written or "").strip().replace(",", "")
    return int(digits) if digits.isdecimal() and len(digits) < 16 else 0


def _links(elements: Iterable[Element], base_of: Callable[[Element], str]) -> _Links:
    """RSS's link is text, Atom's an attribute; a page of HTML comes before other alternates."""
    found = _Links()
    other = ""
    for element in elements:
        base = base_of(element)
        href = element.get("href") or element.get(f"{_RDF}resource")
        if href is None:
            href = _text(element)
            if not element.get("rel"):
                found.page = found.page or (join(base, href) if href else "")
                continue
        rels = (element.get("rel") or "alternate").lower().split()
        target, kind = join(base, href), (element.get("type") or "").lower()
        for rel in rels:
            if rel == "alternate" or rel.endswith("relation/alternate"):
                if kind and kind not in _HTML_TYPES:
                    other = other or target
                else:
                    found.page = found.page or target
            elif rel == "enclosure" and target:
                found.enclosures.append(Enclosure(url=target, type=kind, length=_length(element.get("length"))))
            elif rel == "hub":
                found.hub = found.hub or target
            elif rel == "self":
                found.own = found.own or target
    found.page = found.page or other
    return found


def _media(fields: Fields, base: str) -> tuple[list[Enclosure], str]:
    """The recordings that an item carries, and its picture: the widest thumbnail, else the first image."""
    recordings: list[Enclosure] = []
    pictures: list[tuple[int, str]] = []
    images: list[str] = []
    contents = list(fields.get("media:content", ()))
    for element in contents:
        target = join(base, element.get("url") or "")
        kind, medium = (element.get("type") or "").lower(), (element.get("medium") or "").lower()
        if target and (medium == "image" or kind.startswith("image/")):
            images.append(target)
        elif target and (medium in ("audio", "video") or kind.startswith(("audio/", "video/"))):
            recordings.append(Enclosure(url=target, type=kind, length=_length(element.get("fileSize"))))
    thumbnails = list(fields.get("media:thumbnail", ()))
    for element in contents:
        if len(element):
            thumbnails += [inner for inner in element if _key(inner.tag) == "media:thumbnail"]
    for element in thumbnails:
        if target := join(base, element.get("url") or _text(element)):
            pictures.append((_length(element.get("width")), target))
    best = max(pictures, key=lambda p: p[0])[1] if pictures else ""
    for element in fields.get("itunes:image", ()):
        images.append(join(base, element.get("href") or element.get("url") or _text(element)))
    for element in fields.get("image", ()):
        images.append(
            join(base, _first(_fields(element), "url") if len(element) else element.get("href") or _text(element))
        )
    # A full-size image beats a thumbnail that says it is small.
    picture = next(filter(None, images), "") or best
    return recordings, picture


@dataclass(slots=True)
class _Feed:
    """What the items of one feed share while they are read."""

    url: str
    base: str
    has_bases: bool
    has_languages: bool
    authors: tuple[str, ...]
    problems: Problems

    def base_of(self, element: Element) -> str:
        """The base of an element's links: xml:base from the outside in, else the feed's page, else its address."""
        if not self.has_bases:
            return self.base
        declared = [b for b in (e.get(_XML_BASE) for e in (element, *element.iterancestors())) if b]
        base = self.url if declared else self.base
        for one in reversed(declared):
            joined = join(base, one)
            base = joined if is_web(joined) or not base else base
        return base


def _content(fields: Fields) -> list[Element]:
    found = [e for name in ("content:encoded", "encoded", "content") for e in fields.get(name, ())]
    # An extension of the same name (content:items and the like) has no text of its own.
    return [e for e in found if len(e) or (e.text or "").strip()] or [
        e for name in ("xhtml:body", "body", "fullitem") for e in fields.get(name, ())
    ]


_SUMMARIES = ("media:description", "dc:description", "itunes:summary", "itunes:subtitle")


def _first_html(fields: Fields, base: str, name: str) -> str:
    return next((text for element in fields.get(name, ()) if (text := _resolved(element, base))), "")


def _draft(item: Element, feed: _Feed) -> Draft:
    fields = _fields(item)
    base = feed.base_of(item)
    problems = feed.problems

    def base_for(element: Element) -> str:
        return feed.base_of(element) if feed.has_bases else base

    links = _links(fields.get("link", ()), base_for)
    guid = _first(fields, "guid", "id") or (item.get(f"{_RDF}about") or item.get("about") or "").strip()
    original = _first(fields, "feedburner:origlink", "origlink")
    url = join(base, original) or links.page
    if not url and guid:
        guids = fields.get("guid", ())
        permanent = (
            not guids or (guids[0].get("isPermaLink") or guids[0].get("ispermalink") or "true").lower() != "false"
        )
        url = guid if is_web(guid) and permanent else ""
    if not url:
        url = join(base, item.get("HREF") or item.get("href") or "")
    contents = _content(fields)
    if not url and (source := next((c for c in fields.get("content", ()) if c.get("src")), None)) is not None:
        url = join(base_for(source), source.get("src") or "")
    url = url or links.own

    content = ""
    if contents:
        chosen = contents[0]
        if len(contents) > 1:  # the same text in several types: HTML tells most
            chosen = next((c for c in contents if _markup_type(c) in _HTML_TYPES), contents[0])
        content = _resolved(chosen, base_for(chosen))
    told = [*fields.get("description", ()), *fields.get("summary", ()), *fields.get("abstract", ())]
    if len(told) > 1:  # in the order of the document: the first is the short one
        told.sort(key=item.index)
    texts = [text for element in told if (text := _resolved(element, base_for(element)))]
    others = (_first_html(fields, base, name) for name in _SUMMARIES)
    summary = texts[0] if texts else next(filter(None, others), "")
    if not content and len(texts) > 1:
        content = texts[1]

    enclosures = [
        Enclosure(url=target, type=(e.get("type") or "").strip(), length=_length(e.get("length")))
        for e in fields.get("enclosure", ())
        if (target := join(base, e.get("url") or e.get("href") or e.get(f"{_RDF}resource") or _text(e)))
    ] + links.enclosures
    recordings, image = _media(fields, base)
    known = {e.url for e in enclosures}
    enclosures += [r for r in recordings if r.url not in known]
    if not image:
        image = next((e.url for e in enclosures if e.type.startswith("image/")), "")

    origin = next(iter(fields.get("source", ())), None)
    publisher, authors = "", _authors(fields)
    if origin is not None:
        inner = _fields(origin) if len(origin) else {}
        publisher = _title(inner, "title") if inner else plain(origin.text or "")
        authors = authors or _authors(inner)
    language = ""
    if feed.has_languages:
        language = next((v for e in (item, *contents[:1]) if (v := e.get(_XML_LANG))), "")
    return Draft(
        guid=guid,
        url=url,
        title=_title(fields, "title", "dc:title", "media:title", "itunes:title"),
        summary=summary,
        content=content,
        published=problems.time(
            _first(
                fields,
                "pubdate",
                "published",
                "issued",
                "dcterms:issued",
                "dc:date",
                "dcterms:created",
                "created",
                "prism:publicationdate",
            )
        ),
        updated=problems.time(
            _first(fields, "updated", "modified", "dcterms:modified", "lastbuilddate", "lastmod")
            or item.get("LASTMOD")
            or item.get("lastmod")
        ),
        authors=authors or feed.authors,
        tags=_tags(fields),
        enclosures=enclosures,
        image=image,
        language=language or _first(fields, "dc:language", "language"),
        publisher=publisher,
        rights=_title(fields, "rights", "dc:rights", "dcterms:rights", "media:copyright", "copyright"),
    )


def _markup_type(element: Element) -> str:
    return (element.get("type") or "").lower()


def _sitemap(root: Element, url: str, problems: Problems) -> Reading:
    """A sitemap's pages; those of a news sitemap have titles, dates and a publication."""
    drafts: list[Draft] = []
    news = False
    titles: list[str] = []
    for element in root:
        if _key(element.tag) != "url":
            continue
        fields = _fields(element)
        told = _fields(fields["news:news"][0]) if "news:news" in fields else {}
        news = news or bool(told)
        publication = _fields(told["news:publication"][0]) if "news:publication" in told else {}
        video = _fields(fields["video:video"][0]) if "video:video" in fields else {}
        images = [_first(_fields(e), "image:loc") for e in fields.get("image:image", ())]
        target = join(url, _first(fields, "loc"))
        titles.append(_first(publication, "news:name"))
        drafts.append(
            Draft(
                guid=target,
                url=target,
                title=_title(told, "news:title") or _title(video, "video:title"),
                summary=as_html(_first(video, "video:description")),
                published=problems.time(
                    _first(told, "news:publication_date") or _first(video, "video:publication_date")
                ),
                updated=problems.time(_first(fields, "lastmod")),
                tags=_tags(told),
                image=join(url, next(filter(None, images), "") or _first(video, "video:thumbnail_loc")),
                language=_first(publication, "news:language"),
                publisher=titles[-1],
            )
        )
    named = distinct(titles)
    info = FeedInfo(title=named[0] if len(named) == 1 else "", link=join(url, "/"))
    return Reading(info, drafts, "news sitemap" if news else "sitemap")


def _sitemap_index(root: Element, url: str, problems: Problems) -> Reading:
    maps = distinct(join(url, _first(_fields(element), "loc")) for element in root if _key(element.tag) == "sitemap")
    problems.add(f"this is an index of {len(maps)} sitemaps: it has no entries of its own")
    return Reading(FeedInfo(link=join(url, "/")), [], "sitemap index", maps)


def _containers(root: Element) -> Iterator[Element]:
    """The elements whose children describe the feed: the channel, then the root."""
    for child in root:
        if _key(child.tag) == "channel":
            yield child
    yield root


def _info(root: Element, feed: _Feed) -> FeedInfo:
    fields: Fields = {}
    for container in _containers(root):
        for key, elements in _fields(container).items():
            fields.setdefault(key, []).extend(elements)
    links = _links(fields.get("link", ()), lambda e: feed.base_of(e) if feed.has_bases else feed.url)
    channel = next(_containers(root))
    page = links.page or join(feed.url, channel.get("HREF") or channel.get("href") or "")
    images = [
        join(page or feed.url, _first(_fields(e), "url") if len(e) else e.get("href") or e.get("url") or _text(e))
        for name in ("image", "logo", "icon", "itunes:image")
        for e in fields.get(name, ())
    ]
    ttl = _first(fields, "ttl")
    language = _first(fields, "language", "dc:language") or channel.get(_XML_LANG) or root.get(_XML_LANG) or ""
    return FeedInfo(
        title=_title(fields, "title", "dc:title"),
        link=page,
        language=language.strip().replace("_", "-"),
        description=_title(
            fields,
            "description",
            "subtitle",
            "tagline",
            "abstract",
            "dc:description",
            "itunes:summary",
            "itunes:subtitle",
        ),
        image=next(filter(None, images), ""),
        hub=links.hub,
        self_url=links.own,
        ttl=timedelta(minutes=int(ttl)) if ttl.isdecimal() and 0 < int(ttl[:6]) < 100_000 and len(ttl) < 6 else None,
        updated=feed.problems.time(
            _first(fields, "lastbuilddate", "updated", "modified", "dcterms:modified", "dc:date", "pubdate")
            or channel.get("LASTMOD")
            or channel.get("lastmod")
        ),
    )


def _kind(root: Element, name: str) -> Kind:
    if name == "rdf:rdf" or name == "rdf":
        return "rdf"
    if name in ("feed", "entry"):
        return "atom"
    if name == "channel" and "rss1.1" in str(root.tag):
        return "rdf"
    if name == "channel" and (root.get("HREF") or root.get("BASE") or root.get("href") or root.get("base")):
        return "cdf"
    return "rss"


def read(root: Element, url: str, problems: Problems) -> Reading | None:
    """The feed that a tree is; None, with the problem said, where it is none."""
    name = _key(root.tag)
    plain_name = name.lstrip("?")
    if plain_name == "urlset":
        return _sitemap(root, url, problems)
    if plain_name == "sitemapindex":
        return _sitemap_index(root, url, problems)
    if plain_name in _NOT_FEEDS:
        problems.add(_NOT_FEEDS[plain_name])
        return None
    items = [e for e in root.iter(*_ITEM_TAGS) if _key(e.tag) in ("item", "entry")]
    known = name in ("rss", "rdf:rdf", "rdf", "feed", "channel", "item", "entry")
    if not known:
        # Not the namespace that it should be (or a misspelt one), but its items can be read.
        if plain_name in ("feed", "rss", "rdf", "channel"):
            problems.add("the feed's namespace is not one of a feed's")
            if not items:
                items = [e for e in root.iter(*_ITEM_TAGS) if _key(e.tag).lstrip("?") in ("item", "entry")]
                return _read_stray(root, items, url, problems)
        elif not items:
            problems.add(f"this is not a feed: its root is <{etree.QName(root).localname[:40]}>")
            return None
        else:
            problems.add(f"the root of this feed is <{etree.QName(root).localname[:40]}>, which is no feed's")
    has_bases = bool(root.xpath("boolean(//@xml:base)"))
    has_languages = bool(root.xpath("boolean(//@xml:lang)"))
    if name == "channel" and (base := root.get("BASE") or root.get("base")):
        url = join(url, base)
    feed = _Feed(url, url, has_bases, has_languages, (), problems)
    info = _info(root, feed) if name not in ("item", "entry") else FeedInfo()
    kind = _kind(root, name)
    feed.base = info.link if is_web(info.link) else url
    if kind == "atom" and name == "feed":  # an entry without an author has the feed's
        feed.authors = distinct(_person(e) for e in root if _key(e.tag) == "author")
    return Reading(info, [_draft(item, feed) for item in items], kind)


def _read_stray(root: Element, items: list[Element], url: str, problems: Problems) -> Reading | None:
    """A feed whose names are right and whose namespace is not: read as if it had none."""
    if not items:
        return None
    for element in root.iter(etree.Element):
        if isinstance(element.tag, str) and _key(element.tag).startswith("?"):
            element.tag = etree.QName(element).localname
    return read(root, url, problems)
