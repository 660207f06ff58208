"""`broadsheet stage enrich`: lines in, the same lines with language, entities and topics out."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from broadsheet.stages import Line, filter_lines
from broadsheet.stages.enrich import BATCH, run

LINE = {
    "id": "a1",
    "title": "Shares fall as Federal Reserve raises interest rates",
    "text": "Investors on Wall Street sold stocks after Jerome Powell spoke in Washington. Powell said inflation was high.",
    "published": "2026-08-01T12:00:00Z",
    "extra": {"kept": [1, 2]},
}


def test_a_line_gains_language_entities_and_topics_and_keeps_the_rest() -> None:
    (line,) = run([LINE])
    assert {name: line[name] for name in LINE} == LINE
    assert line["language"] == "en"
    assert {"text": "Jerome Powell", "type": "person", "count": 2} in line["entities"]
    assert line["topics"][0]["label"] == "Economy, business and finance"
    assert set(line["topics"][0]) == {"id", "label", "weight"}


def test_bad_lines_are_answered_in_their_place() -> None:
    raw = [
        orjson.dumps(LINE),
        b"not json",
        b'{"id": 2, "title": 7}',
        b'{"id": 3}',
        b'{"title": "x"}',
        orjson.dumps(LINE | {"id": "z"}),
    ]
    lines = [orjson.loads(line) for line in filter_lines("enrich", run, raw)]
    assert [line["id"] for line in lines] == ["a1", None, 2, 3, None, "z"]
    assert ["rejected" in line for line in lines] == [False, True, True, True, True, False]
    assert lines[2]["rejected"] == {"stage": "enrich", "reason": "title is int, not text"}


def test_lines_stream_a_batch_at_a_time() -> None:
    asked = 0

    def endless() -> Iterator[Line]:
        nonlocal asked
        while True:
            asked += 1
            yield {"id": asked, "title": "A headline"}

    assert next(run(endless(), light=True))["id"] == 1
    assert asked == BATCH


def test_a_title_or_a_text_alone_is_enough() -> None:
    title, text = run([{"id": 1, "title": LINE["title"]}, {"id": 2, "text": LINE["text"], "title": None}])
    assert title["language"] == text["language"] == "en"
