"""Watch: articles that somebody read are looked at again, and what their publishers changed is kept and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from broadsheet import store
from broadsheet.errors import FetchError
from broadsheet.intake import Read
from broadsheet.jobs.ingesting import Ingest, finished
from broadsheet.jobs.rewriting import Rewritten, rewritten, save_rewritten
from broadsheet.jobs.worker import LEASE, clock, reads, writes
from broadsheet.model import Article, ArticleId, Page, Source
from broadsheet.sources.fetch import fetch_page
from broadsheet.store.rechecks import Recheck

# Between two looks: corrections come within hours as a rule, and a publisher's site is not asked for ever. The first
# look is an hour after the article was read (`reading/pages.py`).
AFTER = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=12), timedelta(days=1), timedelta(days=3))
PAGES = 16  # looked at in one batch


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks again at what was read. Killed at any point, it looks again: the same change is saved under one time."""

    ingest: Ingest

    async def run(self, now: datetime) -> int:
        """Everything that is due; gives how many articles were changed."""
        changed = 0
        while due := await writes(
            self.ingest.db,
            lambda c: store.rechecks.claim(c, now, self.ingest.worker, LEASE, PAGES, clock=clock()),
        ):
            changed += await self._batch(due, now)
        return changed

    async def _batch(self, due: Sequence[Recheck], now: datetime) -> int:
        def ask(c: Connection) -> tuple[dict[ArticleId, Article], dict[str, Source]]:
            articles = {a.id: a for a in store.articles.many(c, (r.article for r in due))}
            sources = store.sources.many(c, {a.source for a in articles.values() if a.source})
            return articles, {source.id: source for source in sources}

        articles, sources = await reads(self.ingest.db, ask)
        pages = [p for r in due if (p := await self._page(articles.get(r.article), sources, now)) is not None]
        answers = dict(zip((page.id for page in pages), await self.ingest.read(pages), strict=True))
        changes = [
            change for id_, read in answers.items() if (change := self._change(articles, sources, id_, read, now))
        ]

        def save(c: Connection) -> None:
            save_rewritten(c, changes)
            store.quotes.save(c, {change.article.id: answers[change.article.id].quotes for change in changes})
            for recheck in due:
                tries = recheck.tries + 1
                if tries >= len(AFTER) or recheck.article not in articles:
                    store.rechecks.done(c, [recheck.article])
                else:
                    store.rechecks.put_off(c, recheck.article, now + AFTER[tries], tries)

        await writes(self.ingest.db, save)
        return len(changes)

    async def _page(self, article: Article | None, sources: dict[str, Source], now: datetime) -> Page | None:
        """The article's page as it is now; None where it may not be asked for or does not answer."""
        source = sources.get(article.source) if article and article.source else None
        if article is None or not article.url.startswith(("http://", "https://")) or (source and not source.full_text):
            return None
        try:
            if not await self.ingest.may_read(article.url, now):
                return None
            return replace(await fetch_page(article.url, self.ingest.client), id=article.id)
        except FetchError:
            return None  # it is looked at again later

    @staticmethod
    def _change(
        articles: dict[ArticleId, Article], sources: dict[str, Source], id_: str, read: Read, now: datetime
    ) -> Rewritten | None:
        old = articles[ArticleId(id_)]
        if read.article is None:
            return None
        return rewritten(old, finished(read.article, sources.get(old.source or ""), None, now), now)
