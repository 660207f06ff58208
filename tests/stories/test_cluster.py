"""What online grouping promises: one story each, the older id survives, nothing depends on when it is restored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.model import ArticleId, Regrouping, StoryId, bytes_of, identify
from broadsheet.stories import cluster
from broadsheet.stories.cluster import Grouping, OpenStories, Settled, group, made_of
from broadsheet.stories.features import Rarity, sketch
from broadsheet.stories.index import READ, Index, Rarest
from broadsheet.stories.pairs import Forest, packaged
from broadsheet.stories.shelf import PACK
from tests.builders import DAY, HOUR, NOON, an_article

QUAKE = (
    "A strong earthquake struck off the coast of northern Chile on Saturday, prompting a tsunami warning. "
    "The magnitude 7.6 quake was centred 60 miles from Iquique, the US Geological Survey said."
)
QUAKE_AGAIN = (
    "Thousands fled the coast of northern Chile after a magnitude 7.6 earthquake set off a tsunami warning. "
    "Officials in Iquique said that residents should move to higher ground."
)
BANK = "The Bank of England left interest rates unchanged at 4.5 per cent, as economists had expected, and said so at noon."
WORDS = [
    "harbour",
    "glacier",
    "senator",
    "comet",
    "orchard",
    "violin",
    "strike",
    "budget",
    "referendum",
    "drought",
    "cathedral",
    "vaccine",
    "ferry",
]


def report(title, text="", publisher="Example", hours=0, **fields):
    return an_article(title, text, publisher=publisher, published=NOON + hours * HOUR, **fields)


def print_of(*numbers):
    return np.array([*numbers] * 16, dtype="<u4").tobytes()


def judged_by(title_cosine: float) -> Forest:
    """A forest of one tree: one story where the titles are at least that alike."""
    return Forest(
        {
            "feature": np.array([1, 0, 0]),
            "threshold": np.array([title_cosine, 0, 0]),
            "left": np.array([1, 1, 2]),
            "right": np.array([2, 1, 2]),
            "default": np.array([True, True, True]),
            "value": np.array([0.0, -5.0, 5.0]),
            "roots": np.array([0]),
            "depth": np.array(1),
        }
    )


def test_an_article_that_nothing_resembles_begins_a_story_named_after_it():
    stories = OpenStories()
    article = report("Bank of England leaves interest rates unchanged", BANK)
    found = stories.assign(article)
    assert found.is_new
    assert found.story == StoryId(identify("story", article.id))
    assert stories.articles_of(found.story) == (article.id,)


def test_two_publishers_on_one_event_are_one_story_and_a_third_event_is_not():
    stories = OpenStories()
    first = stories.assign(report("Strong earthquake off northern Chile prompts tsunami warning", QUAKE, "Reuters"))
    other = stories.assign(report("Bank of England leaves interest rates unchanged", BANK, "AP", 1))
    second = stories.assign(report("Tsunami warning after magnitude 7.6 Chile earthquake", QUAKE_AGAIN, "BBC News", 2))
    assert second.story == first.story
    assert not second.is_new
    assert other.story != first.story


def test_a_copy_joins_the_story_of_what_it_repeats_and_names_the_first_of_its_kind():
    long = " ".join(f"word{n}" for n in range(80))
    wire = report("A wire report", long, "Reuters", fingerprint=print_of(1, 2, 3, 4, 5))
    stories = OpenStories()
    first = stories.assign(wire)
    copy = stories.assign(
        report("The same with another headline", long, "Gazette", 1, fingerprint=print_of(1, 2, 3, 4, 5))
    )
    again = stories.assign(report("And once more", long + " end", "Herald", 2, fingerprint=print_of(1, 2, 3, 4, 5)))
    assert (copy.copy_of, again.copy_of) == (wire.id, wire.id)
    assert {first.story, copy.story, again.story} == {first.story}


def test_short_texts_are_never_copies():
    stories = OpenStories()
    stories.assign(report("Weather", "Rain.", fingerprint=print_of(1)))
    assert stories.assign(report("Weather tomorrow", "Rain.", "Gazette", fingerprint=print_of(1))).copy_of is None


def test_two_stories_that_turn_out_to_be_one_are_joined_and_the_older_id_survives():
    # the titles of a and b share nothing; c has half of each
    stories = OpenStories(Grouping(join=0.5, merge=0.0), forest=judged_by(0.3))
    a = stories.assign(report("harbour glacier senator comet"))
    b = stories.assign(report("violin orchard referendum drought", hours=1))
    assert a.story != b.story
    c = stories.assign(report("harbour glacier senator violin orchard referendum", hours=2))
    assert c.story == a.story
    assert c.merged == (b.story,)
    assert len(stories.articles_of(a.story)) == 3
    assert stories.articles_of(b.story) == ()


def test_one_article_that_resembles_two_stories_does_not_join_them_when_they_differ():
    stories = OpenStories(forest=judged_by(0.3))
    stories.assign(report("harbour glacier senator comet"))
    stories.assign(report("violin orchard referendum drought", hours=1))
    c = stories.assign(report("harbour glacier senator violin orchard referendum", hours=2))
    assert c.merged == ()


def test_an_article_that_is_known_stays_where_it_is():
    stories = OpenStories()
    article = report("Bank of England leaves interest rates unchanged", BANK)
    first, again = stories.assign(article), stories.assign(article)
    assert again.story == first.story
    assert not again.is_new
    assert len(stories) == 1


def test_what_was_forgotten_is_closed_and_what_came_later_is_open():
    stories = OpenStories()
    old = stories.assign(report("Strong earthquake off northern Chile prompts tsunami warning", QUAKE))
    new = stories.assign(report("Bank of England leaves interest rates unchanged", BANK, hours=72))
    stories.forget_before(NOON + DAY)
    assert stories.articles_of(old.story) == ()
    assert len(stories.articles_of(new.story)) == 1
    again = stories.assign(report("Tsunami warning after Chile earthquake", QUAKE_AGAIN, "BBC News", 73))
    assert again.is_new


def test_the_memory_of_what_was_closed_is_let_go_and_what_is_open_is_as_if_it_had_come_alone():
    rng = np.random.default_rng(3)
    given = [
        report(" ".join(rng.choice(WORDS, 6)), url=f"u{n}", hours=n / 20, publisher=str(n % 5))
        for n in range(3 * PACK + 200)
    ]
    undated = [replace(a, published=None, first_seen=None) if n % 7 == 0 else a for n, a in enumerate(given)]
    stories = OpenStories()
    stories_of = [StoryId(str(n // 3)) for n in range(len(given))]
    for n, (article, story) in enumerate(zip(undated, stories_of, strict=True)):
        stories.restore(article, story)
        if n % 100 == 0:
            stories.forget_before(NOON + (n - 600) / 20 * HOUR)
    stories.forget_before(limit := NOON + (len(given) - 499) / 20 * HOUR)
    open_ = [(a, s) for n, (a, s) in enumerate(zip(undated, stories_of, strict=True)) if given[n].published >= limit]
    assert len(stories) == len(open_)
    assert len(stories._sketches) < 2 * PACK
    fresh = OpenStories()
    for article, story in open_:
        fresh.restore(article, story)
    for article, story in open_:
        assert stories.story_of(article.id) == story
        assert stories.articles_of(story) == fresh.articles_of(story)
    assert stories.story_of(undated[0].id) is None
    stories._rarity = fresh._rarity  # what the stream taught of words stays
    new = report(given[-1].title, url="new", hours=len(given) / 20)
    assert stories.assign(new).story == fresh.assign(new).story


def test_articles_further_apart_than_the_window_are_never_compared():
    rules = Grouping(window=timedelta(days=2))
    stories = OpenStories(rules)
    stories.assign(report("Strong earthquake off northern Chile prompts tsunami warning", QUAKE, "Reuters"))
    assert stories.assign(report("Strong earthquake off northern Chile: tsunami warning", QUAKE, "AP", 72)).is_new


words_of_pairs = st.builds(
    lambda one, other, same: Regrouping(one=ArticleId(str(one)), other=ArticleId(str(other)), same=same),
    st.integers(0, 20),
    st.integers(21, 40),
    st.booleans(),
)
articles = st.lists(
    st.tuples(st.lists(st.sampled_from(WORDS), min_size=2, max_size=6), st.integers(0, 60), st.sampled_from("ABC")),
    max_size=14,
).map(
    lambda made: [
        replace(report(" ".join(words), publisher=who, hours=hours), id=ArticleId(str(n)))
        for n, (words, hours, who) in enumerate(made)
    ]
)


@settings(max_examples=20, deadline=None)
@given(articles)
def test_every_article_is_in_exactly_one_story_and_the_same_twice(given):
    stories = OpenStories(forest=judged_by(0.5))
    for article in given:
        stories.assign(article)
    found = [stories.story_of(a.id) for a in given]
    for story in set(found):
        assert set(stories.articles_of(story)) == {a.id for a, s in zip(given, found, strict=True) if s == story}
    assert group(given) == group(given)


@settings(max_examples=20, deadline=None)
@given(articles, st.integers(0, 14))
def test_stories_restored_from_a_store_go_on_as_if_they_had_never_stopped(given, cut):
    stories, forest = OpenStories(forest=judged_by(0.5)), judged_by(0.5)
    for article in given[:cut]:
        stories.assign(article)
    restored = OpenStories(forest=forest)
    for article in given[:cut]:
        restored.restore(article, stories.story_of(article.id))
    for article in given[cut:]:
        assert stories.assign(article) == restored.assign(article)


def cut_at(given, cuts):
    edges = [0, *sorted(c for c in cuts if c < len(given)), len(given)]
    return [given[begin:end] for begin, end in pairwise(edges)]


VECTORS = np.random.default_rng(11).normal(size=(3, 8))

many_articles = st.lists(
    st.tuples(
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=6),
        st.integers(0, 60),
        st.sampled_from("ABC"),
        st.integers(0, 3),
        st.booleans(),
        st.integers(0, 40),
    ),
    max_size=40,
).map(
    lambda made: [
        replace(
            report(" ".join(words), "x " * 70 if copied else "", who, hours),
            id=ArticleId(str(id_)),
            vector=bytes_of(VECTORS[way] + 0.3 * VECTORS[n % 3]) if way < 3 else b"",
            published=NOON + hours * HOUR if hours else None,
            first_seen=None,
            fingerprint=print_of(len(words), 2, 3, 4, 5) if copied else b"",
        )
        for n, (words, hours, who, way, copied, id_) in enumerate(made)
    ]
)
JUDGES = [judged_by(0.5), judged_by(0.2), packaged()]
RULES = [Grouping(), Grouping(merge=0.0, every=3), Grouping(join=0.1, unlike=-1.0, far=-1.0, faint=0.0, members=2)]


@settings(max_examples=60, deadline=None)
@given(many_articles, st.lists(st.integers(0, 40)), st.sampled_from(JUDGES), st.sampled_from(RULES), st.integers(2, 40))
def test_it_never_matters_how_many_articles_come_together(given, cuts, judge, rules, at_once):
    one_by_one, together = OpenStories(rules, forest=judge), OpenStories(rules, forest=judge)
    expected = [one_by_one.assign(article) for article in given]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "AT_ONCE", at_once)
        assert [found for some in cut_at(given, cuts) for found in together.assign_all(some)] == expected
    assert [together.story_of(a.id) for a in given] == [one_by_one.story_of(a.id) for a in given]
    assert together._members == one_by_one._members


@settings(max_examples=30, deadline=None)
@given(many_articles, st.lists(st.integers(0, 40)), st.integers(0, 40), st.lists(words_of_pairs, max_size=4))
def test_what_is_decided_again_and_what_people_said_hang_on_no_batch_either(given, cuts, restart, words):
    rules, by_id = Grouping(every=3), {a.id: a for a in given}

    def decided(batches, stories):
        for batch in batches:
            for some in stories.turns(batch):
                yield stories.assign_all(some)
                if ids := stories.unsettled():
                    yield stories.settle([by_id[id_] for id_ in ids], by_first_word)

    def stories_of(stories):
        return {a.id: stories.story_of(a.id) for a in given}

    given = list(by_id.values())
    whole = OpenStories(rules, forest=judged_by(0.4), words=words)
    expected = list(decided([given], whole))
    pieces = OpenStories(rules, forest=judged_by(0.4), words=words)
    list(decided(cut_at(given, cuts), pieces))
    assert stories_of(pieces) == stories_of(whole)
    single = OpenStories(rules, forest=judged_by(0.4), words=words)
    found = list(decided([[article] for article in given], single))
    assert stories_of(single) == stories_of(whole)
    assert [one for one in found if isinstance(one, Settled)] == [one for one in expected if isinstance(one, Settled)]

    before = OpenStories(rules, forest=judged_by(0.4), words=words)
    list(decided([given[:restart]], before))
    restored = OpenStories(rules, forest=judged_by(0.4), words=words)
    restored.restore_all((a, before.story_of(a.id)) for a in given[:restart])
    for article in given[:restart]:
        if before._copy_of.get(article.id):
            restored._copy_of[article.id] = before._copy_of[article.id]
    list(decided([given[restart:]], restored))
    assert stories_of(restored) == stories_of(whole)


@settings(max_examples=20, deadline=None)
@given(articles)
def test_a_story_that_was_absorbed_is_older_nowhere_and_never_comes_back(given):
    stories = OpenStories(Grouping(merge=0.0), forest=judged_by(0.4))
    gone: set[StoryId] = set()
    born: list[StoryId] = []
    for article in given:
        found = stories.assign(article)
        if found.is_new:
            born.append(found.story)
        gone.update(found.merged)
        assert found.story not in gone
        assert all(born.index(found.story) < born.index(old) for old in found.merged)


SERIES = (
    "Your daily horoscope for {weekday}, June {day}",
    "Morning Briefing: what you need to know on June {day}",
    "News quiz of the day: how closely did you follow June {day}?",
    "Weather forecast for Hamburg: June {day}",
    "As it happened: market live blog, June {day} 2023",
    "Wordle today: hints and answer for June {day}",
)


@pytest.mark.parametrize("title", SERIES)
def test_the_instalments_of_a_series_are_not_a_story(title):
    weekdays = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    given = [
        report(title.format(weekday=weekday, day=5 + n), publisher="Gazette", hours=24 * n)
        for n, weekday in enumerate(weekdays)
    ]
    assert len(set(group(given))) == len(given)


def test_a_saga_is_no_story_because_each_of_its_days_resembles_the_last():
    stories = OpenStories()
    first = stories.assign(report("Senate committee opens hearing on court nominee Kavanaugh", publisher="Reuters"))
    later = stories.assign(
        report("Senate narrowly confirms Kavanaugh to court after protests", publisher="AP", hours=24 * 24)
    )
    assert first.story != later.story


@pytest.mark.parametrize(("reports", "joins"), [(2, False), (4, True)])
def test_a_story_of_many_headlines_takes_what_is_near_their_mean_whatever_single_pairs_say(reports, joins):
    stories = OpenStories(forest=judged_by(2.0))  # no two titles are ever that alike
    told = [
        "Tsunami warning after earthquake off northern Chile",
        "Chile earthquake: coast evacuated",
        "Strong earthquake strikes Chile",
        "Earthquake off Chile sets off tsunami warning",
    ]
    for n, title in enumerate(told[:reports]):
        stories.restore(report(title, publisher=f"Paper {n}", hours=n), StoryId("quake"))
    found = stories.assign(report("Tsunami warning lifted after Chile earthquake", publisher="Herald", hours=9))
    assert (found.story == "quake") is joins


def test_what_finding_neighbours_costs_has_a_bound_however_many_articles_there_are():
    index, rarity = Index(), Rarity.packaged()
    once = Rarest.of([sketch(report("Comet seen over harbour"), rarity)])
    for _ in range(20_000):
        index.add(once)
    found = index.near(once, 20_000)[0]
    assert len(found.rows) <= READ
    assert max(found.rows) == 19_999  # the latest
    assert min(found.scores) > 0
    assert index.near(once, 20_000)[0] == found  # asking leaves nothing behind


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), min_size=1, max_size=40),
    st.integers(1, 50),
    st.sets(st.integers(0, 39)),
    st.sampled_from([0.0, 0.04, 0.5, 2.0]),
)
def test_the_nearest_are_those_of_all_that_are_not_hidden_however_near_most_are(titles, most, gone, near):
    index, rarity = Index(), Rarity.packaged()
    made = [sketch(report(" ".join(title), url=str(n)), rarity, learn=False) for n, title in enumerate(titles)]
    index.add(Rarest.of(made))
    hidden = np.array([row in gone for row in range(len(made))])
    every = index.near(Rarest.of(made), len(made))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("broadsheet.stories.index.NEAR", near)
        found = index.near(Rarest.of(made), most, hidden=lambda number: hidden if number % 2 else None)
    for number, (some, all_) in enumerate(zip(found, every, strict=True)):
        stay = [(r, s) for r, s in zip(*all_, strict=True) if not (number % 2 and r in gone)]
        assert list(zip(*some, strict=True)) == stay[:most]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), min_size=1, max_size=12))
def test_how_near_an_article_is_is_the_cosine_over_its_words(titles):
    index, rarity = Index(), Rarity.packaged()
    made = [sketch(report(" ".join(title), url=str(n)), rarity, learn=False) for n, title in enumerate(titles)]
    index.add(Rarest.of(made))
    near = index.near(Rarest.of(made[:1]), len(made))[0]
    found = dict(zip(near.rows, near.scores, strict=True))
    assert len(found) == len(near.rows)
    for row, one in enumerate(made):
        other, mine = (
            dict(zip(x.slots[x.view(0)].tolist(), x.weights[x.view(0)].tolist(), strict=True)) for x in (one, made[0])
        )
        assert found.get(row, 0.0) == pytest.approx(sum(w * other.get(s, 0.0) for s, w in mine.items()), abs=1e-5)


def test_a_story_plainly_about_something_else_is_not_asked():
    one, other = np.zeros(192, dtype=np.float16), np.zeros(192, dtype=np.float16)
    one[0], other[1] = 1.0, 1.0
    same = {"text": "", "vector": one.tobytes()}
    stories = OpenStories(forest=judged_by(0.0))
    first = stories.assign(report("Comet over harbour", url="a", **same))
    assert stories.assign(report("Comet over harbour again", url="b", **same)).story == first.story
    else_where = report("Comet over harbour, the ferry", url="c", text="", vector=other.tobytes())
    assert stories.assign(else_where).is_new


# --- decided again


def by_first_word(given, *_):
    """The first article of each one's story, where a story is a first word."""
    first = {}
    return [first.setdefault(a.title.split()[0], n) for n, a in enumerate(given)]


