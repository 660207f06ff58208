"""Whether who read three pieces by somebody is shown the next.

    broadsheet evaluate authors FEEDS.tar.xz

Real feeds of many publishers; a publisher is a feed. A reader is made up for each author who signs four pieces and more, and
not most, of a feed that three people and more sign: they opened three of the author's pieces in a row, and six hours after
the next came it stands among all that came within a week. Told is its place with what was learned of the author and without
(what was learned of the publisher stays), and the mean place of what others wrote for that publisher. Items have no topics
and no vectors here, lots are not drawn, and nothing makes room for anything.
"""

from __future__ import annotations

import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from broadsheet.errors import InputError
from broadsheet.evaluation.report import Report, Row
from broadsheet.feed.build import STANDARD
from broadsheet.feed.edition import Edition, Floats
from broadsheet.feed.score import Desk
from broadsheet.model import ArticleId, Event, Reader, ReaderId, SourceId, Story, StoryId, identify
from broadsheet.readers.profile import learn
from broadsheet.sources.formats import parse

KNOWN: Final = 3  # pieces that were opened
SIGNED: Final = 3  # people who sign a feed
MOST: Final = 0.6  # of a feed that is one author's
LIVE: Final = timedelta(days=7)
LATER: Final = timedelta(hours=6)
FEWEST: Final = 31  # live items: fewer fit a page


def evaluate(path: Path) -> Report:
    """How often the next piece stands among the first five and thirty, with and without, and where the others stand."""
    stories = sorted(read(path), key=lambda story: (story.last_seen, story.id))
    told: dict[str, list[tuple[int, float]]] = {"without": [], "with what was learned of the author": []}
    authors: set[str] = set()
    many = []
    for author, own in _readers(stories):
        for opened, then in _pieces(own):
            now = then.last_seen + LATER
            read_ = {story.id for story in opened}
            live = [s for s in stories if now - LIVE <= s.last_seen <= now and s.id not in read_]
            if len(live) < FEWEST:
                continue
            authors.add(author)
            many.append(len(live))
            reader = Reader(id=ReaderId("-"))
            for story in opened:
                event = Event(reader=reader.id, kind="opened", at=story.last_seen, story=story.id)
                reader = learn(reader, event, story)
            reader = replace(reader, opened={})  # only what was learned: not what they have just done
            others = [s.id for s in live if s.publishers == then.publishers and author not in s.authors]
            unsigned = {key: weight for key, weight in reader.weights.items() if key[0] != "author"}
            edition = Edition.of(live, now)
            for name, who in zip(told, (replace(reader, weights=unsigned), reader), strict=True):
                points = _points(Desk(who, edition, now, 0))
                place = int((points > points[edition.index[then.id]]).sum()) + 1
                mean = float(np.mean([(points > points[edition.index[id_]]).sum() + 1 for id_ in others] or [np.nan]))
                told[name].append((place, mean))
    if not many:
        raise InputError(f"No feed of {path} is signed by several people who each wrote {KNOWN + 1} pieces.")
    rows = [Row(name, _figures(places)) for name, places in told.items()]
    note = f"{len(many)} pieces by {len(authors)} authors, each among {np.mean(many):.0f} live items."
    return Report(task="authors", dataset=path.name, rows=tuple(rows), notes=(note,))


def read(path: Path) -> list[Story]:
    """Every dated item of the feeds in an archive, as a story of one article, each once."""
    found: dict[str, Story] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if (file := archive.extractfile(member)) is None:
                    continue
                feed = member.name.rsplit("/", 1)[-1]
                parsed = parse(file.read(), url=f"https://{feed}.example/", source=SourceId(feed))
                for entry in parsed.entries:
                    if not entry.title or entry.published is None:
                        continue
                    id_ = identify(feed, entry.url or entry.title)
                    at = entry.published.astimezone(UTC)
                    found[id_] = Story(
                        id=StoryId(id_), headline=entry.title, articles=(ArticleId(id_),), publishers=(feed,), sources=(SourceId(feed),),
                        authors=tuple(dict.fromkeys(" ".join(a.split()) for a in entry.authors if a.strip())),
                        first_seen=at, last_seen=at,
                    )  # fmt: skip
    except (OSError, tarfile.TarError) as e:
        raise InputError(f"{path} is no archive of feeds.") from e
    return list(found.values())


def _readers(stories: Sequence[Story]) -> Iterator[tuple[str, list[Story]]]:
    """Authors worth following, each with their pieces in order of time."""
    feeds: dict[str, list[Story]] = defaultdict(list)
    for story in stories:
        feeds[story.publishers[0]].append(story)
    for items in feeds.values():
        signed = Counter(author for story in items for author in story.authors)
        for author, n in signed.items():
            if len(signed) >= SIGNED and KNOWN < n <= MOST * len(items):
                yield author, [story for story in items if author in story.authors]


def _pieces(own: Sequence[Story]) -> Iterator[tuple[Sequence[Story], Story]]:
    """Each piece that came after `KNOWN` others, with those."""
    return ((own[k - KNOWN : k], own[k]) for k in range(KNOWN, len(own)))


def _points(desk: Desk) -> Floats:
    points: Floats = np.sum([s.points(desk) for s in STANDARD.scorers if s.signal != "exploration"], axis=0)
    return points


def _figures(places: Sequence[tuple[int, float]]) -> dict[str, float]:
    place, others = np.array(places).T
    n = len(place)

    def share(of: int) -> tuple[float, float]:
        p = float((place <= of).mean())
        return p, 1.96 * (p * (1 - p) / n) ** 0.5

    (five, five_), (thirty, thirty_) = share(5), share(30)
    return {
        "first 5": five, "first 5 ±": five_, "first 30": thirty, "first 30 ±": thirty_,
        "median place": float(np.median(place)), "others' place": float(np.nanmean(others)),
    }  # fmt: skip
