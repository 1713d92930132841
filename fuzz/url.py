"""URLs: any text is a target in standard form or a fault with words, and no text made of it shows a password."""

from fuzz.shaping import bounded, grown
from scraper import weburl
from scraper.records import Fault, SourceLine, Target
from scraper.urls.canonical import identify, shown

SECRET = "s3cr3t-9f41"
"""Planted as the password; long enough not to be come upon by chance."""

SEEDS = (
    b"\0http://a.example:8080/b/../c?d#e",
    b"\0https://joe:pass@\xd1\x82\xd0\xb5\xd1\x81\xd1\x82.example/%zz",
    b"\0http://0x7f.1/",
    b"\0http://2852039166/",
    b"\0http://[::ffff:127.0.0.1]:80/",
    b"\0a.example/x@y:z",
    b"\0localhost:8000/x",
    b"\0//a.example",
    b"\0mailto:a@b.example",
    b"\0data:text/html,a",
    b"\0http://a.example:99999/",
    b"\0http:\\\\a\\b@c",
    b"\0\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1",
    b"\0http://xn--a.example/",
    b"\1//a.examp\xd1le",
    b"\xff@",
    b"\xff://a:",
)


def check(data: bytes) -> None:
    """`data`: see `grown`, then text in UTF-8. What is not is replaced, or after a 1 becomes lone surrogates.

    Python's callers can hand over such text, and so can a command line. Handling it is slow, so most inputs have none.
    """
    text = grown(data).decode("utf-8", "surrogateescape" if data[:1] == b"\1" else "replace")
    with bounded():
        _check_line(text)
        _check_line(f"http://joe:{SECRET}@{text}")
        _check_line(f"joe:{SECRET}@{text}")
        _check_reference(text)
    weburl.missing_scheme(text)


def _check_line(text: str) -> None:
    key, found = identify(SourceLine(text))
    again, _ = identify(SourceLine(text))
    assert key == again
    assert 0 <= key < 1 << 64
    for words in (shown(SourceLine(text)), *_words_of(found)):
        words.encode()
        assert SECRET not in words, f"a password is shown: {words!r}"
    if isinstance(found, Target):
        _check_target(key, found)
    else:
        assert found.kind in ("invalid_url", "unsupported_scheme")
        assert found.message


def _words_of(found: Target | Fault) -> tuple[str, ...]:
    return (found.url, found.href, found.host) if isinstance(found, Target) else (found.message,)


def _check_target(key: int, target: Target) -> None:
    """The standard form is one: read again it gives itself, and as written it means the same page."""
    for text in (target.href, target.url):
        again_key, again = identify(SourceLine(text))
        assert isinstance(again, Target), (text, again)
        assert (again_key, again.href, again.userinfo) == (key, target.href, None)
    assert target.host
    assert target.host == weburl.host(target.href)
    assert target.href.isascii()
    assert not any(char in target.href for char in " \r\n\t\0#"), "what could end a request line"


def _check_reference(reference: str) -> None:
    href = weburl.resolve("http://joe:pass@a.example/b/c?d", reference)
    if href is not None:
        assert weburl.resolve(href, href) == href
        assert weburl.split(href).scheme in ("http", "https")
        assert not any(char in href for char in " \r\n\t\0#")
