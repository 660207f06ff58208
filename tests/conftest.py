"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BROADSHEET_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The real data that is read but never shipped; the test is skipped where it is missing."""
    if not DATA.is_dir():
        pytest.skip("the real data is not here: set BROADSHEET_DATA to its folder")
    return DATA
