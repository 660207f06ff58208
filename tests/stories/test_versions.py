"""Two versions of one article: what was said, and which facts became others."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from broadsheet.stories.versions import Change, FactChange, apply, compare, plain_sentences

OLD = (
    "An earthquake killed 2,000 people in Turkey on Monday, officials said. "
    "Rescue teams are searching for survivors.\n\n"
    "“We need help,” said Mayor Ali Kaya. Schools are closed."
)
NEW = (
    "An earthquake killed 3,000 people in Turkey on Monday, officials said. "
    "Rescue teams are searching for survivors.\n\n"
    "“We need help now,” said Mayor Veli Demir. President Erdogan declared an emergency."
)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in plain_sentences(text)]


def facts(old: str, new: str, old_title: str = "T", new_title: str = "T") -> set[tuple[str, str, str]]:
    return {(f.kind, f.old, f.new) for f in compare(old_title, old, new_title, new).facts}


def test_a_number_a_name_and_a_quote_that_changed_are_named_in_their_own_words():
    found = facts(OLD, NEW)
    assert ("number", "2,000", "3,000") in found
    assert ("name", "Ali Kaya", "Veli Demir") in found
    assert ("quote", "We need help,", "We need help now,") in found
    assert ("name", "", "Erdogan") in found


def test_each_sentence_is_kept_changed_added_or_removed():
    kinds = [c.kind for c in compare("", OLD, "", NEW).changes]
    assert Counter(kinds) == {"changed": 2, "kept": 1, "added": 1, "removed": 1}


def test_a_changed_sentence_shows_which_words_went_and_which_came():
    change = compare("", OLD, "", NEW).changes[0]
    assert [OLD[s.start : s.end] for s in change.cut] == ["2,000"]
    assert [NEW[s.start : s.end] for s in change.put] == ["3,000"]


def test_another_headline_is_a_fact():
    assert facts(OLD, OLD, "Quake kills 2,000", "Quake kills 3,000") == {
        ("headline", "Quake kills 2,000", "Quake kills 3,000")
    }


def test_quotation_marks_dashes_and_spaces_are_no_change_of_fact():
    curly = "“It’s over,” he said – at last. Prices rose 5 percent."
    plain = '"It\'s over,"  he said - at last.\nPrices rose 5\u00a0percent.'
    assert facts(curly, plain, "It’s over", "It's over") == set()


def test_the_same_number_in_other_digits_is_no_change_of_fact():
    assert facts("The fund lost 3,000 dollars.", "The fund lost 3000 dollars.") == set()


def test_the_hour_of_an_update_and_the_byline_are_no_facts():
    old = "By Jane Doe\nUpdated 10:15 a.m. Monday\nPrices rose 5 percent."
    new = "By Jane Doe and John Roe\nUpdated 11:40 a.m. Monday\nPrices rose 5 percent."
    assert facts(old, new) == set()


def test_a_sentence_that_moved_changes_no_fact():
    assert facts("Ann won 5 games. Bob lost 7 sets.", "Bob lost 7 sets. Ann won 5 games.") == set()


def test_a_name_that_is_now_given_in_part_is_no_change_of_fact():
    old = "Ann Mary Lee won. The mayor, Ann Mary Lee, spoke."
    assert facts(old, "Ann Mary Lee won. The mayor, Ann Lee, spoke again.") == set()


def test_facts_are_not_paired_where_more_came_than_went():
    found = facts("It cost 5 dollars.", "It cost 7 dollars and 9 cents.")
    assert found == {("number", "5", ""), ("number", "", "7"), ("number", "", "9")}


def test_a_text_written_anew_is_all_removed_and_all_added():
    revision = compare("", "Alpha bravo charlie. Delta echo.", "", "Uno dos tres. Cuatro cinco.")
    assert Counter(c.kind for c in revision.changes) == {"removed": 2, "added": 2}


def test_empty_versions_are_versions():
    assert compare("", "", "", "").changes == ()
    assert [c.kind for c in compare("", "", "", "One thing.").changes] == ["added"]


TEXTS = st.lists(
    st.sampled_from(
        [
            "Officials said 20 people died.",
            "Officials said 30 people died.",
            "“We will rebuild,” said Ann Lee.",
            "“We will not rebuild,” said Bob Ray.",
            "It rained.",
            "Prices rose 5% in Rome on Friday",
            "他们说死了20人。",
        ]
    ),
    max_size=7,
).map("\n".join) | st.text(alphabet="ab1 .\n“”é,", max_size=60)


@given(TEXTS)
def test_a_version_compared_with_itself_has_only_kept_sentences_and_no_facts(text: str):
    revision = compare(text[:5], text, text[:5], text)
    assert all(c.kind == "kept" for c in revision.changes)
    assert revision.facts == ()


@given(TEXTS, TEXTS)
def test_the_changes_applied_to_the_old_version_give_the_new_one(old: str, new: str):
    revision = compare("", old, "", new)
    assert list(apply(revision.changes, old, new)) == sentences(new)
    assert [old[c.old.start : c.old.end] for c in revision.changes if c.old] == sentences(old)


@given(TEXTS, TEXTS)
def test_the_other_way_round_what_was_added_is_removed(old: str, new: str):
    there, back = compare("a", old, "b", new), compare("b", new, "a", old)

    def turned(change: Change) -> tuple[object, ...]:
        kind = {"added": "removed", "removed": "added"}.get(change.kind, change.kind)
        return kind, change.new, change.old, change.put, change.cut

    def seen(change: Change) -> tuple[object, ...]:
        return change.kind, change.old, change.new, change.cut, change.put

    assert Counter(map(turned, there.changes)) == Counter(map(seen, back.changes))
    assert {FactChange(kind=f.kind, old=f.new, new=f.old) for f in there.facts} == set(back.facts)


@given(TEXTS, TEXTS)
def test_a_fact_is_verbatim_and_only_in_its_own_version(old: str, new: str):
    for fact in compare("", old, "", new).facts:
        assert fact.old in old
        assert fact.new in new
        assert fact.old or fact.new


@given(TEXTS, TEXTS)
def test_cut_and_put_words_lie_within_their_sentences(old: str, new: str):
    for change in compare("", old, "", new).changes:
        for span, parts in ((change.old, change.cut), (change.new, change.put)):
            assert all(span and span.start <= p.start < p.end <= span.end for p in parts)
