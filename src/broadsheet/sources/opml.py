"""Subscription lists in and out: OPML, with its folders.

`read` takes any list that some reader has exported and says what it could not use; it opens nothing and expands no
entity. What `write` writes, `read` reads back the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.entities import html5
from typing import Final

from lxml import etree
from yarl import URL

from broadsheet.errors import InputError
from broadsheet.wording import phrase as _

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_SUBSCRIPTIONS: Final = 20_000
MAX_DEPTH: Final = 16
_LONGEST: Final = 500  # characters of a title or a folder's name
_REPORTED: Final = 200  # problems and duplicates spelled out

_Element = etree._Element


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    url: str
    title: str = ""
    homepage: str = ""
    folder: tuple[str, ...] = ()  # from the outermost in


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a list held: each feed once, in its order, and in words what was left out."""

    title: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    duplicates: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read(body: bytes) -> Outline:
    """The subscriptions in an OPML file. Raises `InputError` for what is no OPML at all."""
    if len(body) > MAX_BYTES:
        raise InputError(_("This file is larger than the {x} MB that a list may have.", x=MAX_BYTES // 1024 // 1024))
    # NULs out: the check must also see a declaration that is written in UTF-16.
    if re.search(rb"<!ENTITY", body.replace(b"\0", b""), re.IGNORECASE):
        raise InputError(
            _("This file declares XML entities, which no list of feeds needs; export it again without them.")
        )
    body = _mended(body.lstrip())
    root, said = _tree(body)
    if (
        said and b"\0" not in body
    ):  # exports with bare quotes or tags in a description are common: 11 of 59 shared lists
        again, less = _tree(_quoted(body))
        root, said = (again, less) if len(less) < len(said) else (root, said)
    if root is None or not any(_tag(e) in {"opml", "outline"} for e in root.iter()):
        raise InputError(_("This is not an OPML file: it has no <opml> and no <outline> in it."))
    problems = said[:3]
    kept: dict[str, Subscription] = {}
    duplicates: list[str] = []
    for number, found in enumerate(_walk(root)):
        if number >= 2 * MAX_SUBSCRIPTIONS:
            problems.append(_("more than {n:,} outlines: the rest was left out", n=2 * MAX_SUBSCRIPTIONS))
            break
        if isinstance(found, str):
            problems.append(found)
        elif (first := kept.get(_same(found.url))) is not None:
            duplicates.append(f"{found.url} is in {_place(first.folder)} and again in {_place(found.folder)}")
        elif len(kept) >= MAX_SUBSCRIPTIONS:
            problems.append(_("more than {n:,} feeds: the rest was left out", n=MAX_SUBSCRIPTIONS))
            break
        else:
            kept[_same(found.url)] = found
    title = next((e.text or "" for e in root.iter() if _tag(e) == "title"), "")
    return Outline(
        title=_clean(title),
        subscriptions=tuple(kept.values()),
        duplicates=_bounded(duplicates),
        problems=_bounded(problems),
    )


def write(title: str, subscriptions: Iterable[Subscription]) -> bytes:
    """The list as OPML 2.0, its folders nested, in the order given (a folder stands where its first feed does)."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = _clean(title)
    body = etree.SubElement(root, "body")
    folders: dict[tuple[str, ...], _Element] = {(): body}
    for item in subscriptions:
        inside = tuple(name for part in item.folder if (name := _clean(part)))
        for depth in range(1, len(inside) + 1):
            if inside[:depth] not in folders:
                name = inside[depth - 1]
                folders[inside[:depth]] = etree.SubElement(
                    folders[inside[: depth - 1]], "outline", text=name, title=name
                )
        name = _clean(item.title) or _clean(item.url)
        outline = etree.SubElement(folders[inside], "outline", type="rss", text=name, title=name)
        outline.set("xmlUrl", _clean(item.url, 4000))
        if item.homepage:
            outline.set("htmlUrl", _clean(item.homepage, 4000))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _mended(body: bytes) -> bytes:
    """Bare ampersands (addresses pasted in) and HTML's names for letters, as XML writes them: the parser's own recovery
    would drop them, and a parameter of an address with them."""
    if b"\0" in body:
        return body

    def mend(match: re.Match[bytes]) -> bytes:
        name = match[1].decode() if match[1] else ""
        if name in {"amp;", "lt;", "gt;", "quot;", "apos;"}:
            return match[0]
        return "".join(f"&#{ord(c)};" for c in html5[name]).encode() if name in html5 else b"&amp;" + match[0][1:]

    return re.sub(rb"&(?!#\d{1,7};|#x[0-9a-fA-F]{1,6};)([A-Za-z][A-Za-z0-9]{1,30};)?", mend, body)


def _tree(body: bytes) -> tuple[_Element | None, list[str]]:
    """The tree that the parser could make of it, and what it complained of."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    return root, [f"line {error.line}: {error.message}" for error in parser.error_log]


_NAMED: Final = re.compile(
    rb"(?:^|(?<=[\s\"']))(text|title|type|xmlurl|htmlurl|description|url|category|language|version|created)\s*=\s*([\"'])",
    re.IGNORECASE,
)


def _quoted(body: bytes) -> bytes:
    """The list with what is inside each outline's attributes escaped: an attribute ends where the next one that lists
    have begins, or the tag does, whatever quotes and brackets it holds."""

    def mend(part: bytes) -> bytes:
        tag = re.match(rb"(?is)<outline\b(.*[\"'])\s*(/?)>", part)
        if tag is None:
            return part
        inside = tag[1]  # once: each look at a group copies it
        starts = list(_NAMED.finditer(inside))
        if not starts:
            return part
        ends = [m.start() for m in starts[1:]] + [len(inside)]
        written: dict[bytes, bytes] = {}
        for start, end in zip(starts, ends, strict=True):
            value = inside[start.end() : end].rstrip().removesuffix(start[2])
            for character, escaped in ((b"<", b"&lt;"), (b">", b"&gt;"), (b'"', b"&quot;")):
                value = value.replace(character, escaped)
            written.setdefault(start[1], value)
        attributes = b"".join(b' %b="%b"' % pair for pair in written.items())
        return b"<outline%b%b>" % (attributes, tag[2]) + part[tag.end() :]

    return b"".join(mend(part) for part in re.split(rb"(?i)(?=<outline\b|</outline|</body)", body))


def _walk(root: _Element) -> Iterator[Subscription | str]:
    """Each outline in order, as a subscription or as what is wrong with it. A stack, not recursion: depth is hostile."""
    start = next((e for e in root.iter() if _tag(e) == "body"), root)
    stack: list[tuple[_Element, tuple[str, ...]]] = [(start, ())]
    too_deep = False
    while stack:
        element, folder = stack.pop()
        inside = folder
        if _tag(element) == "outline":
            said = {str(name).lower(): str(value) for name, value in element.attrib.items()}
            name = _clean(said.get("title") or said.get("text") or "")
            url = said.get("xmlurl") or (said.get("url", "") if said.get("type", "").lower() in _FEED_TYPES else "")
            has_children = any(_tag(child) == "outline" for child in element)
            if url:
                yield _subscription(url, name, said, folder)
            elif not has_children:
                yield f"“{name or 'an outline without a name'}” has no feed address (xmlUrl)"
            if has_children and name and not url:
                if len(folder) >= MAX_DEPTH:
                    too_deep = True
                else:
                    inside = (*folder, name)
        stack.extend((child, inside) for child in reversed(element) if _tag(child) == "outline")
    if too_deep:
        yield f"folders are nested more than {MAX_DEPTH} deep: the deeper ones were put together"


_FEED_TYPES: Final = frozenset({"rss", "atom", "rdf", "jsonfeed", "feed"})


def _subscription(url: str, name: str, said: dict[str, str], folder: tuple[str, ...]) -> Subscription | str:
    address = web_address(url)
    if address is None:
        return f"“{name or 'an outline without a name'}” has an address that is not on the web: {_clean(url)[:80]}"
    if not folder and (category := said.get("category", "").split(",")[0]).strip("/ "):
        # Some readers write the folder here: category="/News/World".
        folder = tuple(part for raw in category.split("/")[: MAX_DEPTH + 1] if (part := _clean(raw)))
    homepage = web_address(said.get("htmlurl", "")) or ""
    return Subscription(url=address, title=name or address, homepage=homepage, folder=folder)


def web_address(written: str) -> str | None:
    """The http(s) address that is meant, `feed:` and surrounding space taken off; None for anything else."""
    written = _clean(written, 4000)
    written = re.sub(r"(?i)^feed:(//)?(?=https?://)", "", written)
    written = re.sub(r"(?i)^feed://", "http://", written)
    try:
        url = URL(written, encoded=True)
        good = url.scheme in {"http", "https"} and bool(url.raw_host) and (url.port or 0) >= 0
    except ValueError:
        return None
    return written if good and not re.search(r"[\s<>\"]", written) else None


def _same(url: str) -> str:
    """Two addresses are the same feed if they differ in scheme, case of the host, or a last slash only."""
    rest = re.sub(r"(?i)^https?://", "", url).rstrip("/")
    host, slash, path = rest.partition("/")
    return host.lower() + slash + path


def _tag(element: _Element) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _clean(text: str, longest: int = _LONGEST) -> str:
    """The text as XML may hold it: no control characters or lone surrogates, one space where there was any."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+", " ", text)
    return " ".join(text.split())[:longest].strip()


def _place(folder: tuple[str, ...]) -> str:
    return f"“{' / '.join(folder)}”" if folder else "no folder"


def _bounded(said: list[str]) -> tuple[str, ...]:
    if len(said) <= _REPORTED:
        return tuple(said)
    return (*said[:_REPORTED], f"and {len(said) - _REPORTED:,} more")
