"""What every request passes before a page sees it, and every answer before a browser does.

Host header, size, origin, session, login; then the headers that keep a hostile article from doing anything.
Nothing here reads the store.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broadsheet.config import Settings
from broadsheet.errors import ConfigError

log = logging.getLogger(__name__)

COOKIE = "broadsheet"
COOKIE_AGE = 400 * 24 * 3600  # the longest that browsers keep one
LOGIN_AGE = 30 * 24 * 3600
MAX_BODY = 6 * 1024 * 1024  # the largest real OPML files are under 1 MB; a request beyond this is answered 413
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# --- keys and signatures -----------------------------------------------------------------------------------------


def instance_key(secret: str, settings: Settings) -> bytes:
    """The key of an instance: the same for all its processes and after every start; a new password makes a new one."""
    return hmac.new(secret.encode(), b"broadsheet " + settings.password.encode(), hashlib.sha256).digest()


def sign(key: bytes, purpose: str, value: str) -> str:
    """A short signature of the value for one purpose: one made for another purpose never fits."""
    digest = hmac.new(key, f"{purpose}\x00{value}".encode(), hashlib.sha256).digest()[:18]
    return base64.urlsafe_b64encode(digest).decode()


def signed_by(key: bytes, purpose: str, value: str, signature: str) -> bool:
    return hmac.compare_digest(sign(key, purpose, value).encode(), signature.encode())


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser carries, signed: which reader it reads as, when it logged in, and a name for its form tokens."""

    name: str
    reader: str = ""
    logged_in: int = 0  # seconds since 1970; 0: never
    theme: str = ""  # "", light or dark

    @classmethod
    def fresh(cls) -> Session:
        return cls(name=secrets.token_urlsafe(12))

    def written(self, key: bytes) -> str:
        body = base64.urlsafe_b64encode(orjson.dumps([self.name, self.reader, self.logged_in, self.theme])).decode()
        return f"{body}.{sign(key, 'session', body)}"

    @classmethod
    def read(cls, key: bytes, cookie: str) -> Session | None:
        """The session that the cookie holds; None for anything that this instance did not sign."""
        body, _, signature = cookie.partition(".")
        if not signed_by(key, "session", body, signature):
            return None
        try:
            name, reader, logged_in, theme = orjson.loads(base64.urlsafe_b64decode(body))
        except ValueError:
            return None
        return cls(str(name), str(reader), int(logged_in), str(theme))

    def token(self, key: bytes) -> str:
        """What a form must send back to show that it came from a page of ours in this browser.

        It is written otherwise each time (under random bytes that stand before it), so that how well a page compresses
        says nothing of it: BREACH, Gluck, Harris and Prado 2013.
        """
        secret = sign(key, "form", self.name).encode()
        mask = secrets.token_bytes(len(secret))
        return base64.urlsafe_b64encode(mask + _xor(mask, secret)).decode()

    def gave(self, key: bytes, token: str) -> bool:
        """Whether the token is one that this session's pages carry."""
        try:
            both = base64.urlsafe_b64decode(token.encode())
        except ValueError:
            return False
        half = len(both) // 2
        secret = sign(key, "form", self.name).encode()
        return len(both) == 2 * len(secret) and hmac.compare_digest(_xor(both[:half], both[half:]), secret)


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


# --- decisions about a request ------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    if host in ("localhost", ""):
        return host == "localhost"
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")


def host_is_ours(header: str, settings: Settings, extra: frozenset[str] = frozenset()) -> bool:
    """Whether the Host header names this instance.

    Without a password only loopback names pass: a site whose name is re-pointed at 127.0.0.1 is refused here. With a
    password any well-formed name passes, for a proxy may serve it under any, and the cookie belongs to one name only.
    """
    match = _HOST.fullmatch(header)
    if match is None:
        return False
    host = match[1].lower()
    return bool(settings.password) or is_loopback(host) or host == settings.host or host in extra


