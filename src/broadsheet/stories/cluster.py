"""Which story does an article belong to: decided once, as it arrives, and corrected only by joining stories.

An article is compared with the stories of those that share its rarest words, each story as one sketch: the mean of its
articles. A learned probability (`pairs.py`) decides, so that one chance resemblance to a member never joins two events.
When an article belongs to two stories and the stories agree with each other too, they are joined and the older id
survives.

Articles come in batches, for what one costs alone is mostly the calls into numpy. What hangs on no decision is worked out
for some dozens at once, and what will probably be asked about each is asked for all of them together, as things stand. Then
each is decided about in its turn: what an earlier one changed has another key (`ranking.Key`), is not known, and is found out
then. So it never matters how many come together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import xxhash

from broadsheet.model import Article, ArticleId, Regrouping, StoryId, identify
from broadsheet.stories import pairs
from broadsheet.stories.ranking import Asked, Ranked, Ranking
from broadsheet.stories.regrouping import begun_by
from broadsheet.stories.rules import Grouping
from broadsheet.stories.said import Said

__all__ = ["Assignment", "Grouping", "OpenStories", "Settled", "group", "made_of"]

AT_ONCE = 48  # articles about which is asked at once: of more, more have to be asked about again


# Of articles, the stories that they are in, and whether each was decided again before: the number of the first article of
# each one's new story.
Regroup = Callable[[Sequence[Article], Sequence[StoryId], Sequence[bool]], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Where an article went, and what that changed."""

    article: ArticleId
    story: StoryId
    is_new: bool  # the story began with this article
    merged: tuple[StoryId, ...] = ()  # stories that turned out to be this one: their articles are now its articles
    copy_of: ArticleId | None = None  # the earlier article whose text this one repeats
    score: float = 0.0  # the probability by which it joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What deciding again changed."""

    moved: Mapping[ArticleId, tuple[StoryId, StoryId]] = field(default_factory=dict)  # from where, and into what
    begun: frozenset[StoryId] = frozenset()  # stories that were none before


def made_of(story: StoryId, article: ArticleId, when: ArticleId) -> StoryId:
    """An id for the part of a story that begins with an article, parted when another came: none ever had it before, so
    that it hangs on nothing that a batch or a restart may have forgotten."""
    return StoryId(identify("story", story, article, when))


