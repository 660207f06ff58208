"""One stage that adds what reading alone tells of an article: language, entities, topics, vector, fingerprint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from broadsheet.articles import embed, language, topics
from broadsheet.articles import entities as names
from broadsheet.articles.identity import fingerprint
from broadsheet.model import Article

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrichment:
    """The settings of each part; a part set to None is left out."""

    entities: names.Recognition | None = field(default_factory=names.Recognition)
    topics: topics.Labelling | None = field(default_factory=topics.Labelling)
    embedding: embed.Embedding | None = field(default_factory=embed.Embedding)


def enrich(articles: Sequence[Article], config: Enrichment = Enrichment()) -> list[Article]:
    """The articles in their order, each with its language, entities, topics, vector and fingerprint.

    Pure and picklable: models load once a process, at the first batch. An article that a part can't read keeps what the
    other parts add; it never costs the rest of the batch anything.
    """
    done = [_read(article) for article in articles]
    if config.entities is not None:
        recognition = config.entities
        done = _each(lambda batch: names.entities(batch, recognition), done)
    if config.embedding is not None:
        embedding = config.embedding
        done = _each(lambda batch: _with_topics(batch, config.topics, embedding), done)
    return done


def _read(article: Article) -> Article:
    text = f"{article.title}\n{article.text}" if article.text else article.title
    return replace(
        article,
        language=language.language_of(text, article.language),
        fingerprint=fingerprint(article.text),
    )


def _with_topics(
    batch: Sequence[Article], labelling: topics.Labelling | None, embedding: embed.Embedding
) -> list[Article]:
    represented = embed.represent(batch, embedding)
    done = embed.with_vectors(batch, represented, embedding)
    return done if labelling is None else topics.label(done, represented, labelling)


def _each(part: Callable[[Sequence[Article]], list[Article]], batch: list[Article]) -> list[Article]:
    """The part's answer for the batch; where it fails, for each half, so that only what it can't read goes without.

    A part that fails for every article is broken, and says so.
    """
    try:
        return part(batch)
    except Exception:
        if len(batch) <= 1:
            raise
        return _halved(part, batch, failures=[])


def _halved(
    part: Callable[[Sequence[Article]], list[Article]], batch: list[Article], failures: list[Exception]
) -> list[Article]:
    done: list[Article] = []
    for article in batch:
        try:
            done += part([article])
        except Exception as e:
            failures.append(e)
            done.append(article)
    if len(failures) == len(batch):
        raise failures[0]
    return done
