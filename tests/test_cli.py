"""The commands as a person and a program run them: real processes on a real database."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broadsheet import jobs, stages, store
from broadsheet.cli import app
from broadsheet.config import Settings
from broadsheet.errors import InputError
from broadsheet.model import Article, Event, Follow, Reader, ReaderId
from broadsheet.opening import Instance, describe_instance
from tests.builders import DAY, NOON, an_article
from tests.newsroom import happenings

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
    environment |= {"BROADSHEET_DATABASE": f"sqlite:///{tmp_path}/news.sqlite", "HOME": str(tmp_path), "COLUMNS": "200"}

    def run(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "broadsheet", *words]
        return subprocess.run(command, input=stdin, capture_output=True, env=environment, timeout=120, check=False)

    return run


def readers(tmp_path: Path, *names: str) -> None:
    engine = store.open(f"sqlite:///{tmp_path}/news.sqlite")
    with engine.begin() as db:
        for name in names:
            store.readers.add(db, Reader(id=ReaderId(name.lower()), name=name, created=NOON))
    engine.dispose()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("feed",), "There is no reader yet"),
        (("story", "none"), "There is no story 'none'"),
        (("stage", "mangle"), "There is no stage 'mangle'"),
        (("stage", "rank"), "needs --articles"),
        (("evaluate", "taste", "."), "There is nothing called 'taste'"),
        (("--database", "oracle://x", "feed"), "oracle"),
        (("--config", "none.toml", "feed"), "can't be read"),
        (("serve", "--host", "0.0.0.0"), "set a password"),
        (("restore", "none.sqlite"), "There is no backup"),
        (("add", "http://127.0.0.1:9/"), "127.0.0.1"),
        (("export", "nobody"), "There is no reader 'nobody'"),
        (("why-not", "a", "b", "c"), "takes a reader and a story"),
        (("why-not", "nobody", "b"), "There is no reader"),
        (("away",), "There is no reader yet"),
        (("away", "--since", "soon"), "is not a duration"),
        (("why-together", "a", "b"), "There is no article and no story 'a'"),
        (("regroup", "apart", "a"), "There is no article and no story 'a'"),
        (("regroup", "undo", "7"), "There is no ruling 7"),
        (("train", "taste", "--model", "x"), "There is nothing called 'taste'"),
        (("train", "rank", "--model", "x"), "needs --articles"),
        (("train", "stories", "--model", "x"), "at least 20 are needed"),
    ],
)
def test_what_goes_wrong_is_said_in_a_sentence_and_not_a_traceback(run: Run, words: tuple[str, ...], says: str):
    done = run(*words)
    assert done.returncode == 1
    said = done.stderr.decode()
    assert says in said
    assert "Traceback" not in said


def test_an_empty_paper_says_what_to_do(run: Run, tmp_path: Path):
    readers(tmp_path, "Ada")
    done = run("feed")
    assert done.returncode == 0
    assert "broadsheet add SITE" in done.stdout.decode()


def test_with_two_readers_one_is_asked_whose_feed(run: Run, tmp_path: Path):
    readers(tmp_path, "Ada", "Ben")
    assert "--reader one of ada, ben" in run("feed").stderr.decode()
    assert run("feed", "--reader", "ADA", "--json").returncode == 0


def test_an_exported_reader_holds_what_they_did(run: Run, tmp_path: Path):
    readers(tmp_path, "Ada")
    engine = store.open(f"sqlite:///{tmp_path}/news.sqlite")
    follow = Follow(kind="keyword", value="chess", label="chess", since=NOON)
    with engine.begin() as db:
        store.readers.record(db, [Event(reader=ReaderId("ada"), kind="follow", at=NOON, follow=follow)])
    engine.dispose()
    kept = json.loads(run("export", "ada").stdout)
    assert [event["kind"] for event in kept["events"]] == ["follow"]


def test_a_reader_moves_from_one_database_to_another_with_a_file(run: Run, tmp_path: Path):
    readers(tmp_path, "Ada", "Ben")
    engine = store.open(f"sqlite:///{tmp_path}/news.sqlite")
    with engine.begin() as db:
        follow = Follow(kind="keyword", value="chess", label="chess", since=NOON)
        reader = store.readers.get(db, ReaderId("ada"))
        assert reader is not None
        store.readers.save(db, replace(reader, follows=(follow,), tuning={"freshness": 0.5}))
    engine.dispose()
    file = tmp_path / "ada.json"
    file.write_bytes(run("export", "ada").stdout)
    said = run("import", str(file), "--reader", "ben").stdout.decode()
    assert "Brought along: 1 follow." in said
    kept = json.loads(run("export", "ben").stdout)["reader"]
    assert [f["value"] for f in kept["follows"]] == ["chess"]
    assert kept["tuning"] == {"freshness": 0.5}
    file.write_text('{"format": "another"}')
    assert "no file of a reader" in run("import", str(file), "--reader", "ben").stderr.decode()
    assert "You missed nothing." in run("away", "--reader", "ben").stdout.decode()


def test_subscriptions_come_in_and_go_out_with_their_folders(run: Run, tmp_path: Path):
    readers(tmp_path, "Ada")
    listed = tmp_path / "list.opml"
    outline = '<outline text="A" type="rss" xmlUrl="https://example.org/a.xml"/>'
    listed.write_text(
        f'<opml version="2.0"><body><outline text="World">{outline}{outline}<outline text="x"/></outline></body></opml>'
    )
    said = run("import", str(listed), "--reader", "ada").stdout.decode()
    assert "1 new" in said
    assert "Twice in the list" in said
    out = run("export", "ada", "--opml").stdout.decode()
    assert "https://example.org/a.xml" in out
    assert "World" in out
    assert "0 new, 1 known" in run("import", str(listed), "--reader", "ada").stdout.decode()


def test_pasted_text_is_read_as_an_article(run: Run):
    text = "Harbour bridge opens\n\n" + "\n\n".join(
        f"The minister said on day {n} that the bridge would carry ten thousand people and that it was safe."
        for n in range(8)
    )
    done = run("add", "https://example.org/bridge", "--text", "-", stdin=text.encode())
    assert done.returncode == 0, done.stderr.decode()
    assert "Harbour bridge opens" in done.stdout.decode()


def two_stories(tmp_path: Path) -> tuple[Article, Article]:
    """Two articles of two events, as of a day that never passes."""
    engine = store.open(f"sqlite:///{tmp_path}/news.sqlite")
    describe_instance(engine, Instance(as_of=NOON.isoformat()))
    ferry, rates = (
        an_article(item.title, item.text, publisher=publisher, published=NOON - days * DAY)
        for item, publisher, days in zip(happenings(2), ("Herald", "Courier"), (12, 1), strict=True)
    )
    with engine.begin() as db:
        store.articles.save_new(db, [ferry, rates])
    asyncio.run(jobs.group(engine, Settings(as_of=NOON.isoformat()), NOON))
    engine.dispose()
    return ferry, rates


def said(tmp_path: Path, *words: str) -> str:
    """What a command prints, run in this process."""
    done = CliRunner().invoke(app, ["--database", f"sqlite:///{tmp_path}/news.sqlite", *words], catch_exceptions=False)
    return done.stdout


def test_why_two_articles_are_together_is_told_to_people_and_to_programs(run: Run, tmp_path: Path):
    ferry, rates = two_stories(tmp_path)
    done = run("why-together", ferry.id, rates.id)
    assert done.returncode == 0, done.stderr.decode()
    words = done.stdout.decode()
    assert "They are in two stories now." in words
    assert "11.0 days apart" in words
    told = json.loads(said(tmp_path, "why-together", ferry.id, rates.id, "--json"))
    assert told["log_odds"] == pytest.approx(math.log(told["probability"] / (1 - told["probability"])))
    assert told["log_odds"] == pytest.approx(told["begun"] + sum(part["points"] for part in told["parts"]))
    assert f"{told['probability']:.2f}" in words
    assert [article["id"] for article in told["articles"]] == [ferry.id, rates.id]


def test_an_operator_puts_stories_together_sees_it_and_takes_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    ferry, rates = two_stories(tmp_path)
    assert "Nobody has said anything" in said(tmp_path, "regroup", "list")
    words = said(tmp_path, "regroup", "together", ferry.id, rates.id, "--who", "Ada")
    assert "Ruling 1: they are one story" in words
    assert "1 article moved" in words
    [told] = json.loads(said(tmp_path, "regroup", "list", "--json"))
    assert (told["who"], told["state"], told["same"], len(set(told["stories"]))) == ("Ada", "holds", True, 1)
    assert "decided again about 1 article" in said(tmp_path, "regroup", "undo", "1")
    with pytest.raises(InputError, match="undone already"):
        said(tmp_path, "regroup", "undo", "1")
    [told] = json.loads(said(tmp_path, "regroup", "list", "--json"))
    assert (told["state"], len(set(told["stories"]))) == ("undone", 2)
    assert json.loads(said(tmp_path, "regroup", "together", rates.id, ferry.id, "--json"))["number"] == 2
    assert "Ruling 3: they are two stories" in said(tmp_path, "regroup", "apart", rates.id)
    listed = said(tmp_path, "regroup", "list")
    assert {"Courier", "Ada"} <= set(listed.split())  # cells are as narrow as the terminal
    assert listed.count("01 Aug") == 3


def pair(number: int, *, same: bool) -> bytes:
    """The Herald's report and, where they are not the same, its own of the morning after."""
    place = ("Lisbon", "Nairobi", "Osaka", "Tallinn", "Quito", "Perth", "Oslo")[number % 7]
    text = f"The harbour of {place} was closed on Monday after engineers found {number} cracks near the dam."
    one = {"id": f"{number}{same}", "title": f"Harbour of {place} closed", "text": text, "publisher": "Herald"}
    other = {
        **one,
        "id": f"{number}{same}x",
        "publisher": "Courier" if same else "Herald",
        "text": f"{text} It rained.",
    }
    given = {"one": {**one, "published": "2026-08-01T09:00Z"}, "other": {**other, "published": "2026-08-01T21:00Z"}}
    return json.dumps({**given, "same": same}).encode()


