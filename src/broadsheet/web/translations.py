"""The languages that the pages speak: one catalogue each under `locale/`, read once, and the templates compiled for it.

What a template says in words is looked up when the template is compiled, so a page in another language costs nothing
more; what was composed in Python (`wording.Phrase`) is looked up when it is shown.
"""

from __future__ import annotations

import gettext as standard
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from babel import Locale
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import InternationalizationExtension
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from broadsheet.wording import Phrase

HERE = Path(__file__).resolve().parent
LOCALE, DOMAIN = HERE / "locale", "broadsheet"
SOURCE = "en"  # what the code is written in: a language without a catalogue
Messages = Mapping[str, str | tuple[str, ...]]  # message, or context, EOT and message -> how it is said


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A language with everything that a page says in it. Each is the one of its kind."""

    code: str
    messages: Messages = field(default_factory=dict)
    form: Callable[[int], int] = lambda n: int(n != 1)  # which plural form a number takes
    comma: str = ","  # between thousands
    point: str = "."  # before decimals
    script: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)  # what scripts in the browser say
    composed: Sequence[tuple[re.Pattern[str], str]] = ()  # messages with something in them that the store may hold

    @property
    def name(self) -> str:
        """As its speakers call it."""
        return str(Locale.parse(self.code, sep="-").get_display_name() or self.code).capitalize()

    @property
    def direction(self) -> str:
        return str(Locale.parse(self.code, sep="-").text_direction)

    def gettext(self, message: str, context: str = "") -> str:
        """The message, translated; itself where the catalogue lacks it."""
        found = self.messages.get(f"{context}\x04{message}" if context else message, message)
        return found if isinstance(found, str) else found[0]

    def ngettext(self, one: str, many: str, n: int, context: str = "") -> str:
        """The form of the message that `n` takes, translated."""
        found = self.messages.get(f"{context}\x04{one}" if context else one)
        if found is None or isinstance(found, str):
            return one if n == 1 else many
        return found[self.form(n)]

    def say(self, phrase: str) -> str:
        """A phrase in this language; any other text as it is."""
        if type(phrase) is not Phrase or self.native:
            return str(phrase)
        if phrase.context == STORED:
            said = self.recalled(phrase.message)
            return _as_sentence(said) if said != phrase.message else str(phrase)
        if phrase.context == TOPIC:
            return self.gettext(phrase.message.casefold(), TOPIC) if self.has_topic(phrase.message) else str(phrase)
        if phrase.many:
            message = self.ngettext(phrase.message, phrase.many, phrase.number, phrase.context)
        else:
            message = self.gettext(phrase.message, phrase.context)
        if not phrase.given:
            return message
        return message.format(**{name: self._given(value) for name, value in phrase.given.items()})

    @property
    def native(self) -> bool:
        return self.code == SOURCE

    def has_topic(self, label: str) -> bool:
        return f"{TOPIC}\x04{label.casefold()}" in self.messages

    def country(self, name: str) -> str:
        """A country by its English name, as this language calls it; as it is where nobody knows it."""
        code = None if self.native else _territories().get(name.removeprefix("The ").casefold())
        return str(Locale.parse(self.code, sep="-").territories.get(code, name)) if code else name

    def recalled(self, text: str) -> str:
        """A text that was composed in English and stored since: translated if it is one that the catalogue knows."""
        if text in self.messages:
            return self.gettext(text)
        for pattern, message in self.composed:
            if (found := pattern.fullmatch(text)) is not None:
                given = {name: self.gettext(value, WITH_A_DAY) for name, value in found.groupdict().items()}
                return self.gettext(message).format(**given)
        return text

    def _given(self, value: Any) -> Any:
        if type(value) is Phrase:
            return self.say(value)
        if isinstance(value, (int, float)) and self.comma != ",":
            return _Number(value, {ord(","): self.comma, ord("."): self.point})
        return value

    def number(self, value: float, form: str = ",") -> str:
        """A number as the language writes it; `form` as `format` takes it."""
        written = format(value, form)
        return written.translate({ord(","): self.comma, ord("."): self.point}) if self.comma != "," else written


@dataclass(frozen=True, slots=True)
class _Number:
    """A number that formats itself as a language writes it."""

    value: float
    signs: Mapping[int, str]

    def __format__(self, form: str) -> str:
        return format(self.value, form).translate(self.signs)


STORED, TOPIC, WITH_A_DAY = "stored", "topic", "with a day"  # contexts: a text from the store, a topic, a month


def stored(problem: str) -> Phrase:
    """What went wrong with a source, as the store has it in English, as the beginning of a sentence."""
    return Phrase(_as_sentence(problem), problem, context=STORED)


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}"


# --- the catalogues -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def codes() -> tuple[str, ...]:
    """The languages that there are: the source's, and one for each catalogue under `locale/`."""
    found = sorted(path.parent.parent.name for path in LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
    return (SOURCE, *found)


@lru_cache(maxsize=32)
def language(code: str) -> Language:
    """The language of a code that `codes` has; the source's for any other."""
    path = LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.po"
    return read(code, path) if code in codes() and code != SOURCE else Language(SOURCE)


def read(code: str, path: Path) -> Language:
    """The language that a catalogue (a .po file) holds; what is not translated, or only guessed, is said in English."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=code.replace("-", "_"), domain=DOMAIN)
    messages: dict[str, str | tuple[str, ...]] = {}
    script: dict[str, str | tuple[str, ...]] = {}
    composed: list[tuple[re.Pattern[str], str]] = []
    for message in catalogue:
        said = message.string if isinstance(message.string, str) else tuple(message.string or ())
        if not message.id or message.fuzzy or not (said if isinstance(said, str) else all(said)):
            continue
        one = message.id if isinstance(message.id, str) else message.id[0]
        one = one.casefold() if message.context == TOPIC else one  # labels are written in both ways
        messages[f"{message.context}\x04{one}" if message.context else one] = said
        if any(str(place).endswith(".js") for place, _ in message.locations):
            script[one] = said
        if (
            "{" in one
            and isinstance(said, str)
            and any(part in str(place) for place, _ in message.locations for part in ("/sources/", "/demo/"))
        ):
            composed.append((_pattern(one), one))
    form = standard.c2py(catalogue.plural_expr)
    signs = Locale.parse(code, sep="-").number_symbols["latn"]
    return Language(code, messages, form, signs["group"], signs["decimal"], script, composed)


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    """The codes of countries by their English names."""
    return {str(name).casefold(): code for code, name in Locale("en").territories.items() if len(code) == 2}


def _pattern(message: str) -> re.Pattern[str]:
    """What a message with something in place of its `{names}` looks like."""
    parts = re.split(r"\{(\w+)(?:![rs])?(?::[^}]*)?\}", message)
    seen: set[str] = set()
    written = ""
    for at, part in enumerate(parts):
        if at % 2 == 0:
            written += re.escape(part)
        else:
            written += f"(?P={part})" if part in seen else f"(?P<{part}>.*?)"
            seen.add(part)
    return re.compile(written, re.DOTALL)


def preferred(asked: str, among: Sequence[str] | None = None) -> str:
    """The language of ours that an Accept-Language header likes best; the source's where it likes none."""
    ours = codes() if among is None else among
    best, liked = SOURCE, 0.0
    for part in asked[:500].split(","):
        tag, _, rest = part.partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        tag = tag.strip().lower()
        by_name = {code.lower(): code for code in ours}
        found = by_name.get(tag) or by_name.get(tag.partition("-")[0])
        if found and weight > liked:
            best, liked = found, weight
    return best


# --- templates ----------------------------------------------------------------------------------------------------


class Translated(InternationalizationExtension):
    """`{% trans %}`, looked up when a template is compiled."""

    def _make_node(
        self,
        singular: str,
        plural: str | None,
        context: str | None,
        variables: dict[str, nodes.Expr],
        plural_expr: nodes.Expr | None,
        vars_referenced: bool,
        num_called_num: bool,
    ) -> nodes.Output:
        language: Language = cast("Speaking", self.environment).language
        given = nodes.Dict([nodes.Pair(nodes.Const(name), value) for name, value in variables.items()])
        if plural_expr is not None:
            words = [nodes.Const(singular), nodes.Const(plural), plural_expr, given, nodes.Const(context or "")]
            return nodes.Output([nodes.Call(nodes.Name("_several", "load"), words, [], None, None)])
        message = language.gettext(singular, context or "")
        return nodes.Output([_filled(Markup(message), given)])  # noqa: S704  a catalogue of ours, as trusted as the template


def _filled(message: str, given: nodes.Dict) -> nodes.Expr:
    """The node of a message with what is put into it; plain text escapes itself, and so does what is put in."""
    if not given.items:
        whole = message.replace("%%", "%")
        return nodes.MarkSafe(nodes.Const(str(whole))) if isinstance(message, Markup) else nodes.Const(whole)
    return nodes.Mod(nodes.MarkSafe(nodes.Const(str(escape(message)))), given)


FIXED = ("code", "direction", "native")  # of the language of a page: written into its templates


class _LookUp(NodeTransformer):
    """Replaces `_("words")` by what the language says for it."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def visit_Call(self, node: nodes.Call, *args: Any, **kwargs: Any) -> nodes.Node:
        node = cast(nodes.Call, self.generic_visit(node, *args, **kwargs))
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        words = [arg.value for arg in node.args if isinstance(arg, nodes.Const)]
        if name in ("_", "gettext", "pgettext") and len(words) == len(node.args) and not node.dyn_kwargs:
            context, message = words if name == "pgettext" else ("", words[0])
            given = nodes.Dict([nodes.Pair(nodes.Const(part.key), part.value) for part in node.kwargs])
            return _filled(self.language.gettext(message, context), given).set_lineno(node.lineno)
        return node

    def visit_Getattr(self, node: nodes.Getattr, *args: Any, **kwargs: Any) -> nodes.Node:
        if isinstance(node.node, nodes.Name) and node.node.name == "language" and node.attr in FIXED:
            return nodes.Const(getattr(self.language, node.attr), lineno=node.lineno)
        return self.generic_visit(node, *args, **kwargs)


def shown(value: Any) -> str:
    """The value as a page may show it: what `escape` gives, as plain text.

    `escape` makes an object of each value, so that what is escaped already is known again. What goes onto the page is not
    asked that any more: without those objects a page of thirty stories is made in three quarters of the time.
    """
    kind = type(value)
    if kind is Markup or (kind is str and _to_be_escaped(value) is None):
        return cast(str, value)
    if kind is int:
        return str(value)
    return value.__html__() if kind is Phrase else str(escape(value))


_to_be_escaped = re.compile("[&<>'\"]").search


class _Compiler(CodeGenerator):
    """Writes templates that show values by `shown`."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
            return
        self.write("environment.shown(")
        if finalize.src is not None:
            self.write(finalize.src)


class Speaking(Environment):
    """The templates, in one language."""

    language: Language = Language(SOURCE)
    code_generator_class = _Compiler
    shown = staticmethod(shown)

    def __init__(self, language: Language, **options: Any) -> None:
        super().__init__(**options)
        self.language = language
        self._counted = lru_cache(maxsize=4096)(self._count)
        self.add_extension(Translated)
        self.globals.update(
            _=self._gettext,
            gettext=self._gettext,
            pgettext=lambda context, message, **given: self._gettext(message, context, **given),
            ngettext=self._ngettext,
            npgettext=lambda context, one, many, n, **given: self._ngettext(one, many, n, context, **given),
            _several=self._several,
        )

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return cast(nodes.Template, _LookUp(self.language).visit(super()._parse(source, name, filename)))

    def _gettext(self, message: str, context: str = "", /, **given: Any) -> Markup:
        """For a message that is known only when the page is made."""
        if isinstance(message, Phrase):
            return escape(self.language.say(message))
        said = escape(self.language.gettext(message, context))
        return said % given if given else said.replace("%%", "%")

    def _ngettext(self, one: str, many: str, n: int, context: str = "", /, **given: Any) -> Markup:
        if not given:
            return self._counted(one, many, n, context)
        return escape(self.language.ngettext(one, many, n, context)) % self._counting(n, given)

    def _count(self, one: str, many: str, n: int, context: str) -> Markup:
        return escape(self.language.ngettext(one, many, n, context)) % {"num": self.language.number(n)}

    def _several(self, one: str, many: str, n: int, given: dict[str, Any], context: str) -> Markup:
        message = Markup(self.language.ngettext(one, many, n, context))  # noqa: S704  a catalogue of ours
        return message % self._counting(n, given)

    def _counting(self, n: int, given: dict[str, Any]) -> dict[str, Any]:
        counted = self.language.number(n)
        return {"num": counted, **{name: counted if value is n else value for name, value in given.items()}}
