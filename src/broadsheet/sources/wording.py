"""What an entry says, as a few characters: another wording means that its source changed it."""

from __future__ import annotations

import re

from broadsheet.model import Entry, identify
from broadsheet.sources.formats.text import plain

_TAG = re.compile(r"<[^<>]*>")
_NOT_A_WORD = re.compile(r"[\W_]+")


def wording(entry: Entry) -> str:
    """The same for the same words of title and text, however they are marked up, spaced or punctuated."""
    return identify(*(_words(part) for part in (entry.title, entry.summary, entry.content)))


def _words(html: str) -> str:
    return _NOT_A_WORD.sub(" ", plain(_TAG.sub(" ", html))).strip().casefold()
