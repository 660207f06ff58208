"""Which mentions of one text mean the same: names by their parts, pronouns and descriptions by who was there before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from broadsheet.stories.quotes.gazetteer import is_body
from broadsheet.stories.quotes.mentions import TITLES, Kind, Lexicon, Mention, given_names, mentions
from broadsheet.stories.quotes.tokens import Tokens, word_set


@dataclass(slots=True)
class Person:
    """Someone, or some body, that a text names: a working value of one run, never handed out."""

    number: int
    parts: tuple[str, ...]  # the words of the fullest name
    name: str  # the fullest name as it is written
    gender: int = 0  # 1 he, -1 she
    human: float = 0.0  # how sure it is that this is a person: above 0 yes, below no
    seen: list[int] = field(default_factory=list)  # numbers of the mentions, in order
    nouns: set[str] = field(default_factory=set)  # what it was called: senator, spokesman


_BODIES: Final = word_set("""
    department ministry university institute institution college school bank bureau office council committee
    commission centre center association federation agency party house court society board foundation organization
    organisation union fund league alliance army times post journal news herald tribune guardian reuters press group
    inc corp co ltd company network police senate congress parliament government state states united campaign project
    initiative forum survey poll act street tower university airlines airport street avenue club team studios media tv
    radio magazine review report service services system force navy corps guard church hospital national international
    nations white kremlin pentagon republicans democrats americans supreme
