"""Whether importance foretells who joins, measured on a stream that is made for it."""

import json
import lzma
from datetime import timedelta

import numpy as np
import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation import spreading
from tests.builders import HOUR, NOON

EVENTS = (
    "Ferry sinks off the coast of Norway with ninety aboard",
    "Parliament rejects the budget of prime minister Holm in a narrow vote",
    "Magnus Carlsen wins the world chess championship in Oslo",
    "Wildfire near Athens forces thousands from their homes overnight",
    "Central bank raises its interest rate to four per cent",
    "Volcano on Iceland erupts for the third time this year",
)


def a_stream(path):
    """Each event is reported by two publishers on day one; every other one is then joined by one more every two hours."""
    lines = []
    for n, event in enumerate(EVENTS):
        for k in range(12 if n % 2 else 2):
            at = NOON + (n % 3) * timedelta(minutes=7) + k * 2 * HOUR
            lines.append((at, {"feed": f"https://p{k}.example/feed", "title": event, "description": f"{event}. Report {k} says so.",
                               "link": f"https://p{k}.example/{n}"}))  # fmt: skip
    for k in range(30):  # a quiet day before and after
        at = NOON + (k - 4) * 2 * HOUR
        lines.append((at, {"feed": f"https://q{k}.example/feed", "title": f"Recipe of the day number {k} with {k * 7} eggs", "description": "", "link": f"https://q{k}.example/"}))  # fmt: skip
    lines.sort(key=lambda line: line[0])
    kept = [{**item, "published": at.isoformat(), "day": at.date().isoformat()} for at, item in lines]
    path.write_bytes(lzma.compress("\n".join(map(json.dumps, kept)).encode()))
    return path


def test_what_is_being_joined_is_known_better_than_by_how_many_report_it(tmp_path, monkeypatch):
    monkeypatch.setattr(spreading, "BATCH", 4)
    monkeypatch.setattr(spreading, "EVERY", 2 * HOUR)
    monkeypatch.setattr(spreading, "FIRST", 2)
    report = spreading.evaluate(a_stream(tmp_path / "stream.jsonl.xz"), days=4)
    figures = {row.name: row.figures for row in report.rows}
    assert figures["and how many are joining"]["auc"] > 0.6
    assert figures["and how many are joining"]["auc"] >= figures["and how many report it"]["auc"]
    assert all(0 <= row["joined"] <= 1 for row in figures.values())


def test_what_is_told_of_an_order():
    soon = np.array([0.0, 3.0, 0.0, 1.0])
    assert spreading._told(np.array([0.0, 2.0, 1.0, 3.0]), soon) == (1.0, 1.0)
    assert spreading._told(np.zeros(4), soon)[0] == 0.5
    assert spreading._told(-soon, soon)[0] == 0.0


def test_a_stream_without_times_is_refused(tmp_path):
    path = tmp_path / "empty.xz"
    path.write_bytes(lzma.compress(b""))
    with pytest.raises(InputError):
        spreading.evaluate(path)
