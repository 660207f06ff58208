"""Writes src/broadsheet/web/static/serif*.woff2: Source Serif 4 for the letters of western Europe's languages.

The family (Adobe; SIL Open Font License 1.1) comes as variable fonts with 1,500 glyphs in 1.2 MB. A page needs the Latin
letters and the weights from 400 to 700, drawn for one size between text and headlines: 26 KB, and 15 KB for italics,
which are fetched only where a page has some. Other letters are set in what the reader's system has for them.

    pip install fonttools brotli fontpkg-source-serif-4
    python scripts/pack_fonts.py
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

OUT = Path(__file__).resolve().parent.parent / "src/broadsheet/web/static"
SIZE = 20  # the optical size, in points
LETTERS = [
    *range(0x20, 0x7F), *map(ord, "\u00a0¡£§«°·»¿"), *range(0xC0, 0x100), 0x131, 0x152, 0x153, 0x2013, 0x2014, 0x2018, 0x2019, 0x201A, 0x201C, 0x201D,
    0x201E, 0x2022, 0x2026, 0x2039, 0x203A, 0x20AC, 0x2212,
]  # fmt: skip


def pack(source: Path, weights: float | tuple[float, float], out: Path) -> None:
    """The font with only these letters and weights, as WOFF2."""
    font = TTFont(source)
    options = subset.Options(hinting=False, notdef_outline=True)
    options.layout_features = ["kern", "liga", "mark", "ccmp", "locl"]
    options.drop_tables += ["STAT", "meta"]
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=LETTERS)
    chosen.subset(font)
    kept = io.BytesIO()
    font.save(kept)
    kept.seek(0)
    font = instancer.instantiateVariableFont(TTFont(kept), {"wght": weights, "opsz": SIZE})
    font.flavor = "woff2"
    font.save(out)
    print(f"{out.name}: {out.stat().st_size / 1024:.1f} KB")


if __name__ == "__main__":
    found = find_spec("fontpkg_source_serif_4")
    if found is None or found.origin is None:
        raise SystemExit("Install the family first: pip install fontpkg-source-serif-4")
    files = Path(found.origin).parent / "files"
    pack(files / "SourceSerif4[opsz,wght].ttf", (400, 700), OUT / "serif.woff2")
    pack(files / "SourceSerif4-Italic[opsz,wght].ttf", 400, OUT / "serif-italic.woff2")
