"""Who and what a text mentions that could speak: names, pronouns, and descriptions such as "a senior official"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from importlib import resources
from typing import Final

from broadsheet.stories.quotes.tokens import Tokens, word_set


class Kind(IntEnum):
    NAME = 0
    DESCRIPTION = 1
    HE_SHE = 2
    THEY_IT = 3
    WHO = 4
    SELF = 5


PRONOUNS: Final[Mapping[str, Kind]] = {
    "he": Kind.HE_SHE, "she": Kind.HE_SHE, "his": Kind.HE_SHE, "her": Kind.HE_SHE, "him": Kind.HE_SHE,
    "they": Kind.THEY_IT, "it": Kind.THEY_IT, "their": Kind.THEY_IT, "its": Kind.THEY_IT, "them": Kind.THEY_IT,
    "who": Kind.WHO, "which": Kind.WHO, "i": Kind.SELF, "we": Kind.SELF, "you": Kind.SELF, "me": Kind.SELF,
    "my": Kind.SELF, "our": Kind.SELF, "us": Kind.SELF, "that": Kind.WHO, "those": Kind.THEY_IT,
}  # fmt: skip
_CONTRACTED: Final = {"he's": "he", "he’s": "he", "she's": "she", "she’s": "she", "i'm": "i", "i’m": "i", "he'd": "he",
                      "he’d": "he", "she'd": "she", "she’d": "she", "they're": "they", "they’re": "they",
                      "it's": "it", "it’s": "it", "we're": "we", "we’re": "we", "they've": "they", "they’ve": "they",
                      "he'll": "he", "he’ll": "he", "she'll": "she", "she’ll": "she"}  # fmt: skip


# Written large at the head of a sentence, no name all the same.
NO_NAMES: Final = word_set(
    """
    a about above according across actually add after again against ago all almost along already also although always
    am amid among an and another any anyone anything are around as asked at away back be because before beginning behind
    being below beside besides best better between beyond both but by can clearly could currently despite did do does
    doing done down during each earlier early either else elsewhere end enough especially even eventually ever every
    everyone everything except exactly few finally first following for former formerly fortunately four from further
    get given go going good got had half has have having he hello hence her here hers herself hi him himself his how
    however i if in indeed inside instead into is it its itself just last late later lately least less let like likely
    look made many may maybe me meanwhile might mine more moreover most mostly much must my myself nearly neither never
    nevertheless new next no nobody none nonetheless nor not nothing now of off often oh ok okay on once one only onto
    or other others otherwise our ours out outside over overall own people perhaps please previously quite rather
    read really recently regardless right said same say says second see seems several shall she should show similarly
    simply since six so some somebody someone something sometimes soon still such sure take ten than thank thanks that
    the their theirs them then there therefore these they thing things think this those though three through throughout
    thus to today together told tomorrow tonight too toward towards two under unfortunately unless unlike until up upon
    us use usually very via wait was watch we well were what whatever when whenever where whereas whether which while
    who whoever whom whose why will with within without word words would yes yesterday yet you young your yours
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
    october november december photo image video related advertisement ap getty updated editor note
    asked speaking citing noting adding saying responding seeking calling facing using making taking looking writing
    analysts officials critics supporters experts republicans democrats voters police prosecutors researchers
    state states meanwhile additionally critics clinton’s trump’s nearly roughly
    """
) - word_set("republicans democrats state states clinton’s trump’s may march will")
_JOINS: Final = word_set("of for de la del di da do dos das von van der den ter bin ibn al el y und du le the and e")
_STARTS_NO_NAME: Final = word_set("of for y und the and e")
TITLES: Final = word_set(
    """
    mr mrs ms miss dr sir dame lord lady prof professor sen senator rep representative gov governor president
    vice secretary minister prime chancellor king queen prince princess pope cardinal archbishop bishop rabbi imam
    rev reverend judge justice chief general gen col colonel lt lieutenant capt captain sgt sergeant major maj admiral
    adm mayor councilman councilwoman councillor congressman congresswoman speaker leader chairman chairwoman
    chair director attorney ambassador commissioner sheriff detective officer deputy foreign defence defense
    interior finance premier sheikh sultan emperor ayatollah premier coach first lady former ex-president
    adviser advisor envoy coordinator negotiator strategist counsel editor correspondent historian economist analyst
    analysts manager columnist pastor mp mps mep msp cllr secretary-general witness constable deputy bundeskanzler kanzler
    kanzlerin bundeskanzlerin präsident ministerpräsident président présidente ministre presidente ministro herr frau monsieur
    madame señor señora
    spokesman spokeswoman spokesperson assistant undersecretary treasurer superintendent inspector constable
    """
)
_FEMALE: Final = word_set(
    """mrs ms miss dame lady queen princess congresswoman councilwoman chairwoman spokeswoman businesswoman
    saleswoman actress mother daughter wife sister woman girl widow grandmother madam madame aunt assemblywoman first-lady
    policewoman waitress heiress hostess alderwoman noblewoman duchess baroness nun sportswoman"""
)
_MALE: Final = word_set(
    """mr sir lord king prince pope congressman councilman chairman spokesman businessman salesman actor father son
    husband brother man boy widower grandfather uncle assemblyman policeman waiter alderman sheikh sultan emperor
    duke baron monk rabbi imam ayatollah cardinal archbishop bishop"""
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A candidate speaker: the words [start, end), with the words that make up its name, if it has one."""

    start: int
    end: int
    kind: Kind
    head: int  # the word that the phrase stands on
    name: tuple[int, int] = (0, 0)  # of a name, its words without titles
    gender: int = 0  # 1 he, -1 she, 0 not said


