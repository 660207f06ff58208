"""The pages: each asks the newsstand, shapes what a template needs, and shows it; each form does one thing and goes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

import orjson
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from broadsheet import __version__, jobs, store
from broadsheet.errors import InputError, NotFound
from broadsheet.feed import atlas as atlases
from broadsheet.feed import tune as tuning
from broadsheet.feed.diversify import RULES
from broadsheet.feed.whatif import standing
from broadsheet.model import Article, ArticleId, Event, Feed, Follow, Reader, Story, StoryId, named, query_of
from broadsheet.readers.profile import TEACHES
from broadsheet.reading import BUDGETS, Card, Newsstand, StoryPage
from broadsheet.reading.beginning import OFFERED, Liked
from broadsheet.sources import opml, packs
from broadsheet.sources.discover import discover, to_url
from broadsheet.sources.schedule import why_then
from broadsheet.web import actions, security, translations
from broadsheet.web.actions import said
from broadsheet.web.views import ago, body, language_of, render
from broadsheet.wording import Phrase, meant, named_as, plural, words_of
from broadsheet.wording import phrase as _

PER_PAGE = 30
SOURCES_PER_PAGE = 100
MOST_PASTED = 400_000  # characters: a long book chapter
MOST_PAGES = 12  # of For you, one after another
SIGNALS_PER_PAGE = 60
PRESET_LETTERS = 40
BUDGET_WORDS = {  # rule: how its field is labelled; the field stands in place of …
    "outside": _("At least … % from outside what I follow and read"),
    "topic": _("At most … % about one subject"),
    "country": _("At most … % from publishers of one country"),
    "publisher": _("At most … % from one publisher"),
}
MOST_LIKES = 60_000  # characters of a pasted list
PREVIEWED = 15  # stories of a preview
LONG_AWAY = timedelta(hours=12)  # from which on the front page offers what was missed
VISIT = timedelta(minutes=30)
COUNTING = timedelta(milliseconds=5)  # that a page waits for new facts to be counted
TOPICS = (
    ("11000000", meant("topic", "politics and government")), ("16000000", meant("topic", "conflict, war and peace")),
    ("04000000", meant("topic", "economy, business and finance")), ("13000000", meant("topic", "science and technology")), ("07000000", meant("topic", "health")),
    ("06000000", meant("topic", "environment")), ("15000000", meant("topic", "sport")), ("01000000", meant("topic", "arts, culture, entertainment and media")),
    ("02000000", meant("topic", "crime, law and justice")), ("03000000", meant("topic", "disaster, accident and emergency incident")),
    ("17000000", meant("topic", "weather")), ("05000000", meant("topic", "education")), ("09000000", meant("topic", "labour")), ("14000000", meant("topic", "society")),
    ("12000000", meant("topic", "religion")), ("10000000", meant("topic", "lifestyle and leisure")), ("08000000", meant("topic", "human interest")),
)  # fmt: skip


DONE = ("did", "event", "source", "folder")  # what an address says of what was just done


class NoReader(Exception):
    """Nobody reads in this browser yet: the answer is the welcome page."""


def stand(request: Request) -> Newsstand:
    return cast(Newsstand, request.app.state.newsstand)


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


# --- reading ------------------------------------------------------------------------------------------------------


def for_you(request: Request) -> Response:
    """GET /"""
    reader, news = current(request), stand(request)
    above: list[StoryId] = []
    chain = [part for part in request.query_params.get("after", "").split(".") if part][:MOST_PAGES]
    for feed_id in chain:
        if (earlier := news.shown_feed(reader.id, feed_id)) is not None:
            above += [item.story for item in earlier.items]
    feed = news.feed_of(reader, above)
    corrected = 0 if above else news.corrected(reader)
    before = None if above else news.last_visit(reader)
    cards = {card.story.id: card for card in news.cards([item.story for item in feed.items], reader)}
    told = news.sentences(feed)
    rows = [(cards[i.story], i, told[i.story]) for i in feed.items if i.story in cards]
    live = news.edition()
    more = ".".join([*chain, feed.id]) if len(feed.items) >= news.recipe.length and len(chain) < MOST_PAGES - 1 else ""
    shown = [card.story for card, _, _ in rows]
    answer = render(
        request,
        "feed.html",
        reader=reader,
        cards=rows,
        feed=feed,
        start=len(above),
        more=more,
        is_end=len(feed.items) < news.recipe.length,
        left_out=news.left_out(reader, feed),
        corrected=corrected,
        away_since=before if before and news.now() - before >= LONG_AWAY else None,
        facts=news.facts_since(reader, shown, COUNTING),
        edition_size=len(live.edition),
        edition_version=live.version,
        empty_words=_why_empty(news, reader) if not feed.items else "",
    )
    if by_the_reader(request):
        answer.background = afterwards(partial(news.shown, feed, len(above)), partial(news.facts_since, reader, shown))
    return answer


def afterwards(*acts: Callable[[], object]) -> BackgroundTask:
    """What is done once the answer was sent, one after another: nobody waits for it."""

    def do() -> None:
        for act in acts:
            act()

    return BackgroundTask(do)


def _why_empty(news: Newsstand, reader: Reader) -> str:
    if not len(news.edition().edition):
        if newest := news.latest(reader, 1):
            came = ago(newest[0].time, news.local(news.now()))
            return _("Nothing new has been read in for a while: the newest article came {when}.", when=came)
        return _("No story has been read in yet. Add sources, or wait a minute if you have just added some.")
    if reader.scope == "subscriptions" and not reader.subscriptions:
        return _("You read only your own sources, and you have none. Add some, or choose every source under You.")
    return _("Everything is muted, hidden or in a language that you do not read. Under You you can change that.")


def away(request: Request) -> Response:
    """GET /away: what mattered since the reader's last visit, with an end."""
    reader, news = current(request), stand(request)
    since, minutes = away_asked(request, news)
    page = news.away(reader.id, since, minutes)
    return render(
        request, "away.html", reader=reader, page=page, budgets=BUDGETS,
        asked=urlencode({"since": page.since.isoformat()}) if since else "",
        gap=news.now() - page.since,
    )  # fmt: skip


