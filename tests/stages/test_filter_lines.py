"""Reading lines: what cannot be read is said in its place, and the rest goes on."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet import stages
from broadsheet.errors import InputError


def echo(lines: Iterable[dict[str, Any]], *, at_the_end: bool = False) -> Iterator[dict[str, Any]]:
    yield from list(lines) if at_the_end else lines


@given(
    st.lists(st.sampled_from([b'{"id": 1}', b"no json", b"[1]", b'{"x": 1}', b"", b'{"id": "a", "more": [1]}'])),
    st.booleans(),
)
def test_every_line_has_its_answer_in_its_place(raw: list[bytes], at_the_end: bool):
    answers = [orjson.loads(line) for line in stages.filter_lines("parse", echo, raw, at_the_end=at_the_end)]
    asked = [line for line in raw if line]
    assert len(answers) == len(asked)
    for line, answer in zip(asked, answers, strict=True):
        if b'"id"' in line:
            assert answer == orjson.loads(line)
        else:
            assert answer["rejected"]["stage"] == "parse"
            assert answer["rejected"]["reason"].startswith("line ")


def test_an_unknown_stage_is_refused_by_name():
    with pytest.raises(InputError, match="mangle"):
        stages.load("mangle")
