"""The cookies of a run: what hosts set, and what goes back to them (RFC 6265bis sections 5.6 to 5.8). Pure.

Compared: http.cookiejar, which httpx uses too, knows no public suffixes, no name prefixes and no bounds; pyreqwest's
store is a browser's without bounds, and only one wire would have it. Left out of the standard: SameSite, since no page
of ours starts a request of another site, and HttpOnly, since there is no script.

A jar holds at most 50 cookies of a site and 3,000 in all (section 6.1). A site is a registrable domain with all its
subdomains, so that one host under a thousand names cannot push the cookies of others out; the site longest unused goes
first.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from scraper import weburl
from scraper.fetch.address import literal
from scraper.fetch.cookie_date import parse_cookie_date

MOST_BYTES = 4096
"""Of name and value together."""
MOST_ATTRIBUTE_BYTES = 1024
MOST_OF_A_SITE = 50
MOST_IN_ALL = 3000
MOST_SENT_BYTES = 8190
"""A Cookie header is not longer: servers refuse more, so a site could lock us out of its sisters (CVE-2022-32205)."""
MOST_AGE_S = 400 * 24 * 3600.0

_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WHITE = " \t"
_MAX_AGE = re.compile(r"-?\d{1,300}", re.ASCII)
_FOREVER = float("inf")

IsPublicSuffix = Callable[[str], bool]
"""Whether nobody may set cookies for all of a domain: `co.uk`, `github.io`."""


class Cookie(NamedTuple):
    """One cookie as it is kept."""

    name: str
    value: str
    domain: str
    host_only: bool
    path: str
    secure: bool
    expires_at: float
    """Seconds since the epoch; infinity = the end of the run."""


_Key = tuple[str, str, bool, str]
"""Name, domain, host_only, path: a cookie with the same takes the other's place."""


class CookieJar:
    """The cookies of one run. Times are seconds since the epoch."""

    def __init__(self, is_public_suffix: IsPublicSuffix) -> None:
        """It starts empty."""
        self._is_public = is_public_suffix
        self._sites: dict[str, dict[_Key, Cookie]] = {}
        self.site_of = lru_cache(maxsize=10_000)(self._find_site)
        """The registrable domain of a host: hosts of two never share a cookie."""
        self._count = 0

    def __len__(self) -> int:
        """How many cookies it holds."""
        return self._count

    def store(self, href: str, lines: Iterable[str], now: float) -> None:
        """Take the Set-Cookie headers of the answer to `href`; what the rules refuse is dropped in silence."""
        for line in lines:
            cookie = read_cookie(line, href, now, self._is_public)
            if cookie is not None:
                self._keep(cookie, weburl.split(href).scheme == "https", now)

    def header_for(self, href: str, now: float) -> str:
        """The Cookie header for a request, "" for none: longer paths first, then older cookies."""
        parts = weburl.split(href)
        site = self.site_of(parts.host)
        cookies = self._sites.pop(site, None)
        if cookies is None:
            return ""
        self._sites[site] = cookies  # the one used last stands last
        self._drop(site, [key for key, cookie in cookies.items() if cookie.expires_at <= now])
        fitting = [cookie for cookie in cookies.values() if _goes_to(cookie, parts, path_of(href))]
        fitting.sort(key=lambda cookie: -len(cookie.path))
        return _joined(fitting)

    def _keep(self, cookie: Cookie, is_safe: bool, now: float) -> None:
        site = self.site_of(cookie.domain)
        cookies = self._sites.setdefault(site, {})
        if not is_safe and _shadows_secure(cookie, cookies.values()):
            return
        key = (cookie.name, cookie.domain, cookie.host_only, cookie.path)
        if key not in cookies:
            self._count += 1
        cookies[key] = cookie  # an old one keeps its place, which tells its age
        self._drop(site, [key for key, kept in cookies.items() if kept.expires_at <= now])
        self._shrink(site)

    def _shrink(self, site: str) -> None:
        """Section 5.7, last steps: of a full site those that are not Secure go first, then the oldest."""
        cookies = self._sites.get(site, {})
        while len(cookies) > MOST_OF_A_SITE:
            plain = (key for key, cookie in cookies.items() if not cookie.secure)
            self._drop(site, [next(plain, next(iter(cookies)))])
        while self._count > MOST_IN_ALL:
            oldest = next(iter(self._sites))
            self._drop(oldest, [next(iter(self._sites[oldest]))])

    def _drop(self, site: str, keys: list[_Key]) -> None:
        cookies = self._sites[site]
        for key in keys:
            del cookies[key]
        self._count -= len(keys)
        if not cookies:
            del self._sites[site]

    def _find_site(self, host: str) -> str:
        """The registrable domain; the host itself where there is none."""
        if literal(host) is not None:
            return host
        site = host
        for domain in _domains(host):
            if self._is_public(domain):
                break
            site = domain
        return site


def new_jar(kind: type[CookieJar] = CookieJar) -> CookieJar:
    """An empty jar that knows the public suffixes, from the list that the package publicsuffixlist brings along."""
    from publicsuffixlist import PublicSuffixList  # 80 ms, which only those pay who want cookies

    return kind(PublicSuffixList().is_public)


