"""A passage is a sentence, and its offsets are exact."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.articles.passages import passages, sentences
from tests.builders import an_article


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["It rained.", "It stopped."],
        ["Dr. Lee met Mr. J. P. Hu at 3.14 p.m. on Monday.", "They talked."],
        ["The U.S. Senate voted.", "The House did not."],
        ["He moved to the U.S. in May.", "She stayed."],
        ["He left the U.S.", "The rest stayed."],
        ["“It is over.”", "He left."],
        ["“Is it over?” he asked.", "Nobody knew."],
        ["“We won … by a little,” she said.", "That was all."],
        ["They waited...", "Nothing came."],
        ["Prices rose 2.5 per cent.", "“That hurts,” said Ms. Brito.", "Wages did not."],
        ["Visit example.org for more.", "It is free."],
        ["Acme Inc. said so.", "It was wrong!", "Was it?", "Yes."],
        ["It happened on Jan. 5 in St. Louis.", "Nobody was hurt."],
        ["He took vitamin C.", "The cold went away."],
        ["会议星期二开始。", "他说：“我们会赢。”", "比赛结束了！"],
        ["これは文です。", "次の文です。"],
        ["A paragraph without an end", "Another one"],
        ["No. 10 declined to comment.", "No one else did."],
    ],
)
def test_sentences_end_where_a_reader_would_end_them(expected: list[str]) -> None:
    glue = "\n\n" if not expected[0].endswith((".", "!", "?", "…", "”", "。")) else "" if "。" in expected[0] else " "
    assert split(glue.join(expected)) == expected


@given(st.text(alphabet=st.sampled_from("aB. !?…。”“\n,3'U") | st.characters(codec="utf-8"), max_size=200))
def test_offsets_are_exact_and_only_white_space_is_left_out(text: str) -> None:
    spans = list(sentences(text))
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    covered = "".join(text[start:end] for start, end in spans)
    assert "".join(covered.split()) == "".join(text.split())
    assert not any("\n" in text[start:end] for start, end in spans)


def test_passages_point_into_the_article_that_they_name() -> None:
    article = an_article(text="One thing happened. Then another.\n\nThat was all.")
    made = passages(article)
    assert [p.text for p in made] == ["One thing happened.", "Then another.", "That was all."]
    assert all(article.text[p.start : p.end] == p.text and p.article == article.id for p in made)
