"""The countries, governments, bodies and parties that names stand for, and who sits in the US Congress."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final


@lru_cache(maxsize=1)
def _table() -> Mapping[str, tuple[str, str]]:
    written = (resources.files("broadsheet.stories") / "data" / "sides.tsv").read_text("utf-8")
    found: dict[str, tuple[str, str]] = {}
    for line in written.splitlines():
        kind, name, side = line.split("\t")
        if kind != "member":
            found[name] = (kind, side)
    return found


@lru_cache(maxsize=1)
def members() -> Mapping[str, str]:
    written = (resources.files("broadsheet.stories") / "data" / "sides.tsv").read_text("utf-8")
    return {n: side for kind, n, side in (line.split("\t") for line in written.splitlines()) if kind == "member"}


@lru_cache(maxsize=1)
def _parties() -> frozenset[str]:
    return frozenset(side for kind, side in _table().values() if kind in ("country", "party"))


def is_party(side: str) -> bool:
    """Whether a side is a country or a political party, and no body or firm."""
    return side in _parties()


_LONGEST: Final = 5  # words of a name in the table
_TERM: Final = re.compile(r"[^\W_](?:[\w&]|[.’'](?=\w))*\.?")


@dataclass(frozen=True, slots=True)
class Term:
    kind: str
    side: str
    start: int
    end: int


def terms(text: str) -> list[Term]:
    """The countries, governments, bodies and parties that a phrase names, in order."""
    table = _table()
    words = [m.span() for m in _TERM.finditer(text)]
    found: list[Term] = []
    i = 0
    while i < len(words):
        for count in range(min(_LONGEST, len(words) - i), 0, -1):
            start, end = words[i][0], words[i + count - 1][1]
            name = text[start:end]
            known = table.get(name) or table.get(name.rstrip(".")) or table.get(re.sub(r"[’']s$", "", name))
            if known and (text[start].isupper() or known[0] != "country"):
                found.append(Term(*known, start, end))
                i += count
                break
        else:
            i += 1
    return found


def is_body(name: str) -> bool:
    """Whether a name, as a whole, is that of a country, a government, a body or a party."""
    return name in _table()