def comes_from_us(headers: Headers) -> bool:
    """Whether a request that changes something may have been sent by a page of ours, or by no browser at all.

    The first of two locks: every form also carries a token, and the API takes only JSON, which no other site may send.
    Origin is "null" for our own forms (Referrer-Policy: no-referrer makes it so), and browsers send Sec-Fetch-Site only
    to https and loopback: where neither says anything, the second lock decides.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin", "null")
    return origin == "null" or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


@dataclass(slots=True)
class Attempts:
    """Counts failed logins in memory: `limit` from one address, ten times that from all, in `window` seconds."""

    limit: int = 8
    window: float = 300.0
    clock: Callable[[], float] = time.monotonic
    failed: dict[str, list[float]] = field(default_factory=dict)

    def _recent(self, who: str) -> list[float]:
        since = self.clock() - self.window
        kept = [at for at in self.failed.get(who, []) if at > since]
        if kept:
            self.failed[who] = kept
        else:
            self.failed.pop(who, None)
        return kept

    def wait(self, who: str) -> int:
        """Seconds until another try is allowed; 0 when it is now."""
        waits = [0.0]
        for name, limit in ((who, self.limit), ("everyone", self.limit * 10)):
            if len(recent := self._recent(name)) >= limit:
                waits.append(recent[-limit] + self.window - self.clock())
        return max(0, int(max(waits) + 0.999))

    def fail(self, who: str) -> None:
        for name in (who, "everyone"):
            self.failed.setdefault(name, []).append(self.clock())
        if len(self.failed) > 10_000:  # a flood from many addresses is stopped by "everyone"; it may not fill memory
            self.failed = {"everyone": self.failed["everyone"]}

    def forget(self, who: str) -> None:
        self.failed.pop(who, None)


def password_fits(settings: Settings, given: str) -> bool:
    return hmac.compare_digest(settings.password.encode(), given.encode())


# --- headers ------------------------------------------------------------------------------------------------------

IMAGE_SOURCES = {"off": "'self'", "proxied": "'self'", "direct": "'self' https:"}


def policy(images: str = "proxied") -> str:
    """The Content-Security-Policy: our own script and style, no inline code, images as the reader chose."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {IMAGE_SOURCES.get(images, IMAGE_SOURCES['proxied'])}",
            "connect-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "manifest-src 'self'",
            "font-src 'self'",
            "require-trusted-types-for 'script'",
            "trusted-types broadsheet",
        )
    )


NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"

# Answers that are the same for everybody, or come while another is under way: they set no cookie.
_WITHOUT_A_SESSION = ("/static/", "/api/", "/healthz", "/image", "/live", "/manifest", "/sw.js", "/offline")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
}

# --- the middleware ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Compressing:
    """Sends pages and files compressed to whoever takes gzip.

    A page names what its reader follows, so it is compressed only for a request that no other site caused, as the browser
    says: nobody else can then put words into many answers and learn from their sizes what else is in them.
    """

    app: ASGIApp
    pages: ASGIApp = field(init=False)
    files: ASGIApp = field(init=False)

    def __post_init__(self) -> None:
        self.pages = GZipMiddleware(self.app, compresslevel=5)
        self.files = GZipMiddleware(self.app, compresslevel=9)  # asked for once a year

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http" and scope["path"].startswith("/static/"):
            app = self.files
        elif scope["type"] == "http" and Headers(scope=scope).get("sec-fetch-site") in ("same-origin", "none"):
            app = self.pages
        await app(scope, receive, send)


class TooMuch(Exception):
    """The body passed `MAX_BODY` while it was read."""


