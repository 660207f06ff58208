"""A story day by day: for each day the one sentence, quoted, that says most of what was reported on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from broadsheet.model import Article, Moment, Passage
from broadsheet.stories.sentences import Sentences, central

MOST_DAYS = 30
READ_A_DAY = 12  # articles of one day that are read for its sentence


def timeline(articles: Sequence[Article], passages: Sentences) -> tuple[Moment, ...]:
    """One moment a day, oldest first. A day whose articles have no sentences quotes a title."""
    days: defaultdict[datetime, list[Article]] = defaultdict(list)
    for article in articles:
        if article.time is not None:
            at = article.time.astimezone(UTC)
            days[at.replace(hour=0, minute=0, second=0, microsecond=0)].append(article)
    moments: list[Moment] = []
    said: set[str] = set()
    for day in sorted(days)[-MOST_DAYS:]:
        own = [a for a in days[day] if a.copy_of is None] or days[day]
        read = own[:READ_A_DAY]
        found: list[Passage] = [p for p in central(read, passages, most=4) if p.text.casefold() not in said]
        if found:
            moments.append(Moment(date=day, sentence=found[0].text, article=found[0].article))
            said.add(found[0].text.casefold())
        elif titled := [a for a in read if a.title and a.title.casefold() not in said]:
            moments.append(Moment(date=day, sentence=titled[0].title, article=titled[0].id))
            said.add(titled[0].title.casefold())
    return tuple(moments)