def read_cookie(line: str, href: str, now: float, is_public_suffix: IsPublicSuffix) -> Cookie | None:
    """The cookie that one Set-Cookie header of the answer to `href` sets; None for one that may not be set.

    One that has expired already is given: it deletes.

    >>> read_cookie("a=b; Path=/x", "http://a.example/y", 0.0, lambda domain: "." not in domain)
    Cookie(name='a', value='b', domain='a.example', host_only=True, path='/x', secure=False, expires_at=inf)
    """
    if _CONTROLS.search(line):
        return None
    pair, _, rest = line.partition(";")
    name, value = _name_and_value(pair)
    if not name + value or len((name + value).encode()) > MOST_BYTES:
        return None
    said = _attributes(rest)
    parts = weburl.split(href)
    found = _domain_of(said.get("domain", ""), parts.host, is_public_suffix)
    if found is None:
        return None
    path = said.get("path", "")
    path = path if path.startswith("/") else default_path(path_of(href))
    cookie = Cookie(name, value, *found, path, "secure" in said, _expiry(said, now))
    return cookie if _may_be_set(cookie, parts.scheme == "https") else None


def path_of(href: str) -> str:
    """The path of a canonical URL, without its query."""
    _, slash, rest = href.partition("://")[2].partition("/")
    return (slash + rest or "/").partition("?")[0]


def default_path(path: str) -> str:
    """Section 5.1.4: the folder of the page.

    >>> default_path("/a/b"), default_path("/a/"), default_path("/a")
    ('/a', '/a', '/')
    """
    return path.rpartition("/")[0] or "/"


def path_matches(path: str, cookie_path: str) -> bool:
    """Section 5.1.4.

    >>> path_matches("/a/b", "/a"), path_matches("/ab", "/a"), path_matches("/a", "/a/")
    (True, False, False)
    """
    return path.startswith(cookie_path) and (
        len(path) == len(cookie_path) or cookie_path.endswith("/") or path[len(cookie_path)] == "/"
    )


def domain_matches(host: str, domain: str) -> bool:
    """Section 5.1.3: an address matches only itself.

    >>> domain_matches("a.b.example", "b.example"), domain_matches("xb.example", "b.example")
    (True, False)
    """
    return host == domain or (host.endswith(f".{domain}") and literal(host) is None)


def _name_and_value(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    return (name.strip(_WHITE), value.strip(_WHITE)) if equals else ("", pair.strip(_WHITE))


def _attributes(text: str) -> dict[str, str]:
    """By name in lower case, the last of each; one that is too long counts as not there."""
    said = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if len(value.strip(_WHITE)) <= MOST_ATTRIBUTE_BYTES:
            said[name.strip(_WHITE).lower()] = value.strip(_WHITE)
    return said


def _domain_of(domain: str, host: str, is_public_suffix: IsPublicSuffix) -> tuple[str, bool] | None:
    """The domain and whether only the host itself is meant; None where it may not set a cookie there."""
    domain = domain.removeprefix(".").lower()
    if not domain or domain == host:
        return host, not domain or is_public_suffix(host)
    if not domain_matches(host, domain) or is_public_suffix(domain):
        return None
    return domain, False


def _expiry(said: dict[str, str], now: float) -> float:
    """Max-Age before Expires; nobody is remembered longer than 400 days. What cannot be read counts as not there."""
    age = said.get("max-age", "")
    if _MAX_AGE.fullmatch(age):
        return now + min(float(age), MOST_AGE_S) if float(age) > 0 else -_FOREVER
    date = parse_cookie_date(said["expires"]) if "expires" in said else None
    return _FOREVER if date is None else min(date, now + MOST_AGE_S)


def _may_be_set(cookie: Cookie, is_safe: bool) -> bool:
    """Section 5.7: Secure takes https, and names with a prefix keep its promise (in any case; not inside a value)."""
    if cookie.secure and not is_safe:
        return False
    promise = (cookie.name or cookie.value).lower()
    if promise.startswith("__secure-"):
        return bool(cookie.name) and cookie.secure
    if promise.startswith("__host-"):
        return bool(cookie.name) and cookie.secure and cookie.host_only and cookie.path == "/"
    return True


def _shadows_secure(cookie: Cookie, others: Iterable[Cookie]) -> bool:
    """Whether plain http would overwrite or hide what was set over https ("leave secure cookies alone")."""
    return any(
        other.secure
        and other.name == cookie.name
        and (domain_matches(other.domain, cookie.domain) or domain_matches(cookie.domain, other.domain))
        and path_matches(cookie.path, other.path)
        for other in others
    )


def _goes_to(cookie: Cookie, parts: weburl.Parts, path: str) -> bool:
    fits = parts.host == cookie.domain if cookie.host_only else domain_matches(parts.host, cookie.domain)
    return fits and (parts.scheme == "https" or not cookie.secure) and path_matches(path, cookie.path)


def _joined(cookies: Iterable[Cookie]) -> str:
    text = ""
    for cookie in cookies:
        pair = f"{cookie.name}={cookie.value}" if cookie.name else cookie.value
        longer = f"{text}; {pair}" if text else pair
        if len(longer) > MOST_SENT_BYTES:
            break
        text = longer
    return text


def _domains(host: str) -> Iterator[str]:
    """The host, then each domain above it.

    >>> list(_domains("a.b.example"))
    ['a.b.example', 'b.example', 'example']
    """
    while host:
        yield host
        host = host.partition(".")[2]
