"""What changes the grouping changes: decided here, for a batch of new articles and for what operators rule, and written by
whoever groups (`grouping.py`).

Deciding reads the store and moves articles among the open stories, which are the grouper's own memory. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from broadsheet import store
from broadsheet.jobs.ingesting import EARLIEST
from broadsheet.model import Article, ArticleId, Regrouping, Ruling, StoryId
from broadsheet.stories.cluster import Assignment, OpenStories
from broadsheet.stories.refine import grouped
from broadsheet.stories.regrouping import begun_by, leaving, parted


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one decision changed: the stories that became one, and then each article that went from a story into another."""

    moved: tuple[tuple[Article, StoryId | None, StoryId], ...]  # from where, None for a new one, and into what
    merged: tuple[tuple[StoryId, StoryId], ...] = ()  # absorbed, and the story that took it in
    begun: frozenset[StoryId] = frozenset()  # stories that were none before, whatever had their id

    def stories(self) -> Iterator[StoryId]:
        """Every story that it is about."""
        for pair in self.merged:
            yield from pair
        for _, left, into in self.moved:
            yield from (into,) if left is None else (left, into)


@dataclass(slots=True, kw_only=True)
class Moves:
    """Which articles go where, and which stories that changes."""

    articles: dict[ArticleId, Article] = field(default_factory=dict)
    into: dict[ArticleId, StoryId] = field(default_factory=dict)
    copies: dict[ArticleId, ArticleId | None] = field(default_factory=dict)
    merged: list[tuple[StoryId, StoryId]] = field(default_factory=list)  # absorbed, and the story that took it in
    changed: dict[StoryId, None] = field(default_factory=dict)  # to be described, in this order
    begun: set[StoryId] = field(default_factory=set)  # stories that a ruling made, whatever had their id before
    said: tuple[ArticleId, ...] = ()  # the articles that a ruling is about
    steps: list[Step] = field(
        default_factory=list
    )  # of `arrived`: what led to this, in the order in which it was decided

    def placed(self) -> list[tuple[ArticleId, StoryId, ArticleId | None]]:
        """Each article that gets a story, that story, and the article that it copies."""
        return [(id_, story, self.copies.get(id_, self.articles[id_].copy_of)) for id_, story in self.into.items()]

    def assigned(self, article: Article, assignment: Assignment) -> None:
        """Grouping decided about one article."""
        self.articles[article.id] = article
        self.copies[article.id] = assignment.copy_of
        for absorbed in assignment.merged:
            self.merged.append((absorbed, assignment.story))
            self.changed.pop(absorbed, None)
        self.changed[assignment.story] = None

    def came_from(self) -> dict[StoryId, list[StoryId]]:
        """The stories that each story took in, those that they had taken in included."""
        found: dict[StoryId, list[StoryId]] = {}
        for absorbed, survivor in self.merged:
            found.setdefault(survivor, []).extend([absorbed, *found.pop(absorbed, [])])
        return found


def arrived(c: Connection, stories: OpenStories, waiting: Sequence[Article]) -> Moves:
    """New articles, in order of time, each into its story; and what deciding again about the latest of them changes."""
    moves = Moves()
    first: dict[ArticleId, StoryId] = {}
    left: dict[StoryId, ArticleId] = {}  # stories that articles left, and one of these
    for some in stories.turns(waiting):
        for article, assignment in zip(some, stories.assign_all(some), strict=True):
            first[article.id] = assignment.story
            moves.assigned(article, assignment)
            moves.steps.append(_step(article, assignment))
        if again := stories.unsettled():
            known = {a.id: a for a in store.articles.many(c, again, html=False)}
            settled = stories.settle([known[id_] for id_ in again if id_ in known], grouped)
            moves.begun |= settled.begun
            moved = tuple((known[id_], story, into) for id_, (story, into) in settled.moved.items())
            moves.steps.append(Step(moved=moved, begun=settled.begun))
            for id_, (story, into) in settled.moved.items():
                first.setdefault(id_, into)
                moves.articles.setdefault(id_, known[id_])
                moves.changed |= dict.fromkeys((story, into))
                if story not in left or begun_by(id_) == story:
                    left[story] = id_
    # a later article may have joined the stories of two earlier ones
    moves.into = {id_: stories.story_of(id_) or story for id_, story in first.items()}
    _emptied(c, stories, moves, left)
    return moves


def _step(article: Article, assignment: Assignment) -> Step:
    placed = article if article.copy_of == assignment.copy_of else replace(article, copy_of=assignment.copy_of)
    merged = tuple((absorbed, assignment.story) for absorbed in assignment.merged)
    return Step(moved=((placed, None, assignment.story),), merged=merged)


def _emptied(c: Connection, stories: OpenStories, moves: Moves, left: Mapping[StoryId, ArticleId]) -> None:
    """A story that all articles left, also those that are no longer open, leads to where the one that began it went."""
    absorbed = {story for story, _ in moves.merged}
    gone = [story for story in left if story not in absorbed and not stories.articles_of(story)]
    old = store.articles.outlines(c, gone)
    for story in gone:
        if all(moves.into.get(a.id, story) != story for a in old.get(story, ())):
            moves.changed.pop(story, None)
            moves.begun.discard(story)
            moves.merged.append((story, moves.into[left[story]]))


