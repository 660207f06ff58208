"""When two addresses are one article, and when two texts are one text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, quote, urljoin, urlsplit, urlunsplit

import numpy as np
import xxhash
from numpy.typing import NDArray


def _names(written: str) -> frozenset[str]:
    return frozenset(written.split())


# --- addresses ---------------------------------------------------------------------------------------------------

# Parameters that say how a reader came to the page, not which page it is. Compared in lower case.
_TRACKING: Final = _names(
    """
    fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid twclid ttclid li_fat_id igshid igsh epik wickedid
    mc_cid mc_eid mkt_tok vero_id vero_conv oly_anon_id oly_enc_id _openstat rb_clickid sc_cid s_cid s_kwcid spm trk
    _hsenc _hsmi __hssc __hstc __hsfp hsctatracking _ga _gl _ke ck_subscriber_id ef_id
    ref ref_src ref_url referrer referer refsrc cmp cmpid cmp_id icid ici ncid nicid mbid ocid intcid intcmp int_cid
    ftag smid smtyp emc ito xtor sr_share sr_share_id share_id wt_mc wt.mc_id wtmc wt_zmc
    guccounter guce_referrer guce_referrer_sig soc_src soc_trk feedtype feedname taid traffic_source trafficsource
    __twitter_impression __source _x_tr_hist outputtype usqp amp_js_v amp_gsa amp_r partner mod cvid
    """
)
_TRACKING_PREFIXES: Final = (
    "utm_",
    "utm-",
    "pk_",
    "piwik_",
    "mtm_",
    "matomo_",
    "hsa_",
    "at_",
    "ns_",
    "_branch_",
    "dm_i",
)
# Parameters that sometimes name the article and sometimes the way in: dropped only where the value is a way in.
_MAYBE: Final = _names("source src from via medium rss amp mobile output m")
_WAYS_IN: Final = _names(
    "rss rssfeed rss2 feed feeds atom twitter facebook fb instagram whatsapp telegram newsletter newsletters email mail "
    "social share sharing push amp mobile app apple_news googlenews google_news flipboard 1 true"
)
_MOBILE_HOSTS: Final = {
    "amp.theguardian.com": "www.theguardian.com",
    "m.bbc.co.uk": "www.bbc.co.uk",
    "m.bbc.com": "www.bbc.com",
    "mobile.nytimes.com": "www.nytimes.com",
    "mobile.reuters.com": "www.reuters.com",
    "mobile.twitter.com": "twitter.com",
    "m.youtube.com": "www.youtube.com",
    "amp.dw.com": "www.dw.com",
}
_WIKI_MOBILE: Final = re.compile(r"^([a-z-]+)\.m\.((?:wikipedia|wikinews|wikimedia)\.org)$")
_AMP_CACHE: Final = re.compile(r"^/(?:amp|[cvai]|wp)/(s/)?([^/]+\.[^/]+)(/.*)?$")
_AMP_TAIL: Final = re.compile(r"(?<=[^/])(?:/amp/?|\.amp)$|\.amp(?=\.html?$)")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def canonical_url(url: str, base: str = "") -> str:
    """The one address of an article: absolute, in one spelling, without what only says how a reader got there.

    Asking twice changes nothing. An address that is not http(s) or can't be understood comes back as it was, trimmed.
    """
    written = "".join(c for c in url if c > " " or c == " ").strip()
    try:
        joined = urljoin(base, written) if base and written else written
        for _ in range(4):  # a redirector may wrap another one
            inner = _unwrapped(joined)
            if inner == joined:
                break
            joined = inner
        return _spelled(joined)
    except ValueError:
        return written


def _unwrapped(url: str) -> str:
    """The address inside a redirector's or an AMP cache's; the address itself where there is none."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    is_google = re.fullmatch(r"(?:www\.)?google\.[a-z.]{2,6}", host) is not None
    wanted: tuple[str, ...] = ()
    if is_google and parts.path == "/url":
        wanted = ("url", "q")
    elif host in ("l.facebook.com", "lm.facebook.com") and parts.path == "/l.php":
        wanted = ("u",)
    if wanted:
        for name, value in parse_qsl(parts.query):
            if name in wanted and value.lower().startswith(("http://", "https://")):
                return value
    if host.endswith(".cdn.ampproject.org") or (is_google and parts.path.startswith("/amp/")):
        match = _AMP_CACHE.match(parts.path)
        if match:
            query = f"?{parts.query}" if parts.query else ""
            return f"{'https' if match[1] else 'http'}://{match[2]}{match[3] or '/'}{query}"
    return url


