"""The measures of ranking, against values worked out by hand, and the sets they are read from."""

import numpy as np
import orjson
import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation import clicks, ranking


def test_the_measures_of_one_request_are_those_worked_out_by_hand():
    auc, mrr, ndcg5, ndcg10, *_ = ranking.measure([False, True, False], [3.0, 2.0, 1.0], np.random.default_rng(0))
    assert (auc, mrr) == (0.5, 0.5)
    assert ndcg5 == ndcg10 == pytest.approx(1 / np.log2(3))
    assert ranking.measure([True, False], [1.0, 0.0], np.random.default_rng(0)) == (1.0,) * 6


def test_equal_scores_are_worth_no_more_than_chance():
    assert ranking.measure([True, False, False], [1.0, 1.0, 1.0], np.random.default_rng(0))[0] == 0.5


def test_requests_that_show_no_choice_are_not_counted():
    line = {"at": "2026-08-01T12:00:00Z", "reader": "r", "history": ["a"], "candidates": ["b", "c"]}
    lines = [line | {"clicked": ["b"]}, line | {"clicked": []}, line | {"clicked": ["b", "c"]}]
    asked, _ = clicks.walk(clicks.Clicks("three", [{"id": "a"}], lines, lambda line: True))
    assert len(asked) == 1
    with pytest.raises(InputError):
        clicks.walk(clicks.Clicks("two", [], lines[1:], lambda line: True))


def test_readers_are_told_apart_by_how_much_is_known_of_them(tmp_path):
    line = {"at": "2026-08-01T12:00:00Z", "candidates": ["b", "c"], "clicked": ["b"]}
    lines = [line | {"reader": str(n), "history": [str(k) for k in range(n)]} for n in (0, 3, 7, 30)]
    asked, _ = clicks.walk(clicks.Clicks("readers", [], lines, lambda line: True))
    rows = list(ranking.cohorts("ours", ranking.measured(asked, [np.zeros(2)] * 4), asked))
    assert {row.name: row.figures["requests"] for row in rows} == {
        "ours, no past clicks": 1, "ours, 1-4": 1, "ours, 5-19": 1, "ours, 20 and more": 1, "ours, under 30": 3,
    }  # fmt: skip


def test_a_file_of_requests_beside_its_articles_is_measured(tmp_path):
    articles = [
        {"id": "a", "title": "chess in Oslo", "category": "s"},
        {"id": "b", "title": "chess", "category": "s"},
        {"id": "c", "title": "law", "category": "p"},
    ]
    (tmp_path / "articles.jsonl").write_bytes(b"\n".join(map(orjson.dumps, articles)))
    line = {"id": 1, "at": "2026-08-01T12:00:00Z", "history": ["a"], "candidates": ["b", "c"], "clicked": ["b"]}
    (tmp_path / "requests.jsonl").write_bytes(orjson.dumps(line))
    report = ranking.evaluate(tmp_path / "requests.jsonl").as_json()
    assert report["rows"]["history alone"]["auc"] == 1.0


def test_what_is_no_set_is_refused(tmp_path):
    with pytest.raises(InputError, match="EB-NeRD"):
        clicks.read(tmp_path)
