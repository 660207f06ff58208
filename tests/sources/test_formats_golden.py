"""Each format against a golden pair: `NAME.xml` beside the `NAME.json` that the parse stage makes of it."""

import base64
import json
from pathlib import Path

import pytest

from broadsheet.stages.parse import run

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "feeds"


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.xml")))
def test_a_feed_is_read_as_its_golden_pair_says(name):
    body = (GOLDEN / f"{name}.xml").read_bytes()
    line = {"id": name, "url": f"https://{name}.example/feed", "body_base64": base64.b64encode(body).decode()}
    (got,) = run([line])
    assert got == json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
