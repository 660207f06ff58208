"""The reading side that the web app and the terminal share: keep the edition fresh, build feeds, record what readers do.

    paper -> readers -> feeds -> pages -> away -> newsstand

Each class knows those before it and adds one thing; `Newsstand` is all of them. It holds no truth: the store does.
"""

from broadsheet.reading.away import BUDGETS, AwayPage
from broadsheet.reading.newsstand import Newsstand
from broadsheet.reading.shown import Card, Correction, Followed, Found, LeftOut, Live, StoryPage, ThreadPage, beyond

__all__ = [
    "BUDGETS", "AwayPage", "Card", "Correction", "Followed", "Found", "LeftOut", "Live", "Newsstand", "StoryPage", "ThreadPage", "beyond",
]  # fmt: skip
