"""The ranking filter: exact reasons, nothing from the future, bad lines as values."""

import sys

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.errors import InputError, MissingExtra
from broadsheet.stages import rank, train_rank
from broadsheet.stages.signals import FAMILIES, Forms, Signals, read_request

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


def simulated(n, seed=0):
    """Readers who open what others open, and sport."""
    rng = np.random.default_rng(seed)
    for k in range(n):
        candidates = rng.permutation(list("abcd")).tolist()
        pull = np.array([{"a": 1.5, "b": 2.0, "c": 0.0, "d": -1.0}[x] for x in candidates])
        chances = np.exp(pull) / np.exp(pull).sum()
        at = f"2026-08-{1 + k // 96:02}T{k // 4 % 24:02}:{k % 4 * 15:02}:00Z"
        yield a_line(
            reader=f"r{k % 20}",
            history=["a"],
            candidates=candidates,
            at=at,
            clicked=[str(rng.choice(candidates, p=chances))],
        )


@pytest.fixture(scope="module")
def forest(tmp_path_factory):
    pytest.importorskip("lightgbm")
    folder = tmp_path_factory.mktemp("forest")
    (folder / "articles.jsonl").write_bytes(b"\n".join(map(orjson.dumps, ARTICLES)))
    fitted = train_rank.train(simulated(800), folder / "articles.jsonl")
    (folder / "model.json").write_bytes(orjson.dumps(fitted.as_json()))
    return folder


def test_trees_are_fitted_where_there_are_lines_enough_and_rank_what_is_opened_first(forest):
    told = list(simulated(100, seed=1))
    for prequential in (False, True):
        results = list(
            rank.run(told, articles=forest / "articles.jsonl", model=forest / "model.json", prequential=prequential)
        )
        best = [
            line["candidates"][int(np.argmax(result["scores"]))] for line, result in zip(told, results, strict=True)
        ]
        assert best.count("b") + best.count("a") > 80


def test_points_of_a_forest_add_up_and_are_what_the_library_that_fitted_it_says(tmp_path):
    pytest.importorskip("lightgbm")
    signals = Signals(ARTICLES, prequential=True)
    forms = Forms(signals.signals)
    choices, _ = train_rank.gather(simulated(600), signals, forms, print)
    booster, _ = train_rank.boost(choices, train_rank.constraints(forms.columns))
    trees = rank.Trees(train_rank.stored(booster, forms.columns), signals.signals)
    for line in simulated(30, seed=2):
        table = signals.table(read_request(line))
        said = booster.predict(forms(table).astype(np.float32), raw_score=True)
        np.testing.assert_allclose(trees(table).sum(axis=1), said - said.mean(), atol=1e-9)


def test_a_forest_gives_each_family_its_points_and_the_score_is_their_sum(forest):
    [result] = rank.run(
        [a_line(history=["a"])], articles=forest / "articles.jsonl", model=forest / "model.json", prequential=True
    )
    assert result["scores"] == [sum(reason["points"] for reason in mine) for mine in result["reasons"]]
    for mine in result["reasons"]:
        assert {reason["signal"] for reason in mine} <= set(FAMILIES)
    for family in FAMILIES:  # points say what sets one apart: over the candidates they add up to nothing
        assert sum(r["points"] for mine in result["reasons"] for r in mine if r["signal"] == family) == pytest.approx(0)


def test_a_trained_ranker_goes_on_from_what_it_saw(forest):
    model = orjson.loads((forest / "model.json").read_bytes())
    forgetful = forest / "forgetful.json"
    forgetful.write_bytes(orjson.dumps({name: x for name, x in model.items() if name != "memory"}))
    line = a_line(at="2026-08-09T12:00:00Z", reader="new")
    with_memory, without = (
        next(rank.run([line], articles=forest / "articles.jsonl", model=file, prequential=True))["scores"]
        for file in (forest / "model.json", forgetful)
    )
    assert with_memory != without


def test_without_lightgbm_weights_are_fitted_and_it_says_so(articles, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    said = []
    fitted = train_rank.train(simulated(600), articles, say=said.append)
    assert fitted.weights
    assert "broadsheet[train]" in said[-1]
    with pytest.raises(MissingExtra):
        train_rank.train(simulated(600), articles, kind="trees")


def test_a_damaged_forest_is_refused(forest, tmp_path):
    whole = orjson.loads((forest / "model.json").read_bytes())
    for name, value in (("left", [0]), ("columns", [["magic", ""]]), ("family", [99]), ("feature", [])):
        damaged = orjson.loads(orjson.dumps(whole))
        damaged["trees"]["together"][name] = value
        (tmp_path / "model.json").write_bytes(orjson.dumps(damaged))
        with pytest.raises(InputError):
            list(
                rank.run(
                    [a_line()], articles=forest / "articles.jsonl", model=tmp_path / "model.json", prequential=True
                )
            )


def test_training_on_lines_without_a_choice_is_refused(articles):
    with pytest.raises(InputError, match="clicked"):
        train_rank.train([a_line()], articles)


@pytest.mark.parametrize("written", ["nothing", "[]", '{"weights": {"magic": 1}}', '{"weights": {"like": "much"}}'])
def test_a_file_that_is_no_ranker_is_refused(articles, tmp_path, written):
    model = tmp_path / "model.json"
    model.write_text(written)
    with pytest.raises(InputError):
        list(rank.run([a_line()], articles=articles, model=model))
