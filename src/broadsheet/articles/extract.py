"""Clean articles out of pages: full text, title, key points, byline, times, captions apart; nothing of what surrounds them.

A page goes through five steps: what it says of itself is read (`metadata`), its figures and furniture are taken out
(`furniture`), trafilatura finds the text, its blocks are judged line by line, and where the result is thin other
sources of the same text are tried (the whole tree again, the JSON-LD body, the feed's own content). Pasted text takes
the way of `pasted`. What is no article comes back as `Rejected` and says why.
"""

from __future__ import annotations

import copy
import html as entities
import logging
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import trafilatura
from lxml import etree
from lxml import html as lxml_html
from lxml.etree import _Element

from broadsheet.articles import pasted
from broadsheet.articles.furniture import (
    ends_article,
    is_byline,
    is_credit,
    is_dateline,
    is_furniture,
    is_promotion,
    is_sentence,
    key_of,
    link_share,
    prune,
    take_captions,
    text_of,
    word_count,
)
from broadsheet.articles.identity import canonical_url
from broadsheet.articles.metadata import About, about, title_without_site
from broadsheet.articles.sanitise import sanitise
from broadsheet.model import Article, ArticleId, Entry, Page, Rejected, identify

__all__ = ["Extraction", "extract", "needs_page"]

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # it logs each page that holds no text as an error
logging.getLogger("htmldate").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What extraction may spend on a page, and what is enough to be an article."""

    max_html: int = 4_000_000  # characters read of one page; the largest of 793 real ones has 1.8 million
    max_text: int = 400_000  # characters read of pasted text: a book's worth
    max_elements: int = 40_000  # elements read of one page
    min_chars: int = 100  # of text, to be an article
    enough_words: int = 180  # words in a feed's own content that make asking for the page needless
    reading_html: bool = True  # also make the sanitised HTML of the reading view


# --- from page to tree -------------------------------------------------------------------------------------------

_OPENING = re.compile(r"<!--|<(script|style|svg)\b([^<>]{0,2000})>", re.IGNORECASE)
_CLOSING = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "svg")}


def _stripped(html: str) -> str:
    """The page without comments, styles, drawings and scripts (but its data). One pass: what never closes stays."""
    parts: list[str] = []
    open_ended: set[str] = set()
    kept = place = 0
    while (match := _OPENING.search(html, place)) is not None:
        place = match.end()
        name = (match[1] or "").lower()
        if name in open_ended or (name == "script" and "ld+json" in match[2].lower()):
            continue
        if name:
            closing = _CLOSING[name].search(html, place)
            end = closing.end() if closing else -1
        else:
            found = html.find("-->", match.start() + 2)
            end = found + 3 if found >= 0 else -1
        if end < 0:
            open_ended.add(name)
            continue
        parts.append(html[kept : match.start()])
        kept = place = end
    parts.append(html[kept:])
    return " ".join(parts)


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # no XML tree holds them
_BREAKS = re.compile(r"(?:<br\s{0,9}/?>\s{0,99}){3,}", re.IGNORECASE)
_LONGEST_TEXT = 100_000  # characters without an element among them: trafilatura did not end in 15 s on 4 million


def _cut(html: str, rules: Extraction) -> str:
    """The page as far as it may be read. (Nesting needs no limit of ours: libxml2 stops at 256.)"""
    html = _CONTROLS.sub("", html[: rules.max_html])
    html = _BREAKS.sub("<br><br>", _stripped(html))
    if html.count("<") <= 2 * rules.max_elements:
        return html
    marks = (match.start() for match in re.finditer("<", html))
    return html[: next(islice(marks, 2 * rules.max_elements, None))]


def _parse(html: str, rules: Extraction) -> _Element | None:
    """The tree of a page, None where there is no element in it."""
    html = _cut(html, rules)
    if not html.strip():
        return None
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, recover=True)
    try:
        tree = lxml_html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    for element in tree.iter():
        if element.text and len(element.text) > _LONGEST_TEXT:
            element.text = element.text[:_LONGEST_TEXT]
        if element.tail and len(element.tail) > _LONGEST_TEXT:
            element.tail = element.tail[:_LONGEST_TEXT]
    return tree


# --- from tree to blocks -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    kind: str  # p, head, item, quote, row, code


_BLOCKS = frozenset({"p", "head", "item", "quote", "code", "row", "list", "table", "div", "fw", "ab"})


_HOLDERS = frozenset({"list", "table", "body", "div"})


def _own_text(element: _Element) -> str:
    """The text of a block without that of the blocks inside it; line breaks stay."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == "lb":
            parts.append("\n")
        elif child.tag not in _BLOCKS and isinstance(child.tag, str):
            parts.append(_own_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _blocks(elements: Iterable[_Element]) -> Iterator[_Block]:
    for child in elements:
        tag = child.tag
        if tag == "row":
            cells = [" ".join("".join(cell.itertext()).split()) for cell in child]
            if any(cells):
                yield _Block(" | ".join(cell for cell in cells if cell), "row")
            continue
        if tag in _HOLDERS:
            if child.text and child.text.strip():
                yield _Block(" ".join(child.text.split()), "p")
            yield from _blocks(child)
        elif tag == "code":
            text = "".join(child.itertext()).strip("\n")
            if text.strip():
                yield _Block(text, "code")
        elif isinstance(tag, str):
            for line in _own_text(child).split("\n"):
                if line := " ".join(line.split()):
                    yield _Block(line, tag if tag in ("head", "item", "quote") else "p")
            yield from _blocks(_blocks_inside(child))
        if child.tail and child.tail.strip() and (parent := child.getparent()) is not None and parent.tag in _HOLDERS:
            yield _Block(" ".join(child.tail.split()), "p")


def _blocks_inside(element: _Element) -> Iterator[_Element]:
    """The blocks that stand inside a block (a list in an item, paragraphs in a quote). What follows them is its own text."""
    for child in element:
        if child.tag in _BLOCKS:
            yield child
        elif isinstance(child.tag, str) and len(child):
            yield from _blocks_inside(child)


def _found(tree: _Element, **options: bool) -> list[_Block]:
    """What trafilatura finds; nothing where it fails on the page."""
    try:
        document = trafilatura.bare_extraction(tree, include_comments=False, include_formatting=False, **options)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError, etree.LxmlError):
        return []
    if document is None or document.body is None:
        return []
    return list(_blocks(document.body))


