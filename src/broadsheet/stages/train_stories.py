"""Labelled pairs as JSON lines, for `broadsheet train stories --pairs`: two articles, and whether they are one story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from broadsheet.articles.embed import embed
from broadsheet.model import Article, ArticleId, identify
from broadsheet.stages.group import _article, _problem
from broadsheet.stories.correction import Pair

TOLD = 5  # problems that are told one by one


def read_pairs(raw: Iterable[bytes]) -> tuple[list[Pair], list[str]]:
    """The pairs of lines `{"one": {...}, "other": {...}, "same": true, "a_day"?}`, each article as `broadsheet stage
    group` takes it; and a sentence for each line that is none. Articles of one id are one article."""
    found: list[tuple[Article, Article, bool, float]] = []
    problems: list[str] = []
    for number, line in enumerate(raw, 1):
        if not line.strip():
            continue
        try:
            found.append(_read(orjson.loads(line)))
        except ValueError as e:  # JSON's own error is one
            problems.append(f"Line {number} is no labelled pair: {e}.")
    if len(problems) > TOLD:
        problems = [*problems[:TOLD], f"And {len(problems) - TOLD} lines more."]
    articles = {a.id: a for one, other, _, _ in found for a in (one, other)}
    embedded = {a.id: a for a in embed(list(articles.values()))} if articles else {}
    return [
        Pair(one=embedded[one.id], other=embedded[other.id], same=same, a_day=a_day)
        for one, other, same, a_day in found
    ], problems


def _read(value: Any) -> tuple[Article, Article, bool, float]:
    if not isinstance(value, Mapping) or not isinstance(value.get("same"), bool):
        raise ValueError("it needs `one`, `other` and `same`, which is true or false")
    one, other = (_of(name, value.get(name)) for name in ("one", "other"))
    if one.id == other.id:
        raise ValueError("`one` and `other` are one article")
    a_day = value.get("a_day", 100.0)
    if isinstance(a_day, bool) or not isinstance(a_day, int | float) or not 0 < a_day < 1e9:
        raise ValueError("`a_day` is how many articles a day the stream brings")
    return one, other, value["same"], float(a_day)


def _of(name: str, given: Any) -> Article:
    if not isinstance(given, Mapping):
        raise ValueError(f"`{name}` is no article")
    if problem := _problem(dict(given)):
        raise ValueError(f"`{name}` has {problem}")
    id_ = given.get("id")
    return _article(
        dict(given), ArticleId(str(id_) if id_ else identify(str(given.get("title")), str(given.get("text"))))
    )
