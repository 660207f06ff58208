"""What `parse` promises, format by format and law by law."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.model import SourceId, identify
from broadsheet.sources.formats import parse
from broadsheet.sources.formats.dates import moment

URL = "https://news.example/feed.xml"
SOURCE = SourceId("source")


def read(body, content_type=""):
    return parse(body if isinstance(body, bytes) else body.encode(), url=URL, content_type=content_type, source=SOURCE)


def rss(items, head=""):
    return f'<rss version="2.0"><channel><title>News</title>{head}{items}</channel></rss>'


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_make_it_raise(body):
    assert isinstance(read(body).problems, tuple)


@given(st.text(alphabet="<>&;/[]!-\"'= abr:titlemsgfdxnCDATA", max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_mess_inside_a_feed_makes_it_raise(mess):
    read(rss(f"<item><title>{mess}</title></item>"))


@given(st.integers(0, 400))
@settings(max_examples=30, deadline=None)
def test_a_feed_cut_off_anywhere_gives_what_is_whole_or_says_what_is_wrong(cut):
    whole = rss("".join(f"<item><title>Item {n}</title><link>https://a.example/{n}</link></item>" for n in range(6)))
    got = read(whole[:cut])
    assert got.problems or len(got.entries) == 6
    assert all(entry.title.startswith("Item") or not entry.title for entry in got.entries[:-1])


@given(
    st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=30), max_size=6)
)
@settings(max_examples=60, deadline=None)
def test_every_item_of_a_well_formed_feed_is_an_entry(titles):
    from xml.sax.saxutils import escape

    items = "".join(
        f"<item><title>{escape(t)}</title><link>https://a.example/{n}</link></item>" for n, t in enumerate(titles)
    )
    assert [e.url for e in read(rss(items)).entries] == [f"https://a.example/{n}" for n in range(len(titles))]


def test_the_same_feed_read_twice_gives_the_same_ids():
    body = rss(
        "<item><guid>one</guid></item><item><link>https://a.example/2</link></item><item><title>Three</title></item>"
    )
    assert [e.id for e in read(body).entries] == [e.id for e in read(body).entries]
    assert [e.id for e in read(body).entries] == [
        identify(SOURCE, "one"), identify(SOURCE, "https://a.example/2"), identify(SOURCE, "Three"),
    ]  # fmt: skip


def test_an_entry_with_no_identity_gets_one_from_its_text_and_a_problem():
    got = read(rss("<item><description>A</description></item><item><description>B</description></item>"))
    assert got.entries[0].id != got.entries[1].id
    assert any("no id, link or title" in p for p in got.problems)


def test_two_pages_under_one_guid_stay_two_entries():
    got = read(rss("".join(f"<item><guid>x</guid><link>https://a.example/{n}</link></item>" for n in "12")))
    assert len({e.id for e in got.entries}) == 2
    assert any("same id" in p for p in got.problems)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Sat, 01 Aug 2026 09:30:00 GMT", datetime(2026, 8, 1, 9, 30, tzinfo=UTC)),
        ("Sat, 1 Aug 26 09:30 EST", datetime(2026, 8, 1, 14, 30, tzinfo=UTC)),
        ("01 Aug 2026 09:30:00 +0530", datetime(2026, 8, 1, 4, 0, tzinfo=UTC)),
        ("Sat, 01 Aug 2026 24:00:00 GMT", datetime(2026, 8, 2, tzinfo=UTC)),
        ("2026-08-01T09:30:00.123-04:00", datetime(2026, 8, 1, 13, 30, tzinfo=UTC)),
        ("2026-08-01", datetime(2026, 8, 1, tzinfo=UTC)),
        ("20260801T093000Z", datetime(2026, 8, 1, 9, 30, tzinfo=UTC)),
        ("2026-08-01 09:30:00", datetime(2026, 8, 1, 9, 30, tzinfo=UTC)),
        ("August 1, 2026 9:30 pm", datetime(2026, 8, 1, 21, 30, tzinfo=UTC)),
        ("Sa, 01 März 2026 09:30:00 +0100", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("sam., 01 août 2026 09:30:00 +0200", datetime(2026, 8, 1, 7, 30, tzinfo=UTC)),
        ("01 de agosto de 2026", datetime(2026, 8, 1, tzinfo=UTC)),
        ("Thu Jan  1 19:48:21 2004", datetime(2004, 1, 1, 19, 48, 21, tzinfo=UTC)),
        ("1785576600", datetime(2026, 8, 1, 9, 30, tzinfo=UTC)),
    ],
)
def test_dates_of_many_styles_are_moments_in_utc(written, expected):
    assert moment(written) == (expected, "")


@pytest.mark.parametrize(
    "written", ["yesterday", "Mon, 01 Jan 0001 00:00:00 +0000", "1970-01-01T00:00:00Z", "99999", ""]
)
def test_a_date_that_means_nothing_is_none_and_says_so(written):
    found, problem = moment(written)
    assert found is None
    assert problem


@given(st.datetimes(datetime(1991, 1, 1), datetime(2099, 1, 1)), st.integers(-12, 14))
def test_a_date_survives_being_written_for_mail_and_for_machines(when, hours):
    from datetime import timezone
    from email.utils import format_datetime

    aware = when.replace(microsecond=0, tzinfo=timezone(timedelta(hours=hours)))
    assert moment(format_datetime(aware))[0] == aware
    assert moment(aware.isoformat())[0] == aware


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "utf-8-sig", "koi8-r", "windows-1251", "iso-8859-5"])
def test_a_declared_encoding_is_read(encoding):
    title = "Как пережить ночь"
    body = f'<?xml version="1.0" encoding="{encoding}"?><rss><channel><title>{title}</title></channel></rss>'
    assert read(body.encode(encoding)).feed.title == title


def test_utf8_that_says_it_is_latin_is_read_as_utf8_and_said():
    got = read('<?xml version="1.0" encoding="iso-8859-1"?><rss><channel><title>Café</title></channel></rss>')
    assert got.feed.title == "Café"
    assert any("is UTF-8" in p for p in got.problems)


def test_windows_bytes_in_a_utf8_feed_lose_nothing():
    got = read("<rss><channel><title>Ünïcode and ".encode() + b"caf\xe9 \x93quoted\x94</title></channel></rss>")
    assert got.feed.title == "Ünïcode and café “quoted”"
    assert any("Windows-1252" in p for p in got.problems)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("caf&eacute;", "café"),
        ("AT&T and B&B", "AT&T and B&B"),
        ("x &nosuch; y", "x &nosuch; y"),
        ("a\x0bb", "ab"),
        ("1 < 2", "1 < 2"),
    ],
)
def test_broken_text_is_recovered_and_the_entry_after_it_too(title, expected):
    got = read(rss(f"<item><title>{title}</title></item><item><title>Next</title></item>"))
    assert [e.title for e in got.entries] == [expected, "Next"]
    assert got.problems


def test_html_written_bare_into_a_description_does_not_swallow_the_next_entry():
    got = read(
        rss("<item><description><p>One <br> two <b>three</p></description></item><item><title>Next</title></item>")
    )
    assert [e.title for e in got.entries] == ["", "Next"]
    assert got.entries[0].summary == "<p>One <br> two <b>three</p>"


def test_a_permanent_guid_is_the_link_and_another_is_not():
    got = read(
        rss(
            '<item><guid>https://a.example/1</guid></item><item><guid isPermaLink="false">https://a.example/2</guid></item>'
        )
    )
    assert [e.url for e in got.entries] == ["https://a.example/1", ""]


def test_relative_links_lead_from_the_feed_where_nothing_else_says():
    got = read(rss('<item><link>/a</link><description>&lt;img src="b.png"&gt;</description></item>'))
    assert got.entries[0].url == "https://news.example/a"
    assert got.entries[0].summary == '<img src="https://news.example/b.png">'


def test_an_item_names_where_it_came_from():
    got = read(rss('<item><title>x</title><source url="https://wire.example/">Wire</source></item>'))
    assert got.entries[0].publisher == "Wire"


def test_a_recording_in_a_media_group_is_an_enclosure_and_a_picture_the_image():
    media = (
        '<item xmlns:media="http://search.yahoo.com/mrss/"><media:group><media:content url="/v.mp4" type="video/mp4"/>'
        '<media:content url="/i.jpg" medium="image"/></media:group></item>'
    )
    (entry,) = read(rss(media)).entries
    assert [e.url for e in entry.enclosures] == ["https://news.example/v.mp4"]
    assert entry.image == "https://news.example/i.jpg"


def test_what_a_feed_says_of_itself():
    head = (
        "<ttl>30</ttl><link>/home</link><language>en_US</language>"
        '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="hub" href="https://hub.example/"/>'
    )
    feed = read(rss("", head)).feed
    assert (feed.ttl, feed.hub, feed.link, feed.language) == (
        timedelta(minutes=30), "https://hub.example/", "https://news.example/home", "en-US",
    )  # fmt: skip


def test_a_sitemap_index_names_its_sitemaps():
    got = read(
        '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>/a.xml</loc></sitemap></sitemapindex>'
    )
    assert (got.kind, got.sitemaps) == ("sitemap index", ("https://news.example/a.xml",))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("<!doctype html><html><body>Hello</body></html>", "web page"),
        ("<opml version='2.0'><body><outline/></body></opml>", "OPML"),
        ("", "empty"),
        ("just words", "no markup"),
        ("[1, 2]", "not a JSON Feed"),
        ("{", "not JSON"),
        ("<kml xmlns='http://earth.google.com/kml/2.1'/>", "KML"),
        ("<note>hello</note>", "root is <note>"),
    ],
)
def test_what_is_no_feed_is_named(body, word):
    got = read(body)
    assert got.entries == ()
    assert got.kind == ""
    assert any(word in p for p in got.problems)


def test_what_a_link_is_for_counts_also_where_its_address_stands_in_its_text():
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><title>x</title><id>1</id>
    <link rel="enclosure" type="audio/mpeg">https://news.example/a.mp3</link>
    <link rel="alternate" type="text/html">https://news.example/a</link></entry></feed>"""
    (entry,) = read(body).entries
    assert entry.url == "https://news.example/a"
    assert [e.url for e in entry.enclosures] == ["https://news.example/a.mp3"]