# --- judging blocks ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Around:
    """What the page says beside its text, to know it by: its title and authors, captions, and what its links read."""

    title: str = ""
    authors: Sequence[str] = ()
    captions: Sequence[str] = ()
    links: frozenset[str] = frozenset()


_HEAD_WORDS = 60  # what tells of the article stands within this many words of its beginning


def _judged(blocks: Sequence[_Block], around: _Around) -> list[_Block]:
    """The blocks without furniture: known lines, repeats, the title again, bylines, links, what follows "Related stories"."""
    title_key = key_of(around.title)
    caption_keys = {key_of(caption) for caption in around.captions}
    total = sum(word_count(b.text) for b in blocks) or 1
    kept: list[_Block] = []
    seen: set[str] = set()
    said = 0
    for n, block in enumerate(blocks):
        text = block.text
        key = key_of(text)
        if not key and block.kind != "code":
            continue
        if key == title_key and said < 40:
            continue
        if block.kind in ("head", "p", "item") and said >= 0.6 * total and ends_article(text):
            rest = blocks[n + 1 :]
            if not any(b.kind in ("p", "quote") and word_count(b.text) >= 25 and is_sentence(b.text) for b in rest):
                break
        if block.kind != "code" and (is_furniture(text) or is_credit(text)):
            continue
        words = word_count(text)
        if key in caption_keys or (key in seen and words >= 12 and block.kind in ("p", "quote")):
            continue
        if (said < _HEAD_WORDS or said > 0.9 * total) and (is_dateline(text) or is_byline(text, around.authors)):
            continue
        if block.kind == "p" and key in around.links and words >= 5 and text[0].isupper() and not is_sentence(text):
            continue  # a paragraph that is one link leads to another page
        seen.add(key)
        said += words
        kept.append(block)
    return _without_tail(kept, around)


