"""`broadsheet stage novelty`: the sentences of the unread articles that say something new to who read the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from broadsheet.articles.furniture import caption_of, is_credit, is_furniture, is_promotion
from broadsheet.articles.passages import passages
from broadsheet.model import Article, ArticleId, Passage
from broadsheet.stages import Line, rejected
from broadsheet.stories.novelty import whats_new

MOST = 500  # articles of one line, read and unread together; the time taken grows with their square


def run(lines: Iterable[Line], **_: Any) -> Iterator[Line]:
    """Each line with `new`, most important first; empty where the unread articles say nothing new.

    `article` is the id that the line gives to it. Articles stand in order of time.
    """
    for line in lines:
        problem = _problem(line)
        if problem:
            yield rejected("novelty", line.get("id"), problem)
            continue
        # ids need not be distinct: an update may come under the id of what was read
        unread = line["unread"]
        articles = [_article(item, f"{n}") for n, item in enumerate(unread)]
        found = whats_new([_article(item, "") for item in line.get("read") or ()], articles, _sentences)
        yield line | {
            "new": [
                {
                    "article": unread[int(n.passage.article)].get("id"),
                    "sentence": n.passage.text,
                    "start": n.passage.start,
                    "end": n.passage.end,
                    "why": n.why,
                }
                for n in found
            ]
        }


def _sentences(article: Article) -> tuple[Passage, ...]:
    """The sentences of an article without the lines that are furniture, credits or captions.

    Only a sentence that is a line of its own may be one: the words of a credit also stand within good paragraphs.
    """
    lines = {line.strip() for line in article.text.split("\n")}
    return tuple(p for p in passages(article) if not (p.text in lines and _is_none(p.text)))


def _is_none(text: str) -> bool:
    return is_furniture(text) or is_promotion(text) or is_credit(text) or caption_of(text) is not None


def _problem(line: Line) -> str:
    if "unread" not in line:
        return "no unread articles: `unread` is missing"
    for field in ("read", "unread"):
        items = line.get(field)
        if items is None:
            continue
        if not isinstance(items, list):
            return f"{field} is {type(items).__name__}, not a list of articles"
        for number, item in enumerate(items):
            if not isinstance(item, dict):
                return f"{field}[{number}] is {type(item).__name__}, not an article"
            for name in ("title", "text"):
                if item.get(name) is not None and not isinstance(item[name], str):
                    return f"{field}[{number}].{name} is {type(item[name]).__name__}, not text"
    if line["unread"] is None:
        return "no unread articles: `unread` is null"
    if len(line["unread"]) + len(line.get("read") or ()) > MOST:
        return f"more than {MOST} articles"
    return ""


def _article(item: dict[str, Any], id_: str) -> Article:
    publisher = item.get("publisher")
    return Article(
        id=ArticleId(id_),
        url="",
        title=item.get("title") or "",
        text=item.get("text") or "",
        publisher=publisher if isinstance(publisher, str) else "",
    )
