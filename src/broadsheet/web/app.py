"""The app: which address leads to which page, and what happens when a page can't be shown."""

from __future__ import annotations

import contextlib
import gc
import secrets
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from broadsheet import __version__, store
from broadsheet.config import Settings
from broadsheet.errors import BroadsheetError, ConfigError, FetchError, InputError, NotFound
from broadsheet.feed.build import Recipe
from broadsheet.reading import Newsstand
from broadsheet.sources.net import AddressPolicy, Client, Limits
from broadsheet.web import admin, api, asked, images, live, offline, security, trimmed
from broadsheet.web.pages import house, readers, reading, sources
from broadsheet.web.views import HERE, language_of, render, warm
from broadsheet.wording import phrase as _
from broadsheet.wording import words_of

# How often to look for garbage that is in a circle. What pages keep is not, so nearly all of that looking is in vain:
# through everything that was kept it took 50 ms, and who had just done something met it at one page in twenty.
GARBAGE = (5_000, 10, 1_000)


class Net:
    """One client for the app's own fetches (discovery, images), opened when the first of them needs it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open: Client | None = None
        self._stack = contextlib.AsyncExitStack()

    async def client(self) -> Client:
        if self._open is None:
            limits = Limits(total=self.settings.fetch_timeout, max_bytes=self.settings.fetch_max_bytes)
            agent = f"Broadsheet/{__version__} (+{self.settings.contact})"
            made = Client(AddressPolicy(self.settings.allow_addresses), limits, agent, per_host=6, concurrency=32)
            self._open = await self._stack.enter_async_context(made)
        return self._open

    async def close(self) -> None:
        await self._stack.aclose()
        self._open = None


class Static(StaticFiles):
    """Files whose address changes with their content: kept by browsers for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        if answer.status_code == 200 and scope["method"] == "GET" and path.endswith(tuple(trimmed.SHORTER)):
            found = HERE / "static" / path
            sent = trimmed.file(found, found.stat().st_mtime)
            kept = {n: v for n, v in answer.headers.items() if n != "content-length"}
            answer = Response(sent, headers=kept)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        # a file loads nothing: the pages' long policy was a third of what a small script cost on the wire
        answer.headers["Content-Security-Policy"] = security.NOTHING
        return answer


