"""Which page an input line means: its canonical URL and its fingerprint, or why it means none. Pure.

A `Target` costs about 4 us, of which parsing is 0.5 and the fingerprint 0.7. No text made here shows a user:password.
"""

import re
from hashlib import blake2b

from scraper import weburl
from scraper.records import Fault, SourceLine, Target

MAX_URL_CHARS = 65_536
"""Servers refuse far shorter ones (most at 8 KiB), and what is not ASCII grows sixfold when it is encoded."""

_SHOWN_CHARS = 200
_HAS_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_AUTHORITY = re.compile(r"[^:]*:[/\\]*(?:[^/\\?#]*@)?([^/\\?#]*)")
_PORT = re.compile(r":([^:\]]*)$")


def identify(line: SourceLine) -> tuple[int, Target | Fault]:
    """Return a record's key for the seen-set and the journal, and what the record means.

    Lines that mean the same page have the same key. The key of a bad line is never that of a page; two bad lines share
    one only where their text is the same and could be read.
    """
    found = target_from(line)
    if isinstance(found, Target):
        return found.key, found
    place = "" if line.error is None else f"{line.line}\n"
    return _bad_fingerprint(place + line.text), found


def target_from(line: SourceLine) -> Target | Fault:
    """Return the page that a record asks for, or a Fault of kind `invalid_url` or `unsupported_scheme`."""
    if line.error is not None:
        return Fault("invalid_url", line.error)
    text = line.text.strip()
    if len(text) > MAX_URL_CHARS:
        return Fault("invalid_url", f"longer than {MAX_URL_CHARS:,} characters: {len(text):,}")
    url = weburl.parse(text)
    if url is None or url.protocol not in weburl.WEB_SCHEMES:
        return _refusal(weburl.whole_characters(weburl.without_userinfo(text)))
    written, userinfo = text, None
    if "@" in text:
        written, userinfo = weburl.without_userinfo(text), weburl.userinfo_of(url)
    href = weburl.bare_href(url)
    if len(href) > MAX_URL_CHARS:
        return Fault("invalid_url", f"longer than {MAX_URL_CHARS:,} characters once encoded: {len(href):,}")
    written = weburl.whole_characters(written)
    host = weburl.host_of(url)
    return Target(fingerprint(href), written, href, host, line.line, line.extra, userinfo, place=line.place)


def key_of(url: str) -> int | None:
    """Return the key of a row's or a failure's `url`; None for one that is none."""
    found = target_from(SourceLine(url))
    return found.key if isinstance(found, Target) else None


def shown(line: SourceLine) -> str:
    """Return a record's text as it may be written to failures.jsonl: less any user:password."""
    return weburl.whole_characters(weburl.without_userinfo(line.text.strip()))


def fingerprint(href: str) -> int:
    """Return the 64-bit fingerprint of a canonical URL, the same in every process and version: journals hold it.

    BLAKE2b, so that nobody can write two URLs that share one. Among n URLs two share one by chance with a probability
    of about n^2 / 2^65: 3e-6 for 10 million.

    >>> fingerprint("https://a.example/") == fingerprint("https://a.example/")
    True
    """
    return int.from_bytes(blake2b(href.encode(), digest_size=8).digest(), "little")


def _bad_fingerprint(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, person=b"bad line")
    return int.from_bytes(digest.digest(), "little")


def _refusal(text: str) -> Fault:
    """`text` has no user:password left: it goes into the message."""
    rest = weburl.missing_scheme(text)
    if rest is not None:
        return Fault("invalid_url", f"no scheme: did you mean {_scheme_for(rest)}://{_short(rest)}?")
    url = weburl.parse(text)
    if url is not None and url.protocol not in weburl.WEB_SCHEMES:
        return Fault("unsupported_scheme", f"{_short(url.protocol)} is not supported, only http: and https: are")
    return Fault("invalid_url", _what_is_wrong(text))


def _scheme_for(rest: str) -> str:
    """A port of its own is most often a test server's, without TLS."""
    return "http" if re.match(r"localhost\b|[^/\\?#]*:(?!443\b)\d", rest) else "https"


def _what_is_wrong(text: str) -> str:
    if not text:
        return "no URL"
    if weburl.parse(text) is not None:
        return "not a URL before its user:password was taken out: percent-encode what is special in them"
    found = _AUTHORITY.match(text) if _HAS_SCHEME.match(text) else None
    if found is None:
        return f"not a URL: {_short(text)!r} does not begin with https:// or http://"
    return _wrong_authority(found[1])


def _wrong_authority(authority: str) -> str:
    if not authority or authority.startswith(":"):
        return "no host in the URL"
    port = _PORT.search(authority)
    if port and not _is_port(port[1]):
        return f"the port {_short(port[1])!r} is not a number from 0 to 65535"
    if re.search(r"\s", authority):
        return f"white space in the host: {_short(authority)!r}"
    return f"the host {_short(authority)!r} is neither a name nor an address"


def _is_port(digits: str) -> bool:
    return not digits or (digits.isdecimal() and int(digits[:9]) < 65_536 and len(digits) < 9)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
