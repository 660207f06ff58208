"""Articles a second out of real pages, next to trafilatura alone on the same pages in the same run.

    python benchmarks/speed/extraction.py [WCXB file] [pages]

Prints one JSON object: milliseconds of processor time a page (mean), the ratio to trafilatura with its precision
setting, and the process's largest memory. Without the real pages it says so and gives no figures.
"""

from __future__ import annotations

import itertools
import json
import lzma
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import trafilatura

from broadsheet.articles.extract import Extraction, extract
from broadsheet.model import Page

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("BROADSHEET_DATA", ROOT.parent / "shared" / "data"))


def pages(path: Path, count: int) -> list[Page]:
    with lzma.open(path) as lines:
        cases = (orjson.loads(line) for line in itertools.islice(lines, count))
        return [Page(id=case["id"], url=case["gold"].get("url") or "", html=case["html"]) for case in cases]


def cost(work: Callable[[Page], object], given: list[Page]) -> float:
    """Milliseconds of processor time a page."""
    start = time.process_time()
    for page in given:
        work(page)
    return 1000 * (time.process_time() - start) / len(given)


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "extraction" / "wcxb-dev.jsonl.xz"
    if not path.is_file():
        print(json.dumps({"skipped": f"{path.name} is not here"}))
        return
    given = pages(path, int(sys.argv[2]) if len(sys.argv) > 2 else 80)
    stage = Extraction(reading_html=False)
    extract(given[:2])
    trafilatura.extract(given[0].html, favor_precision=True)
    figures = {
        "pages": len(given),
        "ms": cost(lambda page: extract([page]), given),
        "ms_without_reading_view": cost(lambda page: extract([page], stage), given),
        "trafilatura_precision_ms": cost(
            lambda page: trafilatura.extract(page.html, favor_precision=True, include_comments=False), given
        ),
        "trafilatura_default_ms": cost(lambda page: trafilatura.extract(page.html, include_comments=False), given),
    }
    figures["articles_per_second"] = 1000 / figures["ms"]
    figures["ratio_to_trafilatura"] = figures["ms"] / figures["trafilatura_precision_ms"]
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
