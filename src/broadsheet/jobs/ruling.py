"""What an operator says of the grouping, for everybody: recorded at once, done by whoever groups."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.errors import InputError, NotFound
from broadsheet.jobs.grouping import group
from broadsheet.jobs.ingesting import article_id
from broadsheet.jobs.labelling import a_day
from broadsheet.jobs.moving import between
from broadsheet.jobs.worker import bury_the_dead
from broadsheet.model import Article, ArticleId, Regrouping, Ruling, Story, StoryId
from broadsheet.stories.correction import judge
from broadsheet.stories.explain import Togetherness, likeliest, why_together

ASKED = 30  # articles of a story, the latest, among which the likeliest pair is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What was meant by an id or an address: an article, or a whole story with none in particular."""

    article: Article | None = None
    story: Story | None = None  # also the article's own, once it was grouped

    def articles(self, c: Connection) -> list[Article]:
        if self.article is not None:
            return [self.article]
        assert self.story is not None
        return store.articles.many(c, self.story.articles[-ASKED:], html=False)

    def speaker(self) -> ArticleId:
        """The article that stands for it."""
        if self.article is not None:
            return self.article.id
        assert self.story is not None
        return self.story.lead or self.story.articles[0]


def meant(c: Connection, given: str) -> Meant:
    """The article or story of an id, of its page here, or of an article's own address. Raises `NotFound`."""
    given = given.strip()
    parts = urlsplit(given).path.strip("/").split("/")
    named = parts[1] if len(parts) > 1 and parts[0] in ("story", "article") else given
    ids = [ArticleId(named), *([article_id(given)] if "://" in given else [])]
    for id_ in ids:
        if (article := store.articles.get(c, id_)) is not None:
            story = store.articles.story_of(c, id_)
            return Meant(article=article, story=store.stories.get(c, story) if story else None)
    if (found := store.stories.get(c, StoryId(named))) is not None:
        return Meant(story=found)
    raise NotFound(f"There is no article and no story {given!r}. `broadsheet story ID` lists the articles of a story.")


# --- why ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why two articles are one story or are not. `rulings` are what operators said of these two, or of their stories."""

    one: Article
    other: Article
    stories: tuple[StoryId | None, StoryId | None]
    told: Togetherness
    a_day: float
    rulings: tuple[Ruling, ...] = ()

    @property
    def one_story(self) -> bool:
        return self.stories[0] is not None and self.stories[0] == self.stories[1]


def why(db: Engine, settings: Settings, one: str, other: str) -> Why:
    """The probability that two articles report one story, taken apart. For a story its likeliest article speaks."""
    forest = judge(settings.stories_model)
    with db.connect() as c:
        first, second = meant(c, one), meant(c, other)
        if first.article is None and second.article is None and first.story == second.story:
            raise InputError("Both are one story: name two of its articles. `broadsheet story ID` lists them.")
        ones, others = first.articles(c), second.articles(c)
        pace = a_day(c, [*ones, *others])
        try:
            mine, theirs = likeliest(ones, others, a_day=pace, forest=forest)
        except ValueError as e:
            raise InputError("That is one article, named twice: name two.") from e
        where = store.articles.stories_of(c, [mine.id, theirs.id])
        both = (where.get(mine.id), where.get(theirs.id))
        rulings = [r for r in store.regroupings.standing(c) if {r.word.one, r.word.other} == {mine.id, theirs.id}]
        if both[0] and both[1] and both[0] != both[1]:
            rulings += between(c, both[0], both[1], but=Regrouping(one=mine.id, other=theirs.id, same=True))
    told = why_together(mine, theirs, a_day=pace, forest=forest)
    return Why(one=mine, other=theirs, stories=both, told=told, a_day=pace, rulings=tuple(rulings))


# --- saying it ----------------------------------------------------------------------------------------------------


def rule_together(db: Engine, settings: Settings, one: str, other: str, who: str) -> Ruling:
    """From now on two articles, or two stories, are one story. Raises `InputError` where an earlier ruling keeps them
    apart."""
    with db.begin() as c:
        first, second = meant(c, one), meant(c, other)
        word = Regrouping(one=first.speaker(), other=second.speaker(), same=True)
        if word.one == word.other:
            raise InputError("That is one and the same: name two articles, or two stories.")
        if first.story and second.story and first.story.id != second.story.id:
            against = between(c, first.story.id, second.story.id, but=word)
            if against:
                number = against[0].number
                raise InputError(
                    f"Ruling {number} keeps articles of these two stories apart: `broadsheet regroup undo {number}` first."
                )
        return store.regroupings.add(c, word, who, settings.now())


