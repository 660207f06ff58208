"""Addresses have one spelling; texts that repeat each other are recognised, short ones never."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.articles.identity import BANDS, MIN_WORDS, bands, canonical_url, fingerprint, resemblance

SPELLINGS = [
    ("HTTPS://WWW.Example.ORG:443/News?utm_source=rss&id=7#top", "https://www.example.org/News?id=7"),
    ("http://example.org", "http://example.org/"),
    ("http://example.org:80/a/./b/../c", "http://example.org/a/c"),
    ("http://example.org:8080/a", "http://example.org:8080/a"),
    ("https://example.org/a?fbclid=x&gclid=y&CMP=share_btn&ref=home", "https://example.org/a"),
    ("https://example.org/?p=123&utm_campaign=z", "https://example.org/?p=123"),
    ("https://example.org/item?id=3&from=rss", "https://example.org/item?id=3"),
    ("https://example.org/trains?from=paris", "https://example.org/trains?from=paris"),
    ("https://example.org/a?b=1&amp;utm_medium=feed", "https://example.org/a?b=1"),
    ("https://example.org/%7euser/%e4%b8%ad", "https://example.org/~user/%E4%B8%AD"),
    ("https://example.org/中 文", "https://example.org/%E4%B8%AD%20%E6%96%87"),
    ("https://example.org/story/amp/", "https://example.org/story"),
    ("https://example.org/story.amp.html", "https://example.org/story.html"),
    ("https://example.org/amp", "https://example.org/amp"),
    ("https://example.org/champ", "https://example.org/champ"),
    ("https://amp.theguardian.com/world/a", "https://www.theguardian.com/world/a"),
    ("https://en.m.wikipedia.org/wiki/News", "https://en.wikipedia.org/wiki/News"),
    ("https://www.bbc.co.uk/news/amp/world-1", "https://www.bbc.co.uk/news/world-1"),
    ("https://www.google.com/url?rct=j&url=https://example.org/x%3Futm_a%3D1%26id%3D2&ct=ga", "https://example.org/x?id=2"),
    ("https://example-org.cdn.ampproject.org/c/s/example.org/x", "https://example.org/x"),
    ("https://example.org/app/#!/story/5", "https://example.org/app/#!/story/5"),
    ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
    ("  https://example.org/a\n", "https://example.org/a"),
    ("mailto:editor@example.org", "mailto:editor@example.org"),
    ("http://[::1", "http://[::1"),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("written", "canonical"), SPELLINGS)
def test_an_address_has_one_spelling(written: str, canonical: str) -> None:
    assert canonical_url(written) == canonical


def test_a_relative_address_is_read_from_its_page() -> None:
    assert canonical_url("../b?utm_source=x", "https://example.org/news/a") == "https://example.org/b"
    assert canonical_url("//cdn.example.org/b", "https://example.org/a") == "https://cdn.example.org/b"


pieces = st.sampled_from(
    ["http://", "HTTPS://", "example.org", "EXAMPLE.org.", ":80", ":443", ":8x", "/", "//", "a", "amp", ".amp", "/amp/",
     "?", "&", "=", "utm_source=x", "id=1", "ref", "#", "#!/", "%41", "%", "%%34", "%zz", "é", " ", "..", "/./", "/../",
     "@", ";", "amp;", "[", "]", "\\", "\u202e", "\ud800", "www.google.com/url?url=", "l.facebook.com/l.php?u=",
     "http%3A%2F%2Fexample.org%2F%2541", "x.cdn.ampproject.org/c/s/", "news/amp/amp/", "m.bbc.co.uk"]
)  # fmt: skip


@given(st.lists(pieces, max_size=14).map("".join) | st.text(max_size=60).map("https://example.org/".__add__))
def test_asking_twice_changes_nothing(written: str) -> None:
    once = canonical_url(written)
    assert canonical_url(once) == once


@given(
    st.lists(st.sampled_from(["utm_source=a", "fbclid=b", "CMP=c", "gclid=d", "at_medium=e", "mc_cid=f"]), max_size=5),
    st.randoms(),
)
def test_how_a_reader_came_never_matters(tracking: list[str], rng: random.Random) -> None:
    parameters = ["id=7", "page=2", *tracking]
    rng.shuffle(parameters)
    query = [p for p in parameters if p in ("id=7", "page=2")]
    assert canonical_url("https://example.org/a?" + "&".join(parameters)) == "https://example.org/a?" + "&".join(query)


def words(count: int, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return [f"w{rng.randrange(5000)}" for _ in range(count)]


def test_a_copy_resembles_its_original_whatever_its_case_and_spacing() -> None:
    text = " ".join(words(200))
    assert fingerprint(text.upper().replace(" ", ",\n ")) == fingerprint(text)


def test_a_lightly_edited_copy_is_close_and_shares_a_band() -> None:
    original = words(400)
    edited = [*original[:100], "however", *original[101:], "reporting", "by", "the", "agency"]
    a, b = fingerprint(" ".join(original)), fingerprint(" ".join(edited))
    assert resemblance(a, b) > 0.85
    assert set(bands(a)) & set(bands(b))


def test_another_text_is_far_and_shares_no_band() -> None:
    a, b = fingerprint(" ".join(words(400, 1))), fingerprint(" ".join(words(400, 2)))
    assert resemblance(a, b) < 0.1
    assert not set(bands(a)) & set(bands(b))


def test_the_estimate_is_near_the_share_of_wording() -> None:
    rng = random.Random(3)
    for share in (0.25, 0.5, 0.75):
        common, own_a, own_b = int(1200 * share), words(600, rng.randrange(99)), words(600, 100 + rng.randrange(99))
        shared = words(common, 7)
        a, b = shared + own_a, shared + own_b
        shingles = [{tuple(t[i : i + 3]) for i in range(len(t) - 2)} for t in (a, b)]
        true = len(shingles[0] & shingles[1]) / len(shingles[0] | shingles[1])
        assert abs(resemblance(fingerprint(" ".join(a)), fingerprint(" ".join(b))) - true) < 0.15


def test_a_short_text_is_a_copy_of_nothing() -> None:
    short = " ".join(words(MIN_WORDS - 1))
    assert fingerprint(short) == b""
    assert resemblance(fingerprint(short), fingerprint(short)) == 0.0
    assert bands(b"") == ()


def test_text_without_spaces_is_read_by_characters() -> None:
    chinese = "布林肯抵达北京与秦刚会谈双方就两国关系和国际问题交换意见" * 5
    longer = chinese + "会谈后双方发表声明"
    assert resemblance(fingerprint(chinese), fingerprint(longer)) > 0.5
    assert len(bands(fingerprint(chinese))) == BANDS


@given(st.text(max_size=2000))
def test_any_text_has_a_fingerprint_or_none(text: str) -> None:
    print_ = fingerprint(text)
    assert len(print_) in (0, 384)
    assert resemblance(print_, print_) == (1.0 if print_ else 0.0)
