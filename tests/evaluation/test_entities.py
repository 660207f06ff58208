"""The measure of names counts what it says it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation.entities import Label, evaluate, judge, labels
from broadsheet.model import Entity

LABELS = [
    Label(frozenset({"jamal khashoggi", "khashoggi"}), ("person",)),
    Label(frozenset({"white house"}), ("place", "organisation")),
    Label(frozenset({"united nations", "un"}), ("organisation",)),
    Label(frozenset({"mv alan kurdi"}), ()),
]


def an_entity(text: str, kind: str) -> Entity:
    return Entity(text=text, type=kind, count=1)  # type: ignore[arg-type]


def test_a_name_is_right_with_its_type_and_under_any_of_its_names() -> None:
    judged = judge([an_entity("Khashoggi", "person"), an_entity("The White House", "organisation")], LABELS)
    assert len(judged.right) == 2
    assert judged.wrong == ()
    assert [label.types for label in judged.missed] == [("organisation",)]


def test_a_wrong_type_and_a_second_entity_of_one_label_are_wrong() -> None:
    judged = judge(
        [an_entity("Jamal Khashoggi", "person"), an_entity("Khashoggi", "person"), an_entity("U.N.", "place")], LABELS
    )
    assert [e.text for e in judged.wrong] == ["Khashoggi", "U.N."]
    assert len(judged.right) == 1


def test_what_readers_type_in_several_ways_counts_neither_way() -> None:
    judged = judge([an_entity("MV Alan Kurdi", "person"), an_entity("Something", "other")], LABELS)
    assert judged.right == judged.wrong == ()
    assert all(label.counts for label in judged.missed)
    assert len(judged.missed) == 3


def test_thirty_articles_are_labelled_and_half_of_them_were_kept_from_the_rules() -> None:
    dev, test = labels("dev"), labels("test")
    assert len(dev) == len(test) == 15
    assert not set(dev) & set(test)
    assert all(any(label.counts for label in given) for given in (*dev.values(), *test.values()))


def test_a_folder_without_the_articles_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the labelled articles"):
        evaluate(tmp_path)
