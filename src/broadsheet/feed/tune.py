"""What a reader can turn up or down, the settings that travel as a link, and what they would change before they are taken."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from broadsheet.errors import InputError
from broadsheet.feed.whatif import tuning
from broadsheet.model import Feed, Reader, StoryId
from broadsheet.wording import phrase as _

TOP = 3.0  # the furthest that a slider goes; 1 is as shipped
STEP = 0.05
LONGEST = 1_000  # characters of a link's settings: all of them together take some 200


@dataclass(frozen=True, slots=True)
class Slider:
    """One thing that a reader turns: the signals behind it, and what the two ends mean."""

    name: str
    label: str
    signals: tuple[str, ...]
    less: str
    more: str


SLIDERS = (
    Slider("follows", _("What I follow"), ("follows", "subscriptions"), _("follows hardly count"), _("follows first")),
    Slider(
        "interest", _("What I read"), ("interest", "likeness"), _("as if nothing were known"), _("more of what I read")
    ),
    Slider("session", _("Just opened"), ("session",), _("forgotten at once"), _("go on with it")),
    Slider("importance", _("Importance"), ("importance",), _("however few report it"), _("what everybody reports")),
    Slider("quality", _("How it is told"), ("quality",), _("however it is told"), _("whole texts, people by name")),
    Slider("popularity", _("What others read"), ("popularity",), _("whatever others open"), _("what many open here")),
    Slider("freshness", _("Freshness"), ("freshness",), _("age does not matter"), _("the newest")),
    Slider("local", _("Near me"), ("local",), _("anywhere"), _("from near me")),
    Slider("diversity", _("Diversity"), ("diversity",), _("one subject may fill the page"), _("never two of a kind")),
    Slider("surprise", _("Surprise"), ("exploration",), _("nothing drawn by lot"), _("lots first")),
    Slider("quiet", _("Quiet sources"), ("quiet",), _("whoever publishes most"), _("who seldom publishes")),
)
NAMES = tuple(slider.name for slider in SLIDERS)


@dataclass(frozen=True, slots=True)
class Preset:
    """Some sliders set together. What it does not name stands at 1."""

    name: str
    words: str
    values: Mapping[str, float]


PRESETS = (
    Preset(_("As shipped"), _("Every slider in the middle."), {}),
    Preset(_("Calm"), _("What lasts: less rush, more from sources that seldom publish."),
           {"freshness": 0.4, "importance": 0.8, "popularity": 0.6, "diversity": 1.3, "surprise": 0.4, "quiet": 1.8}),
    Preset(_("Catch up"), _("What most publishers reported, even if it is some days old."),
           {"importance": 2.2, "freshness": 0.5, "interest": 0.6, "session": 0.5, "surprise": 0.0, "quiet": 0.3}),
    Preset(_("Breaking"), _("What is happening now."),
           {"freshness": 2.2, "importance": 1.6, "session": 0.5, "surprise": 0.0, "quiet": 0.4}),
    Preset(_("Wide"), _("Away from what you always read: many subjects, many publishers, some luck."),
           {"interest": 0.4, "session": 0.0, "follows": 0.7, "popularity": 0.4, "diversity": 2.2, "surprise": 2.0, "quiet": 1.5}),
    Preset(_("Mine"), _("What you follow and like, and little else."),
           {"follows": 1.6, "interest": 2.0, "importance": 0.4, "popularity": 0.3, "surprise": 0.3}),
    Preset(_("Near me"), _("From the places that you name as near."),
           {"local": 3.0, "importance": 0.6, "quiet": 1.5}),
)  # fmt: skip


def values_of(reader: Reader) -> dict[str, float]:
    """Where the reader's sliders stand. One whose signals stand apart stands where the first does."""
    return {s.name: min(float(reader.tuning.get(s.signals[0], 1.0)), TOP) for s in SLIDERS}


def read_values(given: Iterable[tuple[str, str]], usual: Mapping[str, float]) -> dict[str, float]:
    """The sliders that a link or a form says; those that it does not name stand as `usual` has them.

    Anyone may have written a link. Raises `InputError` for anything but the names of sliders, each once, and numbers in
    their range.
    """
    values: dict[str, float] = {}
    for count, (name, written) in enumerate(given):
        if name not in NAMES or name in values or count >= len(NAMES):
            raise InputError(
                _("There is no slider {name!r}: there are {names}, each once.", name=name[:40], names=", ".join(NAMES))
            )
        try:
            value = float(written) if len(written) <= 8 else math.nan
        except ValueError:
            value = math.nan
        if not 0 <= value <= TOP:
            raise InputError(
                _("{name} lies between 0 and {top:g}, not at {written!r}.", name=name, top=TOP, written=written[:20])
            )
        values[name] = round(round(value / STEP) * STEP, 2)
    return {name: values.get(name, usual.get(name, 1.0)) for name in NAMES}


def link(values: Mapping[str, float], name: str = "") -> str:
    """The settings as the query of a link: every slider, so that it means the same to whoever follows it."""
    told = {slider: f"{values.get(slider, 1.0):g}" for slider in NAMES}
    return urlencode({"name": name, **told} if name else told)


def tuned(reader: Reader, values: Mapping[str, float]) -> dict[str, float]:
    """The tuning of signals that these sliders mean: only of those that would move."""
    now = values_of(reader)
    return {
        signal: values[slider.name]
        for slider in SLIDERS
        if slider.name in values and abs(values[slider.name] - now[slider.name]) > 1e-9
        for signal in slider.signals
    }


def as_tuned(reader: Reader, values: Mapping[str, float]) -> Reader:
    """The reader as they would be with these sliders."""
    return tuning(reader, tuned(reader, values))


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change does to a page."""

    entered: tuple[StoryId, ...]  # in the order of the new page
    left: tuple[StoryId, ...]  # in the order of the old one
    moved: Mapping[StoryId, int]  # places up (above zero) or down; those that stay are not in it
    stayed: int

    @property
    def is_none(self) -> bool:
        return not (self.entered or self.left or self.moved)


def compare(before: Feed, after: Feed) -> Difference:
    """How one page differs from another."""
    old = {item.story: place for place, item in enumerate(before.items)}
    new = {item.story: place for place, item in enumerate(after.items)}
    moved = {story: old[story] - place for story, place in new.items() if story in old and old[story] != place}
    return Difference(
        entered=tuple(story for story in new if story not in old),
        left=tuple(story for story in old if story not in new),
        moved=moved,
        stayed=len(new.keys() & old.keys()) - len(moved),
    )


def sliders_of(values: Mapping[str, float]) -> dict[str, float]:
    """Every slider as a preset has it, in its range; what it does not name stands at 1."""
    return {name: min(max(float(values.get(name, 1.0)), 0.0), TOP) for name in NAMES}