def away_asked(request: Request, news: Newsstand) -> tuple[datetime | None, int | None]:
    """Since when, and how many minutes there are, as the address says. Raises `InputError`."""
    written, minutes = request.query_params.get("since", ""), request.query_params.get("minutes", "")
    since = None
    if written:
        try:
            since = datetime.fromisoformat(written[:40].replace(" ", "+"))
        except ValueError:
            raise InputError(_("since must be a time, such as 2026-08-01T12:00:00+00:00.")) from None
        since = since if since.tzinfo else since.replace(tzinfo=news.local(news.now()).tzinfo)
        if since > news.now():
            raise InputError(_("since must be a time that has passed."))
    if minutes and not (minutes.isascii() and minutes.isdigit() and 1 <= int(minutes) <= 120):
        raise InputError(_("minutes must be a number from 1 to 120."))
    return since, int(minutes) if minutes else None


def latest(request: Request) -> Response:
    """GET /latest"""
    reader, news = current(request), stand(request)
    mine = bool(request.query_params.get("mine"))
    try:
        when, _, last = request.query_params.get("before", "").partition("~")
        before = datetime.fromisoformat(when) if when else None
        if before is not None and before.tzinfo is None:
            before = before.replace(tzinfo=UTC)
    except ValueError:
        raise InputError(_("That is not a time to look before.")) from None
    limit = 60
    articles = news.latest(reader, limit, before, last, mine=mine)
    dated = [a for a in articles if a.time is not None]
    days = [(day, list(rows)) for day, rows in groupby(dated, key=lambda a: news.local(cast(datetime, a.time)).date())]
    end = f"{cast(datetime, dated[-1].time).isoformat()}~{dated[-1].id}" if len(articles) >= limit and dated else ""
    return render(request, "latest.html", reader=reader, days=days, articles=articles, mine=mine, before=end)


def following(request: Request) -> Response:
    """GET /following"""
    reader, news = current(request), stand(request)
    rows = news.following(reader)
    cards = {card.story.id: card for card in news.cards({s for row in rows for s in row.newest}, reader)}
    shown = [(row, [cards[i] for i in row.newest if i in cards]) for row in rows]
    return render(request, "following.html", reader=reader, rows=shown)


def saved(request: Request) -> Response:
    """GET /saved"""
    reader, news = current(request), stand(request)
    ids, start = news.saved(reader), offset(request)
    more = start + PER_PAGE if len(ids) > start + PER_PAGE else 0
    cards = news.cards(ids[start : start + PER_PAGE], reader)
    return render(request, "saved.html", reader=reader, cards=cards, total=len(ids), more=more)


def search(request: Request) -> Response:
    """GET /search"""
    reader, news = current(request), stand(request)
    query, start = request.query_params.get("q", "")[:200].strip(), offset(request)
    hits = news.search(reader, query, PER_PAGE, start)
    more = start + PER_PAGE if len(hits) >= PER_PAGE else 0
    can_follow = not query_of(query).is_empty
    return render(
        request,
        "search.html",
        reader=reader,
        query=query,
        hits=hits,
        more=more,
        can_follow=can_follow,
        **choices(reader),
    )


