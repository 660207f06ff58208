"""When articles are one story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """When articles are one story. The probabilities are those of an article and a whole story, or of two stories."""

    join: float = 0.3  # an article joins the likeliest story from this probability up
    merge: float = 0.5  # two stories that share a new article are joined at this probability
    window: timedelta = timedelta(
        days=90
    )  # articles further apart are never compared; the pair's own days weigh before
    candidates: int = 100  # articles that share rare words with a new one: their stories are compared with it
    stories: int = 12  # stories whose nearest member's vector is asked
    wholes: int = 8  # the nearest of them, by rare words and vector, are compared as wholes
    # Of 2,241 joins on feeds, texts and headlines none was below .22; below it lie a fifth to a third of the pairs.
    unlike: float = 0.2  # cosine of two vectors below which nothing more is asked
    # The same for the cosine and twice the nearness by rare words: of 2,716 joins in whole texts and headlines of the
    # labelled set four lie below, none of them sure, and a third of the pairs; of a month of feeds two in five.
    far: float = 0.45
    asked: int = 4  # the likeliest of them, whose members are asked too
    faint: float = 0.05  # unless even the likeliest are not this likely
    members: int = 8  # members of a story that are asked
    instalment_days: float = 0.4  # one publisher's items this far apart ...
    instalment_title: float = 0.4  # ... with titles this alike are a series, not a story
    # A headline has few words, so the tenth report of an event repeats hardly more of any one of them than chance would,
    # while it is near the mean of all: a story of that many headlines takes what is that near its mean.
    headline_story: int = 4
    headline_cosine: float = 0.3
    headline_merge: float = 0.4
    headline_words: int = 40
    headline_days: float = 3.0
    copy: float = 0.8  # the share of a text that a copy repeats
    every: int = 288  # articles, in the mean, after which these latest are decided again with what is near them
    latest: int = 400  # of which there are no more than so many
    around: int = 6  # stories near each of them that are looked at besides, the nearest of each first ...
    looked_at: int = 600  # ... up to so many articles in all
