from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.config import Settings, duration, load
from broadsheet.errors import ConfigError


def test_defaults_work_with_nothing_said():
    assert load(environment={}) == Settings()


def test_the_environment_overrules_the_file_and_the_call_overrules_both(tmp_path: Path):
    file = tmp_path / "broadsheet.toml"
    file.write_text('port = 1\npoll_interval_min = "5m"\nallow_addresses = ["127.0.0.0/8"]\n')
    settings = load(file, {"BROADSHEET_PORT": "2", "BROADSHEET_HOST": "::1"}, port=3)
    assert (settings.port, settings.host) == (3, "::1")
    assert settings.poll_interval_min == timedelta(minutes=5)
    assert settings.allow_addresses == ("127.0.0.0/8",)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("colour = 1", "colour"),
        ("port = 'many'", "port"),
        ("poll_interval_min = 'soon'", "not a duration"),
        ("as_of = 'yesterday'", "as_of"),
        ("as_of = '2026-01-01T00:00:00'", "time zone"),
        ("timezone = 'Atlantis/Capital'", "Europe/Berlin"),
        ("timezone = '../../etc/passwd'", "Europe/Berlin"),
        ("port = ", "not TOML"),
        ("respect_robots = 'perhaps'", "respect_robots"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, written: str, says: str):
    file = tmp_path / "broadsheet.toml"
    file.write_text(written)
    with pytest.raises(ConfigError, match=says):
        load(file, {})


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="can't be read"):
        load(tmp_path / "none.toml", {})


def test_now_is_the_moment_that_was_set():
    assert load(environment={}, as_of="2026-08-22T18:00:00+00:00").now().isoformat() == "2026-08-22T18:00:00+00:00"


@given(st.integers(0, 10**6), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_a_duration_is_its_number_times_its_unit(number: int, unit: tuple[str, int]):
    assert duration(f"{number}{unit[0]}") == timedelta(seconds=number * unit[1])
