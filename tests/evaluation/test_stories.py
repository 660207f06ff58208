"""The measures of grouping say what they mean, on sets small enough to count by hand."""

from __future__ import annotations

import lzma

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.errors import InputError
from broadsheet.evaluation.stories import STREAM, bcubed, days, evaluate, pairwise, read

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


@given(labels)
def test_a_perfect_grouping_scores_one_whatever_its_names(pairs):
    gold = [g for _, g in pairs]
    renamed = [f"story {g}" for g in gold]
    assert bcubed(renamed, gold) == (1.0, 1.0, 1.0)
    if len(set(gold)) < len(gold):
        assert pairwise(renamed, gold) == (1.0, 1.0, 1.0)


@given(labels)
def test_measures_stay_between_nothing_and_all_and_swap_when_the_sides_swap(pairs):
    found, gold = [f for f, _ in pairs], [g for _, g in pairs]
    for measure in (bcubed, pairwise):
        p, r, f = measure(found, gold)
        assert all(0.0 <= v <= 1.0 + 1e-12 for v in (p, r, f))
        assert measure(gold, found)[:2] == (pytest.approx(r), pytest.approx(p))


def test_bcubed_and_pairwise_by_hand():
    # found {a b c} {d}, true {a b} {c d}
    found, gold = [1, 1, 1, 2], [1, 1, 2, 2]
    assert bcubed(found, gold)[:2] == (
        pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4),
        pytest.approx((1 + 1 + 0.5 + 0.5) / 4),
    )
    assert pairwise(found, gold)[:2] == (pytest.approx(1 / 3), pytest.approx(1 / 2))


def test_items_of_stories_that_could_be_called_one_are_neither_right_nor_wrong_together():
    # found {a b c d}, true {a b} {c} {d}; that c is the story of a and b could be said either way
    found, gold, unsure = [1, 1, 1, 1], ["ab", "ab", "c", "d"], {frozenset({"ab", "c"})}
    assert bcubed(found, gold, unsure)[0] == pytest.approx((2 / 3 + 2 / 3 + 1 / 2 + 1 / 4) / 4)
    assert pairwise(found, gold, unsure)[0] == pytest.approx(1 / 4)  # ab of ab, ad, bd, cd


@given(labels, st.sets(st.frozensets(st.integers(0, 4), min_size=2, max_size=2)))
def test_what_could_be_said_either_way_makes_a_grouping_no_worse_and_a_perfect_one_no_better(pairs, unsure):
    found, gold = [f for f, _ in pairs], [g for _, g in pairs]
    for measure in (bcubed, pairwise):
        precision, recall, _ = measure(found, gold, unsure)
        assert measure(found, gold)[0] <= precision <= 1.0 + 1e-12
        assert recall == measure(found, gold)[1]
        assert measure(gold, gold, unsure) == measure(gold, gold)


@pytest.mark.data
def test_the_labelled_hours_of_real_feeds_are_read_with_every_item_that_was_labelled(data):
    path = data / "streams" / STREAM
    if not path.exists():
        pytest.skip("the stream of June 2023 is not there")
    dev, test = days(path)
    assert [len(part.articles) for part in (dev, test)] == [1529, 1515]
    assert [len(set(part.stories)) for part in (dev, test)] == [1145, 1110]
    assert all(len(pair & set(part.stories)) == 2 for part in (dev, test) for pair in part.unsure)


def test_a_set_is_read_in_order_of_publication_and_measured_whole_and_by_headlines(tmp_path):
    def article(number, title, date):
        return {
            "id": str(number),
            "url": "",
            "title": title,
            "text": f"{title}. It happened.",
            "publisher": "",
            "date": date,
        }

    stories = [
        {"story_id": "late", "articles": [article(1, "Floods close the port of Hamburg", "2020-02-02")]},
        {
            "story_id": "early",
            "articles": [
                article(2, "Senate confirms the judge", "2020-01-01"),
                article(3, "The judge is confirmed", ""),
            ],
        },
    ]
    path = tmp_path / "made.jsonl.xz"
    path.write_bytes(lzma.compress(b"\n".join(map(orjson.dumps, stories))))
    assert [a.id for a in read(path).articles] == ["2", "3", "1"]
    report = evaluate(path, group=lambda articles: ["late" if "port" in a.title else "early" for a in articles])
    assert [row.name for row in report.rows] == ["made", "made, headlines"]
    assert all(row.figures["bcubed_f"] == 1.0 for row in report.rows)


def test_a_folder_without_a_known_set_says_so(tmp_path):
    with pytest.raises(InputError, match="no labelled stories"):
        read(tmp_path)


@pytest.mark.data
def test_the_real_sets_are_read_whole(data):
    assert len(read(data / "stories/basil").articles) == 300
    assert len(read(data / "stories/newscluster5w1h").articles) == 383
    assert len(set(read(data / "stories/uci-sample").stories)) == 87
