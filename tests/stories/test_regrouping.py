"""What people say of pairs of articles: grouping obeys it, and what nobody speaks of is grouped as ever."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.model import ArticleId, Regrouping, StoryId
from broadsheet.stories.cluster import Grouping, OpenStories
from broadsheet.stories.regrouping import begun_by, leaving, parted
from tests.builders import DAY, NOON, an_article
from tests.stories.test_cluster import articles, judged_by, report

A, B, C, D = (ArticleId(name) for name in "abcd")
EAGER = Grouping(merge=0.0)


def together(one, other):
    return Regrouping(one=one, other=other, same=True)


def apart(one, other):
    return Regrouping(one=one, other=other, same=False)


numbers = st.integers(0, 13).map(lambda n: ArticleId(str(n)))
some_words = st.lists(
    st.builds(Regrouping, one=numbers, other=numbers, same=st.booleans()).filter(lambda w: w.one != w.other), max_size=8
)


def grouped(given, words=(), cut=None):
    """The stories after all articles came, taken from a store at `cut`."""
    stories = OpenStories(EAGER, forest=judged_by(0.4), words=words)
    for place, article in enumerate(given):
        if place == cut:
            before, stories = stories, OpenStories(EAGER, forest=judged_by(0.4))
            for known in given[:cut]:
                stories.restore(known, before.story_of(known.id))
            stories.obey(words)
        stories.assign(article)
    return {a.id: stories.story_of(a.id) for a in given}


@settings(max_examples=25, deadline=None)
@given(articles, some_words)
def test_words_on_articles_that_never_come_change_nothing(given, words):
    strangers = [replace(w, one=ArticleId(f"x{w.one}"), other=ArticleId(f"x{w.other}")) for w in words]
    assert grouped(given, strangers) == grouped(given)


@settings(max_examples=40, deadline=None)
@given(articles, some_words)
def test_articles_that_were_put_apart_are_never_in_one_story(given, words):
    found = grouped(given, words)
    for word in {frozenset((w.one, w.other)): w for w in words}.values():
        if not word.same and {word.one, word.other} <= found.keys():
            assert found[word.one] != found[word.other]


@settings(max_examples=40, deadline=None)
@given(articles, some_words)
def test_articles_that_were_put_together_are_in_one_story_where_no_word_speaks_against_it(given, words):
    said = [w for w in words if w.same]
    found = grouped(given, said)
    for word in said:
        if {word.one, word.other} <= found.keys():
            assert found[word.one] == found[word.other]


@settings(max_examples=25, deadline=None)
@given(articles, some_words, st.integers(0, 14))
def test_words_hold_after_a_restart_as_before_it(given, words, cut):
    assert grouped(given, words, cut) == grouped(given, words)


def test_a_copy_goes_elsewhere_when_it_was_put_apart_from_what_it_repeats():
    long = " ".join(f"word{n}" for n in range(80))
    wire = report("A wire report", long, fingerprint=b"\x01\x00\x00\x00" * 64)
    copy = report("The same again", long, "Gazette", 1, fingerprint=b"\x01\x00\x00\x00" * 64)
    stories = OpenStories(words=[apart(copy.id, wire.id)])
    stories.assign(wire)
    found = stories.assign(copy)
    assert found.story != stories.story_of(wire.id)
    assert found.copy_of is None


def test_an_article_that_was_moved_counts_where_it_is_and_no_longer_where_it_was():
    stories = OpenStories(forest=judged_by(0.3))
    harbour = stories.assign(report("harbour glacier senator comet")).story
    violin = stories.assign(moved := report("violin orchard referendum drought", hours=1)).story
    stories.move([moved.id, ArticleId("nobody")], harbour)
    assert stories.articles_of(violin) == ()
    assert stories.articles_of(harbour)[1:] == (moved.id,)
    assert stories.assign(report("violin orchard referendum drought", url="again", hours=2)).story == harbour


def test_an_article_that_was_taken_out_is_decided_as_if_it_had_just_come():
    stories = OpenStories(forest=judged_by(0.3))
    first = stories.assign(report("harbour glacier senator comet"))
    strayed = report("harbour glacier senator violin", hours=1)
    stories.restore(strayed, StoryId("elsewhere"))
    assert len(stories) == 2
    stories.take_out([strayed.id])
    assert len(stories) == 1
    assert stories.story_of(strayed.id) is None
    assert stories.assign(strayed).story == first.story
    stories.forget_before(NOON - DAY)
    assert len(stories) == 2
    assert set(stories.articles_of(first.story)) == {first.article, strayed.id}


def test_a_word_on_an_article_that_is_closed_by_now_still_holds():
    stories = OpenStories(forest=judged_by(0.3))
    old = report("harbour glacier senator comet", hours=-48)
    later = report("harbour glacier senator comet", url="later")
    story = stories.assign(old).story
    stories.restore(later, story)
    new = report("harbour glacier senator comet", url="new", hours=1)
    stories.obey([apart(new.id, old.id)])
    stories.forget_before(NOON - DAY)
    assert stories.story_of(old.id) is None
    assert stories.assign(new).story != story


def test_the_part_with_the_article_that_began_a_story_keeps_its_id_and_the_other_is_named_for_its_first():
    story = begun_by(A)
    assert parted(story, [A, B, C, D], {C}) == {C: begun_by(C)}
    assert parted(story, [A, B, C, D], {C, D}) == {C: begun_by(C), D: begun_by(C)}
    assert parted(story, [A, B, C], {A}) == {B: begun_by(B), C: begun_by(B)}
    assert parted(StoryId("of old"), [A, B], {A}) == {A: begun_by(A)}
    assert parted(story, [A, B], {A, B}) == {}
    assert parted(story, [A, B], set()) == {}


def test_an_id_that_another_story_has_is_passed_over():
    assert set(parted(begun_by(A), [A, B, C], {B, C}, {begun_by(B)}).values()) == {begun_by(C)}
    [own] = set(parted(begun_by(A), [A, B], {B}, {begun_by(B)}).values())
    assert own not in {begun_by(A), begun_by(B)}


def test_copies_and_what_was_put_together_leave_with_an_article_unless_the_other_would_leave_too():
    members = [replace(an_article(id_), id=id_, copy_of=B if id_ == C else None) for id_ in (A, B, C, D)]
    assert leaving(apart(B, A), members, []) == {B, C}
    assert leaving(apart(B, A), members, [together(D, B)]) == {B, C, D}
    assert leaving(apart(B, A), members, [together(D, B), together(A, D)]) == {B, C}
