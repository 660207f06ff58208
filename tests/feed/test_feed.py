"""A feed as a reader meets it."""

from dataclasses import replace

import numpy as np
import pytest

from broadsheet.errors import ConfigError
from broadsheet.feed.build import STANDARD, Recipe, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.explain import explain, repairs
from broadsheet.feed.score import Desk, Importance, often
from broadsheet.model import Entity, Follow, Mute, SourceId, Topic, Weight, bytes_of
from tests.builders import DAY, HOUR, NOON, a_reader, a_story

CHESS = Topic(id="20000822", label="chess")
FOLLOW = Follow(kind="topic", value=CHESS.id, label="Chess")
CALM = Recipe.of({"off": ["exploration", "quiet"]})


def a_feed(reader, *stories, recipe=CALM, now=NOON, private=frozenset(), **more):
    return build_feed(reader, Edition.of(stories, now, private=private), recipe, now, np.random.default_rng(1), **more)


def order(feed):
    return [item.story for item in feed.items]


def wide(headline, publishers, **fields):
    names = tuple(f"P{n}" for n in range(publishers))
    return a_story(headline, publishers=names, independent=publishers, velocity=publishers / 4, **fields)


def test_a_newcomer_with_one_topic_sees_it_first_and_then_what_many_report():
    chess, news, old = a_story("chess", topics=(CHESS,)), wide("news", 14), a_story("old", last_seen=NOON - 9 * DAY)
    assert order(a_feed(a_reader(), old, news, chess)) == [news.id, chess.id, old.id]
    assert (
        order(a_feed(a_reader(follows=(FOLLOW,)), old, news, wide("big chess", 4, topics=(CHESS,))))[0]
        == wide("big chess", 4).id
    )


def test_why_this_is_the_true_largest_reasons_in_a_sentence():
    story = wide("final", 14, topics=(CHESS,), last_seen=NOON - 2 * HOUR, first_seen=NOON - 5 * HOUR)
    item = a_feed(a_reader(follows=(FOLLOW,)), story).items[0]
    assert explain(item) == "Here because you follow Chess, and 14 publishers report it; published 2 hours ago."
    labels = [repair.label for _, repair in repairs(item)]
    assert "Unfollow Chess" in labels
    assert "Turn down importance" in labels


def test_every_repair_does_what_it_says():
    story = wide("final", 14, topics=(CHESS,))
    reader = a_reader(follows=(FOLLOW,), weights={("topic", CHESS.id): Weight(value=1.0, at=NOON, label="Chess")})
    from broadsheet.model import Event
    from broadsheet.readers.profile import learn

    item = a_feed(reader, story).items[0]
    for reason, repair in repairs(item):
        event = Event(
            reader=reader.id, kind=repair.kind, at=NOON,
            follow=repair.follow, mute=repair.mute, weight=repair.weight, settings=repair.settings,
        )  # fmt: skip
        changed = a_feed(learn(reader, event, None), story).items[0]
        same = [r for r in changed.reasons if r.fact == reason.fact]
        assert sum(r.points for r in same) < reason.points


def test_a_muted_person_stays_away_until_sunday():
    story = a_story("Kim speaks", entities=(Entity(text="Kim", type="person"),))
    reader = a_reader(mutes=(Mute(kind="person", value="kim", label="Kim", until=NOON + DAY),))
    feed = a_feed(reader, story)
    assert (feed.items, dict(feed.left_out)) == ((), {"muted: Kim": 1})
    assert order(a_feed(reader, story, now=NOON + DAY)) == [story.id]


def test_a_muted_source_never_appears_alone():
    reader = a_reader(mutes=(Mute(kind="publisher", value="Tabloid"),))
    alone, among = a_story("alone", publishers=("Tabloid",)), a_story("among", publishers=("Tabloid", "Gazette"))
    assert order(a_feed(reader, alone, among)) == [among.id]


def test_other_languages_and_other_sources_are_left_out_and_counted():
    english = a_story("one", language="en", sources=(SourceId("mine"),))
    german = a_story("zwei", language="de", sources=(SourceId("mine"),))
    theirs = a_story("three", language="en", sources=(SourceId("other"),))
    reader = a_reader(languages=("en",), scope="subscriptions", subscriptions=frozenset({SourceId("mine")}))
    feed = a_feed(reader, english, german, theirs)
    assert order(feed) == [english.id]
    assert dict(feed.left_out) == {"in a language you do not read": 1, "outside your subscriptions": 1}


def test_a_private_source_is_seen_by_its_subscribers_alone():
    story = a_story("letter", sources=(SourceId("mailbox"),))
    private = frozenset({SourceId("mailbox")})
    assert order(a_feed(a_reader(), story, private=private)) == []
    assert order(a_feed(a_reader(subscriptions=private), story, private=private)) == [story.id]
    shared = replace(story, sources=(SourceId("mailbox"), SourceId("open")))
    assert order(a_feed(a_reader(), shared, private=private)) == [story.id]


