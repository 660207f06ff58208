"""The budget of a page, and what a reader is shown against what was published."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadsheet.feed import diversify
from broadsheet.feed.admit import admit
from broadsheet.feed.bubble import meters, tally
from broadsheet.feed.build import STANDARD, Recipe, _Ranking, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.score import Desk
from broadsheet.feed.whatif import Inquiry
from broadsheet.model import Entity, Event, Follow, Outlet, Topic
from broadsheet.readers.profile import learn
from tests.builders import HOUR, NOON, a_reader, a_story
from tests.feed.strategies import editions, readers

law = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
COUNTRIES = {"gazette": "Norway", "herald": "Norway", "bugle": "Peru", "post": "Peru"}
BROAD = {"chess": "15000000", "sport": "15000000", "war": "16000000", "law": "02000000"}
budgets = st.dictionaries(
    st.sampled_from(list(diversify.RULES)), st.sampled_from((0.1, 0.2, 0.3, 0.5, 1.0)), min_size=1
)


@st.composite
def budgeted(draw):
    stories = [
        replace(s, topics=(*s.topics, *(Topic(id=BROAD[t.id], label=t.label, weight=t.weight) for t in s.topics)))
        for s in draw(editions)
    ]
    return stories, replace(draw(readers(stories)), budget=draw(budgets))


def an_edition(stories):
    return replace(Edition.of(stories, NOON), countries=COUNTRIES)


def a_feed(reader, stories, length=8):
    return build_feed(reader, an_edition(stories), replace(STANDARD, length=length), NOON, np.random.default_rng(3))


@law
@given(budgeted(), st.integers(1, 12))
def test_a_budget_is_kept_wherever_there_are_stories_to_keep_it_with(situation, length):
    stories, reader = situation
    edition, page = an_edition(stories), a_feed(reader, stories, length)
    desk = Desk(reader, edition, NOON, 1)
    own = diversify.inside(desk)
    few = STANDARD.diversity.few

    def classes(row):
        topic, country = int(edition.broad_topics[1][row]), int(edition.origins[1][row])
        found = [("topic", topic)] if topic >= 0 else []
        found += [("country", country)] if country >= 0 else []
        names = edition.rows[row].publishers
        return found + ([("publisher", edition.rows[row].first_publisher)] if 0 < len(names) <= few else [])

    rows = [edition.index[item.story] for item in page.items]
    stand = Counter(one for row in rows for one in classes(row))
    caps = {rule: max(int(share * length + 1e-9), 1) for rule, share in reader.budget.items() if rule != "outside"}
    over = any(n > caps[rule] for (rule, _), n in stand.items() if rule in caps)
    asked = math.ceil(reader.budget.get("outside", 0) * length - 1e-9)
    lacking = len(rows) == length and sum(not own[row] for row in rows) < asked
    if over or lacking:  # then nothing was left that would have kept every rule
        admitted = np.flatnonzero(admit(reader, edition, NOON)[0])
        for row in set(admitted.tolist()) - set(rows):
            full = any(stand[one] >= caps[one[0]] for one in classes(row) if one[0] in caps)
            assert full or (asked and own[row])
    scores = [item.score for item in page.items]
    assert scores == sorted(scores, reverse=True)
    assert scores == [sum(r.points for r in item.reasons) for item in page.items]
    assert len(page.items) == min(length, int(admit(reader, edition, NOON)[0].sum()))


@law
@given(budgeted(), st.integers(1, 5))
def test_asking_for_few_rows_at_a_time_changes_nothing_under_a_budget(situation, few):
    stories, reader = situation
    edition = an_edition(stories)
    desk = Desk(reader, edition, NOON, 5)
    ranking = _Ranking(desk, STANDARD, np.flatnonzero(admit(reader, edition, NOON)[0]))
    all_at_once = list(diversify.pick(desk, lambda n: ranking.best(10_000), 10, STANDARD.diversity))
    assert list(diversify.pick(desk, ranking.best, 10, STANDARD.diversity, at_first=few)) == all_at_once


@law
@given(budgeted())
def test_a_budget_that_asks_for_nothing_changes_nothing(situation):
    stories, reader = situation
    free = replace(reader, budget={})
    assert (
        a_feed(replace(reader, budget=dict.fromkeys(("topic", "country", "publisher"), 1.0)), stories).items
        == a_feed(free, stories).items
    )
    gone = Event(reader=reader.id, kind="settings", at=NOON, settings={"budget": dict.fromkeys(reader.budget, 0.0)})
    assert learn(reader, gone, None).budget == {}


def chess(n, **fields):
    return a_story(f"chess {n}", topics=(Topic(id="15000000", label="sport"),), last_seen=NOON - n * HOUR / 9, **fields)


FOLLOW = Follow(kind="topic", value="15000000", label="Sport")


def test_a_fifth_from_outside_is_there_and_says_why_and_the_story_kept_back_says_so_too():
    recipe = Recipe.of({"off": ["exploration"], "length": 10})
    mine, others = [chess(n) for n in range(20)], [a_story(f"other {n}", last_seen=NOON - 60 * HOUR) for n in range(5)]
    reader = a_reader(follows=(FOLLOW,), tuning={"diversity": 0.0})
    edition = Edition.of([*mine, *others], NOON)

    def shown(reader):
        return build_feed(reader, edition, recipe, NOON, np.random.default_rng(1)).items

    assert {item.story for item in shown(reader)} <= {s.id for s in mine}
    wide = replace(reader, budget={"outside": 0.2})
    outside = [item for item in shown(wide) if item.story in {s.id for s in others}]
    assert len(outside) == 2
    assert all(any("at least 20% from outside" in r.fact for r in item.reasons) for item in outside)
    kept_back = next(item.story for item in shown(reader) if item.story not in {i.story for i in shown(wide)})
    asked = Inquiry(reader=wide, edition=edition, recipe=recipe, now=NOON, seed=1).ask(kept_back)
    lift = next(c for c in asked.lifts if c.label == "Drop this rule")
    assert lift.words == "If you did not ask for at least 20% from outside what I follow and read"
    assert lift.place == 1 + [item.story for item in shown(reader)].index(kept_back)


def test_what_was_shown_stands_beside_what_was_published():
    outlets = {"gazette": Outlet(name="Gazette", domain="g", country="Norway", kind="Private Media"),
               "state tv": Outlet(name="State TV", domain="s", country="Peru", kind="State Funded Media")}  # fmt: skip
    sport, war = Topic(id="15000000", label="sport"), Topic(id="16000000", label="war")
    one = a_story("a", topics=(sport,), publishers=("Gazette",), entities=(Entity(text="Oslo", type="place"),))
    two = a_story("b", topics=(war,), publishers=("State TV", "Unknown Blog"))
    found = {m.dimension: m for m in meters(tally([one], outlets), tally([one, two], outlets))}
    assert [(s.value, s.shown, s.published) for s in found["topic"].shares] == [("sport", 1.0, 0.5), ("war", 0.0, 0.5)]
    assert found["topic"].apart == pytest.approx(0.5)
    assert [(s.value, s.published) for s in found["country"].shares] == [("Norway", 0.5), ("Peru", 0.25), ("", 0.25)]
    assert ("state-funded", 0.25) in [(s.value, s.published) for s in found["kind"].shares]


@law
@given(editions, st.data())
def test_shares_add_up_and_a_page_of_everything_is_not_apart(stories, data):
    whole = tally(stories, {})
    some = data.draw(st.lists(st.sampled_from(stories), unique_by=lambda s: s.id)) if stories else []
    for meter in meters(tally(some, {}), whole):
        total = [*meter.shares, *([meter.rest] if meter.rest else [])]
        if some:
            assert sum(s.shown for s in total) == pytest.approx(1)
            assert sum(s.published for s in total) == pytest.approx(1)
        assert 0 <= meter.apart <= 1 + 1e-9
    assert all(meter.apart == pytest.approx(0) for meter in meters(whole, whole))
