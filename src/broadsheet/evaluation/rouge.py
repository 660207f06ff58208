"""ROUGE counts: the words and pairs of words that two texts share, stemmed, small words left out.

The settings are those of published timeline work (Martschat and Markert, 2017): ROUGE-1 and ROUGE-2, Porter's stemmer,
stop words removed before pairs are made. The stop words are those of Salton and Buckley's SMART system, on which the list
of the original program stands too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Counts", "grams", "overlap", "stem", "tokens"]

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
# What a tokeniser that splits contractions leaves behind, and bracket names of the Penn Treebank.
_PIECES = frozenset(["s", "t", "d", "m", "ll", "re", "ve", "nt", "ca", "wo", "lrb", "rrb", "lsb", "rsb"])


@dataclass(frozen=True, slots=True)
class Counts:
    """What a system's text and a person's share, and how much each has."""

    shared: float
    system: float
    person: float


_STOP = _PIECES | frozenset(
    [
        "a",
        "able",
        "about",
        "above",
        "according",
        "accordingly",
        "across",
        "actually",
        "after",
        "afterwards",
        "again",
        "against",
        "all",
        "allow",
        "allows",
        "almost",
        "alone",
        "along",
        "already",
        "also",
        "although",
        "always",
        "am",
        "among",
        "amongst",
        "an",
        "and",
        "another",
        "any",
        "anybody",
        "anyhow",
        "anyone",
        "anything",
        "anyway",
        "anyways",
        "anywhere",
        "apart",
        "are",
        "aren't",
        "around",
        "as",
        "aside",
        "ask",
        "asking",
        "at",
        "available",
        "away",
        "awfully",
        "be",
        "became",
        "because",
        "become",
        "becomes",
        "becoming",
        "been",
        "before",
        "beforehand",
        "behind",
        "being",
        "below",
        "beside",
        "besides",
        "best",
        "better",
        "between",
        "beyond",
        "both",
        "brief",
        "but",
        "by",
        "came",
        "can",
        "can't",
        "cannot",
        "cause",
        "causes",
        "certain",
        "certainly",
        "changes",
        "clearly",
        "come",
        "comes",
        "concerning",
        "consequently",
        "consider",
        "considering",
        "contain",
        "containing",
        "contains",
        "corresponding",
        "could",
        "couldn't",
        "course",
        "currently",
        "definitely",
        "described",
        "despite",
        "did",
        "didn't",
        "different",
        "do",
        "does",
        "doesn't",
        "doing",
        "don't",
        "done",
        "down",
        "downwards",
        "during",
        "each",
        "eg",
        "eight",
        "either",
        "else",
        "elsewhere",
        "enough",
        "entirely",
        "especially",
        "et",
        "etc",
        "even",
        "ever",
        "every",
        "everybody",
        "everyone",
        "everything",
        "everywhere",
        "ex",
        "exactly",
        "example",
        "except",
        "far",
        "few",
        "fifth",
        "first",
        "five",
        "followed",
        "following",
        "follows",
        "for",
        "former",
        "formerly",
        "forth",
        "four",
        "from",
        "further",
        "furthermore",
        "get",
        "gets",
        "getting",
        "given",
        "gives",
        "go",
        "goes",
        "going",
        "gone",
        "got",
        "gotten",
        "had",
        "hadn't",
        "happens",
        "hardly",
        "has",
        "hasn't",
        "have",
        "haven't",
        "having",
        "he",
        "he's",
        "hello",
        "help",
        "hence",
        "her",
        "here",
        "hereafter",
        "hereby",
        "herein",
        "hers",
        "herself",
        "hi",
        "him",
        "himself",
        "his",
        "hither",
        "hopefully",
        "how",
        "howbeit",
        "however",
        "i",
        "i'd",
        "i'll",
        "i'm",
        "i've",
        "ie",
        "if",
        "immediate",
        "in",
        "inasmuch",
        "indeed",
        "indicate",
        "indicated",
        "indicates",
        "inner",
        "insofar",
        "instead",
        "into",
        "inward",
        "is",
        "isn't",
        "it",
        "it's",
        "its",
        "itself",
        "just",
        "keep",
        "keeps",
        "kept",
        "know",
        "known",
        "knows",
        "last",
        "lately",
        "later",
        "latter",
        "latterly",
        "least",
        "less",
        "lest",
        "let",
        "let's",
        "like",
        "liked",
        "likely",
        "little",
        "look",
        "looking",
        "looks",
        "mainly",
        "many",
        "may",
        "maybe",
        "me",
        "mean",
        "meanwhile",
        "merely",
        "might",
        "more",
        "moreover",
        "most",
        "mostly",
        "much",
        "must",
        "my",
        "myself",
        "name",
        "namely",
        "near",
        "nearly",
        "necessary",
        "need",
        "needs",
        "neither",
        "never",
        "nevertheless",
        "new",
        "next",
        "nine",
        "no",
        "nobody",
        "non",
        "none",
        "noone",
        "nor",
        "normally",
        "not",
        "nothing",
        "now",
        "nowhere",
        "n't",
        "obviously",
        "of",
        "off",
        "often",
        "oh",
        "ok",
        "okay",
        "old",
        "on",
        "once",
        "one",
        "ones",
        "only",
        "onto",
        "or",
        "other",
        "others",
        "otherwise",
        "ought",
        "our",
        "ours",
        "ourselves",
        "out",
        "outside",
        "over",
        "overall",
        "own",
        "particular",
        "particularly",
        "per",
        "perhaps",
        "placed",
        "please",
        "plus",
        "possible",
        "presumably",
        "probably",
        "provides",
        "que",
        "quite",
        "rather",
        "really",
        "reasonably",
        "regarding",
        "regardless",
        "regards",
        "relatively",
        "respectively",
        "right",
        "said",
        "same",
        "saw",
        "say",
        "saying",
        "says",
        "second",
        "secondly",
        "see",
        "seeing",
        "seem",
        "seemed",
        "seeming",
        "seems",
        "seen",
        "self",
        "selves",
        "sensible",
        "sent",
        "serious",
        "seriously",
        "seven",
        "several",
        "shall",
        "she",
        "should",
        "shouldn't",
        "since",
        "six",
        "so",
        "some",
        "somebody",
        "somehow",
        "someone",
        "something",
        "sometime",
        "sometimes",
        "somewhat",
        "somewhere",
        "soon",
        "sorry",
        "specified",
        "specify",
        "specifying",
        "still",
        "sub",
        "such",
        "sup",
        "sure",
        "take",
        "taken",
        "tell",
        "tends",
        "than",
        "thank",
        "thanks",
        "that",
        "that's",
        "thats",
        "the",
        "their",
        "theirs",
        "them",
        "themselves",
        "then",
        "thence",
        "there",
        "thereafter",
        "thereby",
        "therefore",
        "therein",
        "thereupon",
        "these",
        "they",
        "they're",
        "they've",
        "think",
        "third",
        "this",
        "thorough",
        "thoroughly",
        "those",
        "though",
        "three",
        "through",
        "throughout",
        "thru",
        "thus",
        "to",
        "together",
        "too",
        "took",
        "toward",
        "towards",
        "tried",
        "tries",
        "truly",
        "try",
        "trying",
        "twice",
        "two",
        "un",
        "under",
        "unfortunately",
        "unless",
        "unlikely",
        "until",
        "unto",
        "up",
        "upon",
        "us",
        "use",
        "used",
        "useful",
        "uses",
        "using",
        "usually",
        "value",
        "various",
        "very",
        "via",
        "viz",
        "vs",
        "want",
        "wants",
        "was",
        "wasn't",
        "way",
        "we",
        "we'd",
        "we'll",
        "we're",
        "we've",
        "welcome",
        "well",
        "went",
        "were",
        "weren't",
        "what",
        "what's",
        "whatever",
        "when",
        "whence",
        "whenever",
        "where",
        "whereafter",
        "whereas",
        "whereby",
        "wherein",
        "whereupon",
        "wherever",
        "whether",
        "which",
        "while",
        "whither",
        "who",
        "who's",
        "whoever",
        "whole",
        "whom",
        "whose",
        "why",
        "will",
        "willing",
        "wish",
        "with",
        "within",
        "without",
        "won't",
        "wonder",
        "would",
        "wouldn't",
        "yes",
        "yet",
        "you",
        "you're",
        "you've",
        "your",
        "yours",
        "yourself",
        "yourselves",
        "zero",
    ]
)


@lru_cache(maxsize=1 << 17)
def _kept(token: str) -> str:
    word = token.lower().replace("’", "'")
    if word in _STOP:
        return ""
    word = word.removesuffix("'s")
    return "" if word in _STOP else stem(word)


def tokens(text: str) -> tuple[str, ...]:
    """The stemmed words of a text without stop words, in order."""
    return tuple(kept for token in _TOKEN.findall(text) if (kept := _kept(token)))


def grams(sentences: Sequence[str], n: int) -> Counter[Hashable]:
    """How often each word (n = 1) or run of n words stands in these sentences, read as one text."""
    every = [token for sentence in sentences for token in tokens(sentence)]
    return Counter(every) if n == 1 else Counter(zip(*(every[i:] for i in range(n)), strict=False))


def overlap(system: Counter[Hashable], person: Counter[Hashable]) -> Counts:
    shared = sum(min(count, person[gram]) for gram, count in system.items())
    return Counts(float(shared), float(system.total()), float(person.total()))


# --- Porter, "An algorithm for suffix stripping", Program 14(3), 1980 -----------------------------------------------

_STEP2 = tuple(
    pair.split(":")
    for pair in [
        "ational:ate",
        "tional:tion",
        "enci:ence",
        "anci:ance",
        "izer:ize",
        "abli:able",
        "alli:al",
        "entli:ent",
        "eli:e",
        "ousli:ous",
        "ization:ize",
        "ation:ate",
        "ator:ate",
        "alism:al",
        "iveness:ive",
        "fulness:ful",
        "ousness:ous",
        "aliti:al",
        "iviti:ive",
        "biliti:ble",
    ]
)
_STEP3 = (("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""))
_STEP4 = [
    "al",
    "ance",
    "ence",
    "er",
    "ic",
    "able",
    "ible",
    "ant",
    "ement",
    "ment",
    "ent",
    "ion",
    "ou",
    "ism",
    "ate",
    "iti",
    "ous",
    "ive",
    "ize",
]


def _is_consonant(word: str, i: int) -> bool:
    letter = word[i]
    if letter in "aeiou":
        return False
    return letter != "y" or i == 0 or not _is_consonant(word, i - 1)


def _shape(word: str) -> str:
    return "".join("c" if _is_consonant(word, i) else "v" for i in range(len(word)))


def _measure(word: str) -> int:
    return len(re.findall("v+c+", _shape(word)))


def _ends_short(word: str) -> bool:
    return len(word) > 2 and _shape(word)[-3:] == "cvc" and word[-1] not in "wxy"


@lru_cache(maxsize=1 << 17)
def stem(word: str) -> str:
    """The stem of a lower-case English word by Porter's algorithm; other words come back as they are or nearly so."""
    if len(word) <= 2 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("eed"):
        if _measure(word[:-3]) > 0:
            word = word[:-1]
    else:
        for ending in ("ed", "ing"):
            if word.endswith(ending):
                if "v" in _shape(word[: -len(ending)]):
                    word = word[: -len(ending)]
                    if word.endswith(("at", "bl", "iz")):
                        word += "e"
                    elif word[-2:-1] == word[-1:] and _is_consonant(word, len(word) - 1) and word[-1] not in "lsz":
                        word = word[:-1]
                    elif _measure(word) == 1 and _ends_short(word):
                        word += "e"
                break
    if word.endswith("y") and "v" in _shape(word[:-1]):
        word = word[:-1] + "i"
    for pairs in (_STEP2, _STEP3):
        for ending, instead in pairs:
            if word.endswith(ending):
                if _measure(word[: -len(ending)]) > 0:
                    word = word[: -len(ending)] + instead
                break
    for ending in sorted(_STEP4, key=len, reverse=True):
        if word.endswith(ending):
            base = word[: -len(ending)]
            if _measure(base) > 1 and (ending != "ion" or base.endswith(("s", "t"))):
                word = base
            break
    if word.endswith("e"):
        size = _measure(word[:-1])
        if size > 1 or (size == 1 and not _ends_short(word[:-1])):
            word = word[:-1]
    if word.endswith("ll") and _measure(word) > 1:
        word = word[:-1]
    return word
