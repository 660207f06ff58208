"""Editions and readers of every kind, small enough to look at."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from broadsheet.model import Entity, Follow, Mute, Passage, SourceId, StoryId, Topic, Weight, bytes_of
from tests.builders import DAY, HOUR, NOON, a_reader, a_story

TOPICS = ("chess", "sport", "war", "law")
NAMES = ("Ada Lovelace", "Oslo", "United Nations", "Kim")
PUBLISHERS = ("Gazette", "Herald", "Bugle", "Post", "Times")
AUTHORS = ("Grace Hopper", "Reuters")
WORDS = ("storm", "vote", "match", "court", "kim")

stories_of = st.builds(
    lambda n, topics, names, publishers, words, hours, span, language, seed: a_story(
        " ".join(words),
        id=StoryId(f"{n:016x}"),
        topics=tuple(Topic(id=t, label=t.title(), weight=(i + 1) / len(topics)) for i, t in enumerate(topics)),
        entities=tuple(Entity(text=name, type="person", count=1 + i) for i, name in enumerate(names)),
        publishers=tuple(publishers),
        sources=tuple(SourceId(p.lower()) for p in publishers),
        independent=max(len(publishers), 1),
        velocity=len(publishers) / 3,
        authors=AUTHORS[: seed % 3],
        words=137 * seed,
        voices=seed % 4,
        first_seen=NOON - (hours + span) * HOUR,
        last_seen=NOON - hours * HOUR,
        language=language,
        key_points=(Passage(article="a", text=" ".join(reversed(words)), start=0, end=1),),
        vector=bytes_of(np.random.default_rng(seed).standard_normal(6)) if seed else b"",
    ),
    n=st.integers(0, 2**60),
    topics=st.lists(st.sampled_from(TOPICS), max_size=3, unique=True),
    names=st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
    publishers=st.lists(st.sampled_from(PUBLISHERS), max_size=4, unique=True),
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    hours=st.floats(0, 300),
    span=st.floats(0, 50),
    language=st.sampled_from(("en", "de", "")),
    seed=st.integers(0, 5),
)
editions = st.lists(stories_of, max_size=25, unique_by=lambda story: story.id)

kinds = st.sampled_from(
    [("topic", t) for t in TOPICS]
    + [("person", n) for n in NAMES]
    + [("publisher", p) for p in PUBLISHERS]
    + [("keyword", w) for w in WORDS]
    + [
        ("search", q)
        for q in (
            "storm -vote",
            "topic:war",
            "lang:de court",
            "publisher:gaz place:Oslo",
            "after:2026-07-28 kim",
            "-kim",
        )
    ]
)
follows = st.lists(kinds.map(lambda k: Follow(kind=k[0], value=k[1], label=k[1])), max_size=4, unique=True)
mutes = st.lists(
    st.builds(
        lambda k, days: Mute(kind=k[0], value=k[1], until=None if days == 0 else NOON + days * DAY),
        kinds,
        st.integers(-1, 1),
    ),
    max_size=2,
)
weights = st.dictionaries(
    st.one_of(
        st.sampled_from(TOPICS).map(lambda t: ("topic", t)),
        st.sampled_from(NAMES).map(lambda n: ("entity", n.casefold())),
        st.sampled_from(PUBLISHERS).map(lambda p: ("publisher", p.casefold())),
        st.sampled_from(AUTHORS).map(lambda a: ("author", a.casefold())),
    ),
    st.builds(
        lambda x, d, pinned: Weight(value=x, at=NOON - d * DAY, pinned=pinned),
        st.floats(-3, 3),
        st.integers(0, 90),
        st.booleans(),
    ),
    max_size=5,
)


@st.composite
def readers(draw, stories=()):
    ids = [story.id for story in stories] or [StoryId("none")]
    some = st.lists(st.sampled_from(ids), max_size=4, unique=True)
    vector = st.integers(1, 5).map(lambda seed: bytes_of(np.random.default_rng(seed + 50).standard_normal(6)))
    reader = a_reader(
        follows=tuple(draw(follows)),
        mutes=tuple(draw(mutes)),
        weights=draw(weights),
        languages=draw(st.sampled_from(((), ("en",), ("de", "en")))),
        hidden=frozenset(draw(some)),
        opened=dict.fromkeys(draw(some), NOON - draw(st.sampled_from((DAY, HOUR / 6)))),
        shown=dict.fromkeys(draw(some), 2),
        subscriptions=frozenset(draw(st.lists(st.sampled_from(("gazette", "post")), max_size=2))),
        home=tuple(draw(st.lists(st.sampled_from(("Oslo", "Kim", "storm")), max_size=2, unique=True))),
        tuning=draw(
            st.dictionaries(st.sampled_from(("freshness", "follows", "diversity")), st.floats(0, 3), max_size=2)
        ),
    )
    if draw(st.booleans()):
        reader = replace(
            reader, interest=draw(vector), interest_mass=3.0, disinterest=draw(vector), disinterest_mass=1.0
        )
    return reader


@st.composite
def situations(draw):
    stories = draw(editions)
    return stories, draw(readers(stories))