def settled(given, rules, regroup=by_first_word):
    stories, by_id = OpenStories(rules, forest=judged_by(0.5)), {a.id: a for a in given}
    found = []
    for article in given:
        stories.assign(article)
        if ids := stories.unsettled():
            found.append(stories.settle([by_id[id_] for id_ in ids], regroup))
    return stories, found


def test_who_decides_again_is_told_which_articles_were_before():
    given = [an_article(f"word {n}", published=NOON + n * HOUR) for n in range(60)]
    told = []

    def regroup(given, stories, again):
        told.extend(zip((a.id for a in given), again, strict=True))
        return by_first_word(given)

    settled(given, Grouping(every=3, looked_at=600), regroup)
    first = dict(reversed(told))
    assert not any(first.values())  # none was as it came
    assert any(again for _, again in told)
    seen = set()
    for id_, again in told:
        assert again or id_ not in seen
        seen.add(id_)


@settings(max_examples=30, deadline=None)
@given(articles, st.integers(1, 4))
def test_what_is_decided_again_leaves_every_article_in_one_story_that_bears_the_id_of_one_it_holds(given, every):
    stories, found = settled(given, Grouping(every=every))
    of = {a.id: stories.story_of(a.id) for a in given}
    for story in set(of.values()):
        assert list(stories.articles_of(story)) == [a.id for a in given if of[a.id] == story]
        begins = [id_ for id_ in of if identify("story", id_) == story]
        assert not begins or of[begins[0]] == story
    for one in found:
        assert all(before != after for before, after in one.moved.values())
    again, _ = settled(given, Grouping(every=every))
    assert of == {a.id: again.story_of(a.id) for a in given}


