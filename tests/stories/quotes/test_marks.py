"""Quotation marks of every kind, balanced or not, give the words between them; apostrophes never do."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.stories.quotes.marks import quotations


def held(text: str) -> list[str]:
    return [text[q.start : q.end] for q in quotations(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("“We will go,” she said.", ["We will go,"]),
        ('"We will go," she said. "Now."', ["We will go,", "Now."]),
        ("«Wir gehen», sagte sie.", ["Wir gehen"]),
        ("« Nous partons », a-t-elle dit.", ["Nous partons"]),
        ("„Wir gehen“, sagte sie.", ["Wir gehen"]),
        ("„Wir gehen”, sagte sie.", ["Wir gehen"]),
        ("»Wir gehen«, sagte sie.", ["Wir gehen"]),
        ("「我们走」她说。", ["我们走"]),
        ("''We will go,'' she said.", ["We will go,"]),
        ("“We will go,\" she said.", ["We will go,"]),
        ("‘We won’t go,’ she said.", ["We won’t go,"]),
        ("'The ministers' plan is dead,' she said.", ["The ministers' plan is dead,"]),
        ("“She said ‘no’ to me,” he said.", ["She said ‘no’ to me,"]),
    ],
)  # fmt: skip
def test_marks_of_every_kind_hold_words(text: str, words: list[str]) -> None:
    assert held(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "The ministers’ plan wasn’t the council’s.",
        "It was the summer of ’69, 'twas said by nobody.",
        'Nails of 5" and screws of 6" are sold here.',
        '<a href="https://example.org/">a link</a>',
        "A stray mark” closes nothing.",
    ],
)
def test_apostrophes_inches_attributes_and_stray_marks_hold_nothing(text: str) -> None:
    assert held(text) == []


def test_a_quote_of_several_paragraphs_is_one_run_for_each() -> None:
    text = "“We came early.\n\n“We stayed late.\n\n“We left,” said Ana Brito."
    assert held(text) == ["We came early.", "We stayed late.", "We left,"]
    assert [q.closed for q in quotations(text)] == [False, False, True]


def test_a_mark_left_open_ends_with_its_paragraph() -> None:
    assert held("“We came early, he said.\n\nNobody else came.") == ["We came early, he said."]


@given(st.text(alphabet="ab .,“”\"'‘’«»„\n<>=s", max_size=80))
def test_runs_are_in_order_apart_and_without_space_around(text: str) -> None:
    found = quotations(text)
    for q in found:
        assert 0 <= q.start < q.end <= len(text)
        assert text[q.start : q.end].strip() == text[q.start : q.end]
        assert "\n" not in text[q.start : q.end]
    for a, b in pairwise(found):
        assert a.end <= b.start