class OpenStories(Ranking):
    """The stories that may still grow. Deterministic: the same articles in the same order give the same stories."""

    def __init__(
        self,
        rules: Grouping | None = None,
        *,
        forest: pairs.Judge | None = None,
        words: Iterable[Regrouping] = (),
    ) -> None:
        super().__init__(rules or Grouping(), forest)
        self._said = Said()
        self.obey(words)

    # --- what people said

    def obey(self, words: Iterable[Regrouping], closed: Mapping[ArticleId, StoryId] | None = None) -> None:
        """From now on these words hold, instead of those before; the last one on two articles counts.

        Stories that hold two articles which were put apart are never joined, no article goes into a story that holds
        one from which it was put apart, and one that was put together with another goes where that one is. What is in
        its story already is not moved (`move`). `closed` has the stories of articles that are not open.
        """
        self._said = Said.of(words, closed or {})

    def _where(self, article: ArticleId) -> StoryId | None:
        return self.story_of(article) or self._said.closed.get(article)

    def _barred(self, article: ArticleId) -> set[StoryId]:
        """The stories into which it must not go."""
        return {s for other in self._said.apart.get(article, ()) if (s := self._where(other)) is not None}

    def _bidden(self, article: ArticleId, barred: set[StoryId]) -> list[StoryId]:
        """The stories into which it was put."""
        found = (self._where(other) for other in self._said.together.get(article, ()))
        return [s for s in dict.fromkeys(found) if s is not None and s in self._members and s not in barred]

    def _put_apart(self, one: StoryId, other: StoryId) -> bool:
        return any({self._where(a), self._where(b)} == {one, other} for a, b in self._said.pairs)

    # --- what changes it

    def move(self, articles: Iterable[ArticleId], story: StoryId) -> None:
        """Put these articles into this story, because somebody said so. Those that are not open are passed over."""
        for article in articles:
            if article in self._said.closed:
                self._said.closed[article] = story
            row = self._row.get(article)
            if row is None or self._stories[row] == story:
                continue
            self._left(row)
            self._stories[row] = story
            self._refold(story, row)
            self._members[story] = sorted((*self._members.get(story, ()), row))

    def take_out(self, articles: Iterable[ArticleId]) -> None:
        """Forget these articles, as if they had never come, so that `assign` decides about them again."""
        for article in articles:
            self._said.closed.pop(article, None)
            if (row := self._row.get(article)) is not None:
                self._remove(article, row)

    def restore(self, article: Article, story: StoryId) -> None:
        """Put an article back into its story without deciding anything."""
        self.restore_all([(article, story)])

    def restore_all(self, placed: Iterable[tuple[Article, StoryId]]) -> None:
        """Put articles back into their stories, in the order in which they came."""
        remaining = iter(placed)
        while some := list(islice(remaining, AT_ONCE)):
            new: dict[ArticleId, tuple[Article, StoryId]] = {}
            for article, story in some:
                if article.id not in self._row:
                    new.setdefault(article.id, (article, story))
            if not new:
                continue
            rows, _, _ = self._shelve([article for article, _ in new.values()])
            for row, (article, story) in zip(rows, new.values(), strict=True):
                if article.copy_of is not None:
                    self._copy_of[article.id] = article.copy_of
                self._place(row, article.id, story)

    def turns(self, articles: Iterable[Article]) -> Iterator[list[Article]]:
        """The articles in batches for `assign_all`, after each of which to ask whether any are `unsettled`."""
        batch: list[Article] = []
        for article in articles:
            batch.append(article)
            if self._marks(article.id, self.rules.every):
                yield batch
                batch = []
        if batch:
            yield batch

    def assign(self, article: Article) -> Assignment:
        """The story of an article, which is open afterwards. An article that is known stays where it is."""
        return self.assign_all([article])[0]

    def assign_all(self, articles: Iterable[Article]) -> list[Assignment]:
        """The story of each article, as if `assign` were asked about one after another.

        What hangs on no decision (words, neighbours, comparisons) is worked out for many at once, which takes a third of the
        time; then each is decided about in its turn, and what hangs on a story that an earlier one changed is worked out again.
        """
        found: list[Assignment] = []
        remaining = iter(articles)
        while some := list(islice(remaining, AT_ONCE)):
            self._ended.clear()
            self._grown.clear()
            new = {one.sketch.id: (one, ranked) for one, ranked in self._arrive(some)}
            for article in some:
                one = new.pop(article.id, None)
                found.append(self._stays(article.id) if one is None else self._decide(*one))
        return found

    def _arrive(self, articles: Sequence[Article]) -> list[tuple[Asked, Ranked]]:
        """Those that are not known yet, each in a row, and the stories to which they belong as things stand."""
        new: dict[ArticleId, Article] = {}
        for article in articles:
            if article.id not in self._row:
                new.setdefault(article.id, article)
        if not new:
            return []
        rows, made, rarest = self._shelve(list(new.values()))
        near = self._near(made, rarest, rows)
        densities = self._pace.ahead(one.when for one in made)
        asked = [Asked(*one) for one in zip(made, rows, near, densities, strict=True)]
        return list(zip(asked, self._ranked(asked), strict=True))

    def _stays(self, article: ArticleId) -> Assignment:
        story = self._stories[self._row[article]]
        return Assignment(article=article, story=story, is_new=False, copy_of=self._copy_of.get(article), score=1.0)

    def _decide(self, one: Asked, ranked: Ranked) -> Assignment:
        article, new = one.sketch.id, one.sketch
        barred = self._barred(article)
        bidden = self._bidden(article, barred)
        copied = self._copied(new, one.near, barred)
        if copied is not None and (not bidden or self._stories[copied] in bidden):
            original = self._sketches.id(copied)
            original = self._copy_of.get(original, original)
            self._copy_of[article] = original
            story = self._place(one.row, article, self._stories[copied])
            return Assignment(article=article, story=story, is_new=False, copy_of=original, score=1.0)

        if not (ranked.found.isdisjoint(self._ended) and ranked.compared.isdisjoint(self._grown)):
            ranked = self._ranked([one])[0]
        likely = [
            (s, score)
            for s, score in ranked.stories
            if score >= self.rules.join and s not in barred and s not in bidden
        ]
        joined = [*((s, 1.0) for s in bidden), *likely]
        if not joined:
            story = self._place(one.row, article, begun_by(article))
            return Assignment(
                article=article, story=story, is_new=True, score=ranked.stories[0][1] if ranked.stories else 0.0
            )
        best, score = joined[0]
        together = [best]
        for other, _ in joined[1:]:
            if not any(self._put_apart(other, s) for s in together) and (other in bidden or self._agree(best, other)):
                together.append(other)
        survivor = min(together, key=lambda s: self._members[s][0])
        absorbed = tuple(s for s in together if s != survivor)
        for old in absorbed:
            self._absorb(old, survivor)
        self._place(one.row, article, survivor)
        return Assignment(article=article, story=survivor, is_new=False, merged=absorbed, score=score)

    def _absorb(self, old: StoryId, survivor: StoryId) -> None:
        super()._absorb(old, survivor)
        for article, story in self._said.closed.items():
            if story == old:
                self._said.closed[article] = survivor

    def forget_before(self, when: datetime) -> None:
        """Close what appeared before: nothing new is compared with it. What has no time is as old as its neighbours."""
        closed = self._close_before(when.timestamp())
        self._said.closed.update((article, story) for article, story in closed.items() if article in self._said.named)

    # --- decided again

    @staticmethod
    def _marks(article: ArticleId, every: int) -> bool:
        """By its id, so that neither the size of batches nor a restart changes after which articles it is done."""
        return xxhash.xxh32_intdigest(article.encode()) % every == 0

    def unsettled(self) -> list[ArticleId]:
        """What is to be decided again now, in order of arrival: nothing but after one article in `every`.

        These are the articles since the last time, with all of their stories and the stories near them. A story of
        which somebody spoke is not among them.
        """
        if (
            not self._gone
            or self._gone[-1]
            or not self._marks(self._sketches.id(len(self._gone) - 1), self.rules.every)
        ):
            return []
        return self.settling()

    def _since(self) -> int:
        """The first row since the last time."""
        begin, least = len(self._gone) - 1, len(self._gone) - self.rules.latest
        while begin > max(0, least) and not self._marks(self._sketches.id(begin - 1), self.rules.every):
            begin -= 1
        return max(0, begin)

    def settling(self) -> list[ArticleId]:
        """As `unsettled`, whether it is time or not."""
        latest = [row for row in reversed(range(self._since(), len(self._gone))) if not self._gone[row]]
        near: list[list[StoryId]] = []
        for place in range(0, len(latest), AT_ONCE):
            near.extend(self._around(latest[place : place + AT_ONCE]))
        said = {where for article in self._said.named if (where := self.story_of(article)) is not None}
        again: set[int] = set()
        looked_at: set[StoryId] = set(said)
        for depth in range(self.rules.around + 1):
            for stories in near:
                if depth < len(stories) and stories[depth] not in looked_at:
                    looked_at.add(stories[depth])
                    members = self._members[stories[depth]]
                    if len(again) + len(members) <= self.rules.looked_at:
                        again.update(members)
        return [self._sketches.id(row) for row in sorted(again)]

    def settle(self, articles: Sequence[Article], regroup: Regroup) -> Settled:
        """Decide about these articles again, all together.

        They are given as `unsettled` names them, in that order; `regroup` is `refine.grouped`. The part of a story that
        has the article which began it keeps the id; of stories that become one the oldest id is kept. No other part gets
        an id that any story ever had.
        """
        given = [a for a in articles if a.id in self._row]
        if len(given) < 2:
            return Settled()
        groups: dict[int, list[ArticleId]] = {}
        now = {a.id: self._stories[self._row[a.id]] for a in given}
        since = self._since()
        older = [self._row[a.id] < since for a in given]
        for article, first in zip(given, regroup(given, list(now.values()), older), strict=True):
            groups.setdefault(first, []).append(article.id)
        begun = {now[id_] for id_ in now if begun_by(id_) == now[id_]}
        named: dict[int, StoryId] = {}
        for first, members in groups.items():
            own = next((now[id_] for id_ in members if begun_by(id_) == now[id_]), None)
            if own is not None:
                named[first] = own
        # of stories whose first article is closed the larger part keeps the id
        for first, members in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
            if first not in named:
                free = Counter(now[id_] for id_ in members if now[id_] not in begun and now[id_] not in named.values())
                made = made_of(now[members[0]], members[0], self._sketches.id(len(self._gone) - 1))
                named[first] = free.most_common(1)[0][0] if free else made
        moved: dict[ArticleId, tuple[StoryId, StoryId]] = {}
        for first, members in groups.items():
            leaving = [id_ for id_ in members if now[id_] != named[first]]
            moved |= {id_: (now[id_], named[first]) for id_ in leaving}
            self.move(leaving, named[first])
        return Settled(moved=moved, begun=frozenset(named.values()) - frozenset(now.values()))


def group(articles: Sequence[Article], rules: Grouping | None = None, regroup: Regroup | None = None) -> list[StoryId]:
    """The story of each article after all of them were read in the order given, settled on the way with `regroup`."""
    stories = OpenStories(rules)
    by_id = {article.id: article for article in articles}
    for some in stories.turns(articles):
        stories.assign_all(some)
        if regroup is not None and (ids := stories.unsettled()):
            stories.settle([by_id[id_] for id_ in ids], regroup)
    found = [stories.story_of(article.id) for article in articles]
    return [story for story in found if story is not None]
