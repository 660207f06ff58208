"""Server-sent events: a page that stays open learns that there are new stories for its reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from broadsheet.reading import Newsstand
from broadsheet.reading.paper import LOOK
from broadsheet.web.asked import current, stand, whole_number

MOST = 1000  # pages that one process tells; those beyond learn it when they are loaded again
QUIET = 15.0  # seconds after which a line without meaning keeps the connection from being taken for dead


async def live(request: Request) -> Response:
    """GET /live?since=VERSION: `stories` events, each with how many new stories the reader's page would have."""
    reader, news = await run_in_threadpool(current, request), stand(request)
    since = whole_number(request.query_params.get("since", ""), 10**18)
    listeners: set[object] = request.app.state.listeners
    if since is None or len(listeners) >= MOST:
        return Response(status_code=204)  # tells a browser not to come back
    own = object()
    listeners.add(own)

    async def events() -> AsyncIterator[str]:
        try:
            async for line in _told(news, reader.id, since):
                yield line
        finally:
            listeners.discard(own)

    return StreamingResponse(
        events(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _told(news: Newsstand, reader_id: str, since: int) -> AsyncIterator[str]:
    told, version, silent = 0, None, 0.0
    yield "retry: 10000\n\n"
    while True:
        now = (await run_in_threadpool(news.edition)).version
        if now != version:
            version = now
            count = await run_in_threadpool(news.came_since, reader_id, since)
            if count != told:
                told, silent = count, 0.0
                yield f"event: stories\ndata: {count}\n\n"
        if silent >= QUIET:
            silent = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(LOOK)
        silent += LOOK
