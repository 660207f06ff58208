"""How many articles a second each part of enrichment reads, on one core, next to the bare model it stands on.

The articles are the bundled Wikinews texts (about 300 words each). The bare model in the same run is the limit: the
recogniser's own pipe over the same first characters, the encoder over the same pieces, the language identifier over the
same text, one hash of each word. Prints one JSON object: articles a second of this process's own processor time, and the
resident memory in MB after each model was loaded.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import json
import lzma
import sys
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import xxhash

from broadsheet.articles import embed, entities, language, topics
from broadsheet.articles.enrich import Enrichment, enrich
from broadsheet.articles.identity import fingerprint
from broadsheet.model import Article, ArticleId

BATCH = 64


def resident() -> float:
    """This process's resident memory in MB; 0 where the system doesn't say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20 if statm.exists() else 0.0


def corpus(many: int) -> list[Article]:
    file = resources.files("broadsheet") / "demo" / "corpus" / "wikinews.jsonl.xz"
    rows = [json.loads(line) for line in lzma.decompress(file.read_bytes()).splitlines()][:many]
    return [
        Article(id=ArticleId(str(i)), url="", title=row["title"], text=row["text"], language="en")
        for i, row in enumerate(rows)
    ]


def per_second(work: Callable[[list[Article]], object], articles: list[Article]) -> float:
    """Articles a second of processor time; the first batch only warms up."""
    work(articles[:8])
    start = time.process_time()
    for i in range(0, len(articles), BATCH):
        work(articles[i : i + BATCH])
    return round(len(articles) / (time.process_time() - start), 1)


def main(many: int = 192) -> dict[str, object]:
    articles = corpus(many)
    config = embed.Embedding()
    rules = entities.Recognition()
    memory = {"code": resident()}
    figures: dict[str, float] = {}

    figures["fingerprint"] = per_second(lambda batch: [fingerprint(a.text) for a in batch], articles)
    figures["fingerprint, limit: one hash a word"] = per_second(
        lambda batch: [[xxhash.xxh3_64_intdigest(w.encode()) for w in a.text.split()] for a in batch], articles
    )

    figures["language"] = per_second(lambda batch: [language.language_of(a.text) for a in batch], articles)
    bare_language = language._identifier()
    figures["language, limit: the bare model"] = per_second(
        lambda batch: [bare_language.rank(a.text[: language.ENOUGH]) for a in batch], articles
    )
    memory["+ language"] = resident()

    figures["entities"] = per_second(lambda batch: entities.entities(batch, rules), articles)
    nlp = entities._spacy()
    figures["entities, limit: the bare model"] = per_second(
        lambda batch: list(nlp.pipe([f"{a.title}\n{a.text}"[: rules.chars] for a in batch])), articles
    )
    memory["+ entities"] = resident()
    light = entities.Recognition(recogniser="capitals")
    figures["entities, light"] = per_second(lambda batch: entities.entities(batch, light), articles)

    figures["vectors"] = per_second(lambda batch: embed.embed(batch, config), articles)
    encoder = embed.encoder(config)
    figures["vectors, limit: the bare model"] = per_second(
        lambda batch: encoder([t for a in batch for t in (a.title, *embed.pieces(a.text, config))]), articles
    )
    memory["+ vectors"] = resident()

    represented = embed.represent(articles[:BATCH], config)
    figures["topics, given the vectors"] = per_second(
        lambda batch: topics.label(batch, represented[: len(batch)]), articles
    )
    figures["all"] = per_second(enrich, articles)
    figures["all, light"] = per_second(lambda batch: enrich(batch, Enrichment(entities=light)), articles)
    memory["+ topics"] = resident()
    return {
        "articles": len(articles),
        "words": sum(len(a.text.split()) for a in articles) // len(articles),
        "articles_per_second": figures,
        "resident_mb": {name: round(value) for name, value in memory.items()},
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else 192)))
