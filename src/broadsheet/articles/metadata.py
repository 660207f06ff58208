"""What a page says of its article: JSON-LD first, then its meta elements, then what its markup shows."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

import orjson
from lxml.etree import _Element

from broadsheet.articles.dates import stated
from broadsheet.articles.furniture import key_of, text_of
from broadsheet.articles.shown import HIDDEN, Shown, shown

__all__ = ["About", "about", "names_in", "title_without_site"]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a page says of its article. `body` is the text that its JSON-LD carries, where it does."""

    title: str = ""
    authors: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    image: str = ""
    section: str = ""
    publisher: str = ""
    language: str = ""
    canonical: str = ""
    description: str = ""
    body: str = ""
    kind: str = ""  # the schema.org type, or og:type
    free: bool = True  # False: the publisher says that it must be paid for
    tags: tuple[str, ...] = ()


# --- names -------------------------------------------------------------------------------------------------------

_BY = re.compile(r"^\s*(?:(?:(?:written|words|posted|published|reported|story|article|review|reviewed|analysis|opinion|text)\s+)?by|author(?:s|\(s\))?|von|par|por|di|door)\b\s*:?\s*", re.IGNORECASE)  # fmt: skip
_BETWEEN = re.compile(r"\s*(?:,|;|\||/|&|\band\b|\bund\b|\bet\b|\by\b|•|·|\n)\s*")
_AFTER = re.compile(
    r"(?:\s+(?:in|for|at|is|on|updated|published|last|posted|for the)\b|\s*[(\[<@]|\s+[-–—|]\s|\s+\d|\s*\.\s|:\s).*$",
    re.DOTALL,
)
_DEGREES = re.compile(r"^(?:ph\.?\s?d|m\.?d|mba|m\.?s\.?c?|b\.?a|m\.?a|jr|sr|ii|iii|iv|esq|rn|rd|rdn|ms|cfp®?|cfa|cpa|cpt|lcsw|dds|dvm|do|facs|np|psyd|fand|j\.?d|mph|edd|msw|lmft|cscs)\.?$", re.IGNORECASE)  # fmt: skip
_ROLE = re.compile(r"\b(?:correspondent|reporter|editor|staff|writer|columnist|journalist|contributor|bureau|news desk|agencies|newsroom|producer|chief|director|read more|min read|updated|published|follow|subscribe|share|comments?|posts? by|view all|profile|expert|specialist|reviewer)\b", re.IGNORECASE)  # fmt: skip


def names_in(byline: str) -> tuple[str, ...]:
    """The names of a byline ("By Ann Lee and Bo Hu in Beijing"), without roles, places and degrees."""
    if byline.startswith(("http:", "https:", "www.", "@")) or "@" in byline.split(" ")[0]:
        return ()
    text = _BY.sub("", " ".join(html.unescape(byline).split()))
    names: list[str] = []
    for part in _BETWEEN.split(text):
        name = _AFTER.sub("", f" {part}").strip(" .,:;–—-'\"")
        name = _BY.sub("", name)
        if not name or len(name) > 60 or len(name.split()) > 6 or _DEGREES.match(name):
            continue
        if _ROLE.search(name) and (names or len(name.split()) > 4):
            continue
        if any(c.isalpha() for c in name) and not any(c in name for c in "{}<>=_") and name not in names:
            names.append(name)
    return tuple(names[:12])


# --- titles ------------------------------------------------------------------------------------------------------

_SEPARATOR = re.compile(r"\s+[|–—•·»:\-‹›<>~]{1,2}\s+|\s*\|\s*|\s+::\s+|\s*_\s+|(?<=\S)_(?=\S+$)")


