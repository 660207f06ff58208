"""What people said of pairs of articles, as grouping asks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from broadsheet.model import ArticleId, Regrouping, StoryId


@dataclass(frozen=True, slots=True)
class Said:
    """The words that hold: of two articles the last one counts."""

    apart: Mapping[ArticleId, Sequence[ArticleId]] = field(default_factory=dict)
    together: Mapping[ArticleId, Sequence[ArticleId]] = field(default_factory=dict)
    pairs: tuple[tuple[ArticleId, ArticleId], ...] = ()  # that were put apart
    named: frozenset[ArticleId] = frozenset()
    closed: dict[ArticleId, StoryId] = field(default_factory=dict)  # of named articles that are not open

    @classmethod
    def of(cls, words: Iterable[Regrouping], closed: Mapping[ArticleId, StoryId]) -> Said:
        last = {frozenset((word.one, word.other)): word for word in words}
        apart: dict[ArticleId, list[ArticleId]] = {}
        together: dict[ArticleId, list[ArticleId]] = {}
        for word in last.values():
            held = together if word.same else apart
            held.setdefault(word.one, []).append(word.other)
            held.setdefault(word.other, []).append(word.one)
        return cls(
            apart,
            together,
            tuple((word.one, word.other) for word in last.values() if not word.same),
            frozenset(id_ for pair in last for id_ in pair),
            dict(closed),
        )
