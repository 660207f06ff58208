"""Everything in its order, once or until stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
from datetime import timedelta

from sqlalchemy import Engine

from broadsheet.articles.enrich import Enrichment
from broadsheet.config import Settings
from broadsheet.engine import Runner, engine
from broadsheet.jobs.grouping import Grouper
from broadsheet.jobs.ingesting import Ingest
from broadsheet.jobs.learning import learn
from broadsheet.jobs.polling import poll
from broadsheet.jobs.watching import Watch
from broadsheet.jobs.worker import Done, Progress, bury_the_dead, client_of, clock, quiet, rhythm_of, worker_name
from broadsheet.memory import give_back
from broadsheet.sources.net import Client

log = logging.getLogger("broadsheet")

IDLE = timedelta(minutes=2)  # after which processes with their models are let go
TICK = timedelta(seconds=3)  # how soon a source that someone adds is noticed


class Pipeline:
    """Everything in its order, with what is kept between rounds."""

    def __init__(
        self, db: Engine, settings: Settings, client: Client, runner: Runner, enrichment: Enrichment | None = None
    ) -> None:
        self.db, self.settings, self.client, self.runner = db, settings, client, runner
        self.worker = worker_name()
        self.ingest = Ingest(
            db=db, client=client, runner=runner, settings=settings, worker=self.worker,
            enrichment=enrichment or Enrichment(),
        )  # fmt: skip
        self.grouper = Grouper(db, settings, self.worker)
        self.rng = random.Random()

    async def round(self, progress: Progress = quiet, stop: asyncio.Event | None = None) -> Done:
        """What is due now: poll, ingest, group, learn."""
        now = self.settings.now()
        await asyncio.to_thread(bury_the_dead, self.db)
        done = await poll(
            self.db, self.client, now, worker=self.worker, rhythm=rhythm_of(self.settings), rng=self.rng,
            concurrency=self.settings.fetch_concurrency, progress=progress, stop=stop,
        )  # fmt: skip
        read = await self.ingest.run(now, progress=progress, stop=stop)
        done.changed = await Watch(self.ingest).run(now)
        grouped = await asyncio.to_thread(self.grouper.run, now, progress, stop)
        done.articles, done.rejected = read.articles, read.rejected
        done.grouped, done.stories = grouped.grouped, grouped.stories
        done.learned = await asyncio.to_thread(learn, self.db)
        return done


def _all_cores(settings: Settings) -> int:
    """Someone waits for a refresh: it may have every core. A server leaves one to its readers."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    return settings.workers or cores


async def refresh(
    db: Engine, settings: Settings, progress: Progress | None = None, enrichment: Enrichment | None = None
) -> Done:
    """Poll what is due, once, and bring articles, stories and readers up to date."""
    async with client_of(settings) as client:
        with engine(settings.engine, _all_cores(settings)) as runner:
            pipeline = Pipeline(db, settings, client, runner, enrichment)
            try:
                return await pipeline.round(progress or quiet)
            finally:
                await asyncio.to_thread(pipeline.grouper.close)


async def work(db: Engine, settings: Settings, stop: asyncio.Event, progress: Progress | None = None) -> None:
    """Keep everything up to date until `stop` is set. What goes wrong is logged and tried again."""
    async with client_of(settings) as client:
        with engine(settings.engine, settings.workers) as runner:
            pipeline = Pipeline(db, settings, client, runner)
            busy_at = clock()
            wait = TICK
            while not stop.is_set():
                try:
                    done = await pipeline.round(progress or quiet, stop)
                    wait = TICK
                    if done.articles or done.rejected:
                        busy_at = clock()
                        give_back()
                    elif clock() - busy_at > IDLE:
                        await asyncio.to_thread(runner.close)  # models are loaded again when there is work
                except Exception:
                    log.exception("a round of work failed; it is tried again in %s s", wait.total_seconds())
                    wait = min(wait * 2, timedelta(minutes=5))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), wait.total_seconds())
            with contextlib.suppress(Exception):
                await asyncio.to_thread(pipeline.grouper.close)
