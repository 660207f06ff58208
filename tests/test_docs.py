"""The documents say what is there: every command, every setting, every page; and the tutorial runs."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import typer.main
from starlette.routing import Route

from broadsheet.cli import app
from broadsheet.config import Settings
from broadsheet.web.app import routes
from tests.conftest import ROOT

OPERATE = (ROOT / "docs" / "operate.md").read_text("utf-8")
COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str):
    assert f"`broadsheet {command}" in OPERATE


@pytest.mark.parametrize("setting", [field.name for field in fields(Settings)])
def test_every_setting_is_documented_with_its_default(setting: str):
    row = re.search(rf"^\| `{setting}` \| ([^|]+) \|", OPERATE, re.MULTILINE)
    assert row is not None
    default = getattr(Settings(), setting)
    if isinstance(default, int) and not isinstance(default, bool):
        assert row[1].strip() == f"`{default}`"


def test_no_document_speaks_of_a_setting_that_does_not_exist():
    table = OPERATE.split("## Settings")[1].split("## ")[0]
    assert set(re.findall(r"^\| `(\w+)` ", table, re.MULTILINE)) == {field.name for field in fields(Settings)}


def test_every_page_of_the_web_app_is_documented():
    pages = (ROOT / "docs" / "pages.md").read_text("utf-8")
    shown = [
        r.path
        for r in routes()
        if isinstance(r, Route) and "GET" in (r.methods or ()) and not r.path.startswith("/api/")
    ]
    assert not [path for path in shown if f"`{path}`" not in pages]


def test_every_link_between_documents_leads_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.slow
def test_the_tutorial_runs_from_top_to_bottom(tmp_path: Path):
    blocks = re.findall(
        r"^```sh\n(.*?)^```", (ROOT / "docs" / "tutorial.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) >= 6
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BROADSHEET_")}
    with socket.socket() as free:  # a demo may be running on this machine
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment |= {
        "BROADSHEET_FEEDS_PORT": str(port),
        "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}",
        "HOME": str(tmp_path),
        "COLUMNS": "120",
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "“" in ran.stdout
    assert "score" in ran.stdout
    assert "https://example.org/feed.xml" in ran.stdout
    assert "Nothing is wrong." in ran.stdout
    assert '"topics"' in ran.stdout
