"""What makes the app one that a device can install and open without a connection."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from broadsheet.web import translations
from broadsheet.web.views import HERE, render, static_version
from broadsheet.wording import phrase as _


def manifest(request: Request) -> Response:
    """GET /manifest.webmanifest"""
    static = static_version()
    # asked for without cookies: its address says the language of the page that names it
    language = translations.language(request.query_params.get("in", ""))
    icons = [
        {"src": f"/static/icon.svg?{static}", "sizes": "any", "type": "image/svg+xml"},
        *(
            {"src": f"/static/icon-{size}.png?{static}", "sizes": f"{size}x{size}", "type": "image/png", "purpose": use}
            for size, use in ((192, "any"), (512, "any"), (512, "maskable"))
        ),
    ]
    told = {
        "name": "Broadsheet",
        "short_name": "Broadsheet",
        "description": language.say(_("The stories that matter to you, each once.")),
        "lang": language.code,
        "dir": language.direction,
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fdfcf8",
        "theme_color": "#fdfcf8",
        "categories": ["news"],
        "icons": icons,
        "shortcuts": [
            {"name": language.say(_("Saved")), "url": "/saved"},
            {"name": language.say(_("Latest")), "url": "/latest"},
            {"name": language.say(_("Search")), "url": "/search"},
        ],
    }
    return JSONResponse(told, media_type="application/manifest+json")


def worker(request: Request) -> Response:
    """GET /sw.js: at the root, since a service worker sees only what lies below it."""
    return FileResponse(HERE / "static" / "sw.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"})


def offline(request: Request) -> Response:
    """GET /offline: what is shown for a page that was not kept. It names no reader, so a worker may keep it for all."""
    return render(request, "offline.html")