def offset(request: Request) -> int:
    given = request.query_params.get("from", "0")
    return min(int(given), 100_000) if given.isascii() and given.isdigit() else 0


def story(request: Request) -> Response:
    """GET /story/{id}"""
    reader, news = current(request), stand(request)
    page = news.story(reader.id, request.path_params["id"])
    publisher_of = {a.id: a.publisher for a in page.articles}
    item = news.why(reader.id, page.story.id)
    answer = render(
        request,
        "story.html",
        reader=reader,
        page=page,
        sentence=news.sentence(item),
        publisher_of=publisher_of,
        alone=lone(page),
        timeline=[(m, publisher_of.get(m.article, "")) for m in page.story.timeline],
        groups=things(page.story, page.story.publishers),
        **choices(reader),
    )
    if by_the_reader(request):
        answer.background = afterwards(partial(opened, news, reader, page.story.id))
    return answer


def lone(page: StoryPage) -> set[str]:
    """The key points, as the page shows them, that only one publisher says: a point may be cut where the headline ends."""
    whole = {(p.article, p.text) for p in page.alone}
    return {
        point.text
        for point in page.card.points
        if any(point.article == a and text.endswith(point.text.removeprefix("… ")) for a, text in whole)
    }


def thread(request: Request) -> Response:
    """GET /thread/{id}"""
    reader, news = current(request), stand(request)
    page = news.thread(reader.id, request.path_params["id"])
    days = [
        (day, list(cards)) for day, cards in groupby(page.cards, key=lambda c: news.local(c.story.last_seen).date())
    ]
    held = [(str(e.type), e.text, e.text) for e in page.thread.entities if e.type != "other"]
    return render(
        request, "thread.html", reader=reader, page=page, days=days, groups=[(_("Names"), held[:8])], **choices(reader)
    )


def article(request: Request) -> Response:
    """GET /article/{id}"""
    reader, news = current(request), stand(request)
    found = news.article(reader.id, request.path_params["id"])
    card = story_card(news, reader, found)
    shown = body(found, reader.images, request.scope["key"])
    corrected = news.corrections(reader, found.id)
    answer = render(
        request,
        "article.html",
        reader=reader,
        article=found,
        correction=corrected[0] if corrected else None,
        earlier=news.earlier(found.id),
        story=card.story if card else None,
        body=shown,
        has_images="<img" in shown,
        link=found.url if urlsplit(found.url).scheme in ("http", "https") else "",
        groups=things(found, (found.publisher,) if found.publisher else ()),
        **choices(reader),
    )
    if by_the_reader(request):
        acts: list[Callable[[], object]] = [partial(news.read, reader, found)]
        if card is not None:
            acts.append(partial(opened, news, reader, card.story.id, found.id))
        answer.background = afterwards(*acts)
    return answer


def corrections(request: Request) -> Response:
    """GET /corrections"""
    reader, news = current(request), stand(request)
    return render(request, "corrections.html", reader=reader, found=news.corrections(reader))


def versions(request: Request) -> Response:
    """GET /article/{id}/versions"""
    reader, news = current(request), stand(request)
    found = news.article(reader.id, request.path_params["id"])
    return render(request, "versions.html", reader=reader, article=found, steps=news.history(found))


def opened(news: Newsstand, reader: Reader, story_id: StoryId, article_id: ArticleId | None = None) -> None:
    """Record that a story was opened; loading it again at once, or reading its articles, is the same visit."""
    last, now = reader.opened.get(story_id), news.now()
    if last is None or now - last >= VISIT:
        news.act(reader.id, Event(reader=reader.id, kind="opened", at=now, story=story_id, article=article_id))


def story_card(news: Newsstand, reader: Reader, found: Article) -> Card | None:
    story_id = news.story_of(found.id)
    cards = news.cards([story_id], reader) if story_id else []
    return cards[0] if cards else None


def things(of: Story | Article, publishers: Sequence[str]) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """What can be followed or muted from a page: its topics, names and publishers, by kind."""
    strongest = sorted(of.entities, key=lambda e: -e.count)

    def names(kind: str, most: int) -> list[tuple[str, str, str]]:
        return [(str(e.type), e.text, e.text) for e in strongest if e.type == kind][:most]

    return [
        (_("Topics"), [("topic", t.id, t.label) for t in of.topics[:5]]),
        (_("People"), names("person", 6)),
        (_("Places"), names("place", 6)),
        (_("Organisations"), names("organisation", 6)),
        (_("Publishers"), [("publisher", p, p) for p in publishers[:6]]),
    ]


