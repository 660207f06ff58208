"""What somebody is called and for whom they speak, from the words that stand beside their name."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from broadsheet.stories.quotes.gazetteer import members, terms
from broadsheet.stories.quotes.mentions import PRONOUNS, TITLES, Kind, Lexicon, Mention
from broadsheet.stories.quotes.people import Cast, Person
from broadsheet.stories.quotes.tokens import Tokens, word_set

ANALYSTS = "analysts"
_OBSERVERS: Final = re.compile(
    r"(?i)(?<![\w-])(?:analysts?|fellow|experts?|professors?|scholars?|economists?|researchers?|lecturers?|historians?|academics?|"
    r"political scientists?|pollsters?|commentators?|think[ -]tank|observers?|legal scholars?|strategists? at|specialists?|"
    r"criminologists?|sociologists?)(?![\w-])"
)
# Whoever leads or speaks for a body says what it holds, whatever else they are called.
_SPEAKS_FOR: Final = re.compile(r"(?i)\bspokes\w+|\bspeaking for\b|\bon behalf\b")
SPOKESMAN: Final = re.compile(r"(?i)\b(?:spokes\w+|aide|aides|adviser|advisor|lawyer|attorney|office|campaign)\b")
_LABEL: Final = re.compile(
    r"^[\s,]*[(\[]?\s*(R|D|I|Republican|Democrat)(?:[-–—‑.,]\s?[A-Z][\w.]*\.?(?:\s[A-Z][a-z]+\.?)?)?\s*[)\],]"
)
_CAMPAIGN: Final = re.compile(
    r"(?:[A-Z][\w’'.-]+ )+(?:[a-z]+ )?(?:campaign|administration|team|transition|camp|government|ministry|embassy|foundation)\b"
)
_CAMPAIGNER: Final = re.compile(
    r"\b([A-Z][\w-]+)(?:’s|'s)?(?: [a-z]+)? (?:campaign|spokes\w+|aide|adviser|advisor|strategist|surrogate|manager|press secretary)\b"
)
_BEFORE_NAME: Final = re.compile(r"([A-Z][\w’'.&-]+(?: [A-Z][\w’'.&-]+)*)(?:’s|'s)\s+$")
_UNAFFILIATED: Final = re.compile(
    r"(?i)\b(?:spokes\w+|officials?|secretary|minister|ministry|diplomats?|envoy|delegation|government|readout|ambassador)\b"
)
_WORDS_OF_BODY: Final = re.compile(
    r"\b(?:Department|Ministry|University|Institute|Institution|Council|Commission|Committee|Centre|Center|Association|Federation|"
    r"Agency|Party|Group|Foundation|Organi[sz]ation|Union|Bank|Court|Office|Bureau|Authority|Company|Corporation|Corp|Inc|Ltd|PAC|"
    r"Church|Club|League|Network|Society|Board|School|College|Hospital|Police|Times|Post|News|Coalition|Alliance|Fund|House|Army|Navy|"
    r"Senate|Congress|Parliament|Assembly)\b"
)


def side_of(role: str) -> str:
    """For whom somebody with this role speaks; empty where the words do not say.

    Observers of a matter (analysts, professors, fellows of an institute) are one side of their own, whoever employs
    them. Then the party, then the country or body; what follows "for" or "to" counts last, unless the role is to speak.
    """
    if not role:
        return ""
    speaks = _SPEAKS_FOR.search(role)
    if _OBSERVERS.search(role) and not speaks:
        return ANALYSTS
    found = terms(role)
    best: tuple[float, int, str] | None = None
    for term in found:
        before = role[: term.start]
        points = 0.0
        preposition = re.findall(r"\b(of|at|with|from|for|to|on|in|against|over)\b", before)
        if preposition:
            last = preposition[-1]
            points = 1.0 if last in ("of", "at", "with", "from") else 3.0
            if last == "for" and (speaks or term.kind == "body"):
                points = 1.0
        if term.kind == "party":
            points -= 1.5
        if best is None or (points, term.start) < best[:2]:
            best = (points, term.start, term.side)
    if best and best[0] < 3.0:
        return best[2]
    if m := _CAMPAIGN.search(role):
        return re.sub(r"^(?:The|A|An) ", "", m.group())
    if (m := _CAMPAIGNER.search(role)) and not _WORDS_OF_BODY.search(m[1]):
        return f"{m[1]} campaign" if "campaign" in m.group() else m[1]
    # "spokesman for Planned Parenthood", "director of the Sierra Club", "the company's chief"
    if m := re.search(
        r"\b(?:of|at|for|with|from)\s+(?:the\s+)?((?:[A-Z][\w’'&.-]*)(?:\s+(?:of|for|and|the|on|[A-Z][\w’'&.-]*))*)",
        role,
    ):
        name = re.sub(r"(?:\s+(?:of|for|and|the|on|in))+$", "", m[1]).rstrip(".,")
        if name and name not in ("State", "Staff"):
            return re.sub(r"(?:’s|'s)$", "", name)
    if m := re.search(
        r"((?:[A-Z][\w&.-]+\s)*[A-Z][\w&.-]+)(?:’s|'s)?\s(?:[a-z]+\s)*(?:spokes\w+|president|chairman|chairwoman|director|chief|CEO|editor|founder|correspondent|host|reporter|official)",
        role,
    ):
        return m[1]
    return best[2] if best else ""


def cleaned(role: str) -> str:
    return re.sub(
        r"^(?:(?:a|an|the|also|and|but|then|both|as)(?:\s+|$))+", "", role.strip(" ,;:—–-"), flags=re.I
    ).strip()


@dataclass(frozen=True, slots=True)
class Described:
    role: str
    side: str


_VERBS: Final = word_set("""
    will would is was were are has had have did does do could can may might should been be