@lru_cache(maxsize=1)
def given_names() -> Mapping[str, int]:
    """Given names with whom they mostly name: 1 men, -1 women, 0 both."""
    written = (resources.files("broadsheet.stories") / "data" / "given.tsv").read_text("utf-8")
    return {name: int(sex) for line in written.splitlines() for name, sex in (line.split("\t"),)}


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What was learned of words, as logarithms of odds: where each stands beside a source, a cue, a content."""

    cue: Mapping[str, float]  # it is (part of) a cue
    before: Mapping[str, float]  # a source follows it
    after: Mapping[str, float]  # it follows a source
    heads: Mapping[str, float]  # a description of a source stands on it
    cue_after: Mapping[str, float]  # what could be a cue is one after it
    cue_before: Mapping[str, float]  # and before it
    start: Mapping[str, float]  # a content begins with it
    start_after: Mapping[str, float]  # and after it
    end: Mapping[str, float]  # a content ends with it
    end_before: Mapping[str, float]  # and before it

    def cue_of(self, word: str) -> float:
        known = self.cue.get(word)
        if known is not None:
            return known
        return -4.0 if word.endswith(("ed", "s", "ing")) else -6.0


TABLES: Final = (
    "cue",
    "before",
    "after",
    "heads",
    "cue_after",
    "cue_before",
    "start",
    "start_after",
    "end",
    "end_before",
)


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The words that the package ships, fitted by `scripts/train_quotes.py`: natural logarithms of odds."""
    tables: dict[str, dict[str, float]] = {name: {} for name in TABLES}
    written = (resources.files("broadsheet.stories") / "data" / "quote_words.tsv").read_text("utf-8")
    for line in written.splitlines():
        table, word, odds = line.split("\t")
        tables[table][word] = int(odds) / 10
    return Lexicon(**tables)


def _gender(words: list[str]) -> int:
    for word in words:
        if word in _FEMALE:
            return -1
        if word in _MALE:
            return 1
    return 0


def _is_capital(word: str) -> bool:
    return word[0].isupper() or (len(word) > 1 and word[0] in "@" and word[1].isalnum())


def mentions(tokens: Tokens, known: Lexicon) -> list[Mention]:
    """The candidates of a text outside its quotations, in order, none within another but pronouns."""
    words, lower = tokens.words, tokens.lower
    lower_seen = {w for w, q in zip(words, tokens.quoted, strict=True) if w[0].islower()}
    opening = set(tokens.first)
    found: list[Mention] = []
    n = len(words)
    i = 0
    while i < n:
        word = words[i]
        if tokens.quoted[i] >= 0 or (not word[0].isalnum() and word[0] not in "@"):
            i += 1
            continue
        small = lower[i]
        said = _CONTRACTED.get(small, small)
        if said in PRONOUNS and not (word == "US" or (word[0] == "U" and small == "us")):
            if small != "that" or (
                i and lower[i - 1] not in known.cue and i + 1 < n and known.cue_of(lower[i + 1]) > 0
            ):
                gender = 1 if said in ("he", "his", "him") else -1 if said in ("she", "her") else 0
                found.append(Mention(i, i + 1, PRONOUNS[said], i, gender=gender))
            i += 1
            continue
        if _is_capital(word) and not _opens_a_sentence(i, word, small, opening, lower_seen, words):
            name = _name(tokens, i)
            if name is not None:
                found.append(_widened(tokens, name, known, found))
                i = name.end
                continue
        if (small in known.heads and (word[0].islower() or i in opening or small in NO_NAMES)) or _is_subject(
            tokens, i, known
        ):
            mention = _description(tokens, i, known, found)
            if mention is not None:
                # "the Chinese readout", "Trump campaign officials": a name in front is part of the phrase, a possessor is not
                while (
                    found
                    and found[-1].start >= mention.start
                    and found[-1].kind in (Kind.NAME, Kind.DESCRIPTION)
                    and lower[found[-1].end] not in ("'s", "’s")
                ):
                    found.pop()
                found.append(mention)
        i += 1
    return found


