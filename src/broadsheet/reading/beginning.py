"""How a reader begins: what they paste is understood line by line, or they point at a few stories, or do nothing at all."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from broadsheet import store
from broadsheet.articles.identity import canonical_url
from broadsheet.errors import InputError
from broadsheet.feed.atlas import Atlas, atlas
from broadsheet.feed.build import build_feed
from broadsheet.model import (
    ArticleId,
    Event,
    EventId,
    Follow,
    FollowKind,
    Reader,
    ReaderId,
    Story,
    StoryId,
    identify,
    named,
)
from broadsheet.reading.away import Away
from broadsheet.reading.shown import Card, Live
from broadsheet.sources.outlets import outlet_of
from broadsheet.wording import named_as
from broadsheet.wording import phrase as _

MOST_LINES, MOST_LETTERS = 200, 300
NAMED = 3  # words: fewer are a name or a subject
SHORT = 4  # words: so few are a subject where they are no headline either
ALIKE = 0.5  # of a line's words, weighed by how rare they are, that a live story must say to be what is meant
COMMON, FEW = 0.1, 5  # of the live stories: a word that more of them say, and more than a few, tells nothing
OFFERED = 12  # stories to choose from
_BULLET = re.compile(r"^\s*(?:[-*•–—>]+|\d{1,3}[.)])\s+")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_WORD = re.compile(r"\w[\w'’-]*")
_KINDS: dict[str, FollowKind] = {"person": "person", "place": "place", "organisation": "organisation"}


@dataclass(frozen=True, slots=True)
class Liked:
    """A line that a reader pasted, and what it was taken for: a follow, or a story to have more like; neither where it was
    not understood."""

    line: str
    follow: Follow | None = None
    story: Story | None = None

    @property
    def words(self) -> str:
        if self.follow:
            return _("you follow {name}", name=named_as(self.follow))
        return _("more like “{headline}”", headline=self.story.headline) if self.story else _("not understood")


def lines_of(pasted: str) -> list[str]:
    """The lines of a pasted list, without bullets and numbers, each once. Raises `InputError` for too long a list."""
    lines = [" ".join(_BULLET.sub("", line).split())[:MOST_LETTERS] for line in pasted.splitlines()]
    kept = list(dict.fromkeys(line for line in lines if line))
    if len(kept) > MOST_LINES:
        raise InputError(
            _("That list is too long: at most {most_lines} lines can be read at once.", most_lines=MOST_LINES)
        )
    return kept


class Beginning(Away):
    """The first minutes of a reader."""

    _mapped: tuple[Live, Atlas] | None = None

    def atlas(self) -> Atlas:
        """The map of what is being reported, for everybody: worked out once an edition."""
        live = self.edition()
        if self._mapped is None or self._mapped[0] is not live:
            self._mapped = live, atlas(live.edition)
        return self._mapped[1]

    def understand(self, pasted: str) -> list[Liked]:
        """What a list of titles, addresses and words is taken for, line by line."""
        live = self.edition()
        topics = {
            named(label): Follow(kind="topic", value=code, label=label)
            for code, label in live.edition.topic_labels.items()
        }
        return [self._understood(live, topics, line) for line in lines_of(pasted)]

    def _understood(self, live: Live, topics: Mapping[str, Follow], line: str) -> Liked:
        if (address := _ADDRESS.search(line)) is not None:
            return self._at(live, line, address[0].rstrip(").,;"))
        words = _WORD.findall(line)
        if (known := self._name(live, topics, line)) is not None:
            return Liked(line, follow=known)
        keyword = Liked(line, follow=Follow(kind="keyword", value=line, label=line)) if words else Liked(line)
        story, exactly = self._titled(live, line) if words else (None, False)
        if not exactly and (len(words) < NAMED or len(live.edition.saying(line))):
            return keyword
        if (story := story or self._alike(live, words)) is not None:
            return Liked(line, story=story)
        for length in range(SHORT, 0, -1):  # the longest name in it
            for first in range(len(words) - length + 1):
                some = " ".join(words[first : first + length])
                if len(some) > 2 and (known := self._name(live, topics, some)) is not None:
                    return Liked(line, follow=known)
        return keyword if len(words) <= SHORT else Liked(line)

    def _name(self, live: Live, topics: Mapping[str, Follow], written: str) -> Follow | None:
        """What live stories are about, by its name: a subject before a publisher before a person or a place."""
        edition, name = live.edition, named(written)
        if (topic := topics.get(name)) is not None:
            return topic
        for row in edition.publishers.postings(name)[0].tolist():
            if live.private.isdisjoint(edition.sources_of(edition.ids[row])):
                spelt = next(p for p in edition.rows[row].publishers if named(p) == name)
                return Follow(kind="publisher", value=spelt, label=spelt)
        if not len(edition.entities.postings(name)[0]):
            return None
        # what kind of thing a name is, and how it is written, says the latest story that has it
        story = self._open(live, edition.latest_about(name))
        entities = story.entities if story else ()
        found = next((e for e in entities if e.type in _KINDS and named(e.text) == name), None)
        return Follow(kind=_KINDS[found.type], value=found.text, label=found.text) if found else None

    def _at(self, live: Live, line: str, address: str) -> Liked:
        """An address: the story of its article where it is known here, else whoever publishes there."""
        try:
            url = canonical_url(address)
        except ValueError:
            return Liked(line)
        story_id = self.story_of(ArticleId(identify(url)))
        story = self._open(live, story_id) if story_id else None
        if story is not None:
            return Liked(line, story=story)
        outlet = outlet_of(url)
        return (
            Liked(line, follow=Follow(kind="publisher", value=outlet.name, label=outlet.name))
            if outlet
            else Liked(line)
        )

    def _open(self, live: Live, story_id: StoryId) -> Story | None:
        """The story, if everybody may see it."""
        with self.engine.connect() as db:
            story = self._stories(db, [story_id]).get(story_id)
        return story if story is not None and live.private.isdisjoint(story.sources) else None

    def _titled(self, live: Live, line: str) -> tuple[Story | None, bool]:
        """The story of an article with all these words, and whether they are its title: that one before any other."""
        with self.engine.connect() as db:
            hits = store.search.search(db, " ".join(_WORD.findall(line)), 5)
        hits.sort(key=lambda hit: named(hit.article.title) != named(line))
        for hit in hits:
            if hit.story and (story := self._open(live, hit.story)) is not None:
                return story, named(hit.article.title) == named(line)
        return None, False

    def _alike(self, live: Live, words: Sequence[str]) -> Story | None:
        """The live story that says most of these words, the rare ones counting more; None where none says two of them, and
        half of what any says."""
        edition, many = live.edition, len(live.edition)
        if not many:
            return None
        total, score, met = 0.0, np.zeros(many), np.zeros(many, np.int64)
        for word in dict.fromkeys(named(word) for word in words):
            rows = edition.saying(word)
            if len(word) < 3 or not 0 < len(rows) <= max(COMMON * many, FEW):
                continue  # what no headline says may be in any text; what many say is in none in particular
            weight = math.log((many + 1) / len(rows))
            total += weight
            score[rows] += weight
            met[rows] += 1
        best = int(score.argmax())
        if met[best] < 2 or score[best] < ALIKE * total:
            return None
        return self._open(live, edition.ids[best])

    def like(self, reader_id: str, liked: Iterable[Liked]) -> list[EventId]:
        """Follow what was understood as a name, and ask for more like what was understood as a story; gives the events."""
        now = self.now()
        events = [
            Event(reader=ReaderId(reader_id), kind="follow", at=now, follow=replace(one.follow, since=now))
            if one.follow
            else Event(reader=ReaderId(reader_id), kind="more", at=now, story=one.story.id if one.story else None)
            for one in liked
            if one.follow or one.story
        ]
        return self._record(ReaderId(reader_id), events) if events else []

    def offered(self) -> list[Card]:
        """A few live stories as unlike as can be, for a stranger to point at: the most important of each broad subject."""
        live = self.edition()
        nobody = Reader(id=ReaderId("nobody"), tuning={"exploration": 0.0, "quiet": 0.0, "diversity": 2.0})
        recipe = replace(self.recipe, length=8 * OFFERED)
        items = build_feed(nobody, live.edition, recipe, self.now(), np.random.default_rng(0)).items
        names, broad = live.edition.broad_topics
        seen: dict[str, int] = {}
        ranked = []
        for place, item in enumerate(items):
            topic = int(broad[live.edition.index[item.story]])
            name = names[topic] if topic >= 0 else ""
            ranked.append((seen.get(name, 0), place, item.story))
            seen[name] = seen.get(name, 0) + 1
        return self.cards([story for _, _, story in sorted(ranked)[:OFFERED]])
