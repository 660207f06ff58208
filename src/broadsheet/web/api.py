"""The JSON API: the same questions as the pages, one shape of error, described by an OpenAPI document.

A program names the reader in the address. Where a password is set it sends `Authorization: Bearer PASSWORD`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broadsheet import __version__, store
from broadsheet.errors import InputError
from broadsheet.feed import tune as tuning
from broadsheet.feed.whatif import standing_as_json
from broadsheet.model import FOLLOW_KINDS, Article, FeedItem, Follow, Reader, ReaderId, Source, query_of
from broadsheet.readers.ledger import Signal
from broadsheet.readers.moving import FORMAT
from broadsheet.reading import Card, Newsstand, ThreadPage
from broadsheet.reading.away import Missed
from broadsheet.sources import opml
from broadsheet.sources.discover import discover
from broadsheet.web import actions, asked
from broadsheet.web.pages import reading
from broadsheet.web.views import health


def answer(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), status, media_type="application/json")


def problem(status: int, message: str) -> Response:
    """The one shape of an error."""
    return answer({"error": {"status": status, "message": message}}, status)


async def sent(request: Request) -> dict[str, Any]:
    """The JSON object of the request. A form can't send this content type from another site."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise InputError("Send a JSON object, with Content-Type: application/json.")
    try:
        value = orjson.loads(await request.body())
    except orjson.JSONDecodeError as e:
        raise InputError(f"This is not JSON: {e}.") from None
    if not isinstance(value, dict):
        raise InputError("Send a JSON object.")
    return value


def _news(request: Request) -> tuple[Newsstand, Reader]:
    news = asked.stand(request)
    return news, news.reader(request.path_params["reader"])


def _limit(request: Request, usual: int = 30, most: int = 200) -> int:
    given = asked.whole_number(request.query_params.get("limit", str(usual)), most)
    if not given:
        raise InputError(f"limit must be a number from 1 to {most}.")
    return given


# --- how nouns are said -------------------------------------------------------------------------------------------


def said_card(card: Card) -> dict[str, Any]:
    story = card.story
    return {
        "id": story.id,
        "headline": card.headline,
        "key_points": [
            {"text": p.text, "article": p.article, "publisher": p.publisher, "url": p.url} for p in card.quotes
        ],
        "publishers": card.publishers,
        "independent": story.independent,
        "articles": story.articles,
        "first_seen": story.first_seen,
        "last_seen": story.last_seen,
        "topics": [{"id": t.id, "label": t.label, "weight": t.weight} for t in story.topics],
        "entities": [{"text": e.text, "type": e.type, "count": e.count} for e in story.entities],
        "language": story.language,
        "image": card.image,
    }


def said_thread(page: ThreadPage) -> dict[str, Any]:
    thread = page.thread
    return {
        "id": thread.id,
        "name": thread.name,
        "first_seen": thread.first_seen,
        "last_seen": thread.last_seen,
        "entities": [{"text": e.text, "type": e.type, "stories": e.count} for e in thread.entities],
        "stories": [
            {"id": c.story.id, "headline": c.headline, "first_seen": c.story.first_seen, "last_seen": c.story.last_seen}
            for c in page.cards
        ],
        "more": page.has_more,
    }


def said_article(article: Article, *, text: bool = False) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "publisher": article.publisher,
        "authors": article.authors,
        "published": article.published,
        "language": article.language,
        "section": article.section,
        "image": article.image,
        "licence": article.licence,
        "copy_of": article.copy_of,
    }
    if text:
        said |= {"text": article.text, "key_points": article.key_points, "captions": article.captions}
    return said


def said_reasons(news: Newsstand, item: FeedItem) -> dict[str, Any]:
    return {
        "score": item.score,
        "sentence": news.sentence(item),
        "reasons": [
            {
                "signal": r.signal,
                "points": r.points,
                "fact": r.fact,
                "repair": {n: v for n, v in asdict(r.repair).items() if v is not None} if r.repair else None,
            }
            for r in item.reasons
        ],
    }


