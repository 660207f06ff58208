"""A reader's own view of the grouping: the last word on two articles holds, whatever grouping did meanwhile."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from broadsheet.model import ArticleId, Event, Regrouping, StoryId
from broadsheet.readers.profile import fold
from broadsheet.readers.regrouping import view
from tests.builders import NOON, a_reader

A, B, C = (ArticleId(name) for name in "abc")
X, Y, Z = (StoryId(name) for name in "xyz")


def together(one: ArticleId, other: ArticleId) -> Regrouping:
    return Regrouping(one=one, other=other, same=True)


def apart(one: ArticleId, other: ArticleId) -> Regrouping:
    return Regrouping(one=one, other=other, same=False)


def test_two_stories_that_a_reader_joins_are_shown_as_the_first_and_a_third_joined_to_the_second_too():
    seen = view([together(A, B), together(B, C)], {A: X, B: Y, C: Z})
    assert seen.into == {Y: X, Z: X}
    assert seen.parts(X) == [X, Y, Z]


def test_an_article_is_taken_out_and_put_back_beside_any_other():
    words = [apart(A, B)]
    assert view(words, {A: X, B: X, C: X}).out == {X: {A}}
    assert view([*words, together(C, A)], {A: X, B: X, C: X}).out == {}


def test_what_a_reader_joined_can_be_taken_apart_from_either_side():
    stories = {A: X, B: Y}
    assert view([together(A, B), apart(B, A)], stories).into == {}
    assert view([together(A, B), apart(A, B)], stories).into == {}


def test_when_grouping_comes_to_agree_the_word_changes_nothing():
    assert view([together(A, B)], {A: X, B: X}).into == {}
    assert view([apart(A, B)], {A: X, B: Y}).out == {}
    assert view([apart(A, B)], {A: X}).out == {}  # the other is gone


def test_a_regrouping_is_undone_like_any_event():
    split = Event(reader=a_reader().id, kind="split", at=NOON, regrouping=apart(A, B), id=1)
    undo = Event(reader=a_reader().id, kind="undo", at=NOON + timedelta(1), target=1, id=2)
    assert fold(a_reader(), [(split, None)]).regroupings == (apart(A, B),)
    assert fold(a_reader(), [(split, None), (undo, None)]).regroupings == ()


names = st.sampled_from("abcdef").map(ArticleId)


@given(
    st.lists(st.builds(Regrouping, one=names, other=names, same=st.booleans())),
    st.dictionaries(names, st.sampled_from("xyz").map(StoryId)),
)
def test_a_view_never_leads_in_a_circle_and_every_story_has_one_whole(words, story_of):
    seen = view([w for w in words if w.one != w.other], story_of)
    assert not set(seen.into) & set(seen.into.values())
    for story, out in seen.out.items():
        assert all(story_of[article] == story for article in out)
