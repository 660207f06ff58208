"""The measures of ranking, against values worked out by hand, and the sets they are read from."""

import numpy as np
import orjson
import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation import ranking


def test_the_measures_of_one_request_are_those_worked_out_by_hand():
    auc, mrr, ndcg5, ndcg10 = ranking.measure([False, True, False], [3.0, 2.0, 1.0], np.random.default_rng(0))
    assert (auc, mrr) == (0.5, 0.5)
    assert ndcg5 == ndcg10 == pytest.approx(1 / np.log2(3))
    assert ranking.measure([True, False], [1.0, 0.0], np.random.default_rng(0)) == (1.0, 1.0, 1.0, 1.0)


def test_equal_scores_are_worth_no_more_than_chance():
    assert ranking.measure([True, False, False], [1.0, 1.0, 1.0], np.random.default_rng(0))[0] == 0.5


def test_requests_that_show_no_choice_are_not_counted():
    assert ranking.measures([([True], [1.0]), ([True, False], [1.0, 0.0])])["requests"] == 1
    with pytest.raises(InputError):
        ranking.measures([([True], [1.0])])


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
        ranking.read(tmp_path)


@pytest.mark.data
def test_real_readers_are_ranked_better_than_by_chance(data, tmp_path):
    articles, lines, reported = ranking.read_mind(data / "interactions" / "mind-sample")
    file = tmp_path / "articles.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, articles)))
    assert sum(map(reported, lines)) == 968
    some = [line for line in lines if reported(line)][:150]
    assert ranking.score(some, reported, articles=file)["auc"] > 0.53