@settings(max_examples=20, deadline=None)
@given(articles, st.integers(0, 14))
def test_what_is_decided_again_after_a_restart_is_what_would_have_been(given, cut):
    rules, by_id = Grouping(every=2), {a.id: a for a in given}
    stories, _ = settled(given[:cut], rules)
    restored = OpenStories(rules, forest=judged_by(0.5))
    for article in given[:cut]:
        restored.restore(article, stories.story_of(article.id))
    for article in given[cut:]:
        assert stories.assign(article) == restored.assign(article)
        ids = stories.unsettled()
        assert ids == restored.unsettled()
        again = [by_id[id_] for id_ in ids]
        assert stories.settle(again, by_first_word) == restored.settle(again, by_first_word)


def test_a_story_that_is_parted_late_keeps_its_id_where_the_article_that_began_it_is():
    given = [report(f"{where} ferry harbour", url=where + str(n)) for n in range(2) for where in ("north", "south")]
    stories = OpenStories(Grouping(every=1))
    for article in given:
        stories.restore(article, StoryId(identify("story", given[0].id)))
    done = stories.settle(given, by_first_word)
    north = StoryId(identify("story", given[0].id))
    south = made_of(north, given[1].id, given[3].id)  # an id that no story ever had
    assert [stories.story_of(a.id) for a in given] == [north, south, north, south]
    assert dict(done.moved) == {given[1].id: (north, south), given[3].id: (north, south)}
    assert done.begun == {south}


