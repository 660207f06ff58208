"""What each side said: the quotes of an article, direct and indirect, with who speaks, as what, and for whom.

`quotes` is all that the rest of Broadsheet needs; `attributions` gives the same with what they rest on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadsheet.model import Article, Quote
from broadsheet.stories.quotes import sides
from broadsheet.stories.quotes.forests import Forests, packaged
from broadsheet.stories.quotes.gazetteer import terms
from broadsheet.stories.quotes.marks import quotations
from broadsheet.stories.quotes.mentions import Kind, Lexicon, Mention, lexicon
from broadsheet.stories.quotes.people import Cast, cast, resolve
from broadsheet.stories.quotes.reported import Report, Sentences, considered
from broadsheet.stories.quotes.speakers import LEAST_SPEAKER, Scene, decide
from broadsheet.stories.quotes.tokens import Tokens, tokenise
from broadsheet.stories.quotes.transcripts import turns

__all__ = ["Attribution", "Extraction", "attributions", "quotes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """How sure an attribution must be. Both were chosen on a fifth of PolNeAR's train part (design 0011)."""

    owned: float = 0.4  # probability that words in marks are somebody's: at most F1 of direct quotes
    report: float = 0.33  # and that a clause reports what somebody said, thinks or wants: at most F1 of indirect quotes
    reported: float = 0.3  # how much a report that holds a direct quote speaks for its own source (design 0011)
    most_chars: int = 100_000  # of a text that is read; an article is shorter, a transcript may not be


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A quote with the phrase that the text has for its source, and how likely it is one."""

    quote: Quote
    source: tuple[int, int] | None  # offsets of that phrase; None where the text has none
    probability: float


def quotes(article: Article, config: Extraction = Extraction()) -> tuple[Quote, ...]:
    """What an article says that somebody said, in the order of the text. Pure; offsets are characters of `article.text`.

    A run of words in quotation marks is one direct quote for each paragraph that it fills. A clause that reports in
    other words is an indirect quote, also where it holds a direct one. English only: in other languages direct quotes
    are found, and their speakers where a name stands beside them. In a government's transcript each answer is a quote.
    """
    answers = turns(article)
    if answers:  # marks of quotation inside an answer are somebody else's words
        return tuple(answers)
    return tuple(a.quote for a in attributions(article, config))


def attributions(
    article: Article,
    config: Extraction = Extraction(),
    *,
    known: Lexicon | None = None,
    forests: Forests | None = None,
) -> list[Attribution]:
    """The quotes of an article with what they rest on; other words and forests than the packaged ones are for training."""
    known = known or lexicon()
    forests = forests or packaged()
    text = article.text[: config.most_chars]
    tokens = tokenise(text, quotations(text))
    if not tokens.words:
        return []
    names = [e.text for e in article.entities if e.type == "person"]
    people = cast(tokens, known, names=names, title=article.title)
    view = _View(article, tokens, people, known)
    told = _reported(view, forests, config)
    found = [*_direct(view, forests, config, told), *told]
    # In the order of their sources, since "they" and "the senator" lean on who spoke before.
    found.sort(key=lambda f: (people.mentions[f.mention].start if f.mention >= 0 else tokens.at(f.start), f.start))
    given = [view.attribution(f) for f in found]
    return sorted(given, key=lambda a: (a.quote.start, not a.quote.direct, a.quote.end))


@dataclass(frozen=True, slots=True)
class _Found:
    """What was decided of one quote, before names are given."""

    mention: int
    verb: str
    start: int
    end: int
    direct: bool
    probability: float


def _direct(view: _View, forests: Forests, config: Extraction, told: Sequence[_Found]) -> list[_Found]:
    scene = Scene(view.tokens, view.cast, view.known, view.article.title)
    found: list[_Found] = []
    for q, decided in enumerate(decide(scene, forests)):
        if decided.owned < config.owned:
            continue
        quotation = view.tokens.quotations[q]
        # Who reports the clause that holds the words has probably said them, too.
        scores = dict(decided.scores)
        for report in told:
            if report.verb.lower().startswith("according"):
                continue  # that is who tells what another said
            if report.start <= quotation.start and quotation.end <= report.end and report.mention in scores:
                scores[report.mention] += config.reported * report.probability
        mention = max(scores, key=lambda m: (scores[m], -m), default=-1)
        if mention >= 0 and scores[mention] < LEAST_SPEAKER:
            mention = -1
        verb = view.verb(mention, scene.spans[q]) if mention >= 0 else ""
        found.append(_Found(mention, verb, quotation.start, quotation.end, True, decided.owned))
    return found


def _reported(view: _View, forests: Forests, config: Extraction) -> list[_Found]:
    tokens = view.tokens
    all_, rows = considered(Sentences(tokens, view.cast, view.known), forests)
    likely = forests.report.probability(rows)
    found: list[_Found] = []
    kept: set[tuple[int, int]] = set()
    for n in sorted(range(len(all_)), key=lambda n: -likely[n]):
        if likely[n] < config.report:
            break
        report = all_[n]
        span = trimmed(tokens, report)
        if span is None or span in kept:
            continue
        kept.add(span)
        source = report.source
        if view.tokens.lower[report.cue : report.cue + 2] == ["according", "to"]:
            # whoever stands after "according to" is its source, whatever the forest saw before it
            source = view.numbered.get(report.cue + 2, view.numbered.get(report.cue + 3, source))
        found.append(_Found(source, view.spelled(report.cue), *span, False, float(likely[n])))
    return found


def trimmed(tokens: Tokens, report: Report) -> tuple[int, int] | None:
    """The offsets of a report's content, with the marks that belong to it; None if it is all in quotation marks."""
    start, end = report.start, report.end
    if all(tokens.quoted[i] >= 0 or not tokens.words[i][0].isalnum() for i in range(start, end)):
        return None
    a, b = tokens.starts[start], tokens.ends[end - 1]
    text = tokens.text
    last = tokens.quoted[end - 1]
    if last >= 0 and end == tokens.spans[last][1]:
        # a quotation at the end brings its closing mark along
        b = max(b, tokens.quotations[last].end)
        while b < len(text) and text[b] in "”\"»’'":
            b += 1
    first = tokens.quoted[start]
    if first >= 0 and start == tokens.spans[first][0]:
        while a > 0 and text[a - 1] in "“\"«‘'":
            a -= 1
    return a, b


