"""The pages of sources: what is read in, how that goes, and how more of it is found."""

from __future__ import annotations

from itertools import groupby
from urllib.parse import urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from broadsheet import jobs
from broadsheet.errors import InputError, NotFound
from broadsheet.sources import opml, packs
from broadsheet.sources.discover import discover, to_url
from broadsheet.sources.schedule import why_then
from broadsheet.web.asked import back, choices, current, download, form_of, offset, reads, stand, words
from broadsheet.web.views import language_of, render, undoing
from broadsheet.wording import Phrase, plural
from broadsheet.wording import phrase as _

SOURCES_PER_PAGE = 100
MOST_PASTED = 400_000  # characters: a long book chapter


@reads
def sources(request: Request) -> Response:
    """GET /sources"""
    reader, news = current(request), stand(request)
    query, start = request.query_params.get("q", "")[:200].strip(), offset(request)
    page = news.sources(reader, query, start, SOURCES_PER_PAGE)
    return render(
        request,
        "sources.html",
        reader=reader,
        page=page,
        folders=[(_folder_name(folder), list(rows)) for folder, rows in groupby(page.rows, key=lambda row: row.folder)],
        query=query,
        more=start + SOURCES_PER_PAGE if page.more else 0,
    )


@reads
def source(request: Request) -> Response:
    """GET /source/{id}: one source, when it publishes, and how it is asked."""
    reader, news = current(request), stand(request)
    page = news.source_page(reader, request.path_params["id"])
    asked = page.asked
    wanted = max(filter(None, (asked.max_age, asked.ttl)), default=None) if asked else None
    return render(
        request,
        "source.html",
        reader=reader,
        page=page,
        home=_web(page.source.homepage),
        cause=why_then(
            page.source,
            jobs.rhythm_of(news.settings),
            retry_after=asked.retry_after if asked else None,
            asked_for=wanted,
        ),
        wanted=wanted,
        respects=news.settings.respect_robots,
        **choices(reader),
    )


def _folder_name(folder: str | None) -> str:
    return _("Other sources here") if folder is None else folder or _("Your sources")


async def find(request: Request) -> Response:
    """POST /sources/find: what is behind an address."""
    form = await form_of(request)
    reader = await run_in_threadpool(current, request)
    address = words(form, "address")
    if not address:
        raise InputError(_("Write the address of a site, a page or a feed."))
    discovery = await discover(address, await request.app.state.net.client())
    return render(
        request,
        "found.html",
        reader=reader,
        title=plural("Found a feed", "Found {n} feeds", len(discovery.found))
        if discovery.found
        else _("Found an article")
        if discovery.page
        else _("No feed found"),
        message=discovery.message,
        found=discovery.found,
        page=discovery.page.url if discovery.page else "",
        address=address if address.startswith(("http://", "https://")) else f"https://{address}",
        problems=(),
    )


async def read(request: Request) -> Response:
    """POST /sources/read: one article, by its address or as pasted text, and then its page."""
    form = await form_of(request)
    await run_in_threadpool(current, request)
    address, text = words(form, "address"), words(form, "text", MOST_PASTED + 1).replace("\r\n", "\n")
    url = to_url(address) if address else ""
    if not address and not text:
        raise InputError(_("Give the address of an article, or paste its text."))
    if len(text) > MOST_PASTED:
        raise InputError(
            _("That text is too long: at most {n:,} characters can be read as one article.", n=MOST_PASTED)
        )
    if url is None:
        raise InputError(_("That is no address on the web: write something like example.org/an-article."))
    news = stand(request)
    made = await jobs.add_page(news.engine, news.settings, url=url, text=text)
    return RedirectResponse(f"/article/{made.id}", 303)


def add(request: Request, form: FormData) -> Response:
    """POST /sources/add"""
    reader, news = current(request), stand(request)
    url = words(form, "url")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise InputError(_("A feed's address begins with http:// or https://."))
    folder = tuple(filter(None, [words(form, "folder", 80)]))
    title, homepage = words(form, "title", 300), _web(words(form, "homepage"))
    came = news.subscribe(reader.id, opml.Subscription(url=url, title=title, homepage=homepage, folder=folder))
    return back(request, form, "/sources", did="added", change=came.change)


def _web(address: str) -> str:
    return address if urlsplit(address).scheme in ("http", "https") else ""


def packed(chosen: packs.Pack) -> list[opml.Subscription]:
    """A starter pack as a list in a folder of its name."""
    return [
        opml.Subscription(url=s.url, title=s.title, homepage=s.homepage, folder=(chosen.title,)) for s in chosen.sources
    ]


def pack(request: Request, form: FormData) -> Response:
    """POST /sources/pack"""
    reader, news = current(request), stand(request)
    chosen = next((p for p in packs.packs() if p.id == words(form, "pack")), None)
    if chosen is None:
        raise NotFound(_("There is no such starter pack."))
    came = news.subscribe_all(reader.id, packed(chosen))
    return back(request, form, "/sources", did="subscribed", change=came.change)


def remove(request: Request, form: FormData) -> Response:
    """POST /sources/remove: unsubscribe; a source that nobody else reads is stopped."""
    reader, news = current(request), stand(request)
    found = news.source(words(form, "source"))
    change = news.unsubscribe(reader.id, found.id)
    if found.private:  # its page is no longer theirs to see
        return RedirectResponse(f"/sources?{urlencode({'did': 'removed', 'change': change})}", 303)
    return back(request, form, "/sources", did="removed", change=change)


def undo(request: Request, form: FormData) -> Response:
    """POST /undo: what is no event of a reader (their list of sources, several events at once) is as it was before."""
    reader, news = current(request), stand(request)
    news.take_back(reader.id, words(form, "change", 32))
    return back(request, form, "/sources", did="undo")


def polling(request: Request, form: FormData) -> Response:
    """POST /sources/polling: stop asking a source, or ask again."""
    current(request)
    on = bool(words(form, "on"))
    source = stand(request).set_polling(words(form, "source"), on=on)
    did = "resumed" if on else "stopped"
    return back(request, form, f"/sources#source-{source.id}", did=did, source=source.id)


def import_opml(request: Request, form: FormData) -> Response:
    """POST /sources/opml"""
    reader, news = current(request), stand(request)
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InputError(_("Choose an OPML file first."))
    outline = opml.read(file.file.read())
    came = news.subscribe_all(reader.id, outline.subscriptions)
    new, known = came.new, came.known
    told: Phrase = plural("{n} new source added", "{n} new sources added", new)
    if known:
        here = plural(
            "{n} was here already, and is now yours too", "{n} were here already, and are now yours too", known
        )
        told = _("{told}; {more}", told=told, more=here)
    if outline.duplicates:
        again = plural("{n} stood in the file twice", "{n} stood in the file twice", len(outline.duplicates))
        told = _("{told}; {more}", told=told, more=again)
    return render(
        request,
        "found.html",
        reader=reader,
        title=_("Imported"),
        message=_("{told}. New ones are fetched at the next round.", told=told),
        found=(),
        page="",
        address="",
        problems=outline.problems[:50],
        undoing=undoing("", {"change": came.change}),
    )


def export_opml(request: Request) -> Response:
    """GET /sources/opml"""
    reader, news = current(request), stand(request)
    title = language_of(request).say(_("{name}'s sources", name=reader.name))
    content = opml.write(title, news.subscriptions(reader.id))
    return Response(content, headers=download("broadsheet.opml"), media_type="text/x-opml")
