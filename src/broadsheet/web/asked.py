"""What every page asks first: who reads here, whether a form is theirs, and where to go back to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from broadsheet.errors import NotFound
from broadsheet.model import Reader, named
from broadsheet.reading import Newsstand
from broadsheet.web import security
from broadsheet.wording import phrase as _

DONE = ("did", "event", "change", "source", "number", "was")  # what an address says of what was just done
LONGEST_SEARCH = 200  # characters of what is typed


class NoReader(Exception):
    """Nobody reads in this browser yet: the answer is the welcome page."""


def stand(request: Request) -> Newsstand:
    return cast(Newsstand, request.app.state.newsstand)


def reads(handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """A page that only reads: all of it over one connection, from one edition."""

    @wraps(handler)
    def answer(request: Request) -> Response:
        with stand(request).page():
            return handler(request)

    return answer


def current(request: Request) -> Reader:
    """The reader of this browser. Raises `NoReader`."""
    session: security.Session = request.scope["session"]
    if not session.reader:
        raise NoReader
    try:
        reader = stand(request).reader(session.reader)
    except NotFound:
        raise NoReader from None
    if reader.page_language != session.language:  # chosen on another device
        security.change_session(request, language=reader.page_language)
    return reader


def maybe_current(request: Request) -> Reader | None:
    try:
        return current(request)
    except NoReader:
        return None


def by_the_reader(request: Request) -> bool:
    """Whether a person asked for the page, from here or by hand: not another site's page, not a browser's guess."""
    site = request.headers.get("sec-fetch-site", "none")
    kept = request.headers.get("x-purpose") == "keep"  # by our own service worker, for reading without a connection
    return site in ("none", "same-origin") and not kept and "prefetch" not in request.headers.get("sec-purpose", "")


def back(request: Request, form: FormData, default: str = "/", **query: str) -> RedirectResponse:
    """To the page that the form was on, never to another site."""
    path = local(str(form.get("next", default)), default)
    if query:
        path, hash_, anchor = path.partition("#")
        path, _, old = path.partition("?")
        kept = [part for part in old.split("&") if part and part.split("=")[0] not in DONE]
        path = f"{path}?{'&'.join([*kept, urlencode(query)])}{hash_}{anchor}"
    return RedirectResponse(path, 303)


def local(path: str, default: str = "/") -> str:
    """The path, if it leads to a page of ours."""
    try:
        parts = urlsplit(path)
    except ValueError:  # what begins like an IPv6 address and is none
        return default
    fine = (
        path.startswith("/")
        and not path.startswith("//")
        and "\\" not in path
        and not parts.netloc
        and path.isprintable()
    )
    return path if fine else default


def posted(handler: Callable[[Request, FormData], Response]) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """A form's handler: the token is checked, then it runs in a thread."""

    async def answer(request: Request) -> Response:
        form = await form_of(request)
        try:
            return await run_in_threadpool(handler, request, form)
        finally:
            await form.close()

    answer.__name__ = handler.__name__
    answer.__doc__ = handler.__doc__
    return answer


async def form_of(request: Request) -> FormData:
    """The form, with its token checked. Raises `Forbidden`."""
    form = await request.form(max_files=1, max_fields=200)
    session: security.Session = request.scope["session"]
    key: bytes = request.scope["key"]
    given = form.get("token", "")
    if not isinstance(given, str) or not session.gave(key, given):
        raise Forbidden(
            _("This form is from an older page or another browser. Go back, load the page again, and try once more.")
        )
    return form


class Forbidden(Exception):
    """The request may not change anything; its words say why."""


def words(form: FormData, name: str, most: int = 2000) -> str:
    value = form.get(name, "")
    return value.strip()[:most] if isinstance(value, str) else ""


def whole_number(given: str, most: int) -> int | None:
    """The number that is written in digits; None for anything else, and for what is larger."""
    if not (given.isascii() and given.isdigit()) or len(given) > len(str(most)):
        return None
    return number if (number := int(given)) <= most else None


def offset(request: Request) -> int:
    return min(whole_number(request.query_params.get("from", "0"), 10**9) or 0, 100_000)


def choices(reader: Reader) -> dict[str, Any]:
    return {
        "follows_now": {(f.kind, named(f.value)) for f in reader.follows},
        "mutes_now": {(m.kind, named(m.value)) for m in reader.mutes},
    }


def download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
