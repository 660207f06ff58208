"""What the C library does with freed memory. Only glibc can be asked; elsewhere nothing is done."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

LARGE = 1 << 20  # bytes above which a block is a mapping of its own, which goes back to the system when it is freed
SPARE = 16 << 20  # bytes at the end of the pool that wait to be used again

# What `frugal` asks, in the environment of a process that is yet to start. By default glibc gives each thread a pool
# of its own, of which no other uses what it freed (under the interpreter's lock they hardly ever ask at one time), and
# keeps blocks of up to 32 MB once one was freed: arrays over all stories, of which there are two while a new edition is
# made.
FRUGAL = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(LARGE),
    "MALLOC_TRIM_THRESHOLD_": str(SPARE),
}
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # mallopt(3)


@cache
def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except OSError:  # pragma: no cover - a C library that can't be opened
        return None


def frugal() -> None:
    """From now on hold little memory that is not in use."""
    if (library := _glibc()) is not None:
        for option, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, SPARE)):
            library.mallopt(option, value)


def give_back() -> None:
    """Return freed pages to the system: after work that took much for a short while. Takes milliseconds."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)
