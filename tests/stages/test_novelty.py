"""The novelty filter: lines of what was read and what was not, in, with what is new, out."""

from __future__ import annotations

import orjson

from broadsheet.stages import filter_lines, load

READ = {"id": "a", "title": "Quake kills 2,000", "text": "An earthquake killed 2,000 people in Turkey, officials said."}
LATER = {
    "id": 7,
    "title": "Toll rises",
    "text": "By Jane Doe\n\nAn earthquake killed 3,000 people in Turkey, officials said.\nSchools in Antakya are closed.",
}


def filtered(*lines: object) -> list[dict]:
    raw = [line if isinstance(line, bytes) else orjson.dumps(line) for line in lines]
    return [orjson.loads(line) for line in filter_lines("novelty", load("novelty"), raw)]


def test_a_line_keeps_what_it_has_and_gets_what_is_new_with_offsets_and_the_articles_own_id():
    (line,) = filtered({"id": "s1", "read": [READ], "unread": [LATER], "note": "kept"})
    assert line["note"] == "kept"
    assert {tuple(sorted(n)) for n in line["new"]} == {("article", "end", "sentence", "start", "why")}
    assert {n["article"] for n in line["new"]} == {7}
    assert all(LATER["text"][n["start"] : n["end"]] == n["sentence"] for n in line["new"])
    assert "correction: 3,000, was 2,000" in [n["why"] for n in line["new"]]


def test_nothing_new_is_an_empty_list():
    (line,) = filtered({"id": 1, "read": [READ], "unread": [READ]})
    assert line["new"] == []


def test_with_nothing_read_the_sentences_worth_reading_come_and_the_byline_does_not():
    for nothing in ({"read": []}, {"read": None}, {}):
        (line,) = filtered({"id": 1, "unread": [LATER]} | nothing)
        assert [n["sentence"][:8] for n in line["new"]] == ["An earth", "Schools "]


def test_an_update_under_the_id_of_what_was_read_is_compared_like_any_other():
    (line,) = filtered({"id": 1, "read": [READ], "unread": [LATER | {"id": "a"}]})
    assert {n["article"] for n in line["new"]} == {"a"}


def test_bad_lines_say_why_and_the_rest_goes_on():
    lines = filtered(
        b"nonsense",
        {"id": 1},
        {"id": 2, "unread": "text"},
        {"id": 3, "read": [1], "unread": []},
        {"id": 4, "unread": [{"text": 5}]},
        {"id": 5, "unread": None},
        {"id": 6, "unread": [{}] * 501},
        {"id": 7, "unread": [{}, {"id": "x", "title": None, "text": None}]},
        {"id": 8, "read": [READ], "unread": [LATER]},
    )
    assert [line.get("rejected", {}).get("stage") for line in lines] == ["novelty"] * 7 + [None, None]
    assert "unread[0].text is int" in lines[4]["rejected"]["reason"]
    assert lines[7]["new"] == []
    assert lines[8]["new"]
