"""Feeds to start with, by topic and by country."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple


class PackSource(NamedTuple):
    title: str
    url: str
    homepage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Some feeds that belong together. They are addresses from public lists: one may have moved or stopped since."""

    id: str
    title: str
    kind: Literal["country", "topic"]
    sources: tuple[PackSource, ...]


@lru_cache(maxsize=1)
def packs() -> tuple[Pack, ...]:
    """Every pack: topics first, then countries, each in the order of the alphabet."""
    rows = json.loads((files("broadsheet.sources") / "data" / "packs.json").read_text("utf-8"))
    return tuple(
        Pack(
            id=row["id"],
            title=row["title"],
            kind=row["kind"],
            sources=tuple(PackSource(*source) for source in row["sources"]),
        )
        for row in rows
    )
