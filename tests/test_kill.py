"""Every job may be killed at any moment: run again, it ends where an undisturbed run ends."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from broadsheet import following, store
from broadsheet.sources import opml
from broadsheet.store import schema
from tests.builders import NOON
from tests.newsroom import Press, happenings, press
from tests.postgres import cluster

pytestmark = pytest.mark.slow

# Small batches make many moments between two transactions; models are left out, since loading them is most of a run.
CHILD = f"""
import asyncio, sys
from broadsheet import jobs, store
from broadsheet.jobs import grouping, ingesting, polling
from broadsheet.articles.enrich import Enrichment
from broadsheet.config import Settings
polling.SAVE_AT, ingesting.ENTRIES, grouping.ARTICLES = 1, 3, 4
settings = Settings(allow_addresses=("127.0.0.1/32",), engine="serial", as_of="{NOON.isoformat()}", fetch_concurrency=2)
db = store.open(sys.argv[1])
print("ready", flush=True)
asyncio.run(jobs.refresh(db, settings, enrichment=Enrichment(entities=None, embedding=None)))
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def papers() -> Iterator[Press]:
    with press() as papers:
        papers.feeds = {f"paper{n}": happenings(12) for n in range(4)}
        papers.odd = {}
        yield papers


def prepared(url: str, papers: Press) -> Engine:
    engine = store.open(url)
    with engine.begin() as db:
        for name in (*papers.feeds, "missing"):
            following.follow(db, [opml.Subscription(url=f"{papers.base}/{name}")], NOON)
    return engine


def start(url: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n", child.communicate()[1]
    return child


def finish(url: str) -> float:
    child, began = start(url), time.monotonic()
    said, errors = child.communicate(timeout=120)
    assert (said, child.returncode) == ("done\n", 0), errors
    return time.monotonic() - began


def state(engine: Engine) -> dict[str, Any]:
    """Everything that must not depend on what happened on the way."""
    with engine.connect() as db:
        assert store.doctor.check(db, NOON) == []
        assert store.leases.workers(db) == set()
        return {
            "sources": [
                (s.url, s.title, s.failures, s.problem, s.etag, s.last_success)
                for s in sorted(store.sources.all(db), key=lambda s: s.url)
            ],
            "entries": db.execute(
                select(schema.entries.c.id, schema.entries.c.done).order_by(schema.entries.c.id)
            ).all(),
            "articles": sorted(store.articles.all(db), key=lambda a: a.id),
            "stories": sorted(store.stories.live(db, NOON.replace(year=2000)), key=lambda s: s.id),
            "places": sorted((a.id, story) for a, story in store.articles.live(db, NOON.replace(year=2000))),
            "rejected": sorted((d.rejected.stage, d.rejected.subject) for d in store.rejections.latest(db, 1000)),
        }


@pytest.fixture(scope="module")
def undisturbed(papers: Press, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], float]:
    url = f"sqlite:///{tmp_path_factory.mktemp('whole') / 'news.sqlite'}"
    engine = prepared(url, papers)
    took = finish(url)
    whole = state(engine)
    engine.dispose()
    return whole, took


def kill_and_finish(url: str, engine: Engine, took: float, rng: random.Random, kills: int) -> dict[str, Any]:
    for _ in range(kills):
        child = start(url)
        time.sleep(rng.uniform(0, took))
        child.kill()
        child.communicate()
    finish(url)
    return state(engine)


def test_the_undisturbed_run_reads_everything(undisturbed: tuple[dict[str, Any], float]) -> None:
    whole, _ = undisturbed
    assert len(whole["articles"]) == len(whole["places"]) == 48
    assert all(done for _, done in whole["entries"])
    assert len(whole["stories"]) == 12
    assert [subject.rsplit("/", 1)[1] for stage, subject in whole["rejected"] if stage == "fetch"] == ["missing"]


def test_a_run_that_is_killed_again_and_again_ends_where_an_undisturbed_one_does(
    papers: Press, undisturbed: tuple[dict[str, Any], float], tmp_path: Path
) -> None:
    whole, took = undisturbed
    url = f"sqlite:///{tmp_path / 'news.sqlite'}"
    engine = prepared(url, papers)
    assert kill_and_finish(url, engine, took, random.Random(7), kills=4) == whole
    engine.dispose()


@pytest.mark.postgresql
def test_the_same_holds_on_postgresql(papers: Press, undisturbed: tuple[dict[str, Any], float]) -> None:
    whole, took = undisturbed
    with cluster() as url:
        engine = prepared(url, papers)
        assert kill_and_finish(url, engine, took, random.Random(8), kills=2) == whole
        engine.dispose()


def test_workers_that_are_killed_beside_a_living_one_cost_nothing(
    papers: Press, undisturbed: tuple[dict[str, Any], float], tmp_path: Path
) -> None:
    whole, took = undisturbed
    url = f"sqlite:///{tmp_path / 'news.sqlite'}"
    engine = prepared(url, papers)
    children = [start(url) for _ in range(2)]
    time.sleep(took / 3)
    children[0].kill()
    for child in children:
        child.communicate(timeout=120)
    assert children[1].returncode == 0
    finish(url)
    # Two group at different moments, so which stories there are may differ; that nothing is lost or doubled may not.
    kept = state(engine)
    for what in ("sources", "entries", "rejected"):
        assert kept[what] == whole[what]
    assert [a.id for a in kept["articles"]] == [a.id for a in whole["articles"]]
    assert len(kept["places"]) == 48
    engine.dispose()
