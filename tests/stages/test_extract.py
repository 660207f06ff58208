"""The filter `extract`: a page a line in, an article a line out."""

from __future__ import annotations

import orjson

from broadsheet.stages import filter_lines
from broadsheet.stages.extract import run as filter_extract

TEXT = "The bridge closes in May\n\n" + "\n\n".join(
    f"On day {n} the council of the town met again and spoke of the old bridge at length." for n in range(4)
)
FIELDS = {"id", "url", "title", "text", "key_points", "authors", "published", "image", "captions", "language", "section", "confidence"}  # fmt: skip


def run(*lines: object) -> list[dict[str, object]]:
    return [
        orjson.loads(line) for line in filter_lines("extract", filter_extract, [orjson.dumps(line) for line in lines])
    ]


def test_every_field_is_there_and_unknown_ones_pass_through() -> None:
    (made,) = run({"id": 7, "url": "https://e.org/a", "text": TEXT, "mine": [1]})
    assert set(made) == FIELDS | {"mine"}
    assert made["id"] == 7
    assert made["mine"] == [1]
    assert made["title"] == "The bridge closes in May"
    assert made["published"] is None
    assert made["language"] == "en"


def test_the_page_itself_is_not_repeated_and_its_time_is_iso() -> None:
    paragraphs = "".join(f"<p>{p}</p>" for p in TEXT.split("\n\n")[1:])
    html = f'<html><head><title>A bridge</title><meta property="article:published_time" content="2026-03-04T10:00:00Z"></head><body><article><h1>A bridge closes</h1>{paragraphs}</article></body></html>'
    (made,) = run({"id": "a", "url": "https://e.org/a", "html": html})
    assert "html" not in made
    assert made["published"] == "2026-03-04T10:00:00+00:00"


def test_bad_lines_say_why_and_the_rest_goes_on_in_order() -> None:
    made = run(
        {"id": 1, "text": TEXT}, {"id": 2, "html": "<p>x"}, {"id": 3}, {"id": 4, "html": 5}, {"id": 5, "text": TEXT}
    )
    assert [line["id"] for line in made] == [1, 2, 3, 4, 5]
    assert ["rejected" in line for line in made] == [False, True, True, True, False]
