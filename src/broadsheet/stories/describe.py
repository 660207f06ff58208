"""What a story says of itself: a headline, key points and days, every one quoted from an article of it."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np

from broadsheet.model import (
    Article,
    ArticleId,
    Entity,
    EntityType,
    Passage,
    Story,
    StoryId,
    Topic,
    bytes_of,
    named,
    vector_of,
)
from broadsheet.stories.features import words
from broadsheet.stories.narrative import Narrative
from broadsheet.stories.sentences import FIRST, Read, Reading, Sentences, central, plain
from broadsheet.stories.timeline import tell

KEY_POINTS = 4
RECENT, FIRST_SENTENCES = 300, 25  # articles of a long story, and sentences of each, that its timeline is made from
READ = 40  # articles whose sentences are read: a larger story adds no new sentence worth quoting
SENTENCES = max(FIRST_SENTENCES, 2 * FIRST)  # of one article that are read at all
LARGE = 20  # articles from which on a story's are remembered by those who describe it again and again
ENTITIES, TOPICS, AUTHORS = 20, 6, 6
WHOLE = 0.5  # an article of this confidence or less is a feed's summary, or may be cut off
JOINED_HALF_LIFE = timedelta(hours=3)  # the same as `feed.score.Importance.half_life`

_BAIT = re.compile(
    r"(?i)\?\s*$|^\s*(?:\d+|five|six|seven|ten) (?:things|reasons|ways|takeaways|times|photos)|you (?:won['’]t|need to know|should)|"
    r"here['’]?s (?:why|what|how)|what (?:we|you) (?:know|need)|\bthis (?:is|one)\b|\b(?:opinion|analysis|watch|video|live|"
    r"podcast|quiz|gallery|photos|in pictures|letters?|editorial|explainer)\s*[:|–-]|\blive (?:updates|blog)\b|…\s*$|\.\.\.\s*$"
)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def reading(passages: Sentences | None = None, *, most: int = 0) -> Reading:
    """A reader of articles for `describe`, which remembers the `most` latest. `passages` cuts one into sentences; each key
    point and each moment is one of them."""
    return Reading(passages or plain, SENTENCES, most)


def described_by(articles: Sequence[Article]) -> list[Article]:
    """Those of a story's articles, in order, whose words describe it: of a large story the first and the latest. Of the
    others only time, publisher and source are asked for, so that a story of thousands costs what one of hundreds does."""
    own = [a for a in articles if a.copy_of is None] or list(articles[:1])
    return own if len(own) <= READ + RECENT else [*own[:READ], *own[-RECENT:]]


def describe(
    id: StoryId,  # noqa: A002
    articles: Sequence[Article],
    passages: Sentences | Reading | None = None,
    said: Mapping[ArticleId, Sequence[str]] = MappingProxyType({}),
) -> Story:
    """The story of these articles. Raises `ValueError` where there is none.

    `passages` cuts an article into sentences, or is a `reading` that remembers them. `said` has whom each article quotes,
    as it calls them.
    """
    if not articles:
        raise ValueError("a story has at least one article")
    read = passages if isinstance(passages, Reading) else reading(passages)
    placed = in_order(articles)
    own = [a for a in placed if a.copy_of is None] or placed[:1]
    telling = described_by(placed)
    lead = lead_of(own)
    first, last = _seen(placed)
    vector, model = _vector(telling)
    reads = {a.id: read(a, keep=len(own) >= LARGE) for a in telling}
    told = Narrative([reads[a.id] for a in own[-RECENT:]], FIRST_SENTENCES)
    return Story(
        id=id,
        headline=lead.title,
        articles=tuple(a.id for a in placed),
        publishers=tuple(dict.fromkeys(a.publisher for a in placed if a.publisher)),
        first_seen=first,
        last_seen=last,
        independent=len({_who(a) for a in own}),
        velocity=velocity(own, last),
        sources=tuple(dict.fromkeys(a.source for a in placed if a.source)),
        authors=_authors(own),
        words=max((len(a.text.split()) for a in own[:READ] if a.confidence > WHOLE), default=0),
        voices=voices(own, said),
        key_points=key_points(lead, own[:READ], [reads[a.id] for a in own[:READ]]),
        timeline=tell(told, sentences=1),
        entities=_entities(telling),
        topics=_topics(telling),
        language=next((name for name, _ in Counter(a.language for a in telling if a.language).most_common(1)), ""),
        image=lead.image or next((a.image for a in telling if a.image), ""),
        lead=lead.id,
        vector=vector,
        vector_model=model,
    )


def in_order(articles: Sequence[Article]) -> list[Article]:
    """In order of time; what has none stands first, and articles of one time in the order of their ids."""
    return sorted(articles, key=lambda a: (a.time or _LONG_AGO, a.id))


def _seen(placed: Sequence[Article]) -> tuple[datetime, datetime]:
    times = [a.time for a in placed if a.time is not None]
    return (times[0], times[-1]) if times else (_LONG_AGO, _LONG_AGO)


def _who(article: Article) -> str:
    return (article.publisher or article.source or article.id).casefold()


def velocity(own: Sequence[Article], at: datetime) -> float:
    """Independent publishers an hour that were joining the first at that time: each counts half as much every
    `JOINED_HALF_LIFE` since its first article there.

    What spreads now foretells who will report it next; how fast publishers came on a story's first day does not (0007).
    """
    joined: dict[str, datetime] = {}
    for a in own:
        if a.time is not None:
            joined.setdefault(_who(a), a.time)
    left = sum(0.5 ** ((at - when) / JOINED_HALF_LIFE) for when in list(joined.values())[1:])
    return float(left * math.log(2) / (JOINED_HALF_LIFE / timedelta(hours=1)))


def lead_of(own: Sequence[Article]) -> Article:
    """The article whose headline stands for the story: it says what most of the others say, plainly."""
    if len(own) == 1:
        return own[0]
    bags = [frozenset(words(a.title)) for a in own[:READ]]
    held = Counter(w for bag in bags for w in bag)

    def worth(place: int) -> tuple[float, int, str]:
        article, bag = own[place], bags[place]
        shared = sum(held[w] - 1 for w in bag) / (len(bag) + 3) / max(1, len(bags) - 1)
        told = 0.15 if len(article.text) > 400 else 0.0
        bait = 0.5 if _BAIT.search(article.title) else 0.0
        shout = 0.2 if article.title.isupper() else 0.0
        size = 0.2 if not 4 <= len(article.title.split()) <= 22 and len(bag) < 8 else 0.0
        return shared + told - bait - shout - size, -place, article.id

    titled = [place for place in range(len(bags)) if own[place].title]
    return own[max(titled, key=worth)] if titled else own[0]


def key_points(lead: Article, own: Sequence[Article], read: Sequence[Read]) -> tuple[Passage, ...]:
    """The points that publishers set above their texts, where the text has them; else the most telling sentences."""
    found: list[Passage] = []
    for article in [lead, *(a for a in own if a.id != lead.id)]:
        for point in article.key_points:
            start = article.text.find(point) if point else -1
            if start >= 0:
                found.append(Passage(article=article.id, text=point, start=start, end=start + len(point)))
        if len(found) >= 2:
            break
    found = found[:KEY_POINTS]
    seen = [frozenset(words(p.text)) for p in found]
    for passage in central(read, most=KEY_POINTS + 2):
        bag = frozenset(words(passage.text))
        if len(found) < KEY_POINTS and not any(2 * len(bag & other) >= min(len(bag), len(other)) for other in seen):
            found.append(passage)
            seen.append(bag)
    return tuple(found)


def _authors(own: Sequence[Article]) -> tuple[str, ...]:
    """Who wrote the articles. A publisher that signs with its own name names nobody."""
    found: dict[str, str] = {}
    for article in own[: READ + RECENT]:
        for author in article.authors:
            if (name := named(author)) and name != named(article.publisher):
                found.setdefault(name, " ".join(author.split()))
    return tuple(found.values())[:AUTHORS]


def voices(own: Sequence[Article], said: Mapping[ArticleId, Sequence[str]]) -> int:
    """How many people the articles quote by name: those speakers whom they name as persons."""
    found: set[str] = set()
    for article in own[:READ]:
        people = {named(entity.text) for entity in article.entities if entity.type == "person"}
        found |= people.intersection(map(named, said.get(article.id, ())))
    return len(found)


def _entities(own: Sequence[Article]) -> tuple[Entity, ...]:
    counts: Counter[tuple[str, EntityType]] = Counter()
    shown: dict[tuple[str, EntityType], str] = {}
    for article in own:
        for entity in article.entities:
            key = (entity.text.casefold(), entity.type)
            counts[key] += entity.count
            shown.setdefault(key, entity.text)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:ENTITIES]
    return tuple(Entity(text=shown[key], type=key[1], count=count) for key, count in ranked)


def _topics(own: Sequence[Article]) -> tuple[Topic, ...]:
    """The mean weight of each topic over the articles, so that one article's odd topic fades."""
    weights: defaultdict[str, float] = defaultdict(float)
    known: dict[str, Topic] = {}
    for article in own:
        for topic in article.topics:
            weights[topic.id] += topic.weight / len(own)
            known.setdefault(topic.id, topic)
    ranked = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:TOPICS]
    return tuple(replace(known[id], weight=min(1.0, weight)) for id, weight in ranked if weight > 0)  # noqa: A001


def _vector(own: Sequence[Article]) -> tuple[bytes, str]:
    """The mean direction of the articles whose vectors are of one model: the commonest."""
    models = Counter(a.vector_model for a in own if a.vector)
    if not models:
        return b"", ""
    model = models.most_common(1)[0][0]
    vectors = [vector_of(a.vector) for a in own if a.vector and a.vector_model == model]
    alike = [v for v in vectors if v.shape == vectors[0].shape]
    total = np.sum([v / (float(np.linalg.norm(v)) or 1.0) for v in alike], axis=0)
    size = float(np.linalg.norm(total))
    return bytes_of(total / size if size else total), model
