"""Processes that stay: the web app with its worker, or a worker alone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator

import uvicorn
from rich.console import Console
from sqlalchemy import Engine

from broadsheet import jobs
from broadsheet.config import Settings
from broadsheet.errors import ConfigError
from broadsheet.memory import frugal, give_back
from broadsheet.opening import instance_of, open_instance
from broadsheet.web.app import create_app


@contextlib.contextmanager
def working(engine: Engine, settings: Settings) -> Iterator[None]:
    """A worker and scheduler beside whatever the block does, in a thread with a loop of its own."""
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(jobs.work(engine, settings, stop))
        loop.close()

    thread = threading.Thread(target=run, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(RuntimeError):  # the loop has already closed
            loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=15)


def serve(settings: Settings, *, work: bool, console: Console) -> None:
    """Serve the web app until it is stopped; with `work`, also poll and group. Raises `ConfigError` for a port in use."""
    frugal()
    engine, settings = open_instance(settings)
    app = create_app(engine, settings)
    instance = instance_of(engine)
    app.state.banner, app.state.credits = instance.banner, list(instance.credits)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as e:
        raise ConfigError(
            f"Can't listen on {settings.host}:{settings.port}: {e.strerror}. Choose another --port."
        ) from e
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", server_header=False, proxy_headers=False, timeout_graceful_shutdown=3)
    )
    shown = f"[{settings.host}]" if family == socket.AF_INET6 else settings.host
    console.print(
        f"\n  Broadsheet is at [bold]http://{shown}:{listener.getsockname()[1]}[/bold]  (stop with Ctrl-C)\n",
        highlight=False,
    )
    app.state.newsstand.edition()  # before the worker begins, which would share the interpreter with it
    give_back()
    with working(engine, settings) if work else contextlib.nullcontext():
        server.run(sockets=[listener])


def work_until_stopped(settings: Settings, *, console: Console) -> None:
    """Poll, ingest and group until SIGINT or SIGTERM; what is in hand is finished or left for another to take."""
    frugal()
    engine, settings = open_instance(settings)

    async def run() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await jobs.work(engine, settings, stop)

    console.print("Working. Stop with Ctrl-C.")
    asyncio.run(run())
