"""The thread of each story, decided after every step of grouping, in the order in which the articles came.

A story is put into a thread by what it says when the article comes that makes it, or makes it grow while it is alone there:
how many articles a transaction holds changes nothing. What is needed for that is told here; nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2

from broadsheet.jobs.ingesting import EARLIEST
from broadsheet.jobs.moving import Step
from broadsheet.model import Article, ArticleId, OpenThread, Story, StoryId, ThreadId
from broadsheet.stories.describe import in_order
from broadsheet.stories.threads import OpenThreads

# A story of these articles, some of which are known by time and publisher alone.
Tell = Callable[[StoryId, Sequence[Article]], Story]


@dataclass(slots=True, kw_only=True)
class Woven:
    """In which thread each story is now, and what changed of the threads."""

    threads: dict[StoryId, ThreadId]
    changed: dict[ThreadId, None] = field(default_factory=dict)
    gone: dict[ThreadId, None] = field(default_factory=dict)
    told: dict[StoryId, Story] = field(default_factory=dict)  # as it was told last

    def kept(self, threads: OpenThreads) -> tuple[OpenThread, ...]:
        """What is to be remembered of the threads that changed."""
        return tuple(threads.memory(thread) for thread in self.changed if thread in threads)

    def closed(self, threads: OpenThreads) -> tuple[ThreadId, ...]:
        return tuple(thread for thread in self.gone if thread not in threads)


def weave(
    threads: OpenThreads,
    steps: Iterable[Step],
    before: Mapping[StoryId, Sequence[Article]],
    known: Mapping[StoryId, ThreadId],
    tell: Tell,
) -> Woven:
    """Go through what grouping decided, step by step. `before` has the articles that these stories had before the first, and
    `known` the threads that they were in."""
    woven = Woven(threads=dict(known))
    members: dict[StoryId, dict[ArticleId, Article]] = {s: {a.id: a for a in held} for s, held in before.items()}
    for step in steps:
        sizes: dict[StoryId, int] = {}  # of the stories that it changes, before it did
        for absorbed, survivor in step.merged:
            sizes.setdefault(survivor, 0)
            members.setdefault(survivor, {}).update(members.pop(absorbed, {}))
            leave(threads, woven, absorbed)
        for article, left, into in step.moved:
            for story in (left, into):
                if story is not None:
                    sizes.setdefault(story, len(members.get(story, ())))
            held = members.get(left, {}).pop(article.id, article) if left is not None else article
            members.setdefault(into, {})[article.id] = held
        for story in step.begun:
            woven.threads.pop(story, None)  # whatever an earlier story of that id was part of
        for story, size in sizes.items():
            if members.get(story):
                _decide(threads, woven, story, members[story], size, tell)
            else:
                leave(threads, woven, story)
    return woven


def assign(threads: OpenThreads, woven: Woven, story: Story) -> None:
    """Decide about a story by what it says now, unless it has company in its thread."""
    placed = threads.assign(story, woven.threads.get(story.id))
    woven.threads[story.id] = placed.thread
    woven.changed[placed.thread] = None
    if placed.left is not None:
        woven.gone[placed.left] = None


def leave(threads: OpenThreads, woven: Woven, story: StoryId) -> None:
    """A story is no more: nor is its thread, where it was alone there."""
    own = woven.threads.pop(story, None)
    if own is not None and threads.leave(own, story):
        woven.gone[own] = None


def _decide(
    threads: OpenThreads, woven: Woven, story: StoryId, members: Mapping[ArticleId, Article], size: int, tell: Tell
) -> None:
    own = woven.threads.get(story)
    if own is None or (threads.is_alone(own, story) and _grew(size, len(members))):
        woven.told[story] = tell(story, in_order(list(members.values())))
        assign(threads, woven, woven.told[story])
        return
    threads.touch(own, max((a.time for a in members.values() if a.time is not None), default=EARLIEST))
    woven.changed[own] = None


def _grew(before: int, now: int) -> bool:
    """By half or so: telling a story of forty articles anew for each of the next twenty would cost most of the job."""
    return now != before and (min(before, now) < 3 or int(2 * log2(before)) != int(2 * log2(now)))
