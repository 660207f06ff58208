"""The ranking filter: exact reasons, nothing from the future, bad lines as values."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.errors import InputError
from broadsheet.stages import rank, train_rank

ARTICLES = [
    {"id": "a", "title": "Carlsen wins the chess tournament", "category": "sport", "topics": ["chess"]},
    {"id": "b", "title": "Chess tournament begins in Oslo", "category": "sport", "topics": [{"id": "chess"}]},
    {"id": "c", "title": "Parliament votes on the budget", "category": "politics", "published": "2026-08-01T10:00:00Z"},
    {"id": "d", "title": "Budget talks fail", "category": "politics", "published": "2026-07-20T10:00:00Z"},
]


@pytest.fixture
def articles(tmp_path):
    path = tmp_path / "articles.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, ARTICLES)) + b"\nnot json\n")
    return path


def a_line(n=0, history=(), candidates=("b", "c", "d"), **fields):
    at = f"2026-08-01T12:{n:02}:00+00:00"
    return {"id": n, "reader": "r", "at": at, "history": list(history), "candidates": list(candidates)} | fields


lines = st.lists(
    st.builds(
        lambda reader, history, candidates, clicked: {"reader": reader, "history": history, "candidates": candidates, "clicked": clicked},
        reader=st.sampled_from(("r", "s", None)),
        history=st.lists(st.sampled_from("abcdx"), max_size=4),
        candidates=st.lists(st.sampled_from("abcdx"), min_size=1, max_size=4, unique=True),
        clicked=st.lists(st.sampled_from("abcd"), max_size=1),
    ),
    min_size=1,
    max_size=8,
).map(lambda drawn: [a_line(5 * n) | line for n, line in enumerate(drawn)])  # fmt: skip


def test_what_is_like_the_history_comes_first(articles):
    [result] = rank.run([a_line(history=["a"])], articles=articles)
    assert result["scores"][0] == max(result["scores"])
    assert {"category", "like", "topic"} <= {reason["signal"] for reason in result["reasons"][0]}


def test_a_new_reader_with_no_history_or_unknown_articles_is_ranked_by_freshness(articles):
    for history in ([], ["gone", "unknown"]):
        [result] = rank.run([a_line(history=history, candidates=["d", "c"])], articles=articles)
        assert result["scores"][1] > result["scores"][0]


@settings(deadline=None, max_examples=30)
@given(lines=lines, prequential=st.booleans())
def test_a_score_is_the_sum_of_its_reasons_one_for_each_candidate(lines, prequential, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "articles.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, ARTICLES)))
    for line, result in zip(lines, rank.run(lines, articles=path, prequential=prequential), strict=True):
        assert len(result["scores"]) == len(result["reasons"]) == len(line["candidates"])
        assert result["scores"] == [sum(reason["points"] for reason in mine) for mine in result["reasons"]]


@settings(deadline=None, max_examples=30)
@given(past=lines, future=lines, other=lines)
def test_another_future_changes_no_score(past, future, other, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "articles.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, ARTICLES)))

    def scores(then):
        results = list(rank.run([*past, *then], articles=path, prequential=True))
        return [result["scores"] for result in results[: len(past)]]

    assert scores(future) == scores(other)


def test_a_click_is_learned_from_after_its_own_line_was_scored_and_by_others_two_minutes_later(articles):
    def scores(*clicked):
        told = [a_line(n, reader=f"r{n}", clicked=list(ids)) for n, ids in enumerate(clicked)]
        return [result["scores"] for result in rank.run(told, articles=articles, prequential=True)]

    clicked, none = scores("d", "", "", ""), scores("", "", "", "")
    assert clicked[:2] == none[:2]  # its own line, and one minute later
    assert clicked[2:] != none[2:]
    assert clicked[3][2] - clicked[3][1] > none[3][2] - none[3][1]


def test_without_prequential_lines_do_not_see_each_other(articles):
    told = [a_line(0, clicked=["d"]), a_line(10, clicked=["d"])]
    first, second = rank.run(told, articles=articles)
    alone = next(rank.run(told[1:], articles=articles))
    assert second["scores"] == alone["scores"]
    assert "clicked" not in first


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"at": "yesterday"}, "`at` is not an ISO time"),
        ({"candidates": []}, "no candidates"),
        ({"candidates": "b"}, "`candidates` is not a list"),
        ({"history": [{}]}, "`history` is not a list"),
    ],
)
def test_a_bad_line_is_rejected_with_the_reason_and_the_rest_goes_on(articles, wrong, said):
    bad, good = rank.run([a_line() | wrong, a_line(1)], articles=articles)
    assert said in bad["rejected"]["reason"]
    assert len(good["scores"]) == 3


def test_a_ranker_is_trained_written_and_used(articles, tmp_path):
    told = [a_line(n, history=["a"], clicked=["b"]) for n in range(30)]
    fitted = train_rank.train(told, articles, prequential=False)
    assert fitted.weights["category"] > 0
    model = tmp_path / "model.json"
    model.write_bytes(orjson.dumps(fitted.as_json()))
    [result] = rank.run([a_line(history=["a"])], articles=articles, model=model)
    assert max(result["scores"]) == result["scores"][0]


def test_training_on_lines_without_a_choice_is_refused(articles):
    with pytest.raises(InputError, match="clicked"):
        train_rank.train([a_line()], articles)


@pytest.mark.parametrize("written", ["nothing", "[]", '{"weights": {"magic": 1}}', '{"weights": {"like": "much"}}'])
def test_a_file_that_is_no_ranker_is_refused(articles, tmp_path, written):
    model = tmp_path / "model.json"
    model.write_text(written)
    with pytest.raises(InputError):
        list(rank.run([a_line()], articles=articles, model=model))
