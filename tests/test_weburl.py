import doctest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scraper import weburl

# WHATWG URL, 4.4 "URL parsing"; the examples of 4.2 and 5.x among them.
RESOLVED = [
    ("http://a.example/b/c?d", "e", "http://a.example/b/e"),
    ("http://a.example/b/c?d", "../../e", "http://a.example/e"),
    ("http://a.example/b/c?d", "?q=1", "http://a.example/b/c?q=1"),
    ("http://a.example/b/c?d", "", "http://a.example/b/c?d"),
    ("http://a.example/b/c?d", "#part", "http://a.example/b/c?d"),
    ("http://a.example/b", "//B.example:80/c", "http://b.example/c"),
    ("https://a.example/b", "//b.example/c", "https://b.example/c"),
    ("http://a.example/b", "\\\\b.example\\c", "http://b.example/c"),
    ("http://a.example/b", "/with space", "http://a.example/with%20space"),
    ("http://a.example/b", "/\u00fc?\u00fc", "http://a.example/%C3%BC?%C3%BC"),
    ("http://a.example/b", "http:c", "http://a.example/c"),
    ("http://a.example/b", "https:c", "https://c/"),
    ("http://a.example/b", "  /c\n", "http://a.example/c"),
    ("http://a.example/b", "http://joe:secret@b.example/", "http://b.example/"),
    ("http://joe:secret@a.example/b", "c", "http://a.example/c"),
    ("http://a.example/b", "/\ud800", "http://a.example/%EF%BF%BD"),
    ("http://a.example/b", "http://0x7f.1/", "http://127.0.0.1/"),
    ("http://a.example/b", "ftp://b.example/", None),
    ("http://a.example/b", "javascript:alert(1)", None),
    ("http://a.example/b", "data:text/html,x", None),
    ("http://a.example/b", "file:///etc/passwd", None),
    ("http://a.example/b", "http://", None),
    ("http://a.example/b", "http://b.example:99999/", None),
    ("http://a.example/b", "http://exa mple/", None),
    ("no base", "http://a.example/", None),
]

SHOWN = [
    ("http://a.example/", "http://a.example/"),
    ("http://joe:secret@a.example/x", "http://a.example/x"),
    ("http://joe@a.example/x", "http://a.example/x"),
    ("http://joe:se@cret@a.example/x@y", "http://a.example/x@y"),
    ("HTTP:\\\\joe:secret@a.example\\x", "HTTP:\\\\a.example\\x"),
    ("https:joe:secret@a.example", "https:a.example"),
    ("ht\ttp:/\t/joe:secret@a.example/", "ht\ttp:/\t/a.example/"),
    ("http://a.example/@joe:x", "http://a.example/@joe:x"),
    ("http://a.example/?mail=joe@b.example", "http://a.example/?mail=joe@b.example"),
    ("http://a.example:80/x:y@z", "http://a.example:80/x:y@z"),
    ("ftp://joe:secret@a.example/x", "ftp://a.example/x"),
    ("x://joe:sec\\ret@a.example/x", "x://a.example/x"),
    ("mailto:joe@a.example", "mailto:joe@a.example"),
    # texts that are no URL: all that may be a password goes
    ("http://joe:secret@exa mple/", "http://exa mple/"),
    ("http://joe:sec/ret@a.example/", "http://a.example/"),
    ("http://joe:secret@[", "http://["),
    ("http://exa mple/?mail=joe@b.example", "http://exa mple/?mail=joe@b.example"),
    ("joe:secret@a.example/x", "a.example/x"),
    ("joe@a.example/x", "a.example/x"),
    ("//joe:secret@a.example/x", "a.example/x"),
    ('{"url": "http://joe:secret@a.example/"', 'a.example/"'),
]

WITHOUT_SCHEME = [
    ("a.example", "a.example"),
    ("a.example/x?y", "a.example/x?y"),
    ("//a.example/x", "a.example/x"),
    ("localhost", "localhost"),
    ("localhost:8000/x", "localhost:8000/x"),
    ("a.example:80", "a.example:80"),
    ("192.0.2.1:8080/x", "192.0.2.1:8080/x"),
    ("[::1]:80/x", "[::1]:80/x"),
    ("a.example: a page", None),
    ("page", None),
    ("page/x.html", None),
    ("", None),
    ("http://a.example", None),
    ("ftp://a.example", None),
    ("tel:112", None),
    ("urn:isbn:1", None),
    ("javascript:1", None),
]


def test_examples_of_the_docstrings_hold():
    assert doctest.testmod(weburl).failed == 0


@pytest.mark.parametrize(("base", "reference", "expected"), RESOLVED)
def test_reference_is_resolved_as_the_standard_says(base, reference, expected):
    assert weburl.resolve(base, reference) == expected


@pytest.mark.parametrize(("text", "expected"), SHOWN)
def test_userinfo_is_taken_out_of_urls_and_of_what_is_none(text, expected):
    assert weburl.without_userinfo(text) == expected


@pytest.mark.parametrize(("text", "expected"), WITHOUT_SCHEME)
def test_missing_scheme_is_told_from_other_texts(text, expected):
    assert weburl.missing_scheme(text) == expected


@pytest.mark.parametrize(
    ("href", "parts"),
    [
        ("http://a.example/", ("http", "a.example", 80, "http://a.example")),
        ("https://A.example:443/x", ("https", "a.example", 443, "https://a.example")),
        ("http://a.example:8080/", ("http", "a.example", 8080, "http://a.example:8080")),
        ("http://[::1]:80/", ("http", "::1", 80, "http://[::1]")),
        ("http://a.example./", ("http", "a.example", 80, "http://a.example.")),
        ("https://b\u00fccher.example/", ("https", "xn--bcher-kva.example", 443, "https://xn--bcher-kva.example")),
    ],
)
def test_split_gives_the_parts(href, parts):
    assert weburl.split(href) == parts
    assert weburl.host(href) == parts[1]
    assert weburl.origin(href) == parts[3]


def test_split_refuses_other_schemes_without_showing_a_password():
    with pytest.raises(ValueError, match=r"not an http or https URL: 'ftp://a\.example/'"):
        weburl.split("ftp://joe:secret@a.example/")


@given(st.text() | st.text(alphabet="htps:/\\@.a?#[]\t \ud800"))
@example("\ud800")
def test_no_text_raises(text):
    weburl.parse(text)
    weburl.resolve("http://a.example/", text)
    weburl.missing_scheme(text)
    weburl.without_userinfo(text)
    weburl.whole_characters(text).encode()


SECRET = st.text(alphabet="abc0-9/?#\\[] %\u00fc", min_size=1, max_size=8).map(lambda tail: f"s3cret{tail}")


@given(
    st.sampled_from(["http://", "https://", "http:", "", "//", "ftp://", "HTTP:\\\\", "x://"]),
    SECRET,
    st.text(alphabet="ab.:/ []?#x", max_size=10),
)
def test_no_password_is_ever_shown(prefix, secret, rest):
    text = f"{prefix}joe:{secret}@{rest}"
    url = weburl.parse(text)
    if url is None or not url.has_hostname() or url.has_credentials():
        assert "s3cret" not in weburl.without_userinfo(text)


@given(st.from_regex(r"https?://[a-z0-9.]{1,9}(:[0-9]{1,4})?/[ -~\u00e0-\u00ff]{0,20}", fullmatch=True))
def test_resolving_a_result_changes_nothing(text):
    once = weburl.resolve("http://a.example/", text)
    if once is not None:
        assert weburl.resolve("http://b.example/", once) == once
