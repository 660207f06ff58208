"""Broken XML into XML, saying what was mended: no text and no entry is dropped without a word."""

from __future__ import annotations

import re
from html.entities import html5

MAX_ENTITY = 200  # characters that one declared entity may stand for
_BUILT_IN = frozenset(("amp", "lt", "gt", "quot", "apos"))
_PROLOG = re.compile(r"\s*(?:<\?(?:[^?]|\?(?!>))*\?>\s*|<!--(?:[^-]|-(?!->))*-->\s*)*<!doctype", re.I)
_DECLARATION = re.compile(r"""<!ENTITY\s+([\w.:-]{1,60})\s+(?:"([^"]*)"|'([^']*)')\s*>""")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_REFERENCE = re.compile(r"&(?:#(\d{1,7});|#[xX]([0-9a-fA-F]{1,6});|([A-Za-z][\w.:-]{0,59});)?")
_PROTECTED = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.S)
_XML_DECLARATION = re.compile(r"\A((?:\s|<!--(?:[^-]|-(?!->))*-->)*)<\?xml[^>]*>", re.I)
_TAG = r"[A-Za-z_][\w.:-]*"
# What a publisher writes as text and fills with markup. Greedy up to the first end tag of the same name.
_TEXTUAL = re.compile(
    r"<((?:content:encoded|description|title|summary|tagline|subtitle|content|xhtml:body|body|info|copyright|rights|comments|dc:description))"
    r"(\s[^<>]*)?(?<!/)>(.*?)</\1\s*>",
    re.S,
)
_MARKUP_TYPE = re.compile(r"""(?:type\s*=\s*["']?[^"'>]*xhtml|mode\s*=\s*["']?xml)""", re.I)
_LOOSE_LT = re.compile(rf"<(?!/?{_TAG}[\s/>]|!\[CDATA\[|!--|\?|/?{_TAG}\Z)")


def has_doctype(text: str) -> bool:
    """Whether a document type declaration stands before the root element."""
    # The declaration is looked for only near the start: "<!doctype" inside an article is nobody's business.
    return "<!doctype" in text[:20_000].lower() and _PROLOG.match(text) is not None


def _without_doctype(text: str) -> tuple[str, dict[str, str], list[str]]:
    """The text without its document type, the harmless entities that it declared, and what was refused."""
    match = _PROLOG.match(text)
    if match is None:
        return text, {}, []
    start = match.end() - len("<!doctype")
    position, depth, quote = match.end(), 0, ""
    while position < len(text):
        c = text[position]
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            # A quote that never closes is an apostrophe in a comment, not a string.
            quote = c if text.find(c, position + 1, position + 2000) >= 0 else ""
        elif c == "[":
            depth += 1
        elif c == "]":
            depth -= 1
        elif c == ">" and depth <= 0:
            break
        position += 1
    declared = text[start : position + 1]
    problems, entities = [], {}
    for name, double, single in _DECLARATION.findall(declared):
        value = double or single
        if len(value) <= MAX_ENTITY and not re.search(r"&(?!#)|%", value):
            entities[name] = re.sub(r"&#(\d{1,7});|&#[xX]([0-9a-fA-F]{1,6});", _character, value)
        else:
            problems.append("the feed declares entities made of entities, which were not expanded")
    if re.search(r"<!ENTITY[^>]*\b(?:SYSTEM|PUBLIC)\b", declared):
        problems.append("the feed declares an entity from outside, which was not opened")
    # What is left of an unclosed declaration would swallow the whole feed: look for the root instead.
    end = position + 1
    if position >= len(text) and (root := re.search(r"<(?:rss|feed|rdf:RDF)\b", text[start:], re.I)):
        end = start + root.start()
    return text[:start] + text[end:], entities, sorted(set(problems))


def _character(match: re.Match[str]) -> str:
    number = int(match[1]) if match[1] else int(match[2], 16)
    allowed = (
        number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000
    )
    return chr(number) if allowed else ""


