"""From a page to an article with everything that reading alone tells of it: the stage that worker processes run.

It imports neither the store nor the network, so such a process holds models and little else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from broadsheet.articles.enrich import Enrichment, enrich
from broadsheet.articles.extract import Extraction, extract
from broadsheet.model import Article, Page, Quote, Rejected
from broadsheet.stories.quotes import quotes

QUOTES = 80  # of one article that are kept: an interview has more, and a story's page shows a few


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What became of one page: an article, or reasons why there is none; reasons also where its page was no use."""

    article: Article | None
    rejected: tuple[Rejected, ...] = ()
    quotes: tuple[Quote, ...] = ()  # what the article says that somebody said


def read_pages(
    pages: Sequence[Page],
    extraction: Extraction = Extraction(),  # noqa: B008
    enrichment: Enrichment = Enrichment(),  # noqa: B008
) -> list[Read]:
    """Pages to enriched articles, in their order: a stage. Where a page is no use, what the feed carried is read."""
    first = extract(pages, extraction)
    found: list[Article | None] = []
    rejected: list[tuple[Rejected, ...]] = []
    for page, result in zip(pages, first, strict=True):
        refusals: tuple[Rejected, ...] = ()
        if isinstance(result, Rejected):
            refusals = (result,)
            if page.entry is not None and (page.html or page.text):
                [result] = extract([replace(page, html="", text="", url=page.entry.url)], extraction)
                if isinstance(result, Rejected) and result != refusals[0]:
                    refusals += (result,)
        found.append(None if isinstance(result, Rejected) else result)
        rejected.append(refusals)
    enriched = iter(enrich([article for article in found if article is not None], enrichment))
    read = [None if article is None else next(enriched) for article in found]
    return [
        Read(article=article, rejected=refusals, quotes=() if article is None else quotes(article)[:QUOTES])
        for article, refusals in zip(read, rejected, strict=True)
    ]
