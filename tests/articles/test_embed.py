"""Vectors: alike for alike articles in any language, stored small, from a file that is the one pinned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from broadsheet.articles.embed import (
    ENCODERS,
    Embedding,
    ModelChanged,
    check_file,
    embed,
    encode,
    encoder,
    model_name,
    pieces,
)
from broadsheet.errors import BroadsheetError
from broadsheet.model import vector_of
from tests.builders import an_article

QUAKE = an_article("Earthquake kills hundreds in Turkey", "A strong earthquake hit the south of Turkey on Monday.")
TREMOR = an_article("Hundreds dead after quake strikes southern Turkey", "Rescuers searched the rubble on Tuesday.")
SPANISH = an_article(
    "Un terremoto deja cientos de muertos en Turquía", "Un fuerte sismo sacudió el sur del país el lunes."
)
TENNIS = an_article("Top seed wins in straight sets at Wimbledon", "The champion needed little more than an hour.")


def test_articles_about_one_event_point_the_same_way_in_two_languages() -> None:
    quake, tremor, spanish, tennis = (vector_of(a.vector) for a in embed([QUAKE, TREMOR, SPANISH, TENNIS]))
    assert quake @ tremor > quake @ tennis + 0.2
    assert quake @ spanish > quake @ tennis + 0.2


def test_a_vector_is_of_unit_length_and_says_its_model() -> None:
    (read,) = embed([QUAKE])
    assert read.vector_model == model_name() == "use-m3-192"
    assert vector_of(read.vector).shape == (192,)
    assert np.linalg.norm(vector_of(read.vector)) == pytest.approx(1.0, abs=1e-2)


def test_a_vector_does_not_depend_on_its_batch() -> None:
    alone = vector_of(embed([TENNIS])[0].vector)
    among = vector_of(embed([QUAKE, SPANISH, TENNIS, TREMOR])[2].vector)
    assert alone @ among == pytest.approx(1.0, abs=1e-2)


def test_a_query_is_comparable_with_articles() -> None:
    (query,) = encode(["earthquake in Turkey"])
    quake, tennis = (vector_of(a.vector) for a in embed([QUAKE, TENNIS]))
    assert query @ quake > query @ tennis


def test_nothing_to_read_has_no_vector() -> None:
    (read,) = embed([an_article("", "", id="empty", url="https://example.org/")])
    assert (read.vector, read.vector_model) == (b"", "")
    assert embed([]) == []
    assert len(encode([])) == 0


@pytest.mark.parametrize(
    "text", ["🎉" * 100, "a" * 100_000, "布林肯抵达北京" * 500, "שלום " * 50, "\x00\n\t", "\ud800 odd"]
)
def test_odd_texts_have_a_finite_vector(text: str) -> None:
    (read,) = embed([an_article("A title", text)])
    assert np.isfinite(vector_of(read.vector)).all()


def test_a_text_is_read_in_pieces_and_no_further() -> None:
    config = Embedding(piece_words=50, pieces=3)
    assert [len(p.split()) for p in pieces("word " * 1000, config)] == [50, 50, 50]
    assert [len(p) for p in pieces("字" * 1000, config)] == [100, 100, 100]
    assert [len(p.split()) for p in pieces("word " * 53, config)] == [50]
    assert pieces("  \n ", config) == []


def test_a_changed_model_file_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "weights.npz"
    changed.write_bytes(b"not the weights")
    with pytest.raises(ModelChanged, match=r"weights\.npz .* pinned"):
        check_file(changed, "0" * 64)


def test_an_unknown_encoder_is_named_with_the_known_ones() -> None:
    with pytest.raises(BroadsheetError, match=r"'none'.*use-m3"):
        encoder(Embedding(encoder="none"))


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_every_encoder_keeps_its_promise(name: str) -> None:
    model = encoder(Embedding(encoder=name))
    vectors = model(["one text", "another one", ""])
    assert model.name == name
    assert vectors.shape == (3, model.dimensions)
    assert np.linalg.norm(vectors[:2], axis=1) == pytest.approx([1.0, 1.0], abs=1e-3)
