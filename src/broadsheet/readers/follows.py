"""What a reader chose by hand: whether a follow or a mute is about a story, and how choosing changes the reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from broadsheet.model import Follow, FollowKind, Mute, Query, Reader, Story, named, names_topic, query_of

QUIET, SHARE, LONGEST = timedelta(days=4), 1 / 3, timedelta(days=30)


def matches(choice: Follow | Mute, story: Story) -> bool:
    """Whether what was followed or muted is in the story.

    A topic is met by itself and by what lies under it (a story carries the ancestors of its topics). A person, place or
    organisation is met where it was recognised as a name, or stands in the headline or key points: recognition
    mistakes a person for a place often enough that the kind is not asked for.
    """
    match choice.kind:
        case "story":
            return choice.value == story.id
        case "topic":
            return any(topic.id == choice.value for topic in story.topics)
        case "publisher":
            return named(choice.value) in {named(publisher) for publisher in story.publishers}
        case "keyword":
            return says(story, choice.value)
        case "search":
            return answers(story, query_of(choice.value))
        case _:
            return names(story, choice.value)


def names(story: Story, name: str) -> bool:
    """Whether the name was recognised in the story, or stands in its headline or a key point."""
    return any(named(entity.text) == named(name) for entity in story.entities) or says(story, name)


def on_topic(story: Story, sought: str) -> bool:
    """Whether one of the story's topics is meant."""
    return any(names_topic(sought, topic.id, topic.label) for topic in story.topics)


def answers(story: Story, query: Query) -> bool:
    """Whether a search is met by the story's headline, key points, names, topics, publishers and times."""
    return (
        not query.is_empty
        and all(says(story, words) for words in (*query.words, *query.pieces))
        and not any(says(story, words) for words in (*query.without, *query.without_pieces))
        and all(names(story, place) for place in query.places)
        and not any(names(story, place) for place in query.not_places)
        and all(on_topic(story, sought) for sought in query.topics)
        and not any(on_topic(story, sought) for sought in query.not_topics)
        and query.is_by_one_of(story.publishers)
        and query.is_in(story.language)
        and (query.after is None or story.last_seen >= query.after)
        and (query.before is None or story.first_seen < query.before)
    )


def mutes(mute: Mute, story: Story) -> bool:
    """Whether the mute keeps the story away. A publisher's mute does so only where nobody else reports the story."""
    if mute.kind == "publisher":
        return bool(story.publishers) and {named(publisher) for publisher in story.publishers} == {named(mute.value)}
    return matches(mute, story)


def says(story: Story, phrase: str) -> bool:
    """Whether the headline or a key point has the phrase as whole words."""
    return any(has_phrase(named(line), named(phrase)) for line in (story.headline, *(p.text for p in story.key_points)))


def has_phrase(text: str, phrase: str) -> bool:
    """Whether `text` has `phrase` as whole words; both already `named`.

    Scripts that put no space between words (Chinese, Japanese) have no edges to ask for.
    """
    if not phrase:
        return False
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (at and _joined(text[at - 1], phrase[0])) and not (end < len(text) and _joined(text[end], phrase[-1])):
            return True
        at = text.find(phrase, at + 1)
    return False


def _joined(neighbour: str, edge: str) -> bool:
    return neighbour.isalnum() and edge.isalnum() and edge < "\u2e80"


def ended(story: Story, now: datetime) -> datetime | None:
    """When a story that is followed came to its end; None while it goes on.

    It ends with its last article, once it has been quiet for four days and a third of the time that it ran, 30 days at
    most: a story of one day is over within the week, one of three months may rest for a month. One that is taken up
    again has not ended.
    """
    quiet = min(QUIET + SHARE * (story.last_seen - story.first_seen), LONGEST)
    return story.last_seen if now - story.last_seen > quiet else None


def same(kind: FollowKind, value: str, other: Follow | Mute) -> bool:
    return other.kind == kind and named(other.value) == named(value)


def follow(reader: Reader, chosen: Follow, at: datetime) -> Reader:
    """Follow it; what was muted and is now followed is muted no more."""
    kept = tuple(f for f in reader.follows if not same(chosen.kind, chosen.value, f))
    heard = tuple(m for m in reader.mutes if not same(chosen.kind, chosen.value, m))
    return replace(reader, follows=(*kept, replace(chosen, since=chosen.since or at)), mutes=heard)


def unfollow(reader: Reader, chosen: Follow) -> Reader:
    return replace(reader, follows=tuple(f for f in reader.follows if not same(chosen.kind, chosen.value, f)))


def mute(reader: Reader, chosen: Mute) -> Reader:
    """Mute it. A follow of the same thing stays: it counts again when the mute ends."""
    kept = tuple(m for m in reader.mutes if not same(chosen.kind, chosen.value, m))
    return replace(reader, mutes=(*kept, chosen))


def unmute(reader: Reader, chosen: Mute) -> Reader:
    return replace(reader, mutes=tuple(m for m in reader.mutes if not same(chosen.kind, chosen.value, m)))