def choices(reader: Reader) -> dict[str, Any]:
    return {
        "follows_now": {(f.kind, named(f.value)) for f in reader.follows},
        "mutes_now": {(m.kind, named(m.value)) for m in reader.mutes},
    }


def why(request: Request) -> Response:
    """GET /why/{id}"""
    reader, news = current(request), stand(request)
    asked = news.ask(reader.id, request.path_params["id"])
    item = asked.item if asked else news.why(reader.id, request.path_params["id"])
    cards = news.cards([item.story], reader)
    if not cards:
        raise NotFound(_("There is no such story here."))
    return render(
        request,
        "why.html",
        reader=reader,
        item=item,
        asked=asked,
        card=cards[0],
        sentence=news.sentence(item),
        standing=standing(asked),
        changed={said(c.event): c for c in asked.without} if asked else {},
    )


# --- acting -------------------------------------------------------------------------------------------------------


def act(request: Request, form: FormData) -> Response:
    """POST /act: one event, as JSON in a field; for scripts the answer is JSON."""
    reader, news = current(request), stand(request)
    try:
        given = orjson.loads(words(form, "event", 8000))
    except orjson.JSONDecodeError:
        raise InputError(_("The form did not say what to do.")) from None
    now = news.local(news.now())
    event = actions.event_from(_completed(given, form), reader.id, now)
    event_id = news.act(reader.id, event, words(form, "once", 64))
    if "application/json" in request.headers.get("accept", ""):
        told = language_of(request).say(actions.done(event, now))
        return JSONResponse({"event": event_id, "message": told})
    return back(request, form, did=event.kind, event=str(event_id))


def _completed(given: Any, form: FormData) -> Any:
    """The event with what the reader wrote or chose in the form's own fields."""
    if not isinstance(given, Mapping):
        return given
    event: dict[str, Any] = dict(given)
    for name in ("follow", "mute"):
        if value := words(form, f"{name}_value", 200):
            event[name] = {"kind": words(form, f"{name}_kind"), "value": value, "label": value}
    if until := words(form, "until", 40):
        event["until"] = until
    if "weight_value" in form and isinstance(event.get("weight"), list) and event["weight"]:
        event["weight"] = [event["weight"][0], words(form, "weight_value", 20)]
    return event


# --- readers ------------------------------------------------------------------------------------------------------


def welcome(request: Request) -> Response:
    """GET /welcome"""
    return welcome_page(request)


def welcome_page(
    request: Request, problem: str = "", given: Mapping[str, Any] | None = None, status: int = 200
) -> Response:
    news = stand(request)
    with news.engine.connect() as db:
        sources = store.sources.all(db)
    return render(
        request,
        "welcome.html",
        status=status,
        reader=maybe_current(request),
        readers=news.readers(),
        problem=problem,
        given=given or {"name": "", "topics": (), "places": (), "other": "", "likes": "", "stories": ()},
        offered=news.offered(),
        **map_of(news),
        places=news.common("place", 16),
        packs=packs.packs(),
        few_sources=len(sources) < 5,
        next=local(request.query_params.get("next", "/")),
        labels=lambda r: [named_as(f) for f in r.follows],
    )


ON_A_PHONE = 16  # topics of the map: more would be a column of circles that takes three screens
WIDE, NARROW = 12, 6  # columns of the map of topics, on a desk and on a phone; desk.css has a class for each place


def map_of(news: Newsstand) -> dict[str, Any]:
    """The map of topics as the template draws it: each with its place on a desk and on a phone; and the other topics."""
    drawn = news.atlas()
    wide = atlases.packed(drawn.regions, WIDE)
    near = atlases.packed(drawn.regions[:ON_A_PHONE], NARROW)
    narrow = [*near, *[None] * (len(wide) - len(near))]
    middles = [(column + span / 2, row + span / 2) for column, row, span in wide]
    shown = {region.topic for region in drawn.regions}
    return {
        "regions": list(zip(drawn.regions, wide, narrow, strict=True)),
        "threads": [(middles[a], middles[b]) for a, b in drawn.threads],
        "height": max((row + span for _, row, span in wide), default=0),
        "topics": [(code, label) for code, label in TOPICS if code not in shown],
    }


