"""Pasted pages give the article and nothing that stood around it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.articles.extract import extract
from broadsheet.articles.pasted import read
from broadsheet.model import Article, Page

FIRST = "The council of Port Ellen voted on Tuesday to close its oldest bridge for two years of repairs."
SECOND = "Engineers found cracks in three of the nine arches last winter, the harbour office said in a statement."
THIRD = "“We could not wait for another winter,” said Mayor Ana Brito, who had opposed the closure in March."
FOURTH = "Traffic will be led over the northern crossing from the first of May, at a cost of four million pounds."
BODY = (FIRST, SECOND, THIRD, FOURTH)
TITLE = "Port Ellen council closes oldest bridge for repairs after cracks found in arches"


def page(*lines: str) -> str:
    return "\n\n".join(lines)


@pytest.mark.data
def test_the_page_that_started_the_project_gives_its_title_two_key_points_and_no_foreign_line(data: Path) -> None:
    text = (data / "page" / "us-china-visit.txt").read_text("utf-8")
    (article,) = extract([Page(id="1", url="", text=text)])
    assert isinstance(article, Article)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    bullets = tuple(line.lstrip("• ").strip() for line in lines if line.startswith("•"))
    captions = tuple(line for line in lines if "Photo: " in line)
    ends = (".", "”", "”.")
    body = tuple(line for line in lines if line.endswith(ends) and not line.startswith("•") and line not in captions)

    assert article.title.startswith("US-China relations: Secretary of State")
    assert article.title in lines
    assert article.key_points == bullets
    assert len(bullets) == 2
    assert article.published is None
    assert article.captions == captions
    assert len(captions) == 3
    assert tuple(article.text.split("\n\n")) == body, "every paragraph, in order, and no other line"


def test_advertisements_counters_and_promotions_are_left_out() -> None:
    read_ = read(
        page(
            "Advertisement",
            "Sign up for our newsletter",
            TITLE,
            "5 min read",
            FIRST,
            "ADVERTISEMENT",
            SECOND,
            "Share this article",
            THIRD,
            FOURTH,
            "312",
            "12 comments",
        )
    )
    assert read_.title == TITLE
    assert read_.paragraphs == BODY


def test_headlines_of_other_stories_between_paragraphs_are_left_out() -> None:
    other = "Northern crossing to double tolls as harbour traffic grows"
    assert read(page(TITLE, FIRST, SECOND, other, THIRD, FOURTH)).paragraphs == BODY


def test_the_title_of_a_video_goes_with_its_time_code_even_when_it_asks_a_question() -> None:
    video = "Why are so many of the old bridges closing?"
    assert read(page(TITLE, FIRST, SECOND, "02:17", video, video, THIRD, FOURTH)).paragraphs == BODY


def test_what_follows_a_heading_of_related_stories_is_left_out() -> None:
    rest = (
        "Most read",
        "A man walked his dog across three counties and wrote a book of it.",
        "Rain is expected all week.",
    )
    assert read(page(TITLE, *BODY, *rest)).paragraphs == BODY


def test_a_related_box_in_the_middle_ends_with_the_next_paragraph() -> None:
    assert read(page(TITLE, FIRST, SECOND, "Related", "Mayor under fire", THIRD, FOURTH)).paragraphs == BODY


@pytest.mark.parametrize(
    "caption",
    [
        "The bridge at dusk in January. Photo: AFP",
        "Workers inspect an arch (Photo by Ann Lee)",
        "Ana Brito speaks on Tuesday. Photograph: Bo Hu/Reuters",
        "The northern crossing. Ann Lee/Getty Images",
    ],
)
def test_captions_are_kept_apart_from_the_text(caption: str) -> None:
    found = read(page(TITLE, FIRST, SECOND, caption, THIRD, FOURTH))
    assert found.captions == (caption,)
    assert found.paragraphs == BODY


def test_the_lead_in_of_a_caption_is_no_part_of_it() -> None:
    found = read(page(TITLE, "Image source, Getty Images\nImage caption, The bridge has stood for 200 years", *BODY))
    assert found.captions == ("The bridge has stood for 200 years",)
    assert found.paragraphs == BODY


def test_bullets_under_the_title_are_the_key_points_and_bullets_in_the_body_stay() -> None:
    points = ("The bridge closes for two years from May", "Repairs cost four million pounds")
    items = ("The north arch", "The middle arch")
    announced = "The harbour office named the arches that are to be rebuilt first:"
    text = page(
        TITLE, "\n".join(f"• {p}" for p in points), FIRST, announced, "\n".join(f"• {i}" for i in items), THIRD, FOURTH
    )
    found = read(text)
    assert found.key_points == points
    assert found.paragraphs == (FIRST, announced, *items, THIRD, FOURTH)


def test_without_bullets_the_standfirst_is_the_key_point() -> None:
    standfirst = "Closure from May will send traffic over the northern crossing for two years"
    found = read(page(TITLE, standfirst, "By Ann Lee and Bo Hu", "Published: 4 March 2026, 14:30 GMT", *BODY))
    assert found.key_points == (standfirst,)
    assert found.authors == ("Ann Lee", "Bo Hu")
    assert found.published == datetime(2026, 3, 4, 14, 30, tzinfo=UTC)
    assert found.paragraphs == BODY


def test_a_pull_quote_is_said_once() -> None:
    assert read(page(TITLE, FIRST, SECOND, "“We could not wait for another winter”", THIRD, FOURTH)).paragraphs == BODY


def test_short_subheadings_stay_with_their_paragraphs() -> None:
    assert "What happens next" in read(page(TITLE, FIRST, SECOND, "What happens next", THIRD, FOURTH)).paragraphs


def test_lines_broken_at_a_fixed_width_are_joined() -> None:
    words = (FIRST + " " + SECOND + " " + FOURTH).split()
    lines: list[str] = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 64:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    found = read(page(TITLE, "\n".join(lines), THIRD))
    assert " ".join(found.paragraphs).startswith(FIRST)
    assert len(found.paragraphs) == 2


def test_a_biography_of_the_author_at_the_end_is_left_out() -> None:
    biography = "Ann Lee is a senior correspondent who covers the harbour towns for the paper."
    assert read(page(TITLE, *BODY, biography)).paragraphs == BODY


def test_the_name_of_the_site_is_taken_off_the_title() -> None:
    assert read(page("The Harbour Post", f"{TITLE} | The Harbour Post", *BODY)).title == TITLE


def test_chinese_paragraphs_are_paragraphs() -> None:
    body = (
        "市议会星期二投票决定关闭最古老的桥梁两年进行维修，交通将改道。",
        "工程师去年冬天在九个桥拱中的三个发现裂缝，港务局在声明中表示。",
    )
    assert read(page("市议会关闭最古老的桥梁", *body)).paragraphs == body


@given(
    st.permutations(["Advertisement", "Share", "Sign up", "1.2k", "00:45", "Follow us", "Comments"]), st.integers(0, 4)
)
def test_no_paragraph_is_lost_wherever_the_furniture_stands(furniture: list[str], place: int) -> None:
    lines = [TITLE, *BODY[:place], *furniture, *BODY[place:]]
    assert read(page(*lines)).paragraphs == BODY


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    found = read(text)
    said = "".join(text.split())
    assert all("".join(p.split()) for p in found.paragraphs)
    assert not found.paragraphs or said
