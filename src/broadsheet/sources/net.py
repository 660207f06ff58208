"""The only door to the network: every address is checked when its connection is made, at every hop, and every answer
is bounded in bytes, time, hops and headers.

`Client.get` gives the answer whatever its status, or raises `FetchError` (`AddressRefused`, `TooLarge`) with a sentence
that says what happened and what to do. It keeps no cookies, sends no referrer, and says honestly who asks.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import time
import zlib
from base64 import b64encode
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from broadsheet import __version__
from broadsheet.errors import AddressRefused, ConfigError, FetchError, LeftAlone, TooLarge
from broadsheet.wording import phrase as _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FEEDS: Final = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.5"
)
PAGES: Final = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.5"

# Only 2000::/3 is handed out as global unicast; what follows is the part of it, and of IPv4, that is not the open
# internet whatever `ipaddress.is_global` says (its table in Python 3.11 predates some of these).
_OPEN_V6: Final = ipaddress.IPv6Network("2000::/3")
_CLOSED: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "168.63.129.16/32",  # a public address that is Azure's own host agent
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4: carries any IPv4 address
        "3fff::/20",
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR: Final = ipaddress.IPv6Network("2002::/16")

# Ports where something other than the web listens: those browsers refuse (Fetch standard, "port blocking"), and the
# databases and control planes that a request made by a stranger should never reach.
# fmt: off
_CLOSED_PORTS: Final = frozenset({
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
    104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 138, 139, 143, 161, 179, 389, 427, 445, 465, 512,
    513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 873, 989, 990, 993, 995,
    1433, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060,
    5061, 5432, 5672, 5900, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092,
    9200, 9300, 10080, 10250, 11211, 27017,
})
# fmt: on

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PERMANENT: Final = frozenset({301, 308})
_ERROR_BODY: Final = 64 * 1024  # enough of an error page to recognise what refused us
_KEPT_HOSTS: Final = 128  # hosts whose connections are kept for the next request; see `Client._lasting`
_KEPT_FOR: Final = 15.0
_LONGEST_PAUSE: Final = timedelta(hours=1)  # a host's wish binds the whole client this long; its source, for longer


def user_agent(contact: str) -> str:
    """Who asks, in words a publisher can act on."""
    return f"Broadsheet/{__version__} (news reader; +{contact})"


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses may be connected to: the open internet, and the networks (CIDR) that an operator allows.

    An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4) is judged by what it carries as well, so allowing
    NAT64 on an IPv6-only network does not open private IPv4 behind it.
    """

    allow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for network in self.allow:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError as e:
                raise ConfigError(
                    f"allow_addresses: {network!r} is not a network: write 192.168.0.0/16 or fd00::/8."
                ) from e

    def is_allowed(self, ip: str | Address) -> bool:
        return _is_allowed(self.allow, str(ip))


@lru_cache(maxsize=64)
def _networks(allow: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(network, strict=False) for network in allow)


@lru_cache(maxsize=4096)
def _is_allowed(allow: tuple[str, ...], ip: str) -> bool:
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    return _judge(address, _networks(allow))


