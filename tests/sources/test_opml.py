"""Subscription lists in and out."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.errors import InputError
from broadsheet.sources.opml import MAX_DEPTH, Outline, Subscription, read, web_address, write


def opml(body: str, head: str = "<head><title>Mine</title></head>") -> bytes:
    return f'<?xml version="1.0"?><opml version="2.0">{head}<body>{body}</body></opml>'.encode()


def test_a_list_with_folders_is_read():
    found = read(
        opml(
            """<outline text="News"><outline text="World">
              <outline type="rss" text="BBC" title="BBC News" xmlUrl="https://bbc.example/rss" htmlUrl="https://bbc.example/"/>
            </outline><outline text="Local" xmlUrl="https://local.example/feed"/></outline>
            <outline text="Loose" xmlUrl="https://loose.example/feed"/>"""
        )
    )
    assert found.title == "Mine"
    assert found.subscriptions == (
        Subscription(
            url="https://bbc.example/rss", title="BBC News", homepage="https://bbc.example/", folder=("News", "World")
        ),
        Subscription(url="https://local.example/feed", title="Local", folder=("News",)),
        Subscription(url="https://loose.example/feed", title="Loose"),
    )
    assert found.problems == found.duplicates == ()


def test_what_readers_export_oddly_is_read_too():
    found = read(
        opml(
            """<outline text="A &amp; B&nbsp;&eacute;" xmlurl="https://a.example/?x=1&y=2"/>
            <outline title="feed scheme" xmlUrl="feed:https://b.example/rss"/>
            <outline title="old feed scheme" xmlUrl="feed://c.example/rss"/>
            <outline title="by category" category="/Tech/News,/Other" xmlUrl="https://d.example/rss"/>
            <outline title="url" type="rss" url=" https://e.example/rss "/>"""
        )
    )
    assert [s.url for s in found.subscriptions] == [
        "https://a.example/?x=1&y=2",
        "https://b.example/rss",
        "http://c.example/rss",
        "https://d.example/rss",
        "https://e.example/rss",
    ]
    assert found.subscriptions[3].folder == ("Tech", "News")
    assert found.subscriptions[0].title == "A & B é"
    assert read(b"<outline text='bare' xmlUrl='https://a.example/'/>").subscriptions[0].title == "bare"
    assert read("\ufeff".encode() + opml("<outline xmlUrl='https://a.example/'/>")).subscriptions
    assert (
        read(opml("<outline text='é' xmlUrl='https://a.example/'/>").decode().encode("utf-16")).subscriptions[0].title
        == "é"
    )


def test_quotes_and_tags_that_an_export_forgot_to_escape_are_read():
    found = read(
        opml(
            """<outline text="F"><outline text="A "good" one" description="<b>Say "x"</b> & <a href="u">more</a>" xmlUrl="https://a.example/?a=1&b=2" type="rss" />
            <outline title='It's' xmlUrl='https://b.example/'></outline></outline>"""
        )
    )
    assert [(s.title, s.url, s.folder) for s in found.subscriptions] == [
        ('A "good" one', "https://a.example/?a=1&b=2", ("F",)),
        ("It's", "https://b.example/", ("F",)),
    ]
    assert found.problems == ()


def test_a_feed_listed_twice_is_kept_once_and_reported():
    found = read(
        opml(
            """<outline text="One"><outline text="A" xmlUrl="https://a.example/feed"/></outline>
            <outline text="Two"><outline text="A" xmlUrl="http://A.example/feed/"/></outline>"""
        )
    )
    assert [s.folder for s in found.subscriptions] == [("One",)]
    assert found.duplicates == ("http://A.example/feed/ is in “One” and again in “Two”",)


def test_what_can_not_be_used_is_named():
    found = read(
        opml(
            """<outline text="No address"/><outline text="Empty" xmlUrl=""/>
            <outline text="Script" xmlUrl="javascript:alert(1)"/><outline text="File" xmlUrl="file:///etc/passwd"/>
            <outline text="Data" xmlUrl="data:text/xml,x"/><outline text="Nowhere" xmlUrl="http://"/>
            <outline text="Good" xmlUrl="https://a.example/" htmlUrl="javascript:alert(1)"/>"""
        )
    )
    assert [(s.title, s.homepage) for s in found.subscriptions] == [("Good", "")]
    assert len(found.problems) == 6
    assert found.problems[0] == "“No address” has no feed address (xmlUrl)"
    assert "not on the web: javascript:alert(1)" in found.problems[2]


