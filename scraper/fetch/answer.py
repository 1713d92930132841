"""What the head of an answer means. Pure: status and headers in, a decision out."""

import httpx
import msgspec

from scraper.coding import CodingError, coding_of, fault_for
from scraper.fetch.body import announced_length
from scraper.fetch.retry_after import parse_retry_after
from scraper.records import Fault, Redirect

REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
"""RFC 9110 section 15.4, less 304 (nothing to go by) and 305, 306 (no longer used)."""

_ADVICE = {
    401: "it wants a login: put user:password@ into the URL, or an Authorization into fetch.headers",
    403: "it refuses: look at it in a browser, and at what the site allows",
    404: "no such page",
    410: "the page is gone",
    429: "raise politeness.delay or lower politeness.per_host",
}


class BodyHead(msgspec.Struct, frozen=True, gc=False):
    """How the body of a page comes."""

    coding: str
    """As `coding_of` gives it."""
    length: int | None
    """In bytes as sent, where that is announced."""
    close_delimited: bool
    """See `records.Page`."""


def read_head(response: httpx.Response, now: float) -> BodyHead | Redirect | Fault:
    """What an answer is: a page whose body is to be read, a redirect or a fault. `now`: epoch seconds."""
    status = response.status_code
    if 200 <= status < 300 and status != 206:
        return _body_head(response)
    if status in REDIRECTS:
        locations = set(response.headers.get_list("location"))
        if len(locations) > 1:
            return Fault("bad_redirect", f"HTTP {status} with {len(locations)} different Locations", status)
        if locations or status != 300:
            return Redirect("".join(locations).strip(), status)
    return Fault("http_status", _message(response), status, _retry_after(response, now))


def _body_head(response: httpx.Response) -> BodyHead | Fault:
    """Refuse transfer codings that are left in the body (RFC 9112 section 7): hyper undoes `chunked` and no other."""
    headers, status = response.headers, response.status_code
    transfer: str = headers.get("transfer-encoding", "")
    if transfer and transfer.strip().lower() not in ("chunked", "identity"):
        return Fault("protocol", f"Transfer-Encoding {transfer[:80]!r}, though none was asked for", status)
    try:
        coding = coding_of(headers.get("content-encoding", ""))
    except CodingError as error:
        return fault_for(error, status)
    length = announced_length(headers)
    is_open = length is None and "chunked" not in transfer.lower()
    return BodyHead(coding, length, is_open and _ends_by_closing(response))


def _ends_by_closing(response: httpx.Response) -> bool:
    """Whether a body of no announced length ends with its connection: in HTTP/1, by RFC 9112 section 6.3."""
    version: bytes = response.extensions.get("http_version", b"")
    return version.startswith(b"HTTP/1") and response.status_code != 204


def _message(response: httpx.Response) -> str:
    status = response.status_code
    if status == 206:
        return "HTTP 206: part of the page, though all of it was asked for; take Range out of fetch.headers"
    advice = _ADVICE.get(status) or ("the server failed, try later" if 500 <= status < 600 else "")
    phrase = " ".join(filter(None, (f"HTTP {status}", httpx.codes.get_reason_phrase(status))))
    return f"{phrase}: {advice}" if advice else phrase


def _retry_after(response: httpx.Response, now: float) -> float | None:
    value = response.headers.get("retry-after")
    return None if value is None else parse_retry_after(value, now)
