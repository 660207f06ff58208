"""The measures of quotes say what they mean, on articles small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation.quotes import (
    Annotated,
    Gold,
    agrees,
    direct,
    evaluate,
    is_indirect,
    is_pronoun,
    matched,
    meant,
    quoted,
    read,
    score,
)
from broadsheet.model import Article, ArticleId, Quote
from broadsheet.stories.quotes import Attribution

TEXT = "“We go,” said Ana Brito. He read “The Long Winter” to them. She thinks that trains are late."


def span(words: str, text: str = TEXT) -> tuple[int, int]:
    start = text.index(words)
    return start, start + len(words)


def gold(source: str, content: str) -> Gold:
    return Gold(source=(span(source),) if source else (), cue=(), content=(span(content),))


ITEM = Annotated(
    article=Article(id=ArticleId("a"), url="", title="", text=TEXT),
    attributions=(gold("Ana Brito", "“We go,”"), gold("She", "that trains are late")),
)


def found(content: str, *, speaker: str, source: str, direct: bool) -> Attribution:
    start, end = span(content)
    quote = Quote(
        article=ArticleId("a"),
        speaker=speaker,
        role="",
        side="",
        verb="said",
        content=content,
        start=start,
        end=end,
        direct=direct,
    )
    return Attribution(quote=quote, source=span(source), probability=1.0)


def rows(*given: Attribution) -> dict[str, dict[str, float]]:
    return {row.name: dict(row.figures) for row in score([ITEM], [given])}


def test_what_is_right_scores_one() -> None:
    got = rows(
        found("We go,", speaker="Ana Brito", source="Ana Brito", direct=True),
        found("that trains are late", speaker="Ana Brito", source="She", direct=False),
    )
    assert got["direct"]["f1"] == got["direct"]["exact_f1"] == 1.0
    assert got["speaker, all"] == {"right": 1.0, "span": 1.0, "gold": 1}
    assert got["indirect, content"]["f1"] == got["indirect, content"]["exact_f1"] == 1.0
    assert got["indirect, source"]["exact_f1"] == 1.0


def test_titles_taken_for_quotes_cost_precision_and_wrong_speakers_cost_what_is_right() -> None:
    got = rows(
        found("We go,", speaker="Tom Keane", source="He", direct=True),
        found("The Long Winter", speaker="Ana Brito", source="He", direct=True),
    )
    assert (got["direct"]["precision"], got["direct"]["recall"]) == (0.5, 1.0)
    assert got["speaker, all"]["right"] == 0.0
    assert got["indirect, content"]["recall"] == 0.0


def test_overlap_is_enough_for_overlap_and_not_for_exact() -> None:
    got = rows(found("trains are", speaker="", source="She", direct=False))
    assert got["indirect, content"]["f1"] == 1.0
    assert got["indirect, content"]["exact_f1"] == 0.0


def test_gold_quotes_are_what_stands_in_marks_and_belongs_to_somebody() -> None:
    assert [(TEXT[a:b], owner is not None) for (a, b), owner in direct(ITEM)] == [
        ("We go,", True),
        ("The Long Winter", False),
    ]
    assert quoted('He said "yes" and ‘no’ and “maybe') == [(9, 12), (28, 33)]
    assert not is_indirect(TEXT, ITEM.attributions[0])
    assert is_indirect(TEXT, ITEM.attributions[1])


def test_the_words_of_the_innermost_attribution_are_its_own() -> None:
    text = "Ana Brito said that Tom Keane called it “a mess” twice."
    outer = Gold(
        source=(span("Ana Brito", text),), cue=(), content=(span("that Tom Keane called it “a mess” twice", text),)
    )
    inner = Gold(source=(span("Tom Keane", text),), cue=(), content=(span("it “a mess”", text),))
    item = Annotated(article=replace(ITEM.article, text=text), attributions=(outer, inner))
    assert [owner for _, owner in direct(item)] == [inner]


def test_a_pronoun_means_the_source_before_it_only_where_nobody_else_is_named_between() -> None:
    assert is_pronoun("She")
    assert meant(ITEM, ITEM.attributions[0]) == "Ana Brito"
    assert meant(ITEM, ITEM.attributions[1]) == "Ana Brito"  # a title between marks names nobody
    text = "Ana Brito said no. On Monday she said yes, though Keane told her not to. She laughed."
    one = Gold(source=(span("Ana Brito", text),), cue=(), content=())
    two = Gold(source=(span("she", text),), cue=(), content=())
    three = Gold(source=(span("She", text),), cue=(), content=())
    item = Annotated(article=replace(ITEM.article, text=text), attributions=(one, two, three))
    assert [meant(item, g) for g in (one, two, three)] == ["Ana Brito", "Ana Brito", None]


@pytest.mark.parametrize(
    ("speaker", "role", "source", "right"),
    [
        ("Antony Blinken", "", "Mr. Blinken, the secretary of state,", True),
        ("Blinken", "", "Secretary Antony Blinken", True),
        ("Antony Blinken", "", "Matthew Miller, a spokesman for Mr. Blinken", False),
        ("Matthew Miller", "spokesman", "a spokesman", True),
        ("Hillary Clinton", "", "the Clinton campaign", False),
        ("", "", "Ana Brito", False),
    ],
)
def test_a_speaker_agrees_with_a_source_by_its_name_or_what_it_stands_on(
    speaker: str, role: str, source: str, right: bool
) -> None:
    assert agrees(speaker, role, source) is right


def test_each_span_is_matched_once_the_most_alike_first() -> None:
    assert matched([(0, 10), (0, 9)], [(0, 9), (20, 30)]) == {1: 0}


def test_annotations_are_read_with_split_contents_and_broken_lines(tmp_path: Path) -> None:
    for folder in ("text", "attributions"):
        (tmp_path / folder).mkdir()
    (tmp_path / "text" / "p_2016-01-02_x.txt").write_text("“A,” he said. “B.”", "utf-8")
    (tmp_path / "attributions" / "p_2016-01-02_x_one.ann").write_text(
        "E1\tAttribution:T4 Content:T3 Cue:T2 Source:T1\n\nT1\tSource 5 7\the\nT2\tCue 8 12\tsaid\n"
        "T3\tContent 0 4;14 18\t“A,” “B.”\nT4\tAttribution 8 12\tsaid\nrest of a broken line\n",
        "utf-8",
    )
    (item,) = read(tmp_path)
    assert item.article.published is not None
    assert item.attributions == (Gold(source=((5, 7),), cue=((8, 12),), content=((0, 4), (14, 18))),)


def test_a_folder_without_annotations_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="PolNeAR"):
        evaluate(tmp_path)