def _judge(address: Address, allowed: tuple[Network, ...]) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if (mapped := address.ipv4_mapped) is not None:
            return _judge(mapped, allowed)
        if address in _NAT64:
            return _is_in(address, allowed) and _judge(ipaddress.IPv4Address(address.packed[12:]), allowed)
        if address in _SIX_TO_FOUR:
            return _is_in(address, allowed) and _judge(ipaddress.IPv4Address(address.packed[2:6]), allowed)
    if _is_in(address, allowed):
        return True
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in _OPEN_V6:
        return False
    return not _is_in(address, _CLOSED)


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of our time and memory one answer may have."""

    total: timedelta = timedelta(seconds=20)  # every hop together, from the first byte sent to the last received
    connect: timedelta = timedelta(seconds=10)
    max_bytes: int = 15 * 1024 * 1024  # after decompression
    redirects: int = 8
    header_bytes: int = 16 * 1024  # one header
    headers: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, whatever its status. `permanent_url` is where to ask from now on, when every redirect up to there was
    permanent; `headers` are found by any case of their name."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    permanent_url: str | None = None
    retry_after: timedelta | None = None

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")

    @property
    def max_age(self) -> timedelta | None:
        """How long the server says that this answer stays good."""
        return max_age(self.headers)

    def raise_for_status(self) -> None:
        """Raises `FetchError` for an answer that is neither a success nor a 304."""
        if not (200 <= self.status < 300 or self.status == 304):
            raise FetchError(_shown(self.url), self._refusal(), status=self.status, retry_after=self.retry_after)

    def _refusal(self) -> str:
        if is_challenge(self):
            return _(
                "the site asks visitors to prove that they are human (a Cloudflare or similar check), so it can't be read by a program; look for another feed of this publisher, or ask it to let feed readers in."
            )
        if self.status in _SAID:
            return _("{said} (HTTP {status}).", said=_SAID[self.status], status=self.status)
        if self.status >= 500:
            return _(
                "the site has a fault of its own (HTTP {status}); it will be asked again later.", status=self.status
            )
        return _("the site refused (HTTP {status}).", status=self.status)


_SAID: Final = {
    400: _("the site says that the request makes no sense: check the address"),
    401: _("the address needs a user name and a password: write them into it (https://name:password@...)"),
    402: _("the address is only for those who pay"),
    403: _("the site does not let this address be read"),
    404: _("there is nothing at this address: check it, or find the site's feed again"),
    406: _("the site has nothing here in a form that feed readers read"),
    410: _("the site says that this is gone for good; it won't be asked again"),
    429: _("the site says that it is asked too often; it will be left alone for a while"),
    451: _("the address is blocked for legal reasons where this instance runs"),
    503: _("the site is busy or under repair; it will be asked again later"),
}


def is_challenge(response: Response) -> bool:
    """Whether the answer is a test for humans in place of what was asked for."""
    if "challenge" in response.headers.get("cf-mitigated", "").lower():
        return True
    if response.status not in {403, 429, 503} or "html" not in response.content_type.lower():
        return False
    start = response.body[:_ERROR_BODY].lower()
    return any(mark in start for mark in (b"cf-chl", b"challenge-platform", b"just a moment...", b"captcha"))


def max_age(headers: Mapping[str, str]) -> timedelta | None:
    said = headers.get("Cache-Control", "").lower()
    if "no-cache" in said or "no-store" in said:
        return None
    match = re.search(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", said)
    return timedelta(seconds=int(match[1])) if match else None


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the server asks us to wait: seconds, or a date, which is read by the server's own clock if it shows it."""
    said = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", said):
        return timedelta(seconds=int(said))
    until = _http_date(said)
    if until is None:
        return None
    return max(timedelta(0), until - (_http_date(headers.get("Date", "")) or now))


