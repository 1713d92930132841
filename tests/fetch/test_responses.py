"""Headers left with the wire read as httpx's own would."""

import httpx
import pytest
from pyreqwest.http import HeaderMap

from scraper.fetch.responses import StreamedResponse, WireHeaders

LINES = [("content-type", "text/html"), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x", "")]


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "set-cookie", "x", "missing"])
def test_a_header_reads_as_httpx_reads_it(name: str) -> None:
    ours, theirs = WireHeaders(HeaderMap(LINES)), httpx.Headers(LINES)
    assert ours.get(name) == theirs.get(name)
    assert ours.get(name, "else") == theirs.get(name, "else")
    assert ours.get_list(name) == theirs.get_list(name)
    assert (name in ours) == (name in theirs)


def test_all_headers_are_those_of_httpx() -> None:
    ours = WireHeaders(HeaderMap(LINES))
    assert ours == httpx.Headers(LINES)
    assert ours.multi_items() == httpx.Headers(LINES).multi_items()
    assert ours.raw == httpx.Headers(LINES).raw


def test_a_response_keeps_its_headers_untouched() -> None:
    headers = WireHeaders(HeaderMap(LINES))
    response = StreamedResponse(200, headers, httpx.ByteStream(b""), "HTTP/1.1")
    assert response.headers is headers
    assert "_list" not in vars(headers)


def test_a_response_names_its_version_as_httpx_does() -> None:
    response = StreamedResponse(200, WireHeaders(HeaderMap(LINES)), httpx.ByteStream(b""), "HTTP/1.0")
    assert (response.http_version, response.extensions["http_version"]) == ("HTTP/1.0", b"HTTP/1.0")