def _spelled(url: str) -> str:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname:
        return url
    host = parts.hostname.lower().rstrip(".")
    host = _MOBILE_HOSTS.get(host, host)
    host = _WIKI_MOBILE.sub(r"\1.\2", host)
    if not host:
        return url
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    place = host if port is None or port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"
    user = parts.netloc.rpartition("@")[0]
    path = _without_amp(_without_dots(_escaped(parts.path, "/:@!$&'()*+,;=")), host)
    query = "&".join(p for p in _escaped(parts.query, "/?:@!$&'()*+,;=").split("&") if p and not _is_tracking(p))
    # "#!" once named the page itself; every other fragment is a place on it.
    fragment = _escaped(parts.fragment, "/?:@!$&'()*+,;=") if parts.fragment.startswith("!/") else ""
    return urlunsplit((scheme, f"{user}@{place}" if user else place, path or "/", query, fragment))


def _escaped(text: str, safe: str) -> str:
    """One spelling of percent escapes: those that needn't be are undone, the others are in capitals."""

    def one(match: re.Match[str]) -> str:
        char = chr(int(match[0][1:], 16))
        return char if char in _UNRESERVED else match[0].upper()

    whole = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    return quote(re.sub(r"%[0-9A-Fa-f]{2}", one, whole), safe=safe + "%", errors="replace")


def _without_dots(path: str) -> str:
    if "/." not in path:
        return path
    kept: list[str] = []
    pieces = path.split("/")
    for piece in pieces:
        if piece == "..":
            if len(kept) > 1:
                kept.pop()
        elif piece != ".":
            kept.append(piece)
    if pieces[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)


def _without_amp(path: str, host: str) -> str:
    if host in ("www.bbc.co.uk", "www.bbc.com"):
        path = re.sub(r"^/(news|sport)/(?:amp/)+", r"/\1/", path)
    while _AMP_TAIL.search(path):
        path = _AMP_TAIL.sub("", path)
    return path


def _is_tracking(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    name, value = name.lower().removeprefix("amp%3b").removeprefix("amp;"), value.lower()
    if name in _TRACKING or name.startswith(_TRACKING_PREFIXES):
        return True
    return name in _MAYBE and (value in _WAYS_IN or not value)


# --- texts -------------------------------------------------------------------------------------------------------

PERMUTATIONS: Final = 96  # a standard error of 0.05 at a resemblance of 0.5; 384 bytes an article
BANDS: Final = 16  # of 6 values: 0.99 of pairs that resemble by 0.8 share a band, 0.12 of those by 0.45
MIN_WORDS: Final = 60  # a shorter text says the same as another by chance, by form ("Results:") or by a shared summary

# A word, or one character where the script writes no spaces (Han, kana, Hangul is spaced; Thai, Lao, Khmer, Myanmar).
_WORD: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]|[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+"
)


def _constants(name: str) -> NDArray[np.uint64]:
    # From a hash rather than a generator: stored fingerprints must mean the same under every version of numpy.
    values = [xxhash.xxh3_64_intdigest(f"broadsheet {name} {i}".encode()) for i in range(PERMUTATIONS)]
    return np.array(values, dtype=np.uint64)


_FACTORS: Final = _constants("factor") | np.uint64(1)
_TERMS: Final = _constants("term")
_MIX: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


@lru_cache(maxsize=65536)
def _word_hash(word: str) -> int:
    return xxhash.xxh3_64_intdigest(word.encode("utf-8", "replace"))


def fingerprint(text: str) -> bytes:
    """A MinHash signature of the text's runs of three words (characters, where words aren't spaced): equal for texts
    that differ in case, spacing and punctuation alone, close for those that share most of their wording.

    Empty for a text of fewer than 60 words: too short to be called a copy of anything.
    """
    words = _WORD.findall(text.lower())
    if len(words) < MIN_WORDS:
        return b""
    hashes = np.fromiter((_word_hash(word) for word in words), dtype=np.uint64, count=len(words))
    mixed = hashes[:-2] * _MIX[0] ^ (hashes[1:-1] * _MIX[1] >> np.uint64(7)) ^ hashes[2:] * _MIX[2]
    shingles = np.unique(mixed ^ mixed >> np.uint64(29))
    least = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(shingles), 4096):  # a huge text never takes more than 3 MB here
        block = shingles[start : start + 4096, None] * _FACTORS + _TERMS
        np.minimum(least, block.min(axis=0), out=least)
    return (least >> np.uint64(32)).astype("<u4").tobytes()


def resemblance(a: bytes, b: bytes) -> float:
    """How much of their wording two texts share, 0 to 1, from their fingerprints; 0 where either has none."""
    if not a or len(a) != len(b):
        return 0.0
    return float(np.mean(np.frombuffer(a, dtype="<u4") == np.frombuffer(b, dtype="<u4")))


def bands(signature: bytes) -> tuple[bytes, ...]:
    """Keys of which two texts that resemble each other closely share at least one; none for a text without a fingerprint.

    To find copies without comparing all pairs: index articles under their bands, and measure `resemblance` only where
    one is shared.
    """
    if not signature:
        return ()
    width = len(signature) // BANDS
    return tuple(bytes([i]) + xxhash.xxh3_64_digest(signature[i * width : (i + 1) * width])[:7] for i in range(BANDS))
