"""The measure of feed reading: it counts what is right, what is wrong and said, and what is wrong in silence."""

import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation.feeds import Case, Read, evaluate, judge, verdict


def test_a_verdict_tells_silence_from_complaint():
    silent, loud = Read({}, [], False), Read({}, [], True)
    assert verdict(silent, lambda read: True) == "right"
    assert verdict(loud, lambda read: False) == "problem"
    assert verdict(silent, lambda read: False) == "lost"


def test_a_reader_that_misses_the_second_entry_is_not_right():
    body = b"<rss><channel><item><title>A<br></title></item><item><title>B</title></item></channel></rss>"
    assert judge(Case("two", body))["broadsheet"] == "right"


def test_a_case_is_judged_by_its_own_expectation(tmp_path):
    folder = tmp_path / "feedparser"
    folder.mkdir()
    head = "<!--\nDescription: title\nExpect: not bozo and feed['title'] == '{}'\n-->\n"
    body = "<rss><channel><title>News</title></channel></rss>"
    (folder / "good.xml").write_text(head.format("News") + body)
    (folder / "bad.xml").write_text(head.format("Olds") + body)
    rows = {row.name: row.figures for row in evaluate(tmp_path).rows}
    assert rows["feedparser: broadsheet"] == {"cases": 2, "right": 1, "problem": 0, "lost": 1}


def test_without_peers_the_same_is_said_of_ours(tmp_path):
    folder = tmp_path / "feedparser"
    folder.mkdir()
    (folder / "compared.xml").write_text("<rss><channel><item><title>A</title></item></channel></rss>")
    (folder / "expected.xml").write_text(
        "<!--\nDescription: t\nExpect: feed['title'] == 'N'\n-->\n<rss><channel/></rss>"
    )
    alone, beside = evaluate(tmp_path, peers=False).rows, evaluate(tmp_path).rows
    assert [row.name for row in alone] == ["feedparser: broadsheet"]
    assert alone[0] == beside[0]
    assert len(beside) == 3


def test_a_folder_without_suites_is_named(tmp_path):
    with pytest.raises(InputError, match="none of the suites"):
        evaluate(tmp_path)


@pytest.mark.data
def test_more_is_read_right_than_lost_on_a_sample_of_every_suite(data):
    rows = {row.name: row.figures for row in evaluate(data / "feeds", every=25).rows}
    for suite in ("feedparser", "gofeed", "w3c", "real"):
        ours = rows[f"{suite}: broadsheet"]
        assert ours["right"] >= 0.93 * ours["cases"], suite
        assert ours["right"] >= rows[f"{suite}: fastfeedparser"]["right"], suite
