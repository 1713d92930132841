"""What servers do to a whole run, by name, and how each URL must end: a row, or a failure of one kind."""

import gzip
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from backports import zstd

from tests.hostile.answers import (
    BROKEN,
    SLOW,
    WHOLE,
    Made,
    Writer,
    after,
    brotli_of_zeros,
    chunked,
    coded,
    forever,
    gzip_of_zeros,
    hang_up,
    head,
    made,
    nothing_after_100,
    page,
    reset_at_once,
    silence,
    sized,
)

Reply = bytes | Made | Callable[[Writer], Awaitable[None]]

NO_ROBOTS = sized(b"", status="404 Not Found")
HTML_TYPE = "Content-Type: text/html"
GIB, MB = 1 << 30, 1_000_000


@dataclass(frozen=True)
class Behaviour:
    """One server: its answers, and what must become of the URL."""

    replies: tuple[Reply, ...]
    """The n-th request for the page gets the n-th, all further ones the last."""
    expected: str = "ok"
    on_httpx: str = ""
    """Where httpx's own wire ends otherwise; the reason stands beside it."""
    title: str | None = None
    """What the row must say; None where it does not matter."""
    robots: Reply = NO_ROBOTS
    scheme: str = "http"
    has_tls: bool = False
    is_raw: bool = False
    """It does not wait for a request."""
    keeps: bool = False
    """The connection is kept after an answer."""

    def expected_on(self, wire: str) -> str:
        return self.on_httpx or self.expected if wire == "httpx" else self.expected


def ends(expected: str, *replies: Reply, **more: object) -> Behaviour:
    return Behaviour(replies, expected, **more)  # type: ignore[arg-type]


def html(body: bytes, *headers: str) -> bytes:
    return sized(body, HTML_TYPE, *headers)


def redirect(*headers: str, status: str = "302 Found") -> bytes:
    return sized(b"", *headers, status=status)


def to(location: str) -> bytes:
    return redirect(f"Location: {location}")


CLIENT: dict[str, Behaviour] = {
    # An empty body is a page with nothing in it; one such as "hi", without a type, is whole but no page.
    **{
        name: ends("ok" if b"<html>" in body or not body else "not_html", reply)
        for name, (reply, body) in WHOLE.items()
    },
    **{name: ends(kind, reply) for name, (reply, kind) in BROKEN.items()},
    **{name: ends("timeout", reply) for name, reply in SLOW.items()},
    "dripping error page": ends("http_status", SLOW["dripping error page"]),  # read for a second, then left
}
"""What is known of a single answer, seen through a run."""

SIZES: dict[str, Behaviour] = {
    "1 GiB in gzip": ends("too_large", made(partial(gzip_of_zeros, GIB), "Content-Encoding: gzip")),
    "200 MB in a few bytes of br": ends("too_large", made(partial(brotli_of_zeros, 200 * MB), "Content-Encoding: br")),
    "200 MB in zstd": ends("too_large", made(lambda: zstd.compress(bytes(200 * MB)), "Content-Encoding: zstd")),
    "200 MiB in gzip in gzip": ends(
        "too_large", made(lambda: gzip.compress(gzip_of_zeros(200 << 20)), "Content-Encoding: gzip, gzip")
    ),
    "200 MB in deflate": ends(
        "too_large", made(lambda: zlib.compress(bytes(200 * MB), 1), "Content-Encoding: deflate")
    ),
    "bomb in a redirect": ends(
        "ok",
        made(partial(brotli_of_zeros, 200 * MB), "Location: /landing", "Content-Encoding: br", status="302 Found"),
        title="landing",
    ),
    "bomb in an error page": ends(
        "http_status", made(partial(brotli_of_zeros, 200 * MB), "Content-Encoding: br", status="404 Not Found")
    ),
    "endless HTML": ends("too_large", forever(head(HTML_TYPE), b"<p>more" * 9000)),
    "length of 10 TB": ends("too_large", forever(head("Content-Length: 10000000000000"), bytes(65536))),
    "length of 400 digits": ends("protocol", head(f"Content-Length: {'9' * 400}") + b"hi"),
    "20,000 chunks of one byte": ends(
        "ok", chunked(page("tiny"), *[b"x"] * 20_000, headers=(HTML_TYPE,)), title="tiny"
    ),
    "endless trailer": ends("protocol", forever(chunked(b"hi", end=b"0\r\n"), b"X-A: %s\r\n" % (b"a" * 1000))),
    "endless chunk extension": ends("protocol", forever(head("Transfer-Encoding: chunked") + b"5;", b"a" * 1000)),
    "huge chunk size": ends(
        "protocol", chunked(b"hi", end=b"fffffffffffffffff\r\n"), on_httpx="truncated"
    ),  # h11 waits
    "chunk size with a sign": ends("protocol", chunked(b"hi", end=b"-1\r\n")),
    "garbage behind a chunk": ends("protocol", head("Transfer-Encoding: chunked") + b"2\r\nhiXX0\r\n\r\n"),
}
"""More than anybody wants, in few bytes or in many."""

