"""Quality, pinned like coverage: fails when a measured figure falls below its floor.

    python benchmarks/gate.py                   measure and compare
    python benchmarks/gate.py --only stories    only the floors whose name contains a word
    python benchmarks/gate.py --raise           pin what got better; never lowers a floor

`floors.json` maps a name to what is measured and the bound: `at_least` or `at_most`. An `evaluate` floor names a task,
a set, options if any, and the row and figure of its report; a `speed` floor names a script of benchmarks/speed, options if any, and a figure of its JSON.
A floor is lowered by hand, with a `reason` beside it. Where the data is missing its floors are skipped, and it says so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
FLOORS = HERE / "floors.json"
DATA = Path(os.environ.get("BROADSHEET_DATA", HERE.parent.parent / "shared" / "data"))
MARGIN = 0.002  # a floor is pinned this far below what was measured: figures move a little between machines


@dataclass(frozen=True, slots=True)
class Floor:
    name: str
    spec: dict[str, Any]

    @property
    def run(self) -> tuple[str, ...]:
        """The command that measures it; floors that share one are measured once."""
        if "speed" in self.spec:
            return (sys.executable, str(HERE / "speed" / f"{self.spec['speed']}.py"), *self.options)
        path = str(DATA / self.spec["set"])
        return (sys.executable, "-m", "broadsheet", "evaluate", self.spec["evaluate"], path, "--json", *self.options)

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(self.spec.get("options", ()))

    @property
    def is_possible(self) -> bool:
        return DATA.is_dir() if "speed" in self.spec else (DATA / self.spec["set"]).exists()

    def figure(self, found: dict[str, Any]) -> float:
        return float(
            found[self.spec["figure"]] if "speed" in self.spec else found["rows"][self.spec["row"]][self.spec["figure"]]
        )

    def holds(self, figure: float) -> bool:
        if "at_most" in self.spec:
            return figure <= self.spec["at_most"]
        return figure >= self.spec["at_least"]

    def raised(self, figure: float) -> dict[str, Any]:
        """The spec pinned to a better figure; unchanged where it is no better, and for speed, which is noisy."""
        if "speed" in self.spec or "at_most" in self.spec:
            return self.spec
        return self.spec | {"at_least": max(self.spec["at_least"], round(figure - MARGIN, 3))}


def measure(command: tuple[str, ...]) -> dict[str, Any]:
    begun = time.monotonic()
    environment = os.environ | {"BROADSHEET_DATA": str(DATA), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    what = " ".join(word.removeprefix(f"{DATA}/").removeprefix(f"{HERE}/") for word in command[1:] if word != "--json")
    Console(stderr=True).print(f"{time.monotonic() - begun:6.1f} s  {what}", highlight=False)
    return found


def measured(floors: Iterable[Floor]) -> dict[tuple[str, ...], dict[str, Any]]:
    """What each command found: evaluations two at a time, then speed alone on the machine."""
    commands = list(dict.fromkeys(floor.run for floor in floors if "speed" not in floor.spec))
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(commands, pool.map(measure, commands), strict=True))
    for floor in floors:
        if floor.run not in found:
            found[floor.run] = measure(floor.run)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a word in the names of the floors to check")
    parser.add_argument("--raise", dest="pin", action="store_true", help="pin what got better")
    chosen = parser.parse_args()
    written: dict[str, Any] = json.loads(FLOORS.read_text("utf-8"))
    floors = [Floor(name, spec) for name, spec in written.items() if chosen.only in name]
    possible = [floor for floor in floors if floor.is_possible]
    if skipped := len(floors) - len(possible):
        print(f"Skipped {skipped} floors: their data is not here (BROADSHEET_DATA names its folder).")
    found = measured(possible)
    table = Table("floor", "measured", "bound", "", title="Quality floors")
    fallen = 0
    for floor in possible:
        figure = floor.figure(found[floor.run])
        bound = f"<= {floor.spec['at_most']}" if "at_most" in floor.spec else f">= {floor.spec['at_least']}"
        fallen += not floor.holds(figure)
        table.add_row(floor.name, f"{figure:.4g}", bound, "ok" if floor.holds(figure) else "[red]FELL[/red]")
        if chosen.pin:
            written[floor.name] = floor.raised(figure)
    Console(width=110).print(table)
    if chosen.pin:
        FLOORS.write_text(json.dumps(written, indent=2) + "\n", "utf-8")
    if fallen:
        print(f"{fallen} figures are below their floors.")
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