def test_what_was_read_sinks_and_comes_back_when_articles_came_since():
    read = wide("read", 9, last_seen=NOON - 3 * HOUR)
    other = a_story("other", last_seen=NOON - 3 * HOUR)
    assert order(a_feed(a_reader(opened={read.id: NOON - HOUR}), read, other)) == [other.id, read.id]
    feed = a_feed(a_reader(opened={read.id: NOON - 5 * HOUR}), read, other)
    assert order(feed) == [read.id, other.id]
    assert any(r.signal == "update" and "new articles came since you read it" in r.fact for r in feed.items[0].reasons)


def test_what_was_shown_and_left_makes_room():
    stories = [a_story(f"s{n}") for n in range(2)]
    first = order(a_feed(a_reader(), *stories))[0]
    assert order(a_feed(a_reader(shown={first: 3}), *stories))[1] == first


def test_no_topic_fills_the_page():
    chess = [wide(f"c{n}", 5, topics=(CHESS,)) for n in range(20)]
    rest = [wide(f"r{n}", 4) for n in range(10)]
    page = replace(CALM, length=10)
    shown = order(a_feed(a_reader(), *chess, *rest, recipe=page))
    assert 3 <= len(set(shown) & {s.id for s in chess}) <= 6
    demoted = [
        r for item in a_feed(a_reader(), *chess, recipe=page).items for r in item.reasons if r.signal == "diversity"
    ]
    assert demoted
    assert all(r.points < 0 and "chess" in r.fact for r in demoted)


def test_the_same_thing_told_twice_stands_once_at_the_top():
    one, two = (wide(f"t{n}", 9, vector=bytes_of(np.eye(4)[0])) for n in range(2))
    other = wide("else", 7, vector=bytes_of(np.eye(4)[1]))
    assert order(a_feed(a_reader(), one, two, other))[1] == other.id


def test_a_seldom_source_is_not_drowned_by_a_loud_one():
    loud = [a_story(f"l{n}", publishers=("Loud",), last_seen=NOON - HOUR) for n in range(60)]
    quiet = a_story("q", publishers=("Village",), last_seen=NOON - 4 * HOUR)
    item = a_feed(a_reader(), quiet, *loud, recipe=Recipe.of({"off": ["exploration"]})).items[0]
    assert item.story == quiet.id
    assert any(r.fact == "Village publishes only about 1 story a day" for r in item.reasons)


def test_a_dozen_things_learned_a_little_are_told_as_one_reason_with_their_sum():
    topics = tuple(Topic(id=f"t{n}", label=f"topic {n}", weight=1.0) for n in range(12))
    weights = {("topic", t.id): Weight(value=1.0 if n < 2 else 0.01, at=NOON) for n, t in enumerate(topics)}
    item = a_feed(a_reader(weights=weights), a_story("s", topics=topics)).items[0]
    interest = [r.points for r in item.reasons if r.signal == "interest"]
    assert interest == pytest.approx([0.6, 0.6, 0.06])


def test_what_is_kept_of_a_reader_gives_the_feed_that_nothing_kept_gives():
    followed, other = Topic(id="t1", label="rail", weight=0.7), Topic(id="t2", label="tides", weight=1.0)
    weights = {
        ("topic", "t1"): Weight(value=0.8, at=NOON - 3 * DAY),
        ("topic", "t2"): Weight(value=0.5, at=NOON - 3 * DAY, pinned=True),
    }
    reader = a_reader(weights=weights, follows=(FOLLOW,))
    stories = [a_story("a", topics=(followed,)), a_story("b", topics=(other,)), a_story("c", topics=(CHESS,))]
    warm = Edition.of(stories, NOON)

    def feed(edition, reader, now):
        return build_feed(reader, edition, CALM, now, np.random.default_rng(1))

    feed(warm, reader, NOON)  # what is kept is kept now, and still right ten days later
    later = NOON + 10 * DAY
    assert feed(warm, reader, later) == feed(Edition.of(stories, NOON), reader, later)
    interest = {i.story: r.points for i in feed(warm, reader, later).items for r in i.reasons if r.signal == "interest"}
    assert interest[stories[0].id] == pytest.approx(0.6 * 0.7 * 0.8 * 2 ** (-13 / 30))
    assert interest[stories[1].id] == pytest.approx(0.6 * 0.5)
    weights = {("topic", "t1"): Weight(value=-0.8, at=later)}
    acted = replace(reader, weights=weights, follows=())
    assert feed(warm, acted, later) == feed(Edition.of(stories, NOON), acted, later)
    calmer = replace(reader, tuning={"interest": 0.5, "follows": 0.0})  # the same weights, counted less
    assert feed(warm, calmer, later) == feed(Edition.of(stories, NOON), calmer, later)


def test_seldom_is_said_of_those_that_publish_less_than_daily():
    assert often(2.2) == "only about 2 stories a day"
    assert often(0.3) == "seldom: about 2 stories a week"
    assert often(0.02) == "seldom: about 1 story a month"