def said_reader(reader: Reader) -> dict[str, Any]:
    return {
        "id": reader.id,
        "name": reader.name,
        "follows": [asdict(f) for f in reader.follows],
        "mutes": [asdict(m) for m in reader.mutes],
        "languages": reader.languages,
        "scope": reader.scope,
        "images": reader.images,
        "saved": reader.saved,
    }


def said_source(source: Source, now: Any, articles: int | None = None, folder: str | None = None) -> dict[str, Any]:
    state, sentence = health(source, now)
    said: dict[str, Any] = {
        "id": source.id,
        "url": source.url,
        "title": source.title,
        "homepage": source.homepage,
        "health": state,
        "says": sentence,
        "last_success": source.last_success,
        "next_fetch": source.next_fetch,
        "subscribed": folder is not None,
        "folder": folder or "",
    }
    return said if articles is None else said | {"articles": articles}


# --- the answers --------------------------------------------------------------------------------------------------


def readers(request: Request) -> Response:
    return answer({"readers": [{"id": r.id, "name": r.name} for r in asked.stand(request).readers()]})


async def add_reader(request: Request) -> Response:
    given = await sent(request)
    news = asked.stand(request)
    follows = []
    if not isinstance(given.get("follows", []), list):
        raise InputError("follows must be a list.")
    for one in given.get("follows", []):
        event = actions.event_from({"kind": "follow", "follow": one}, ReaderId(""), news.local(news.now()))
        assert isinstance(event.follow, Follow)
        follows.append(event.follow)
    name = given.get("name", "")
    if not isinstance(name, str):
        raise InputError("name must be text.")
    reader = await run_in_threadpool(news.add_reader, name, follows)
    return answer(said_reader(reader), 201)


def reader(request: Request) -> Response:
    return answer(said_reader(_news(request)[1]))


def erase_reader(request: Request) -> Response:
    news, one = _news(request)
    news.erase(one.id)
    return answer({"erased": one.id})


def export(request: Request) -> Response:
    news, one = _news(request)
    return answer(news.export(one.id))


def feed(request: Request) -> Response:
    news, one = _news(request)
    made = news.feed_of(one)
    limit = _limit(request)
    cards = {card.story.id: card for card in news.cards([i.story for i in made.items], one)}
    news.shown(made)
    items = [
        {"position": n, "story": said_card(cards[i.story]), **said_reasons(news, i)}
        for n, i in enumerate(made.items)
        if i.story in cards
    ]
    return answer(
        {
            "id": made.id,
            "reader": made.reader,
            "at": made.at,
            "recipe": made.recipe,
            "recipe_hash": made.recipe_hash,
            "items": items[:limit],
            "left_out": [{"count": row.count, "why": row.why} for row in news.left_out(one, made)],
        }
    )


def story(request: Request) -> Response:
    news, one = _news(request)
    page = news.story(one.id, request.path_params["id"])
    return answer(
        said_card(page.card)
        | {
            "articles": [said_article(a) | {"new": a.id in page.new} for a in page.articles],
            "timeline": [{"date": m.date, "sentence": m.sentence, "article": m.article} for m in page.story.timeline],
            "last_read": page.last_read,
            "new": [
                {"article": n.article, "sentence": n.text, "start": n.start, "end": n.end, "why": n.why}
                for n in page.news
            ],
            "thread": None if page.thread is None else said_thread(page.thread),
        }
    )


def thread(request: Request) -> Response:
    news, one = _news(request)
    return answer(said_thread(news.thread(one.id, request.path_params["id"])))


def why(request: Request) -> Response:
    news, one = _news(request)
    asked = news.ask(one.id, request.path_params["id"])
    item = asked.item if asked else news.why(one.id, request.path_params["id"])
    return answer({"story": item.story, **said_reasons(news, item), **standing_as_json(asked)})


def article(request: Request) -> Response:
    news, one = _news(request)
    found = news.article(one.id, request.path_params["id"])
    return answer(said_article(found, text=True) | {"story": news.story_of(found.id)})


