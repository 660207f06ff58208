"""The operator's page: the state of the instance, and what can be put right from a browser."""

from __future__ import annotations

import hmac
import platform
import time
from pathlib import Path

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from broadsheet import __version__, jobs
from broadsheet.config import Settings
from broadsheet.errors import InputError, NotFound
from broadsheet.web import asked, security
from broadsheet.web.views import render
from broadsheet.wording import phrase as _


def admin(request: Request) -> Response:
    """GET /admin"""
    if not allowed(request):
        return ask(request)
    news = asked.stand(request)
    with news.engine.connect() as db:
        runs = jobs.runs(db)
    return render(
        request,
        "admin.html",
        reader=asked.maybe_current(request),
        state=news.state(),
        rulings=list(reversed(jobs.rulings(news.engine))),
        runs=[*reversed(runs)],
        in_use=next((run for run in reversed(runs) if run.holds), None),
        memory=memory(),
        versions=[("Broadsheet", __version__), ("Python", platform.python_version())],
    )


def allowed(request: Request) -> bool:
    return security.may_operate(request.app.state.settings, request.scope["session"])


def ask(request: Request, problem: str = "", status: int = 403) -> Response:
    """For the operator's password; where none is set, how to set one."""
    settings: Settings = request.app.state.settings
    return render(
        request, "operator.html", status=status, reader=asked.maybe_current(request), problem=problem,
        can_open=bool(settings.operator_password),
    )  # fmt: skip


def log_in(request: Request, form: FormData) -> Response:
    """POST /admin/login"""
    settings: Settings = request.app.state.settings
    attempts: security.Attempts = request.app.state.attempts
    who = f"operator {security.client_of(request.scope)}"
    if not settings.operator_password:
        return RedirectResponse("/admin", 303)
    if wait := attempts.wait(who):
        answer = ask(request, _("Too many wrong passwords. Try again in {n} min.", n=-(-wait // 60)), 429)
        answer.headers["Retry-After"] = str(wait)
        return answer
    given = asked.words(form, "password", 1000)
    if not hmac.compare_digest(settings.operator_password.encode(), given.encode()):
        attempts.fail(who)
        return ask(request, _("That is not the password."))
    attempts.forget(who)
    security.change_session(request, operating=int(time.time()), name=security.Session.fresh().name)
    return RedirectResponse("/admin", 303)


def _check(request: Request) -> None:
    if not allowed(request):
        raise asked.Forbidden(_("Only the operator may do that: open /admin first."))


def again(request: Request, form: FormData) -> Response:
    """POST /admin/again: what was dropped is tried once more."""
    _check(request)
    stage, subject = asked.words(form, "stage", 40), asked.words(form, "subject", 4000)
    if not asked.stand(request).try_again(stage, subject):
        raise NotFound(_("That is not here any more, so it can’t be tried again."))
    return RedirectResponse("/admin?did=again#dead", 303)


def take_back(request: Request, form: FormData) -> Response:
    """POST /admin/ruling: an operator's word on the grouping no longer holds, or is said again."""
    _check(request)
    news, number = asked.stand(request), asked.whole_number(asked.words(form, "number", 20), 2**62)
    if number is None:
        raise InputError(_("Say which ruling."))
    if asked.words(form, "again"):
        number = jobs.rule_again(news.engine, news.settings, number).number
        return RedirectResponse(f"/admin?did=ruled&number={number}#rulings", 303)
    jobs.take_back(news.engine, news.settings, number)
    return RedirectResponse(f"/admin?did=unruled&number={number}#rulings", 303)


def unweigh(request: Request, form: FormData) -> Response:
    """POST /admin/weights: back to the weights of signals before the last that were learned, or forward again."""
    _check(request)
    news = asked.stand(request)
    if asked.words(form, "again"):
        jobs.redo(news.engine)
        return RedirectResponse("/admin?did=weighed#weights", 303)
    jobs.undo(news.engine, news.now())
    return RedirectResponse("/admin?did=unweighed#weights", 303)


def memory() -> int:
    """Bytes that this process holds in memory now; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096
    except (OSError, ValueError, IndexError):
        return 0
