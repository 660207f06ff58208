"""`broadsheet stage enrich`: adds language, entities and topics to articles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from broadsheet.articles.enrich import Enrichment, enrich
from broadsheet.articles.entities import Recognition
from broadsheet.model import Article, ArticleId
from broadsheet.stages import Line, rejected

BATCH = 64  # articles read together: the models' speed no longer grows past it


def run(lines: Iterable[Line], *, light: bool = False, **_: Any) -> Iterator[Line]:
    """Each line with `language`, `entities` and `topics`; `light` names people without the neural recogniser."""
    config = Enrichment()
    if light:
        config = replace(config, entities=Recognition(recogniser="capitals"))
    remaining = iter(lines)
    while batch := list(islice(remaining, BATCH)):
        yield from _enriched(batch, config)


def _enriched(batch: list[Line], config: Enrichment) -> Iterator[Line]:
    problems = [_problem(line) for line in batch]
    usable = [_article(line) for line, problem in zip(batch, problems, strict=True) if not problem]
    done = iter(enrich(usable, config))
    for line, problem in zip(batch, problems, strict=True):
        if problem:
            yield rejected("enrich", line.get("id"), problem)
            continue
        article = next(done)
        yield line | {
            "language": article.language,
            "entities": [{"text": e.text, "type": e.type, "count": e.count} for e in article.entities],
            "topics": [{"id": t.id, "label": t.label, "weight": round(t.weight, 3)} for t in article.topics],
        }


def _problem(line: Line) -> str:
    for name in ("title", "text"):
        value = line.get(name)
        if value is not None and not isinstance(value, str):
            return f"{name} is {type(value).__name__}, not text"
    if not (line.get("title") or line.get("text")):
        return "neither title nor text"
    return ""


def _article(line: Line) -> Article:
    said = line.get("language")
    return Article(
        id=ArticleId(str(line.get("id"))),
        url=line["url"] if isinstance(line.get("url"), str) else "",
        title=line.get("title") or "",
        text=line.get("text") or "",
        language=said if isinstance(said, str) else "",
    )