_BETWEEN: Final = word_set(
    "also then later has have had recently once often still is are was were do does did not never now already will would"
)


def _is_subject(tokens: Tokens, i: int, known: Lexicon) -> bool:
    """Whether a word of unknown kind is what a cue is said of: "developers see", "the affidavit does not indicate"."""
    words, lower = tokens.words, tokens.lower
    word = lower[i]
    if (
        not word.isalpha()
        or len(word) < 3
        or word in _STOPS
        or word in _DETERMINERS
        or word in NO_NAMES
        or word.endswith(("ly", "ing"))
        or known.cue_of(word) > -2.5
    ):
        return False
    for at in range(i + 1, min(i + 4, len(words))):
        if tokens.quoted[at] >= 0 or tokens.sentence[at] != tokens.sentence[i]:
            return False
        if known.cue.get(lower[at], -9.0) > -1.5:
            return True
        if lower[at] not in _BETWEEN and not lower[at].endswith("ly"):
            return False
    return False


def _opens_a_sentence(i: int, word: str, small: str, opening: set[int], lower_seen: set[str], words: list[str]) -> bool:
    """Whether a capital may be only that of a sentence's first word."""
    if small in NO_NAMES and not (len(word) > 1 and word.isupper() and word not in ("IN", "ON", "AT", "THE", "AND")):
        return True
    if small.partition("-")[0] in _NUMBERS:
        return True
    if i in opening and small in lower_seen and small not in TITLES:
        following = words[i + 1] if i + 1 < len(words) else ""
        return not (following and following[0].isupper())
    return False


def _name(tokens: Tokens, i: int) -> Mention | None:
    words, lower, quoted = tokens.words, tokens.lower, tokens.quoted
    n = len(words)
    here = tokens.sentence[i]
    end = i + 1
    while end < n and quoted[end] < 0 and tokens.sentence[end] == here:
        word = words[end]
        glued = tokens.starts[end] == tokens.ends[end - 1]
        if word == "." and end + 1 < n and (len(words[end - 1]) == 1 or lower[end - 1] in _SHORT):
            if words[end + 1][0].isupper() and tokens.sentence[end + 1] == here:
                end += 1
                continue
            break
        if _is_capital(word) and (not glued or words[end - 1] == "."):
            if lower[end] in ("i", "he", "she", "they", "it", "we"):
                break
            end += 1
            continue
        if (
            lower[end] in _JOINS
            and word[0].islower()
            and not glued
            and end + 1 < n
            and quoted[end + 1] < 0
            and tokens.sentence[end + 1] == here
        ):
            ahead = end + 1
            if lower[ahead] in ("the", "la", "los", "las", "der", "den") and ahead + 1 < n:
                ahead += 1
            if words[ahead][0].isupper() and _joins(lower[end], lower, i, end):
                end = ahead + 1
                continue
        break
    if words[end - 1] == ".":
        end -= 1
    begin = _without_titles(words, lower, i, end)
    gender = _gender(lower[i:begin])
    if not gender and begin < end:
        gender = given_names().get(words[begin], 0) if end - begin > 1 else 0
    return Mention(i, end, Kind.NAME, end - 1, (begin, end), gender)


