"""Words that can be said in another language: English text that remembers how it was composed.

Whoever finds a fact composes it here, in English, and knows nothing of languages; programs read it as any text. A page
shows it in its reader's language: a template escapes what it shows, and escaping a phrase asks `SPEAKER` how it is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import reduce
from typing import Any, Protocol

from markupsafe import Markup, escape

from broadsheet.model import Follow, Mute


class Phrase(str):
    """A sentence or a part of one, in English, with the message it was made from and what was put into it.

    Joining it to other text gives plain English text; `phrase("{fact}.", fact=fact)` gives a phrase again.
    """

    __slots__ = ("_shown", "context", "given", "many", "message", "number")
    message: str  # with {names} in it: what a catalogue translates
    many: str  # the message for several; empty: it counts nothing
    number: int  # how many there are
    context: str  # which of several meanings the message has
    given: Mapping[str, Any]
    _shown: dict[object, Markup] | None  # by whom it was said, and how

    def __new__(
        cls, text: str, message: str = "", given: Mapping[str, Any] | None = None, many: str = "", number: int = 0, context: str = ""
    ) -> Phrase:  # fmt: skip
        made = super().__new__(cls, text)
        made.message, made.many, made.number, made.context = message or text, many, number, context
        made.given = {} if given is None else given
        made._shown = None
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return str(self), self.message, self.given, self.many, self.number, self.context

    def __reduce__(self) -> tuple[Any, ...]:
        return Phrase, self.__getnewargs__()

    def __html__(self) -> Markup:
        # kept: a feed's sentences are shown again each time it is loaded, and putting one together takes 24 microseconds
        speaker = SPEAKER.get()
        shown = self._shown.get(speaker) if self._shown else None
        if shown is None:
            shown = escape(str(self) if speaker is None else speaker.say(self))
            self._shown = {**(self._shown or {}), speaker: shown}
        return shown


class Speaker(Protocol):
    """Says phrases in a language."""

    def say(self, phrase: str) -> str: ...


SPEAKER: ContextVar[Speaker | None] = ContextVar("SPEAKER", default=None)
"""Who says the phrases of the page that is being made. None: they are said in English."""


def phrase(message: str, /, **given: Any) -> Phrase:
    """The message with what is given in place of its `{names}`: text as it is, phrases translated, numbers as a language writes them."""
    return Phrase(message.format(**given) if given else message, message, given)


def plural(one: str, many: str, n: int, /, **given: Any) -> Phrase:
    """The message for one or for several, `{n}` being how many."""
    given["n"] = n
    return Phrase((one if n == 1 else many).format(**given), one, given, many, n)


def meant(context: str, message: str, /, **given: Any) -> Phrase:
    """A message whose English has several meanings: the context says which."""
    return Phrase(message.format(**given) if given else message, message, given, context=context)


def N_(message: str) -> str:
    """A message that is made a phrase later, marked where it is written."""
    return message


def in_a_row(phrases: Sequence[str]) -> str:
    """`A, B, C`."""
    return reduce(lambda row, more: phrase("{row}, {more}", row=row, more=more), phrases) if phrases else ""


def together(phrases: Sequence[str]) -> str:
    """`A and B and C`."""
    return reduce(lambda row, more: phrase("{row} and {more}", row=row, more=more), phrases) if phrases else ""


def one_and_another(phrases: Sequence[str]) -> str:
    """`A, and B, and C`: of clauses."""
    return reduce(lambda row, more: phrase("{row}, and {more}", row=row, more=more), phrases) if phrases else ""


def named_as(choice: Follow | Mute) -> str:
    """What is followed or muted, as it is called: a topic's name is a phrase."""
    name = choice.label or choice.value
    return meant("topic", name) if choice.kind == "topic" else name


def words_of(error: BaseException) -> str:
    """What an error says, as a phrase if it was raised with one. (`str` of it is plain English.)"""
    return error.args[0] if error.args and isinstance(error.args[0], str) and len(error.args) == 1 else str(error)
