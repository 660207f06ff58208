"""The pages about a reader: how one begins, what is learned of them, and everything that they can turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, cast

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from broadsheet import store
from broadsheet.errors import InputError
from broadsheet.feed import atlas as atlases
from broadsheet.feed import tune as tuning
from broadsheet.feed.diversify import RULES
from broadsheet.model import Event, Feed, Follow, Reader, StoryId, named
from broadsheet.readers.profile import TEACHES
from broadsheet.reading import Newsstand
from broadsheet.reading.beginning import OFFERED, Liked
from broadsheet.sources import opml, packs
from broadsheet.web import actions, security, translations
from broadsheet.web.asked import back, current, download, local, maybe_current, offset, stand, whole_number, words
from broadsheet.web.pages.sources import packed
from broadsheet.web.views import render, undoing
from broadsheet.wording import meant, named_as, words_of
from broadsheet.wording import phrase as _

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
TOPICS = (
    ("11000000", meant("topic", "politics and government")), ("16000000", meant("topic", "conflict, war and peace")),
    ("04000000", meant("topic", "economy, business and finance")), ("13000000", meant("topic", "science and technology")), ("07000000", meant("topic", "health")),
    ("06000000", meant("topic", "environment")), ("15000000", meant("topic", "sport")), ("01000000", meant("topic", "arts, culture, entertainment and media")),
    ("02000000", meant("topic", "crime, law and justice")), ("03000000", meant("topic", "disaster, accident and emergency incident")),
    ("17000000", meant("topic", "weather")), ("05000000", meant("topic", "education")), ("09000000", meant("topic", "labour")), ("14000000", meant("topic", "society")),
    ("12000000", meant("topic", "religion")), ("10000000", meant("topic", "lifestyle and leisure")), ("08000000", meant("topic", "human interest")),
)  # fmt: skip
ON_A_PHONE = 16  # topics of the map: more would be a column of circles that takes three screens
WIDE, NARROW = 12, 6  # columns of the map of topics, on a desk and on a phone; desk.css has a class for each place


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
    change = news.together(reader.id, news.like(reader.id, liked))
    undo = undoing("", {"change": change})
    return render(request, "begun.html", reader=news.reader(reader.id), liked=liked, outline=None, undoing=undo)


def choose(request: Request, form: FormData) -> Response:
    """POST /readers/choose"""
    reader, before = stand(request).reader(words(form, "reader")), maybe_current(request)
    security.change_session(request, reader=reader.id, language=reader.page_language)
    if before is None or before.id == reader.id:
        return back(request, form)
    return back(request, form, did="chosen", was=before.id)


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
        share = whole_number(written, 100)
        if share is None:
            raise InputError(_("{name} is a share in per cent, from 0 to 100.", name=name))
        if share:
            budget[name] = share / 100
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
    _event, told, change = news.bring_all(reader.id, value)
    undo = undoing("", {"change": change})
    return render(request, "brought.html", reader=news.reader(reader.id), message=told, undoing=undo)


def export(request: Request) -> Response:
    """GET /you/export"""
    reader, news = current(request), stand(request)
    content = orjson.dumps(news.export(reader.id), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    return Response(content, headers=download("broadsheet-reader.json"), media_type="application/json")


def erase(request: Request, form: FormData) -> Response:
    """POST /you/erase"""
    reader, news = current(request), stand(request)
    if named(words(form, "confirm")) != named(reader.name):
        raise InputError(_("Nothing was erased: to confirm, write the name {name} exactly.", name=reader.name))
    news.erase(reader.id)
    security.change_session(request, reader="")
    return RedirectResponse("/welcome?did=erased", 303)
