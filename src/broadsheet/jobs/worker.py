"""Who works, and what every job shares: a worker's name and lease, the clock, the client, what was done."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.sources.net import AddressPolicy, Client, Limits, user_agent
from broadsheet.sources.schedule import Rhythm

T = TypeVar("T")


Progress = Callable[[str, int, int], None]
"""Called with the kind of work, how much of it is done, and how much there is."""

LEASE = timedelta(minutes=15)  # a batch of slow pages takes minutes; a worker that died here is noticed sooner anyway


def quiet(kind: str, done: int, total: int) -> None:
    """No progress is shown."""


# --- who works ----------------------------------------------------------------------------------------------------


def _here() -> str:
    """This machine, and on it this space of process ids: a pid says nothing in another container."""
    with contextlib.suppress(OSError):
        return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"
    return socket.gethostname()


def worker_name() -> str:
    """A name for one worker, by which others can see whether it is still there."""
    return f"{_here()}/{os.getpid()}/{secrets.token_hex(4)}"


def _is_dead(worker: str) -> bool:
    """Whether the worker was on this machine and is gone. Of another machine's nothing is known but its lease."""
    place, _, rest = worker.rpartition("/")
    place, _, pid = place.rpartition("/")
    if place != _here() or not rest or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def bury_the_dead(db: Engine) -> None:
    """Free what workers held that were killed on this machine."""
    with db.connect() as reading:
        dead = {worker for worker in store.leases.workers(reading) if _is_dead(worker)}
    if dead:
        with db.begin() as writing:
            store.leases.bury(writing, dead)


def clock() -> datetime:
    """The real time. Leases run by it even where an instance reads as of another day."""
    return datetime.now(UTC)


async def reads(db: Engine, question: Callable[[Connection], T]) -> T:
    def ask() -> T:
        with db.connect() as connection:
            return question(connection)

    return await asyncio.to_thread(ask)


async def writes(db: Engine, change: Callable[[Connection], T]) -> T:
    def make() -> T:
        with db.begin() as connection:
            return change(connection)

    return await asyncio.to_thread(make)


@contextlib.asynccontextmanager
async def client_of(settings: Settings) -> AsyncIterator[Client]:
    """A client as the operator wants it."""
    client = Client(
        AddressPolicy(settings.allow_addresses),
        Limits(total=settings.fetch_timeout, max_bytes=settings.fetch_max_bytes),
        user_agent(settings.contact),
        settings.fetch_per_host,
        settings.fetch_concurrency,
    )
    async with client:
        yield client


def rhythm_of(settings: Settings) -> Rhythm:
    return Rhythm(min=settings.poll_interval_min, max=settings.poll_interval_max)


@dataclass(slots=True, kw_only=True)
class Done:
    """What was done, counted."""

    polled: int = 0
    failed: int = 0
    entries: int = 0
    articles: int = 0
    rejected: int = 0
    grouped: int = 0
    stories: int = 0
    learned: int = 0
    changed: int = 0  # articles that their publishers rewrote

    def sentence(self) -> str:
        """For a person."""

        def many(count: int, one: str, more: str) -> str:
            return f"{count:,} {one if count == 1 else more}"

        failed = f" ({many(self.failed, 'failure', 'failures')})" if self.failed else ""
        dropped = f" ({self.rejected:,} dropped, each with its reason)" if self.rejected else ""
        return (
            f"Asked {many(self.polled, 'source', 'sources')}{failed}; {many(self.entries, 'new entry', 'new entries')}, "
            f"{many(self.articles, 'new article', 'new articles')}{dropped}, "
            f"{many(self.stories, 'story', 'stories')} new or changed."
        )