HEADS: dict[str, Behaviour] = {
    "silence": ends("timeout", silence),
    "100 and then nothing": ends("timeout", nothing_after_100),
    "101 to another protocol": ends(
        "http_status",
        head("Upgrade: h2c", "Connection: Upgrade", status="101 Switching Protocols"),
        on_httpx="protocol",  # h11 knows that nobody asked for it
    ),
    "10,000 headers": ends("protocol", html(page("x"), *(f"X-{n}: {'a' * 100}" for n in range(10_000)))),
    "endless status line": ends("protocol", forever(b"HTTP/1.1 200 ", b"O" * 1000)),
    "status of 100 digits": ends("protocol", head(status="2" * 100)),
    "status of one digit": ends("protocol", head(status="2 OK")),
    "status -200": ends("protocol", head(status="-200 OK")),
    # h11 takes any version of one digit, a dot and one digit
    "HTTP/1.2": ends("protocol", b"HTTP/1.2 200 OK\r\nContent-Length: 3\r\n\r\n<p>", on_httpx="ok"),
    "HTTP/3.0": ends("protocol", b"HTTP/3.0 200 OK\r\nContent-Length: 3\r\n\r\n<p>", on_httpx="ok"),
    "control byte in a header": ends("ok", html(page("x"), "X-A: a\x01b")),
    "CR in a header": ends("protocol", html(page("x"), "X-A: a\rSet-Cookie: b=c")),
    # Browsers leave out a line that is no header, and so does the one wire; h11 refuses it.
    "header without a colon": ends("ok", html(page("x"), "no colon here"), on_httpx="protocol"),
    "header without a name": ends("ok", html(page("x"), ": a"), on_httpx="protocol"),
    "length and chunked": ends(
        "ok", sized(b"", "Transfer-Encoding: chunked", HTML_TYPE) + b"b\r\n<title>a<p>\r\n0\r\n\r\n"
    ),
    "chunked twice": ends("protocol", head("Transfer-Encoding: chunked, chunked", HTML_TYPE) + b"2\r\nhi\r\n0\r\n\r\n"),
    "length shorter than the body": ends(
        "ok", head("Content-Length: 11", HTML_TYPE) + b"<title>a<p>half", title="a<p>"
    ),
    "body behind 204": ends("ok", head(HTML_TYPE, "Content-Length: 5", status="204 No Content") + b"<p>hi"),
    "body behind 304": ends("http_status", head("Content-Length: 5", status="304 Not Modified") + b"<p>hi"),
    "a second answer behind a redirect": ends("ok", to("/landing") + html(page("forged")), title="landing", keeps=True),
    "a second answer behind 204 on the way": ends(
        "ok",
        to("/landing") + head(status="103 Early Hints") + html(page("forged")),
        title="landing",
        keeps=True,
    ),
    "cookie bomb": ends("ok", html(page("x"), *(f"Set-Cookie: c{n}={'x' * 900}; Max-Age=9" for n in range(90)))),
    "control bytes in a cookie": ends("protocol", html(page("x"), "Set-Cookie: a=b\x00c")),
    "cookie for another site": ends(
        "ok", html(page("x"), "Set-Cookie: a=b; Domain=com", "Set-Cookie: a=b; Domain=127.0.0.2")
    ),
    "trouble, then a page": ends("ok", sized(b"", status="500 Oops"), html(page("x")), title="x"),
    "reset, then a page": ends("ok", reset_at_once, html(page("x")), title="x"),
}
"""What stands before a body."""

