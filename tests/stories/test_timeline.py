"""A timeline quotes what happened, under the day on which it happened, once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.articles.passages import passages
from broadsheet.model import Article, ArticleId
from broadsheet.stories.narrative import narrate
from broadsheet.stories.timeline import (
    DAY_FEATURES,
    MOST_DAYS,
    SENTENCE_FEATURES,
    packaged,
    read_weights,
    tell,
    timeline,
)
from tests.builders import DAY, HOUR, NOON, an_article

# NOON is Saturday, 1 August 2026.
SANK = "A passenger ferry carrying 80 people sank off the northern coast on Friday night, officials said."
FOUND = "Divers found the wreck of the ferry on Sunday at a depth of 60 metres, the coast guard said."
ARRESTED = "The captain was arrested on Monday on suspicion of manslaughter, the prosecutor said."
SUSPENDED = "The transport ministry suspended the licence of the ferry's operator on Tuesday."
FERRY = (
    an_article(
        "Ferry sinks off coast, 12 missing",
        f"{SANK} Twelve people were missing on Saturday as rescuers searched in heavy seas. The ferry, built in 1998, "
        "passed an inspection in March. Sign up for our newsletter for more news like this every day. "
        "“It was horrible,” said one survivor who was pulled from the water.",
    ),
    an_article(
        "Twelve missing after ferry sinking",
        "Rescuers searched on Saturday for 12 people missing after a ferry sank off the northern coast late on Friday. "
        "The ferry was carrying 80 people when it sank, the coast guard said. "
        "Prime Minister Anna Berg will visit the port on Monday.",
        published=NOON + 3 * HOUR,
    ),
    an_article(
        "Divers find ferry wreck",
        f"{FOUND} Eight bodies were recovered from the wreck. The ferry sank on Friday night with 80 people on board.",
        published=NOON + DAY,
    ),
    an_article(
        "Operator's licence suspended",
        f"{SUSPENDED} {ARRESTED} The death toll has risen to eleven.",
        published=NOON + 3 * DAY,
    ),
)


def told(articles, **asked):
    return [(m.date.date().isoformat(), m.sentence) for m in timeline(articles, passages, **asked)]


def test_what_happened_stands_under_its_day_and_not_under_the_day_of_the_paper():
    assert told(FERRY) == [
        ("2026-07-31", SANK),
        ("2026-08-01", "Twelve people were missing on Saturday as rescuers searched in heavy seas."),
        ("2026-08-02", FOUND),
        ("2026-08-03", ARRESTED),
        ("2026-08-04", SUSPENDED),
    ]


def test_what_is_only_planned_is_not_told_as_having_happened():
    assert not any("will visit" in sentence for _, sentence in told(FERRY))
    assert told(FERRY[1:2])[-1][0] == "2026-08-01"


def test_what_was_announced_gives_way_to_what_was_reported():
    announced = an_article(
        "Hearing set", "The judge will open the hearing into the ferry disaster on Monday, August 3."
    )
    reported = an_article(
        "Hearing", "The hearing into the ferry opened on Monday before a full court.", published=NOON + 3 * DAY
    )
    events = told([announced, reported], length=2)
    assert ("2026-08-03", "The hearing into the ferry opened on Monday before a full court.") in events
    assert ("2026-08-03", "The judge will open the hearing into the ferry disaster on Monday, August 3.") not in events


def test_furniture_and_background_are_never_told():
    many = told(FERRY, sentences=5)
    assert len(many) > 5
    assert not any("newsletter" in sentence or "1998" in sentence for _, sentence in many)


def test_the_newest_day_is_told_and_no_fact_twice():
    again = an_article(
        "What we know about the ferry",
        f"{SANK} {FOUND} Salvage of the ferry will take a month, experts said.",
        published=NOON + 4 * DAY,
    )
    events = told([*FERRY, again])
    assert [sentence for _, sentence in events if "Salvage" not in sentence] == [
        sentence for _, sentence in told(FERRY)
    ]
    assert events[-1] == ("2026-08-05", "Salvage of the ferry will take a month, experts said.")


def test_as_many_days_and_sentences_come_as_were_asked_for():
    assert len({day for day, _ in told(FERRY, length=2)}) == 2
    three = told(FERRY, length=3, sentences=2)
    assert len({day for day, _ in three}) == 3
    assert len(three) > 3
    assert three == sorted(three, key=lambda event: event[0])


def test_a_copy_of_a_sentence_is_told_once_however_many_days_are_asked_for():
    copies = [an_article(str(n), SANK, published=NOON + n * DAY) for n in range(4)]
    sentences = [sentence for _, sentence in told(copies, length=6, sentences=3)]
    assert sentences == [SANK]


def test_a_long_story_tells_the_days_that_stand_out():
    articles = []
    for n in range(60):
        day = NOON + n * DAY
        name = f"{day:%B} {day.day}"
        loud = n % 10 == 0
        for copy in range(6 if loud else 1):
            articles.append(
                an_article(
                    f"{n} {copy}",
                    f"Officials of district {n} opened dam number {n} on {name}, agency {copy} of sector {n} reported in bulletin {n}{copy}.",
                    published=day + HOUR,
                )
            )
    days = {day for day, _ in told(articles)}
    assert len(days) <= MOST_DAYS
    assert {(NOON + n * DAY).date().isoformat() for n in range(0, 60, 10)} <= days
    assert (NOON + 59 * DAY).date().isoformat() in days  # the newest is always told


def test_other_languages_are_told_by_the_day_of_publication():
    german = an_article(
        "Brücke gesperrt",
        "Die Brücke über den Fluss wurde wegen eines Risses im Pfeiler gesperrt, teilte die Stadt mit.",
    )
    japanese = an_article(
        "橋が閉鎖", "市は川に架かる橋を閉鎖したと発表した。原因は橋脚のひび割れだという。", published=NOON + DAY
    )
    assert [day for day, _ in told([german, japanese])] == ["2026-08-01", "2026-08-02"]


def test_articles_without_a_time_and_stories_without_a_sentence_are_no_trouble():
    timeless = an_article("No time", SANK, published=None, first_seen=None)
    assert timeline([timeless], passages) == ()
    assert timeline([], passages) == ()
    assert told([an_article("Ferry sinks", "")]) == [("2026-08-01", "Ferry sinks")]


def test_the_packaged_weights_fit_the_features_and_each_topic_was_left_out_once():
    every, without = read_weights()
    assert len(every.days) == len(DAY_FEATURES)
    assert len(every.sentences) == len(SENTENCE_FEATURES)
    assert len(without) == 8
    assert not any(np.allclose(every.sentences, w.sentences) for w in without.values())
    assert packaged() is packaged()


lines = st.lists(
    st.one_of(
        st.sampled_from(
            [SANK, FOUND, ARRESTED, SUSPENDED, "He said so last week.", "In 1998 it was built.", "\n\n", "Is it?"]
        ),
        st.text(max_size=30),
    ),
    max_size=6,
).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=20), lines, st.integers(0, 2000)), max_size=6),
    st.none() | st.integers(1, 8),
    st.none() | st.integers(1, 3),
)
def test_every_moment_is_quoted_in_order_and_within_what_was_asked(made, length, sentences):
    articles = [
        an_article(title, text, id=ArticleId(str(n)), published=NOON + timedelta(hours=hours))
        for n, (title, text, hours) in enumerate(made)
    ]
    by_id = {a.id: a for a in articles}
    moments = timeline(articles, passages, length=length, sentences=sentences)
    assert [m.date for m in moments] == sorted(m.date for m in moments)
    days = [m.date for m in moments]
    assert length is None or len(set(days)) <= length
    assert all(days.count(day) <= (sentences or 1) for day in days)
    for m in moments:
        article = by_id[m.article]
        assert m.sentence == (article.title if m.start is None else article.text[m.start : m.end])


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(len(FERRY))))
def test_the_order_in_which_articles_come_never_matters(order):
    assert told([FERRY[n] for n in order]) == told(FERRY)


def test_a_span_bounds_the_days():
    events = timeline(FERRY, passages, length=10, span=(date(2026, 8, 1), date(2026, 8, 3)))
    assert {m.date.day for m in events} == {1, 2, 3}
    early = datetime(2026, 8, 1, tzinfo=UTC)
    assert all(early <= m.date <= early + 2 * DAY for m in events)


def test_a_story_that_was_read_once_can_be_told_in_many_lengths():
    read = narrate(FERRY, passages)
    assert tell(read) == timeline(FERRY, passages)
    assert tell(read, length=2, sentences=2) == timeline(FERRY, passages, length=2, sentences=2)
    assert isinstance(read.articles[0], Article)
