"""The pages to read: each asks the newsstand, shapes what a template needs, and shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import orjson
from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from broadsheet.errors import InputError, NotFound
from broadsheet.feed.whatif import standing
from broadsheet.model import Article, ArticleId, Doubt, Event, Reader, Story, StoryId, query_of
from broadsheet.reading import BUDGETS, Card, Newsstand, StoryPage
from broadsheet.web import actions
from broadsheet.web.actions import said
from broadsheet.web.asked import (
    LONGEST_SEARCH,
    back,
    by_the_reader,
    choices,
    current,
    offset,
    reads,
    stand,
    whole_number,
    words,
)
from broadsheet.web.views import ago, body, doubted, language_of, render, understood
from broadsheet.wording import phrase as _

PER_PAGE = 30
MOST_PAGES = 12  # of For you, one after another
LONG_AWAY = timedelta(hours=12)  # from which on the front page offers what was missed
VISIT = timedelta(minutes=30)
COUNTING = timedelta(milliseconds=5)  # that a page waits for new facts to be counted


@reads
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
    facts, uncounted = news.facts_since(reader, shown, COUNTING)
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
        facts=facts,
        edition_size=len(live.edition),
        edition_version=live.version,
        empty_words=_why_empty(news, reader) if not feed.items else "",
    )
    if by_the_reader(request):
        acts: list[Callable[[], object]] = [partial(news.shown, feed, len(above))]
        if uncounted:
            acts.append(partial(news.facts_since, reader, uncounted))
        answer.background = afterwards(*acts)
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


@reads
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
    written, asked_for = request.query_params.get("since", ""), request.query_params.get("minutes", "")
    since = None
    if written:
        try:
            since = datetime.fromisoformat(written[:40].replace(" ", "+"))
        except ValueError:
            raise InputError(_("since must be a time, such as 2026-08-01T12:00:00+00:00.")) from None
        since = since if since.tzinfo else since.replace(tzinfo=news.local(news.now()).tzinfo)
        if since > news.now():
            raise InputError(_("since must be a time that has passed."))
    minutes = whole_number(asked_for, 120)
    if asked_for and not minutes:
        raise InputError(_("minutes must be a number from 1 to 120."))
    return since, minutes


@reads
def latest(request: Request) -> Response:
    """GET /latest"""
    reader, news = current(request), stand(request)
    mine = bool(request.query_params.get("mine"))
    try:
        when, _tilde, last = request.query_params.get("before", "").partition("~")
        before = datetime.fromisoformat(when) if when else None
        if before is not None and before.tzinfo is None:
            before = before.replace(tzinfo=UTC)
    except ValueError:
        raise InputError(_("That is not a time to look before.")) from None
    limit = 60
    articles = news.latest(reader, limit, before, last, mine=mine, briefly=True)
    dated = [a for a in articles if a.time is not None]
    days = [(day, list(rows)) for day, rows in groupby(dated, key=lambda a: news.local(cast(datetime, a.time)).date())]
    end = f"{cast(datetime, dated[-1].time).isoformat()}~{dated[-1].id}" if len(articles) >= limit and dated else ""
    return render(request, "latest.html", reader=reader, days=days, articles=articles, mine=mine, before=end)


@reads
def following(request: Request) -> Response:
    """GET /following"""
    reader, news = current(request), stand(request)
    rows = news.following(reader)
    cards = {card.story.id: card for card in news.cards({s for row in rows for s in row.newest}, reader)}
    shown = [(row, [cards[i] for i in row.newest if i in cards]) for row in rows]
    return render(request, "following.html", reader=reader, rows=shown)


@reads
def saved(request: Request) -> Response:
    """GET /saved"""
    reader, news = current(request), stand(request)
    ids, start = news.saved(reader), offset(request)
    more = start + PER_PAGE if len(ids) > start + PER_PAGE else 0
    cards = news.cards(ids[start : start + PER_PAGE], reader)
    return render(request, "saved.html", reader=reader, cards=cards, total=len(ids), more=more)


@reads
def search(request: Request) -> Response:
    """GET /search"""
    reader, news = current(request), stand(request)
    typed, start = request.query_params.get("q", ""), offset(request)
    query = typed[:LONGEST_SEARCH].strip()
    hits = news.search(reader, query, PER_PAGE, start)
    more = start + PER_PAGE if len(hits) >= PER_PAGE else 0
    asked = query_of(query)
    doubts = news.doubts(asked)
    if len(typed.strip()) > LONGEST_SEARCH:
        doubts.append(Doubt("many", typed[LONGEST_SEARCH:].strip()[:40]))
    return render(
        request,
        "search.html",
        reader=reader,
        query=query,
        hits=hits,
        more=more,
        can_follow=not asked.is_empty,
        understood=understood(asked),
        doubts=[doubted(doubt) for doubt in doubts],
        only_leaves_out=asked.is_empty and asked.leaves_out,
        **choices(reader),
    )


@reads
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


@reads
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


@reads
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


@reads
def corrections(request: Request) -> Response:
    """GET /corrections"""
    reader, news = current(request), stand(request)
    return render(request, "corrections.html", reader=reader, found=news.corrections(reader))


@reads
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


@reads
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
    if kind := words(form, "kind", 20):
        event["kind"] = kind
    if until := words(form, "until", 40):
        event["until"] = until
    if "weight_value" in form and isinstance(event.get("weight"), list) and event["weight"]:
        event["weight"] = [event["weight"][0], words(form, "weight_value", 20)]
    return event
