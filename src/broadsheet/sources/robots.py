"""What a site lets programs read (robots.txt, RFC 9309): asked once a day, through the same client as all else.

No robots.txt (4xx) allows everything; one that can't be reached (network, 5xx, 429) forbids everything until it can,
unless an earlier one is known, which then still holds.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urljoin

from protego import Protego
from yarl import URL

from broadsheet.errors import FetchError
from broadsheet.sources.net import Client

logging.getLogger("protego").setLevel(logging.WARNING)

AGENT = "Broadsheet"
_READ = 512 * 1024  # RFC 9309 asks for at least 500 KiB
_FRESH = timedelta(hours=24)
_RETRY = timedelta(minutes=30)
_FORGIVEN = timedelta(days=30)  # RFC 9309 2.3.1.4: unreachable this long may be taken for absent


@dataclass(frozen=True, slots=True)
class _Known:
    rules: Protego | None  # None: nothing is allowed
    until: datetime
    down_since: datetime | None = None


class Robots:
    """The rules of the sites asked lately, at most `size` of them."""

    def __init__(self, size: int = 2000) -> None:
        self._size = size
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asking: dict[str, asyncio.Lock] = {}

    async def allowed(self, url: str, client: Client, now: datetime) -> bool:
        """Whether the site lets Broadsheet read this address. Never raises: what can't be known is not allowed."""
        try:
            site = str(URL(url).origin())
        except ValueError:
            return False
        rules = (await self._of(site, client, now)).rules
        return rules is not None and bool(rules.can_fetch(url[:2000], AGENT))

    async def _of(self, site: str, client: Client, now: datetime) -> _Known:
        lock = self._asking.setdefault(site, asyncio.Lock())
        try:
            async with lock:  # many articles of one site arrive together: one of them asks
                known = self._known.get(site)
                if known is None or known.until <= now:
                    known = self._known[site] = await _ask(site, client, now, known)
                self._known.move_to_end(site)
                while len(self._known) > self._size:
                    self._known.popitem(last=False)
                return known
        finally:
            if not lock.locked():
                self._asking.pop(site, None)


async def _ask(site: str, client: Client, now: datetime, before: _Known | None) -> _Known:
    try:
        answer = await client.get(urljoin(site, "/robots.txt"), accept="text/plain, */*;q=0.5", truncate=_READ)
    except FetchError:
        return _unreachable(now, before)
    if 200 <= answer.status < 300:
        return _Known(parse(answer.body), now + _FRESH)
    if answer.status == 429 or answer.status >= 500:
        return _unreachable(now, before)
    return _Known(Protego.parse(""), now + _FRESH)


def _unreachable(now: datetime, before: _Known | None) -> _Known:
    since = (before.down_since if before else None) or now
    if now - since >= _FORGIVEN:
        return _Known(Protego.parse(""), now + _RETRY, since)
    return _Known(before.rules if before else None, now + _RETRY, since)


def parse(body: bytes) -> Protego:
    """The rules in a robots.txt, whatever it holds. An HTML page in its place has none."""
    return Protego.parse("\n".join(_ours(line) for line in body.decode("utf-8-sig", "replace").splitlines()))


def _ours(line: str) -> str:
    # Every group is kept once per agent that it names: 17,000 agents over 17,000 rules, all within the size that is
    # read, take minutes. Agents that are not us become one.
    named = re.match(r"\s*user[- ]?agent\s*:?\s*([^#]*)", line[:2048], re.IGNORECASE)
    if named is None:
        return line[:2048]
    token = named[1].strip().lower()
    mine = token.rstrip("*") in AGENT.lower() or AGENT.lower() in token
    return line[:2048] if mine else "User-agent: someone-else"
