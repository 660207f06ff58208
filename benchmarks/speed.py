"""Runs every speed benchmark and draws what each found; each compares with a peer or a physical limit in its own run.

python benchmarks/speed.py [NAME ...]
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).resolve().parent / "speed"


def main(names: list[str]) -> int:
    console = Console()
    failed = 0
    for script in sorted(FOLDER.glob("*.py")):
        if script.stem.startswith("_") or (names and script.stem not in names):
            continue
        with console.status(script.stem):
            done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
        if done.returncode:
            failed += 1
            console.print(f"[red]{script.stem} failed[/red]\n{done.stderr[-2000:]}", highlight=False)
            continue
        table = Table("figure", "value", title=script.stem, title_justify="left")
        for name, value in json.loads(
            done.stdout.splitlines()[-1] if done.stdout.count("\n") == 1 else done.stdout
        ).items():
            table.add_row(name, f"{value:,.4g}" if isinstance(value, int | float) else str(value))
        console.print(table)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