LATER: dict[str, Behaviour] = {
    f"{status} with Retry-After {name}": ends(
        "http_status", sized(b"", f"Retry-After: {value}", status=f"{status} Later")
    )
    for status, name, value in (
        (429, "in seconds, too long", "86400"),
        (503, "in the past", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (503, "in the year 10000", "Sat, 01 Jan 10000 00:00:00 GMT"),
        (429, "of 5,000 digits", "9" * 5000),
        (429, "in words", "1m0s"),
        (503, "with a fraction", "0.129"),
        (429, "below zero", "-1"),
        (503, "of no sense", "nan, inf, 1e999"),
    )
}
"""Requests to wait: too long a wait is an end, and what cannot be read is none."""

LEADING: dict[str, Behaviour] = {
    "redirect in a circle": ends("too_many_redirects", to("/page")),
    "redirects without end": ends("too_many_redirects", *(to(f"/page?{n}") for n in range(40))),
    "slow redirects": ends("timeout", *(after(1.2, to(f"/page?{n}")) for n in range(40))),
    "redirects with large headers": ends(
        "ok", *(redirect(f"Location: /page?{n}", f"X-A: {'a' * 60_000}") for n in range(3)), html(page("x")), title="x"
    ),
    "redirect without Location": ends("bad_redirect", redirect()),
    "redirect to nothing": ends("bad_redirect", to("")),
    "redirect to no host": ends("bad_redirect", to("http://")),
    "redirect to a file": ends("bad_redirect", to("file:///etc/passwd")),
    "redirect to data": ends("bad_redirect", to("data:text/html,<h1>x")),
    "redirect to ftp": ends("bad_redirect", to("ftp://127.0.0.2/")),
    "redirect to gopher": ends("bad_redirect", to("gopher://127.0.0.2:70/x")),
    "redirect to javascript": ends("bad_redirect", to("javascript:alert(1)")),
    "redirect to port 99999": ends("bad_redirect", to("http://127.0.0.2:99999/")),
    "redirect to a bad name": ends("bad_redirect", to("http://xn--a.example/")),
    "redirect of 100,000 characters": ends("protocol", to("/" + "a" * 100_000)),
    "line end in Location": ends("protocol", redirect("Location: /a\r b\x0bc")),
    "spaces in Location": ends("ok", to(" /landing "), title="landing"),
    "password in Location": ends("blocked_address", to("http://joe:secret@127.0.0.2:9/")),
    **{
        f"redirect to {host}": ends("blocked_address", to(f"http://{host}:9/"))
        for host in (
            "127.0.0.2", "2130706434", "0x7f000002", "0177.0.0.2", "127.2", "127.0.0.2.", "localhost", "a.localhost",
            "[::1]", "[::ffff:127.0.0.2]", "[::ffff:7f00:2]", "[64:ff9b::7f00:2]", "0", "%31%32%37.0.0.2",
        )
    },
    "redirect to full-width digits": ends(
        "blocked_address", b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://"
        + "\uff11\uff12\uff17.0.0.2:9/".encode() + b"\r\n\r\n"
    ),
}  # fmt: skip
REDIRECTS = {name: replace(behaviour, keeps=True) for name, behaviour in LEADING.items()}
"""Ways to be led astray. All addresses are loopback ones that the list does not name."""

PAGES: dict[str, Behaviour] = {
    "a text of 20 MB": ends("ok", made(lambda: page("long", b"x" * (20 * MB))), title="long"),
    "an attribute of 20 MB": ends("ok", made(lambda: page("a", b"<p title='", b"x" * (20 * MB), b"'>")), title="a"),
    "a title of 20 MB": ends("ok", made(lambda: b"<title>" + b"x" * (20 * MB))),
    "5,000 nested divs": ends("ok", html(page("deep", b"<div>" * 5000)), title="deep"),
    # The HTML standard looks at all open elements for each one, and at all attributes for each.
    "a million nested divs": ends("parse_timeout", made(lambda: page("deep", b"<div>" * MB))),
    "a million attributes": ends(
        "parse_timeout", made(lambda: page("wide", b"<p ", b" ".join(b"a%d=1" % n for n in range(MB)), b">"))
    ),
    "200,000 options": ends("ok", made(lambda: page("many", b"<select>", b"<option>x" * 200_000)), title="many"),
    "100,000 links": ends("ok", made(lambda: page("links", b"<a href='x'>y" * 100_000)), title="links"),
    "100,000 open tables": ends("ok", made(lambda: page("tables", b"<table><tr><td>" * 100_000)), title="tables"),
    "formatting without end": ends("ok", made(lambda: page("bold", b"<b><i>" * 3000, b"<p>" * 3000)), title="bold"),
    "JSON-LD, 100,000 deep": ends(
        "ok", html(page("ld", b"<script type='application/ld+json'>", b"[" * 100_000, b"]" * 100_000)), title="ld"
    ),
    "JSON-LD with a number of 10,000 digits": ends(
        "ok", html(page("ld", b"<script type='application/ld+json'>{\"a\":", b"9" * 10_000, b"}")), title="ld"
    ),
    "JSON-LD with half a character": ends(
        "ok", html(page("ld", b"<script type='application/ld+json'>{\"a\":\"\\ud800\"}")), title="ld"
    ),
    "billion laughs": ends(
        "not_html",
        sized(
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha">'
            + b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 30))
            + b"]><a>&b29;</a>",
            "Content-Type: application/xml",
        ),
    ),
    "nothing but zeros": ends("ok", made(lambda: bytes(5 * MB))),
    "zeros in the text": ends("ok", html(b"<title>a\0b</title>")),
    "refresh in a circle": ends("ok", html(page("x", b"<meta http-equiv=refresh content='0;url=/page'>")), title="x"),
    "refresh to a script": ends("ok", html(page("x", b"<meta http-equiv=refresh content='0;url=javascript:a()'>"))),
    "a base elsewhere": ends("ok", html(page("x", b"<base href='file:///etc/'><a href=passwd>a</a>")), title="x"),
    "a formula for a title": ends("ok", html(page("=HYPERLINK(1)")), title="=HYPERLINK(1)"),
    "line separators in a title": ends("ok", sized(page("a\u2028b"), "Content-Type: text/html; charset=utf-8")),
    "terminal codes in a title": ends("ok", html(page("\x1b]0;owned\x07\x1b[2J"))),
    "terminal codes in a status line": ends(
        "protocol", sized(b"", status="404 \x1b[2Jgone"), on_httpx="http_status"  # h11 gives them; nothing shows them
    ),
    # The one wire leaves a header with such a value out, as it does with what is no header; the other gives it.
    "terminal codes in a type": ends("ok", sized(page("x"), "Content-Type: image/\x1b[2Jx"), on_httpx="not_html"),
    "terminal codes in a coding": ends("ok", html(page("x"), "Content-Encoding: \x1b[2Jx"), on_httpx="decode"),
    "terminal codes in Location": ends("bad_redirect", to("ftp://\x1b[2J/")),
    "two types": ends("not_html", html(page("x"), "Content-Type: image/png")),
    "a PNG as HTML": ends("not_html", html(b"\x89PNG\r\n\x1a\n" + bytes(1000))),
    "HTML as a PNG": ends("not_html", sized(page("x"), "Content-Type: image/png")),
    "a PDF": ends("not_html", html(b"%PDF-1.7\n")),
    "HTML without a type": ends("ok", sized(page("x")), title="x"),
    "a type of 60,000 characters": ends("ok", sized(page("x"), f"Content-Type: text/html; a={'b' * 60_000}")),
    "an empty page": ends("ok", html(b"")),
    **{
        f"charset {name}": ends("ok", sized(page("x"), f"Content-Type: text/html; charset={label}"), title="x")
        for name, label in (
            ("unknown", "klingon"), ("two", "utf-8,gbk"), ("quoted", "'utf-8"), ("not ASCII", "\xff\xfe"),
            ("idna", "idna"), ("base64", "base64"), ("rot13", "rot13"), ("unicode_escape", "unicode_escape"),
            ("utf-7", "utf-7"),
            ("undefined", "undefined"), ("mbcs", "mbcs"), ("of 10,000 characters", "u" * 10_000),
        )
    },
    "utf-7 that hides a script": ends(
        "ok", sized(b"<title>+ADw-b+AD4-</title>", "Content-Type: text/html; charset=utf-7"), title="+ADw-b+AD4-"
    ),
    "half a character at the end": ends("ok", sized(page("x") + b"\xe2\x82", "Content-Type: text/html; charset=utf-8")),
    "utf-16 without its last byte": ends("ok", html("\ufeff<title>x</title>y".encode("utf-16-le")[:-1]), title="x"),
}  # fmt: skip
"""What is in a body."""