def test_grouping_is_trained_on_labelled_pairs_and_bad_lines_are_told(run: Run, tmp_path: Path):
    lines = [pair(n, same=n % 2 == 0) for n in range(40)]
    bad = [b"{", b'{"one": {}, "other": {}, "same": true}', b'{"one": 1, "same": 2}']
    (tmp_path / "pairs.jsonl").write_bytes(b"\n".join([*lines, *bad]))
    model = tmp_path / "stories.json"
    done = run("train", "stories", "--model", str(model), "--pairs", str(tmp_path / "pairs.jsonl"))
    said = " ".join(done.stderr.decode().split())
    assert done.returncode == 0, said
    assert "Line 41 is no labelled pair" in said
    assert "`one` has neither title nor text" in said
    assert "Learned from 40 pairs, 20 together and 20 apart." in said
    assert json.loads(model.read_bytes())["weights"]["same_publisher"] < 0


FEED = b"<rss version='2.0'><channel><title>T</title><item><title>One</title><link>https://e.org/1</link></item></channel></rss>"
LINES = {
    "parse": {"id": "a", "url": "https://e.org/feed", "body_base64": base64.b64encode(FEED).decode(), "kept": 1},
    "extract": {
        "id": "a",
        "url": "https://e.org/1",
        "text": "A title\n\n" + "The minister said so on Monday in Paris. " * 20,
        "kept": 1,
    },
    "enrich": {"id": "a", "title": "Talks in Paris", "text": "Ministers met in Paris.", "published": None, "kept": 1},
    "novelty": {
        "id": "a",
        "read": [{"id": "1", "title": "Talks in Paris", "text": "Ministers met in Paris."}],
        "unread": [{"id": "2", "title": "Talks end", "text": "Ministers met in Paris. They signed a treaty."}],
        "kept": 1,
    },
    "group": {
        "id": "a",
        "title": "Talks in Paris",
        "publisher": "E",
        "url": "https://e.org/1",
        "published": None,
        "kept": 1,
    },
    "timeline": {
        "id": "a",
        "articles": [{"id": "1", "title": "Talks in Paris", "published": "2026-08-01"}],
        "kept": 1,
    },
    "quotes": {"id": "a", "title": "Bridge", "text": "“We wait,” said Ana Brito.", "kept": 1},
    "rank": {"id": "a", "at": "2026-08-01T12:00:00+00:00", "history": [], "candidates": ["1"], "kept": 1},
}
PROMISED = {
    "parse": {"feed", "entries", "problems"},
    "extract": {
        "title",
        "text",
        "key_points",
        "authors",
        "published",
        "image",
        "captions",
        "language",
        "section",
        "confidence",
    },
    "enrich": {"language", "entities", "topics"},
    "group": {"story"},
    "novelty": {"new"},
    "timeline": {"events"},
    "quotes": {"quotes"},
    "rank": {"scores", "reasons"},
}


@pytest.mark.parametrize("name", stages.NAMES)
def test_a_stage_is_a_filter_that_a_bad_line_does_not_stop(run: Run, tmp_path: Path, name: str):
    articles = tmp_path / "articles.jsonl"
    articles.write_text(json.dumps({"id": "1", "title": "Talks in Paris"}) + "\n")
    options = ("--articles", str(articles)) if name == "rank" else ()
    good = json.dumps(LINES[name]).encode()
    bad = b'{"id": "b"}' if name in ("parse", "extract") else b'{"id": "b", "candidates": 7, "title": 7, "text": []}'
    done = run("stage", name, *options, stdin=b"\n".join([good, b"{", bad, good.replace(b'"a"', b'"c"', 1)]))
    assert done.returncode == 0, done.stderr.decode()
    first, broken, wrong, last = map(json.loads, done.stdout.splitlines())
    assert first["id"] == "a"
    assert PROMISED[name] <= set(first), first
    assert first["kept"] == 1
    assert broken["rejected"]["stage"] == name
    assert wrong["id"] == "b"
    assert last["id"] == "c"
    assert "rejected" not in last
