"""Bytes into text: what the bytes themselves say comes before what anybody says about them."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

# The declared name is often a cousin of the true one: the wider table reads everything that the narrow one reads.
_WIDER = {
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "cp950",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_DOUBLE_BYTE = {"gb18030", "cp950", "big5hkscs", "cp932", "euc_jp", "cp949", "johab", "shift_jisx0213", "euc_jisx0213"}
_SEVEN_BIT = ("iso2022", "hz", "utf-7")
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE_STARTS = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"{\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([\w.:+-]{1,40})""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:+-]{1,40})""", re.I)


@dataclass(frozen=True, slots=True)
class Decoded:
    """`text` without byte order mark; `encoding` is how it was read; `problem` says where that was not as declared."""

    text: str
    encoding: str
    problem: str = ""


def _canonical(name: str) -> str:
    """Python's name for a declared encoding, widened; empty where there is no such encoding."""
    try:
        known = codecs.lookup(name.lower())
    except (LookupError, ValueError):
        return ""
    if not getattr(known, "_is_text_encoding", True):  # rot13, zip and the like are codecs and no encodings
        return ""
    return _WIDER.get(known.name, known.name)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are not UTF-8 as Windows-1252, one run at a time: what a browser's user meant."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("broadsheet-windows", _as_windows)


def _strict(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (UnicodeError, ValueError):
        return None


def _guess(body: bytes) -> str:
    """The encoding that the bytes look like, where they are neither UTF-8 nor declared; empty when unsure."""
    from charset_normalizer import from_bytes  # slow to import, and needed by one feed in hundreds

    text = re.sub(rb"<[^>]{0,300}>", b" ", body[:200_000])  # markup is ASCII and says nothing
    best = from_bytes(text[:40_000]).best()
    return _canonical(best.encoding) if best is not None else ""


def decode(body: bytes, content_type: str = "") -> Decoded:
    """The text of a feed. Never raises, and never drops a byte that some encoding explains.

    Order: byte order mark, the shape of the first bytes, UTF-8 where the bytes are UTF-8 (no other encoding makes
    that pattern by chance, save for short texts in a declared double-byte one), then the charset of the transport,
    the XML declaration, a guess, Windows-1252.
    """
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return Decoded(body[len(bom) :].decode(encoding, "replace"), encoding)
    declared_match = _DECLARED.match(body[:400])
    charset_match = _CHARSET.search(content_type)
    said = [m[1] if isinstance(m[1], str) else m[1].decode("ascii") for m in (charset_match, declared_match) if m]
    head = body[:200].lstrip(b" \t\r\n")[:4]
    for start, encoding in _WIDE_STARTS:
        if head.startswith(start):
            if encoding == "cp037":
                inner = re.search(r"""encoding\s*=\s*["']([\w.:+-]{1,40})""", body[:400].decode("cp037"))
                encoding = (_canonical(inner[1]) if inner else "") or encoding
            return Decoded(body.decode(encoding, "replace"), encoding)
    encodings = [name for name in map(_canonical, said) if name]
    unknown = [name for name in said if not _canonical(name)]
    note = f"the feed names an encoding that does not exist ({unknown[0]})" if unknown else ""
    for encoding in encodings:
        trusted = encoding.startswith(_SEVEN_BIT) or (encoding in _DOUBLE_BYTE and not body.isascii())
        if trusted and (text := _strict(body, encoding)) is not None:
            return Decoded(text, encoding, note)
    if (text := _strict(body, "utf-8")) is not None:
        other = next((e for e in encodings if e != "utf-8"), "")
        if other and not text.isascii():
            note = note or f"the feed says it is {other} and is UTF-8"
        return Decoded(text, "utf-8", note)
    for encoding in encodings:
        if encoding in ("utf-8", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
            continue
        if (text := _strict(body, encoding)) is not None:
            other = next((e for e in encodings if e != encoding), "")
            return Decoded(text, encoding, note or (f"the feed says it is {other} and is {encoding}" if other else ""))
    for encoding in encodings:
        if encoding not in ("utf-8", "cp1252") and not encoding.startswith(("utf-16", "utf-32")):
            text = body.decode(encoding, "replace")
            if text.count("\ufffd") * 50 < len(text):
                return Decoded(text, encoding, f"some bytes of the feed are not {encoding}")
    # Bad bytes among good UTF-8 are a paste from another page; bad bytes alone are another encoding altogether.
    mixed = body.decode("utf-8", "broadsheet-windows")
    good = sum(1 for c in body.decode("utf-8", "ignore") if c > "\x7f")
    bad = len(mixed) - len(body.decode("utf-8", "ignore"))
    if (
        good * 4 <= bad
        and (guessed := _guess(body))
        and guessed != "utf-8"
        and (text := _strict(body, guessed)) is not None
    ):
        return Decoded(text, guessed, f"the feed is not in the encoding it says; read as {guessed}")
    return Decoded(mixed, "utf-8", "some bytes of the feed are not UTF-8; they were read as Windows-1252")


_WINDOWS = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}
_WINDOWS_MARKS = ("\x80", "\x85", "\x91", "\x92", "\x93", "\x94", "\x95", "\x96", "\x97", "\x99")
_WINDOWS_REFERENCE = re.compile(r"&#(?:(12[89]|1[345]\d)|[xX]0*([89][0-9a-fA-F]));")


def printable(text: str) -> str:
    """The text with the quotes and dashes that Windows put where Unicode has control characters, as browsers show them."""
    if any(mark in text for mark in _WINDOWS_MARKS):
        text = text.translate(_WINDOWS)
    if any(mark in text for mark in ("&#12", "&#13", "&#14", "&#15", "&#x9", "&#x8", "&#X", "&#x0")):
        text = _WINDOWS_REFERENCE.sub(lambda m: _WINDOWS[int(m[1]) if m[1] else int(m[2], 16)], text)
    return text
