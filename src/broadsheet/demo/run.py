"""The demo: bundled news served as real feeds on loopback, read in through the same path as anything else."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from sqlalchemy import Engine

from broadsheet import jobs, store
from broadsheet.config import Settings
from broadsheet.demo.corpus import AS_OF, CREDITS, Channel, channels
from broadsheet.demo.readers import SAMPLES, events_of
from broadsheet.demo.server import FeedServer
from broadsheet.errors import ConfigError
from broadsheet.model import Outlet, Reader, Source, SourceId, identify
from broadsheet.opening import Instance, describe_instance
from broadsheet.progress import bars
from broadsheet.reading import Newsstand
from broadsheet.serving import serve
from broadsheet.sources.outlets import outlet_of
from broadsheet.wording import phrase

BANNER = phrase(
    "This is the demo: bundled open-licence news, read as of {day} {month} {year}.",
    day=AS_OF.day,
    month=f"{AS_OF:%B}",
    year=AS_OF.year,
)


def demo_settings(settings: Settings, days: int) -> Settings:
    """The operator's settings, but for the demo's own database, clock, window, and leave to fetch from loopback."""
    chosen = settings.database
    if not chosen:
        regular = Path(settings.database_url().removeprefix("sqlite:///"))
        chosen = f"sqlite:///{regular.with_name('demo.sqlite')}"
    return replace(
        settings,
        database=chosen,
        as_of=AS_OF.isoformat(),
        live=timedelta(days=days + 1),
        allow_addresses=(*settings.allow_addresses, "127.0.0.1/32"),
        fetch_per_host=32,  # the publishers all live on one host
    )


@contextlib.contextmanager
def published(server: FeedServer) -> Iterator[FeedServer]:
    """The server running in a thread of its own. Raises `ConfigError` when its port is taken."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="publishers", daemon=True)
    thread.start()
    try:
        try:
            asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
        except OSError as e:
            raise ConfigError(f"The bundled feeds can't be served: {e.strerror}. Choose another --feeds-port.") from e
        yield server
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)
        loop.close()


def outlet_named(channel: Channel) -> Outlet:
    """What is known of the channel's outlet, under the name that the corpus gives it."""
    known = outlet_of(channel.homepage) or Outlet(name=channel.title, domain=urlsplit(channel.homepage).netloc)
    return replace(known, name=channel.title)


def add_sources(engine: Engine, addresses: Mapping[str, Channel], settings: Settings) -> None:
    """A source for each address that is not known yet."""
    with engine.begin() as db:
        for address, channel in addresses.items():
            store.sources.add(
                db,
                Source(
                    id=SourceId(identify(address)),
                    url=address,
                    title=channel.title,
                    homepage=channel.homepage,
                    language=channel.language,
                    outlet=outlet_named(channel),
                    full_text=False,  # the feeds carry all there is; publishers' pages are out of reach on purpose
                    added=settings.now(),
                    next_fetch=settings.now(),
                ),
            )


def add_readers(engine: Engine, stand: Newsstand) -> None:
    """The sample readers that are not there yet."""
    with engine.begin() as db:
        new = [sample for sample in SAMPLES if store.readers.get(db, sample.id) is None]
        for sample in new:
            store.readers.add(db, Reader(id=sample.id, name=sample.name, created=stand.now()))
    for sample in new:
        for event in events_of(sample, stand.now()):
            stand.act(sample.id, event)


def run_demo(settings: Settings, *, feeds_port: int, days: int, serve_app: bool, console: Console) -> None:
    """Read the bundled news in (again: only what is new), make the sample readers, and serve the app."""
    settings = demo_settings(settings, days)
    engine = store.open(settings.database_url())
    credits_ = tuple(f"{c.name}: {c.licence}. {c.url} {c.note}".strip() for c in CREDITS)
    describe_instance(engine, Instance(as_of=settings.as_of, live=settings.live, banner=BANNER, credits=credits_))
    started = time.monotonic()
    with published(FeedServer(channels(AS_OF - timedelta(days=days)), port=feeds_port)) as server:
        console.print(f"Reading the news from {len(server.addresses)} publishers on loopback ...", highlight=False)
        add_sources(engine, server.addresses, settings)
        with bars(console) as progress:
            asyncio.run(jobs.refresh(engine, settings, progress=progress))
        stand = Newsstand(engine, settings)
        add_readers(engine, stand)
        live = stand.edition()
        console.print(
            f"{len(live.edition):,} stories from {len(server.addresses)} publishers in {time.monotonic() - started:.0f} s. "
            f"Readers: {', '.join(sample.id for sample in SAMPLES)}.",
            highlight=False,
        )
        if serve_app:
            serve(settings, work=True, console=console)
