"""What one visit to a source is counted as, whatever it brings."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broadsheet import store
from broadsheet.errors import FetchError, LeftAlone
from broadsheet.jobs.polling import Polled, ask, save_polled
from broadsheet.sources.net import Response
from broadsheet.sources.schedule import Rhythm
from broadsheet.store.manners import Asked
from tests.builders import HOUR, NOON, a_source

FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><ttl>45</ttl>
<item><title>One</title><link>https://example.org/1</link><guid>1</guid></item></channel></rss>"""
SOURCE = a_source(next_fetch=NOON, etag='"1"')


class Answers:
    """A client that has this to say."""

    def __init__(self, answer: Response | Exception) -> None:
        self.answer = answer

    async def get(self, url: str, **asked: Any) -> Response:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def visit(answer: Response | Exception) -> Polled:
    return asyncio.run(ask(SOURCE, Answers(answer), NOON, random.Random(1), Rhythm()))  # type: ignore[arg-type]


def response(status: int, body: bytes = b"", **headers: str) -> Response:
    return Response(
        url=SOURCE.url, status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (
            response(200, FEED, **{"Cache-Control": "max-age=600"}),
            Asked(size=len(FEED), status=200, max_age=timedelta(minutes=10), ttl=timedelta(minutes=45)),
        ),
        (response(304), Asked(unchanged=1, status=304)),
        (FetchError(SOURCE.url, "busy", status=503, retry_after=HOUR), Asked(failed=1, status=503, retry_after=HOUR)),
        (FetchError(SOURCE.url, "nobody there"), Asked(failed=1)),
        (
            LeftAlone(SOURCE.url, "asked to be left alone", status=429, retry_after=HOUR),
            Asked(asked=0, spared=1, status=429, retry_after=HOUR),
        ),
        (response(200, b"neither this nor that"), Asked(failed=1)),
    ],
)
def test_each_visit_is_counted_for_what_it_was(answer: Response | Exception, counted: Asked) -> None:
    assert visit(answer).asked == counted


def test_visits_are_kept_with_the_source(tmp_path: Path) -> None:
    engine = store.open(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with engine.begin() as db:
        store.sources.add(db, SOURCE)
        save_polled(db, [visit(response(200, FEED)), visit(response(304))], NOON)
        save_polled(db, [visit(response(304))], NOON + HOUR)
        kept = store.manners.of(db, SOURCE.id)
        store.sources.remove(db, SOURCE.id)
        save_polled(db, [visit(response(304))], NOON)  # it was removed while it was being asked
    assert kept == Asked(asked=3, unchanged=2, size=len(FEED), status=304, since=NOON)
    engine.dispose()