def test_exploration_says_that_it_was_drawn_by_lot():
    stories = [a_story(f"s{n}") for n in range(40)]
    feed = a_feed(a_reader(), *stories, recipe=Recipe.of({"exploration": {"share": 0.2}}))
    drawn = [item for item in feed.items if any(r.signal == "exploration" for r in item.reasons)]
    assert 2 <= len(drawn) <= 20
    assert "drawn by lot" in explain(drawn[0])


def test_likeness_to_what_was_read_lifts_and_to_what_was_sent_away_lowers():
    like, unlike = (a_story(f"v{n}", vector=bytes_of(np.eye(4)[n])) for n in range(2))
    east, north = bytes_of(np.eye(4)[0]), bytes_of(np.eye(4)[1])
    assert order(a_feed(a_reader(interest=east, interest_mass=5.0), like, unlike))[0] == like.id
    assert order(a_feed(a_reader(disinterest=east, disinterest_mass=5.0), like, unlike))[0] == unlike.id
    assert north != east


def test_vectors_of_another_model_say_nothing():
    story = a_story("v", vector=bytes_of(np.eye(4)[0]))
    feed = a_feed(a_reader(interest=bytes_of(np.ones(7)), interest_mass=5.0), story)
    assert not [r for r in feed.items[0].reasons if r.signal == "likeness"]


def test_an_edition_without_stories_gives_an_empty_feed():
    assert a_feed(a_reader(follows=(FOLLOW,), mutes=(Mute(kind="keyword", value="x"),), languages=("en",))).items == ()


def test_a_vocabulary_that_is_mostly_unused_is_built_anew():
    def batch(day):
        return [
            a_story(f"{day} {n}", entities=tuple(Entity(text=f"N{day}-{n}-{k}", type="person") for k in range(10)))
            for n in range(60)
        ]

    edition, last = Edition.of(batch(0), NOON), batch(0)
    for day in range(1, 8):
        new = batch(day)
        edition = edition.updated(new, [story.id for story in last])
        last = new
    assert len(edition.entities.names) <= 2 * 600 + 1000 + 600
    assert edition.about("person", "N7-3-4")[0].tolist() == [edition.index[last[3].id]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"freshnes": {}},
        {"freshness": {"halflife": "1d"}},
        {"freshness": {"half_life": "soon"}},
        {"importance": {"weight": "much"}},
        {"off": ["everything"]},
        {"length": 0},
        {"quiet": 3},
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_with_a_sentence(wrong):
    with pytest.raises(ConfigError, match=r"recipe"):
        Recipe.of(wrong)


def test_a_recipe_without_freshness_weighs_no_age():
    old, new = wide("old", 3, last_seen=NOON - 20 * DAY), a_story("new")
    assert (
        order(a_feed(a_reader(), old, new, recipe=Recipe.of({"off": ["freshness", "quiet", "exploration"]})))[0]
        == old.id
    )
    assert order(a_feed(a_reader(), old, new, recipe=STANDARD))[0] == new.id


def test_two_feeds_of_one_moment_that_show_different_things_have_different_names():
    stories = [a_story(f"s{n}", last_seen=NOON - n * HOUR) for n in range(5)]
    before = a_feed(a_reader(), *stories)
    after = a_feed(a_reader(hidden=frozenset({stories[0].id})), *stories)
    assert before.id != after.id
    assert a_feed(a_reader(), *stories).id == before.id


def test_what_somebody_wrote_comes_up_for_who_often_reads_them_and_says_so():
    column = a_story("A column", publishers=("Gazette",), authors=("Ada Lovelace",))
    others = [a_story(f"Other {n}", publishers=("Gazette",), authors=("Grace Hopper",)) for n in range(5)]
    reader = a_reader(weights={("author", "ada lovelace"): Weight(value=1.0, at=NOON, label="Ada Lovelace")})
    item = a_feed(reader, column, *others).items[0]
    assert item.story == column.id
    (reason,) = [r for r in item.reasons if r.signal == "interest"]
    assert reason.fact == "you often read Ada Lovelace"
    assert reason.repair.weight == (("author", "ada lovelace"), 0.0)


def test_who_spreads_now_comes_before_who_once_did_and_says_so():
    now = a_story("now", publishers=("A", "B", "C"), independent=3, velocity=0.5)
    before = a_story("before", publishers=("A", "B", "C"), independent=3, velocity=0.5, last_seen=NOON - 12 * HOUR)
    desk = Desk(a_reader(), Edition.of([now, before], NOON), NOON, 1)
    index, points = desk.edition.index, Importance().points(desk)
    assert points[index[now.id]] > points[index[before.id]] > 0
    told = {place: [r.fact for p, r in Importance().reasons(desk, [0, 1]) if p == place] for place in (0, 1)}
    assert told[index[now.id]] == ["3 publishers report it", "it is spreading: 0.5 more publishers an hour now"]
    assert told[index[before.id]][:1] == ["3 publishers report it"]
    fast = replace(now, velocity=50.0)
    most = Importance().points(Desk(a_reader(), Edition.of([fast], NOON), NOON, 1))[0]
    assert most == pytest.approx(Importance().speed + Importance().weight * np.log2(3) / 5)  # never more than this
