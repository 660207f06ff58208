"""What pages show: a story, its thread, an article and its versions, what is latest, followed, saved or found."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from broadsheet import store
from broadsheet.articles.passages import sentences
from broadsheet.articles.topics import is_topic
from broadsheet.errors import NotFound
from broadsheet.feed.edition import private_to_others
from broadsheet.model import (
    Article,
    ArticleId,
    Doubt,
    Follow,
    Passage,
    Query,
    Reader,
    ReaderId,
    Story,
    StoryId,
    Thread,
    ThreadId,
    Version,
    named,
)
from broadsheet.readers.follows import ended
from broadsheet.reading.feeds import Feeds
from broadsheet.reading.paper import STORIES_KEPT
from broadsheet.reading.quoting import quoted
from broadsheet.reading.shown import Correction, Followed, Found, Live, StoryPage, ThreadPage
from broadsheet.stories import threads
from broadsheet.stories.versions import Revision, compare
from broadsheet.telling import (
    Point,
    coverage,
    news_of,
    said_alone,
    sides,
    tellers,
    unread,
)
from broadsheet.wording import phrase as _

WATCHED = timedelta(days=7)  # older articles are not looked at again when they are read
FIRST_LOOK = timedelta(hours=1)  # after which a read article is looked at again
THREAD_SHOWN = 12  # other stories of the thread on a story's page
THREAD_NAMED = 60  # latest stories by which a thread is named
THREAD_READ = 500  # latest stories on a thread's page


class Pages(Feeds):
    """Everything else that a reader opens."""

    def story(self, reader_id: str, story_id: str) -> StoryPage:
        """A story with all its articles that this reader may see. Raises `NotFound`."""
        paper = self.edition()
        with self.looking() as db:
            reader = self._reader(db, ReaderId(reader_id))
            story = self._own_story(db, reader, story_id) or self._as_seen(
                db, paper, reader, self._story(self._view(reader).into.get(StoryId(story_id), story_id))
            )
            found = self._articles(db, story.articles)
            cards = self._made_cards(db, paper, [story], reader, found)
            thread = self._thread_of(db, paper, story, reader)
            read = store.versions.read_by(db, reader.id, story.articles)
            quotes = store.quotes.of(db, story.articles)
            out = self._view(reader).out.get(story.id, frozenset())
            taken_out = tuple(a for a in self._articles(db, sorted(out)).values() if self._may_read(paper, reader, a))
        articles = tuple(found[a] for a in story.articles if a in found and self._may_read(paper, reader, found[a]))
        if not articles or story.id not in cards:
            raise NotFound(_("There is no such story here."))
        last_read = reader.opened.get(story.id)
        new = unread(articles, last_read, read)
        card = cards[story.id]
        return StoryPage(
            story=card.story,
            card=card,
            articles=articles,
            new=new,
            last_read=last_read,
            news=news_of(articles, new),
            sides=sides(articles, quotes),
            alone=self._said_alone(card.story, articles),
            tellers=tellers(articles),
            coverage=coverage(articles),
            thread=thread,
            taken_out=taken_out,
        )

    def _said_alone(self, story: Story, articles: Sequence[Article]) -> frozenset[Passage]:
        """The key points that only one publisher says; asked once, as long as the story is as it is."""
        key = story.id, tuple(a.id for a in articles)
        kept = self._lone.get(key)
        if kept is None or kept[0] is not story:
            kept = story, said_alone(story.key_points, articles)
            with self._books:
                self._lone[key] = kept
                while len(self._lone) > STORIES_KEPT:
                    self._lone.popitem(last=False)
        return kept[1]

    def _thread_of(self, db: Connection, paper: Live, story: Story, reader: Reader) -> ThreadPage | None:
        """The other stories of a story's thread; None where the reader may see no other."""
        if story.thread is None:
            return None
        seen = self._threaded(db, paper, story.thread, reader, THREAD_NAMED)
        others = [other for other in seen if other.id != story.id]
        if not others:
            return None
        cards = self._made_cards(db, paper, others[: THREAD_SHOWN + 1], reader)
        made = [cards[other.id] for other in others if other.id in cards]
        return ThreadPage(
            thread=self._named(db, paper, story.thread, seen, reader),
            cards=tuple(made[:THREAD_SHOWN]),
            has_more=len(made) > THREAD_SHOWN,
        )

    def _threaded(self, db: Connection, paper: Live, thread: ThreadId, reader: Reader, most: int) -> list[Story]:
        """The latest stories of a thread that a reader may see, the latest first."""
        ids = store.threads.latest(db, thread, most)
        found = self._stories(db, ids)
        return [found[i] for i in ids if i in found and self._may_see(paper, reader, i, found[i])]

    def _named(self, db: Connection, paper: Live, thread: ThreadId, seen: Sequence[Story], reader: Reader) -> Thread:
        """The thread, named by what the reader may read: a story of private sources too gives it no name."""
        closed = paper.private - reader.subscriptions
        open_ = [s for s in seen[:THREAD_NAMED] if closed.isdisjoint(s.sources)]
        named_by = threads.thread(thread, open_ or seen)
        if not open_:
            named_by = replace(named_by, name="", entities=())
        whole = threads.thread(thread, seen)
        return replace(whole, name=named_by.name, entities=named_by.entities)

    def thread(self, reader_id: str, thread_id: str) -> ThreadPage:
        """A thread with the latest of its stories that this reader may see. Raises `NotFound`."""
        paper = self.edition()
        with self.looking() as db:
            reader = self._reader(db, ReaderId(reader_id))
            seen = self._threaded(db, paper, ThreadId(thread_id), reader, THREAD_READ + 1)
            if not seen:
                raise NotFound(_("There is no such thread here."))
            cards = self._made_cards(db, paper, seen[:THREAD_READ], reader)
            thread = self._named(db, paper, ThreadId(thread_id), seen, reader)
        shown = tuple(cards[story.id] for story in seen if story.id in cards)
        return ThreadPage(thread=thread, cards=shown, has_more=len(seen) > THREAD_READ)

    def article(self, reader_id: str, article_id: str) -> Article:
        """Raises `NotFound` for an article that is not here or that this reader may not see."""
        paper = self.edition()
        with self.looking() as db:
            reader = self._reader(db, ReaderId(reader_id))
            article = store.articles.get(db, ArticleId(article_id))
        if article is None or not self._may_read(paper, reader, article):
            raise NotFound(_("There is no such article here."))
        return article

    def read(self, reader: Reader, article: Article) -> None:
        """The reader read the article: if its publisher changes it, they are told. It is looked at again for that."""
        now = self.now()
        with self.engine.begin() as db:
            store.versions.read(db, reader.id, article.id, now)
            if article.time is not None and now - article.time < WATCHED and article.url.startswith("http"):
                store.rechecks.want(db, article.id, now + FIRST_LOOK)

    def corrections(self, reader: Reader, only: ArticleId | None = None) -> list[Correction]:
        """What publishers changed of the articles that the reader read, since they read them; the latest first."""
        live = self.edition()
        with self.looking() as db:
            known: dict[ArticleId, tuple[Version, datetime]] = {}
            for version, at in store.versions.since_read(db, reader.id):  # the earliest change is against what was read
                known[version.article] = (version, at)
            ids = [id_ for id_ in known if only is None or id_ == only]
            articles = {article.id: article for article in store.articles.many(db, ids, html=False)}
        found = []
        for id_ in ids:
            article, (before, at) = articles.get(id_), known[id_]
            if article is None or not self._may_read(live, reader, article):
                continue
            revision = compare(before.title, before.text, article.title, article.text, sentences)
            if not revision.is_only_looks:
                found.append(Correction(article, before, at, revision))
        return found

    def corrected(self, reader: Reader) -> int:
        """How many articles that the reader read had a fact changed since."""
        with self.looking() as db:
            return store.versions.corrected(db, reader.id)

    def earlier(self, article_id: ArticleId) -> int:
        """How many earlier wordings of the article are kept."""
        with self.looking() as db:
            return len(store.versions.of(db, article_id))

    def history(self, article: Article) -> list[tuple[Version, Revision, str, str]]:
        """What the article said before, the latest change first; each with how the wording that followed differs, and
        that wording's title and text."""
        with self.looking() as db:
            kept = store.versions.of(db, article.id)
        after = ([(v.title, v.text) for v in kept] + [(article.title, article.text)])[1:]
        steps = [
            (v, compare(v.title, v.text, title, text, sentences), title, text)
            for v, (title, text) in zip(kept, after, strict=True)
        ]
        return steps[::-1]

    def latest(
        self,
        reader: Reader,
        limit: int = 40,
        before: datetime | None = None,
        before_id: str = "",
        *,
        mine: bool = False,
        briefly: bool = False,
    ) -> list[Article]:
        """Articles, the newest first, with nothing hidden; `mine`: of the reader's own sources only; `briefly`: without
        their texts."""
        live = self.edition()
        sources = sorted(reader.subscriptions) if mine else None
        last = ArticleId(before_id) if before_id else None
        with self.looking() as db:
            found = store.articles.latest(db, limit, before, sources, before_id=last, briefly=briefly)
        return [article for article in found if self._may_read(live, reader, article)]

    def following(self, reader: Reader, each: int = 4) -> list[Followed]:
        """What came of each follow, the latest first; stories that have ended come last, with their closing note."""
        live = self.edition()
        edition = live.edition
        closed = set(private_to_others(edition, reader).tolist())
        rows: list[Followed] = []
        for follow in reversed(reader.follows):
            if follow.kind == "story":
                rows += self._followed_story(reader, live, follow)
                continue
            about = [row for row in edition.about(follow.kind, follow.value)[0].tolist() if row not in closed]
            about.sort(key=lambda row: -edition.last_seen[row])
            rows.append(Followed(follow, len(about), tuple(edition.ids[row] for row in about[:each])))
        return sorted(rows, key=lambda followed: followed.ended is not None)

    def _followed_story(self, reader: Reader, live: Live, follow: Follow) -> list[Followed]:
        """The story, under whatever id it goes now; nothing where it is gone or not for this reader."""
        try:
            story = self._story(follow.value)
        except NotFound:
            return [Followed(follow, 0, ())]
        if not self._may_see(live, reader, story.id, story):
            return []
        end = ended(story, self.now())
        word = self._last_word(reader, live, story) if end is not None else None
        return [Followed(follow, int(end is None), (story.id,), end, word)]

    def _last_word(self, reader: Reader, live: Live, story: Story) -> Point | None:
        """The last thing that the story's timeline quotes, of what this reader may see."""
        with self.looking() as db:
            articles = self._articles(db, {moment.article for moment in story.timeline})
        for moment in reversed(story.timeline):
            article = articles.get(moment.article)
            if article is not None and self._may_read(live, reader, article):
                return Point(moment.sentence, article.id, article.publisher, article.url)
        return None

    def saved(self, reader: Reader) -> list[StoryId]:
        return list(reversed(reader.saved))

    def search(self, reader: Reader, query: str, limit: int = 20, offset: int = 0) -> list[Found]:
        """Full-text hits that this reader may see, best first. Any query is fine."""
        paper = self.edition()
        if not query.strip():
            return []
        with self.looking() as db:
            hits = list(store.search.search(db, query, limit, offset))
            stories = self._stories(db, {hit.story for hit in hits if hit.story})
        return [
            Found(hit.article, stories.get(hit.story) if hit.story else None, quoted(hit), hit.titled)
            for hit in hits
            if self._may_read(paper, reader, hit.article)
        ]

    def doubts(self, query: Query) -> list[Doubt]:
        """What of a search was not taken as it may have been meant: also the topics that there are none of."""
        return [
            *query.doubts,
            *(Doubt("topic", sought) for sought in (*query.topics, *query.not_topics) if not is_topic(sought)),
        ]

    def story_of(self, article_id: ArticleId) -> StoryId | None:
        """The story that holds the article, once it was grouped."""
        with self.looking() as db:
            return store.articles.story_of(db, article_id)

    def common(self, kind: str, limit: int = 24) -> list[str]:
        """The names of that kind that most live stories mention: what a new reader may choose from."""
        edition = self.edition().edition
        found: list[str] = []
        commonest = edition.entities.most_common()
        while len(found) < limit and (some := list(itertools.islice(commonest, 2 * limit))):
            # what kind of thing a name is, and how it is written, says the latest story that has it
            told_by = {name: edition.latest_about(name) for name in some}
            with self.looking() as db:
                stories = self._stories(db, told_by.values())
            for name, story_id in told_by.items():
                entities = stories[story_id].entities if story_id in stories else ()
                found += [e.text for e in entities if e.type == kind and named(e.text) == name][:1]
        return found[:limit]
