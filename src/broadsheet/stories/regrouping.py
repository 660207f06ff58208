"""What becomes of a story when somebody puts articles of it apart: which part keeps its id, and who goes along."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from broadsheet.model import Article, ArticleId, Regrouping, StoryId, identify


def begun_by(article: ArticleId) -> StoryId:
    """The id of the story that an article begins."""
    return StoryId(identify("story", article))


def parted(
    story: StoryId, articles: Sequence[ArticleId], out: Collection[ArticleId], taken: Collection[StoryId] = ()
) -> dict[ArticleId, StoryId]:
    """The articles that get another story when `out` leaves, with its id; nothing where all of them leave, or none.

    The part that holds the article which began the story keeps the id, so that no other story is ever begun under an
    id that is in use. The other part gets the id that its first article would have begun. `articles` are in order of
    time; an id that is `taken` by a story is passed over.
    """
    stays, leaves = [a for a in articles if a not in out], [a for a in articles if a in out]
    if not stays or not leaves:
        return {}
    moving = stays if any(begun_by(a) == story for a in leaves) else leaves
    ids = (begun_by(a) for a in moving)
    new = next((id_ for id_ in ids if id_ not in taken), StoryId(identify("story", story, moving[0])))
    return dict.fromkeys(moving, new)


def leaving(word: Regrouping, articles: Iterable[Article], words: Iterable[Regrouping]) -> set[ArticleId]:
    """What goes along when `word.one` is put apart from `word.other`: its copies, and what was put together with it.

    Unless the other would go too: then the newest word is the stronger, and only the article and its copies go.
    """
    here = {a.id: a for a in articles}
    own = {word.one, *(a.id for a in here.values() if a.copy_of == word.one)} - {word.other}
    linked: dict[ArticleId, set[ArticleId]] = {}
    for said in words:
        if said.same and said.one in here and said.other in here:
            linked.setdefault(said.one, set()).add(said.other)
            linked.setdefault(said.other, set()).add(said.one)
    found, asked = set(own), list(own)
    while asked:
        for near in linked.get(asked.pop(), set()) - found:
            found.add(near)
            asked.append(near)
    return own if word.other in found else found
