"""Measuring rankers: figures by hand, one pass in time order, negatives drawn from before the hour."""

import csv
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation import clicks, rankers, ranking
from tests.stages.test_rank import ARTICLES, simulated


def hit(clicked, scores, rng):
    return ranking.measure(clicked.tolist(), scores.tolist(), rng)[4:]


def test_a_hit_is_one_of_the_clicked_among_the_first_ten():
    rng = np.random.default_rng(0)
    scores = np.arange(20.0)[::-1]
    for place, found in ((0, (1.0, 1.0)), (3, (1.0, 0.25)), (9, (1.0, 0.1)), (10, (0.0, 0.0))):
        assert hit(np.arange(20) == place, scores, rng) == found


def test_who_can_not_tell_candidates_apart_hits_by_chance():
    rng = np.random.default_rng(0)
    clicked = np.arange(40) == 0
    assert 0.2 < np.mean([hit(clicked, np.zeros(40), rng)[0] for _ in range(1000)]) < 0.3


def test_intervals_shrink_with_readers_and_hold_the_mean():
    rng = np.random.default_rng(0)
    table = np.array([ranking.measure([True, False, False], rng.random(3).tolist(), rng) for _ in range(800)])
    readers = [str(n) for n in range(800)]
    few, many = ranking.figures(table[:50], readers[:50]), ranking.figures(table, readers)
    assert many["auc ±"] < few["auc ±"]
    assert abs(many["auc"] - 0.5) < 2 * many["auc ±"]


def test_requests_of_one_reader_are_no_evidence_of_other_readers():
    rng = np.random.default_rng(0)
    tastes = np.repeat(rng.random(40), 20)  # each reader is easy or hard to please, again and again
    table = np.tile(tastes[:, None], (1, 6))
    one_each = ranking.figures(table, [str(n) for n in range(800)])
    alike = ranking.figures(table, [str(n // 20) for n in range(800)])
    assert alike["auc"] == one_each["auc"]
    assert alike["auc ±"] > 3 * one_each["auc ±"]


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    pytest.importorskip("lightgbm")
    folder = tmp_path_factory.mktemp("set")
    (folder / "articles.jsonl").write_bytes(b"\n".join(map(orjson.dumps, ARTICLES)))
    told = [line | {"measured": n >= 700} for n, line in enumerate(simulated(900))]
    return clicks.Clicks("simulated", ARTICLES, told, lambda line: line["measured"])


def test_a_trained_ranker_beats_what_it_is_compared_with_and_no_choice_is_both_learned_and_measured(simulation):
    learned, asked, signals = rankers.walk(simulation)
    assert (len(learned.sizes), len(asked)) == (700, 200)
    rows = {row.name: row.figures["auc"] for row in rankers.report_rows(learned, asked, signals, whole=False)}
    assert rows["trained: with what others did"] > max(rows["chance"], rows["likest words"], rows["newest"])


def test_what_is_learned_at_once_is_learned_when_the_period_is_over(simulation):
    by_line = rankers.walk(simulation)[1]
    at_once = clicks.Clicks("s", ARTICLES, simulation.lines, simulation.measured, lambda line: line["measured"])
    [*_, last] = rankers.walk(at_once)[1]
    first = by_line[0]
    k = rankers.walk(simulation)[2].names.index("shown")
    assert sorted(first.together[:, k]) == sorted(last.together[:, k])  # 200 requests later nothing more is known
    assert max(by_line[-1].together[:, k]) > max(last.together[:, k])


def test_negatives_of_a_next_click_were_clicked_before_its_hour_and_are_new_to_the_session(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    start, rng = datetime(2026, 8, 1, tzinfo=UTC), np.random.default_rng(0)
    hours, rows = 150, []
    for n in range(hours * 20):
        at = start + timedelta(hours=hours) * (n / (hours * 20))
        rows.append((1000 * (1 + n // 20 * 5 + n % 5), int(at.timestamp() * 1000), int(rng.integers(0, 80)) + n // 60))
    session, at, article = zip(*rows, strict=True)
    table = pyarrow.table({"session_id": session, "click_article_id": article, "click_timestamp": at})
    parquet.write_table(table, tmp_path / "clicks-first-10-days.parquet")
    with (tmp_path / "articles_metadata_partial.csv").open("w", newline="") as file:
        written = csv.writer(file)
        written.writerow(("article_id", "category_id", "created_at_ts", "publisher_id", "words_count"))
        written.writerow((3, 1, 1506880836000, 0, 100))
    found = clicks.load(tmp_path, whole=True)
    choices = [line for line in found.lines if len(line["candidates"]) > 1]
    assert {found.measured(line) for line in choices} == {True, False}
    before: dict[int, set[str]] = {}
    clicked: set[str] = set()
    hour = None
    for row in rows:
        if (now := (row[1] - rows[0][1]) // 3_600_000) != hour:
            before[now], hour = set(clicked), now
        clicked.add(str(row[2]))
    first = min(found.lines, key=lambda line: line["hour"])["hour"]
    assert first == -24
    for line in choices:
        hour = (rows[line["id"]][1] - rows[0][1]) // 3_600_000
        negatives = [id for id in line["candidates"] if id not in line["clicked"]]  # noqa: A001
        assert len(negatives) == len(line["candidates"]) - 1 == 50
        assert set(negatives) <= before[hour]
        assert not set(negatives) & set(line["history"])


def test_what_is_no_set_of_clicks_is_refused(tmp_path):
    with pytest.raises(InputError):
        clicks.load(tmp_path, whole=False)
