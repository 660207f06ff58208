"""The map of topics: what shares stories lies together, nothing lies on anything else, and it is the same for everybody."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.feed.atlas import MOST, Region, atlas, packed
from broadsheet.feed.edition import Edition
from broadsheet.model import Topic, bytes_of
from tests.builders import NOON, a_source, a_story

CODES = [f"{n:02}000000" for n in range(1, 18)]


def topics(*codes):
    return tuple(Topic(id=code, label=f"topic {code}") for code in codes)


def a_world(groups=3, each=3, stories=6, **fields):
    """Subjects in groups: those of one group share half of their stories, and their stories say alike things."""
    made = []
    for group in range(groups):
        codes = CODES[group * each : group * each + each]
        for n, code in enumerate(codes):
            for story in range(stories):
                both = (code, codes[(n + 1) % each]) if story % 2 else (code,)
                vector = np.random.default_rng(group).standard_normal(8) + 0.2 * np.random.default_rng(story).random(8)
                made.append(a_story(f"{code} {story}", topics=topics(*both), vector=bytes_of(vector), **fields))
    return made


def test_topics_that_share_stories_lie_together():
    regions = atlas(Edition.of(a_world(), NOON)).regions
    assert len(regions) == 9
    group = {region.topic: CODES.index(region.topic) // 3 for region in regions}
    inside, outside = [], []
    for a in regions:
        for b in regions:
            if a.topic < b.topic:
                apart = ((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5
                (inside if group[a.topic] == group[b.topic] else outside).append(apart)
    assert np.mean(inside) < 0.6 * np.mean(outside)


def test_lines_join_only_topics_that_share_a_story():
    drawn = atlas(Edition.of(a_world(), NOON))
    assert drawn.threads
    for a, b in drawn.threads:
        pair = [CODES.index(drawn.regions[i].topic) // 3 for i in (a, b)]
        assert pair[0] == pair[1]


@given(st.randoms())
def test_the_order_in_which_stories_come_draws_the_same_map(rng):
    stories = a_world(stories=3)
    shuffled = stories[:]
    rng.shuffle(shuffled)
    assert atlas(Edition.of(shuffled, NOON)) == atlas(Edition.of(stories, NOON))


def test_where_little_is_reported_there_is_no_map():
    assert atlas(Edition.of((), NOON)).regions == ()
    assert atlas(Edition.of(a_world(groups=1), NOON)).regions == ()


def test_stories_without_vectors_have_a_map_too():
    bare = [a_story(f"{code} {n}", topics=topics(code)) for code in CODES[:6] for n in range(3)]
    regions = atlas(Edition.of(bare, NOON)).regions
    assert len({(r.x, r.y) for r in regions}) == 6


def test_what_only_a_private_source_reports_is_not_on_the_map():
    source = a_source()
    hidden = [a_story(f"secret {n}", topics=topics("01010000", "12000000"), sources=(source.id,)) for n in range(9)]
    edition = Edition.of([*a_world(), *hidden], NOON, private=frozenset({source.id}))
    assert not {"01010000", "12000000"} & {r.topic for r in atlas(edition).regions}


def test_a_topic_that_is_nearly_another_is_shown_once():
    twins = [a_story(f"twin {n}", topics=topics("15000000", "20000822")) for n in range(8)]
    own = [a_story(f"own {n}", topics=topics("20000065")) for n in range(4)]
    shown = {r.topic for r in atlas(Edition.of([*a_world(), *twins, *own], NOON)).regions}
    assert "15000000" in shown
    assert "20000822" not in shown
    assert "20000065" in shown


regions_of = st.lists(
    st.builds(Region, topic=st.just(""), label=st.just(""), stories=st.integers(1, 900), x=st.floats(0, 1), y=st.floats(0, 1)),
    max_size=MOST,
)  # fmt: skip


@given(regions_of, st.sampled_from(((12, 30), (6, 40))))
def test_no_circle_lies_on_another_or_beside_the_paper(regions, sheet):
    columns, rows = sheet  # desk.css has a class for so many rows
    squares = packed(tuple(regions[: MOST if columns == 12 else 16]), columns)
    cells = [(c + i, r + j) for c, r, span in squares for i in range(span) for j in range(span)]
    assert len(cells) == len(set(cells))
    assert all(0 <= c < columns and 0 <= r < rows for c, r in cells)
    assert len({r for _, r in cells}) == max((r + 1 for _, r in cells), default=0)


def test_more_stories_make_a_larger_circle():
    regions = tuple(Region(str(n), "", n, 0.5, 0.5) for n in (900, 400, 30, 1))
    spans = [span for _, _, span in packed(regions, 12)]
    assert spans == sorted(spans, reverse=True)
    assert spans[0] > spans[-1]
