"""`broadsheet stage group`: the story of each article, after all of them were read in the order given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from broadsheet.articles.embed import embed
from broadsheet.articles.identity import fingerprint
from broadsheet.model import Article, ArticleId, StoryId
from broadsheet.stages import Line, rejected
from broadsheet.stories.cluster import OpenStories
from broadsheet.stories.refine import refined

BATCH = 64
MOST_OPEN = 150_000  # articles held at once; past it, those more than `KEPT` old are closed
KEPT = timedelta(days=30)


def run(lines: Iterable[Line], **_: Any) -> Iterator[Line]:
    """Each line with `story`. Given at the end, when all articles are known and the set is compared as a whole.

    A set that is too large for that keeps the stories of one pass (`stories/refine.py`). A line without a
    readable `published` is grouped by its place in the order and its words alone.
    """
    open_stories = OpenStories()
    read: list[tuple[Line, ArticleId | None]] = []
    joined: dict[StoryId, StoryId] = {}  # an absorbed story leads to its survivor
    told: dict[ArticleId, StoryId] = {}
    known: list[Article] = []
    latest: datetime | None = None
    remaining = iter(lines)
    seen: Counter[str] = Counter()
    while batch := list(islice(remaining, BATCH)):
        articles: list[Article] = []
        for line in batch:
            problem = _problem(line)
            if problem:
                read.append((rejected("group", line.get("id"), problem), None))
                continue
            given = str(line.get("id"))
            seen[given] += 1
            # an id that comes again is another line, with a story of its own
            article = _article(line, ArticleId(given if seen[given] == 1 else f"{given}\x1f{seen[given]}"))
            read.append((line, article.id))
            articles.append(article)
        articles = embed(articles)
        known.extend(articles)
        for article, assignment in zip(articles, open_stories.assign_all(articles), strict=True):
            told[article.id] = assignment.story
            joined.update(dict.fromkeys(assignment.merged, assignment.story))
            latest = max(latest, article.published) if latest and article.published else article.published or latest
        if latest and len(open_stories) > MOST_OPEN:
            open_stories.forget_before(latest - KEPT)
    online: list[StoryId] = []
    for article in known:
        story = told[article.id]
        while story in joined:
            story = joined[story]
        online.append(story)
    final = dict(zip((a.id for a in known), refined(known, online), strict=True))
    for line, id_ in read:
        yield line if id_ is None else line | {"story": final[id_]}


def _problem(line: Line) -> str:
    for name in ("title", "text"):
        value = line.get(name)
        if value is not None and not isinstance(value, str):
            return f"{name} is {type(value).__name__}, not text"
    if not ((line.get("title") or "").strip() or (line.get("text") or "").strip()):
        return "neither title nor text"
    return ""


def _article(line: Line, id_: ArticleId) -> Article:
    text = line.get("text") or ""
    return Article(
        id=id_,
        url=str(line.get("url") or ""),
        title=line.get("title") or "",
        text=text,
        publisher=line["publisher"] if isinstance(line.get("publisher"), str) else "",
        published=_time(line.get("published")),
        fingerprint=fingerprint(text),
    )


def _time(written: object) -> datetime | None:
    """A time as ISO text or as seconds or milliseconds since 1970; None for what is none."""
    try:
        if isinstance(written, (int, float)) and not isinstance(written, bool):
            return datetime.fromtimestamp(written / 1000 if abs(written) > 1e11 else written, tz=UTC)
        if isinstance(written, str) and written.strip():
            if written.strip().isdigit() and len(written.strip()) >= 9:
                return _time(int(written))
            read = datetime.fromisoformat(written.strip())
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