def _without_tail(kept: list[_Block], around: _Around) -> list[_Block]:
    """The blocks without what their page asks and offers after the last of them that is the article's."""
    total = _words_of(kept)
    said = 0
    for n, block in enumerate(kept):
        # two links or more, near the end, with what tells of each: other articles
        if said > 0.75 * total and key_of(block.text) in around.links and word_count(block.text) >= 4:
            tail = [b for b in kept[n:] if key_of(b.text) in around.links]
            if len(tail) > 1 and 3 * sum(map(len, (b.text for b in tail))) > sum(len(b.text) for b in kept[n:]):
                kept = kept[:n]
                break
        said += word_count(block.text)
    while len(kept) > 3:
        text = kept[-1].text
        is_link = key_of(text) in around.links and not is_sentence(text)
        if not (is_link or kept[-1].kind == "head" or is_promotion(text)):
            break
        kept.pop()
    return kept


_LEAVES = frozenset({"p", "h2", "h3", "h4", "h5", "h6", "li", "blockquote", "pre", "dd", "dt"})


def _filled(tree: _Element, blocks: Sequence[_Block]) -> list[_Block]:
    """The blocks with the paragraphs that stand among them in the page and were passed over.

    They are taken only inside the smallest element that holds nearly all that was found, only where they read as
    prose, and a heading only with the prose under it.
    """
    place = {key_of(b.text): n for n, b in reversed(list(enumerate(blocks)))}
    leaves: list[tuple[_Element, str]] = []
    weight: dict[_Element, int] = {}
    total = 0
    for element in tree.iter(*_LEAVES):
        if any(child.tag in _LEAVES for child in element):
            continue
        text = text_of(element)
        leaves.append((element, text))
        if key_of(text) in place:
            words = word_count(text)
            total += words
            for above in element.iterancestors():
                weight[above] = weight.get(above, 0) + words
    if total < 0.5 * _words_of(blocks):
        return list(blocks)  # found by other means than these elements: nothing to go by
    holder = tree
    while (inner := next((child for child in holder if weight.get(child, 0) >= 0.9 * total), None)) is not None:
        holder = inner
    inside = set(holder.iter(*_LEAVES))
    known = "".join(key_of(b.text) for b in blocks)
    result: list[_Block] = []
    done = 0  # blocks before this one are in the result
    heading: _Block | None = None
    added = 0
    for element, text in leaves:
        if element not in inside:
            continue
        key = key_of(text)
        if key in place and place[key] >= done:
            result.extend(blocks[done : place[key] + 1])
            done = place[key] + 1
            heading = None
        elif text and key[:60] not in known and key[-60:] not in known:
            if element.tag in _HEADINGS:
                heading = _Block(text, "head")
            elif word_count(text) >= 12 and is_sentence(text) and link_share(element) < 0.3:
                known += key
                if heading is not None:
                    result.append(heading)
                    heading = None
                result.append(_Block(text, "item" if element.tag == "li" else "p"))
                added += 1
    if not added:
        return list(blocks)
    result.extend(blocks[done:])
    return result


_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})


def _words_of(blocks: Sequence[_Block]) -> int:
    return sum(word_count(b.text) for b in blocks)


def _text(blocks: Sequence[_Block]) -> str:
    return "\n\n".join(b.text for b in blocks)


# --- key points --------------------------------------------------------------------------------------------------

