"""The feed in a terminal, or as JSON for programs: the same newsstand that the web app reads from."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from broadsheet import store
from broadsheet.config import Settings
from broadsheet.errors import InputError, NotFound
from broadsheet.feed.whatif import numbered, standing, standing_as_json
from broadsheet.model import Article, FeedItem, Reason, Story
from broadsheet.opening import open_instance
from broadsheet.reading import Newsstand, beyond
from broadsheet.sources import opml
from broadsheet.telling import Point


def newsstand(settings: Settings) -> Newsstand:
    """The newsstand of the settings' database."""
    return Newsstand(*open_instance(settings))


def reader_named(stand: Newsstand, reader: str | None) -> str:
    """The id of the reader that was asked for, or of the only one. Raises `InputError` or `NotFound` with the choices."""
    known = stand.readers()
    names = ", ".join(str(r.id) for r in known)
    if reader is not None:
        for one in known:
            if reader.casefold() in (one.id.casefold(), one.name.casefold()):
                return one.id
        raise NotFound(f"There is no reader {reader!r}." + (f" There are: {names}." if names else ""))
    if not known:
        raise NotFound("There is no reader yet: run `broadsheet serve` and choose what matters to you.")
    if len(known) > 1:
        raise InputError(f"Say whose feed: --reader one of {names}.")
    return known[0].id


