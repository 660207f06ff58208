"""What is asked of the C library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from broadsheet.memory import frugal, give_back

HOARD = """
import gc, threading
from pathlib import Path
from broadsheet import memory

def anonymous():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))

kept = []

def work():
    pieces = [bytes(1000) for _ in range(60_000)]
    kept.append(pieces[::500])  # what stays keeps the pool from shrinking from its end

for _ in range(2):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
before = anonymous()
memory.give_back()
print(before - anonymous())
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux")
def test_memory_that_was_freed_between_what_is_kept_goes_back_to_the_system():
    told = subprocess.run([sys.executable, "-c", HOARD], capture_output=True, text=True, check=True)
    assert int(told.stdout) > 30_000  # kB


def test_asking_never_fails_on_whatever_system():
    frugal()
    give_back()
