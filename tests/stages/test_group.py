"""`stage group`: one line out for each line in, in order, with the story it ended in."""

from __future__ import annotations

import orjson
import pytest

from broadsheet.stages import filter_lines
from broadsheet.stages.group import run

QUAKE = [
    ("Strong earthquake hits northern Chile, tsunami warning issued", "Reuters"),
    ("Tsunami warning after strong earthquake off northern Chile", "BBC News"),
    ("Chile earthquake: tsunami warning for northern coast", "AP"),
]
OTHER = [("Central bank leaves interest rates unchanged", "Reuters"), ("Local choir wins national singing prize", "AP")]


def lines(items, **more):
    return [
        {"id": str(i), "title": title, "publisher": publisher, "published": f"2026-03-01T0{i}:00:00Z"} | more
        for i, (title, publisher) in enumerate(items)
    ]


def test_reports_of_one_event_share_a_story_and_others_do_not():
    found = [line["story"] for line in run(lines([QUAKE[0], OTHER[0], QUAKE[1], OTHER[1], QUAKE[2]]))]
    assert found[0] == found[2] == found[4]
    assert len(set(found)) == 3


def test_every_line_comes_back_in_order_with_the_fields_that_nobody_knows():
    given = lines(QUAKE + OTHER, colour="green")
    given.insert(2, {"id": "bad", "title": 7})
    given.insert(4, {"id": "empty", "title": " "})
    found = list(run(given))
    assert [line["id"] for line in found] == [line["id"] for line in given]
    assert [line["id"] for line in found if "rejected" in line] == ["bad", "empty"]
    assert all(line["colour"] == "green" for line in found if "story" in line)


@pytest.mark.parametrize(
    "published", [None, "", "yesterday", 10**30, -5, True, "0001-01-01", "9999-12-31T23:59:59Z", ["x"]]
)
def test_a_time_that_cannot_be_read_does_not_keep_an_article_from_its_story(published):
    given = lines(QUAKE)
    given[1]["published"] = published
    given[2] |= {"published": None, "publisher": None}
    found = list(run(given))
    assert all("story" in line for line in found)


def test_ids_that_repeat_are_lines_of_their_own():
    given = [{"id": "1", "title": QUAKE[0][0]}, {"id": "1", "title": OTHER[0][0]}]
    first, second = run(given)
    assert first["story"] != second["story"]


def test_the_same_lines_give_the_same_stories_twice():
    assert list(run(lines(QUAKE + OTHER))) == list(run(lines(QUAKE + OTHER)))


def test_lines_that_are_not_json_keep_their_place():
    raw = [orjson.dumps(lines(QUAKE)[0]), b"{broken", orjson.dumps(lines(QUAKE)[1])]
    first, broken, last = (orjson.loads(line) for line in filter_lines("group", run, raw))
    assert first["story"] == last["story"]
    assert broken["rejected"]["stage"] == "group"


def test_no_lines_give_no_lines():
    assert list(run([])) == []