def title_without_site(title: str, site: str = "", host: str = "") -> str:
    """The title with the name of its site (" | BBC News", " - The Verge") taken off its end or its beginning."""
    title = " ".join(html.unescape(title).split())
    known = {
        key_of(name) for name in (site, host.removeprefix("www.").split(".")[0], host.removeprefix("www.")) if name
    }
    known.discard("")

    def is_site(part: str) -> bool:
        key = key_of(part)
        return bool(key) and any(
            key == k
            or (
                len(key) > 3
                and len(k) > 3
                and (key.startswith(k) or k.startswith(key) or (k in key and len(key) < 2.5 * len(k)))
            )
            for k in known
        )

    for _ in range(3):
        cuts = list(_SEPARATOR.finditer(title))
        if not cuts:
            break
        last, first = cuts[-1], cuts[0]
        if last.start() > 0 and is_site(title[last.end() :]):
            title = title[: last.start()]
        elif first.start() > 0 and len(title) > first.end() and is_site(title[: first.start()]):
            title = title[first.end() :]
        else:
            break
    return title.strip()


# --- JSON-LD -----------------------------------------------------------------------------------------------------

_ARTICLES = ("NewsArticle", "ReportageNewsArticle", "AnalysisNewsArticle", "OpinionNewsArticle", "LiveBlogPosting", "BackgroundNewsArticle", "ReviewNewsArticle", "Article", "BlogPosting", "TechArticle", "ScholarlyArticle", "Report", "AdvertiserContentArticle", "SocialMediaPosting", "DiscussionForumPosting", "Review", "Recipe", "HowTo", "MedicalWebPage", "Course", "WebPage")  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x1f]+")
_MAX_LD = 2_000_000


def _nodes(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > 6:
        return
    if isinstance(value, list):
        for item in value[:200]:
            yield from _nodes(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        for name in ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "hasPart"):
            if isinstance(value.get(name), (dict, list)):
                yield from _nodes(value[name], depth + 1)


def _types(node: Mapping[str, Any]) -> tuple[str, ...]:
    kind = node.get("@type", ())
    return (
        (kind,)
        if isinstance(kind, str)
        else tuple(k for k in kind if isinstance(k, str))
        if isinstance(kind, list)
        else ()
    )


def _linked_data(tree: _Element) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower() or not script.text or len(script.text) > _MAX_LD:
            continue
        text = (
            _CONTROL.sub(" ", script.text)
            .strip()
            .removeprefix("<!--")
            .removesuffix("-->")
            .removeprefix("//<![CDATA[")
            .removesuffix("//]]>")
            .strip()
            .rstrip(";")
        )
        for attempt in (text, re.sub(r",\s*([}\]])", r"\1", text)):
            try:
                found.extend(_nodes(orjson.loads(attempt)))
                break
            except orjson.JSONDecodeError:
                continue
    return found


def _string(value: Any) -> str:
    if isinstance(value, str):
        return " ".join(html.unescape(value).split())
    if isinstance(value, list):
        return next((text for item in value if (text := _string(item))), "")
    if isinstance(value, dict):
        return _string(value.get("name") or value.get("@value") or value.get("url") or "")
    return ""


def _people(value: Any, by_id: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if isinstance(value, list):
        return [name for item in value[:20] for name in _people(item, by_id)]
    if isinstance(value, dict):
        if not value.get("name") and (known := by_id.get(str(value.get("@id")))):
            value = known
        name = value.get("name")
        return list(names_in(name)) if isinstance(name, str) else _people(name, by_id) if name else []
    return list(names_in(value)) if isinstance(value, str) else []


def _is_organisation(value: Any, by_id: Mapping[str, Mapping[str, Any]]) -> bool:
    """Does the data name an organisation as its author?"""
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict):
        known = by_id.get(str(first.get("@id")), first)
        return any("Organization" in kind for kind in (*_types(first), *_types(known)))
    return False


def _picture(value: Any, by_id: Mapping[str, Mapping[str, Any]]) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return next((url for item in value if (url := _picture(item, by_id))), "")
    if isinstance(value, dict):
        if not value.get("url") and (known := by_id.get(str(value.get("@id")))):
            value = known
        return _string(value.get("url") or value.get("contentUrl") or "")
    return ""


# --- the whole ---------------------------------------------------------------------------------------------------

_TITLES = ("og:title", "parsely-title", "twitter:title", "dc.title", "citation_title", "sailthru.title")
_PUBLISHED = ("article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date", "sailthru.date", "article.published", "pubdate", "publishdate", "publish-date", "publish_date", "published_time", "dc.date.issued", "dcterms.created", "dc.date", "dc.date.created", "dcterms.date", "dcterms.issued", "citation_publication_date", "citation_online_date", "citation_date", "article_date_original", "originalpublicationdate", "cxenseparse:recs:publishtime", "bt:pubdate", "ptime", "date", "datecreated", "created")  # fmt: skip
_UPDATED = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "lastmod",
    "last-modified",
    "dcterms.modified",
    "dc.date.modified",
)
_AUTHORS = ("author", "article:author", "article:author_name", "parsely-author", "sailthru.author", "byl", "dc.creator", "dcterms.creator", "citation_author", "cxenseparse:author", "twitter:data1")  # fmt: skip
_BYLINE = re.compile(
    r"(?:^|[-_\s])(?:byline|by-line|author|authors|author-?name|writer|posted-?by|article-?author|post-?author|entry-?author|contributor)(?:$|[-_\s])",
    re.IGNORECASE,
)
_PUBLISHED_META = re.compile(r"publish(?:ed)?(?:$|[-_.:]?(?:date|time|on|at)\b)|publication[-_.]?date|date[-_.]?published|(?:^|[-_.:])pub[-_.]?date$", re.IGNORECASE)  # fmt: skip


