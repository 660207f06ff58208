"""Followed searches, answered by the whole texts of live articles: asked once, then only of what came."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from broadsheet import store
from broadsheet.model import SourceId, StoryId
from broadsheet.reading.shown import Live

SEARCHES_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Answered:
    """The stories that answered, and the number of the article until which every one was asked."""

    of: object  # the hour and the private sources that it holds for
    stories: frozenset[StoryId]
    until: int


class Searches:
    """What of the live stories answers a search by the text of one of their articles, for every reader alike.

    An article of a private source answers nobody: what a search finds is shown to whoever follows it. With a new hour
    all is asked anew, for texts that changed and stories that were taken apart; within it only the articles that came.
    """

    def __init__(self, looking: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._looking = looking  # gives the connection of the page that asks, if one does: it holds no second
        self._kept: OrderedDict[str, Answered] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, live: Live, since: datetime) -> Callable[[str], Collection[StoryId]]:
        """For one edition: a function from what was typed to the stories."""
        return partial(self._answer, since, (live.hour, live.private), live.private, live.absorbed)

    def _answer(
        self,
        since: datetime,
        of: object,
        private: frozenset[SourceId],
        absorbed: Mapping[StoryId, StoryId],
        typed: str,
    ) -> Collection[StoryId]:
        with self._lock:
            before = self._kept.get(typed)
        known = before if before is not None and before.of == of else Answered(of, frozenset(), 0)
        with self._looking() as db:
            until = store.search.grouped_until(db)
            some = until > known.until or not known.until
            came = store.search.stories(db, typed, since, after=known.until, private=private) if some else set()
        found = frozenset(absorbed.get(story, story) for story in (*known.stories, *came))
        with self._lock:
            self._kept[typed] = Answered(of, found, until)
            self._kept.move_to_end(typed)
            while len(self._kept) > SEARCHES_KEPT:
                self._kept.popitem(last=False)
        return found
