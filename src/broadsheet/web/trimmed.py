"""Styles and scripts without what only their writers need, as they go over the wire: comments, indentation, empty lines.

Worked out when a file is first asked for, so there is no build step and the file on disk is the one that is read and changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from rcssmin import cssmin
from rjsmin import jsmin

SHORTER: dict[str, Callable[[str], str]] = {".css": cssmin, ".js": jsmin}  # by suffix; other files go as they are


@lru_cache(maxsize=32)
def file(path: Path, changed: float) -> bytes:
    """The style or script as it is sent; `changed` is when it was written last."""
    return SHORTER[path.suffix](path.read_text("utf-8")).encode()