async def event(request: Request) -> Response:
    given = await sent(request)
    news, one = await run_in_threadpool(_news, request)
    now = news.local(news.now())
    done = actions.event_from(given, one.id, now)
    event_id = await run_in_threadpool(news.act, one.id, done)
    return answer({"event": event_id, "message": actions.done(done, now)}, 201)


def away(request: Request) -> Response:
    news, one = _news(request)
    page = news.away(one.id, *reading.away_asked(request, news))

    def said(missed: Missed) -> dict[str, Any]:
        return {
            "story": said_card(missed.card),
            "followed": missed.mattered.followed,
            "went_on": missed.went_on,
            "seconds": round(missed.reading.total_seconds()),
            **said_reasons(news, missed.mattered.item),
        }

    return answer(
        {
            "since": page.since,
            "minutes": page.minutes,
            "seconds": round(page.reading.total_seconds()),
            "missed": [said(one) for one in page.missed],
            "did_not_fit": [said(one) for one in page.rest],
        }
    )


def tune(request: Request) -> Response:
    """Where the sliders stand, or what other places of theirs would do; nothing is taken."""
    news, one = _news(request)
    now = tuning.values_of(one)
    values = tuning.read_values(request.query_params.multi_items(), now)
    before, after = news.as_if(one, lambda r: tuning.as_tuned(r, values))
    difference = tuning.compare(before, after)
    return answer(
        {
            "sliders": now,
            "values": values,
            "settings": {"tuning": tuning.tuned(one, values)},
            "feed": [item.story for item in after.items],
            **asdict(difference),
        }
    )


def bubble(request: Request) -> Response:
    news, one = _news(request)
    found, count = news.bubble(one, 7 if request.query_params.get("of") == "week" else 0)
    return answer({"stories": count, "budget": one.budget, "meters": [asdict(meter) for meter in found]})


def latest(request: Request) -> Response:
    news, one = _news(request)
    return answer({"articles": [said_article(a) for a in news.latest(one, _limit(request))]})


def saved(request: Request) -> Response:
    news, one = _news(request)
    return answer({"stories": [said_card(card) for card in news.cards(news.saved(one), one)]})


def ledger(request: Request) -> Response:
    news, one = _news(request)
    rows = news.ledger(one.id)
    return answer(
        {"weights": [{"key": row.key, "label": row.label, "value": row.now, "pinned": row.pinned} for row in rows]}
    )


def said_signal(row: Signal) -> dict[str, Any]:
    event = row.event
    return {
        "event": event.id,
        "kind": event.kind,
        "at": event.at,
        "story": event.story,
        "headline": row.story.headline if row.story else None,
        "seconds": event.seconds,
        "undone_by": row.undone_by.id if row.undone_by else None,
        "changes": [
            {"key": d.key, "label": d.label, "before": d.before, "after": d.after, "moved": d.moved}
            for d in row.changes
        ],
    }


def signals(request: Request) -> Response:
    news, one = _news(request)
    start = asked.offset(request)
    rows = news.signals(one.id)
    shown = news.readable(one, rows[start : start + _limit(request)])
    return answer({"total": len(rows), "signals": [said_signal(row) for row in shown]})


def forget(request: Request) -> Response:
    news, one = _news(request)
    news.forget_learned(one.id)
    return answer({"forgotten": one.id})


async def bring(request: Request) -> Response:
    given = await sent(request)
    news, one = await run_in_threadpool(_news, request)
    event_id, told, _change = await run_in_threadpool(news.bring_all, one.id, given)
    return answer({"event": event_id, "message": told}, 201)


def search(request: Request) -> Response:
    news, one = _news(request)
    query = request.query_params.get("q", "")[: asked.LONGEST_SEARCH]
    hits = news.search(one, query, _limit(request), asked.offset(request))
    return answer(
        {
            "doubts": [{"kind": d.kind, "part": d.part} for d in news.doubts(query_of(query))],
            "hits": [
                {
                    "article": said_article(h.article),
                    "story": h.story.id if h.story else None,
                    "snippet": h.quotes[0].text if h.quotes else "",
                    "marks": h.quotes[0].marks if h.quotes else (),
                    "sentences": [{"text": q.text, "start": q.start, "end": q.end, "marks": q.marks} for q in h.quotes],
                }
                for h in hits
            ],
        }
    )