def begin(request: Request, form: FormData) -> Response:
    """POST /welcome: a new reader, with a few topics and places, stories, a pasted list, a list of feeds, or nothing."""
    news = stand(request)
    labels = dict(TOPICS) | {region.topic: region.label for region in news.atlas().regions}
    topics = [t for t in form.getlist("topic") if isinstance(t, str) and t in labels]
    chosen = [p[:80] for p in form.getlist("place") if isinstance(p, str)][:40]
    picked = [StoryId(i) for i in form.getlist("story") if isinstance(i, str)][:OFFERED]
    other, likes = words(form, "places", 200), words(form, "likes", MOST_LIKES)
    places = list(dict.fromkeys([*chosen, *(p.strip() for p in other.split(",") if p.strip())]))
    follows = [Follow(kind="topic", value=t, label=labels[t].capitalize()) for t in topics]
    follows += [Follow(kind="place", value=p, label=p) for p in places]
    file = form.get("file")
    try:
        liked = news.understand(likes)
        outline = opml.read(file.file.read()) if isinstance(file, UploadFile) and file.filename else None
        name = words(form, "name", 200) or (unnamed(news) if form.get("nothing") else "")
        reader = news.add_reader(name, follows)
    except InputError as e:
        kept = {
            "name": words(form, "name", 200),
            "topics": topics,
            "places": chosen,
            "other": other,
            "likes": likes,
            "stories": picked,
        }
        return welcome_page(request, words_of(e), kept, status=422)
    security.change_session(request, reader=reader.id)
    offered = {card.story.id: card.story for card in news.cards(picked, reader)}
    news.like(reader.id, [*liked, *(Liked("", story=offered[i]) for i in picked if i in offered)])
    if outline is not None:
        news.subscribe_all(reader.id, outline.subscriptions)
    if pack := next((p for p in packs.packs() if p.id == words(form, "pack")), None):
        news.subscribe_all(reader.id, packed(pack))
    if liked or outline is not None:
        return render(request, "begun.html", reader=news.reader(reader.id), liked=liked, outline=outline)
    return RedirectResponse(local(words(form, "next") or "/"), 303)


def unnamed(news: Newsstand) -> str:
    """A name for who gives none: `Reader`, `Reader 2`."""
    taken = {named(reader.name) for reader in news.readers()}
    return next(
        name for n in range(1, len(taken) + 2) if named(name := "Reader" if n == 1 else f"Reader {n}") not in taken
    )


def like(request: Request, form: FormData) -> Response:
    """POST /you/likes: a pasted list of what a reader likes, understood line by line."""
    reader, news = current(request), stand(request)
    liked = news.understand(words(form, "likes", MOST_LIKES))
    if not liked:
        raise InputError(_("Paste at least one title, address or word."))
    news.like(reader.id, liked)
    return render(request, "begun.html", reader=news.reader(reader.id), liked=liked, outline=None)


def choose(request: Request, form: FormData) -> Response:
    """POST /readers/choose"""
    reader = stand(request).reader(words(form, "reader"))
    security.change_session(request, reader=reader.id, language=reader.page_language)
    return RedirectResponse(local(words(form, "next") or "/"), 303)


def you(request: Request) -> Response:
    """GET /you"""
    reader, news = current(request), stand(request)
    rows = [
        {
            "kind": row.key[0],
            "key": row.key[1],
            "label": row.label,
            "value": row.now,
            "pinned": row.pinned,
            "from": row.came_from,
        }
        for row in news.ledger(reader.id)
        if row.pinned or abs(row.now) >= 0.005
    ]
    top = max((abs(float(cast(float, row["value"]))) for row in rows), default=1.0) or 1.0
    return render(request, "you.html", reader=reader, rows=rows, top=top)


def tune(request: Request) -> Response:
    """GET /tune: what a change would do to the reader's own page. Nothing is taken until they say so."""
    reader, news = current(request), stand(request)
    if len(request.url.query) > tuning.LONGEST:
        raise InputError(_("That link holds more than settings."))
    given = [
        (name, value) for name, value in request.query_params.multi_items() if name not in ("did", "event", "name")
    ]
    now = tuning.values_of(reader)
    values = tuning.read_values(given, now)
    name = " ".join(request.query_params.get("name", "").split())[:PRESET_LETTERS]
    before, after = news.as_if(reader, lambda r: tuning.as_tuned(r, values))
    difference = tuning.compare(before, after)
    shown = [item.story for item in after.items[:PREVIEWED]]
    cards = {card.story.id: card for card in news.cards([*shown, *difference.left[:PREVIEWED]], reader)}
    return render(
        request,
        "tune.html",
        reader=reader,
        sliders=tuning.SLIDERS,
        top=tuning.TOP,
        step=tuning.STEP,
        values=values,
        now_values=now,
        name=name,
        changed=values != now,
        link=tuning.link(values, name),
        presets=[(p.name, p.words, tuning.sliders_of(p.values), False) for p in tuning.PRESETS]
        + [(own, "", tuning.sliders_of(kept), True) for own, kept in reader.presets.items()],
        link_of=tuning.link,
        difference=difference,
        rows=[cards[i] for i in shown if i in cards],
        gone=[cards[i] for i in difference.left if i in cards],
        page_length=len(after.items),
    )


