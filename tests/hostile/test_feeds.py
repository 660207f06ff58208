"""Feeds made to harm: refused or neutralised, with a problem that names them, at the price of a small feed."""

import gzip

import pytest

from broadsheet.model import SourceId
from broadsheet.sources.formats import MAX_BYTES, parse

ITEM = "<item><title>Safe</title><link>https://a.example/1</link></item>"


def read(body):
    return parse(body if isinstance(body, bytes) else body.encode(), url="https://a.example/feed", source=SourceId("s"))


def laughs(levels):
    grown = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE r [<!ENTITY l0 "ha">{grown}]><rss><channel><title>&l{levels - 1};</title>{ITEM}</channel></rss>'


def test_a_billion_laughs_are_not_laughed():
    got = read(laughs(10))
    assert len(got.feed.title) < 100
    assert [e.title for e in got.entries] == ["Safe"]
    assert any("entities made of entities" in p for p in got.problems)


def test_one_entity_repeated_without_end_stops_growing():
    body = (
        f'<!DOCTYPE r [<!ENTITY a "{"x" * 200}">]><rss><channel><title>{"&a;" * 50_000}</title>{ITEM}</channel></rss>'
    )
    got = read(body)
    assert len(got.feed.title) < 2 * len(body) + 100_000
    assert any("grow without end" in p for p in got.problems)


def test_an_entity_from_outside_is_never_opened(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    got = read(
        f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]><rss><channel><title>&x;</title>{ITEM}</channel></rss>'
    )
    assert "the secret" not in got.feed.title
    assert any("from outside" in p for p in got.problems)
    assert [e.title for e in got.entries] == ["Safe"]


@pytest.mark.parametrize("depth", [300, 100_000])
def test_a_well_is_not_climbed_down(depth):
    got = read("<rss><channel><item>" + "<a>" * depth + "</a>" * depth + "</item></channel></rss>")
    assert got.entries == ()
    assert any("deeper than 256" in p for p in got.problems)


def test_a_feed_that_is_too_large_is_refused():
    got = read(b"<rss>" + b" " * MAX_BYTES)
    assert got.entries == ()
    assert any("larger than" in p for p in got.problems)


def test_a_small_file_that_unpacks_without_end_is_refused():
    got = read(gzip.compress(b"<rss>" + b"\0" * (3 * MAX_BYTES)))
    assert any("larger than" in p for p in got.problems)


def test_a_packed_feed_is_read_and_a_damaged_one_is_named():
    body = gzip.compress(f"<rss><channel>{ITEM}</channel></rss>".encode())
    assert len(read(body).entries) == 1
    assert any("damaged gzip" in p for p in read(body[:20]).problems)


@pytest.mark.parametrize(
    "filler",
    [
        "<",
        "<!--",
        "<![CDATA[",
        "&",
        "<!DOCTYPE ",
        "<a ",
        "<item>",
        "</item>",
        "<description><b>",
        "<!ENTITY x '",
        "]]>",
        "<x:y z:a=",
    ],
)
def test_repetition_costs_no_more_than_its_length(filler):
    # Each of these took minutes with one of the patterns that were tried first; the test hangs where one comes back.
    got = read("<rss><channel>" + filler * 20_000 + ITEM + "</channel></rss>")
    assert got.problems


def test_the_same_problem_many_times_is_said_once():
    got = read("<rss><channel>" + "<item><pubDate>soon</pubDate></item>" * 500 + "</channel></rss>")
    assert len(got.entries) == 500
    assert len(got.problems) < 5
