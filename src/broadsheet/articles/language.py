"""Which language a text is written in."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any, Final, Protocol, cast

# The languages that news feeds come in. Fewer candidates make short texts surer, and leave out near-twins of large
# languages (Nigerian Pidgin, Wu, Galician's reading of short Spanish is kept out by the threshold).
_NEWS_LANGUAGES: Final = (
    "af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko "
    "ku ky lo lt lv mk ml mn mr ms mt my ne nl no pa pl ps pt ro ru si sk sl sq sr sv sw ta te tg th tl tr uk ur uz vi "
    "xh zh zu"
)  # fmt: skip
LANGUAGES: Final = tuple(_NEWS_LANGUAGES.split())
_ONE: Final = {
    "nb": "no",
    "nn": "no",
    "iw": "he",
    "in": "id",
    "cmn": "zh",
    "fil": "tl",
    "zh_hans": "zh",
    "zh_hant": "zh",
}

ENOUGH: Final = 1_000  # characters read: more never changed the answer
MIN_LETTERS: Final = 12  # fewer say nothing, unless the script alone says it
SURE: Final = 0.5  # of the model's probability; below it "Ukraine war: latest" is Crimean Tatar
SURE_WITH_HINT: Final = 0.9  # below it a page's own word for its language counts, if the text doesn't speak against it

_LINKS: Final = re.compile(r"https?://\S+|[@#]\w+|[\w.+-]{1,40}@\S+")
# Scripts that only one large news language is written in.
_SCRIPTS: Final = (
    ("ja", re.compile(r"[\u3041-\u30ff]"), 0.1),  # kana beside Han
    ("ko", re.compile(r"[\uac00-\ud7af]"), 0.3),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"), 0.5),
    ("el", re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"), 0.5),
    ("he", re.compile(r"[\u0590-\u05ff]"), 0.5),
    ("th", re.compile(r"[\u0e01-\u0e5b]"), 0.5),
    ("hy", re.compile(r"[\u0530-\u058f]"), 0.5),
    ("ka", re.compile(r"[\u10a0-\u10ff]"), 0.5),
    ("ta", re.compile(r"[\u0b80-\u0bff]"), 0.5),
    ("te", re.compile(r"[\u0c00-\u0c7f]"), 0.5),
    ("kn", re.compile(r"[\u0c80-\u0cff]"), 0.5),
    ("ml", re.compile(r"[\u0d00-\u0d7f]"), 0.5),
    ("gu", re.compile(r"[\u0a80-\u0aff]"), 0.5),
    ("pa", re.compile(r"[\u0a00-\u0a7f]"), 0.5),
    ("bn", re.compile(r"[\u0980-\u09ff]"), 0.5),
    ("si", re.compile(r"[\u0d80-\u0dff]"), 0.5),
    ("my", re.compile(r"[\u1000-\u109f]"), 0.5),
    ("km", re.compile(r"[\u1780-\u17ff]"), 0.5),
    ("lo", re.compile(r"[\u0e80-\u0eff]"), 0.5),
)


class _Identifier(Protocol):
    def rank(self, text: str) -> list[tuple[str, float]]: ...


_loading = threading.Lock()


@lru_cache(maxsize=1)
def _loaded() -> _Identifier:
    from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier
    from py3langid.modelio import load_model

    table, prior, codes, moves, rows, found = load_model(MODEL_DIR / MODEL_FILE)
    asked = [i for i, code in enumerate(codes) if code in {*LANGUAGES, "nn"}]
    # Made of these languages alone: `set_languages` would keep the table of all 142 beside theirs, 28 MB.
    kept = table[:, asked], prior[asked], [codes[i] for i in asked]
    identifier: Any = LanguageIdentifier(*kept, moves, found, norm_probs=True, tk_row=rows)
    return cast(_Identifier, identifier)


def _identifier() -> _Identifier:
    with _loading:  # two threads never load it twice
        return _loaded()


def language_code(written: str) -> str:
    """The two-letter code (three where there is none) that a page's or feed's own mark means; "" for what is none."""
    code = re.split(r"[-_]", written.strip().lower(), maxsplit=1)[0]
    code = _ONE.get(code, code)
    return code if re.fullmatch(r"[a-z]{2,3}", code) and code not in ("und", "mul", "zxx") else ""


def language_of(text: str, hint: str = "") -> str:
    """The ISO 639 code of the language that `text` is written in, "" when unsure.

    `hint` is what the page or feed says of itself; it decides only where the text alone can't.
    """
    said = language_code(hint)
    text = _LINKS.sub(" ", text[: 4 * ENOUGH])[:ENOUGH]
    letters = sum(map(str.isalpha, text))
    if not letters:
        return said
    for code, script, share in _SCRIPTS:
        if len(script.findall(text)) >= max(2, share * letters):
            return code
    if letters < MIN_LETTERS:
        return said
    ranked: dict[str, float] = {}
    for code, probability in _identifier().rank(text):
        code = _ONE.get(code, code)
        ranked[code] = ranked.get(code, 0.0) + probability
    best = max(ranked, key=lambda code: ranked[code])
    if said and ranked[best] < SURE_WITH_HINT and ranked.get(said, 0.0) * 20 >= ranked[best]:
        return said
    return best if ranked[best] >= SURE else ""