def rule_apart(db: Engine, settings: Settings, article: str, story: str | None, who: str) -> Ruling:
    """From now on an article is not part of a story, by itself of the one that it is in."""
    with db.begin() as c:
        first = meant(c, article)
        if first.article is None:
            raise InputError("Say which article: `broadsheet story ID` lists the articles of a story.")
        second = first if story is None else meant(c, story)
        if second.story is None and second.article is None:
            raise InputError("That article is in no story yet.")
        return store.regroupings.add(c, _apart(c, first.article, second, own=story is None), who, settings.now())


def _apart(c: Connection, article: Article, of: Meant, *, own: bool) -> Regrouping:
    if of.article is not None and not own:
        if of.article.id == article.id:
            raise InputError("That is one article, named twice: name two.")
        return Regrouping(one=article.id, other=of.article.id, same=False)
    if of.story is None:
        raise InputError("That article is in no story yet.")
    # The story is spoken for by its lead; by another where that is the article itself, or the same text.
    members = store.articles.many(
        c, [of.speaker() if not own else of.story.lead or article.id, *of.story.articles], html=False
    )
    text = article.copy_of or article.id
    others = sorted((a for a in members if a.id != article.id), key=lambda a: text in (a.id, a.copy_of))
    if not others:
        raise InputError("That article is alone in its story.")
    return Regrouping(one=article.id, other=others[0].id, same=False)


def take_back(db: Engine, settings: Settings, number: int) -> Ruling:
    """Undo a ruling: grouping decides again about what it moved. Raises `NotFound` or `InputError`."""
    with db.begin() as c:
        if (ruling := store.regroupings.undo(c, number, settings.now())) is not None:
            return ruling
        if store.regroupings.get(c, number) is not None:
            raise InputError(f"Ruling {number} is undone already.")
    raise NotFound(f"There is no ruling {number}: `broadsheet regroup list` has their numbers.")


def rule_again(db: Engine, settings: Settings, number: int) -> Ruling:
    """Say once more what was taken back, as its speaker said it. Raises `NotFound` or `InputError`."""
    with db.begin() as c:
        before = store.regroupings.get(c, number)
        if before is None:
            raise NotFound(f"There is no ruling {number}: `broadsheet regroup list` has their numbers.")
        if before.undone is None:
            raise InputError(f"Ruling {number} stands.")
        return store.regroupings.add(c, before.word, before.who, settings.now())


def carry_out(db: Engine, settings: Settings, ruling: Ruling) -> Ruling:
    """Do it now, where nobody else groups; otherwise whoever does will. Gives the ruling as it stands then."""
    bury_the_dead(db)
    asyncio.run(group(db, settings, settings.now()))
    with db.connect() as c:
        return store.regroupings.get(c, ruling.number) or ruling


State = Literal["holds", "waits", "does not hold", "undone", "undoing waits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A ruling with its articles, as far as they are here, and what has become of it."""

    ruling: Ruling
    one: Article | None
    other: Article | None
    stories: tuple[StoryId | None, StoryId | None]
    state: State


def rulings(db: Engine) -> list[Told]:
    """Every ruling there was, in order, with what has become of it. One holds where the stories are as it says."""
    with db.connect() as c:
        every = store.regroupings.all(c)
        named = {id_ for r in every for id_ in (r.word.one, r.word.other)}
        articles = {a.id: a for a in store.articles.many(c, named, html=False)}
        where = store.articles.stories_of(c, named)
    told = []
    for ruling in every:
        both = (where.get(ruling.word.one), where.get(ruling.word.other))
        state: State = "holds" if (both[0] == both[1]) == ruling.word.same else "does not hold"
        if ruling.undone is not None:
            state = "undone" if ruling.applied else "undoing waits"
        elif not ruling.applied:
            state = "waits"
        told.append(
            Told(
                ruling=ruling,
                one=articles.get(ruling.word.one),
                other=articles.get(ruling.word.other),
                stories=both,
                state=state,
            )
        )
    return told
