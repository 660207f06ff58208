"""A figure as SVG, drawn here: names beside points, an axis on each side, readable on paper of any colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

WIDTH: Final = 760
HEIGHT: Final = 520
EDGE: Final = 64
LETTER: Final = 6.6  # pixels of one at the size of the labels


@dataclass(frozen=True, slots=True)
class Point:
    """One thing in the figure."""

    name: str
    x: float
    y: float
    kind: Literal["ours", "baseline", "step"] = "ours"  # steps are joined by a line, in their order


def scatter(points: Sequence[Point], *, x: str, y: str, title: str) -> str:
    """Points by two figures. The axes begin and end where the points do, with some room."""
    left, right = _span([p.x for p in points])
    low, high = _span([p.y for p in points])

    def at(point: Point) -> tuple[float, float]:
        across = EDGE + (point.x - left) / (right - left) * (WIDTH - 2 * EDGE)
        return across, HEIGHT - EDGE - (point.y - low) / (high - low) * (HEIGHT - 2 * EDGE)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{WIDTH / 2}" y="26" text-anchor="middle" font-size="15" fill="#222">{escape(title)}</text>',
    ]
    for k in range(6):
        across, up = left + (right - left) * k / 5, low + (high - low) * k / 5
        px, py = at(Point("", across, up))
        parts += [
            f'<line x1="{px:.1f}" y1="{EDGE}" x2="{px:.1f}" y2="{HEIGHT - EDGE}" stroke="#e4e4e4"/>',
            f'<line x1="{EDGE}" y1="{py:.1f}" x2="{WIDTH - EDGE}" y2="{py:.1f}" stroke="#e4e4e4"/>',
            f'<text x="{px:.1f}" y="{HEIGHT - EDGE + 18}" text-anchor="middle" fill="#555">{across:.3f}</text>',
            f'<text x="{EDGE - 8}" y="{py + 4:.1f}" text-anchor="end" fill="#555">{up:.3f}</text>',
        ]
    parts += [
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 16}" text-anchor="middle" fill="#222">{escape(x)}</text>',
        f'<text x="18" y="{HEIGHT / 2}" text-anchor="middle" fill="#222" transform="rotate(-90 18 {HEIGHT / 2})">{escape(y)}</text>',
    ]
    steps = [at(p) for p in points if p.kind == "step"]
    if len(steps) > 1:
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in steps)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#b08030" stroke-dasharray="4 3"/>')
    colours = {"ours": "#1f5fa8", "baseline": "#888", "step": "#b08030"}
    taken: list[tuple[float, float, float]] = []
    for point in sorted(points, key=lambda p: (-p.y, p.x)):
        px, py = at(point)
        wide = len(point.name) * LETTER
        begins = px + 8 if px + 8 + wide < WIDTH - 8 else px - 8 - wide
        base = py + 4
        while any(abs(base - other) < 13 and begins < end and begins + wide > start for start, end, other in taken):
            base += 4  # a label that would lie on another goes below it
        taken.append((begins, begins + wide, base))
        parts += [
            f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4.5" fill="{colours[point.kind]}"/>',
            f'<text x="{begins:.1f}" y="{base:.1f}" fill="#222">{escape(point.name)}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or 0.5
    return low - room, high + room
