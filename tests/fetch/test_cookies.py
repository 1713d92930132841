"""The cookie jar against RFC 6265bis: what may be set by whom, and what goes back to whom. Pure."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.fetch.cookie_date import parse_cookie_date
from scraper.fetch.cookies import (
    MOST_AGE_S,
    MOST_IN_ALL,
    MOST_OF_A_SITE,
    MOST_SENT_BYTES,
    CookieJar,
    default_path,
    domain_matches,
    new_jar,
    path_matches,
    read_cookie,
)

NOW = 1_000_000_000.0
SUFFIXES = {"example", "co.example", "github.example", "localhost"}


def jar() -> CookieJar:
    return CookieJar(SUFFIXES.__contains__)


def sent(set_at: str, lines: list[str], asked: str, later_s: float = 0.0) -> str:
    cookies = jar()
    cookies.store(set_at, lines, NOW)
    return cookies.header_for(asked, NOW + later_s)


A = "https://www.a.example/shop/list?x=/y"

GO_BACK = [
    ("plain", "a=1", A, "a=1"),
    ("same folder", "a=1", "https://www.a.example/shop/other", "a=1"),
    ("default path is the folder", "a=1", "https://www.a.example/", ""),
    ("a folder is no prefix of a word", "a=1", "https://www.a.example/shopping", ""),
    ("Path", "a=1; Path=/", "https://www.a.example/", "a=1"),
    ("Path of elsewhere may be set", "a=1; path=/x", "https://www.a.example/x/y", "a=1"),
    ("relative Path counts as none", "a=1; Path=x", "https://www.a.example/shop/", "a=1"),
    ("Path ending in a slash", "a=1; Path=/x/", "https://www.a.example/x", ""),
    ("the last of two attributes counts", "a=1; Path=/x; Path=/", "https://www.a.example/", "a=1"),
    ("host-only: no sister", "a=1; Path=/", "https://b.a.example/", ""),
    ("host-only: no child", "a=1; Path=/", "https://x.www.a.example/", ""),
    ("host-only: no parent", "a=1; Path=/", "https://a.example/", ""),
    ("Domain: parent", "a=1; Path=/; Domain=a.example", "https://a.example/", "a=1"),
    ("Domain: sister", "a=1; Path=/; Domain=.A.Example", "https://b.a.example/", "a=1"),
    ("Domain: own name takes children in", "a=1; Path=/; Domain=www.a.example", "https://x.www.a.example/", "a=1"),
    ("empty Domain counts as none", "a=1; Path=/; Domain=", "https://www.a.example/", "a=1"),
    ("another port is the same host", "a=1; Path=/", "https://www.a.example:8443/", "a=1"),
    ("Secure over https", "a=1; Path=/; Secure", "https://www.a.example/", "a=1"),
    ("Secure over http", "a=1; Path=/; Secure", "http://www.a.example/", ""),
    ("not Secure over http", "a=1; Path=/", "http://www.a.example/", "a=1"),
    ("a name that only ends like the domain", "a=1; Path=/; Domain=a.example", "https://xa.example/", ""),
    ("quotes stay", 'a="x y"', A, 'a="x y"'),
    ("white space around is cut", " a = b c ;Path=/", A, "a=b c"),
    ("a value with equals", "a=b=c", A, "a=b=c"),
    ("no name", "=b", A, "b"),
    ("no equals", "b", A, "b"),
    ("no value", "a=", A, "a="),
    ("unknown attributes", "a=1; SameSite=None; Priority=High; HttpOnly; ; =", A, "a=1"),
    ("an attribute of 1 KiB and more counts as none", "a=1; Path=/" + "x" * 1024, A, "a=1"),
    ("4096 bytes", "a=" + "x" * 4095, A, "a=" + "x" * 4095),
    ("__Secure-", "__Secure-a=1; Secure", A, "__Secure-a=1"),
    ("__Host-", "__Host-a=1; Secure; Path=/", A, "__Host-a=1"),
    ("a tab is no control byte here", "a=1\t2", A, "a=1\t2"),
]

REFUSED = [
    ("another site", "a=1; Domain=b.example"),
    ("a child's domain", "a=1; Domain=x.www.a.example"),
    ("an end of the name", "a=1; Domain=example.a"),
    ("top level", "a=1; Domain=example"),
    ("top level with a dot", "a=1; Domain=.example"),
    ("nothing at all", ""),
    ("nothing around equals", " = ; Path=/"),
    ("4097 bytes", "a=" + "x" * 4096),
    ("4097 bytes of UTF-8", "a=" + "\u00e9" * 2048),
    ("NUL", "a=1\x00"),
    ("control byte in an attribute", "a=1; Path=/\x1b"),
    ("DEL", "a=\x7f1"),
    ("line end", "a=1\r\nX: y"),
    ("__Secure- without Secure", "__Secure-a=1"),
    ("__secure- in another case", "__SECURE-a=1"),
    ("__Host- without Secure", "__Host-a=1; Path=/"),
    ("__Host- without Path", "__Host-a=1; Secure"),
    ("__Host- with Domain", "__Host-a=1; Secure; Path=/; Domain=www.a.example"),
    ("a prefix hidden in a value without a name", "=__Host-a=1; Secure; Path=/"),
    ("expired", "a=1; Expires=Wed, 21 Oct 1998 07:28:00 GMT"),
    ("Max-Age=0", "a=1; Max-Age=0"),
    ("negative Max-Age before Expires", "a=1; Max-Age=-5; Expires=Wed, 21 Oct 2065 07:28:00 GMT"),
]


@pytest.mark.parametrize(("line", "asked", "header"), [case[1:] for case in GO_BACK], ids=[case[0] for case in GO_BACK])
def test_cookie_goes_where_it_belongs_and_nowhere_else(line: str, asked: str, header: str) -> None:
    assert sent(A, [line], asked) == header


@pytest.mark.parametrize("line", [line for _, line in REFUSED], ids=[name for name, _ in REFUSED])
def test_what_may_not_be_set_is_dropped(line: str) -> None:
    cookies = jar()
    cookies.store(A, [line], NOW)
    assert (len(cookies), cookies.header_for(A, NOW)) == (0, "")


@pytest.mark.parametrize("line", ["a=1; Secure", "__Secure-a=1; Secure", "__Host-a=1; Secure; Path=/"])
def test_plain_http_sets_nothing_secure(line: str) -> None:
    assert sent("http://www.a.example/", [line], "https://www.a.example/") == ""


@pytest.mark.parametrize(
    ("host", "domain", "header"),
    [
        ("github.example", "github.example", "a=1"),  # a public suffix may set cookies for itself alone
        ("me.github.example", "github.example", ""),
        ("127.0.0.1", "127.0.0.1", "a=1"),
        ("127.0.0.1", "0.0.1", ""),
        ("[::1]", "", "a=1"),
        ("localhost", "localhost", "a=1"),
        ("a.localhost", "localhost", ""),
    ],
)
def test_public_suffixes_and_addresses_set_cookies_for_themselves_alone(host: str, domain: str, header: str) -> None:
    assert sent(f"https://{host}/", [f"a=1; Domain={domain}"], f"https://{host}/") == header
    assert sent(f"https://{host}/", [f"a=1; Domain={domain}"], "https://you.github.example/") == ""


def test_plain_http_neither_overwrites_nor_hides_a_secure_cookie() -> None:
    cookies = jar()
    cookies.store("https://a.example/", ["id=safe; Secure; Path=/in"], NOW)
    for line in ("id=evil; Path=/in", "id=evil; Path=/in/x", "id=evil; Path=/in; Domain=a.example"):
        cookies.store("http://a.example/", [line], NOW)
        cookies.store("http://www.a.example/", [line], NOW)
    assert cookies.header_for("https://a.example/in/x", NOW) == "id=safe"
    cookies.store("http://a.example/", ["id=other; Path=/"], NOW)  # another path: it hides nothing
    assert cookies.header_for("https://a.example/in/x", NOW) == "id=safe; id=other"


def test_the_same_cookie_is_replaced_and_keeps_its_place() -> None:
    cookies = jar()
    cookies.store("https://a.example/", ["a=1", "b=2", "a=3", "c=4; Path=/deep"], NOW)
    cookies.store("https://a.example/", ["b=; Max-Age=0"], NOW)
    assert cookies.header_for("https://a.example/deep/x", NOW) == "c=4; a=3"  # longer paths first, then older ones
    assert len(cookies) == 2


@pytest.mark.parametrize(
    ("line", "lasts_s"),
    [
        ("a=1; Max-Age=60", 60),
        ("a=1; max-age=60; Expires=Wed, 21 Oct 1998 07:28:00 GMT", 60),
        ("a=1; Max-Age=sixty; Expires=Sun, 09 Sep 2001 01:47:40 GMT", 60),
        ("a=1; Max-Age=" + "9" * 300, MOST_AGE_S),
        ("a=1; Expires=Wed, 21 Oct 2965 07:28:00 GMT", MOST_AGE_S),
        ("a=1; Expires=soon", MOST_AGE_S * 10),
    ],
)
def test_cookie_lasts_as_long_as_it_says(line: str, lasts_s: float) -> None:
    url = "https://a.example/"
    assert sent(url, [line], url, lasts_s - 1) == "a=1"
    if lasts_s <= MOST_AGE_S:
        assert sent(url, [line], url, lasts_s) == ""


class TestBounds:
    def test_of_a_full_site_those_not_secure_go_first_then_the_oldest(self) -> None:
        cookies = jar()
        cookies.store("https://a.example/", ["s=0; Secure"], NOW)
        cookies.store("https://a.example/", [f"c{n}=1" for n in range(2 * MOST_OF_A_SITE)], NOW)
        header = cookies.header_for("https://a.example/", NOW).split("; ")
        assert (len(cookies), len(header), header[0], header[-1]) == (50, 50, "s=0", "c99=1")

    def test_a_thousand_names_of_one_site_push_out_nobody_else(self) -> None:
        cookies = jar()
        cookies.store("https://b.example/", ["mine=1"], NOW)
        for n in range(2000):
            cookies.store(f"https://h{n}.a.example/", [f"c{n}-{m}=1; Domain=a.example" for m in range(3)], NOW)
        assert len(cookies) == 1 + MOST_OF_A_SITE
        assert cookies.header_for("https://b.example/", NOW) == "mine=1"

    def test_in_all_the_site_longest_unused_goes_first(self) -> None:
        cookies = jar()
        for n in range(MOST_IN_ALL):
            cookies.store(f"https://a{n}.example/", ["c=1"], NOW)
        cookies.header_for("https://a0.example/", NOW)
        cookies.store("https://new.example/", ["c=1"], NOW)
        assert len(cookies) == MOST_IN_ALL
        assert cookies.header_for("https://a0.example/", NOW) == "c=1"
        assert cookies.header_for("https://a1.example/", NOW) == ""

    def test_a_cookie_bomb_is_not_sent_back_whole(self) -> None:
        header = sent(A, [f"c{n}=" + "x" * 4000 for n in range(50)], A)
        assert 8000 < len(header) <= MOST_SENT_BYTES
        assert header.count("; ") == 1

    def test_ten_thousand_cookies_are_read_in_no_time(self) -> None:
        started = time.perf_counter()
        cookies = jar()
        cookies.store(A, [f"c{n}=" + "x" * 50 for n in range(10_000)], NOW)
        assert len(cookies) == MOST_OF_A_SITE
        assert time.perf_counter() - started < 5


HOSTS = ("a.example", "w.a.example", "me.co.example", "127.0.0.1")
URLS = st.builds("{}://{}/{}".format, st.sampled_from(["http", "https"]), st.sampled_from(HOSTS), st.just("x/y"))
LINES = st.text(max_size=40) | st.builds(
    "{}={}; {}={}; {}".format,
    st.sampled_from(["a", "b", "", "__Host-a", "__Secure-a"]),
    st.text("xy\u00e9\x00 ", max_size=4),
    st.sampled_from(["Domain", "Path", "Max-Age", "Expires"]),
    st.sampled_from(["a.example", "example", "co.example", ".w.a.example", "/", "/x", "0", "9", "x"]),
    st.sampled_from(["Secure", "", "HttpOnly"]),
)


@given(st.lists(st.tuples(URLS, st.lists(LINES, max_size=4)), max_size=30), URLS)
def test_whatever_is_set_the_header_can_be_sent_and_the_count_is_right(
    answers: list[tuple[str, list[str]]], asked: str
) -> None:
    cookies = jar()
    for url, lines in answers:
        cookies.store(url, lines, NOW)
    header = cookies.header_for(asked, NOW)
    assert not any(ord(char) < 32 and char != "\t" for char in header)
    assert len(cookies) == sum(len(site) for site in cookies._sites.values()) <= MOST_IN_ALL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1445412480.0),
        ("Wednesday, 21-Oct-15 07:28:00 GMT", 1445412480.0),
        ("Wed Oct 21 07:28:00 2015", 1445412480.0),
        ("21 oCtober 2015 7:28:0", 1445412480.0),
        ("2015 21 Oct 07:28:00", 1445412480.0),
        ("Thu, 01 Jan 70 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 69 00:00:00 GMT", 3124224000.0),
        ("Thu, 01 Jan 1601 00:00:00 GMT", -11644473600.0),
        ("Thu, 01 Jan 1600 00:00:00 GMT", None),
        ("Sat, 30 Feb 2015 00:00:00 GMT", None),
        ("Mon, 29 Feb 2016 00:00:00 GMT", 1456704000.0),
        ("Mon, 29 Feb 1900 00:00:00 GMT", None),
        ("21 Oct 2015 24:00:00", None),
        ("21 Oct 2015", None),
        ("0 Oct 2015 00:00:00", None),
        ("", None),
        ("9" * 5000, None),
        ("21 Oct 2015 07:28:00:00", 1445412480.0),
    ],
)
def test_date_is_read_as_browsers_read_it(text: str, expected: float | None) -> None:
    assert parse_cookie_date(text) == expected


def test_the_real_list_of_public_suffixes_is_used() -> None:
    cookies = new_jar()
    for domain in ("co.uk", "github.io", "com", "s3.amazonaws.com", "kobe.jp"):
        cookies.store(f"https://me.{domain}/", [f"a=1; Domain={domain}"], NOW)
        assert cookies.header_for(f"https://you.{domain}/", NOW) == ""
    cookies.store("https://www.bbc.co.uk/", ["a=1; Domain=bbc.co.uk"], NOW)
    assert cookies.header_for("https://news.bbc.co.uk/", NOW) == "a=1"


def test_examples_of_the_standard() -> None:
    """RFC 6265bis sections 5.1.3 and 5.1.4."""
    assert default_path("/") == "/"
    assert path_matches("/a", "/a")
    assert not domain_matches("10.0.0.1", "0.0.1")
    assert read_cookie("a=b; Domain=example", A, NOW, SUFFIXES.__contains__) is None
