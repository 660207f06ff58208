"""Whether what somebody wrote is found by who reads them, measured on feeds that are made for it."""

import io
import tarfile

import pytest

from broadsheet.errors import InputError
from broadsheet.evaluation import authors
from tests.builders import HOUR, NOON


def feeds(path, signed):
    """A paper that three people write for in turn, and one that signs nothing, all in one week."""
    with tarfile.open(path, "w:xz") as archive:
        for name in ("paper", "other"):
            items = "".join(
                f"<item><title>{name} {n}</title><link>https://{name}.example/{n}</link>"
                + (f"<dc:creator>Writer {n % 3}</dc:creator>" if signed and name == "paper" else "")
                + f"<pubDate>{(NOON + n * HOUR).strftime('%a, %d %b %Y %H:%M:%S +0000')}</pubDate></item>"
                for n in range(60)
            )
            body = f'<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>{items}</channel></rss>'.encode()
            member = tarfile.TarInfo(f"feeds/{name}")
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return path


def test_who_read_three_pieces_is_shown_the_next_and_not_what_others_wrote(tmp_path):
    report = authors.evaluate(feeds(tmp_path / "feeds.tar.xz", signed=True))
    without, with_ = (row.figures for row in report.rows)
    assert with_["median place"] < without["median place"]
    assert with_["others' place"] >= without["others' place"]
    assert "by 3 authors" in report.notes[0]


def test_feeds_that_nobody_signs_are_refused(tmp_path):
    with pytest.raises(InputError):
        authors.evaluate(feeds(tmp_path / "feeds.tar.xz", signed=False))
    with pytest.raises(InputError):
        authors.evaluate(tmp_path / "none.tar.xz")