_POINTS_NAME = re.compile(
    r"(?:^|[-_\s])(?:key-?(?:points?|takeaways?|facts)|takeaways?|highlights?|tl-?dr|article-?summary|story-?summary|summary|summary-?list|bullets?|bullet-?points|at-?a-?glance|in-?brief|story-?highlights|essentials)(?:$|[-_\s])",
    re.IGNORECASE,
)
_POINTS_HEADING = re.compile(r"(?:the )?(?:key (?:points?|takeaways?|facts|highlights|developments)|takeaways|highlights|story highlights|at a glance|in (?:brief|short)|tl;?dr|summary|article summary|the essentials|quick (?:read|summary))\s?:?", re.IGNORECASE)  # fmt: skip
_STANDFIRST_NAME = re.compile(
    r"(?:^|[-_\s])(?:standfirst|stand-first|dek|deck|sub-?head(?:line|ing)?|sub-?title|strapline|article-?(?:dek|lead|lede|intro|subtitle|summary|description|subheadline|standfirst)|entry-?subtitle|post-?(?:subtitle|excerpt|intro)|lede|abstract|sapo|chapo|teaser-?text)(?:$|[-_\s])",
    re.IGNORECASE,
)


def _items(element: _Element) -> tuple[str, ...]:
    items = [text_of(item) for item in element.iter("li")]
    items = [i for i in items if 4 <= word_count(i) <= 70 and not is_furniture(i)]
    linked = sum(len(text_of(a)) for a in element.iter("a"))
    return tuple(dict.fromkeys(items)) if 1 <= len(items) <= 10 and linked < 0.6 * sum(map(len, items)) else ()


def _key_points(tree: _Element, title: str) -> tuple[str, ...]:
    """The page's own summary: its bullets, else its standfirst. Never made up: empty where the page has none."""
    for element in tree.iter("div", "section", "aside", "ul"):
        names = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('data-testid') or ''}"
        if (
            len(names) > 2
            and _POINTS_NAME.search(names)
            and len(text_of(element)) < 3000
            and (items := _items(element))
        ):
            return items
    for element in tree.iter("h2", "h3", "h4", "h5", "strong", "p"):
        if len(element) > 2 or not _POINTS_HEADING.fullmatch(text_of(element)[:40]):
            continue
        holder = element if element.tag != "strong" else element.getparent()
        following: _Element | None = holder.getnext() if holder is not None else None
        for _ in range(2):
            if following is None:
                break
            if following.tag in ("ul", "ol", "div", "section") and (items := _items(following)):
                return items
            following = following.getnext()
    heading = next((h for h in tree.iter("h1") if text_of(h)), None)
    if heading is not None:
        for number, element in enumerate(heading.itersiblings()):
            if number > 4 or element.tag == "p":
                break
            if element.tag == "ul" and len(items := _items(element)) >= 2 and not list(element.iter("a")):
                return items
    title_key = key_of(title)
    for element in tree.iter("p", "div", "h2", "h3", "span"):
        names = f"{element.get('class') or ''} {element.get('data-testid') or ''} {element.get('itemprop') or ''}"
        if len(names) > 3 and _STANDFIRST_NAME.search(names):
            text = text_of(element)
            if 7 <= word_count(text) <= 80 and key_of(text) != title_key and not is_furniture(text):
                return (text,)
    return ()


# --- the reading view --------------------------------------------------------------------------------------------

_READ = frozenset({"p", "h2", "h3", "h4", "h5", "h6", "li", "blockquote", "pre", "tr", "div", "td", "dd", "dt"})
_AROUND = frozenset({"header", "nav", "footer", "aside"})
_SHOW = {"head": "h3", "item": "li", "quote": "blockquote", "code": "pre"}