def test_two_stories_that_are_joined_late_keep_the_older_id():
    given = [report("north ferry", url="a"), report("north harbour", url="b", hours=1)]
    stories = OpenStories()
    for n, article in enumerate(given):
        stories.restore(article, StoryId(identify("story", given[n].id)))
    stories.settle(given, by_first_word)
    assert {stories.story_of(a.id) for a in given} == {identify("story", given[0].id)}


def test_a_story_of_which_somebody_spoke_is_not_decided_again():
    one, other = report("north ferry harbour", url="a"), report("south ferry harbour", url="b", hours=1)
    for words in ((), (Regrouping(one=one.id, other=other.id, same=True),)):
        stories = OpenStories(Grouping(every=1), words=words)
        for article in (one, other):
            stories.restore(article, StoryId("s"))
        assert (stories.unsettled() == []) is bool(words)


def test_what_is_decided_again_has_a_bound_however_large_stories_are():
    rules = Grouping(latest=30, looked_at=20)
    stories = OpenStories(rules)
    for n in range(200):
        stories.restore(report("Comet seen over harbour", url=str(n)), StoryId(str(n // 15)))
    assert 0 < len(stories.settling()) <= 20


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 39), st.sampled_from(["out", "one", "other", "ask"])), max_size=12))
def test_the_mean_of_a_story_is_that_of_its_articles_in_order_whatever_came_and_went(steps):
    def whole(stories, story):
        one = stories._whole(story)
        return one.slots.tolist(), one.weights.tolist(), one.ends, one.unity, one.vector.tolist()

    stories, fresh = OpenStories(), OpenStories()
    told = [report(f"{WORDS[n % len(WORDS)]} {WORDS[n % 7]} {n % 5}", url=str(n), hours=n) for n in range(40)]
    stories.restore_all((a, StoryId("other" if n % 4 == 3 else "one")) for n, a in enumerate(told))
    for n, what in steps:
        if what == "ask":
            for story in ("one", "other"):
                whole(stories, StoryId(story))
        elif what == "out":
            stories.take_out([told[n].id])
        else:
            stories.move([told[n].id], StoryId(what))
    stay = {id_: story for story in ("one", "other") for id_ in stories.articles_of(StoryId(story))}
    assert stay
    fresh.restore_all((a, StoryId(stay.get(a.id, "none"))) for a in told)  # words are weighed as each came
    for story in set(stay.values()):
        assert whole(stories, StoryId(story)) == whole(fresh, StoryId(story))