def _without_titles(words: list[str], lower: list[str], start: int, end: int) -> int:
    """Where the name itself begins in a run such as "Former Secretary of State Hillary Clinton"."""
    last = -1
    for at in range(start, end - 1):
        if lower[at] in TITLES or lower[at].startswith("ex-"):
            last = at
    begin = last + 1 if last >= 0 else start
    while begin < end - 1 and words[begin] == ".":
        begin += 1
    if begin > start and lower[begin] in ("of", "for"):
        # "Director of National Intelligence James Clapper": the office reaches to the first given name
        for at in range(begin + 1, end - 1):
            if words[at] in given_names():
                return at
        begin = begin + 2 if end - begin > 3 else start
    if begin >= end or any(lower[at] in _ORGANISATION for at in range(begin, end)):
        return start
    if begin == end - 1 and lower[begin] in TITLES:
        return start  # "Prime Minister": the title stands for the person
    while begin < end - 2 and lower[begin] in _LABELS:
        begin += 1
    return begin


_LABELS: Final = word_set(
    "republican democrat democratic gop conservative labour labor liberal tory sunni shiite catholic"
)
_SHORT: Final = word_set(
    "mr mrs ms dr prof sen rep gov lt col gen sgt capt adm st jr sr hon rev pres sec dept atty asst maj ft mt"
)
_OFFICES: Final = word_set(
    "secretary minister director president speaker duke prince princess king queen head duchess archbishop bishop bank"
)
_NUMBERS: Final = word_set(
    """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million jan feb aug sept oct nov dec"""
)
_ORGANISATION: Final = word_set(
    """department ministry university institute institution college school bank bureau office council committee
    commission centre center association federation agency party house chamber court society board foundation
    organization organisation union fund league confederation alliance army republic kingdom daughters motors electric
    services intelligence bureau news times post"""
)


def _joins(word: str, lower: list[str], start: int, end: int) -> bool:
    if word in ("of", "for"):
        return any(w in _ORGANISATION or w in _OFFICES for w in lower[start:end])
    if word in ("and", "the", "e", "y", "und"):
        return word != "the" and any(w in _ORGANISATION for w in lower[start:end]) and "of" in lower[start:end]
    return True


def _widened(tokens: Tokens, name: Mention, known: Lexicon, found: list[Mention]) -> Mention:
    """The name with the words in front that say who it is: "campaign manager Robby Mook"."""
    begin = name.start
    lower = tokens.lower
    if begin and lower[begin - 1] in known.heads and _same(tokens, begin - 1, begin):
        described = _description(tokens, begin - 1, known, found)
        if described is not None:
            gender = name.gender or described.gender
            while found and found[-1].start >= described.start:
                found.pop()
            return Mention(described.start, name.end, Kind.NAME, name.head, name.name, gender)
    elif begin and lower[begin - 1] == "the" and _same(tokens, begin - 1, begin):
        return Mention(begin - 1, name.end, name.kind, name.head, name.name, name.gender)
    return name


def _same(tokens: Tokens, a: int, b: int) -> bool:
    return tokens.quoted[a] < 0 and tokens.sentence[a] == tokens.sentence[b]


_STOPS: Final = word_set(
    """
    of in on at by for with from to as that which who and or but nor so than then if when while where because since
    until after before about against among between into over under through during without within per via like said says
    say told is are was were be been being am has have had do does did will would can could may might must shall should
    not n't i he she it we they you him them me us what why how also just even only there here now asked added called
    according out up off down earlier later however yet more less
    """
)
_DETERMINERS: Final = word_set(
    "the a an this that these those some many several most few both all no any each every one two"
)


def _description(tokens: Tokens, head: int, known: Lexicon, found: list[Mention]) -> Mention | None:
    """The phrase that ends at `head`, back to its determiner: at most seven words."""
    words, lower = tokens.words, tokens.lower
    begin = head
    while begin > 0 and head - begin < 7 and _same(tokens, begin - 1, head):
        before = lower[begin - 1]
        if before in _DETERMINERS:
            begin -= 1
            if (
                lower[begin] in ("the", "this", "that", "these", "those")
                and begin
                and lower[begin - 1] in ("all", "both")
            ):
                begin -= 1
            break
        if before in ("'s", "’s"):
            begin -= 1
            continue
        if before in ("his", "her", "their", "its", "my", "our", "your", "whose"):
            begin -= 1
            break
        if not words[begin - 1][0].isalnum():
            if (
                before == "."
                and begin > 1
                and (lower[begin - 2] in ("u.s", "u.k", "u.n") or lower[begin - 2] in _SHORT)
            ):
                begin -= 2
                continue
            break
        if before in _STOPS or known.cue_of(before) > -1.0 or before.endswith("ly"):
            break
        begin -= 1
    return Mention(begin, head + 1, Kind.DESCRIPTION, head, gender=_gender([lower[head]]))
