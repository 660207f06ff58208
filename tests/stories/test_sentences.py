"""What is asked of a sentence, and the shortcuts that must not change the answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.model import Passage
from broadsheet.stories.features import slots_of, words
from broadsheet.stories.sentences import _FURNITURE, _FURNITURE_HINTS, Read, key_of, plain, slot_of, usable
from tests.builders import an_article


@pytest.mark.parametrize(
    "furniture",
    [
        "To read the rest of it click here now.", "SIGN UP for a letter that comes each day.", "Please Subscribe to read all of this text.",
        "Our newsletter has more of this for you.", "You can read more of it on page four.", "All rights reserved by the people who wrote it.",
        "It was taken by Getty Images last night again.", "This is an advertisement and nothing else at all.", "We use cookies so that you come back.",
        "Photo by somebody who stood close to it all.", "Six people contributed to this report on Monday night.", "Last updated at 9 this morning by the desk.",
        "© The paper and all who work for it.",
    ],
)  # fmt: skip
def test_furniture_is_no_sentence_of_a_story(furniture: str) -> None:
    assert not usable(Passage(article=an_article().id, text=furniture, start=0, end=len(furniture)))


@given(st.lists(st.one_of(st.sampled_from(_FURNITURE.pattern[8:].split("|")), st.text(max_size=6)), max_size=6))
def test_where_the_pattern_finds_furniture_one_of_its_hints_stands(parts: list[str]) -> None:
    text = " ".join(parts).replace("s?", "s").replace("(?: at)?", " at").replace("\\d+)\\b", "3")
    if _FURNITURE.search(text):
        assert any(hint in text.casefold() for hint in _FURNITURE_HINTS)


@given(st.text(max_size=80))
def test_a_words_number_holds_its_place_among_the_rare_words(text: str) -> None:
    read = Read(an_article("", text), plain)
    terms = read.terms(80)
    spoken = [dict.fromkeys(words(p.text)) for p in read.passages]
    assert terms.sizes.tolist() == [len(bag) for bag in spoken]
    assert slot_of(terms.keys).tolist() == slots_of(word for bag in spoken for word in bag).tolist()
    assert len(terms.held) == len({word for bag in spoken for word in bag})
    assert terms.keys.tolist() == [key_of(word) for bag in spoken for word in bag]
