"""Headlines that ask to be opened instead of saying what happened, told by their form alone.

What forms those are is known from the literature on clickbait (Chakraborty et al., "Stop Clickbait", ASONAM 2016: lists,
forward references, speaking to the reader). A question at the end and what breaks off are told in any language, the rest in
English, German and Spanish. Labels of a page ("Live:", "Opinion:") say what it is and tease nobody.
"""

from __future__ import annotations

import re
from typing import Final

# What breaks off does so within its last word; " …" is how a headline that was too long is cut, by us among others.
_ANYWHERE: Final = r"[?？]\s*[\"'”’»)]*\s*$|(?<=\S)…\s*$|(?<=\S)\.\.\.\s*$"
_FORMS: Final = {
    "en": r"^\s*(?:the\s+)?(?:\d+|five|six|seven|eight|nine|ten)\s+(?:\w+\s+){0,2}(?:things|reasons|ways|takeaways|times|photos|tips|facts|signs|"
    r"questions|secrets|mistakes|ideas|hacks|tricks)\b|\byou (?:won['’]t|need to|should|must|can|may|might|didn['’]t|never|probably|have to)\b|"
    r"\b(?:you|your|you['’]re|you['’]ve|you['’]ll)\b|\bhere(?:['’]s| is| are)\b|\bthis (?:is|one|will)\b|^\s*(?:this|these)\b|"
    r"\bwhat (?:we|you|to) (?:know|need|expect)\b|^\s*(?:why|how|what)\b",
    "de": r"^\s*(?:die\s+)?(?:\d+|fünf|sechs|sieben|acht|neun|zehn)\s+(?:\w+\s+){0,2}(?:dinge|gründe|tipps|fakten|fehler|fragen|tricks|zeichen|orte)\b|"
    r"\b(?:sie|du|man) (?:wissen|weißt) (?:müssen|musst|sollten|solltest|muss|sollte)\b|"
    r"^\s*(?:so|darum|deshalb|warum|wieso|weshalb|wie|was)\b|^\s*(?:das ist|das sind|das steckt|diese[rsn]? (?:\w+ ){1,3}(?:sollten|müssen|muss|macht))\b|"
    r"\bwas (?:jetzt|nun|wir)\b",
    "es": r"^\s*(?:los\s+|las\s+)?(?:\d+|cinco|seis|siete|ocho|nueve|diez)\s+(?:\w+\s+){0,2}(?:cosas|razones|formas|claves|trucos|consejos|preguntas|"
    r"errores|lugares|señales)\b|\blo que (?:debes|debe|hay que|tienes que|sabemos|se sabe)\b|^\s*(?:así|esto|por qué|cómo|qué|est[ae]s? (?:es|son)|estos son)\b|"
    r"\b(?:tu|tus) \w+\b",
}  # fmt: skip
_TEASES: Final = {code: re.compile(f"{_ANYWHERE}|{forms}", re.IGNORECASE) for code, forms in _FORMS.items()}
_SAID: Final = re.compile(r"[\"“„«][^\"”“»]*[\"”“»]|(?<!\w)['‘’][^'’]+['’](?!\w)")  # what somebody said teases nobody
_IN_ANY: Final = re.compile(_ANYWHERE)


def teases(headline: str, language: str = "") -> bool:
    """Whether a headline asks to be opened instead of saying what happened. Of a language that is not known, by what is
    told in any."""
    return _TEASES.get(language.partition("-")[0].lower(), _IN_ANY).search(_SAID.sub(" ", headline)) is not None
