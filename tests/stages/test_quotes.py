"""`broadsheet stage quotes`: lines in, the same lines with what was said, by whom and for whom."""

from __future__ import annotations

import orjson

from broadsheet.stages import filter_lines
from broadsheet.stages.quotes import run

TEXT = (
    "Finland's foreign minister Elina Salo said on Monday that the border would stay closed until spring. "
    "“We have seen no change on the other side,” Salo said.\n\n"
    "Russia called the decision “absurd”. "
    "“It will not go unanswered,” said Pyotr Orlov, a spokesman for the Russian foreign ministry."
)
LINE = {"id": "a1", "title": "Border stays closed", "text": TEXT, "published": "2026-02-01T12:00:00Z", "extra": [1]}


def test_a_line_gains_its_quotes_and_keeps_the_rest() -> None:
    (line,) = run([LINE])
    assert {name: line[name] for name in LINE} == LINE
    direct = [q for q in line["quotes"] if q["direct"]]
    assert [q["content"] for q in direct] == [
        "We have seen no change on the other side,",
        "absurd",
        "It will not go unanswered,",
    ]
    assert [q["speaker"] for q in direct] == ["Elina Salo", "Russia", "Pyotr Orlov"]
    assert [q["side"] for q in direct] == ["Finland", "Russia", "Russia"]
    assert direct[2]["role"] == "spokesman for the Russian foreign ministry"
    assert direct[2]["verb"] == "said"
    (told,) = [q for q in line["quotes"] if not q["direct"] and "border" in q["content"]]
    assert told["content"] == "that the border would stay closed until spring"
    assert told["speaker"] == "Elina Salo"
    for quote in line["quotes"]:
        assert set(quote) == {"speaker", "role", "side", "verb", "content", "start", "end", "direct"}
        assert TEXT[quote["start"] : quote["end"]] == quote["content"]


def test_bad_lines_are_answered_in_their_place_and_an_empty_text_has_no_quotes() -> None:
    raw = [
        orjson.dumps(LINE),
        b"not json",
        b'{"id": 2, "text": 7}',
        b'{"id": 3, "title": "a title alone"}',
        b'{"id": 4, "text": ""}',
        b'{"id": 5, "text": "\\u201cYes", "published": "no date"}',
        orjson.dumps(LINE | {"id": "z"}),
    ]
    lines = [orjson.loads(line) for line in filter_lines("quotes", run, raw)]
    assert [line["id"] for line in lines] == ["a1", None, 2, 3, 4, 5, "z"]
    assert [line["rejected"]["stage"] for line in lines if "rejected" in line] == ["quotes"] * 3
    assert lines[4]["quotes"] == []
    assert lines[6]["quotes"] == lines[0]["quotes"]
