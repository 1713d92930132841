"""The messages of SOCKS 5 as RFC 1928 and 1929 draw them. Pure."""

import pytest

from scraper.fetch import socks


def test_greeting_and_login() -> None:
    assert socks.greeting(has_login=False) == b"\x05\x01\x00"
    assert socks.greeting(has_login=True) == b"\x05\x02\x00\x02"
    assert socks.login("joe", "s\u00e9") == b"\x01\x03joe\x03s\xc3\xa9"


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("127.0.0.1", b"\x01\x7f\x00\x00\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
        ("a.example", b"\x03\x09a.example"),
    ],
)
def test_request_to_connect(host: str, target: bytes) -> None:
    assert socks.connect(host, 8080) == b"\x05\x01\x00" + target + b"\x1f\x90"


@pytest.mark.parametrize(
    ("start", "rest"),
    [
        (b"\x05\x00\x00\x01\x7f", 5),
        (b"\x05\x00\x00\x04\x00", 17),
        (b"\x05\x00\x00\x03\x09", 11),
        (b"\x05\x00\x00\x03\x00", 2),
        (b"\x05\x00\x00\x02\x00", None),
        (b"HTTP/", None),
    ],
)
def test_the_rest_of_a_reply_is_known_from_its_start(start: bytes, rest: int | None) -> None:
    assert socks.rest_of_reply(start) == rest


def test_what_a_proxy_refuses_has_a_name() -> None:
    assert socks.refusal(0) is None
    assert socks.refusal(5) == "connection refused"
    assert socks.refusal(200) == "code 200"
