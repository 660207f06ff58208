"""Which stories a reader sees as one, and which articles they took out of a story: their own view of the grouping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from broadsheet.model import ArticleId, Reader, Regrouping, StoryId, identify


@dataclass(frozen=True, slots=True)
class View:
    """How the stories of everybody look to one reader."""

    into: Mapping[StoryId, StoryId] = field(default_factory=dict)  # shown as a part of another
    out: Mapping[StoryId, frozenset[ArticleId]] = field(default_factory=dict)  # taken out of a story

    def parts(self, story: StoryId) -> list[StoryId]:
        """The stories that are shown as this one, itself first."""
        return [story, *(part for part, whole in self.into.items() if whole == story)]


def regroup(reader: Reader, word: Regrouping) -> tuple[Regrouping, ...]:
    """The reader's words with one more; the last word on two articles holds."""
    pair = {word.one, word.other}
    return (*(w for w in reader.regroupings if {w.one, w.other} != pair), word)


def view(words: Iterable[Regrouping], story_of: Mapping[ArticleId, StoryId]) -> View:
    """What the words mean while the articles are in these stories. A word on an article that is gone means nothing."""
    into: dict[StoryId, StoryId] = {}
    out: dict[StoryId, set[ArticleId]] = {}

    def whole(story: StoryId) -> StoryId:
        while story in into:
            story = into[story]
        return story

    for word in words:
        one, other = story_of.get(word.one), story_of.get(word.other)
        if one is None or other is None:
            continue
        if word.same and one == other:  # put back
            out[other] = out.get(other, set()) - {word.one, word.other}
        elif word.same and whole(one) != whole(other):
            into[whole(other)] = whole(one)
        elif not word.same and one == other:
            out.setdefault(other, set()).add(word.one)
        elif not word.same:  # joined by this reader alone: no more
            into.pop(one if one in into else other, None)
    return View({story: whole(story) for story in into}, {story: frozenset(ids) for story, ids in out.items() if ids})


def alone(article: ArticleId) -> StoryId:
    """The story of an article that was taken out of another: the one that it would have begun."""
    return StoryId(identify("story", article))