def sources(request: Request) -> Response:
    news, one = _news(request)
    with news.engine.connect() as db:
        rows = store.sources.health(db)
        folders = store.sources.folders(db, one.id)
    visible = [h for h in rows if not h.source.private or h.source.id in folders]
    return answer(
        {"sources": [said_source(h.source, news.now(), h.articles, folders.get(h.source.id)) for h in visible]}
    )


async def add_source(request: Request) -> Response:
    """Subscribe to the feed behind an address; with several, say which there are."""
    given = await sent(request)
    news, one = await run_in_threadpool(_news, request)
    address = given.get("address")
    if not isinstance(address, str) or not address.strip():
        raise InputError("Give the address of a site, a page or a feed.")
    found = await discover(address, await request.app.state.net.client())
    feeds = [{"url": f.url, "title": f.title, "kind": f.kind, "entries": f.entries} for f in found.found]
    if len(found.found) != 1:
        return answer({"added": None, "found": feeds, "message": found.message}, 200 if feeds else 422)
    only = found.found[0]
    folder = given.get("folder", "")
    wanted = opml.Subscription(url=only.url, title=only.title, folder=tuple(filter(None, [str(folder)[:80].strip()])))
    ((source, is_new),) = (await run_in_threadpool(news.subscribe, one.id, wanted)).found
    return answer(
        {"added": said_source(source, news.now(), folder=str(folder)), "found": feeds, "message": found.message},
        201 if is_new else 200,
    )


def openapi(request: Request) -> Response:
    return answer(document())


# path, method, function, what it does, what it takes besides the path
TABLE: tuple[tuple[str, str, Any, str, tuple[str, ...]], ...] = (
    ("/api/readers", "GET", readers, "Every reader of this instance", ()),
    ("/api/readers", "POST", add_reader, "A new reader: name, and follows (each a kind and a value)", ()),
    ("/api/readers/{reader}", "GET", reader, "What a reader follows, mutes and has set", ()),
    ("/api/readers/{reader}", "DELETE", erase_reader, "Erase a reader and everything that was recorded", ()),
    ("/api/readers/{reader}/export", "GET", export, "Everything that is kept of a reader", ()),
    ("/api/readers/{reader}/feed", "GET", feed, "For you: stories with the reasons that are their score", ("limit",)),
    ("/api/readers/{reader}/away", "GET", away, "What mattered since the last visit, or since then, in so many minutes", ("since", "minutes")),
    ("/api/readers/{reader}/tune", "GET", tune, "What sliders would do to the reader's page; send `settings` as an event to take it", tuning.NAMES),
    ("/api/readers/{reader}/bubble", "GET", bubble, "What the reader is shown against what was published; of=week: in seven days", ("of",)),
    ("/api/readers/{reader}/latest", "GET", latest, "Articles, the newest first, nothing hidden", ("limit",)),
    ("/api/readers/{reader}/saved", "GET", saved, "Saved stories, the last saved first", ()),
    ("/api/readers/{reader}/ledger", "GET", ledger, "What was learned of a reader, with its weights", ()),
    ("/api/readers/{reader}/ledger", "DELETE", forget, "Forget everything that was learned, for good", ()),
    ("/api/readers/{reader}/signals", "GET", signals, "Every signal that was learned from, and what it changed", ("limit", "from")),
    ("/api/readers/{reader}/import", "POST", bring, "Take in a reader's file from another instance", ()),
    ("/api/readers/{reader}/search", "GET", search, "Articles that have the words", ("q", "limit", "from")),
    ("/api/readers/{reader}/stories/{id}", "GET", story, "A story with its articles and timeline", ()),
    ("/api/readers/{reader}/stories/{id}/why", "GET", why, "Why a story stands where it does for a reader, or why it is not there, and what would change it", ()),
    ("/api/readers/{reader}/threads/{id}", "GET", thread, "A thread with its stories, the latest first", ()),
    ("/api/readers/{reader}/articles/{id}", "GET", article, "An article with its text", ()),
    ("/api/readers/{reader}/events", "POST", event, "Record what a reader did: more, less, saved, hidden, follow, mute, undo", ()),
    ("/api/readers/{reader}/sources", "GET", sources, "Sources, with their health in words", ()),
    ("/api/readers/{reader}/sources", "POST", add_source, "Subscribe to the feed behind an address", ()),
    ("/api/openapi.json", "GET", openapi, "This document", ()),
)  # fmt: skip