""")
_OF_A_ROLE: Final = re.compile(r"(?:er|or|ist|man|woman|ent|ant|ian|ive|chief|head|dean|ceo)s?$")


def apposition(tokens: Tokens, known: Lexicon, end: int) -> tuple[int, int] | None:
    """The words in commas after a name that say who it is, as offsets; None where none do."""
    n = len(tokens.words)
    if end >= n or tokens.words[end] != ",":
        return None
    here = tokens.sentence[end]
    at = end + 1
    if at < n and tokens.words[at].isdigit() and at + 1 < n and tokens.words[at + 1] == ",":
        at += 2  # a name, an age, who that is
    start = at
    headed = tokens.lower[start] in ("a", "an", "the", "his", "her", "their", "its", "one") if start < n else False
    while at < n and tokens.sentence[at] == here and tokens.quoted[at] < 0 and at - start < 28:
        word = tokens.lower[at]
        if word in (",", ";", "(", "“", '"', "—", "–") or (word == "." and at + 1 >= n):
            break
        if word == "." and (at + 1 >= n or tokens.sentence[at + 1] != here):
            break
        if word in ("who", "which", "whose", "said", "says") and at > start:
            break
        of_a_noun = at > start and tokens.lower[at - 1] in ("of", "for", "the", "a", "and", "'s", "’s")
        if known.cue_of(word) > 0.5 and word not in known.heads and not of_a_noun:
            return None  # a verb of saying: the words go on
        if word in _VERBS or (
            word in PRONOUNS and word not in ("his", "her", "their", "its", "that") and tokens.words[at] != "US"
        ):
            return None  # a clause that goes on, not who somebody is
        if word in known.heads or _OF_A_ROLE.search(word):
            headed = True
        if at == start and word in ("who", "which", "but", "and", "whose", "where", "when", "while", "in", "on", "as"):
            return None
        at += 1
    if not headed or at == start:
        return None
    # ", chairman of the Foreign Relations Committee, said": "and" may go on with another office
    return tokens.starts[start], tokens.ends[at - 1]


def labelled(tokens: Tokens, end: int) -> str:
    """The party that a label right after a name gives: (R-Texas), D-Mass."""
    if end >= len(tokens.words):
        return ""
    after = tokens.text[tokens.ends[end - 1] : tokens.ends[end - 1] + 30]
    m = _LABEL.match(after)
    if not m:
        return ""
    return {"R": "Republicans", "D": "Democrats", "I": "independents"}[m[1][0]]


def before_name(tokens: Tokens, mention: Mention) -> str:
    """What stands in front of a name and is part of its phrase, with a possessor: "China’s", "US Secretary of State"."""
    if mention.name[0] > mention.start:
        start = tokens.starts[mention.start]
        return tokens.text[start : tokens.starts[mention.name[0]]].strip()
    return ""


def _possessor(tokens: Tokens, mention: Mention) -> str:
    start = tokens.starts[mention.start]
    m = _BEFORE_NAME.search(tokens.text, max(0, start - 60), start) if mention.start else None
    if m is None:
        piece = tokens.text[max(0, start - 60) : start]
        m = _BEFORE_NAME.search(piece)
    return m[1] if m else ""


def _in_front(name: str, parts: tuple[str, ...], elsewhere: str) -> str:
    """What stands before a name in a headline or caption: "China’s Foreign Minister" of "China’s Foreign Minister Qin Gang"."""
    short = name if name in elsewhere else parts[-1]
    m = re.search(rf"((?:[A-Z][\w.’'-]*\s+(?:of\s+|for\s+)?)+)(?:{re.escape(short)})(?!\w)", elsewhere)
    return m[1].strip() if m else ""


def describe(tokens: Tokens, cast: Cast, known: Lexicon, person: Person, elsewhere: Sequence[str] = ()) -> Described:
    """The role that a text gives somebody, in its own words, and the side it puts them on.

    `elsewhere` are the article's title, key points and captions: they are asked where the text itself is silent.
    """
    own = own_side(person.name) if person.human <= 0 else ""
    whole = terms(person.name)
    if own and whole and whole[0].start == 0 and whole[0].end >= len(person.name) - 2:
        return Described("", own)  # a country, a government, a party: it speaks for itself
    roles: list[str] = []
    side = possessed = ""
    for n in person.seen:
        mention = cast.mentions[n]
        if not side:
            side = labelled(tokens, mention.end)
        front = before_name(tokens, mention)
        possessor = _possessor(tokens, mention)
        if possessor and front and terms(possessor):
            # "China’s Foreign Minister Qin Gang"
            at = tokens.text.rfind(possessor, 0, tokens.starts[mention.start])
            front = tokens.text[at : tokens.starts[mention.name[0]]].strip()
        elif possessor and not front:
            named = terms(possessor)
            if named and not possessed:
                possessed = named[0].side
        beside = apposition(tokens, known, mention.end)
        if beside:
            roles.append(cleaned(tokens.text[beside[0] : beside[1]]))
        if front:
            roles.append(cleaned(front))
    for other in elsewhere:
        if person.parts[-1] in other and (front := cleaned(_in_front(person.name, person.parts, other))):
            if any(w.lower() in TITLES for w in front.split()):
                roles.append(front)
            elif (named := terms(front)) and not possessed:
                possessed = named[-1].side
    kept = [r for r in dict.fromkeys(roles) if r and not _BARE.fullmatch(r)]
    found = [(r, side_of(r)) for r in kept]
    role = max(kept, key=lambda r: (bool(side_of(r)), min(len(r), 60)), default="")
    if any(s == ANALYSTS for _, s in found) and not any(_SPEAKS_FOR.search(r) for r in kept):
        side = ANALYSTS
    if not side:
        side = next((s for _, s in found if s), "") or possessed
    if not side and person.name in members() and _IN_CONGRESS.search(" ".join([*kept, *person.nouns])):
        side = members()[person.name]
    return Described(role, side or own)


_BARE: Final = re.compile(r"(?i)(?:mr|mrs|ms|dr|sir|miss)\.?")
_IN_CONGRESS: Final = re.compile(r"(?i)\b(?:sen|rep|senator|congress\w+|representative|lawmaker|house|leader|whip)\b")


def own_side(name: str) -> str:
    """The side that a body or a country is itself: of a ministry, its country's; of a company, its own name."""
    named = terms(name)
    if named:
        return named[0].side
    return re.sub(r"^(?:The|the)\s+", "", name)


def is_unaffiliated(role: str) -> bool:
    return bool(_UNAFFILIATED.search(role))


def nearest_side(tokens: Tokens, cast: Cast, at: int, back: int = 3) -> str:
    """The side of the last government or body named before the word `at`, a few sentences back at most."""
    here = tokens.sentence[at]
    before = bisect_left(cast.mentions, at, key=lambda m: m.start)
    for mention in reversed(cast.mentions[max(0, before - 60) : before]):
        if here - tokens.sentence[mention.start] > back:
            return ""
        if mention.kind in (Kind.NAME, Kind.DESCRIPTION):
            phrase = tokens.text[tokens.starts[mention.start] : tokens.ends[mention.end - 1]]
            for term in terms(phrase):
                if term.kind == "body" or (term.kind == "country" and mention.kind == Kind.DESCRIPTION):
                    return term.side
    return ""