TLS: dict[str, Behaviour] = {
    "TLS: silence": ends("connect", silence, scheme="https", is_raw=True),
    "TLS: plain HTTP": ends("tls", html(page("x")), scheme="https", is_raw=True),
    "TLS: closed at once": ends("tls", hang_up, scheme="https", is_raw=True),
    "TLS: garbage": ends("tls", b"\x16\x03\x01\xff\xff" + b"x" * 100_000, scheme="https", is_raw=True),
    "TLS: nobody's certificate": ends("tls", html(page("x")), scheme="https", has_tls=True),
}

FORBID = b"User-agent: *\nDisallow: /\n"
GOOD = html(page("x"))
ROBOTS: dict[str, Behaviour] = {
    f"robots.txt: {name}": ends(expected, GOOD, robots=reply, keeps=name.startswith("redirect"))
    for name, expected, reply in (
        ("forbids", "robots", sized(FORBID)),
        ("none", "ok", sized(b"", status="404 Not Found")),
        ("not for us", "ok", sized(b"", status="403 Forbidden")),
        ("500", "robots", sized(b"", status="500 Oops")),
        ("503 for a day", "robots", sized(b"", "Retry-After: 86400", status="503 Later")),
        ("silence", "robots", silence),
        ("drips", "robots", forever(head(), b"#", 0.02)),
        ("no HTTP", "robots", b"SSH-2.0\r\n"),
        ("cut", "robots", head("Content-Length: 900") + FORBID),
        ("endless", "ok", forever(head(), b"# more\n" * 9000)),
        ("1 GiB in gzip", "ok", made(partial(gzip_of_zeros, GIB), "Content-Encoding: gzip")),
        ("forbids, in gzip", "robots", coded("gzip", gzip.compress(FORBID))),
        ("a coding nobody knows", "robots", coded("snappy", FORBID)),
        ("UTF-16 that forbids", "robots", sized(("\ufeff" + FORBID.decode()).encode("utf-16-le"))),
        ("a web page", "ok", html(page("home"))),
        ("binary", "ok", sized(bytes(range(256)) * 100)),
        ("forbids behind 600 KiB", "ok", sized(b"# comment\n" * 61_440 + FORBID)),
        ("redirect in a circle", "ok", to("/robots.txt")),
        ("redirect to a file", "ok", to("file:///etc/passwd")),
        ("redirect to another address", "blocked_address", to("http://127.0.0.2:9/robots.txt")),
        ("stars", "ok", sized(b"User-agent: *\nDisallow: /" + b"*a" * 200_000 + b"b\n")),
        ("50,000 rules", "ok", sized(b"User-agent: *\n" + b"Disallow: /*x$\n" * 30_000)),
        ("Crawl-delay: 1e9", "robots", sized(b"User-agent: *\nCrawl-delay: 1e9\n")),
        ("Crawl-delay: nan", "ok", sized(b"User-agent: *\nCrawl-delay: nan\n")),
        ("Crawl-delay: -5", "ok", sized(b"User-agent: *\nCrawl-delay: -5\n")),
    )
}  # fmt: skip

BEHAVIOURS = CLIENT | SIZES | HEADS | LATER | REDIRECTS | PAGES | TLS | ROBOTS

LINES: dict[str, str] = {
    "http://" + "a" * 300 + ".invalid/": "dns",
    "http://" + "@" * 60_000 + "127.0.0.1:1/": "connect",
    "http://127.1.0.1:0/": "connect",
    "http://a..example/": "dns",
    "http://127.0.0.1:99999/": "invalid_url",
    "http://[::1/": "invalid_url",
    "http://a b/": "invalid_url",
    "http://\u2028/": "invalid_url",
    "file:///etc/passwd": "unsupported_scheme",
    "javascript:alert(1)": "unsupported_scheme",
    "data:text/html,<h1>x": "unsupported_scheme",
    "gopher://127.0.0.1/": "unsupported_scheme",
}
"""Lines of the list that no server is needed for."""