# --- what operators rule ------------------------------------------------------------------------------------------


def obeyed(c: Connection, stories: OpenStories, ruling: Ruling) -> Moves:
    """What doing a ruling changes, or taking it back where it was undone."""
    if ruling.undone is not None:
        return _taken_back(c, stories, ruling)
    return _together(c, stories, ruling) if ruling.word.same else _apart(c, stories, ruling)


def between(c: Connection, one: StoryId, other: StoryId, *, but: Regrouping) -> list[Ruling]:
    """The rulings that keep two stories apart: each holds one of two articles that were put apart. One on the same two
    articles as `but` does not count: the last word on two articles holds."""
    same = {but.one, but.other}
    standing = [r for r in store.regroupings.standing(c) if not r.word.same and {r.word.one, r.word.other} != same]
    where = store.articles.stories_of(c, {id_ for r in standing for id_ in (r.word.one, r.word.other)})
    return [r for r in standing if {where.get(r.word.one), where.get(r.word.other)} == {one, other}]


def _together(c: Connection, stories: OpenStories, ruling: Ruling) -> Moves:
    """Two stories become one: the older id survives. Nothing, where an earlier word keeps any of their articles
    apart: that word has to be undone first."""
    where = store.articles.stories_of(c, [ruling.word.one, ruling.word.other])
    pair = dict.fromkeys(where.values())
    if len(pair) < 2 or between(c, *pair, but=ruling.word):
        return Moves()
    known = {story.id: story for story in store.stories.many(c, pair)}
    survivor, absorbed = sorted(pair, key=lambda id_: (known[id_].first_seen if id_ in known else EARLIEST, id_))
    moved = tuple(a.id for a in store.articles.of_story(c, absorbed))
    stories.move(moved, survivor)
    return Moves(said=moved, merged=[(absorbed, survivor)], changed={survivor: None})


def _apart(c: Connection, stories: OpenStories, ruling: Ruling) -> Moves:
    """An article leaves its story, with its copies and what was put together with it."""
    where = store.articles.stories_of(c, [ruling.word.one, ruling.word.other])
    story = where.get(ruling.word.one)
    if story is None or where.get(ruling.word.other) != story:
        return Moves()
    members = store.articles.of_story(c, story)
    out = leaving(ruling.word, members, (r.word for r in store.regroupings.standing(c)))
    into = parted(story, [a.id for a in members], out, _taken(c, members) - {story})
    stories.move(into, next(iter(into.values())))
    return Moves(
        said=tuple(a.id for a in members if a.id in out),
        articles={a.id: a for a in members if a.id in into},
        into=into,
        changed=dict.fromkeys((story, *into.values())),
        begun=set(into.values()),
    )


def _taken_back(c: Connection, stories: OpenStories, ruling: Ruling) -> Moves:
    """Grouping decides again about what a ruling moved, under the words that still stand."""
    moves = Moves(said=ruling.moved)
    again = store.articles.many(c, ruling.moved, html=False)
    ids = {a.id for a in again}
    before = store.articles.stories_of(c, ids)
    left: dict[StoryId, StoryId] = {}  # what is left of each story, under the id that it has then
    for story in dict.fromkeys(before.values()):
        members = store.articles.of_story(c, story)
        into = parted(story, [a.id for a in members], ids, _taken(c, members) - {story})
        rest = {a.id: a for a in members if a.id in into and a.id not in ids}
        moves.articles |= rest
        moves.into |= {id_: into[id_] for id_ in rest}
        if any(a.id not in ids for a in members):
            left[story] = next(iter(moves.into[id_] for id_ in rest), story)
            stories.move(rest, left[story])
            moves.begun |= {left[story]} - {story}
    stories.take_out(ids)
    moves.changed = dict.fromkeys(left.values())
    again.sort(key=lambda a: (a.time or EARLIEST, a.id))
    for article, assignment in zip(again, stories.assign_all(again), strict=True):
        moves.assigned(article, assignment)
        if assignment.is_new and assignment.story not in before.values():
            moves.begun.add(assignment.story)
    joined = dict(moves.merged)

    def now_in(story: StoryId) -> StoryId:
        while story in joined:
            story = joined[story]
        return story

    moves.into = {id_: now_in(story) for id_, story in moves.into.items()}
    moves.into |= {id_: found for id_ in moves.copies if (found := stories.story_of(id_)) is not None}
    for id_ in [i for i in ruling.moved if i in before]:  # an id under which nothing is left leads to where it went
        story = before[id_]
        if left.get(story) != story and story not in moves.into.values() and story not in joined:
            joined[story] = moves.into[id_]
            moves.merged.append((story, moves.into[id_]))
    for absorbed in joined:
        moves.changed.pop(absorbed, None)
    return moves


def _taken(c: Connection, articles: Iterable[Article]) -> set[StoryId]:
    """Of the ids that these articles' own stories would have, those of stories that there are."""
    own = {begun_by(a.id) for a in articles}
    return {story.id for story in store.stories.many(c, own)} & own
