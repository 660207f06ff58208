"""What a publisher changed of an article: decided by comparing two wordings, and saved with the earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from broadsheet import store
from broadsheet.articles.passages import sentences
from broadsheet.model import Article, Version
from broadsheet.stories.versions import compare

TORSO = 0.5  # a text of less than this part of the earlier one is a page that failed to load, or a new paywall


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """An article as its publisher changed it, and what it said before."""

    article: Article
    before: Version


def rewritten(old: Article, new: Article, now: datetime) -> Rewritten | None:
    """What `new`, read from the same address, changes of `old`; None where it is only typography, or only a torso."""
    if len(new.text) < TORSO * len(old.text):
        return None
    revision = compare(old.title, old.text, new.title, new.text, sentences)
    if revision.is_only_looks:
        return None
    article = replace(
        new,
        id=old.id,
        url=old.url,
        publisher=old.publisher,
        source=old.source,
        published=old.published,
        first_seen=old.first_seen,
        licence=old.licence or new.licence,
        updated=new.updated or now,
        copy_of=old.copy_of,
    )
    before = Version(article=old.id, replaced=now, title=old.title, text=old.text, facts=revision.facts)
    return Rewritten(article=article, before=before)


def save_rewritten(db: Connection, changes: Sequence[Rewritten]) -> None:
    """The new wordings; the old ones of what somebody read; and their stories wait to be described anew."""
    known = store.versions.was_read(db, (change.article.id for change in changes))
    store.versions.save(db, (change.before for change in changes if change.article.id in known))
    store.articles.save(db, (change.article for change in changes))
    store.stories.mark_stale(db, store.articles.stories_of(db, (c.article.id for c in changes)).values())