def _reading_html(tree: _Element, blocks: Sequence[_Block], base_url: str) -> str:
    """The blocks as HTML, each in the page's own markup (links, emphasis) where the tree has it, figures between them."""
    wanted = {key_of(b.text) for b in blocks}
    own: dict[str, _Element] = {}
    pictures: dict[str, list[str]] = {}
    waiting: list[str] = []
    for element in tree.iter():
        if element.tag == "img":
            source = element.get("data-src") or element.get("src") or ""
            if source.startswith("data:") or not source:
                source = element.get("data-original") or element.get("data-lazy-src") or ""
            if source and len(waiting) < 6 and not any(a.tag in _AROUND for a in element.iterancestors()):
                size = "".join(
                    f' {side}="{entities.escape(element.get(side) or "")}"'
                    for side in ("width", "height")
                    if element.get(side)
                )
                waiting.append(
                    f'<figure><img src="{entities.escape(source)}" alt="{entities.escape(element.get("alt") or "")}"{size}></figure>'
                )
        elif element.tag in _READ:
            if len(element) > 60 or any(child.tag in _READ for child in element):
                continue
            key = key_of("".join(element.itertext()))
            if key in wanted and key not in own:
                own[key] = element
                pictures[key], waiting = waiting[-2:], []
    first = True
    parts: list[str] = []
    listing = False
    for block in blocks:
        key = key_of(block.text)
        shown = own.get(key)
        tag = _SHOW.get(block.kind, "p")
        if shown is not None and shown.tag in ("h2", "h3", "h4", "li", "blockquote", "pre"):
            tag = shown.tag
        inner = _inner(shown) if shown is not None else entities.escape(block.text)
        if (tag == "li") != listing:
            parts.append("<ul>" if tag == "li" else "</ul>")
            listing = tag == "li"
        if not first and not listing:
            parts.extend(pictures.get(key, ()))
        first = False
        parts.append(f"<{tag}>{inner}</{tag}>")
    if listing:
        parts.append("</ul>")
    return sanitise("\n".join(parts), base_url)


def _inner(element: _Element) -> str:
    return entities.escape(element.text or "") + "".join(
        etree.tostring(child, encoding="unicode", method="html") for child in element
    )


# --- what is no article ------------------------------------------------------------------------------------------

_ERROR_TITLE = re.compile(
    r"\b(?:404|403|500|502|503)\b.{0,30}(?:error|not found|forbidden|unavailable)|^(?:error )?(?:404|403|500|502|503)\b|(?:page|file|article|content) (?:was )?(?:not found|can(?:'|no)t be found|(?:is )?(?:not|no longer) available)|^not found$|^access denied|^forbidden$|"
    r"^just a moment|attention required|are you (?:a )?(?:human|robot)|verify you are|captcha|^error$|service unavailable|^robot check|^page non trouvée|^seite nicht gefunden|^página no encontrada",
    re.IGNORECASE,
)
_ROBOT_TEXT = re.compile(r"(?:verify(?:ing)? (?:that )?you are (?:a )?human|enable javascript and cookies to continue|unusual traffic|complete the captcha|please enable (?:javascript|cookies)|checking your browser|you have been blocked|request (?:was )?blocked)", re.IGNORECASE)  # fmt: skip
_COOKIE_TEXT = re.compile(r"(?:we (?:and our (?:\d+ )?partners )?(?:use|store|value)\b.{0,80}\b(?:cookies|privacy|personal data)|accept all cookies|manage (?:your )?(?:cookie|privacy|consent)|consent (?:to|choices)|your privacy choices|before you continue)", re.IGNORECASE)  # fmt: skip
_PAYWALL_TEXT = re.compile(
    r"(?:(?:subscribe|sign up|log in|sign in|register|become a (?:member|subscriber))\b.{0,60}\b(?:to (?:continue|read|access|unlock|keep reading)|for (?:full|unlimited) access)|"
    r"(?:this|the) (?:article|story|content|post|page) is (?:for|only|reserved|exclusive|available (?:only )?(?:to|for))\b.{0,40}\b(?:subscribers?|members?)|already a (?:subscriber|member)|subscriber[- ]only|premium (?:article|content)|"
    r"continue reading (?:with|by|your article)|unlock (?:this|the) (?:article|story)|you(?:'|’)ve (?:read|reached) (?:your|all)|free articles? (?:left|remaining)|(?:continue|to) reading.{0,40}subscri|réservé aux abonnés|nur für abonnenten|para suscriptores)",
    re.IGNORECASE,
)


