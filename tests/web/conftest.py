from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette

from tests.web.newsroom import Browser, a_newsroom


@pytest.fixture
def app(tmp_path: Path) -> Starlette:
    return a_newsroom(tmp_path)


@pytest.fixture
def ada(app: Starlette) -> Browser:
    """A browser in which a reader named Ada reads; she follows conflict, war and peace."""
    return Browser(app).begin("Ada")
