"""`broadsheet stage timeline`: stories in, the same stories with dated sentences out."""

from __future__ import annotations

import orjson
import pytest

from broadsheet.stages import filter_lines
from broadsheet.stages.timeline import run

ARTICLES = [
    {
        "id": 7,
        "title": "Ferry sinks",
        "text": "A ferry with 80 people on board sank off the coast on Friday night.",
        "published": "2026-08-01T12:00:00Z",
    },
    {
        "id": "b",
        "title": "Wreck found",
        "text": "Divers found the wreck of the ferry on Sunday, officials said. Two men of the crew were arrested in the port.",
        "published": "2026-08-02",
        "extra": 1,
    },
]
LINE = {"id": "s", "articles": ARTICLES, "more": {"kept": True}}


def test_a_story_gains_events_with_their_places_and_keeps_the_rest():
    (line,) = run([LINE])
    assert {name: line[name] for name in LINE} == LINE
    assert [(e["date"], e["article"]) for e in line["events"]] == [("2026-07-31", 7), ("2026-08-02", "b")]
    for event in line["events"]:
        text = next(a["text"] for a in ARTICLES if a["id"] == event["article"])
        assert text[event["start"] : event["end"]] == event["sentence"]


def test_length_is_the_number_of_dates_and_sentences_how_many_each_has():
    (line,) = run([LINE | {"length": 1, "sentences": 2}])
    assert len({e["date"] for e in line["events"]}) == 1
    (line,) = run([LINE | {"length": 5, "sentences": 2}])
    assert [e["date"] for e in line["events"]].count("2026-08-02") == 2


def test_articles_of_one_id_are_told_apart():
    (line,) = run([{"id": 1, "articles": [ARTICLES[0], ARTICLES[1] | {"id": 7}]}])
    assert [e["article"] for e in line["events"]] == [7, 7]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"articles": None}, "no list of articles"),
        ({"articles": ["x"]}, "article 1 is str"),
        ({"articles": [{"id": 1, "title": 3, "published": "2026-08-01"}]}, "title is int"),
        ({"articles": [{"id": 1, "title": "x", "published": "soon"}]}, "words and a time"),
        ({"articles": []}, "words and a time"),
        ({"length": 0}, "length is 0"),
        ({"length": "3"}, "length is '3'"),
        ({"sentences": True}, "sentences is True"),
    ],
)
def test_a_line_that_cannot_be_told_says_why_and_the_rest_goes_on(change, said):
    raw = [orjson.dumps(LINE | change), b"{", orjson.dumps(LINE | {"id": "z"})]
    first, second, third = [orjson.loads(line) for line in filter_lines("timeline", run, raw)]
    assert first["rejected"]["stage"] == "timeline"
    assert said in first["rejected"]["reason"]
    assert "rejected" in second
    assert third["events"]


def test_times_in_seconds_and_milliseconds_are_read():
    for published in (1785585600, 1785585600000):
        (line,) = run([{"id": 1, "articles": [ARTICLES[0] | {"published": published}]}])
        assert line["events"][0]["date"] == "2026-07-31"