@dataclass(slots=True)
class Guard:
    """Lets a request through to the app, or answers it with a clear sentence; signs the session into the answer."""

    app: ASGIApp
    settings: Settings
    key: bytes
    refuse: Callable[[Request, int, str], ASGIApp]
    hosts: frozenset[str] = frozenset()
    open_paths: tuple[str, ...] = ("/login", "/static/", "/healthz", "/manifest.webmanifest", "/sw.js", "/offline")
    attempts: Attempts = field(default_factory=Attempts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        session = self._session(headers)
        scope["session"] = session or Session.fresh()
        scope["key"] = self.key
        scope["img"] = "proxied"
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._dress(scope, MutableHeaders(scope=message), session)
            await send(message)

        counted = 0

        async def receiving() -> Message:
            nonlocal counted
            message = await receive()
            if message["type"] == "http.request":
                counted += len(message.get("body", b""))
                if counted > MAX_BODY:
                    raise TooMuch
            return message

        refused = self._refusal(scope, headers)
        app = self.app if refused is None else self.refuse(Request(scope), *refused)
        try:
            await app(scope, receiving, sending)
        except TooMuch:
            if started:
                raise
            await self.refuse(Request(scope), *_TOO_MUCH)(scope, receive, sending)
        except Exception:
            # here and not in the outermost handler, so that this answer wears the same headers as any other
            if started:
                raise
            log.exception("%s %s failed", scope["method"], scope["path"])
            await self.refuse(Request(scope), 500, BROKEN)(scope, receive, sending)

    def _session(self, headers: Headers) -> Session | None:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return None
        return Session.read(self.key, morsel.value) if morsel else None

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        if not host_is_ours(headers.get("host", ""), self.settings, self.hosts):
            return (
                421,
                "This address is not one that Broadsheet answers to. Open it as http://localhost or set a password.",
            )
        declared = headers.get("content-length", "0")
        if not (declared.isascii() and declared.isdigit()) or int(declared) > MAX_BODY:
            return _TOO_MUCH
        if scope["method"] not in SAFE and not comes_from_us(headers):
            return 403, "This request came from another site, so nothing was changed."
        if self.settings.password and not self._may_pass(scope, headers):
            return 401, "This Broadsheet asks for a password."
        return None

    def _may_pass(self, scope: Scope, headers: Headers) -> bool:
        path = str(scope["path"])
        if any(path == allowed or (allowed.endswith("/") and path.startswith(allowed)) for allowed in self.open_paths):
            return True
        session: Session = scope["session"]
        if session.logged_in and time.time() - session.logged_in < LOGIN_AGE:
            return True
        given = headers.get("authorization", "")
        if path.startswith("/api/") and given.startswith("Bearer "):
            who = client_of(scope)
            if self.attempts.wait(who):
                return False
            if password_fits(self.settings, given.removeprefix("Bearer ")):
                return True
            self.attempts.fail(who)
        return False

    def _dress(self, scope: Scope, headers: MutableHeaders, before: Session | None) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", policy(scope["img"]))
        headers.setdefault("Cache-Control", "no-store" if self.settings.password else "no-cache")
        session: Session = scope["session"]
        if session != before and not str(scope["path"]).startswith(_WITHOUT_A_SESSION):
            secure = "; Secure" if scope.get("scheme") == "https" else ""
            headers.append(
                "Set-Cookie",
                f"{COOKIE}={session.written(self.key)}; Path=/; Max-Age={COOKIE_AGE}; HttpOnly; SameSite=Lax{secure}",
            )


BROKEN = "Broadsheet made a mistake with this page. It was written to the log; try again."
_TOO_MUCH = (413, f"That is more than {MAX_BODY // 1024 // 1024} MB, the most that can be sent at once.")


def client_of(scope: Scope) -> str:
    """The address that sent a request, an IPv6 one by its /64: one household holds all of that."""
    client = scope.get("client")
    if not client:
        return "unknown"
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return str(client[0])
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def change_session(request: Request, **changes: object) -> Session:
    """The session with changes; it goes out with the answer."""
    session: Session = request.scope["session"]
    changed = replace(session, **changes)  # type: ignore[arg-type]
    request.scope["session"] = changed
    return changed


def check_listening(settings: Settings) -> None:
    """Raises `ConfigError` when others could reach an instance that asks for no password."""
    if not settings.password and not is_loopback(settings.host):
        raise ConfigError(
            f"To listen on {settings.host}, where others can reach it, set a password (BROADSHEET_PASSWORD). "
            "Without one Broadsheet listens on 127.0.0.1 only."
        )


def allowed_hosts(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)
