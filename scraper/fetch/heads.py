"""Request and answer as the bytes an archive keeps of them. Pure; called only where pages are archived.

What a wire does not tell cannot be kept. pyreqwest gives header names in lower case, no reason phrase, and no value
that is not ASCII; httpx gives all of them. HTTP/2 has no bytes of this form: its heads are put into that of HTTP/1.
"""

import httpx

from scraper.fetch.address import literal
from scraper.fetch.requests import GetRequest, target_of
from scraper.fetch.responses import WireHeaders
from scraper.records import Exchange, Job

SHOWN = frozenset(
    {
        b"host",
        b"user-agent",
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"if-modified-since",
        b"if-none-match",
    }
)
"""The request headers that an archive gets. Any other may be a secret: credentials, cookies, keys with any name."""


def exchange_of(job: Job, response: httpx.Response, *, by_proxy: bool) -> Exchange:
    """What an archive keeps of an answer besides its body. `response.request` must be set, to a GetRequest.

    `by_proxy`: the host's address is known to the proxy alone.
    """
    request = response.request
    if not isinstance(request, GetRequest):
        raise TypeError(f"the request is a {type(request).__name__}, expected a GetRequest")
    ip = None if by_proxy else literal(job.host) or request.address or None
    head = response_head(response)
    is_hypers = isinstance(response.headers, WireHeaders) and head.startswith(b"HTTP/1")
    return Exchange(request_head(job.url, request.headers, in_title_case=is_hypers), head, ip)


def request_head(url: str, headers: httpx.Headers, *, in_title_case: bool = False) -> bytes:
    r"""The head of a GET request, less what is not SHOWN. `in_title_case`: as hyper, below pyreqwest, sends names.

    >>> request_head("http://a/b?c", httpx.Headers({"Host": "a", "Cookie": "id=1"}))
    b'GET /b?c HTTP/1.1\r\nHost: a\r\n\r\n'
    """
    shown = [(name, value) for name, value in headers.raw if name.lower() in SHOWN]
    lines = [(name.title(), value) for name, value in shown] if in_title_case else shown
    return _head(b"GET %b HTTP/1.1" % target_of(url), lines)


def response_head(response: httpx.Response) -> bytes:
    """The head of an answer; its first line names the version of HTTP that it came by."""
    version: bytes = response.extensions.get("http_version", b"HTTP/1.1")
    phrase: bytes = response.extensions.get("reason_phrase") or response.reason_phrase.encode("ascii")
    return _head(b"%b %d %b" % (version, response.status_code, phrase), _lines_of(response.headers))


def _lines_of(headers: httpx.Headers) -> list[tuple[bytes, bytes]]:
    if isinstance(headers, WireHeaders):
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.readable_lines]
    return headers.raw


def _head(first: bytes, lines: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join((first, b"\r\n", *(b"%b: %b\r\n" % line for line in lines), b"\r\n"))