def _not_an_article(tree: _Element, text: str, said: About, rules: Extraction) -> str:
    """Why the page holds no article; empty where it does."""
    words = word_count(text)
    if words >= 260:
        return ""
    heading = next((text_of(h) for h in tree.iter("h1")), "")
    element = next(tree.iter("title"), None)
    titles = (text_of(element) if element is not None else "", heading)
    if any(_ERROR_TITLE.search(t) for t in titles) and words < 200 and "Article" not in said.kind:
        return "an error page, not an article"
    page = text_of(tree)[:20_000]
    if words < 120 and _ROBOT_TEXT.search(page[:4000]):
        return "the site asked for a person or a browser instead of giving the article"
    if words < 120 and _COOKIE_TEXT.search(text or page[:3000]) and (not text or len(_COOKIE_TEXT.findall(text)) >= 1):
        return "a cookie wall: only the request for consent could be read"
    if words < 35 and (not said.free or _PAYWALL_TEXT.search(page)):
        return "a paywall stub: the page shows only the beginning to those who do not subscribe"
    if not text:
        return "no text was found on the page"
    if len(text) < rules.min_chars:
        return f"only {len(text)} characters of text"
    return ""


# --- confidence --------------------------------------------------------------------------------------------------


def _confidence(blocks: Sequence[_Block], said: About, raw_words: int, page_words: int, prose_words: int) -> float:
    """How sure it is that the text is the whole article and nothing else, on the scale of word F1 (see 0004)."""
    words = _words_of(blocks)
    if not words:
        return 0.0
    sentences = sum(word_count(b.text) for b in blocks if is_sentence(b.text)) / words
    share = words / max(page_words, words)
    prose = min(words, prose_words) / max(words, prose_words, 1)
    article = 1.0 if "Article" in said.kind or said.kind in ("BlogPosting", "article") else 0.0
    score = -0.6 + 0.9 * sentences + 0.5 * share + 1.6 * prose + 0.25 * article + 0.25 * min(math.log10(words + 1), 3.5)
    return round(1 / (1 + math.exp(-score)), 3)


# --- the three kinds of page -------------------------------------------------------------------------------------


def _from_html(page: Page, rules: Extraction) -> Article | Rejected:
    tree = _parse(page.html, rules)
    if tree is None:
        return Rejected(stage="extract", subject=page.url or page.id, reason="the page is empty")
    # held so that lxml makes each element's object once, not again for each walk
    held = list(tree.iter())
    said = about(tree, page.url, page.html[: rules.max_html])
    points = _key_points(tree, said.title)
    page_words = len(" ".join(tree.itertext()).split())
    cleaned = copy.deepcopy(tree)
    held += cleaned.iter()
    captions = take_captions(cleaned)
    prune(cleaned)
    prose_words = sum(n for p in cleaned.iter("p") if (n := word_count(text_of(p))) >= 12)
    raw = _found(cleaned)
    links = frozenset(key_of(text_of(link)) for link in cleaned.iter("a"))
    around = _Around(said.title, said.authors, captions, links)
    blocks = _judged(_filled(cleaned, raw), around)
    blocks, source = _mended(blocks, cleaned, tree, said, around, page)
    text = _text(blocks)
    if why := _not_an_article(tree, text, said, rules):
        if page.entry is not None and not isinstance(article := _from_entry(page, page.entry, rules, said), Rejected):
            return article
        return Rejected(stage="extract", subject=page.url or page.id, reason=why)
    confidence = _confidence(blocks, said, _words_of(raw), page_words, prose_words)
    reading = _reading_html(source, blocks, page.url) if rules.reading_html else ""
    return _article(page, said, text, points, captions, confidence, reading)


def _mended(
    blocks: list[_Block], source: _Element, tree: _Element, said: About, around: _Around, page: Page
) -> tuple[list[_Block], _Element]:
    """The same text from elsewhere where what was found is thin: the whole tree, the JSON-LD body, the feed's content."""
    words = _words_of(blocks)
    if words < 60:
        whole = _judged(_found(tree, favor_recall=True), around)
        if _words_of(whole) > 1.5 * words + 20:
            blocks, source, words = whole, tree, _words_of(whole)
    if said.body:
        body = _paragraphs_of(said.body)
        # trafilatura falls back on this body too, but gives it as one block
        if _words_of(body) > 1.4 * words + 30 or len(blocks) == 1 < len(body):
            blocks, words = _judged(body, around), _words_of(body)
    entry = page.entry
    if entry is not None and len(entry.content) > 200:
        fed = _judged(_from_fragment(entry.content), around)
        if _words_of(fed) > 1.6 * words + 30:
            blocks = fed
    return blocks, source


