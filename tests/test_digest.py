"""The first page of every reader, in one go: what each would see, quoted and linked, and none of it counted as shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from broadsheet import digest, store
from broadsheet.cli import app
from broadsheet.model import Follow, Reader
from broadsheet.reading import Newsstand
from tests.web.newsroom import a_newsroom, told


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Newsstand]:
    made: Newsstand = a_newsroom(tmp_path).state.newsstand
    yield made
    made.engine.dispose()


def follow(stand: Newsstand, reader: Reader, kind: str, value: str) -> None:
    stand.act(reader.id, "follow", Follow(kind=kind, value=value, label=value))  # type: ignore[arg-type]


def test_each_reader_gets_the_page_that_they_would_see(stand: Newsstand) -> None:
    readers = [stand.add_reader(f"Reader {n}") for n in range(70)]  # more than are read at a time
    lines = list(digest.lines(stand, count=5))
    assert [line["reader"] for line in lines] == sorted(reader.id for reader in readers)
    for line in lines[::23]:
        shown = stand.feed(line["reader"]).items[:5]
        assert [(item["story"], item["score"]) for item in line["items"]] == [(i.story, i.score) for i in shown]
        assert all(sum(r["points"] for r in item["reasons"]) == pytest.approx(item["score"]) for item in line["items"])


def test_what_it_shows_is_quoted_from_an_article_and_linked_to_it(stand: Newsstand) -> None:
    stand.add_reader("Ada")
    cut, articles = told("The first sentence …", "Open Times")  # its key point continues it
    with stand.engine.begin() as db:
        store.articles.save(db, articles)
        store.stories.save(db, [cut])
    stand.refresh(at_once=True)
    assert any(point.text.startswith("…") for point in stand.cards([cut.id])[0].points)
    (line,) = digest.lines(stand, count=30)
    assert cut.id in {item["story"] for item in line["items"]}
    quoted = 0
    with stand.engine.connect() as db:
        for item in line["items"]:
            (lead,) = store.articles.many(db, [item["article"]])
            assert (item["headline"], item["url"], item["publisher"]) == (lead.title, lead.url, lead.publisher)
            for point in item["points"]:
                (said,) = store.articles.many(db, [point["article"]])
                assert point["text"] in said.text
                quoted += 1
    assert quoted


def test_making_digests_counts_as_no_look_at_anything(stand: Newsstand) -> None:
    ada = stand.add_reader("Ada")
    before = stand.feed(ada.id)
    list(digest.lines(stand, count=5))
    with stand.engine.connect() as db:
        assert not [event for event in store.readers.events(db, ada.id) if event.kind == "shown"]
        assert not store.feeds.latest(db, ada.id, 5)
    assert stand.feed(ada.id).items == before.items


def test_a_run_that_was_cut_off_goes_on_behind_the_last_line(stand: Newsstand) -> None:
    for n in range(5):
        stand.add_reader(f"Reader {n}")
    whole = list(digest.lines(stand, count=3))
    assert list(digest.lines(stand, count=3, after=whole[1]["reader"])) == whole[2:]


def test_the_command_prints_a_line_for_each_reader(stand: Newsstand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADSHEET_AS_OF", stand.now().isoformat())
    ada, bo = stand.add_reader("Ada"), stand.add_reader("Bo")
    url = str(stand.engine.url)
    done = CliRunner().invoke(app, ["--database", url, "digest", "--count", "2"])
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert {line["reader"]: line["name"] for line in lines} == {ada.id: "Ada", bo.id: "Bo"}
    assert all(len(line["items"]) == 2 for line in lines)
    rest = CliRunner().invoke(app, ["--database", url, "digest", "--after", lines[0]["reader"]])
    assert [json.loads(line)["reader"] for line in rest.stdout.splitlines()] == [lines[1]["reader"]]
