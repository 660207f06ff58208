"""The measures of threads read their set right, and the plain ways do what their names say."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation.threads import by_entities, by_vectors, by_words, evaluate, figures, plain, read
from broadsheet.model import Entity, bytes_of
from tests.builders import a_story


def an_event(day, words, *under):
    return {
        "day": day,
        "event": words,
        "story": list(under),
        "sources": [],
        "entities": [],
        "section": "",
        "licence": "",
    }


EVENTS = [
    an_event("2026-02-02", "The [talks](https://x.example/a_(b)) in *Geneva* go on.", "Peace talks", "*Geneva* round"),
    an_event("2026-01-01", "A ferry sinks off Cebu.", ),
    an_event("2026-01-03", "Talks open in Geneva. Both sides came.", "peace Talks"),
    an_event("2025-05-05", "An event of the year that was learned from.", "Peace talks"),
    an_event("2020-01-01", "A day that is wrong in the source.", "Peace talks"),
]  # fmt: skip


def test_events_come_in_order_of_time_without_markup_and_without_wrong_days(tmp_path):
    path = tmp_path / "current-events.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(e) + "\n" for e in EVENTS).encode()))
    told = read(path)
    assert [t.article.title for t in told][1:] == [
        "A ferry sinks off Cebu",
        "Talks open in Geneva",
        "The talks in Geneva go on",
    ]
    assert [t.under for t in told][1:] == [(), ("peace talks",), ("peace talks", "geneva round")]
    stories = [a_story(t.article.title, entities=(Entity(text="Geneva", type="place"),)) for t in told[1:]]
    report = evaluate(path, given=stories)
    assert list(report.as_json()["rows"])[:2] == ["broadsheet, top", "broadsheet, leaf"]
    assert report.rows[0].figures["threads"] <= 3  # the event of 2025 is not measured
    with pytest.raises(InputError, match="no labelled threads"):
        read(tmp_path)


def test_what_stands_under_no_story_counts_as_a_thread_of_its_own():
    found, gold = ["a", "a", "b", "a"], ["war", "war", "", ""]
    kept = figures(found, gold, [True, True, False, False])
    assert kept["bcubed_f"] == kept["pairwise_f"] == 1.0
    assert kept["noise_apart"] == 0.5
    assert kept["all_pairwise_f"] == pytest.approx(2 * (1 / 3) / (1 / 3 + 1))


def test_each_plain_way_joins_what_it_looks_at():
    one = a_story(
        "Ferry sinks off Cebu", entities=(Entity(text="Cebu", type="place"), Entity(text="Navy", type="other"))
    )
    same = replace(one, id="other", vector=bytes_of(np.eye(1, 8)[0]))
    far = a_story("Bakers win their oven back", vector=bytes_of(np.eye(1, 8, 3)[0]))
    for way in (by_entities, by_words):
        found = way([one, far, same])
        assert found[0] == found[2] != found[1]
    found = by_vectors([same, far, replace(same, id="third")])
    assert found[0] == found[2] != found[1]


def test_marks_of_links_and_emphasis_go_and_words_stay():
    assert plain("The [US](https://x.example/US) hits **Iran** [es] *hard*.") == "The US hits Iran hard."