""")
# Titles that stand in for a person when nothing else of the name follows, beside what the words themselves say.
_NOUN_OF_TITLE: Final = {
    "sen": "senator", "rep": "congressman", "gov": "governor", "prof": "professor", "gen": "general", "col": "colonel",
    "representative": "congressman", "adm": "admiral", "lt": "lieutenant", "sgt": "sergeant", "capt": "captain",
}  # fmt: skip


def _human(tokens: Tokens, mention: Mention, parts: Sequence[str]) -> float:
    words = tokens.words
    lower = [p.lower() for p in parts]
    score = 0.0
    begin = mention.name[0]
    if any(tokens.lower[i] in TITLES for i in range(mention.start, begin)):
        score += 2.0
    if len(parts) > 1 and parts[0] in given_names():
        score += 1.5
    elif len(parts) in (2, 3) and all(p[0].isupper() for p in parts):
        score += 0.4
    if len(parts) > 1 and len(parts[1]) <= 2 and "." in words[begin : mention.end]:
        score += 1.0  # an initial
    if any(w in _BODIES for w in lower):
        score -= 2.0
    if any(not p[0].isupper() for p in parts) and any(p in ("of", "for") for p in parts):
        score -= 2.0
    if len(parts) == 1 and parts[0].isupper() and len(parts[0]) > 1:
        score -= 1.5
    if words[mention.start].lower() == "the" and mention.start + 1 == begin:
        score -= 1.0
    after = mention.end
    if after + 1 < len(words) and words[after] == "," and words[after + 1].isdigit() and len(words[after + 1]) == 2:
        score += 2.0  # a name and an age
    if after < len(words) and tokens.lower[after] == "who":
        score += 1.0
    if mention.start and tokens.lower[mention.start - 1] in ("in", "at", "from", "across", "near"):
        score -= 0.5
    return score


@dataclass(frozen=True, slots=True)
class Cast:
    """Everyone of a text, and of each mention who it is: the number of a `Person`, or -1."""

    mentions: list[Mention]
    people: list[Person]
    who: list[int]
    outside: list[int]  # of each mention, the words outside quotations before it


def _parts(tokens: Tokens, mention: Mention) -> tuple[str, ...]:
    return tuple(w for w in tokens.words[mention.name[0] : mention.name[1]] if w != "." and w != ",")


def cast(tokens: Tokens, known: Lexicon, *, names: Sequence[str] = (), title: str = "") -> Cast:
    """Who is named in a text: `names` are fuller forms known from elsewhere (the article's entities), `title` its title."""
    found = mentions(tokens, known)
    people: list[Person] = []
    who = [-1] * len(found)
    by_part: dict[str, list[Person]] = {}

    def add(parts: tuple[str, ...], name: str) -> Person:
        person = Person(len(people), parts, name)
        people.append(person)
        for part in {parts[0], parts[-1]}:
            by_part.setdefault(part, []).append(person)
        return person

    def matching(parts: tuple[str, ...], gender: int) -> Person | None:
        candidates = [*by_part.get(parts[-1], ()), *by_part.get(parts[0], ())]
        best: tuple[float, Person] | None = None
        for person in candidates:
            if not _agree(parts, person.parts):
                continue
            if gender and person.gender and gender != person.gender:
                continue
            points = len(person.seen) + (2.0 if person.parts[-1] == parts[-1] else 0.0) + len(person.parts)
            if best is None or points > best[0]:
                best = (points, person)
        return best[1] if best else None

    order = sorted(
        (n for n, m in enumerate(found) if m.kind == Kind.NAME and m.name[1] > m.name[0]),
        key=lambda n: (-min(len(_parts(tokens, found[n])), 3), n),
    )
    for n in order:
        mention = found[n]
        parts = _parts(tokens, mention)
        if not parts:
            continue
        person = matching(parts, mention.gender)
        if person is None:
            person = add(parts, tokens.text[tokens.starts[mention.name[0]] : tokens.ends[mention.name[1] - 1]])
        elif len(parts) > len(person.parts) and parts[-1] == person.parts[-1]:
            person.parts = parts
            person.name = tokens.text[tokens.starts[mention.name[0]] : tokens.ends[mention.name[1] - 1]]
        who[n] = person.number
        person.seen.append(n)
        person.human += _human(tokens, mention, parts)
        if mention.gender and not person.gender:
            person.gender = mention.gender
        for i in [*range(mention.start, mention.name[0])]:
            word = tokens.lower[i]
            if word in TITLES or word in known.heads:
                person.nouns.add(_NOUN_OF_TITLE.get(word, word))
    for person in people:
        person.seen.sort()
        _fuller(person, names, title)
        if not person.gender and len(person.parts) > 1:
            person.gender = given_names().get(person.parts[0], 0)
        if is_body(person.name):
            person.human = min(person.human, -1.0)
        if person.human < 0:
            person.gender = 0
    outside = [tokens.outside[m.start] for m in found]
    result = Cast(found, people, who, outside)
    _described(tokens, result, known)
    for number, mention in enumerate(found):
        if mention.kind == Kind.DESCRIPTION:
            who[number] = _noun(tokens, result, number, ())
    return result


def _agree(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether two names can be one: one's last word is the other's last (or only the first of a longer name), no part contradicts."""
    if a == b:
        return True
    short, whole = (a, b) if len(a) <= len(b) else (b, a)
    if len(short) == 1:
        if not short[0][0].isupper():
            return False
        if short[0] == whole[-1]:
            return "of" not in whole
        return short[0] == whole[0] and len(whole) <= 3 and len(short[0]) > 1 and whole[0].lower() not in _BODIES
    if short[-1] != whole[-1]:
        return False
    rest = [p for p in short[:-1] if len(p) > 1]
    return all(p in whole for p in rest) or (
        short[0] != whole[0] and short[0][:3] == whole[0][:3]  # Joe, Joseph; Tom, Thomas does not
    )


def _fuller(person: Person, names: Sequence[str], title: str) -> None:
    """A longer form of the name from outside the text, where the text has only a part of it."""
    if len(person.parts) > 1:
        return
    part = person.parts[0]
    for name in names:
        words = name.split()
        if len(words) > 1 and part in (words[-1], words[0]) and len(words) <= 4:
            person.name, person.parts = name, tuple(words)
            person.human += 0.5
            return
    if not title or part not in title:
        return
    # Headlines In Capitals run names into their neighbours, so only a pair with a known given name is taken from one.
    for m in re.finditer(
        rf"([^\W\d_][\w\-.]+) {re.escape(part)}(?!\w)|(?<!\w){re.escape(part)} ([^\W\d_][\w\-]+)", title
    ):
        if m[1] and m[1] in given_names():
            person.name, person.parts = m[0], (m[1], part)
            person.human += 1.0
            return


def _described(tokens: Tokens, cast_: Cast, known: Lexicon) -> None:
    """What stands beside a name in commas says who it is: ", a senior fellow at …"."""
    lower = tokens.lower
    n = len(lower)
    for number, mention in enumerate(cast_.mentions):
        if cast_.who[number] < 0 or mention.kind != Kind.NAME:
            continue
        person = cast_.people[cast_.who[number]]
        at = mention.end
        if at < n and lower[at] == ",":
            for i in range(at + 1, min(n, at + 12)):
                if tokens.sentence[i] != tokens.sentence[at] or lower[i] in (",", "who", "which"):
                    break
                if known.cue_of(lower[i]) > 1.0:  # ", according to the readout": no longer about the name
                    break
                if lower[i] in known.heads and tokens.words[i][0].islower():
                    person.nouns.add(lower[i])
                    person.human += 0.3
                if lower[i] in ("of", "for", "at", "in", "with"):
                    break


def resolve(tokens: Tokens, cast_: Cast, number: int, speakers: Sequence[tuple[int, int]]) -> int:
    """Who a mention means: the number of a person, or -1 where nobody fits.

    `speakers` are the earlier decisions of the same text: (word where the source stands, person), in order.
    """
    mention = cast_.mentions[number]
    if cast_.who[number] >= 0:
        return cast_.who[number]
    if mention.kind == Kind.WHO:
        # who, which: the name that it follows
        for before in range(number - 1, max(-1, number - 4), -1):
            if (
                cast_.who[before] >= 0
                and tokens.sentence[cast_.mentions[before].start] == tokens.sentence[mention.start]
            ):
                return cast_.who[before]
        return -1
    if mention.kind == Kind.HE_SHE:
        return _pronoun(tokens, cast_, number, speakers)
    if mention.kind == Kind.DESCRIPTION:
        return _noun(tokens, cast_, number, speakers)
    return -1


_OBJECT: Final = word_set("""
    to of with for by about against from on at told than over between under and like as in
""")


def _pronoun(tokens: Tokens, cast_: Cast, number: int, speakers: Sequence[tuple[int, int]]) -> int:
    mention = cast_.mentions[number]
    here, paragraph = tokens.sentence[mention.start], tokens.paragraph[mention.start]
    points: Counter[int] = Counter()
    for before in range(number - 1, -1, -1):
        other = cast_.mentions[before]
        if paragraph - tokens.paragraph[other.start] > 4 or number - before > 60:
            break
        who = cast_.who[before]
        if who < 0:
            continue
        person = cast_.people[who]
        if person.human < 0 or (person.gender and mention.gender and person.gender != mention.gender):
            continue
        sentences = here - tokens.sentence[other.start]
        score = 3.0 - min(sentences, 6) * 0.9 - 0.15 * min(8, number - before)
        if other.start and tokens.sentence[other.start - 1] == tokens.sentence[other.start]:
            if tokens.lower[other.start - 1] in _OBJECT:
                score -= 1.2
        else:
            score += 0.8  # opens its sentence: what it is about
        if other.end < len(tokens.lower) and tokens.lower[other.end] in ("'s", "’s"):
            score -= 0.8
        if person.gender and person.gender == mention.gender:
            score += 0.8
        if person.human > 1:
            score += 0.5
        points[who] = max(points.get(who, -99), score)  # type: ignore[assignment]
    for age, (at, who) in enumerate(reversed(speakers[-3:])):
        if who < 0 or at > mention.start:
            continue
        person = cast_.people[who]
        if person.gender and mention.gender and person.gender != mention.gender:
            continue
        if person.human < 0:
            continue
        distance = paragraph - tokens.paragraph[at]
        if distance <= 3:
            points[who] = max(points.get(who, 0.0), 0.0) + 2.2 - 0.8 * age - 0.4 * distance  # type: ignore[assignment]
    if not points:
        return -1
    return max(points.items(), key=lambda p: (p[1], -p[0]))[0]


def _noun(tokens: Tokens, cast_: Cast, number: int, speakers: Sequence[tuple[int, int]]) -> int:
    mention = cast_.mentions[number]
    if tokens.lower[mention.start] not in ("the", "that", "this") or mention.end - mention.start > 4:
        return -1
    if tokens.lower[mention.head].endswith("s"):
        return -1  # several
    after = mention.end
    if after < len(tokens.lower) and tokens.lower[after] in ("of", "for", "from", "at", "who", "in"):
        return -1
    noun = tokens.lower[mention.head]
    best, reached = -1, -1
    for before in range(number - 1, -1, -1):
        who = cast_.who[before]
        if who >= 0 and noun in cast_.people[who].nouns:
            best, reached = who, before
            break
    for at, who in reversed(speakers[-4:]):
        if who >= 0 and noun in cast_.people[who].nouns:
            if reached < 0 or at > cast_.mentions[reached].start:
                best = who
            break
    return best