def take(request: Request, form: FormData) -> Response:
    """POST /tune: take what was previewed."""
    reader, news = current(request), stand(request)
    given = [(name, words(form, name, 20)) for name in tuning.NAMES if name in form]
    values = tuning.read_values(given, tuning.values_of(reader))
    event_id = news.act(reader.id, set_to(reader, news, {"tuning": tuning.tuned(reader, values)}))
    return back(request, form, "/tune", did="tuned", event=str(event_id))


def preset(request: Request, form: FormData) -> Response:
    """POST /tune/preset: keep the sliders under a name, or let a name go."""
    reader, news = current(request), stand(request)
    name = " ".join(words(form, "name", PRESET_LETTERS).split())
    if not name:
        raise InputError(_("Give the preset a name."))
    given = [(slider, words(form, slider, 20)) for slider in tuning.NAMES if slider in form]
    values = None if form.get("remove") else tuning.read_values(given, tuning.values_of(reader))
    event_id = news.act(reader.id, set_to(reader, news, {"presets": {name: values}}))
    return back(request, form, "/tune", did="settings", event=str(event_id))


def bubble(request: Request) -> Response:
    """GET /bubble: what the reader is shown against what was published, and what a budget would cost."""
    reader, news = current(request), stand(request)
    if len(request.url.query) > tuning.LONGEST:
        raise InputError(_("That address holds more than a budget."))
    days = 7 if request.query_params.get("of") == "week" else 0
    found, count = news.bubble(reader, days)
    given = [(n, v) for n, v in request.query_params.multi_items() if n not in ("did", "event", "of")]
    budget = budget_of(given) if given else dict(reader.budget)
    before, after = news.budgeted(reader, budget)
    difference = tuning.compare(before, after)
    cards = {c.story.id: c for c in news.cards([*difference.entered, *difference.left], reader)}
    return render(
        request,
        "bubble.html",
        reader=reader,
        meters=found,
        count=count,
        week=bool(days),
        rules=BUDGET_WORDS,
        budget={rule: round(100 * share) for rule, share in budget.items()},
        previewing=bool(given) and budget != dict(reader.budget),
        difference=difference,
        entered=[cards[i] for i in difference.entered if i in cards],
        left=[cards[i] for i in difference.left if i in cards],
        cost=sum(i.score for i in before.items) - sum(i.score for i in after.items),
        worth=sum(abs(i.score) for i in before.items),
        broken=broken(news, reader, after, budget),
    )


def budget_of(given: Sequence[tuple[str, str]]) -> dict[str, float]:
    """The budget that a form or a link says, in per cent; empty fields are no rules. Raises `InputError`."""
    budget: dict[str, float] = {}
    for name, written in given:
        if name not in BUDGET_WORDS or name in budget:
            raise InputError(
                _("A budget has no {name!r}: it has {names}, each once.", name=name[:40], names=", ".join(BUDGET_WORDS))
            )
        if not written.strip():
            continue
        if not (written.isascii() and written.isdigit() and len(written) <= 3 and int(written) <= 100):
            raise InputError(_("{name} is a share in per cent, from 0 to 100.", name=name))
        if int(written):
            budget[name] = int(written) / 100
    return budget


def broken(news: Newsstand, reader: Reader, feed: Feed, budget: Mapping[str, float]) -> list[str]:
    """The rules that the page does not keep, for want of stories."""
    kept = news.kept(replace(reader, budget=dict(budget)), feed)
    return [RULES[rule](share) for rule, share in budget.items() if not kept[rule]]


def spend(request: Request, form: FormData) -> Response:
    """POST /bubble: take the budget that was previewed."""
    reader, news = current(request), stand(request)
    budget = budget_of([(rule, words(form, rule, 5)) for rule in BUDGET_WORDS])
    chosen = {rule: budget.get(rule, 0.0) for rule in BUDGET_WORDS}
    event_id = news.act(reader.id, set_to(reader, news, {"budget": chosen}))
    return back(request, form, "/bubble", did="settings", event=str(event_id))


def near(request: Request, form: FormData) -> Response:
    """POST /tune/near: which places are near."""
    reader, news = current(request), stand(request)
    home = [place.strip() for place in words(form, "home", 500).split(",") if place.strip()]
    event_id = news.act(reader.id, set_to(reader, news, {"home": home}))
    return back(request, form, "/tune", did="settings", event=str(event_id))


