"""Feeds for many readers from one edition, for digests: exactly what `build_feed` gives each, with the products of all
vectors worked out for a few dozen readers at a time, which reads the stories' vectors once instead of once a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadsheet.feed.build import Recipe, build_feed
from broadsheet.feed.edition import Edition
from broadsheet.feed.score import tastes_of
from broadsheet.model import Feed, Reader

TOGETHER: Final = 32  # readers: of 20,000 stories their products take 5 MB


def build_feeds(
    readers: Iterable[Reader], edition: Edition, recipe: Recipe, now: datetime, seed: Callable[[Reader], int]
) -> Iterator[Feed]:
    """The first page of each reader, in their order. `seed` gives each reader's own: the same seed, the same lots.

    Takes readers as they come, so a million of them need no more memory than a few dozen. A batch of a pool's is a call.
    """
    source = iter(readers)
    while part := list(islice(source, TOGETHER)):
        size = 2 * edition.vectors.shape[1]
        sides = [
            (place, sign, mean)
            for place, reader in enumerate(part)
            for sign, mean, held in zip((1, -1), tastes_of(reader), (reader.interest, reader.disinterest), strict=True)
            if size and len(held) == size
        ]
        near: list[dict[int, NDArray[np.float32]]] = [{} for _ in part]
        if sides:
            products = np.stack([mean for _, _, mean in sides]) @ edition.vectors.T
            for (place, sign, _), product in zip(sides, products, strict=True):
                near[place][sign] = product
        for reader, known in zip(part, near, strict=True):
            yield build_feed(reader, edition, recipe, now, np.random.default_rng(seed(reader)), near=known)