# The prefixes that feeds use without saying what they mean, and what they mean everywhere else.
_PREFIXES = {
    "atom": "http://www.w3.org/2005/Atom",
    "a10": "http://www.w3.org/2005/Atom",
    "rss": "http://purl.org/rss/1.0/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "news": "http://www.google.com/schemas/sitemap-news/0.9",
    "image": "http://www.google.com/schemas/sitemap-image/1.1",
    "video": "http://www.google.com/schemas/sitemap-video/1.1",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
_ELEMENT_PREFIX = re.compile(r"</?([A-Za-z_][\w.-]{0,30}):[A-Za-z_]")
_ATTRIBUTE_PREFIX = re.compile(r"""\s([A-Za-z_][\w.-]{0,30}):[A-Za-z_][\w.-]*\s*=""")
_ROOT = re.compile(r"<[A-Za-z_][^<>]*?(?=/?>)")
_OPEN_TAG = re.compile(r"<[A-Za-z_][\w.:-]*\s[^<>]*>")
_BARE_VALUE = re.compile(r"""([\w.:-]+\s*=\s*)(?:("[^"]*"|'[^']*')|([^\s"'<>]+?)(?=\s|/?>))""")


def _declared_prefixes(text: str) -> str:
    """The text with every prefix that it uses and does not declare declared on its root."""
    root = _ROOT.search(text)
    if root is None:
        return text
    markup = _PROTECTED.sub("", text)
    used = set(_ELEMENT_PREFIX.findall(markup)) - {"xml", "xmlns"}
    for tag in _OPEN_TAG.findall(markup):
        used.update(p for p in _ATTRIBUTE_PREFIX.findall(tag) if p not in ("xml", "xmlns"))
    missing = sorted(p for p in used if f"xmlns:{p}" not in text)[:50]
    declarations = "".join(f' xmlns:{p}="{_PREFIXES.get(p.lower(), "urn:undeclared:" + p)}"' for p in missing)
    return text[: root.end()] + declarations + text[root.end() :]


class _References:
    """Mends references outside CDATA: known names become their characters, the rest is text that began with `&`."""

    def __init__(self, declared: dict[str, str], budget: int) -> None:
        self.declared = declared
        self.budget = budget
        self.problems: set[str] = set()

    def __call__(self, match: re.Match[str]) -> str:
        whole, name = match[0], match[3]
        if name in _BUILT_IN:
            return whole
        if whole == "&":
            self.problems.add("bare ampersands were read as text")
            return "&amp;"
        if name is None:
            character = _character(match)
            if not character:
                self.problems.add("references to characters that do not exist were left out")
            return f"&#{ord(character)};" if character else ""
        if name in self.declared:
            value = self.declared[name]
            self.budget -= len(value)
            if self.budget < 0:
                self.problems.add("the feed's own entities grow without end and were not expanded")
                return f"&amp;{name};"
            return value.replace("&", "&amp;").replace("<", "&lt;")
        if (known := html5.get(f"{name};")) is not None:
            self.problems.add("undeclared HTML entities were read as their characters")
            return "".join(f"&#{ord(c)};" for c in known)
        self.problems.add("unknown entities were kept as text")
        return f"&amp;{name};"


def _outside_cdata(text: str, change: re.Pattern[str], to: _References | str) -> str:
    """`change` made everywhere but in CDATA sections and comments."""
    parts, last = [], 0
    for protected in _PROTECTED.finditer(text):
        parts += [change.sub(to, text[last : protected.start()]), protected[0]]
        last = protected.end()
    parts.append(change.sub(to, text[last:]))
    return "".join(parts)


def light(text: str) -> tuple[str, list[str]]:
    """The text with its document type taken out and its references, control characters and start mended."""
    problems: list[str] = []
    stripped = text.lstrip("\ufeff \t\r\n\x00")
    text, declared, refused = _without_doctype(stripped)
    problems += refused
    # An XML declaration is about bytes and this is text; a broken one is the commonest reason that a feed is refused.
    text = _XML_DECLARATION.sub(r"\1", text, count=1)
    if not text.startswith("<") and 0 <= (start := text.find("<")) < 4000:
        if text[:start].strip():
            problems.append("text before the feed was left out")
        text = text[start:]
    text, controls = _CONTROL.subn("", text)
    if controls:
        problems.append("control characters were left out")
    references = _References(declared, budget=len(text) + 100_000)
    text = _outside_cdata(text, _REFERENCE, references)
    declared_text = _declared_prefixes(text)
    if declared_text != text:
        problems.append("prefixes that the feed does not declare were read by their usual meaning")
    return declared_text, problems + sorted(references.problems)


def _escaped(match: re.Match[str]) -> str:
    name, attributes, inner = match[1], match[2] or "", match[3]
    if "<" not in inner or _MARKUP_TYPE.search(attributes) or f"<{name}" in inner:
        return match[0]
    parts, last = [], 0
    for cdata in _PROTECTED.finditer(inner):
        parts += [inner[last : cdata.start()].replace("<", "&lt;"), cdata[0]]
        last = cdata.end()
    parts.append(inner[last:].replace("<", "&lt;"))
    return f"<{name}{attributes}>{''.join(parts)}</{name}>"


def deep(text: str) -> tuple[str, list[str]]:
    """The text with markup that was written bare into descriptions and titles made into text. After `light`."""
    quoted = _OPEN_TAG.sub(
        lambda tag: _BARE_VALUE.sub(lambda m: f"{m[1]}{m[2]}" if m[2] else f'{m[1]}"{m[3]}"', tag[0]), text
    )
    mended = _TEXTUAL.sub(_escaped, _outside_cdata(quoted, _LOOSE_LT, "&lt;"))
    if mended == text:
        return text, []
    return mended, ["markup written bare into text, or attributes without quotes, were read as what they mean"]


def without_comments(text: str) -> str:
    """The text without its comments, closed or not."""
    return re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.S)