def _paragraphs_of(body: str) -> list[_Block]:
    """The paragraphs of a JSON-LD body, which may be HTML, plain text, or HTML escaped twice."""
    text = entities.unescape(body)
    if re.search(r"<(?:p|br|div|li)\b", text, re.IGNORECASE):
        return _from_fragment(text)
    return [
        _Block(line, "p")
        for raw in re.split(r"\n+", text)
        if (line := " ".join(re.sub(r"<[^<>]{1,200}>", " ", raw).split()))
    ]


_FRAGMENT_BLOCKS = frozenset({"p", "div", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "tr", "section", "article", "ul", "ol", "table", "tbody", "td", "th", "figure", "dl", "dt", "dd", "body"})  # fmt: skip


def _from_fragment(html: str) -> list[_Block]:
    """The blocks of a piece of HTML that is all article: a feed's content. Figures' captions and scripts are left out."""
    tree = _parse(f"<div>{html}</div>", Extraction())
    if tree is None:
        return []
    for element in list(tree.iter("figcaption", "script", "style", "noscript", "iframe", "form", "button", "svg")):
        if (parent := element.getparent()) is not None:
            element.tail, tail = None, element.tail
            previous = element.getprevious()
            if tail and previous is not None:
                previous.tail = (previous.tail or "") + tail
            elif tail:
                parent.text = (parent.text or "") + tail
            parent.remove(element)
    blocks: list[_Block] = []
    current: list[str] = []
    kinds = {"li": "item", "blockquote": "quote", "pre": "code", "tr": "row"} | {f"h{n}": "head" for n in range(1, 7)}

    def close(kind: str) -> None:
        for line in "".join(current).split("\n\n"):
            if text := " ".join(line.split()):
                blocks.append(_Block(text, kind))
        current.clear()

    # by hand, not by recursion: depth is the sender's to choose
    stack: list[tuple[_Element, bool]] = [(tree, False)]
    while stack:
        element, leaving = stack.pop()
        is_block = element.tag in _FRAGMENT_BLOCKS
        if leaving:
            if is_block:
                close(kinds.get(str(element.tag), "p"))
            current.append(element.tail or "")
            continue
        if is_block:
            close("p")
        if element.tag == "br":
            following = element.getnext()
            current.append("\n\n" if following is not None and following.tag == "br" else "\n")
        elif isinstance(element.tag, str) and element.tag not in ("head", "title"):
            current.append(element.text or "")
        stack.append((element, True))
        if isinstance(element.tag, str) and element.tag not in ("head", "title"):
            stack.extend((child, False) for child in reversed(element))
    close("p")
    return blocks


def _from_entry(page: Page, entry: Entry, rules: Extraction, said: About | None = None) -> Article | Rejected:
    """The article that a feed carries itself: its content, else its summary, which is no whole article."""
    said = said or About()
    around = _Around(entry.title or said.title, said.authors or entry.authors)
    content = _judged(_from_fragment(entry.content), around) if entry.content else []
    summary = _judged(_from_fragment(entry.summary), around) if entry.summary else []
    full = _words_of(content) >= _words_of(summary)
    blocks = content if full else summary
    text = _text(blocks)
    words = _words_of(blocks)
    if not words and not around.title:
        return Rejected(stage="extract", subject=entry.url or page.id, reason="the entry has neither a title nor text")
    if full and words >= rules.enough_words:
        confidence = 0.85
    elif words:
        confidence = round(min(0.5, 0.15 + words / 500), 3)
    else:
        confidence = 0.05  # a headline alone is still news
    reading = sanitise(entry.content if full else entry.summary, entry.url or page.url) if rules.reading_html else ""
    return _article(page, said, text, (), (), confidence, reading)