def set_to(reader: Reader, news: Newsstand, chosen: Mapping[str, object]) -> Event:
    return actions.event_from({"kind": "settings", "settings": chosen}, reader.id, news.local(news.now()))


def settings(request: Request, form: FormData) -> Response:
    """POST /you/settings"""
    reader, news = current(request), stand(request)
    given = {
        "images": words(form, "images") or reader.images,
        "scope": words(form, "scope") or reader.scope,
        "languages": [code for code in form.getlist("languages") if isinstance(code, str)],
        "page_language": words(form, "page_language", 12) if "page_language" in form else reader.page_language,
    }
    if given["page_language"] not in ("", *translations.codes()):
        raise InputError(_("Broadsheet does not speak that language yet."))
    event_id = news.act(reader.id, actions.event_from({"kind": "settings", "settings": given}, reader.id, news.now()))
    return back(request, form, "/you", did="settings", event=str(event_id))


def ledger(request: Request) -> Response:
    """GET /you/ledger: every signal that was learned from, the latest first."""
    reader, news = current(request), stand(request)
    rows, start = news.signals(reader.id), offset(request)
    shown = news.readable(reader, rows[start : start + SIGNALS_PER_PAGE])
    days = [(day, list(of)) for day, of in groupby(shown, key=lambda row: news.local(row.event.at).date())]
    most = max((abs(d.moved) for row in shown for d in row.changes), default=1.0)
    more = start + SIGNALS_PER_PAGE if len(rows) > start + SIGNALS_PER_PAGE else 0
    now = news.local(news.now())
    return render(
        request, "ledger.html", reader=reader, days=days, total=len(rows), most=most, more=more,
        counting=sum(row.undone_by is None for row in rows), teaches=TEACHES, until=f"{now:%Y-%m-%dT%H:%M}",
        since=f"{now - timedelta(days=1):%Y-%m-%dT%H:%M}",
    )  # fmt: skip


def undo_range(request: Request, form: FormData) -> Response:
    """POST /you/ledger/undo: as if nothing had been learned between two times."""
    reader, news = current(request), stand(request)
    since, until = (_local_time(words(form, name, 40), news) for name in ("since", "until"))
    if until < since:
        raise InputError(_("The end of that time lies before its beginning."))
    # a minute is the step of the form's clock: what was done within the last one is meant, too
    event_id, _undone = news.undo_between(reader.id, since, until + timedelta(minutes=1))
    return back(request, form, "/you/ledger", did="range", event=str(event_id))


def _local_time(written: str, news: Newsstand) -> datetime:
    """A time as a form gives it, by the clocks of this instance's readers."""
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        raise InputError(_("That is no time: write it like 2026-08-01T12:00.")) from None
    return when if when.tzinfo else when.replace(tzinfo=news.local(news.now()).tzinfo)


def forget(request: Request, form: FormData) -> Response:
    """POST /you/ledger/forget: everything that was learned, for good."""
    reader, news = current(request), stand(request)
    if not form.get("sure"):
        raise InputError(_("Nothing was forgotten: tick the box to say that you are sure."))
    news.forget_learned(reader.id)
    return back(request, form, "/you/ledger", did="forgotten")


def bring(request: Request, form: FormData) -> Response:
    """POST /you/import: a reader's file from another instance."""
    reader, news = current(request), stand(request)
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InputError(_("Choose a reader's file first."))
    try:
        value = orjson.loads(file.file.read())
    except orjson.JSONDecodeError:
        raise InputError(_("This is no file of a reader: it is not JSON.")) from None
    event_id, told = news.bring_all(reader.id, value)
    return render(request, "brought.html", reader=news.reader(reader.id), message=told, event=event_id)


