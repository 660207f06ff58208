"""One stage: everything added, order kept, a bad article alone goes without, the same on any engine."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.articles.embed import Embedding
from broadsheet.articles.enrich import Enrichment, enrich
from broadsheet.articles.entities import Recognition
from broadsheet.errors import BroadsheetError
from broadsheet.model import Article
from tests.builders import an_article

LIGHT = Enrichment(entities=Recognition(recogniser="capitals"))
NEWS = an_article(
    "Blinken to visit China",
    "US Secretary of State Antony Blinken will visit Beijing on Sunday for talks with Foreign Minister Qin Gang. " * 5,
    language="",
)
ODD = [
    "",
    "🎉" * 300,
    "בדיקה " * 100,
    "布林肯抵达北京" * 60,
    "\x00\u202e\ufeff",
    "\ud800",
    "word " * 60_000,
    "<b>&amp;",
]


def test_an_article_gains_all_that_reading_tells() -> None:
    (read,) = enrich([NEWS])
    assert read.language == "en"
    assert {"Antony Blinken", "Beijing"} <= {entity.text for entity in read.entities}
    assert read.topics[0].label == "Politics"
    assert read.vector
    assert read.vector_model
    assert read.fingerprint


def test_only_what_reading_tells_changes() -> None:
    (read,) = enrich([NEWS], LIGHT)
    for name in ("id", "url", "title", "text", "publisher", "published", "html", "tags"):
        assert getattr(read, name) == getattr(NEWS, name)


def test_done_twice_is_done_once() -> None:
    once = enrich([NEWS], LIGHT)
    assert enrich(once, LIGHT) == once


def test_odd_texts_never_cost_the_others_anything() -> None:
    batch = [an_article(f"Odd {i}", text, language="") for i, text in enumerate(ODD)]
    read = enrich([NEWS, *batch, NEWS])
    assert [a.id for a in read] == [a.id for a in [NEWS, *batch, NEWS]]
    assert read[0].entities == read[-1].entities != ()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=5))
def test_a_batch_gives_one_for_each_in_order(texts: list[str]) -> None:
    batch = [an_article(f"Title {i}", text) for i, text in enumerate(texts)]
    assert [a.id for a in enrich(batch, LIGHT)] == [a.id for a in batch]


def test_the_stage_can_be_sent_elsewhere_and_run_by_many_threads() -> None:
    stage = pickle.loads(pickle.dumps(partial(enrich, config=LIGHT)))
    with ThreadPoolExecutor(4) as pool:
        results: list[list[Article]] = list(pool.map(stage, [[NEWS]] * 8))
    assert all(result == results[0] for result in results)


def test_a_part_may_be_left_out() -> None:
    (read,) = enrich([NEWS], Enrichment(entities=None, topics=None, embedding=None))
    assert (read.entities, read.topics, read.vector) == ((), (), b"")
    assert read.language == "en"


def test_a_broken_setting_is_not_passed_over_in_silence() -> None:
    with pytest.raises(BroadsheetError, match="no encoder"):
        enrich([NEWS, NEWS], Enrichment(entities=None, embedding=Embedding(encoder="none")))