def _from_text(page: Page, rules: Extraction) -> Article | Rejected:
    read = pasted.read(page.text[: rules.max_text])
    text = "\n\n".join(read.paragraphs)
    if not text:
        return Rejected(
            stage="extract", subject=page.url or page.id, reason="no paragraph was found in the pasted text"
        )
    if len(text) < rules.min_chars:
        return Rejected(stage="extract", subject=page.url or page.id, reason=f"only {len(text)} characters of text")
    said = About(
        title=read.title, authors=read.authors, published=read.published, updated=read.updated, section=read.section
    )
    kept = sum(word_count(p) for p in read.paragraphs)
    lost = sum(word_count(d) for d in read.dropped)
    confidence = round(0.55 + 0.4 * kept / (kept + 2 * lost + 1) - (0.15 if not read.title else 0.0), 3)
    reading = "".join(f"<p>{entities.escape(p)}</p>\n" for p in read.paragraphs).strip() if rules.reading_html else ""
    return _article(page, said, text, read.key_points, read.captions, confidence, reading)


def _article(
    page: Page, said: About, text: str, points: Sequence[str], captions: Sequence[str], confidence: float, reading: str
) -> Article:
    """All that is known, the page's word before the feed's for its text, the feed's where the page is silent."""
    entry = page.entry
    canonical = said.canonical if said.canonical and _same_site(said.canonical, page.url) else ""
    url = canonical_url(canonical or page.url or (entry.url if entry else ""))
    publisher = said.publisher or (entry.publisher if entry else "")
    title = said.title or (title_without_site(entry.title, publisher) if entry else "")
    return Article(
        id=ArticleId(identify(url or page.id)),
        url=url,
        title=title,
        text=text,
        publisher=publisher,
        source=entry.source if entry else None,
        key_points=tuple(points),
        authors=said.authors or (entry.authors if entry else ()),
        published=(entry.published if entry and entry.published else None) or said.published,
        updated=said.updated or (entry.updated if entry else None),
        image=said.image or (entry.image if entry else ""),
        captions=tuple(captions),
        section=said.section,
        language=said.language or (entry.language if entry else ""),
        html=reading,
        confidence=confidence,
        tags=said.tags or (entry.tags if entry else ()),
    )


_PATH = re.compile(r"https?://([^/?#]+)(/[^?#]*)?", re.IGNORECASE)


def _same_site(canonical: str, url: str) -> bool:
    """May the page name that address as its own? Not the front page, and not another site's."""
    theirs, ours = _PATH.match(canonical), _PATH.match(url)
    if theirs is None:
        return False
    if (theirs[2] or "/") == "/" and ours is not None and (ours[2] or "/") != "/":
        return False
    if ours is None:
        return True
    # the registered name: three labels where the last two are short, as in bbc.co.uk
    ends = [host.lower().split(".")[-2:] for host in (theirs[1], ours[1])]
    if len("".join(ends[0])) <= 6:
        ends = [host.lower().split(".")[-3:] for host in (theirs[1], ours[1])]
    return ends[0] == ends[1]


def extract(pages: Sequence[Page], rules: Extraction = Extraction()) -> list[Article | Rejected]:
    """An article for each page, or why there is none, in the order of the pages."""
    return [_one(page, rules) for page in pages]


def _one(page: Page, rules: Extraction) -> Article | Rejected:
    if page.html.strip():
        return _from_html(page, rules)
    if page.text.strip():
        return _from_text(page, rules)
    if page.entry is not None:
        return _from_entry(page, page.entry, rules)
    return Rejected(stage="extract", subject=page.url or page.id, reason="there is neither a page nor text")


def needs_page(entry: Entry, rules: Extraction = Extraction()) -> bool:
    """Does the feed carry too little of the article, so that its page is worth asking for?"""
    if not entry.url.startswith(("http://", "https://")):
        return False
    carried = max(entry.content, entry.summary, key=len)
    if len(carried) < 4 * rules.enough_words:
        return True
    blocks = _from_fragment(carried)
    if _words_of(blocks) < rules.enough_words:
        return True
    last = blocks[-1].text
    return (
        last.endswith(("…", "...", "[…]", "[...]"))
        or re.search(r"(?:read more|continue reading|weiterlesen|lire la suite)\W*$", last, re.IGNORECASE) is not None
    )