def _http_date(written: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shown(url: str | URL) -> str:
    """The address as it may be written to a log or a page: without a password."""
    return re.sub(r"^(\w+://)[^/@?#]*@", r"\1", str(url))


class _Refused(OSError):
    """An address was reached that the policy does not allow."""


_refused: ContextVar[list[str]] = ContextVar("refused")


class _Resolver(AbstractResolver):
    """The system's resolver on threads of its own: the loop's default pool is a handful of threads, and one slow name
    server would hold up every other lookup."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._pool,
            lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG),
        )
        return [
            ResolveResult(
                hostname=host, host=str(sockaddr[0]), port=port, family=kind, proto=proto, flags=socket.AI_NUMERICHOST
            )
            for kind, _, proto, _, sockaddr in found
        ]

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class _Host:
    slots: asyncio.Semaphore
    users: int = 0
    used: float = 0.0


@dataclass(slots=True)
class _Body:
    """Decodes an answer as it comes, and stops at the first byte over its room: a bomb never unfolds."""

    url: str
    coding: str
    room: int
    truncate: bool = False
    out: bytearray = field(default_factory=bytearray)
    received: int = 0
    _inflate: Any = None
    _members: int = 0
    _done: bool = False

    def feed(self, data: bytes) -> bool:
        """Take more of the answer; False when there is room for no more."""
        self.received += len(data)
        if not self.coding:
            self.out += data[: self.room + 1 - len(self.out)]
        else:
            self._decode(data)
        # Compressed bytes count too: an endless stream of empty blocks would otherwise never fill the room.
        if len(self.out) <= self.room and self.received <= self.room:
            return True
        if self.truncate:
            del self.out[self.room :]
            return False
        raise TooLarge(
            self.url,
            _("the answer is larger than the {size} that is read at most (fetch_max_bytes).", size=_size(self.room)),
        )

    def _decode(self, data: bytes) -> None:
        if self._inflate is None:
            self._inflate = zlib.decompressobj(31 if self.coding == "gzip" else 15)
        while data and len(self.out) <= self.room and not self._done:
            try:
                self.out += self._inflate.decompress(data, self.room + 1 - len(self.out))
            except zlib.error as e:
                if self.coding != "deflate" or self.out:
                    raise FetchError(self.url, _("the answer's compression is damaged ({e}).", e=e)) from e
                self.coding, self._inflate = "raw", zlib.decompressobj(-15)  # some servers omit the zlib header
                continue
            if not self._inflate.eof:
                data = self._inflate.unconsumed_tail
                continue
            data = self._inflate.unused_data
            # A gzip stream may have several members; what follows the last is padding. Each member copies what is
            # left of its chunk, so their number is bounded: a stream of empty ones would burn minutes.
            self._members += 1
            self._done = self.coding != "gzip" or self._members >= 1024 or (bool(data) and data[0] != 0x1F)
            if not self._done and data:
                self._inflate = zlib.decompressobj(31)

    @property
    def ended(self) -> bool:
        return self._inflate is None or bool(self._inflate.eof)


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:.0f} MB" if count >= 1024 * 1024 else f"{count / 1024:.0f} kB"


@dataclass(frozen=True, slots=True)
class _Hop:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Gets addresses politely and safely; use it as `async with Client(...) as client`.

    At most `concurrency` answers at once, `per_host` of them from one host. A host that says 429, or 503 with a
    Retry-After, is left alone by everyone who shares this client until the time it named.
    """

    def __init__(
        self,
        policy: AddressPolicy | None = None,
        limits: Limits | None = None,
        user_agent: str = f"Broadsheet/{__version__}",
        per_host: int = 2,
        concurrency: int = 64,
        *,
        resolver: AbstractResolver | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy or AddressPolicy()
        self.limits = limits or Limits()
        self.user_agent = user_agent
        self._per_host = per_host
        self._concurrency = concurrency
        self._resolver = resolver
        self._own_resolver: _Resolver | None = None
        self._clock = clock
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self._paused: dict[str, float] = {}
        self._slots = asyncio.Semaphore(concurrency)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Client:
        self._own_resolver = _Resolver(min(32, self._concurrency))
        connector = aiohttp.TCPConnector(
            limit=0,  # our own slots count, so that waiting for one is not part of an answer's time
            resolver=self._resolver or self._own_resolver,
            socket_factory=self._socket,
            keepalive_timeout=_KEPT_FOR,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self.user_agent, "Accept-Encoding": "gzip, deflate"},
            auto_decompress=False,  # decoded here, where the cap is kept byte by byte
            trust_env=False,  # a proxy would make the connection, and the check, for us
            max_line_size=self.limits.header_bytes,
            max_field_size=self.limits.header_bytes,
            max_headers=self.limits.headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.limits.connect.total_seconds()),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._own_resolver is not None:
            await self._own_resolver.close()

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        """The socket for one address, made only if the policy allows it: this is what is connected to, so a name that
        changes its mind between a check and a connection gains nothing."""
        family, kind, proto, _, sockaddr = info
        if not self.policy.is_allowed(str(sockaddr[0])):
            if (seen := _refused.get(None)) is not None:
                seen.append(str(sockaddr[0]))
            raise _Refused("address refused")
        return socket.socket(family=family, type=kind, proto=proto)

    async def get(
        self, url: str, *, etag: str = "", last_modified: str = "", accept: str = "", truncate: int | None = None
    ) -> Response:
        """The answer at `url` after its redirects, whatever its status.

        The validators are sent exactly as given. With `truncate`, only so many bytes are read and more is no error.
        """
        headers = {"Accept": accept or FEEDS}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        target = _web_address(url, url)
        auth = (target.user or "", target.password or "") if target.user or target.password else None
        target = target.with_user(None)
        permanent: str | None = None
        so_far_permanent = True
        left = self.limits.total.total_seconds()
        seen = {str(target)}
        while True:
            async with self._slot(target) as lasting:
                began = self._clock_of_loop()
                hop = await self._hop(target, headers, auth, left, truncate, lasting)
                left -= self._clock_of_loop() - began
            if hop.status not in _REDIRECTS:
                break
            if len(seen) > self.limits.redirects:
                raise FetchError(
                    _shown(url), _("it redirects more than {redirects} times.", redirects=self.limits.redirects)
                )
            there = _follow(target, hop)
            if auth is not None and not _same_origin(target, there):
                auth = None  # a name and password go to the site they were written for and nowhere else
            so_far_permanent = so_far_permanent and hop.status in _PERMANENT
            if so_far_permanent:
                permanent = str(there.with_user(auth[0]).with_password(auth[1]) if auth else there)
            if str(there) in seen:
                raise FetchError(
                    _shown(url), _("it redirects in a circle (some sites do this to readers without cookies).")
                )
            seen.add(str(there))
            target = there
        wait = retry_after(hop.headers, datetime.now(UTC)) if hop.status in {429, 503} else None
        self._note_pause(target, hop.status, wait)
        good = 200 <= hop.status < 300 or hop.status == 304
        return Response(
            url=str(target),
            status=hop.status,
            headers=hop.headers,
            body=hop.body,
            permanent_url=permanent if good else None,
            retry_after=wait,
        )

    # --- politeness ---------------------------------------------------------------------------------------------

    @staticmethod
    def _clock_of_loop() -> float:
        return asyncio.get_running_loop().time()

    @asynccontextmanager
    async def _slot(self, url: URL) -> AsyncIterator[bool]:
        """Wait for a turn at this host, then for one of ours; gives whether the connection is worth keeping.

        Both are given back between hops: holding one while waiting for the other would let two redirects lock.
        """
        name = _host_of(url)
        self._raise_if_paused(url, name)
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(asyncio.Semaphore(self._per_host))
        host.users += 1
        try:
            async with host.slots, self._slots:
                self._raise_if_paused(url, name)
                yield self._lasting(name)
        finally:
            host.users -= 1
            host.used = self._clock_of_loop()
            self._hosts.move_to_end(name)
            self._forget_idle()

    def _lasting(self, name: str) -> bool:
        # A round over thousands of hosts would leave as many idle sockets open until they time out, past the 1,024
        # files a process usually may have; beyond this many hosts the newcomers' connections are closed at once.
        return len(self._hosts) <= _KEPT_HOSTS or self._hosts[name].users > 1

    def _forget_idle(self) -> None:
        now = self._clock_of_loop()
        while self._hosts:
            name, host = next(iter(self._hosts.items()))
            if host.users:
                self._hosts.move_to_end(name)
                return
            if now - host.used < _KEPT_FOR and len(self._hosts) <= 4 * _KEPT_HOSTS:
                return
            del self._hosts[name]

    def _raise_if_paused(self, url: URL, name: str) -> None:
        until = self._paused.get(name)
        if until is None:
            return
        left = until - self._clock()
        if left <= 0:
            del self._paused[name]
            return
        raise LeftAlone(
            _shown(url),
            _("{name} asked to be left alone; it will be asked again in {spoken}.", name=name, spoken=_spoken(left)),
            status=429,
            retry_after=timedelta(seconds=left),
        )

    def _note_pause(self, url: URL, status: int, wait: timedelta | None) -> None:
        if wait is None:
            if status != 429:
                return
            wait = timedelta(minutes=1)
        if len(self._paused) > 10_000:
            now = self._clock()
            self._paused = {name: until for name, until in self._paused.items() if until > now}
        if wait > timedelta(0):
            self._paused[_host_of(url)] = self._clock() + min(wait, _LONGEST_PAUSE).total_seconds()

    # --- one request --------------------------------------------------------------------------------------------

    async def _hop(
        self,
        url: URL,
        headers: dict[str, str],
        auth: tuple[str, str] | None,
        left: float,
        truncate: int | None,
        lasting: bool,
    ) -> _Hop:
        if self._session is None:
            raise RuntimeError("use the client as `async with Client(...) as client`")
        if not lasting:
            headers = headers | {"Connection": "close"}
        if auth is not None:
            headers = headers | {"Authorization": f"Basic {b64encode(':'.join(auth).encode()).decode()}"}
        refused: list[str] = []
        token = _refused.set(refused)
        shown = _shown(url)
        try:
            async with (
                asyncio.timeout(max(left, 0.0)),
                self._session.get(url, headers=headers, allow_redirects=False) as answer,
            ):
                body = await self._read(answer, shown, truncate)
                return _Hop(answer.status, answer.headers, body)
        except TimeoutError as e:
            if isinstance(e, aiohttp.ServerTimeoutError):
                raise _explain(shown, url, e, refused) from e
            raise FetchError(
                shown,
                _(
                    "it took longer than {seconds:g} seconds; it will be tried again later.",
                    seconds=self.limits.total.total_seconds(),
                ),
            ) from e
        except (aiohttp.ClientError, OSError, ValueError) as e:
            raise _explain(shown, url, e, refused) from e
        finally:
            _refused.reset(token)

    async def _read(self, answer: aiohttp.ClientResponse, shown: str, truncate: int | None) -> bytes:
        if answer.status in _REDIRECTS or answer.status in {204, 304}:
            return b""
        failed = answer.status >= 400
        room = min(self.limits.max_bytes, truncate or self.limits.max_bytes, _ERROR_BODY if failed else 2**62)
        codings = [c.strip().lower() for c in answer.headers.get("Content-Encoding", "").split(",")]
        codings = [c.removeprefix("x-") for c in codings if c and c != "identity"]
        if any(c not in {"gzip", "deflate"} for c in codings) or len(codings) > 1:
            if failed:
                return b""
            raise FetchError(
                shown, _("it answered in a coding that it was not asked for ({names}).", names=", ".join(codings)[:60])
            )
        body = _Body(shown, codings[0] if codings else "", room, truncate=truncate is not None or failed)
        if not body.truncate and (answer.content_length or 0) > room:
            body.received = answer.content_length or 0
            body.feed(b"")
        async for chunk in answer.content.iter_any():
            if not body.feed(chunk):
                answer.close()
                break
        else:
            if not body.ended and not body.truncate:
                raise FetchError(shown, _("the answer ended early; it will be tried again later."))
        if not codings and body.out.startswith(b"\x1f\x8b"):  # a file that is gzip itself: sitemap.xml.gz
            inner = _Body(shown, "gzip", room, truncate=body.truncate)
            for start in range(0, len(body.out), 65536):
                if not inner.feed(bytes(body.out[start : start + 65536])):
                    break
            return bytes(inner.out)
        return bytes(body.out)


def _host_of(url: URL) -> str:
    return (url.raw_host or "").rstrip(".").lower()


def _same_origin(a: URL, b: URL) -> bool:
    if _host_of(a) != _host_of(b):
        return False
    return (a.scheme, a.port) == (b.scheme, b.port) or (a.scheme, a.port, b.scheme, b.port) == (
        "http",
        80,
        "https",
        443,
    )


def _web_address(written: str, asked: str) -> URL:
    """The URL that `written` says, kept character for character where it can be. Raises `FetchError` if it is none that
    may be opened."""
    written = written.strip()
    try:
        # encoded=True keeps every percent-escape as the publisher wrote it: requoting breaks signed addresses.
        plain = written.isascii() and not re.search(r"[\x00-\x20\x7f]", written)
        url = URL(written, encoded=plain)
        port = url.port
        host = url.raw_host
    except ValueError as e:
        raise FetchError(_shown(asked), _("this is not a web address.")) from e
    if url.scheme not in {"http", "https"}:
        raise AddressRefused(
            _shown(asked), _("only http and https addresses are opened, not {scheme}.", scheme=url.scheme or "others")
        )
    if not host:
        raise FetchError(_shown(asked), _("this is not a web address: it names no site."))
    if port in _CLOSED_PORTS:
        raise AddressRefused(
            _shown(asked), _("port {port} is not one that web sites use, so it is not opened.", port=port)
        )
    return url.with_fragment(None)


def _follow(here: URL, hop: _Hop) -> URL:
    location = hop.headers.get("Location", "").strip()
    if not location:
        raise FetchError(
            _shown(here),
            _("it redirects (HTTP {status}) but does not say where to.", status=hop.status),
            status=hop.status,
        )
    try:
        there = urljoin(str(here), location)
    except ValueError as e:
        raise FetchError(_shown(here), _("it redirects to something that is not an address.")) from e
    return _web_address(there, there).with_user(None)  # what a redirect writes as a password is never sent


def _spoken(seconds: float) -> str:
    return _("{n:.0f} seconds", n=seconds) if seconds < 120 else _("{n:.0f} minutes", n=seconds / 60)


def _explain(shown: str, url: URL, error: Exception, refused: list[str]) -> FetchError:
    """What went wrong on the way, as a sentence."""
    host = _host_of(url)
    if isinstance(error, FetchError):
        return error
    if refused or (isinstance(error, aiohttp.InvalidURL) and "canonical" in str(error)):
        return AddressRefused(
            shown,
            _(
                "{host} is in a private or local network, which is not opened. Whoever runs this instance can allow that network with allow_addresses.",
                host=host,
            ),
        )
    if re.search(r"message=.(Got more than|Too many)", str(error)):
        return TooLarge(shown, _("its headers are longer than any that are read."))
    match error:
        case aiohttp.ClientConnectorDNSError():
            return FetchError(
                shown, _("there is no site named {host}, or its name server is down: check the spelling.", host=host)
            )
        case aiohttp.ClientConnectorCertificateError():
            return FetchError(
                shown, _("the certificate of {host} is not valid, so what it says can't be trusted.", host=host)
            )
        case aiohttp.ClientSSLError():
            return FetchError(
                shown, _("no secure connection could be made to {host}: try the address with http://.", host=host)
            )
        case aiohttp.ServerTimeoutError():
            return FetchError(shown, _("{host} does not answer; it will be tried again later.", host=host))
        case aiohttp.ClientConnectorError():
            return FetchError(
                shown,
                _(
                    "nothing answers at {host} ({strerror}).",
                    host=host,
                    strerror=error.os_error.strerror or "no connection",
                ),
            )
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return FetchError(shown, _("the connection was closed before the answer was complete."))
        case aiohttp.InvalidURL() | UnicodeError():
            return FetchError(shown, _("this is not a web address."))
        case aiohttp.ClientResponseError():
            return FetchError(shown, _("what answers there does not speak HTTP that can be read."))
        case _:
            return FetchError(shown, _("the connection failed ({name}).", name=type(error).__name__))
