"""The requests we send: their headers, and a request object that costs little. Pure.

Nothing of the user's goes where the user did not send it: credentials and `fetch.headers` reach the target's own origin
(scheme, host and port) and no other, whatever a redirect says.
"""

from base64 import b64encode
from collections.abc import Mapping
from functools import cached_property

import httpx

from scraper import weburl
from scraper.records import Job, Mark

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
"""What browsers send: a few servers answer 406 to less."""

MOST_SHEETS = 1024
"""Hosts whose composed headers are kept, some 2 KB each: composing anew takes 15 us."""

_NO_BODY = httpx.ByteStream(b"")


class GetRequest(httpx.Request):
    """A GET request whose URL is parsed only when somebody asks for it.

    `httpx.URL` takes 29 us, more than the rest of our own work for a page; the pyreqwest wire needs only the text.
    """

    def __init__(
        self, href: str, headers: httpx.Headers, timeout: Mapping[str, float | None], address: str = ""
    ) -> None:
        """`href` is sent as it stands. `headers` are taken over and must hold Host where the wire adds none.

        `address`: where to connect for the host of `href`, "" where that says it or the wire shall look it up.
        """
        self.method = "GET"
        self.href = href
        self.address = address
        self.headers = headers
        self.extensions = {"timeout": timeout}
        self.stream = _NO_BODY

    @cached_property
    def url(self) -> httpx.URL:  # type: ignore[override]  # an attribute there, made when needed here
        """The URL as httpx sees it."""
        return httpx.URL(self.href)


def target_of(href: str) -> bytes:
    """The request target in origin form (RFC 9112 section 3.2.1).

    >>> target_of("http://a.example:8080/x?y")
    b'/x?y'
    >>> target_of("http://a.example")
    b'/'
    """
    _, slash, rest = href.partition("://")[2].partition("/")
    return (slash + rest or "/").encode("ascii", "replace")


class Sheet(httpx.Headers):
    """Headers that many requests share and nobody changes, so that their form for the wire is made once."""

    @cached_property
    def items_for_wire(self) -> list[tuple[str, str]]:
        """(name, value) in order."""
        return self.multi_items()


class HeaderSheet:
    """The headers for each job. They are composed once for all jobs to one host."""

    def __init__(self, agent: str, accept_encoding: str, extra: Mapping[str, str]) -> None:
        """`extra`: the user's headers, which replace ours of the same name."""
        self._plain = httpx.Headers({"User-Agent": agent, "Accept": ACCEPT, "Accept-Encoding": accept_encoding})
        self._own = self._plain.copy()
        self._own.update(extra)
        self._composed: dict[tuple[bool, str], Sheet] = {}

    def headers_for(self, job: Job, authority: str) -> "Sheet":
        """The headers for one job, shared with others: to be read only. `authority`: what Host says, host and port."""
        is_own = is_own_origin(job)
        headers = self._compose(is_own, authority)
        if is_own and job.target.userinfo is not None:
            headers = Sheet(headers)
            headers["Authorization"] = basic_auth(job.target.userinfo)
        return headers

    def _compose(self, is_own: bool, authority: str) -> "Sheet":
        headers = self._composed.get((is_own, authority))
        if headers is None:
            if len(self._composed) >= MOST_SHEETS:
                self._composed.clear()
            chosen = self._own if is_own else self._plain
            headers = Sheet([("Host", authority), *chosen.multi_items()])
            self._composed[is_own, authority] = headers
        return headers


def with_cookies(headers: Sheet, cookies: str) -> Sheet:
    """The headers with a jar's cookies behind those that the user set; the same ones where there are none."""
    if not cookies:
        return headers
    told = Sheet(headers)
    told["Cookie"] = "; ".join(filter(None, (headers.get("cookie"), cookies)))
    return told


def with_conditions(headers: Sheet, known: Mark) -> Sheet:
    """The headers with what asks for the page only if it has changed (RFC 9110 sections 13.1.2 and 13.1.3)."""
    told = Sheet(headers)
    if known.etag:
        told["If-None-Match"] = known.etag
    if known.modified:
        told["If-Modified-Since"] = known.modified
    return told


def is_own_origin(job: Job) -> bool:
    """Whether a job goes to the scheme, host and port that the input named."""
    return job.url == job.target.href or weburl.origin(job.url) == weburl.origin(job.target.href)


def basic_auth(userinfo: str) -> str:
    """The Authorization header for `user:password` (RFC 7617, UTF-8).

    >>> basic_auth("Aladdin:open sesame")
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='
    """
    pair = userinfo if ":" in userinfo else f"{userinfo}:"
    return f"Basic {b64encode(pair.encode()).decode('ascii')}"
