"""Settings: one small frozen value, from defaults, a TOML file and the environment, in that order.

A setting `poll_interval_min` is `poll_interval_min = "15m"` in TOML and `BROADSHEET_POLL_INTERVAL_MIN=15m` in the
environment. Durations are written 90s, 15m, 12h, 7d. Raises `ConfigError` for what it does not know.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal

from broadsheet.errors import ConfigError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(written: str) -> timedelta:
    """The duration that `90s`, `15m`, `12h` or `7d` says. Raises `ConfigError`."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", written)
    if match is None:
        raise ConfigError(f"{written!r} is not a duration: write 90s, 15m, 12h or 7d.")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def _data_folder() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "broadsheet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can set, with defaults that work for one person on one machine."""

    database: str = ""  # sqlite:///PATH or postgresql://...; empty: SQLite in the user's data folder
    host: str = "127.0.0.1"
    port: int = 8000
    password: str = ""  # asked for by the web app; needed to listen on anything but loopback
    operator_password: str = ""  # opens /admin; empty: it is open only where no password is set at all
    allow_addresses: tuple[str, ...] = ()  # networks (CIDR) that may be fetched though they are private
    contact: str = "https://broadsheet.invalid/about"  # a page or address that publishers find in the User-Agent
    respect_robots: bool = True
    fetch_concurrency: int = 64
    fetch_per_host: int = 2
    fetch_timeout: timedelta = timedelta(seconds=20)
    fetch_max_bytes: int = 15 * 1024 * 1024  # after decompression
    poll_interval_min: timedelta = timedelta(minutes=15)
    poll_interval_max: timedelta = timedelta(hours=24)
    stories_model: str = ""  # a file of `broadsheet train stories`, by which grouping judges; empty: as it is shipped
    live: timedelta = timedelta(days=30)  # how long a story stays in the edition after its last article
    workers: int = 0  # processes for stages; 0: one a core, less one
    engine: str = "processes"  # serial, threads, processes or ray
    timezone: str = ""  # IANA name of the zone in which pages tell the time; empty: this machine's
    as_of: str = ""  # ISO time: read as if it were then (the demo); empty: the real clock

    def now(self) -> datetime:
        """The time by which this instance reads: the real clock unless `as_of` is set."""
        return datetime.fromisoformat(self.as_of) if self.as_of else datetime.now(UTC)

    def zone(self) -> ZoneInfo:
        """The time zone in which pages tell the time."""
        return ZoneInfo(self.timezone) if self.timezone else tzlocal.get_localzone()

    def database_url(self) -> str:
        return self.database or f"sqlite:///{_data_folder() / 'broadsheet.sqlite'}"


def _read(name: str, kind: Any, value: Any) -> Any:
    try:
        if kind is timedelta:
            return value if isinstance(value, timedelta) else duration(str(value))
        if kind is bool:
            if isinstance(value, bool):
                return value
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[str(value).lower()]
        if kind is int:
            return int(value)
        if kind is str:
            return str(value)
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(part.strip() for part in parts if part.strip())
    except (KeyError, ValueError, TypeError) as e:
        raise ConfigError(f"The setting {name} cannot be {value!r}.") from e


def load(path: Path | None = None, environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Settings from the file, then the environment, then `overrides` (those that are not None)."""
    known = get_type_hints(Settings)
    chosen: dict[str, Any] = {}
    if path is not None:
        try:
            written = tomllib.loads(path.read_text("utf-8"))
        except OSError as e:
            raise ConfigError(f"The settings file {path} can't be read: {e.strerror}.") from e
        except tomllib.TOMLDecodeError as e:
            raise ConfigError(f"The settings file {path} is not TOML: {e}.") from e
        unknown = sorted(set(written) - set(known))
        if unknown:
            raise ConfigError(f"{path} has settings that do not exist: {', '.join(unknown)}. See docs/operate.md.")
        chosen.update(written)
    environment = os.environ if environment is None else environment
    for setting in fields(Settings):
        if (value := environment.get(f"BROADSHEET_{setting.name.upper()}")) is not None:
            chosen[setting.name] = value
    chosen.update({name: value for name, value in overrides.items() if value is not None})
    settings = Settings(**{name: _read(name, known[name], value) for name, value in chosen.items()})
    try:
        settings.zone()
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:
        raise ConfigError(
            f"timezone = {settings.timezone!r} is no time zone that this machine knows: write a name such as Europe/Berlin."
        ) from e
    if settings.as_of:
        try:
            if datetime.fromisoformat(settings.as_of).tzinfo is None:
                raise ConfigError(f"as_of = {settings.as_of!r} needs a time zone: write 2026-08-09T12:00:00+00:00.")
        except ValueError as e:
            raise ConfigError(f"as_of = {settings.as_of!r} is not an ISO time.") from e
    return settings
