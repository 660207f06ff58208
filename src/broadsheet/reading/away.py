"""What mattered since a reader was last here, in as much time as they have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from broadsheet import store
from broadsheet.feed.away import Mattered, mattered
from broadsheet.model import Article, Reader
from broadsheet.reading.pages import Pages
from broadsheet.reading.shown import Card
from broadsheet.telling import news_of, unread

VISIT = timedelta(minutes=30)  # a longer pause ends a visit
UNKNOWN = timedelta(days=1)  # how far back to look for who was never here
LONGEST = timedelta(days=60)
WORDS_A_MINUTE = 230  # silent reading of English: 238, Brysbaert (2019), Journal of Memory and Language 109
LETTERS_A_WORD = 1.5  # of Chinese and Japanese, which put no space between words; the same review: 260 words a minute
BUDGETS = (2, 5, 10, 20)  # minutes
_WORDS = re.compile(r"\w+(?:['’-]\w+)*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Missed:
    """A story that mattered, and how long what is new in it takes to read."""

    card: Card
    mattered: Mattered
    why: str
    went_on: bool  # the reader had opened it, and it went on
    reading: timedelta


@dataclass(frozen=True, slots=True)
class AwayPage:
    """What mattered since then: all of it, or what fits the reader's time."""

    since: datetime
    known: bool  # whether the reader was here before
    missed: tuple[Missed, ...]
    minutes: int | None  # the reader's time, where they said one
    rest: tuple[Missed, ...]  # what mattered too and did not fit

    @property
    def reading(self) -> timedelta:
        return sum((one.reading for one in self.missed), timedelta())


def last_visit(times: Iterable[datetime], now: datetime) -> datetime | None:
    """When the visit before this one ended: the latest time after which a pause came. `times` are the latest first."""
    edge = now
    for at in times:
        if edge - at > VISIT:
            return at
        edge = min(at, edge)
    return None


def reading_time(texts: Iterable[str]) -> timedelta:
    """How long a practised reader takes for the words of these texts."""
    words = 0.0
    for text in texts:
        signs = len(_CJK.findall(text))
        words += signs / LETTERS_A_WORD + len(_WORDS.findall(_CJK.sub(" ", text)))
    return timedelta(minutes=words / WORDS_A_MINUTE)


def fill(missed: Sequence[Missed], minutes: int) -> tuple[tuple[Missed, ...], tuple[Missed, ...]]:
    """What fits into so many minutes, in order, passing over what is too long for the rest; and what does not fit."""
    left, taken, rest = timedelta(minutes=minutes), [], []
    for one in missed:
        if one.reading <= left:
            taken.append(one)
            left -= one.reading
        else:
            rest.append(one)
    return tuple(taken), tuple(rest)


class Away(Pages):
    """What a reader missed."""

    def last_visit(self, reader: Reader) -> datetime | None:
        """When the reader was here before this visit; None for who was not."""
        with self.looking() as db:
            return last_visit(store.readers.times(db, reader.id), self.now())

    def away(self, reader_id: str, since: datetime | None = None, minutes: int | None = None) -> AwayPage:
        """The stories that mattered to the reader since then, by itself since their last visit, at most 60 days back."""
        reader, live, now = self.reader(reader_id), self.edition(), self.now()
        before = self.last_visit(reader)
        began = max(since or before or now - UNKNOWN, now - LONGEST)
        found = mattered(reader, live.edition, self.recipe, began, now)
        cards = {card.story.id: card for card in self.cards([m.item.story for m in found], reader)}
        missed = self._timed(reader, [(cards[m.item.story], m) for m in found if m.item.story in cards])
        taken, rest = fill(missed, minutes) if minutes else (tuple(missed), ())
        return AwayPage(began, before is not None, taken, minutes, rest)

    def _timed(self, reader: Reader, found: Sequence[tuple[Card, Mattered]]) -> list[Missed]:
        """Each with the time that what is new in it takes: the sentences that are news to who read it before, else the
        article that leads it."""
        known = {card.story.id for card, _ in found if card.story.id in reader.opened}
        ids = {card.lead for card, _ in found} | {
            a for card, _ in found if card.story.id in known for a in card.story.articles[-24:]
        }
        live = self.edition()
        with self.looking() as db:
            articles = self._articles(db, ids)
            read = store.versions.read_by(db, reader.id, sorted(ids))
        missed = []
        for card, one in found:
            texts = [articles[card.lead].text] if card.lead in articles else []
            if card.story.id in known:
                own: list[Article] = [articles[a] for a in card.story.articles if a in articles]
                own = [a for a in own if self._may_read(live, reader, a)]
                new = unread(own, reader.opened[card.story.id], read)
                texts = [point.text for point in news_of(own, new)]
            missed.append(
                Missed(
                    card, one, self.sentence(one.item), card.story.id in known, reading_time([card.headline, *texts])
                )
            )
        return missed
