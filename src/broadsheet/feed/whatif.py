"""Where a story stands for a reader, what keeps it there, and where it would stand if one thing were otherwise.

No answer is an estimate: each is the place in the feed of the reader as they would be, picked anew as the feed is, so what
is said of a cause is what happens when it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property

import numpy as np

from broadsheet.feed.admit import admit, refused
from broadsheet.feed.build import Recipe, build_feed, chance_of, reasons_of
from broadsheet.feed.diversify import RULES
from broadsheet.feed.edition import Edition
from broadsheet.feed.explain import repairs
from broadsheet.feed.places import Places, Unsure
from broadsheet.feed.score import Desk
from broadsheet.model import Feed, FeedItem, Follow, Reader, Repair, StoryId, named
from broadsheet.wording import meant, named_as, one_and_another, phrase, together

REACH = 100  # places that are looked at; a story below them is "further down"
MOST = 6  # causes that are taken away one by one, the largest first: each costs a feed
OTHERWISE = {
    "follows": phrase("If follows did not count"),
    "interest": phrase("If what was learned from your reading did not count"),
    "likeness": phrase("If likeness to what you read did not count"),
    "session": phrase("If what you opened just now did not count"),
    "importance": phrase("If importance did not count"),
    "quality": phrase("If it did not matter how stories are told"),
    "popularity": phrase("If what others read did not count"),
    "freshness": phrase("If it did not matter how new stories are"),
    "quiet": phrase("If seldom-publishing sources were not favoured"),
    "exploration": phrase("If nothing were drawn by lot"),
    "fatigue": phrase("If it did not matter what you saw before"),
    "language": phrase("If your languages counted alike"),
    "local": phrase("If nearness did not count"),
    "subscriptions": phrase("If your own sources counted like others"),
    "diversity": phrase("If stories did not make room for others"),
    "budget": phrase("Without your budget"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that could be otherwise, and the event that makes it so."""

    words: str  # "Without following Chess"
    label: str  # of the button: "Unfollow Chess"
    event: Mapping[str, object]
    place: int | None  # where the story stands after the event: 1 is the top; None: not within reach
    without: (
        int | None
    )  # where it would stand if the cause counted nothing at all: the same, but for what is turned down
    still: tuple[str, ...] = ()  # what keeps it out all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The answer to "why" and to "why not"."""

    item: FeedItem  # all that speaks for and against it
    place: int | None  # in the feed as it is: 1 is the top; None: kept out, or not within reach
    page: int  # how many stories the first page has
    admitted: int  # how many stories may be shown at all
    ahead: int = 0  # where it is not within reach: how many have more points, room for others not counted
    short: float | None = None  # points that it lacks to the last story of the first page; None where it is on it
    refused: tuple[str, ...] = ()  # what keeps it out
    without: tuple[Change, ...] = ()  # what speaks for it, taken away; of a story within reach
    lifts: tuple[Change, ...] = ()  # what would bring it up


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """One reader's feed of one moment, to be asked about."""

    reader: Reader
    edition: Edition
    recipe: Recipe
    now: datetime
    seed: int
    known: dict[int, Feed] = field(default_factory=dict)  # its own pages, once they were built

    def feed(self, reader: Reader, before: Sequence[StoryId] = ()) -> Feed:
        """A page as `reader` would see it."""
        rng = np.random.default_rng(self.seed)
        return build_feed(reader, self.edition, self.recipe, self.now, rng, before=before)

    def pages(self, reader: Reader) -> Iterator[Feed]:
        """Page after page, until `REACH`."""
        above: list[StoryId] = []
        own = reader is self.reader
        for number in range(-(-REACH // self.recipe.length)):
            page = self.known.get(number) if own else None
            if page is None:
                page = self.feed(reader, above)
            if own:
                self.known[number] = page
            yield page
            if len(page.items) < self.recipe.length:
                return
            above += [item.story for item in page.items]

    @cached_property
    def places(self) -> Places:
        seed = int(np.random.default_rng(self.seed).integers(0, 2**63))
        return Places(
            reader=self.reader, edition=self.edition, recipe=self.recipe, now=self.now, seed=seed, reach=REACH
        )  # fmt: skip

    def find(self, story: StoryId) -> tuple[int, FeedItem] | None:
        """The story's place, from 1 on, and its reasons there; None where it is not within reach."""
        for place, item in enumerate(next(self.pages(self.reader)).items, 1):
            if item.story == story:
                return (place, item) if place <= REACH else None
        try:
            found = self.places.find(self.reader, story)
        except Unsure:
            return self._turned(story, self.reader)
        if found is None:
            return None
        desk = Desk(self.reader, self.edition, self.now, self.places.seed)
        reasons = reasons_of(desk, self.recipe, [self.edition.index[story]])[0]
        return found.place, FeedItem(story=story, reasons=(*reasons, *found.lost), chance=chance_of(desk, self.recipe))

    def _turned(self, story: StoryId, reader: Reader) -> tuple[int, FeedItem] | None:
        """The same by turning the pages themselves."""
        place = 0
        for page in self.pages(reader):
            for item in page.items:
                place += 1
                if item.story == story:
                    return (place, item) if place <= REACH else None
        return None

    def place(self, story: StoryId, reader: Reader) -> int | None:
        try:
            found: tuple[int, object] | None = self.places.find(reader, story)
        except Unsure:
            found = self._turned(story, reader)
        return found[0] if found else None

    def ask(self, story: StoryId, subjects: Sequence[Follow] = ()) -> Asked:
        """Why the story stands where it stands. `subjects` are what could be followed to lift it.

        Raises `KeyError` for a story that is not in the edition.
        """
        row = self.edition.index[story]
        held = refused(self.reader, self.edition, self.now, row)
        admitted = int(np.count_nonzero(admit(self.reader, self.edition, self.now)[0]))
        found = None if held else self.find(story)
        if found:
            place, item = found
        else:
            desk = Desk(self.reader, self.edition, self.now, self.places.seed)
            place, item = None, FeedItem(story=story, reasons=tuple(reasons_of(desk, self.recipe, [row])[0]))
        on_page = place is not None and place <= self.recipe.length
        return Asked(
            item=item,
            place=place,
            page=self.recipe.length,
            admitted=admitted,
            ahead=0 if place is not None else self.places.ahead(story),
            short=None if on_page else self._short(item),
            refused=tuple(refusal.why for refusal in held),
            # what speaks for a story that is not within reach would, taken away, bring it nowhere
            without=() if place is None else tuple(self._without(story, item)),
            lifts=tuple(self._admitted(story, row)) if held else () if place == 1 else self._lifts(story, item, place, subjects),
        )  # fmt: skip

    def _short(self, item: FeedItem) -> float | None:
        first = next(self.pages(self.reader))
        full = len(first.items) >= self.recipe.length
        return max(first.items[-1].score - item.score, 0.0) if full else None

    def _without(self, story: StoryId, item: FeedItem) -> Iterator[Change]:
        speaking = [repair for reason, repair in repairs(item) if reason.points > 0]
        for repair in speaking[:MOST]:
            if (change := self._changed(story, repair)) is not None:
                yield change

    def _changed(self, story: StoryId, repair: Repair) -> Change | None:
        gone = without(self.reader, repair)
        if gone is None:
            return None
        words, reader = gone
        after = repaired(self.reader, repair)
        place = self.place(story, after)
        return Change(
            words=words, label=repair.label, event=said(repair), place=place,
            without=place if after == reader else self.place(story, reader),
        )  # fmt: skip

    def _lifts(
        self, story: StoryId, item: FeedItem, place: int | None, subjects: Sequence[Follow]
    ) -> tuple[Change, ...]:
        """What brings the story up, the furthest first: the causes that hold it down, gone, and follows of what it is about."""
        found: list[Change] = []
        against = [repair for reason, repair in repairs(item) if reason.points < 0]
        found += filter(None, (self._changed(story, repair) for repair in against[:MOST]))
        found += (self._unbudgeted(story, rule) for rule in self.reader.budget)
        mine = {(f.kind, named(f.value)) for f in self.reader.follows}
        for follow in subjects:
            if (follow.kind, named(follow.value)) not in mine:
                event = {
                    "kind": "follow",
                    "follow": {"kind": follow.kind, "value": follow.value, "label": follow.label},
                }
                after = self.place(story, following(self.reader, follow))
                words = phrase("If you followed {name}", name=named_as(follow))
                found.append(
                    Change(words=words, label=phrase("Follow {name}", name=named_as(follow)), event=event, place=after, without=after)
                )  # fmt: skip
        here = place or REACH + 1
        better = [c for c in found if min(c.place or REACH + 1, c.without or REACH + 1) < here]
        return tuple(sorted(better, key=lambda c: (c.place or REACH + 1, c.without or REACH + 1)))

    def _unbudgeted(self, story: StoryId, rule: str) -> Change:
        """One rule of the reader's budget, gone."""
        left = {r: share for r, share in self.reader.budget.items() if r != rule}
        place = self.place(story, replace(self.reader, budget=left))
        words = phrase("If you did not ask for {rule}", rule=RULES[rule](self.reader.budget[rule]))
        event = {"kind": "settings", "settings": {"budget": {rule: 0.0}}}
        return Change(words=words, label=phrase("Drop this rule"), event=event, place=place, without=place)

    def _admitted(self, story: StoryId, row: int) -> Iterator[Change]:
        """For each of the reader's choices that keeps the story out: where it would stand without."""
        for refusal in refused(self.reader, self.edition, self.now, row):
            reader, words, label = self.reader, "", ""
            event: dict[str, object] = {}
            match refusal.of:
                case "hidden":
                    reader = replace(reader, hidden=reader.hidden - {story})
                    event, words, label = (
                        {"kind": "unhidden", "story": story},
                        phrase("If you had not hidden it"),
                        phrase("Show it again"),
                    )
                case "mute" if (mute := refusal.mute) is not None:
                    name = mute.label or mute.value
                    reader = replace(reader, mutes=tuple(m for m in reader.mutes if m != mute))
                    event = {"kind": "unmute", "mute": {"kind": mute.kind, "value": mute.value, "label": name}}
                    words, label = phrase("If {name} were not muted", name=name), phrase("Unmute {name}", name=name)
                case "language":
                    code = self.edition.languages[int(self.edition.language[row])]
                    reader = replace(reader, languages=(*reader.languages, code))
                    event = {"kind": "settings", "settings": {"languages": list(reader.languages)}}
                    words, label = phrase("If you read {code}", code=code), phrase("I read {code}, too", code=code)
                case "scope":
                    reader = replace(reader, scope="all")
                    event = {"kind": "settings", "settings": {"scope": "all"}}
                    words, label = phrase("If For you drew on every source here"), phrase("Draw on every source")
                case _:
                    continue
            still = tuple(r.why for r in refused(reader, self.edition, self.now, row))
            place = None if still else self.place(story, reader)
            yield Change(words=words, label=label, event=event, place=place, without=place, still=still)


def numbered(place: int | None) -> str:
    """A place in the feed: `number 14`; `below the first 100` where nobody looked further."""
    return phrase("number {n}", n=place) if place else phrase("below the first {n}", n=REACH)


def standing(asked: Asked | None) -> str:
    """Where a story stands in a reader's feed, or what keeps it out, in a sentence. None: it is not live."""
    if asked is None:
        return phrase("It is in no feed any more: nothing new has come for too long.")
    if asked.refused:
        return phrase("It is not in your feed: {reasons}.", reasons=one_and_another(asked.refused))
    many, place = asked.admitted, asked.place
    if place and many > 1:
        stands = phrase("It stands at number {n} of the {many:,} stories that may be shown to you", n=place, many=many)
    elif place:
        stands = phrase("It stands at number {n} and is the only story", n=place)
    else:
        stands = phrase(
            "It stands below the first {n} of the {many:,} stories that may be shown to you: {ahead:,} have more points",
            n=REACH,
            many=many,
            ahead=asked.ahead,
        )
    on_page = place is not None and place <= asked.page
    if asked.short is None or on_page:
        return phrase("{stands}.", stands=stands)
    return phrase(
        "{stands}, {short:.2f} points short of the last one on your first page.", stands=stands, short=asked.short
    )


def standing_as_json(asked: Asked | None) -> dict[str, object]:
    """The same for programs. Each change's `event` can be sent as it is."""
    if asked is None:
        return {"live": False, "place": None, "refused": [], "without": [], "lifts": []}
    kept = asdict(asked)
    del kept["item"]
    return {"live": True, **kept}


def said(repair: Repair) -> dict[str, object]:
    """A repair as an event that can be sent."""
    return {name: value for name, value in asdict(repair).items() if name != "label" and value is not None}


def without(reader: Reader, repair: Repair) -> tuple[str, Reader] | None:
    """The reader without the cause that the repair is about, and how that is said; None for what has no cause of theirs."""
    match repair.kind:
        case "unfollow" if (follow := repair.follow) is not None:
            name = phrase("this story") if follow.kind == "story" else named_as(follow)
            name = phrase("the search “{search}”", search=name) if follow.kind == "search" else name
            return phrase("Without following {name}", name=name), repaired(reader, repair)
        case "erase_weight" if repair.weight is not None:
            kind, key = repair.weight[0]
            weight = reader.weights.get(repair.weight[0])
            name = weight.label if weight and weight.label else key
            name = meant("topic", name) if kind == "topic" else name
            return phrase("Without what was learned of {name}", name=name), repaired(reader, repair)
        case "settings" if repair.settings is not None:
            tuned = repair.settings.get("tuning")
            if isinstance(tuned, Mapping):
                signal = next(iter(tuned))
                return OTHERWISE.get(signal, phrase("If {signal} did not count", signal=signal)), tuning(
                    reader, dict.fromkeys(tuned, 0.0)
                )
            if "home" in repair.settings:
                after = repaired(reader, repair)
                gone = together([place for place in reader.home if place not in after.home])
                return phrase("If {names} were not near you", names=gone), after
            return OTHERWISE["budget"], repaired(reader, repair)
    return None


def repaired(reader: Reader, repair: Repair) -> Reader:
    """The reader after the repair: what learning from its event gives."""
    match repair.kind:
        case "unfollow" if (gone := repair.follow) is not None:
            kept = (f for f in reader.follows if f.kind != gone.kind or named(f.value) != named(gone.value))
            return replace(reader, follows=tuple(kept))
        case "erase_weight" if repair.weight is not None:
            key = repair.weight[0]
            return replace(reader, weights={k: w for k, w in reader.weights.items() if k != key})
        case "settings" if repair.settings is not None:
            tuned = repair.settings.get("tuning")
            if isinstance(tuned, Mapping):
                return tuning(reader, tuned)
            if isinstance(home := repair.settings.get("home"), list):
                return replace(reader, home=tuple(home))
            if isinstance(gone_rules := repair.settings.get("budget"), Mapping):
                return replace(reader, budget={r: x for r, x in reader.budget.items() if r not in gone_rules})
    return reader


def tuning(reader: Reader, tuned: Mapping[str, float]) -> Reader:
    """The reader with these signals tuned, the others as they are."""
    every = {**reader.tuning, **{signal: float(x) for signal, x in tuned.items()}}
    return replace(reader, tuning={signal: x for signal, x in every.items() if x != 1.0})


def following(reader: Reader, follow: Follow) -> Reader:
    """The reader who follows this, too; what was muted and is followed is muted no more."""
    heard = (m for m in reader.mutes if m.kind != follow.kind or named(m.value) != named(follow.value))
    return replace(reader, follows=(*reader.follows, follow), mutes=tuple(heard))
