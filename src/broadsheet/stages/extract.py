"""The filter `extract`: pages in (`id`, `url`, `html` or `text`), articles out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from broadsheet.articles.extract import Extraction, extract
from broadsheet.articles.language import language_of
from broadsheet.model import Article, Page, Rejected
from broadsheet.stages import Line, rejected

_BATCH = 16


def _written(article: Article) -> Line:
    return {
        "url": article.url,
        "title": article.title,
        "text": article.text,
        "key_points": list(article.key_points),
        "authors": list(article.authors),
        "published": article.published.isoformat() if article.published else None,
        "image": article.image,
        "captions": list(article.captions),
        "language": language_of(article.text) or article.language,
        "section": article.section,
        "confidence": article.confidence,
    }


def _page(line: Line) -> Page:
    def string(name: str) -> str:
        value = line.get(name)
        return value if isinstance(value, str) else ""

    return Page(id=str(line["id"]), url=string("url"), html=string("html"), text=string("text"))


def run(lines: Iterable[Line], **options: Any) -> Iterator[Line]:
    """One article for each page, in order; what the line carried besides `html` and `text` stays."""
    rules = Extraction(reading_html=False)
    source = iter(lines)
    while batch := list(islice(source, _BATCH)):
        for line, made in zip(batch, extract([_page(line) for line in batch], rules), strict=True):
            if isinstance(made, Rejected):
                yield rejected("extract", line["id"], made.reason)
                continue
            rest = {name: value for name, value in line.items() if name not in ("html", "text")}
            yield rest | _written(made) | {"url": line.get("url") or made.url}
