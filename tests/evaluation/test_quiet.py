"""Quiet sources in a stream: who follows one sees what it posts; and newcomers' feeds, measured."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation import cold, quiet

END = datetime(2026, 8, 29, tzinfo=UTC)


@pytest.fixture
def stream(tmp_path):
    """A month in which ten papers post every hour and two people now and then."""
    items = [
        {"feed": f"https://paper{p}.example/feed", "title": f"News {p} {hour}", "link": f"https://paper{p}.example/{hour}",
         "published": (END - timedelta(hours=hour)).isoformat(), "lang": "en"}
        for p in range(10) for hour in range(0, 24 * 28, 2)
    ]  # fmt: skip
    items += [
        {"feed": f"https://{name}.example/feed", "title": f"Letter {day}", "link": f"https://{name}.example/{day}",
         "published": (END - timedelta(days=day, hours=3)).isoformat(), "lang": "en"}
        for name, days in (("ada", (3, 10, 17, 24)), ("bob", (5, 12, 19))) for day in days
    ]  # fmt: skip
    path = tmp_path / "stream.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, items)))
    return path


def test_what_a_quiet_publisher_posts_is_seen_by_who_follows_it_and_not_by_time_alone(stream):
    rows = quiet.evaluate(stream, readers=4, days=7).as_json()["rows"]
    assert rows["As shipped"]["items"] == 4
    assert rows["As shipped"]["seen"] == 1.0
    assert rows["As shipped"]["seen"] >= rows["newest first"]["seen"]
    assert rows["As shipped"]["quiet share"] > 0


def test_readers_follow_one_quiet_publisher_that_posts_in_time_and_busy_ones(stream):
    read = quiet.read(stream)
    begin = END - timedelta(days=4)  # bob's last letter was five days ago
    made = quiet.who_reads(read, begin, END, 3)
    assert {own for _, own in made} == {"https://ada.example/feed"}
    for reader, own in made:
        assert reader.follows[0].value == own
        assert all(read.weekly[follow.value] > quiet.WEEKLY for follow in reader.follows[1:])


def test_what_is_no_stream_is_refused(tmp_path):
    path = tmp_path / "no.jsonl"
    path.write_bytes(b'{"title": "x"}\n')
    with pytest.raises(InputError):
        quiet.evaluate(path)
    path.write_bytes(b"not json")
    with pytest.raises(InputError):
        quiet.evaluate(path)


def test_who_is_better_known_is_served_better_and_what_is_unknown_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(cold, "EVERY", 1)
    sections = ["sport", "politics", "culture", "science"]
    articles = [
        {"id": f"a{n}", "title": f"{sections[n % 4]} number {n}", "category": sections[n % 4]} for n in range(200)
    ]
    lines = []
    for n in range(12):  # each reader long read one section, then turned to another
        turned, before = n % 4, (n + 1) % 4
        history = [f"a{4 * k + before}" for k in range(20)] + [f"a{4 * k + turned}" for k in range(25, 32)]
        lines.append({
            "id": n, "reader": f"r{n}", "at": f"2026-08-01T12:{n:02}:00Z", "history": history,
            "candidates": [f"a{160 + 4 * (n % 3) + k}" for k in range(4)], "clicked": [f"a{160 + 4 * (n % 3) + turned}"],
        })  # fmt: skip
    (tmp_path / "articles.jsonl").write_bytes(b"\n".join(map(orjson.dumps, articles)))
    (tmp_path / "requests.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    rows = cold.evaluate(tmp_path / "requests.jsonl").as_json()["rows"]
    assert rows["filter, history alone, 0 events"]["auc"] == 0.5
    assert rows["filter, history alone, 5 events"]["auc"] > 0.9
    assert rows["feed, five choices"]["auc"] > 0.9  # the last five are of one section
    assert rows["feed, 5 events"]["auc"] > rows["feed, 0 events"]["auc"]
