"""What is shown besides what is clicked: measures against values worked out by hand, and what they can't do."""

from xml.etree import ElementTree

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.errors import InputError
from broadsheet.evaluation import beyond, clicks, ranking
from broadsheet.evaluation.plots import Point, scatter
from broadsheet.feed.score import SCORERS

names = st.lists(st.sampled_from("abcde"), min_size=1, max_size=6)


def test_five_of_one_kind_are_not_unlike_and_five_at_right_angles_are():
    assert beyond.unlike(np.ones((6, 6)), [0, 2, 4]) == 0.0
    assert beyond.unlike(np.eye(6), [0, 2, 4]) == 1.0
    near = np.eye(3)
    near[0, 1] = near[1, 0] = 0.4
    assert beyond.unlike(near, [0, 1, 2]) == pytest.approx((0.6 + 1 + 1) / 3)


@given(names, names)
def test_divergence_is_the_same_both_ways_nothing_for_the_same_and_one_for_what_shares_nothing(one, other):
    p, q = beyond.ranked(one), beyond.ranked(other)
    assert beyond.divergence(p, q) == pytest.approx(beyond.divergence(q, p))
    assert -1e-12 <= beyond.divergence(p, q) <= 1 + 1e-12
    assert beyond.divergence(p, p) == pytest.approx(0)
    assert beyond.divergence(p, {x.upper(): mass for x, mass in q.items()}) == pytest.approx(1)


@given(names)
def test_the_places_of_a_list_add_up_to_one_and_the_first_weighs_most(shown):
    assert sum(beyond.ranked(shown).values()) == pytest.approx(1)
    distinct = list(dict.fromkeys(shown))
    mass = beyond.ranked(distinct)
    assert list(mass) == sorted(mass, key=mass.__getitem__, reverse=True)


def test_gini_is_nothing_where_all_are_shown_alike_and_grows_with_what_one_takes():
    assert beyond.gini([3, 3, 3, 3]) == pytest.approx(0)
    assert beyond.gini([0, 0, 0, 12]) == pytest.approx(0.75)
    assert beyond.gini([1, 2, 3]) < beyond.gini([1, 2, 9])


def test_every_recipe_is_measured_on_the_same_requests_and_drawn(tmp_path):
    sections = ["sport", "politics", "culture"]
    articles = [
        {"id": f"a{n}", "title": f"{sections[n % 3]} story number {n}", "category": sections[n % 3], "published": f"2026-08-01T{n:02}:00:00Z"}
        for n in range(18)
    ]  # fmt: skip
    lines = [
        {
            "id": n, "reader": f"r{n % 3}", "at": f"2026-08-01T18:{n:02}:00Z", "history": [f"a{n % 3}", f"a{n % 3 + 3}"],
            "candidates": [f"a{k}" for k in range(6, 18)], "clicked": [f"a{15 + n % 3}"],
        }
        for n in range(9)
    ]  # fmt: skip
    (tmp_path / "articles.jsonl").write_bytes(b"\n".join(map(orjson.dumps, articles)))
    (tmp_path / "requests.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    report = beyond.evaluate(tmp_path / "requests.jsonl", plot=tmp_path / "figure.svg", ablate=True).as_json()
    rows = report["rows"]
    assert {"chance", "As shipped", "Wide", "diversity 4"} <= set(rows)
    assert all(0 <= row["gini"] < 1 and 0 <= row["calibration"] <= 1 and row["topics"] <= 1 for row in rows.values())
    # three readers, each of one section: who reads politics is shown politics first
    assert rows["Mine"]["ndcg10"] > rows["chance"]["ndcg10"]
    assert rows["interest 3"]["ndcg10"] >= rows["interest 0.5"]["ndcg10"]
    assert rows["diversity 4"]["topics"] >= rows["diversity 0"]["topics"]
    left_out = {name for name in rows if name.startswith("without ")}
    assert left_out == {f"without {name}" for name in SCORERS}
    # what these readers read says which they read next; that they follow nothing changes nothing
    assert rows["without interest"]["ndcg10"] < rows["As shipped"]["ndcg10"]
    assert rows["without follows"] == rows["As shipped"]
    drawn = ElementTree.parse(tmp_path / "figure.svg").getroot()
    assert {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")} >= set(rows) - left_out


def test_what_offers_little_to_choose_from_is_refused(tmp_path):
    (tmp_path / "articles.jsonl").write_bytes(orjson.dumps({"id": "a", "title": "t"}))
    line = {"id": 1, "at": "2026-08-01T12:00:00Z", "history": [], "candidates": ["a", "b"], "clicked": ["a"]}
    (tmp_path / "requests.jsonl").write_bytes(orjson.dumps(line))
    with pytest.raises(InputError, match="10 candidates"):
        beyond.evaluate(tmp_path / "requests.jsonl")


def test_names_in_a_figure_are_text_not_markup():
    drawn = ElementTree.fromstring(scatter([Point("<b> & c", 0.1, 0.2), Point("d", 0.1, 0.2)], x="x", y="y", title="t"))
    labels = {text.text: float(text.get("y")) for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert "<b> & c" in labels
    assert abs(labels["<b> & c"] - labels["d"]) >= 13  # two points in one place can both be read


def test_a_peer_that_knows_who_reads_with_whom_beats_chance():
    pytest.importorskip("implicit")
    pytest.importorskip("scipy")
    rng, lines = np.random.default_rng(0), []
    for n in range(300):  # two crowds, each with its own twenty articles
        own, others = ([f"{half}-{k}" for k in range(20)] for half in (n % 2, 1 - n % 2))
        history = rng.choice(own, 6, replace=False).tolist()
        clicked = str(rng.choice([id for id in own if id not in history]))  # noqa: A001
        lines.append({
            "id": n, "reader": f"r{n}", "at": f"2026-08-01T12:{n // 60:02}:{n % 60:02}Z", "history": history,
            "candidates": [clicked, *rng.choice(others, 4, replace=False).tolist()], "clicked": [clicked],
        })  # fmt: skip
    found = clicks.Clicks("crowds", [], lines, lambda line: line["id"] >= 200)
    asked, _ = clicks.walk(found)
    table, missing = ranking.implicit(found, asked)
    assert not missing
    assert table[:, 0].mean() > 0.75