def routes() -> list[Route]:
    return [Route(path, function, methods=[method]) for path, method, function, _, _ in TABLE]


def document() -> dict[str, Any]:
    """The OpenAPI document of the table above."""
    paths: dict[str, Any] = {}
    for path, method, function, words, query in TABLE:
        named = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        operation: dict[str, Any] = {
            "operationId": function.__name__,
            "summary": words,
            "parameters": [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in named]
            + [
                {
                    "name": n,
                    "in": "query",
                    "schema": {"type": "number", "minimum": 0, "maximum": tuning.TOP}
                    if n in tuning.NAMES
                    else {"type": "string"}
                    if n in ("q", "since", "of")
                    else {"type": "integer", "minimum": 0},
                }
                for n in query
            ],
            "responses": {
                "200": {"description": "It worked", "content": {"application/json": {"schema": {"type": "object"}}}},
                "default": {"$ref": "#/components/responses/Problem"},
            },
        }
        if method == "POST":
            shape = {"event": "Event", "add_reader": "NewReader", "add_source": "NewSource", "bring": "ReaderFile"}[
                function.__name__
            ]
            schema = {"$ref": f"#/components/schemas/{shape}"}
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
            operation["responses"]["201"] = operation["responses"]["200"]
        paths.setdefault(path, {})[method.lower()] = operation
    text = {"type": "string"}
    choice = {
        "type": "object",
        "required": ["kind", "value"],
        "properties": {"kind": {"enum": list(FOLLOW_KINDS)}, "value": text, "label": text},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Broadsheet", "version": __version__, "description": (__doc__ or "").strip()},
        "paths": paths,
        "security": [{}, {"password": []}],
        "components": {
            "securitySchemes": {"password": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": {"description": "What went wrong, in a sentence", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}},
            "schemas": {
                "Problem": {
                    "type": "object", "required": ["error"],
                    "properties": {"error": {"type": "object", "required": ["status", "message"], "properties": {"status": {"type": "integer"}, "message": text}}},
                },
                "ReaderFile": {"type": "object", "required": ["format", "reader"], "properties": {"format": {"const": FORMAT}, "reader": {"type": "object"}}},
                "Choice": choice,
                "NewReader": {"type": "object", "required": ["name"], "properties": {"name": text, "follows": {"type": "array", "items": {"$ref": "#/components/schemas/Choice"}}}},
                "NewSource": {"type": "object", "required": ["address"], "properties": {"address": text, "folder": text}},
                "Event": {
                    "type": "object", "required": ["kind"],
                    "properties": {
                        "kind": {"enum": list(actions.ACTIONS)}, "story": text, "article": text, "feed": text,
                        "position": {"type": "integer"}, "seconds": {"type": "number"}, "target": {"type": "integer"}, "through": {"type": "integer"},
                        "follow": {"$ref": "#/components/schemas/Choice"}, "mute": {"$ref": "#/components/schemas/Choice"},
                        "until": {"type": "string", "description": f"How long a mute lasts: {', '.join(actions.LENGTHS)}, or an ISO time"},
                        "weight": {"type": "array"}, "settings": {"type": "object"},
                    },
                },
            },
        },
    }  # fmt: skip