def export(request: Request) -> Response:
    """GET /you/export"""
    reader, news = current(request), stand(request)
    content = orjson.dumps(news.export(reader.id), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    return Response(content, headers=_download("broadsheet-reader.json"), media_type="application/json")


def _download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def erase(request: Request, form: FormData) -> Response:
    """POST /you/erase"""
    reader, news = current(request), stand(request)
    if named(words(form, "confirm")) != named(reader.name):
        raise InputError(_("Nothing was erased: to confirm, write the name {name} exactly.", name=reader.name))
    news.erase(reader.id)
    security.change_session(request, reader="")
    return RedirectResponse("/welcome?did=erased", 303)


# --- sources ------------------------------------------------------------------------------------------------------


def sources(request: Request) -> Response:
    """GET /sources"""
    reader, news = current(request), stand(request)
    query, start = request.query_params.get("q", "")[:200].strip(), offset(request)
    with news.engine.connect() as db:
        health = store.sources.health(db)
        folders = {source.id: folder for source, folder in store.sources.subscriptions(db, reader.id)}
    visible = [h for h in health if not h.source.private or h.source.id in folders]
    wanted = [h for h in visible if named(query) in named(f"{h.source.title} {h.source.url}")]
    wanted.sort(
        key=lambda h: (
            *_folder_order(folders.get(h.source.id)),
            not h.source.problem,
            named(h.source.title or h.source.url),
        )
    )
    shown = wanted[start : start + SOURCES_PER_PAGE]
    beats = news.beats()
    rows = [
        (
            _folder_name(folders.get(h.source.id)),
            {
                "beat": beats.get(h.source.id, ()),
                "source": h.source,
                "articles": h.articles,
                "latest": h.latest,
                "subscribed": h.source.id in folders,
            },
        )
        for h in shown
    ]
    return render(
        request,
        "sources.html",
        reader=reader,
        folders=[(name, [row for _, row in group]) for name, group in groupby(rows, key=lambda row: row[0])],
        total=len(visible),
        mine=len(folders),
        poor=sum(bool(h.source.problem) or h.source.gone for h in visible),
        query=query,
        packs=packs.packs(),
        did_remade=remade(request),
        more=start + SOURCES_PER_PAGE if len(wanted) > start + SOURCES_PER_PAGE else 0,
    )


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
        did_remade=remade(request),
        **choices(reader),
    )


def remade(request: Request) -> dict[str, str] | None:
    """The source that was just removed, with the folder that it was in, so that it can be brought back."""
    given = request.query_params
    if given.get("did") != "removed" or not given.get("source"):
        return None
    try:
        found = stand(request).source(given["source"])
    except NotFound:
        return None
    if found.private:  # its address may be a secret
        return None
    return {"url": found.url, "folder": given.get("folder", "")[:80]}


def _folder_order(folder: str | None) -> tuple[int, str]:
    return (2, "") if folder is None else (0 if not folder else 1, named(folder))


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
    news.subscribe(reader.id, opml.Subscription(url=url, title=title, homepage=homepage, folder=folder))
    return back(request, form, "/sources", did="added")


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
    news.subscribe_all(reader.id, packed(chosen))
    return RedirectResponse("/sources?did=added", 303)


def remove(request: Request, form: FormData) -> Response:
    """POST /sources/remove: unsubscribe; a source that nobody else reads is stopped."""
    reader, news = current(request), stand(request)
    found = news.source(words(form, "source"))
    with news.engine.connect() as db:
        folder = {s.id: folder for s, folder in store.sources.subscriptions(db, reader.id)}.get(found.id, "")
    news.unsubscribe(reader.id, found.id)
    # a private source's page is no longer theirs to see
    default = words(form, "next") if not found.private else "/sources"
    path = local(default, "/sources")
    return RedirectResponse(f"{path}?{urlencode({'did': 'removed', 'source': found.id, 'folder': folder})}", 303)


def polling(request: Request, form: FormData) -> Response:
    """POST /sources/polling: stop asking a source, or ask again."""
    current(request)
    on = bool(words(form, "on"))
    source = stand(request).set_polling(words(form, "source"), on=on)
    return back(request, form, f"/sources#source-{source.id}", did="resumed" if on else "stopped")


def import_opml(request: Request, form: FormData) -> Response:
    """POST /sources/opml"""
    reader, news = current(request), stand(request)
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InputError(_("Choose an OPML file first."))
    outline = opml.read(file.file.read())
    new, known = news.subscribe_all(reader.id, outline.subscriptions)
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
    )


def export_opml(request: Request) -> Response:
    """GET /sources/opml"""
    reader, news = current(request), stand(request)
    title = language_of(request).say(_("{name}'s sources", name=reader.name))
    content = opml.write(title, news.subscriptions(reader.id))
    return Response(content, headers=_download("broadsheet.opml"), media_type="text/x-opml")


# --- the rest -----------------------------------------------------------------------------------------------------


def about(request: Request) -> Response:
    """GET /about"""
    credit = list(getattr(request.app.state, "credits", ()) or ())
    return render(request, "about.html", reader=maybe_current(request), credits=credit, version=__version__)


def theme(request: Request, form: FormData) -> Response:
    """POST /theme"""
    chosen = words(form, "theme")
    security.change_session(request, theme=chosen if chosen in ("light", "dark") else "")
    return back(request, form)


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
