"""The pages of the house itself: whose work is shown, how it looks, who may come in."""

from __future__ import annotations

import time
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from broadsheet import __version__, store
from broadsheet.web import security
from broadsheet.web.asked import back, local, maybe_current, stand, words
from broadsheet.web.views import render
from broadsheet.wording import phrase as _


def about(request: Request) -> Response:
    """GET /about"""
    credit = list(getattr(request.app.state, "credits", ()) or ())
    return render(request, "about.html", reader=maybe_current(request), credits=credit, version=__version__)


def theme(request: Request, form: FormData) -> Response:
    """POST /theme"""
    session: security.Session = request.scope["session"]
    chosen, before = words(form, "theme"), session.theme or "system"
    security.change_session(request, theme=chosen if chosen in ("light", "dark") else "")
    return back(request, form, did="theme", was=before)


def login_page(request: Request, problem: str = "", status: int = 200, next: str = "") -> Response:  # noqa: A002
    path = local(next or request.query_params.get("next", "/"))
    return render(request, "login.html", status=status, problem=problem, next=path)


def login(request: Request) -> Response:
    """GET /login"""
    return login_page(request)


def log_in(request: Request, form: FormData) -> Response:
    """POST /login"""
    app, who, path = request.app, security.client_of(request.scope), words(form, "next")
    attempts: security.Attempts = app.state.attempts
    if not app.state.settings.password:
        return RedirectResponse("/", 303)
    if wait := attempts.wait(who):
        problem = _("Too many wrong passwords. Try again in {n} min.", n=-(-wait // 60))
        answer = login_page(request, problem, 429, path)
        answer.headers["Retry-After"] = str(wait)
        return answer
    if not security.password_fits(app.state.settings, words(form, "password", 1000)):
        attempts.fail(who)
        return login_page(request, _("That is not the password."), 401, path)
    attempts.forget(who)
    # a new name for the session: one that was planted before the login is worth nothing after it
    security.change_session(request, logged_in=int(time.time()), name=security.Session.fresh().name)
    return RedirectResponse(local(path or "/"), 303)


def log_out(request: Request, form: FormData) -> Response:
    """POST /logout"""
    security.change_session(request, logged_in=0, operating=0)
    return RedirectResponse("/login" if request.app.state.settings.password else "/", 303)


def healthz(request: Request) -> Response:
    """GET /healthz: whether this process can read its store."""
    with stand(request).engine.connect() as db:
        version = store.stories.version(db)
    return JSONResponse({"ok": True, "stories_version": version})


def to_welcome(request: Request) -> Response:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/welcome?next={quote(local(path), safe='')}" if path != "/" else "/welcome", 303)