def _meta(tree: _Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").strip().lower()
        if name and (content := (element.get("content") or "").strip()):
            found.setdefault(name, []).append(html.unescape(content))
    return found


def _first(meta: Mapping[str, Sequence[str]], names: Sequence[str]) -> str:
    return next((meta[name][0] for name in names if name in meta), "")


def _headings(tree: _Element) -> list[str]:
    return [text for element in tree.iter("h1") if (text := text_of(element)) and len(text) < 300]


_LETTERS = re.compile(r"[^\W_]{3,}|\d+")


def _shares_words(heading: str, titles: Sequence[str]) -> bool:
    """Does a heading speak of what the titles speak of?"""
    words = set(_LETTERS.findall(heading.lower()))
    return len(words & {word for title in titles for word in _LETTERS.findall(title.lower())}) >= max(
        2, 0.4 * len(words)
    )


def _title(tree: _Element, meta: Mapping[str, Sequence[str]], headline: str, site: str, host: str) -> str:
    """The heading that readers see, where what the page says of itself bears it out; else what it says of itself.

    A page's own titles are often written for search engines ("Best movers in New York | Prices 2025"): where the one large
    heading differed from them it was the gold title 39 times and they were 15 times (WCXB dev).
    """
    headings = [clean for text in _headings(tree) if (clean := title_without_site(html.unescape(text), site, host))]
    element = next(tree.iter("title"), None)
    page = text_of(element) if element is not None else ""
    offered = [t for t in (_first(meta, _TITLES), headline, page) if t]
    cleaned = [c for t in offered if (c := title_without_site(html.unescape(t), site, host))]
    known = {key_of(name) for name in (site, host.removeprefix("www.").split(".")[0]) if name}
    for heading in headings:
        key = key_of(heading)
        for title in cleaned:
            said = key_of(title)
            if (
                len(key) > 8
                and len(said) > 8
                and ((key in said and len(key) > 0.5 * len(said)) or (said in key and len(said) > 0.5 * len(key)))
            ):
                return heading
    apart = {key_of(heading): heading for heading in headings}
    for key, heading in apart.items():
        if key in known or len(heading.split()) < 2:
            continue
        if any(key_of(title).startswith(key) and len(key) > 8 for title in cleaned) or (
            len(apart) == 1 and _shares_words(heading, [*offered, *cleaned])
        ):
            return heading
    return next(iter(cleaned), headings[0] if headings else "")


_BY_LINE = re.compile(
    r"^(?:(?:written|words|story|posted|reported|published) )?by:? (?=(?-i:[^\W\d_a-z]))", re.IGNORECASE
)
_NOT_A_NAME = re.compile(r"^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|name\s*\*?|admin|guest|.*\bsays|[\w.]+\.[\w.]+)$", re.IGNORECASE)  # fmt: skip


_BY_ALONE = re.compile(r"(?:(?:(?:article|post|story|this post was) )?(?:written|words|story|posted|reported|published|created|text) )?by ?:?|authors? ?:?|von|par|por|di|door|av|af|autore?:|autor:", re.IGNORECASE)  # fmt: skip
_ABOUT_AUTHOR = re.compile(r"/(?:authors?|people|staff|profiles?|contributors?|writers?|journalists?|reporters?|autor(?:es)?|auteurs?|producers)/[^/?#]+", re.IGNORECASE)  # fmt: skip
_JOINED = re.compile(r"^(?:[,&]|(?:and|und|et|y)\b)\s*")
_JOINING = frozenset({"and", "und", "et", "y", "e", "og", "och", "en", ",", "&", "|", "·", "•", ""})
_TITLE_BEFORE, _TITLE_AFTER = 400, 1500  # characters of text from the title within which its byline stands


def _named(piece: str) -> tuple[str, ...]:
    """The names in a short piece of text that holds nothing else."""
    if not 2 < len(piece) <= 80 or piece[0] == HIDDEN:
        return ()
    names = tuple(n for n in names_in(piece) if not _NOT_A_NAME.match(n))
    words = names[0].split() if names else []
    fits = words and len(words) < 5 and words[0][:1].isupper() and words[-1][:1].isupper()
    return names if fits and not _ROLE.search(names[0]) else ()


def _byline_at_title(page: Shown) -> tuple[str, ...]:
    """The names that stand at the title after "By", else as links to what their bearers wrote."""
    linked: tuple[str, ...] = ()
    for n, (text, element) in enumerate(page.pieces if page.last else ()):
        if page.first <= n < page.last or not -_TITLE_BEFORE <= page.away(n) <= _TITLE_AFTER:
            continue
        line = " ".join(text.split())
        if _BY_ALONE.fullmatch(line):
            names: list[str] = []
            goes_on = True
            for piece, _ in page.pieces[n + 1 : n + 9]:
                piece = " ".join(piece.split())
                if piece.lower().strip(", ") in _JOINING:
                    goes_on = True
                elif (goes_on or _JOINED.match(piece)) and (found := _named(_JOINED.sub("", piece))):
                    names += found
                    goes_on = piece.endswith((",", "&", " and"))
                else:
                    break
            if names:
                return tuple(dict.fromkeys(names))
        elif (
            element.tag == "a" and not linked and page.away(n) < 400 and _ABOUT_AUTHOR.search(element.get("href") or "")
        ):
            linked = _named(line)
    return linked


def _shown_byline(tree: _Element) -> tuple[str, ...]:
    """The names that the page shows where it names its author."""
    unmarked: tuple[str, ...] = ()
    for element in tree.iter(
        "a", "span", "p", "div", "address", "aside", "strong", "em", "li", "h3", "h4", "h5", "h6", "cite"
    ):
        label = element.get("class") or ""
        marked = (
            element.get("rel") == "author"
            or element.get("itemprop") == "author"
            or (bool(label) and _BYLINE.search(label) is not None)
        )
        if (not marked and (unmarked or len(element) > 2)) or "comment" in label:
            continue
        text = " ".join(" ".join(element.itertext()).split())
        if not 3 < len(text) < 100 or not (marked or _BY_LINE.match(text)):
            continue
        names = tuple(n for n in names_in(text) if not _NOT_A_NAME.match(n))
        if names and not _ROLE.search(names[0]) and len(names[0].split()) < 6:
            if marked:
                return names
            unmarked = unmarked or (names if names[0][:1].isupper() and len(names[0].split()) < 5 else ())
    return unmarked


def _joined(url: str, address: str) -> str:
    try:
        return urljoin(url, address)
    except ValueError:
        return ""


def about(tree: _Element, url: str, raw: str = "") -> About:
    """What the page says of its article; `raw` is the page as it came, with its scripts."""
    meta = _meta(tree)
    nodes = _linked_data(tree)
    by_id = {str(node["@id"]): node for node in nodes if "@id" in node}
    rank = {kind: place for place, kind in enumerate(_ARTICLES)}
    articles = sorted(
        (node for node in nodes if any(kind in rank for kind in _types(node))),
        key=lambda node: min(rank[kind] for kind in _types(node) if kind in rank),
    )
    article: Mapping[str, Any] = articles[0] if articles else {}
    kind = next((k for k in _types(article) if k in rank), "") or _first(meta, ("og:type",))

    host = (re.match(r"https?://([^/?#]*)", url, re.IGNORECASE) or [""] * 2)[1]
    publisher = _first(meta, ("og:site_name", "application-name", "publisher", "dc.publisher", "citation_publisher"))
    named = article.get("publisher")
    if isinstance(named, dict) and not named.get("name"):
        named = by_id.get(str(named.get("@id")), named)
    site = _string(named)
    if site.startswith(("http:", "https:", "#", "/")):
        site = ""
    given = article.get("author") or article.get("creator") if kind != "WebPage" else None
    authors = _people(given, by_id)
    if not authors:
        authors = [name for key in _AUTHORS for value in meta.get(key, ()) for name in names_in(value)]
    title = _title(tree, meta, _string(article.get("headline")), publisher or site, host)
    page = shown(tree, title)
    known = {key_of(name) for name in (publisher, site, host.removeprefix("www.").split(".")[0]) if name}
    own = [n for n in authors if key_of(n) not in known and not _NOT_A_NAME.match(n)]
    people = tuple(dict.fromkeys(own))
    if not people or _is_organisation(given, by_id):
        # what was given is the publisher: who wrote it may stand at the title
        people = _byline_at_title(page) or people or _shown_byline(tree) or tuple(authors[:1])

    times = stated(
        page,
        url,
        language=tree.get("lang") or "",
        published=[
            *(_string(article.get(name) or "") for name in ("datePublished", "uploadDate", "dateCreated")),
            *(meta[name][0] for name in _PUBLISHED if name in meta),
            *(value[0] for name, value in meta.items() if _PUBLISHED_META.search(name)),
        ],
        updated=[_string(article.get("dateModified") or ""), *(meta[name][0] for name in _UPDATED if name in meta)],
        raw=raw,
    )

    image = _first(
        meta, ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")
    ) or _picture(article.get("image"), by_id)
    canonical = next(
        (link.get("href") or "" for link in tree.iter("link") if (link.get("rel") or "").lower() == "canonical"), ""
    ) or _first(meta, ("og:url",))
    free = article.get("isAccessibleForFree", True)
    tags = [
        t.strip() for value in (*meta.get("article:tag", ()), *meta.get("news_keywords", ())) for t in value.split(",")
    ]
    return About(
        title=title,
        authors=people,
        published=times.published,
        updated=times.updated,
        image=_joined(url, image) if image and not image.startswith("data:") else "",
        section=_string(article.get("articleSection"))
        or _first(meta, ("article:section", "parsely-section", "og:article:section", "cxenseparse:section")),
        publisher=" ".join((publisher or site).split()),
        language=(
            tree.get("lang")
            or tree.get("{http://www.w3.org/XML/1998/namespace}lang")
            or _string(article.get("inLanguage"))
            or _first(meta, ("og:locale", "content-language", "language"))
        )
        .replace("_", "-")
        .split("-")[0]
        .strip()
        .lower(),
        canonical=_joined(url, canonical) if canonical else "",
        description=" ".join(_first(meta, ("og:description", "description", "twitter:description")).split()),
        body=article["articleBody"] if isinstance(article.get("articleBody"), str) else "",
        kind=kind,
        free=str(free).lower() not in ("false", "no"),
        tags=tuple(dict.fromkeys(t for t in tags if t))[:20],
    )
