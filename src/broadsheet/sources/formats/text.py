"""Small readings of text and links: what is markup, what it says in plain words, where a relative link leads."""

from __future__ import annotations

import re
from html import escape, unescape
from urllib.parse import urljoin

_HTML_TAGS = (
    "a abbr acronym address article aside audio b bdo big blockquote br button caption center cite code col dd del dfn "
    "div dl dt em embed fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hr i iframe img input ins "
    "kbd li link main map mark nav object ol option p param picture pre q s samp script section select small source "
    "span strike strong style sub sup table tbody td textarea tfoot th thead time title tr tt u ul var video wbr"
)
_MARKUP = re.compile(rf"</?(?:{'|'.join(_HTML_TAGS.split())})(?:\s[^<>]*|/)?>", re.I)
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)|<!--.{0,5000}?-->|<!--[^>]*>?", re.I | re.S)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BREAKING = re.compile(r"<(?:br|/?p|/?div|/?li|/?h[1-6]|/?td|/?tr|hr)\b[^<>]*>", re.I)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# Links in markup that lead nowhere by themselves. The first look-ahead lets the common absolute ones go at once.
_RELATIVE = re.compile(
    r"""(\s(?:href|src|cite|action|longdesc|poster|background|data|usemap|codebase|classid|profile)\s*=\s*)"""
    r"""(?:"(?!https?:|data:|mailto:|\#)([^"<>]*)"|'(?!https?:|data:|mailto:|\#)([^'<>]*)')""",
    re.I,
)

# Tells in a third of the time whether `_RELATIVE` may find anything: it begins with a literal, which re looks for fast.
_MAYBE_RELATIVE = re.compile(
    "=(?:"
    + "|".join(
        f"(?<={a}=)"
        for a in (
            "href",
            "src",
            "cite",
            "action",
            "poster",
            "data",
            "ound",
            "HREF",
            "SRC",
            "desc",
            "base",
            " ",
            "map",
            "ssid",
            "file",
        )
    )
    + r""")\s*["'](?!https?:|data:|mailto:|\#)"""
)


def looks_like_html(text: str) -> bool:
    """Whether text that nobody called HTML is HTML: it has a tag of HTML's own, or a reference to a character."""
    return ("<" in text and _MARKUP.search(text) is not None) or ("&" in text and _ENTITY.search(text) is not None)


def plain(markup: str) -> str:
    """HTML as one line of plain text."""
    if "<" in markup:
        markup = _HIDDEN.sub("", markup)
        markup = _MARKUP.sub("", _BREAKING.sub(" ", markup))
    if "&" in markup:
        markup = unescape(markup)
    return one_line(markup)


def one_line(text: str) -> str:
    return " ".join(text.split())


def as_html(text: str) -> str:
    """Plain text as HTML that says the same."""
    return escape(text, quote=False) if "&" in text or "<" in text else text


def join(base: str, link: str) -> str:
    """Where a link leads from a base; the link itself where that can't be said. White space in it is a line break."""
    link = "".join(link.split()) if "\n" in link or "\t" in link else link.strip()
    if not link or not base or link.startswith(("http://", "https://")):
        return link
    try:
        return urljoin(base, link)
    except ValueError:
        return link


def is_web(link: str) -> bool:
    return link.lower().startswith(("http://", "https://"))


def has_scheme(link: str) -> bool:
    return _SCHEME.match(link) is not None


def resolve_links(markup: str, base: str) -> str:
    """The markup with its relative links made whole."""
    if not base or _MAYBE_RELATIVE.search(markup) is None:
        return markup

    def whole(match: re.Match[str]) -> str:
        quote, link = ('"', match[2]) if match[2] is not None else ("'", match[3])
        if has_scheme(link):
            return match[0]
        return f"{match[1]}{quote}{escape(join(base, unescape(link)), quote=True)}{quote}"

    return _RELATIVE.sub(whole, markup)
