"""How long the front page takes, next to another self-hosted reader's, on the same feeds in the same run.

    BROADSHEET_PEER=/path/to/python python benchmarks/speed/peer.py [--days 5] [--times 60]

The peer is the web app of the `reader` package (https://reader.readthedocs.io), which needs `pip install 'reader[app]'` in an
environment of its own: `BROADSHEET_PEER` names its Python. Where there is none, the answer says so and holds no figures.
Both read the demo's feeds from a server on loopback, both are served by one process each as their own command does it, and
both are asked in turn over kept connections: the peer for its front page of 64 entries, Broadsheet for For you (30 stories,
ranked, with quotes and reasons) and Latest (60 articles). `_ms` is the client's clock, `_cpu_ms` the server's processor time.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from broadsheet import jobs, store
from broadsheet.config import Settings
from broadsheet.demo.corpus import AS_OF, channels
from broadsheet.demo.run import add_sources, demo_settings, published
from broadsheet.demo.server import FeedServer
from broadsheet.model import Event, Follow, ReaderId
from broadsheet.reading import Newsstand
from broadsheet.web import security

PEER = os.environ.get("BROADSHEET_PEER", sys.executable)
TICKS = os.sysconf("SC_CLK_TCK")


def missing() -> str:
    """Why there is no peer here; empty where there is one."""
    asked = subprocess.run([PEER, "-c", "import flask, reader._app"], capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        return ""
    return (
        "no peer here: pip install 'reader[app]' in an environment of its own, and name its Python in BROADSHEET_PEER"
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[int]:
    """The command's process id, once it answers at the port."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, **environment}, **quiet)  # type: ignore[call-overload]
    try:
        while process.poll() is None:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise SystemExit(f"{' '.join(command[:4])} ended with {process.returncode}")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def spent(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / TICKS


class Asked:
    """One page of one server, asked for again and again."""

    def __init__(self, port: int, path: str, pid: int, cookie: str = "") -> None:
        self.wire, self.path, self.pid = http.client.HTTPConnection("127.0.0.1", port, timeout=60), path, pid
        self.headers = {"Host": f"127.0.0.1:{port}", "Sec-Fetch-Site": "none", "Cookie": cookie}
        self.took: list[float] = []
        self.cpu, self.bytes, self.packed = 0.0, 0, 0

    def once(self) -> None:
        before, start = spent(self.pid), time.perf_counter()
        self.wire.request("GET", self.path, headers=self.headers)
        answer = self.wire.getresponse()
        self.bytes = len(answer.read())
        self.took.append(1000 * (time.perf_counter() - start))
        if answer.status != 200:
            raise SystemExit(f"{self.path} answered {answer.status}")
        time.sleep(0.05)  # what is done after the answer counts as its server's, too
        self.cpu += spent(self.pid) - before

    def weigh(self) -> None:
        """What the page weighs where it may be compressed."""
        self.wire.request("GET", self.path, headers=self.headers | {"Accept-Encoding": "gzip"})
        self.packed = len(self.wire.getresponse().read())

    def figures(self, name: str) -> dict[str, float]:
        return {
            f"{name}_ms": round(statistics.median(self.took), 2),
            f"{name}_cpu_ms": round(1000 * self.cpu / len(self.took), 1),
            f"{name}_bytes": self.bytes,
            f"{name}_sent_bytes": self.packed,
        }


def read_in(database: str, server: FeedServer, days: int) -> tuple[str, int, int]:
    """The demo's feeds in our store, with a reader; gives the reader's cookie, and how many articles and stories there are."""
    settings = demo_settings(Settings(database=database, engine="serial"), days)
    engine = store.open(database)
    add_sources(engine, server.addresses, settings)
    asyncio.run(jobs.refresh(engine, settings))
    stand = Newsstand(engine, settings)
    common = stand.common("place", 6)
    reader = stand.add_reader("Ada", [Follow(kind="place", value=place, label=place) for place in common])
    for item in stand.feed(reader.id).items[:10]:
        stand.act(reader.id, Event(reader=ReaderId(reader.id), kind="opened", at=settings.now(), story=item.story))
    with engine.begin() as db:
        # the clock of an instance that reads as of a day is kept where `broadsheet serve` finds it
        key = security.instance_key(
            store.notes.get(db, "session key") or _first_key(db), replace(settings, password="")
        )
        count, stories = store.articles.counts(db)[0], store.stories.count(db)
    engine.dispose()
    return f"{security.COOKIE}={security.Session('peer', reader.id).written(key)}", count, stories


def _first_key(db: Any) -> str:
    return store.notes.put_first(db, "session key", os.urandom(32).hex())


PEER_READS = """
import sys
from reader import make_reader
reader = make_reader(sys.argv[1])
for url in sys.argv[2:]:
    reader.add_feed(url, exist_ok=True)
reader.update_feeds(workers=4)
print(reader.get_entry_counts().total)
"""


def measure(days: int, times: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database, peer_db = f"sqlite:///{Path(folder) / 'ours.sqlite'}", str(Path(folder) / "peer.sqlite")
        with published(FeedServer(channels(AS_OF - timedelta(days=days)))) as server:
            cookie, articles, stories = read_in(database, server, days)
            command = [PEER, "-c", PEER_READS, peer_db, *server.addresses]
            entries = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])
        ours, theirs = free_port(), free_port()
        pid = stack.enter_context(
            running(
                [sys.executable, "-m", "broadsheet", "serve", "--no-work", "--port", str(ours)], ours,
                BROADSHEET_DATABASE=database, BROADSHEET_AS_OF=AS_OF.isoformat(), BROADSHEET_LIVE=f"{days + 1}d",
            )
        )  # fmt: skip
        peer = stack.enter_context(
            running(
                [PEER, "-m", "reader", "--db", peer_db, "web", "--port", str(theirs), "--cache-dir", folder], theirs
            )
        )
        asked = {
            "for_you": Asked(ours, "/", pid, cookie),
            "latest": Asked(ours, "/latest", pid, cookie),
            "peer_front_page": Asked(theirs, "/", peer),
        }
        for page in asked.values():  # compiled, read and built once, by both
            for _ in range(3):
                page.once()
            page.weigh()
            page.took, page.cpu = [], 0.0
        for _ in range(times):
            for page in asked.values():
                page.once()
    figures: dict[str, Any] = {"articles": articles, "stories": stories, "peer_entries": entries}
    for name, page in asked.items():
        figures |= page.figures(name)
    figures["for_you_over_peer"] = round(figures["for_you_ms"] / figures["peer_front_page_ms"], 3)
    figures["latest_over_peer"] = round(figures["latest_ms"] / figures["peer_front_page_ms"], 3)
    figures["load"] = round(os.getloadavg()[0], 2)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--times", type=int, default=60)
    given = parser.parse_args()
    why = missing()
    print(json.dumps({"skipped": why} if why else measure(given.days, given.times)))
