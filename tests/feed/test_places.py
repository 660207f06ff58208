"""Places that are worked out without building a feed are those of the feed."""

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.feed import places as module
from broadsheet.feed.build import STANDARD, Recipe, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.places import Places, Unsure
from broadsheet.model import Follow, Topic, Weight
from tests.builders import HOUR, NOON, a_reader, a_story
from tests.feed.strategies import situations

law = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
CHESS = Topic(id="20000822", label="chess")
FOLLOW = Follow(kind="topic", value=CHESS.id, label="Chess")
SHORT = Recipe.of({"length": 3})


def pages(reader, edition, recipe, reach):
    order, items = [], {}
    while len(order) < reach:
        page = build_feed(reader, edition, recipe, NOON, np.random.default_rng(3), before=order)
        order += [item.story for item in page.items]
        items |= {item.story: item for item in page.items}
        if len(page.items) < recipe.length:
            break
    return order[:reach], items


def asked_of(reader, edition, recipe, reach):
    seed = int(np.random.default_rng(3).integers(0, 2**63))
    return Places(reader=reader, edition=edition, recipe=recipe, now=NOON, seed=seed, reach=reach)


def others(reader):
    """The same reader, a thing or two otherwise."""
    return st.sampled_from(
        [
            reader,
            replace(reader, follows=(*reader.follows, FOLLOW)),
            replace(reader, follows=reader.follows[1:]),
            replace(reader, weights={}),
            replace(reader, weights={**reader.weights, ("topic", CHESS.id): Weight(value=0.01, at=NOON)}),
            replace(reader, tuning={**reader.tuning, "importance": 0.0}),
            replace(reader, tuning={**reader.tuning, "diversity": 0.5}),
            replace(reader, tuning={**reader.tuning, "likeness": 2.0}),
            replace(reader, budget={}),
            replace(reader, budget={"topic": 0.5}),
            replace(reader, languages=()),
            replace(reader, opened={}, shown={}),
        ]
    )


@law
@given(situations(), st.sampled_from([1, 2, 4, 100]), st.data())
def test_a_place_is_that_of_the_feed_and_what_the_stories_above_take_is_what_the_feed_says(situation, reach, data):
    stories, reader = situation
    edition = Edition.of(stories, NOON)
    asked = asked_of(reader, edition, SHORT, reach)
    for changed in (data.draw(others(reader)), data.draw(others(reader))):  # what was kept of one misleads no other
        order, items = pages(changed, edition, SHORT, reach)
        for story in edition.ids:
            try:
                found = asked.find(changed, story)
            except Unsure:
                continue
            assert (found.place if found else None) == (order.index(story) + 1 if story in order else None)
            if found is not None and found.lost:
                assert items[story].reasons[-len(found.lost) :] == found.lost


def newsroom():
    topics = [(), (CHESS,), (Topic(id="20000065", label="elections"),)]
    return Edition.of([a_story(f"n{n}", topics=topics[n % 3], last_seen=NOON - n * HOUR) for n in range(60)], NOON)


def test_what_a_change_leaves_below_the_first_places_is_known_without_picking(monkeypatch):
    edition, reader = newsroom(), a_reader(follows=(FOLLOW,))
    recipe = Recipe.of({"off": ["exploration"], "length": 5})
    asked = asked_of(reader, edition, recipe, 10)
    low = min(edition.ids, key=lambda story: edition.last_seen[edition.index[story]])
    fond = replace(reader, weights={("topic", "20000065"): Weight(value=0.001, at=NOON)})
    assert asked.find(reader, low) is None
    assert asked.find(replace(reader), low) is None
    picked = []
    monkeypatch.setattr(module, "best_first", lambda *given: picked.append(given) or iter(()))
    assert asked.find(replace(reader, mutes=()), low) is None
    assert not picked
    # what rises may come in: then it is picked anew
    asked.find(fond, low)
    asked.find(replace(reader, follows=()), low)
    assert len(picked) == 2


def test_how_many_are_ahead_is_counted_as_if_every_vector_were_read():
    rng = np.random.default_rng(1)
    vectors = [rng.normal(size=16).astype("<f2").tobytes() for _ in range(60)]
    stories = [a_story(f"n{n}", vector=vectors[n], last_seen=NOON - n * HOUR) for n in range(60)]
    edition, reader = Edition.of(stories, NOON), a_reader(interest=vectors[3], interest_mass=5.0)
    asked = asked_of(reader, edition, STANDARD, 10)
    desk = asked._desk(reader)
    points = sum(scorer.points(desk) for scorer in STANDARD.scorers)
    for row, story in enumerate(edition.ids):
        assert asked.ahead(story) == int(np.count_nonzero(points > points[row] + 1e-12))
