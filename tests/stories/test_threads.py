"""Long stories: which stories belong together, what is forgotten, and what a thread is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.model import Entity, Passage, ThreadId, bytes_of, identify
from broadsheet.stories.threads import FEATURES, OpenThreads, Threading, roots, thread
from tests.builders import DAY, NOON, a_story

WAR = (
    "Sudan: army retakes a bridge in Khartoum from the Rapid Support Forces",
    "Sudan: Rapid Support Forces shell the army in Khartoum across the bridge",
    "Sudan: drone strike by the Rapid Support Forces on the army in Khartoum kills thirty",
    "Sudan: Rapid Support Forces and army trade fire in Khartoum near the bridge",
    "Sudan: army says it drove the Rapid Support Forces from Khartoum to El Fasher",
)
TRIAL = (
    "Bolsonaro trial opens in Brazil's Supreme Court over coup plot",
    "Brazil's Supreme Court hears Bolsonaro's former aide in coup plot trial",
    "Bolsonaro convicted of coup plot by Brazil's Supreme Court",
)
ALONE = (
    "Cork bakers win back their stone oven",
    "Osaka museum returns a stolen portrait",
    "Chess prodigy from Tallinn beats the champion",
)
NAMES = {
    "Sudan": "place", "Khartoum": "place", "Rapid Support Forces": "organisation", "El Fasher": "place",
    "Brazil": "place", "Bolsonaro": "person", "Supreme Court": "organisation", "Cork": "place", "Osaka": "place",
}  # fmt: skip


def a_told(headline, day=0, **fields):
    """A story as it is described, with the names of its headline and a vector of its own kind."""
    kind = next((n for n, group in enumerate((WAR, TRIAL)) if headline in group), 2 + len(headline))
    vector = np.zeros(64) + 0.01 * np.cos(np.arange(64) * len(headline))
    vector[kind] = 1.0
    entities = tuple(Entity(text=name, type=type_, count=1) for name, type_ in NAMES.items() if name in headline)
    when = NOON + day * DAY
    point = Passage(article=identify(headline), text=f"{headline}.", start=0, end=len(headline) + 1)
    return a_story(
        headline,
        **{
            "first_seen": when,
            "last_seen": when,
            "entities": entities,
            "key_points": (point,),
            "vector": bytes_of(vector),
        }
        | fields,
    )


def run(stories, rules=None):
    threads = OpenThreads(rules)
    return [threads.assign(story).thread for story in stories], threads


STREAM = [
    a_told(headline, 3 * n)
    for n, headline in enumerate(
        (WAR[0], ALONE[0], WAR[1], TRIAL[0], WAR[2], ALONE[1], TRIAL[1], WAR[3], ALONE[2], TRIAL[2], WAR[4])
    )
]


def test_a_war_and_a_trial_become_one_thread_each_and_what_has_nothing_to_do_with_them_stays_alone():
    found, _ = run(STREAM)
    of = dict(zip((s.headline for s in STREAM), found, strict=True))
    assert len({of[h] for h in WAR}) == 1
    assert len({of[h] for h in TRIAL}) == 1
    assert len({of[WAR[0]], of[TRIAL[0]], *(of[h] for h in ALONE)}) == 5
    assert of[WAR[4]] == identify("thread", STREAM[0].id)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=11))
def test_the_same_stories_in_other_batches_with_a_restart_between_give_the_same_threads(sizes):
    whole, _ = run(STREAM)
    threads, found, kept = OpenThreads(), [], {}
    rest = list(STREAM)
    for size in [*sizes, len(STREAM)]:
        batch, rest = rest[:size], rest[size:]
        placed = [threads.assign(story) for story in batch]
        found += [p.thread for p in placed]
        kept |= {p.thread: threads.memory(p.thread) for p in placed}
        threads = OpenThreads.restored(reversed(kept.values()))  # all that is left of it is what was kept
    assert found == whole


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(len(STREAM))))
def test_what_is_offered_does_not_depend_on_stories_that_were_forgotten(order):
    """A restart and a run that went on offer a new story the same threads at the same odds, whatever came and went."""
    old = [replace(STREAM[n], first_seen=NOON - 900 * DAY, last_seen=NOON - 900 * DAY + n * DAY) for n in order]
    _, threads = run(old)
    threads.forget(NOON)
    assert len(threads) == 0
    fresh = OpenThreads()
    for story in STREAM[:6]:
        assert threads.assign(story) == fresh.assign(story)
    for one, other in zip(threads.look(STREAM[6])[1:], fresh.look(STREAM[6])[1:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_thread_of_many_stories_is_kept_longer_in_silence_than_one_of_a_single_one():
    _, threads = run(STREAM)
    war, single = identify("thread", STREAM[0].id), identify("thread", STREAM[1].id)
    assert threads.memory(ThreadId(war)).until - STREAM[-1].last_seen > timedelta(days=150)
    assert threads.memory(ThreadId(single)).until - STREAM[1].last_seen == Threading().quiet
    threads.forget(NOON + 100 * DAY)
    assert war in threads
    assert single not in threads


def test_what_a_thread_keeps_does_not_grow_with_its_stories():
    many = [a_told(WAR[n % 5], n, id=identify("again", str(n))) for n in range(60)]
    found, threads = run(many)
    assert len(set(found)) == 1
    size = len(threads.memory(found[0]).memory)
    for n in range(60, 90):
        threads.assign(a_told(WAR[n % 5], n, id=identify("again", str(n))))
    assert len(threads.memory(found[0]).memory) < 1.2 * size < 60_000
    assert sum(row is not None for row in threads._rows) == Threading().kept


def test_a_story_stays_in_its_thread_unless_it_is_alone_there_and_has_grown_into_another():
    vague = a_told("Fighting goes on", 1, vector=b"")
    threads = OpenThreads()
    for n in (0, 1, 2):
        threads.assign(a_told(WAR[n], n))
    first = threads.assign(vague)
    assert first.is_new
    grown = replace(a_told(WAR[3], 4), id=vague.id)
    again = threads.assign(grown, first.thread)
    assert again.thread == identify("thread", a_told(WAR[0]).id)
    assert again.left == first.thread
    assert first.thread not in threads
    assert threads.assign(replace(vague, last_seen=NOON + 9 * DAY), again.thread).thread == again.thread


def test_a_story_that_is_absorbed_takes_its_own_thread_along_and_leaves_a_shared_one():
    found, threads = run(STREAM)
    assert threads.leave(found[1], STREAM[1].id)
    assert found[1] not in threads
    assert not threads.leave(found[0], STREAM[0].id)
    assert found[0] in threads


def test_a_story_without_a_word_a_name_or_a_vector_is_a_thread_of_its_own():
    odd = [a_story("", id=identify(str(n))) for n in range(3)] + [a_story("?!", id="odd", vector=b"\x00\x00")]
    found, _ = run([*STREAM, *odd])
    assert len(set(found[-4:])) == 4


def test_peoples_and_their_countries_share_a_root():
    assert set(roots("Israelis")) == set(roots("Israel"))
    assert set(roots("Ukraine")) == set(roots("Ukrainian"))
    assert roots("no capitals at all") == []


def test_a_thread_is_named_by_names_that_most_of_its_stories_share_as_they_write_them():
    made = thread(ThreadId("t"), [a_told(headline, n) for n, headline in enumerate(WAR)])
    assert made.name == "Sudan · Khartoum · Rapid Support Forces"
    assert made.stories == tuple(a_told(h).id for h in WAR)
    assert (made.first_seen, made.last_seen) == (NOON, NOON + 4 * DAY)
    assert all(entity.count >= 2 for entity in made.entities)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["Gaza", "gaza", "Gaza Strip", "Israel", "UN", "Cairo"]), max_size=5),
        min_size=1,
        max_size=9,
    )
)
def test_a_name_holds_only_what_at_least_two_stories_say(named_in):
    stories = [
        a_story(str(n), entities=tuple(Entity(text=name, type="place") for name in names))
        for n, names in enumerate(named_in)
    ]
    made = thread(ThreadId("t"), stories)
    for part in filter(None, made.name.split(" · ")):
        assert sum(any(name.casefold() == part.casefold() for name in names) for names in named_in) >= 2
        assert any(part in names for names in named_in)
    assert {e.text for e in made.entities} >= set(filter(None, made.name.split(" · ")))


def test_there_is_a_feature_for_every_column():
    _, threads = run(STREAM[:5])
    _, offered, rows = threads.look(STREAM[7])
    assert rows.shape == (len(offered), len(FEATURES))
    assert np.isfinite(rows[:, FEATURES.index("days")]).all()


def test_no_more_threads_are_open_than_memory_is_meant_for_and_a_long_story_outlives_single_ones():
    syllables = ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti")
    singles = [
        a_told(
            " ".join(f"{syllables[n // 8]}{syllables[n % 8]}{syllables[k]}x" for k in range(6)),
            20,
            vector=bytes_of(np.eye(1, 64, n)[0]),
        )
        for n in range(48)
    ]
    found, threads = run([*(a_told(headline, n) for n, headline in enumerate(WAR)), *singles], Threading(most=10))
    open_ = [t for t in dict.fromkeys(found) if t in threads]
    assert len(set(found)) > 20
    assert len(open_) <= 11
    assert found[0] in threads
