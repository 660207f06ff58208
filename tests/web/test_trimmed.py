"""Files are sent without what only their writers need."""

from pathlib import Path

from broadsheet.web import trimmed


def sent(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return trimmed.file(path, path.stat().st_mtime).decode()


def test_strings_stay_as_they_are_and_comments_go(tmp_path: Path) -> None:
    css = """/* a { comment; } */
a::before {
  content: "/* no comment */ ;  } é";
  margin: 0 auto;
}
@media (min-width: 30em) {
  b > i , u { width: calc(1rem + 2px); }
}
"""
    assert sent(tmp_path, "a.css", css) == (
        'a::before{content:"/* no comment */ ;  } é";margin:0 auto}@media (min-width:30em){b>i,u{width:calc(1rem + 2px)}}'
    )


def test_what_a_script_says_stays_and_comments_go(tmp_path: Path) -> None:
    script = "// why\nif (x) {\n  // how\n  go('//here', /[/]\\/ */, `two\n  lines`); // and so on\n\n}\n"
    assert sent(tmp_path, "a.js", script) == "if(x){go('//here',/[/]\\/ */,`two\n  lines`);}"


def test_a_file_that_was_changed_is_sent_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "a.css"
    path.write_text("a { b: c }", "utf-8")
    assert trimmed.file(path, 1.0) == b"a{b:c}"
    path.write_text("d { e: f }", "utf-8")
    assert trimmed.file(path, 2.0) == b"d{e:f}"
