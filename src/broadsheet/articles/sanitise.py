"""HTML that is safe to show: an allow-list, absolute addresses, no trackers."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import nh3
from lxml import etree
from lxml import html as lxml_html

__all__ = ["is_tracker", "sanitise"]

_TAGS = {"a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "cite", "code", "dd", "del", "dfn", "dl", "dt", "em", "figcaption", "figure", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "small", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "wbr"}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title", "hreflang"},
    "img": {"src", "alt", "title", "width", "height"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "time": {"datetime"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
    "*": {"dir", "lang"},
}
# Taken out with all that is in them; the text inside any other unknown element stays.
_WITH_CONTENT = {"script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math", "form", "select", "textarea", "button", "canvas", "audio", "video", "head", "title"}  # fmt: skip
_ADDRESSES = {"href", "src", "cite"}
_MAX_HTML = 2_000_000
_MAX_DEPTH = 400
_ELEMENT = re.compile(r"<(/?)(?!(?:br|img|hr|wbr|input|p|li)\b)[a-zA-Z]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

_TRACKING_HOSTS = re.compile(
    r"(?:^|\.)(?:doubleclick\.net|google-analytics\.com|googletagmanager\.com|googlesyndication\.com|scorecardresearch\.com|"
    r"quantserve\.com|chartbeat\.(?:com|net)|facebook\.net|pixel\.wp\.com|stats\.wordpress\.com|feedsportal\.com|feeds\.feedburner\.com|"
    r"pixel\.quantserve\.com|adservice\.google\.com|amazon-adsystem\.com|taboola\.com|outbrain\.com|parsely\.com|hotjar\.com|"
    r"nr-data\.net|newrelic\.com|permutive\.com|adsrvr\.org|bat\.bing\.com|list-manage\.com|omtrdc\.net|2o7\.net|demdex\.net|"
    r"imrworldwide\.com|tinypass\.com|mailchi\.mp|sendgrid\.net|exactag\.com|ivwbox\.de|xiti\.com|mc\.yandex\.ru|rss\.art19\.com|blogads\.com|pheedo\.com|feedblitz\.com)$",
    re.IGNORECASE,
)
_TRACKING_PATHS = re.compile(
    r"(?:^|/)(?:pixel|beacon|track(?:er|ing)?|__utm|b|impression|count|counter|open|wf/open|tr|spacer|blank|clear|1x1|ga|piwik|matomo)"
    r"(?:\.(?:gif|png|php|ashx|aspx?|pl|cgi))(?:$|[?/])|/~r/|/~ff/|[?&]feedburner|/p\.gif|/wf/open|republication-tracker",
    re.IGNORECASE,
)
_SMALL = re.compile(r"\s*[0-3](?:\.\d+)?(?:px)?\s*$")
_IMG = re.compile(r"<img\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
_PAIR = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))")
# A link inside a link in a table is written nested by the parser that reads it, and read as two by the next.
_SETTLING = 3
_LAZY = ("data-src", "data-original", "data-lazy-src", "data-orig-file", "data-hi-res-src")


def is_tracker(src: str, width: str = "", height: str = "") -> bool:
    """Is this picture there to count readers: too small to see, or from an address that is known to count?"""
    if _SMALL.match(width or "9") or _SMALL.match(height or "9"):
        return True
    try:
        parts = urlsplit(src)
        host = parts.hostname or ""
    except ValueError:
        return True
    return _TRACKING_HOSTS.search(host) is not None or _TRACKING_PATHS.search(f"{parts.path}?{parts.query}") is not None


def _absolute(address: str, base_url: str) -> str | None:
    """The address, absolute, where it leads to a page or a mailbox; None for every other scheme."""
    try:
        joined = urljoin(base_url, address.strip())
        parts = urlsplit(joined)
    except ValueError:
        return None
    if parts.scheme in ("http", "https"):
        return joined if parts.netloc else None
    return joined if parts.scheme == "mailto" else None


def _unlazy(match: re.Match[str]) -> str:
    """A picture that waits for a script (`data-src`) with its address in place."""
    pairs = {m[1].lower(): m[2] or m[3] or m[4] or "" for m in _PAIR.finditer(match[1])}
    src = pairs.get("src", "")
    if src and not src.startswith("data:"):
        return match[0]
    lazy = next((pairs[name] for name in _LAZY if pairs.get(name)), "")
    return (
        f'<img src="{lazy.replace(chr(34), "%22")}" alt="{pairs.get("alt", "").replace(chr(34), "&quot;")}">'
        if lazy
        else ""
    )


def _seen(match: re.Match[str]) -> str:
    pairs = {m[1]: m[2] or "" for m in _PAIR.finditer(match[1])}
    if not pairs.get("src") or is_tracker(
        pairs["src"].replace("&amp;", "&"), pairs.get("width", ""), pairs.get("height", "")
    ):
        return ""
    return match[0]


def _shallow(html: str) -> str:
    """The same HTML where it nests as articles do; what nests deeper is cut at libxml2's 256.

    nh3 did not end in 10 s on 50,000 nested elements.
    """
    if html.count("<") <= _MAX_DEPTH:
        return html
    depth = 0
    for match in _ELEMENT.finditer(html):
        depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > _MAX_DEPTH:
            break
    else:
        return html
    try:
        tree = lxml_html.fragment_fromstring(_CONTROLS.sub("", html), create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return ""
    return etree.tostring(tree, encoding="unicode", method="html")


def sanitise(html: str, base_url: str) -> str:
    """HTML with nothing in it that acts or reports: safe to place in a page. Doing it twice changes nothing.

    Addresses are made absolute on `base_url`; only http, https and mailto remain. Pictures keep their `src`: whether
    it is asked for is the reader's choice, made where the page is built.
    """

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name in _ADDRESSES:
            return _absolute(value, base_url)
        return value

    def cleaned(html: str) -> str:
        once = nh3.clean(
            html,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            clean_content_tags=_WITH_CONTENT,
            attribute_filter=attribute,
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )
        # nh3 writes each attribute in double quotes, so this sees whole elements
        return _IMG.sub(_seen, once).strip()

    html = cleaned(_IMG.sub(_unlazy, _shallow(html[:_MAX_HTML])))
    for _ in range(_SETTLING):
        if (again := cleaned(html)) == html:
            break
        html = again
    return html
