"""Errors are named for what the caller can do next; all of them are `BroadsheetError`.

BroadsheetError
├── ConfigError          a setting is wrong: mend it and start again
├── InputError           what was given can't be read: give something else
├── NotFound             there is no such thing here
├── FetchError           the network or the server failed: try again at `retry_after`, if it says
│   ├── AddressRefused   an address that Broadsheet does not open (private network): the operator may allow it
│   ├── LeftAlone        nothing was asked: its host wants to be left alone until `retry_after`
│   └── TooLarge         the answer passed a limit
└── MissingExtra         an optional part is not installed: the message says how
"""

from __future__ import annotations

from datetime import timedelta


class BroadsheetError(Exception):
    """Anything that Broadsheet raises on purpose. Its text is a sentence for a person."""


class ConfigError(BroadsheetError):
    pass


class InputError(BroadsheetError):
    pass


class NotFound(BroadsheetError):
    pass


class FetchError(BroadsheetError):
    def __init__(
        self, url: str, reason: str, *, status: int | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


class AddressRefused(FetchError):
    pass


class LeftAlone(FetchError):
    pass


class TooLarge(FetchError):
    pass


class MissingExtra(BroadsheetError):
    def __init__(self, extra: str, what: str) -> None:
        super().__init__(f"{what} needs an optional part: install it with `pip install 'broadsheet[{extra}]'`.")
        self.extra = extra
