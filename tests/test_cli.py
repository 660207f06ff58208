"""The commands as a person and a program run them: real processes on a real database."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from broadsheet import stages, store
from broadsheet.model import Event, Follow, Reader, ReaderId
from tests.builders import NOON

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
    environment |= {"BROADSHEET_DATABASE": f"sqlite:///{tmp_path}/news.sqlite", "HOME": str(tmp_path), "COLUMNS": "200"}

    def run(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "broadsheet.cli", *words]
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