def print_json(value: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")
    sys.stdout.buffer.flush()


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in the two or three characters of a list."""
    seconds = (now - then).total_seconds()
    for size, letter in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{letter}"
    return "now"


def _reason(reason: Reason) -> dict[str, Any]:
    change = reason.repair.label if reason.repair else None
    return {"signal": reason.signal, "points": reason.points, "fact": reason.fact, "change": change}


def _item(stand: Newsstand, item: FeedItem, story: Story) -> dict[str, Any]:
    return {
        "story": story.id,
        "headline": story.headline,
        "publishers": story.publishers,
        "articles": len(story.articles),
        "last_seen": story.last_seen,
        "score": item.score,
        "why": stand.sentence(item),
        "reasons": [_reason(reason) for reason in item.reasons],
    }


def show_feed(settings: Settings, reader: str | None, *, count: int, as_json: bool, console: Console) -> None:
    """Print the first stories of a reader's feed, and log them as shown."""
    stand = newsstand(settings)
    reader_id = reader_named(stand, reader)
    feed = stand.feed(reader_id)
    items = feed.items[:count]
    stand.shown(replace(feed, items=items))
    cards = {card.story.id: card for card in stand.cards([item.story for item in items], stand.reader(reader_id))}
    shown = [(item, cards[item.story]) for item in items if item.story in cards]
    if as_json:
        listed = [_item(stand, item, card.story) for item, card in shown]
        print_json(
            {
                "reader": reader_id,
                "at": feed.at,
                "recipe": feed.recipe,
                "recipe_hash": feed.recipe_hash,
                "items": listed,
            }
        )
        return
    for number, (item, card) in enumerate(shown, 1):
        console.print(f"[bold]{number:>2}. {escape(card.headline)}[/bold]", highlight=False)
        for point in card.points[:1]:
            console.print(f"    “{escape(point.text)}” [dim]{escape(point.publisher)}[/dim]", highlight=False)
        more = len(card.publishers) - 3
        names = ", ".join(card.publishers[:3]) + (f" and {more} more" if more > 0 else "")
        console.print(
            f"    [dim]{escape(names)} · {ago(card.story.last_seen, feed.at)} · {card.story.id}[/dim]", highlight=False
        )
        console.print(f"    [italic dim]{escape(stand.sentence(item))}[/italic dim]\n", highlight=False)
    if not shown:
        console.print("There is nothing to show yet: `broadsheet add SITE`, then `broadsheet refresh`.")


def show_away(
    settings: Settings,
    reader: str | None,
    *,
    minutes: int | None,
    gap: timedelta | None,
    as_json: bool,
    console: Console,
) -> None:
    """Print what mattered since a reader was last here, and the end of it."""
    stand = newsstand(settings)
    page = stand.away(reader_named(stand, reader), stand.now() - gap if gap else None, minutes)
    if as_json:
        listed = [
            _item(stand, one.mattered.item, one.card.story)
            | {"followed": one.mattered.followed, "seconds": round(one.reading.total_seconds())}
            for one in page.missed
        ]
        print_json({"since": page.since, "minutes": minutes, "items": listed, "did_not_fit": len(page.rest)})
        return
    for number, one in enumerate(page.missed, 1):
        console.print(f"[bold]{number:>2}. {escape(one.card.headline)}[/bold]", highlight=False)
        for point in one.card.points[:1]:
            console.print(f"    “{escape(point.text)}” [dim]{escape(point.publisher)}[/dim]", highlight=False)
        took = f"{max(round(one.reading.total_seconds() / 60), 1)} min"
        console.print(f"    [dim]{took} · {one.card.story.id}[/dim]", highlight=False)
        console.print(f"    [italic dim]{escape(one.why)}[/italic dim]\n", highlight=False)
    whole = f"{round(page.reading.total_seconds() / 60)} min to read"
    if page.rest:
        console.print(f"That is what fits; {len(page.rest)} more mattered. {whole}.", highlight=False)
    elif page.missed:
        console.print(f"That is all that mattered. {whole}.", highlight=False)
    else:
        console.print("You missed nothing.")


def show_story(settings: Settings, story_id: str, *, as_json: bool, console: Console) -> None:
    """Print a story: its headline, its key points, its timeline, and every article in order of time."""
    engine, _ = open_instance(settings)
    with engine.connect() as db:
        story = store.stories.get(db, story_id)  # type: ignore[arg-type]
        if story is None:
            raise NotFound(f"There is no story {story_id!r}. `broadsheet feed` lists ids.")
        articles = {article.id: article for article in store.articles.many(db, story.articles)}
    if as_json:
        print_json(_story(story, [articles[key] for key in story.articles if key in articles]))
        return
    console.print(f"[bold]{escape(story.headline)}[/bold]\n", highlight=False)
    quotes = (
        Point(point.text, point.article, articles[point.article].publisher, articles[point.article].url)
        for point in story.key_points
        if point.article in articles
    )
    for point in beyond(story.headline, quotes):
        console.print(f"  • “{escape(point.text)}” [dim]{escape(point.publisher)}[/dim]", highlight=False)
    table = Table("when", "publisher", "article", box=None, pad_edge=False)
    for key in story.articles:
        if article := articles.get(key):
            when = f"{article.time:%d %b %H:%M}" if article.time else ""
            copy = " [dim](copy)[/dim]" if article.copy_of else ""
            table.add_row(
                when, escape(article.publisher), f"{escape(article.title)}{copy}\n[dim]{escape(article.url)}[/dim]"
            )
    console.print(table)


def _story(story: Story, articles: list[Article]) -> dict[str, Any]:
    return {
        "id": story.id,
        "headline": story.headline,
        "first_seen": story.first_seen,
        "last_seen": story.last_seen,
        "publishers": story.publishers,
        "independent": story.independent,
        "key_points": [asdict(point) for point in story.key_points],
        "timeline": [asdict(moment) for moment in story.timeline],
        "topics": [asdict(topic) for topic in story.topics],
        "entities": [asdict(entity) for entity in story.entities],
        "articles": [
            {
                "id": a.id,
                "title": a.title,
                "publisher": a.publisher,
                "url": a.url,
                "published": a.published,
                "copy_of": a.copy_of,
            }
            for a in articles
        ],
    }


def show_why(settings: Settings, story_id: str, reader: str | None, *, as_json: bool, console: Console) -> None:
    """Print the reasons whose points are a story's score for a reader, and what would change each."""
    stand = newsstand(settings)
    item = stand.why(reader_named(stand, reader), story_id)
    if as_json:
        print_json(
            {
                "story": item.story,
                "score": item.score,
                "why": stand.sentence(item),
                "reasons": [_reason(r) for r in item.reasons],
            }
        )
        return
    console.print(escape(stand.sentence(item)), highlight=False)
    table = Table("reason", "points", "because", "to change it", box=None, pad_edge=False)
    for reason in item.reasons:
        change = reason.repair.label if reason.repair else ""
        table.add_row(reason.signal, f"{reason.points:+.2f}", escape(reason.fact), escape(change))
    table.add_row("[bold]score[/bold]", f"[bold]{item.score:+.2f}[/bold]", "", "")
    console.print(table)


def show_why_not(settings: Settings, story_id: str, reader: str | None, *, as_json: bool, console: Console) -> None:
    """Print where a story stands for a reader, what keeps it out or down, and what would lift it."""
    stand = newsstand(settings)
    reader_id = reader_named(stand, reader)
    asked = stand.ask(reader_id, story_id)
    if as_json:
        print_json({"story": story_id, **standing_as_json(asked)})
        return
    console.print(escape(standing(asked)), highlight=False)
    changes = asked.lifts if asked else ()
    if not changes:
        return
    table = Table("if", "it would stand at", "to make it so", box=None, pad_edge=False)
    for change in changes:
        place = f"still out: {', '.join(change.still)}" if change.still else numbered(change.without)
        table.add_row(escape(change.words), escape(place), escape(change.label))
    console.print(table)


def bring(settings: Settings, file: bytes, reader: str | None) -> str:
    """Take in a reader's file from another instance, and say what came."""
    stand = newsstand(settings)
    try:
        value = orjson.loads(file)
    except orjson.JSONDecodeError as e:
        raise InputError(f"This is no file of a reader: {e}.") from None
    event, told, _change = stand.bring_all(reader_named(stand, reader), value)
    return f"{told} It is event {event}, which can be undone in the ledger."


def export_of(settings: Settings, reader: str, *, as_opml: bool) -> bytes:
    """Everything kept about a reader as JSON, or only their subscriptions as OPML."""
    stand = newsstand(settings)
    reader_id = reader_named(stand, reader)
    if not as_opml:
        return orjson.dumps(stand.export(reader_id), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n"
    return opml.write(f"Broadsheet: {reader_id}", stand.subscriptions(stand.reader(reader_id).id))
