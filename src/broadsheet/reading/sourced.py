"""One source as its page tells it: when it publishes, how loud it is, how politely it is asked, and its latest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from broadsheet import store
from broadsheet.errors import NotFound
from broadsheet.model import Article, Reader, Source, SourceId, named
from broadsheet.reading.beginning import Beginning
from broadsheet.store.manners import Asked
from broadsheet.wording import phrase as _

WEEKS = 4  # of a source's rhythm
DAYS = 7 * WEEKS
NEWEST = 12  # articles of a source's page


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a source publishes, by the clocks of this instance's readers."""

    first: datetime  # when the first of those days began
    days: tuple[tuple[date, int], ...]  # articles on each of the last days, today the last
    week: tuple[tuple[int, ...], ...]  # articles by weekday (Monday first) and hour, over the same days

    @property
    def total(self) -> int:
        return sum(n for _, n in self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """A source as a reader may see it."""

    source: Source
    folder: str | None  # of the reader's subscription; None: they have none
    rhythm: Rhythm
    everything: int  # articles of every source in those days
    articles: tuple[Article, ...]  # the latest first
    publishers: tuple[str, ...]  # whose articles those are, the most frequent first
    asked: Asked | None
    forbidden: int  # pages left unread, as the site's robots.txt asks


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source in a list."""

    source: Source
    folder: str | None  # of the reader's subscription; None: they have none
    articles: int
    latest: datetime | None  # when its newest article appeared
    beat: tuple[int, ...]  # articles on each of the last days, today the last; empty: none


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList:
    """Sources as a reader may see them, so many at once."""

    rows: tuple[SourceRow, ...]
    total: int  # that the reader may see
    mine: int  # that the reader subscribes to
    poor: int  # that did not answer well the last time
    more: bool  # whether others come after these


def _folder_order(folder: str | None) -> tuple[int, str]:
    return (2, "") if folder is None else (0 if not folder else 1, named(folder))


def rhythm(times: Sequence[datetime], now: datetime) -> Rhythm:
    """The rhythm of articles that appeared at these times, all in the time zone of `now`."""
    days = [now.date() - timedelta(days=back) for back in range(DAYS)][::-1]
    inside = [t for t in times if days[0] <= t.date() <= days[-1]]
    of_day, of_hour = Counter(t.date() for t in inside), Counter((t.weekday(), t.hour) for t in inside)
    return Rhythm(
        first=datetime.combine(days[0], time(), now.tzinfo),
        days=tuple((day, of_day[day]) for day in days),
        week=tuple(tuple(of_hour[weekday, hour] for hour in range(24)) for weekday in range(7)),
    )


class Sourced(Beginning):
    """Sources as readers see them."""

    def sources(self, reader: Reader, query: str, start: int, most: int) -> SourceList:
        """The sources that a reader may see and whose name or address has these words: so many, from the `start`-th on.

        Theirs come first, by folder; in each those with a problem, then by title. Only those shown are counted.
        """
        wanted = named(query)
        with self.looking() as db:
            folders = store.sources.folders(db, reader.id)
            visible = [s for s in store.sources.listed(db) if not s.private or s.id in folders]
            found = [s for s in visible if wanted in named(f"{s.title} {s.url}")] if wanted else visible
            keys = {
                s.id: (*_folder_order(folders.get(s.id)), not s.problem, named(s.title or s.url), s.url) for s in found
            }
            found.sort(key=lambda s: keys[s.id])
            shown = [s.id for s in found[start : start + most]]
            sources = store.sources.many(db, shown)
            counted = store.articles.counted(db, shown)
            beats = store.articles.by_day(db, self._first_day(), DAYS, shown)
        rows = [
            SourceRow(
                source=source,
                folder=folders.get(source.id),
                articles=counted[source.id][0] if source.id in counted else 0,
                latest=counted[source.id][1] if source.id in counted else None,
                beat=tuple(beats.get(source.id, ())),
            )
            for source in sources
        ]
        return SourceList(
            rows=tuple(rows),
            total=len(visible),
            mine=len(folders),
            poor=sum(bool(s.problem) or s.gone for s in visible),
            more=len(found) > start + most,
        )

    def source_page(self, reader: Reader, source_id: str) -> SourcePage:
        """Raises `NotFound` for a source that is not here, or private and not this reader's."""
        now = self.local(self.now())
        with self.looking() as db:
            source = store.sources.get(db, SourceId(source_id))
            folders = store.sources.folders(db, reader.id)
            if source is None or (source.private and source.id not in folders):
                raise NotFound(_("There is no such source here."))
            times = store.articles.times(db, source.id, self._first_day())
            every = store.articles.by_day(db, self._first_day(), DAYS)
            articles = store.articles.latest(db, NEWEST, sources=[source.id])
            asked, forbidden = store.manners.of(db, source.id), store.manners.forbidden(db, source.id)
        return SourcePage(
            source=source,
            folder=folders.get(source.id),
            rhythm=rhythm([self.local(t) for t in times], now),
            everything=sum(map(sum, every.values())),
            articles=tuple(articles),
            publishers=tuple(name for name, _ in Counter(a.publisher for a in articles if a.publisher).most_common()),
            asked=asked,
            forbidden=forbidden,
        )

    def _first_day(self) -> datetime:
        """When the first of the last days began, here."""
        today = self.local(self.now()).replace(hour=0, minute=0, second=0, microsecond=0)
        return today - timedelta(days=DAYS - 1)