_OF_WHOSE = frozenset(["the", "a", "an", "his", "her", "their", "its"])


class _View:
    """One article as it is being read."""

    __slots__ = ("article", "cast", "described", "known", "numbered", "placed", "said", "tokens")

    def __init__(self, article: Article, tokens: Tokens, cast_: Cast, known: Lexicon) -> None:
        self.article, self.tokens, self.cast, self.known = article, tokens, cast_, known
        self.described: dict[int, tuple[str, str]] = {}
        self.numbered = {m.start: n for n, m in enumerate(cast_.mentions)}
        self.placed: list[tuple[int, int]] = []  # who spoke so far, for pronouns: (word of the source, person)
        self.said: list[tuple[int, str, str, str]] = []  # the same as it was given out

    def spelled(self, cue: int) -> str:
        """The words of a cue as they are written."""
        tokens = self.tokens
        last = cue
        if tokens.lower[cue] == "according" and cue + 1 < len(tokens.words) and tokens.lower[cue + 1] == "to":
            last = cue + 1
        elif tokens.lower[cue] == "to" and cue and tokens.lower[cue - 1] == "according":
            cue -= 1
        return tokens.text[tokens.starts[cue] : tokens.ends[last]]

    def verb(self, mention: int, span: tuple[int, int]) -> str:
        """The word by which a direct quote is given to its speaker."""
        tokens, known = self.tokens, self.known
        m = self.cast.mentions[mention]
        here = tokens.sentence[m.start]
        best, at = -1.0, -1
        a, b = span
        low, high = (m.end, a) if m.end <= a else (b, m.start)
        for i in [*range(max(low, high - 25), high), *range(m.end, min(m.end + 6, len(tokens.words)))]:
            if tokens.quoted[i] >= 0 or tokens.sentence[i] != here:
                continue
            odds = known.cue.get(tokens.lower[i], -9.0) - 0.05 * min(abs(i - m.start), abs(i - m.end))
            if odds > best:
                best, at = odds, i
        if m.start and tokens.quoted[m.start - 1] < 0 and tokens.sentence[m.start - 1] == here:
            before = tokens.lower[m.start - 1]
            if before == "to" and m.start > 1 and tokens.lower[m.start - 2] == "according":
                at = m.start - 2
            elif known.cue.get(before, -9.0) > best:
                at = m.start - 1
        return self.spelled(at) if at >= 0 else ""

    def phrase(self, mention: Mention) -> tuple[int, int]:
        """A description with the "of …" or "for …" that says whose it is, as offsets."""
        tokens = self.tokens
        end = mention.end
        if mention.kind == Kind.DESCRIPTION:
            for _ in range(2):
                if end + 1 >= len(tokens.words) or tokens.sentence[end] != tokens.sentence[mention.start]:
                    break
                if tokens.quoted[end] >= 0 or tokens.lower[end] not in ("of", "for", "from", "at", "with", "in", "on"):
                    break
                ahead = next((n for at in (end + 1, end + 2) if (n := self.numbered.get(at)) is not None), None)
                following = self.cast.mentions[ahead] if ahead is not None else None
                if following is not None and (
                    following.kind not in (Kind.NAME, Kind.DESCRIPTION)
                    or tokens.sentence[following.start] != tokens.sentence[end]
                    or (following.start > end + 1 and tokens.lower[end + 1] not in _OF_WHOSE)
                ):
                    following = None
                if following is None or tokens.lower[end] == "on":
                    break
                end = following.end
        return tokens.starts[mention.start], tokens.ends[end - 1]

    def whole(self, mention: int) -> int:
        """The description that a name only ends: "a spokesman for Ana Brito" spoke, not Brito."""
        m = self.cast.mentions[mention]
        if m.kind != Kind.NAME:
            return mention
        for before in range(mention - 1, max(-1, mention - 4), -1):
            other = self.cast.mentions[before]
            near = other.kind == Kind.DESCRIPTION and m.start - other.end <= 4 and self.cast.who[before] < 0
            if near and self.phrase(other)[1] >= self.tokens.ends[m.end - 1]:
                return before
        return mention

    def pair(self, mention: int) -> tuple[int, Mention] | None:
        """The two names that speak together, as "Clayton Allen and Anna Ashton" do: the first's number, and the second."""
        tokens, found = self.tokens, self.cast.mentions
        for first in (mention, mention - 1):
            if not 0 <= first < len(found) - 1:
                continue
            one, other = found[first], found[first + 1]
            if (
                one.kind == other.kind == Kind.NAME
                and other.start == one.end + 1
                and tokens.lower[one.end] == "and"
                and self.cast.people[self.cast.who[first]].human >= 0
                and one.name[1] - one.name[0] > 1
                and other.name[1] - other.name[0] > 1
            ):
                return first, other
        return None

    def attribution(self, found: _Found) -> Attribution:
        speaker = role = side = ""
        source: tuple[int, int] | None = None
        if found.mention >= 0:
            number = self.whole(found.mention)
            mention = self.cast.mentions[number]
            source = self.phrase(mention)
            person = resolve(self.tokens, self.cast, number, self.placed)
            speaker, role, side = self.who(number, person, source)
            self.placed.append((mention.start, person))
            self.said.append((mention.start, speaker, role, side))
        return Attribution(
            quote=Quote(
                article=self.article.id,
                speaker=speaker,
                role=role,
                side=side,
                verb=found.verb,
                content=self.tokens.text[found.start : found.end],
                start=found.start,
                end=found.end,
                direct=found.direct,
            ),
            source=source,
            probability=found.probability,
        )

    def who(self, mention: int, person: int, source: tuple[int, int]) -> tuple[str, str, str]:
        """Speaker, role and side of a mention."""
        m = self.cast.mentions[mention]
        if person >= 0:
            together = self.pair(mention)
            if together is not None:
                first, other = together
                one = self.cast.mentions[first]
                role, side = self.known_of(self.cast.who[first])
                begin, end = self.tokens.starts[one.name[0]], self.tokens.ends[other.end - 1]
                return self.tokens.text[begin:end], role, side or self.known_of(person)[1]
            return self.cast.people[person].name, *self.known_of(person)
        if m.kind in (Kind.DESCRIPTION, Kind.NAME):
            phrase = self.tokens.text[source[0] : source[1]]
            role = sides.cleaned(phrase)
            side = self.of_those_named(source) or sides.side_of(role) or self.of_both(m)
            if not side and sides.is_unaffiliated(role):
                side = sides.nearest_side(self.tokens, self.cast, m.start)
            return phrase.removeprefix("The ").removeprefix("the "), role, side
        if m.kind == Kind.THEY_IT:
            return self.several(m)
        return "", "", ""

    def of_those_named(self, source: tuple[int, int]) -> str:
        """The side of the person for whom a description speaks: "a spokesman for Ana Brito", "Brito’s spokesman"."""
        text = self.tokens.text[source[0] : source[1]]
        if not sides.SPOKESMAN.search(text):
            return ""
        for n, m in enumerate(self.cast.mentions):
            if (
                source[0] <= self.tokens.starts[m.start]
                and self.tokens.ends[m.end - 1] <= source[1]
                and self.cast.who[n] >= 0
            ):
                person = self.cast.people[self.cast.who[n]]
                if person.human > 0:
                    return self.known_of(person.number)[1] or person.name
        return ""

    def known_of(self, person: int) -> tuple[str, str]:
        """Role and side of somebody, worked out once an article."""
        if person not in self.described:
            article, named = self.article, self.cast.people[person]
            elsewhere = (article.title, *article.key_points, *article.captions)
            found = sides.describe(self.tokens, self.cast, self.known, named, elsewhere)
            side = found.side
            if not side and found.role and sides.is_unaffiliated(found.role):
                side = sides.nearest_side(self.tokens, self.cast, self.cast.mentions[named.seen[0]].start)
            self.described[person] = (found.role, side)
        return self.described[person]

    def several(self, mention: Mention) -> tuple[str, str, str]:
        """Whom "they" and "it" mean: the last speaker that is no single person, two paragraphs back at most."""
        paragraph = self.tokens.paragraph[mention.start]
        singular = self.tokens.lower[mention.start].startswith("it")
        for at, speaker, role, side in reversed(self.said):
            if paragraph - self.tokens.paragraph[at] > 2:
                break
            who = next((p for p in self.cast.people if p.name == speaker), None)
            if not speaker or (who is not None and who.human >= 0):
                continue
            if singular and (" and " in speaker or (who is None and speaker.endswith("s"))):
                continue
            return speaker, role, side
        return "", "", ""

    def of_both(self, mention: Mention) -> str:
        """The side of "both sides": the two countries that its sentence names before it."""
        tokens = self.tokens
        words = tokens.lower[mention.start : mention.end]
        if not {"both", "two"} & set(words) or words[-1] not in ("sides", "countries", "governments", "nations"):
            return ""
        first = tokens.first[tokens.sentence[mention.start]]
        named = terms(tokens.text[tokens.starts[first] : tokens.starts[mention.start]])
        both = list(dict.fromkeys(t.side for t in named if t.kind == "country"))
        return " and ".join(both) if len(both) == 2 else ""