def test_a_list_that_was_cut_off_gives_what_it_holds_and_says_so():
    found = read(opml('<outline text="A" xmlUrl="https://a.example/"/><outline text="B" xmlUrl="https://b')[:-20])
    assert [s.title for s in found.subscriptions] == ["A"]
    assert any("line" in problem for problem in found.problems)


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"hello", b"\x00\x01", b"<html><body>no</body></html>", b"{}", b"<rss/>", b"PK\x03\x04"]
)
def test_what_is_no_list_is_refused_in_a_sentence(body):
    with pytest.raises(InputError, match="not an OPML file"):
        read(body)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE o [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE o [<!ENTITY % p SYSTEM "http://169.254.169.254/"> %p;]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(doctype, encoding):
    body = f'{doctype}<opml><body><outline text="&l9;&x;" xmlUrl="https://a.example/"/></body></opml>'
    with pytest.raises(InputError, match="entities"):
        read(body.encode(encoding))


def test_a_document_type_alone_opens_nothing():
    body = (
        b'<!DOCTYPE opml SYSTEM "http://169.254.169.254/x.dtd">' + opml("<outline xmlUrl='https://a.example/'/>")[21:]
    )
    assert len(read(body).subscriptions) == 1


def test_depth_and_size_are_bounded():
    deep = "<outline text='f'>" * 200 + "<outline xmlUrl='https://a.example/'/>" + "</outline>" * 200
    found = read(opml(deep))
    assert found.subscriptions[0].folder == ("f",) * MAX_DEPTH
    assert any("deep" in problem for problem in found.problems)
    read(opml("<outline text='f'>" * 100_000))  # deeper than the parser goes: no crash
    with pytest.raises(InputError, match="larger"):
        read(b" " * 11_000_000)
    many = read(opml("".join(f"<outline xmlUrl='https://a.example/{n}'/>" for n in range(21_000))))
    assert len(many.subscriptions) == 20_000
    assert any("left out" in problem for problem in many.problems)
    bad = read(opml("<outline text='x'/>" * 5000))
    assert bad.problems[-1] == "and 4,800 more"


def test_folders_are_written_nested_and_names_escaped():
    written = write(
        "Mine", [Subscription(url="https://a.example/?a=1&b=2", title='"A" <b>', folder=("X & Y", "Z"))]
    ).decode()
    assert '<outline text="X &amp; Y" title="X &amp; Y">' in written
    assert 'xmlUrl="https://a.example/?a=1&amp;b=2"' in written
    assert written.startswith("<?xml version='1.0' encoding='UTF-8'?>")


names = (
    st.text(min_size=1, max_size=20)
    .map(lambda s: " ".join("".join(c if c.isprintable() else " " for c in s).split()))
    .filter(bool)
)
hosts = st.from_regex(r"[a-z]{1,8}\.example", fullmatch=True)


@settings(max_examples=40)
@given(
    title=names,
    found=st.lists(
        st.builds(
            lambda host, path, title, folder: Subscription(
                url=f"https://{host}/{path}", title=title, homepage=f"https://{host}/", folder=tuple(folder)
            ),
            hosts,
            st.from_regex(r"[a-z0-9%&=?;,+~-]{1,20}", fullmatch=True),
            names,
            st.lists(names, max_size=4),
        ),
        max_size=12,
        unique_by=lambda s: s.url,
    ),
)
def test_what_is_written_is_read_back(title, found):
    back = read(write(title, found) if found else opml("<outline text='x'/>", f"<head><title>{'x'}</title></head>"))
    if not found:
        assert back == Outline(title="x", problems=("“x” has no feed address (xmlUrl)",))
        return
    assert back.title == title
    assert sorted(back.subscriptions, key=lambda s: s.url) == sorted(found, key=lambda s: s.url)
    assert back.problems == back.duplicates == ()


pieces = st.lists(
    st.sampled_from(["<outline", " text=", " xmlUrl=", '"', "'", ">", "/>", "</outline>", "&", "http://a.b/", " "])
)


@settings(max_examples=60)
@given(st.binary(max_size=300) | st.text(max_size=200).map(opml) | pieces.map("".join).map(opml))
def test_no_bytes_do_more_than_refuse(body):
    with suppress(InputError):
        assert all(web_address(s.url) for s in read(body).subscriptions)


def test_an_empty_list_is_a_list():
    assert read(write("Nothing", [])) == Outline(title="Nothing")


@pytest.mark.data
def test_lists_that_people_share_are_read_whole(data):
    found = [
        read(path.read_bytes())
        for path in sorted((data / "outlets" / "awesome-rss-feeds").rglob("with_category/*.opml"))
    ]
    assert len(found) == 59
    assert sum(len(outline.subscriptions) + len(outline.duplicates) for outline in found) == 786
    assert all(s.folder for outline in found for s in outline.subscriptions)
