"""The `parse` filter: one line out for each line in, and nothing stops it."""

import base64

import orjson

from broadsheet.stages import filter_lines, parse

RSS = b"<rss><channel><title>News</title><item><guid>g</guid><title>One</title></item></channel></rss>"


def line(**fields):
    return orjson.dumps(
        {"id": "a", "url": "https://a.example/feed", "body_base64": base64.b64encode(RSS).decode()} | fields
    )


def run(*lines):
    return [orjson.loads(one) for one in filter_lines("parse", parse.run, lines)]


def test_a_line_becomes_its_feed_and_keeps_what_it_does_not_know():
    (got,) = run(line(extra=[1]))
    assert got["extra"] == [1]
    assert "body_base64" not in got
    assert got["feed"] == {"title": "News", "link": "", "language": ""}
    assert got["entries"][0] == {
        "id": "g", "url": "", "title": "One", "summary": "", "content": "", "published": None, "updated": None,
        "authors": [], "tags": [], "enclosures": [],
    }  # fmt: skip


def test_bad_lines_are_rejected_with_a_reason_and_the_rest_goes_on():
    got = run(
        line(),
        b"not json",
        line(id="b", body_base64="***"),
        line(id="c", body_base64=None),
        line(id="d", url=3),
        line(id="e"),
    )
    assert [g["id"] for g in got] == ["a", None, "b", "c", "d", "e"]
    assert "not base64" in got[2]["rejected"]["reason"]
    assert "no body_base64" in got[3]["rejected"]["reason"]
    assert "must be texts" in got[4]["rejected"]["reason"]
    assert got[5]["entries"]


def test_a_body_that_is_no_feed_has_no_entries_and_a_problem():
    (got,) = run(line(body_base64=base64.b64encode(b"<html><body>Hi</body></html>").decode()))
    assert got["entries"] == []
    assert got["problems"] == ["this is a web page, not a feed"]
