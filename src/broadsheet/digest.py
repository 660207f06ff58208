"""The first page of every reader in one go, for whatever brings it to them (a mailer, a push service, a printer)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from broadsheet import store
from broadsheet.errors import NotFound
from broadsheet.feed.batch import TOGETHER
from broadsheet.model import Feed, FeedItem, Reader, ReaderId
from broadsheet.reading import Card, Newsstand

__all__ = ["lines"]


def lines(stand: Newsstand, *, count: int, after: str = "") -> Iterator[dict[str, Any]]:
    """One line a reader, in order of id, with the first `count` stories of the feed that they would see now.

    A headline and key points are quoted, each with its article and address. Nothing is logged as shown: whether anybody
    looks is not known here. Readers are read a few dozen at a time, so a million take no more memory than those; a run that
    was cut off goes on with `after`, the reader of its last line.
    """
    for readers in _readers(stand, after):
        for reader, feed in zip(readers, stand.first_pages(readers), strict=True):
            yield _line(stand, reader, feed, count)


def _readers(stand: Newsstand, after: str) -> Iterator[list[Reader]]:
    while True:
        with stand.engine.connect() as db:
            ids = store.readers.ids(db, ReaderId(after), TOGETHER)
        if not ids:
            return
        after = ids[-1]
        yield [reader for id_ in ids if (reader := _reader(stand, id_)) is not None]


def _reader(stand: Newsstand, reader: ReaderId) -> Reader | None:
    try:
        return stand.reader(reader)
    except NotFound:  # erased since
        return None


def _line(stand: Newsstand, reader: Reader, feed: Feed, count: int) -> dict[str, Any]:
    items = feed.items[:count]
    cards = {card.story.id: card for card in stand.cards([item.story for item in items], reader)}
    return {
        "reader": reader.id,
        "name": reader.name,
        "at": feed.at,
        "recipe": feed.recipe,
        "recipe_hash": feed.recipe_hash,
        "items": [_item(stand, item, cards[item.story]) for item in items if item.story in cards],
    }


def _item(stand: Newsstand, item: FeedItem, card: Card) -> dict[str, Any]:
    return {
        "story": item.story,
        "headline": card.headline,
        "article": card.lead,
        "publisher": card.lead_publisher,
        "url": card.lead_url,
        "publishers": card.publishers,
        "points": [asdict(point) for point in card.quotes],
        "score": item.score,
        "why": stand.sentence(item),
        "reasons": [{"signal": r.signal, "points": r.points, "fact": r.fact} for r in item.reasons],
    }
