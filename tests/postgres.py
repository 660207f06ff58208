"""A throwaway PostgreSQL cluster for tests, from the programs on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MISSING = "PostgreSQL tests are skipped: initdb and pg_ctl are not on this machine (apt-get install postgresql)"


def programs() -> Path | None:
    """The folder with initdb and pg_ctl."""
    if (found := shutil.which("initdb")) is not None and shutil.which("pg_ctl") is not None:
        return Path(found).parent
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


def _as_other_user(command: list[str], folder: Path) -> list[str]:
    # PostgreSQL refuses to run as root: use the user that its package makes, else nobody.
    if os.geteuid() != 0:
        return command
    import pwd

    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


@contextmanager
def cluster() -> Iterator[str]:
    """The address of a new cluster's database, on a socket in a folder of its own. Skips where PostgreSQL is missing."""
    bin_ = programs()
    if bin_ is None:
        pytest.skip(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-pg-"))
    data = folder / "data"

    def call(*command: str) -> None:
        with (folder / "calls.log").open("ab") as log:
            subprocess.run(
                _as_other_user([str(bin_ / command[0]), *command[1:]], folder),
                check=True,
                cwd=folder,
                stdout=log,
                stderr=log,
            )

    try:
        try:
            call("initdb", "-D", str(data), "-U", "broadsheet", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
            options = (
                f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c full_page_writes=off"
            )
            call("pg_ctl", "-D", str(data), "-w", "-t", "60", "-l", str(folder / "server.log"), "-o", options, "start")
        except (OSError, subprocess.CalledProcessError) as e:
            log = (folder / "calls.log").read_text(errors="replace")[-300:] if (folder / "calls.log").exists() else ""
            pytest.skip(f"PostgreSQL tests are skipped: the server does not start here: {e} {log}")
        try:
            yield f"postgresql://broadsheet@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
