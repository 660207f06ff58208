"""Files are sent without what only their writers need."""

from broadsheet.web import trimmed


def test_strings_stay_as_they_are_and_comments_go() -> None:
    css = """/* a { comment; } */
a::before {
  content: "/* no comment */ ;  } ";
  margin: 0 auto;
}
@media (min-width: 30em) {
  b > i , u { width: calc(1rem + 2px); }
}
"""
    assert trimmed.style(css) == (
        'a::before{content:"/* no comment */ ;  } ";margin:0 auto}@media (min-width:30em){b > i,u{width:calc(1rem + 2px)}}'
    )


def test_a_script_keeps_its_lines_and_what_stands_behind_them() -> None:
    assert trimmed.script("// why\nif (x) {\n  // how\n  go('//here'); // and so on\n\n}\n") == (
        "if (x) {\ngo('//here'); // and so on\n}\n"
    )
