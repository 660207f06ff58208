"""What people said of the grouping, as labelled pairs of articles: for `broadsheet train stories`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np
from sqlalchemy import Connection

from broadsheet import store
from broadsheet.model import Article, ArticleId, Reader, Regrouping, Story, vector_of
from broadsheet.readers.profile import fold
from broadsheet.stories.correction import Pair

LEFT_ALONE = 300  # pairs of which nobody spoke, of either kind
RECENT = 3000  # stories among which they are looked for


def words(c: Connection) -> list[Regrouping]:
    """Everything that operators and readers say of the grouping now: nothing that was undone, of each person only the
    last word on two articles, and of readers only what no operator speaks of."""
    ruled = [ruling.word for ruling in store.regroupings.standing(c)]
    pairs = {frozenset((word.one, word.other)) for word in ruled}
    said: list[Regrouping] = []
    for reader, events in groupby(store.readers.regroupings(c), key=lambda event: event.reader):
        own = fold(Reader(id=reader), [(event, None) for event in events]).regroupings
        said += [word for word in own if frozenset((word.one, word.other)) not in pairs]
    return [*ruled, *said]


def labelled_pairs(c: Connection) -> list[Pair]:
    """Each word that stands, with both of its articles; one on an article that is gone is left away."""
    said = words(c)
    articles = {a.id: a for a in store.articles.many(c, (i for w in said for i in (w.one, w.other)), html=False)}
    return [
        Pair(one=one, other=other, same=word.same, a_day=a_day(c, [one, other]))
        for word in said
        if (one := articles.get(word.one)) and (other := articles.get(word.other))
    ]


def left_alone(c: Connection, since: datetime, but: Iterable[Pair]) -> list[Pair]:
    """Pairs since then of which nobody spoke: the latest two articles of a story, and two stories whose vectors are
    nearest. The same each time for the same stories."""
    spoken = {article.id for pair in but for article in (pair.one, pair.other)}
    stories = list(store.stories.live(c, since))[-RECENT:]
    chosen: list[tuple[ArticleId, ArticleId, bool]] = []
    several = sorted((s for s in stories if len(s.articles) > 1), key=lambda s: s.id)
    chosen += [(s.articles[-2], s.articles[-1], True) for s in several if not spoken & set(s.articles)][:LEFT_ALONE]
    chosen += [
        (one.articles[0], other.articles[0], False)
        for one, other in _nearest(stories)
        if not spoken & {*one.articles, *other.articles}
    ][:LEFT_ALONE]
    articles = {
        a.id: a for a in store.articles.many(c, (i for one, other, _ in chosen for i in (one, other)), html=False)
    }
    return [
        Pair(
            one=articles[one],
            other=articles[other],
            same=same,
            a_day=a_day(c, [articles[one], articles[other]]),
            said=False,
        )
        for one, other, same in chosen
        if one in articles and other in articles
    ]


def _nearest(stories: Sequence[Story]) -> list[tuple[Story, Story]]:
    """Each story with the one whose vector is nearest, each two once; by id, so that a few are a fair sample."""
    sizes = [len(s.vector) for s in stories]
    common = max(set(sizes) - {0}, key=sizes.count, default=0)
    with_vector = sorted((s for s in stories if common and len(s.vector) == common), key=lambda s: s.id)
    if len(with_vector) < 2:
        return []
    vectors = np.stack([vector_of(s.vector) for s in with_vector])
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    found: dict[tuple[int, int], None] = {}
    for n in range(len(with_vector)):
        near = vectors @ vectors[n]
        near[n] = -2.0
        best = int(near.argmax())
        found[min(n, best), max(n, best)] = None
    return [(with_vector[n], with_vector[m]) for n, m in found]


def a_day(c: Connection, articles: Sequence[Article]) -> float:
    """How many articles the stream brought in the day up to the later of these; 100 where none has a time."""
    last = max((a.time for a in articles if a.time), default=None)
    return 100.0 if last is None else float(max(1, store.articles.count_between(c, last - timedelta(days=1), last)))
