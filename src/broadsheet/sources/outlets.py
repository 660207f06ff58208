"""Who publishes: the outlet behind an address, and a name for it that people would use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

from publicsuffixlist import PublicSuffixList
from yarl import URL

from broadsheet.model import Outlet, named

# Each subdomain of these is a publisher of its own (the public suffix list knows the others).
_PLATFORMS: Final = (
    "substack.com",
    "medium.com",
    "wordpress.com",
    "tumblr.com",
    "ghost.io",
    "beehiiv.com",
    "typepad.com",
)
# Addresses of these say nothing of who publishes.
_CARRIERS: Final = frozenset({"feedburner.com", "feedblitz.com", "rss.app", "feedx.net", "rsshub.app", "youtube.com"})
_SEPARATORS: Final = re.compile(r"\s+[-–—|:»›>·•]+\s+|\s*[|»›>]\s*|:\s+")


@lru_cache(maxsize=1)
def _outlets() -> Mapping[str, Outlet]:
    rows = json.loads((files("broadsheet.sources") / "data" / "outlets.json").read_text("utf-8"))
    return {
        domain: Outlet(name=name, domain=domains[0], country=country, owner=owner, kind=kind)
        for name, country, owner, kind, *domains in rows
        for domain in domains
    }


@lru_cache(maxsize=1)
def outlets_by_name() -> Mapping[str, Outlet]:
    """The outlets of the lists by their names as they are compared; of two that share one, the first that has a country."""
    found: dict[str, Outlet] = {}
    for outlet in sorted(_outlets().values(), key=lambda outlet: not outlet.country):
        found.setdefault(named(outlet.name), outlet)
    return found


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=8192)
def outlet_of(url: str) -> Outlet | None:
    """The outlet whose site the address is on, if it is one that the lists know."""
    host = _host(url)
    registrable = domain_of(url)
    if registrable in _CARRIERS:
        return None
    while host:
        if (found := _outlets().get(host)) is not None:
            return found
        if host == registrable or "." not in host:
            return None
        host = host.partition(".")[2]
    return None


@lru_cache(maxsize=8192)
def domain_of(url: str) -> str:
    """The part of the address that one publisher owns: `bbc.co.uk` of `https://www.bbc.co.uk/news`."""
    host = _host(url)
    if not host or re.fullmatch(r"[\d.]+|.*:.*", host):
        return host
    for platform in _PLATFORMS:
        if host.endswith("." + platform):
            return ".".join(host.split(".")[-platform.count(".") - 2 :])
    return str(_suffixes().privatesuffix(host) or host)


def publisher_name(url: str, title: str = "") -> str:
    """What the publisher is called: by the lists, else the part of the feed's title that its domain spells, else the
    domain itself. A section's title (“World”) never becomes a publisher; empty only if the address is none."""
    if (outlet := outlet_of(url)) is not None:
        return outlet.name
    domain = domain_of(url)
    parts = [part.strip() for part in _SEPARATORS.split(" ".join(title.split())) if part.strip()]
    if domain in _CARRIERS:
        return parts[0][:80] if parts else domain
    spelled = _letters(domain.split(".")[0])
    for part in sorted(parts, key=len):
        letters = _letters(part)
        if len(part) <= 60 and letters and (_fits(letters, spelled) or _initials(part) == spelled):
            return part
    return domain


def _fits(letters: str, spelled: str) -> bool:
    """Whether a name and a domain spell the same: “The Verge” and theverge, “Guardian” and theguardian."""
    shorter, longer = sorted((letters, spelled), key=len)
    return len(shorter) >= 4 and shorter in longer and len(shorter) * 2 >= len(longer)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _initials(text: str) -> str:
    words = re.findall(r"\w+", text.lower())
    return "".join(word[0] for word in words) if len(words) > 1 else ""


def _host(url: str) -> str:
    if "//" not in url:
        url = f"https://{url}"
    try:
        host = (URL(url).raw_host or "").rstrip(".").lower()
    except ValueError:
        return ""
    return host if re.fullmatch(r"[\w.:-]+", host) else ""