def create_app(
    engine: Engine, settings: Settings, *, recipe: Recipe | None = None, hosts: Iterable[str] = ()
) -> Starlette:
    """The web app over a store. Raises `ConfigError` when others could reach it and no password is set."""
    security.check_listening(settings)
    with engine.begin() as db:
        secret = store.notes.put_first(db, "session key", secrets.token_hex(32))
    key = security.instance_key(secret, settings)
    attempts = security.Attempts()
    net = Net(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(app.state.newsstand.edition)  # the first visitor does not wait for it, ...
        await run_in_threadpool(warm)  # ... nor for .7 s of templates and lists
        gc.freeze()  # the edition stays: looking through it for garbage took a quarter of a feed's time
        before = gc.get_threshold()
        gc.set_threshold(*GARBAGE)
        yield
        gc.set_threshold(*before)
        await net.close()

    guard = Middleware(
        security.Guard,
        settings=settings,
        key=key,
        refuse=refusal,
        hosts=security.allowed_hosts(hosts),
        attempts=attempts,
    )
    app = Starlette(
        routes=routes(),
        middleware=[guard, Middleware(security.Compressing)],
        lifespan=lifespan,
        exception_handlers={
            asked.NoReader: _no_reader,
            asked.Forbidden: _problem(403),
            NotFound: _problem(404),
            InputError: _problem(422),
            FetchError: _problem(502),
            ConfigError: _problem(500),
            BroadsheetError: _problem(500),
            HTTPException: _http_problem,
        },
    )
    app.state.newsstand = Newsstand(engine, settings, recipe)
    app.state.settings, app.state.password = settings, bool(settings.password)
    app.state.attempts, app.state.net, app.state.pictures = attempts, net, images.Pictures()
    app.state.credits, app.state.banner, app.state.listeners = [], "", set()
    return app


def routes() -> list[Route | Mount]:
    """Every address of the app."""
    return [
        Route("/", reading.for_you),
        Route("/away", reading.away),
        Route("/latest", reading.latest),
        Route("/following", reading.following),
        Route("/saved", reading.saved),
        Route("/search", reading.search),
        Route("/story/{id}", reading.story),
        Route("/thread/{id}", reading.thread),
        Route("/article/{id}", reading.article),
        Route("/article/{id}/versions", reading.versions),
        Route("/corrections", reading.corrections),
        Route("/why/{id}", reading.why),
        Route("/act", asked.posted(reading.act), methods=["POST"]),
        Route("/welcome", readers.welcome),
        Route("/welcome", asked.posted(readers.begin), methods=["POST"]),
        Route("/readers/choose", asked.posted(readers.choose), methods=["POST"]),
        Route("/you", readers.you),
        Route("/you/settings", asked.posted(readers.settings), methods=["POST"]),
        Route("/you/likes", asked.posted(readers.like), methods=["POST"]),
        Route("/you/export", readers.export),
        Route("/you/import", asked.posted(readers.bring), methods=["POST"]),
        Route("/you/ledger", readers.ledger),
        Route("/you/ledger/undo", asked.posted(readers.undo_range), methods=["POST"]),
        Route("/you/ledger/forget", asked.posted(readers.forget), methods=["POST"]),
        Route("/you/erase", asked.posted(readers.erase), methods=["POST"]),
        Route("/tune", readers.tune),
        Route("/tune", asked.posted(readers.take), methods=["POST"]),
        Route("/tune/preset", asked.posted(readers.preset), methods=["POST"]),
        Route("/tune/near", asked.posted(readers.near), methods=["POST"]),
        Route("/bubble", readers.bubble),
        Route("/bubble", asked.posted(readers.spend), methods=["POST"]),
        Route("/sources", sources.sources),
        Route("/source/{id}", sources.source),
        Route("/sources/find", sources.find, methods=["POST"]),
        Route("/sources/read", sources.read, methods=["POST"]),
        Route("/sources/add", asked.posted(sources.add), methods=["POST"]),
        Route("/sources/remove", asked.posted(sources.remove), methods=["POST"]),
        Route("/sources/polling", asked.posted(sources.polling), methods=["POST"]),
        Route("/undo", asked.posted(sources.undo), methods=["POST"]),
        Route("/sources/pack", asked.posted(sources.pack), methods=["POST"]),
        Route("/sources/opml", sources.export_opml),
        Route("/sources/opml", asked.posted(sources.import_opml), methods=["POST"]),
        Route("/admin", admin.admin),
        Route("/admin/login", asked.posted(admin.log_in), methods=["POST"]),
        Route("/admin/again", asked.posted(admin.again), methods=["POST"]),
        Route("/admin/ruling", asked.posted(admin.take_back), methods=["POST"]),
        Route("/admin/weights", asked.posted(admin.unweigh), methods=["POST"]),
        Route("/about", house.about),
        Route("/theme", asked.posted(house.theme), methods=["POST"]),
        Route("/login", house.login),
        Route("/login", asked.posted(house.log_in), methods=["POST"]),
        Route("/logout", asked.posted(house.log_out), methods=["POST"]),
        Route("/image", images.image),
        Route("/live", live.live),
        Route("/manifest.webmanifest", offline.manifest),
        Route("/sw.js", offline.worker),
        Route("/offline", offline.offline),
        Route("/healthz", house.healthz),
        *api.routes(),
        Mount("/static", Static(directory=HERE / "static"), name="static"),
    ]


# --- when a page can't be shown -----------------------------------------------------------------------------------

TITLES = {
    400: _("That could not be understood"), 401: _("Please log in"), 403: _("Nothing was changed"), 404: _("Not found"),
    405: _("Not done that way"), 413: _("Too large"), 421: _("Wrong address"), 422: _("That can’t be done"),
    429: _("Slow down"), 500: _("Something broke"), 502: _("The other site did not answer"),
}  # fmt: skip


def answer(request: Request, status: int, message: str) -> Response:
    """The error as the asker reads it: a page for a person, one shape of JSON for a program."""
    path = request.url.path
    if path.startswith("/api/") or "application/json" in request.headers.get("accept", "").split(",")[0]:
        return api.problem(status, message if path.startswith("/api/") else language_of(request).say(message))
    if status == 401 and request.method in security.SAFE:
        return RedirectResponse(f"/login?{urlencode({'next': asked.local(path)})}", 303)
    title = TITLES.get(status) or HTTPStatus(status).phrase
    return render(request, "error.html", status=status, code=status, title=title, message=message)


def refusal(request: Request, status: int, message: str) -> Response:
    return answer(request, status, message)


def _problem(status: int) -> Any:
    def handle(request: Request, error: Exception) -> Response:
        return answer(request, status, words_of(error))

    return handle


def _no_reader(request: Request, error: Exception) -> Response:
    if request.method not in security.SAFE or request.headers.get("accept", "").startswith("application/json"):
        return answer(request, 403, _("Choose a reader first."))
    return house.to_welcome(request)


def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {
        404: _("There is no page at this address."),
        405: _("This address does not take that kind of request."),
        400: _("The form could not be read."),
    }
    made = answer(request, error.status_code, words.get(error.status_code, str(error.detail)))
    for name, value in (error.headers or {}).items():
        made.headers[name] = value
    return made
